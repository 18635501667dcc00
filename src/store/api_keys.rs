//! API keys. Only digests of their secrets are kept.

use super::audit;
use super::column_types::{json, natural, optional_word, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Page, PageRequest};
use super::schema::api_keys;
use super::statement::{Bind, Statement};
use super::{Error, Store, append};
use crate::domain::{ApiKey, ApiKeyId, AuditEntry, TenantId, Timestamp, UserId};
use diesel::prelude::*;

/// Which keys a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiKeyFilter {
    /// Of this person.
    pub user_id: Option<UserId>,
    /// Of this person, or this key itself when it belongs to nobody.
    pub owner: Option<String>,
    /// Only those that are not revoked.
    pub unrevoked: bool,
}

impl Store {
    /// Adds a key.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such tenant, or nobody with the key's person in it.
    pub async fn create_api_key(&self, key: ApiKey, entry: AuditEntry) -> Result<ApiKey, Error> {
        self.write(move |connection| {
            let tenant_id = key.tenant_id.to_string();
            if super::tenants::is_missing(connection, &tenant_id)? {
                return Err(Error::NotFound);
            }
            if let Some(user_id) = key.user_id {
                super::users::get(connection, &tenant_id, &user_id.to_string())?;
            }
            insert(connection, &key)?;
            audit::insert(connection, &entry)?;
            Ok(key)
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn api_key(&self, tenant_id: TenantId, id: ApiKeyId) -> Result<ApiKey, Error> {
        self.read(move |connection| get(connection, &tenant_id.to_string(), &id.to_string())).await
    }

    /// The key with a prefix, of whichever tenant: what a request with a key begins with.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn api_key_by_prefix(&self, prefix: String) -> Result<ApiKey, Error> {
        self.read(move |connection| {
            api_keys::table.filter(api_keys::prefix.eq(prefix)).first::<Row>(connection)?.into_key()
        })
        .await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn api_keys(
        &self,
        tenant_id: TenantId,
        filter: ApiKeyFilter,
        page: PageRequest,
    ) -> Result<Page<ApiKey>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// Makes a key useless from now on.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn revoke_api_key(&self, tenant_id: TenantId, id: ApiKeyId, entry: AuditEntry) -> Result<ApiKey, Error> {
        self.write_people(move |connection| {
            let key = get(connection, &tenant_id.to_string(), &id.to_string())?;
            if key.revoked_at.is_some() {
                return Ok(key);
            }
            let at = entry.at.as_micros();
            diesel::update(api_keys::table.find(id.to_string()))
                .set((api_keys::revoked_at.eq(at), api_keys::updated_at.eq(at)))
                .execute(connection)?;
            audit::insert(connection, &entry)?;
            get(connection, &tenant_id.to_string(), &id.to_string())
        })
        .await
    }

    /// Notes when keys were used last.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn touch_api_keys(&self, uses: Vec<(ApiKeyId, Timestamp)>) -> Result<(), Error> {
        self.write(move |connection| {
            for (id, at) in uses {
                diesel::update(api_keys::table.find(id.to_string()))
                    .set(api_keys::last_used_at.eq(at.as_micros()))
                    .execute(connection)?;
            }
            Ok(())
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    user_id: Option<String>,
    name: String,
    prefix: String,
    secret_hash: String,
    role: String,
    scopes: String,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
    created_by: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_key(self) -> Result<ApiKey, Error> {
        Ok(ApiKey {
            id: word("key id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            user_id: optional_word("user id", self.user_id.as_deref())?,
            name: self.name,
            prefix: self.prefix,
            secret_hash: self.secret_hash,
            role: word("role", &self.role)?,
            scopes: json("scopes", &self.scopes)?,
            expires_at: self.expires_at.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

fn get(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<ApiKey, Error> {
    let own = api_keys::tenant_id.eq(tenant_id).and(api_keys::id.eq(id));
    api_keys::table.filter(own).first::<Row>(connection)?.into_key()
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &ApiKeyFilter,
    page: &PageRequest,
) -> Result<Page<ApiKey>, Error> {
    let filtered = || {
        let mut query = api_keys::table.filter(api_keys::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
        if let Some(user_id) = filter.user_id {
            query = query.filter(api_keys::user_id.eq(user_id.to_string()));
        }
        if let Some(owner) = &filter.owner {
            let itself = api_keys::id.eq(owner).and(api_keys::user_id.is_null());
            let of_person = api_keys::user_id.is_not_null().and(api_keys::user_id.assume_not_null().eq(owner));
            query = query.filter(of_person.or(itself));
        }
        if filter.unrevoked {
            query = query.filter(api_keys::revoked_at.is_null());
        }
        query
    };
    let total = match page {
        PageRequest::Numbered { .. } => Some(natural("count", filtered().count().get_result::<i64>(connection)?)?),
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query = filtered().order((api_keys::created_at.desc(), api_keys::id.desc())).limit(limit).offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query.filter(api_keys::created_at.le(at)).filter(api_keys::created_at.lt(at).or(api_keys::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_key).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |key| (key.created_at.as_micros(), key.id.to_string())))
}

fn insert(connection: &mut AnyConnection, key: &ApiKey) -> Result<(), Error> {
    let (id, tenant_id) = (key.id.to_string(), key.tenant_id.to_string());
    let user_id = key.user_id.map(|id| id.to_string());
    let scopes = append::to_json(&key.scopes)?;
    let micros = |at: Option<Timestamp>| Bind::OptionalInteger(at.map(Timestamp::as_micros));
    Statement::new(
        "INSERT INTO api_keys (id, tenant_id, user_id, name, prefix, secret_hash, role, scopes, expires_at, \
         last_used_at, revoked_at, created_by, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::OptionalText(user_id.as_deref()),
            Bind::Text(&key.name),
            Bind::Text(&key.prefix),
            Bind::Text(&key.secret_hash),
            Bind::Text(key.role.as_str()),
            Bind::Text(&scopes),
            micros(key.expires_at),
            micros(key.last_used_at),
            micros(key.revoked_at),
            Bind::OptionalText(key.created_by.as_deref()),
            Bind::Integer(key.created_at.as_micros()),
            Bind::Integer(key.updated_at.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}
