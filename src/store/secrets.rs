//! Secrets, encrypted: this file sees ciphertext only.

use super::column_types::{natural, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Page, PageRequest};
use super::schema::secrets;
use super::statement::{Bind, Statement, findable, is_storable};
use super::{Error, Store};
use crate::domain::secret::Sealed;
use crate::domain::{Secret, TenantId, Timestamp};
use diesel::prelude::*;

impl Store {
    /// Adds a secret or gives the one of this name another value. Who created it and when stays as it was. The answer says
    /// whether it is new.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_secret(&self, secret: Secret) -> Result<(Secret, bool), Error> {
        self.write_counted(&self.secrets, move |connection| {
            let tenant_id = secret.tenant_id.to_string();
            match get(connection, &tenant_id, &secret.name) {
                Ok(known) => {
                    reseal(connection, &tenant_id, &secret.name, &secret.sealed, secret.updated_at)?;
                    let Secret { created_by, created_at, .. } = known;
                    Ok((Secret { created_by, created_at, ..secret }, false))
                }
                Err(Error::NotFound) => insert(connection, &tenant_id, &secret).map(|()| (secret, true)),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn secret(&self, tenant_id: TenantId, name: String) -> Result<Secret, Error> {
        findable(&[&name])?;
        self.read(move |connection| get(connection, &tenant_id.to_string(), &name)).await
    }

    /// Those of these names that exist.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn secrets_named(&self, tenant_id: TenantId, names: Vec<String>) -> Result<Vec<Secret>, Error> {
        self.read(move |connection| {
            let tenant_id = tenant_id.to_string();
            let names = names.iter().filter(|name| is_storable(name));
            let query = own(&tenant_id).filter(secrets::name.eq_any(names));
            query.load::<Row>(connection)?.into_iter().map(Row::into_secret).collect()
        })
        .await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn secrets(&self, tenant_id: TenantId, page: PageRequest) -> Result<Page<Secret>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &page)).await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_secret(&self, tenant_id: TenantId, name: String) -> Result<(), Error> {
        findable(&[&name])?;
        self.write_counted(&self.secrets, move |connection| {
            let tenant_id = tenant_id.to_string();
            let own = secrets::tenant_id.eq(&tenant_id).and(secrets::name.eq(&name));
            match diesel::delete(secrets::table.filter(own)).execute(connection)? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Secrets of every tenant that are encrypted with another key than this one, at most `limit` of them behind `after`
    /// (tenant and name). For the rotation of keys, which belongs to no tenant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn secrets_under_other_keys(
        &self,
        key_id: String,
        after: Option<(TenantId, String)>,
        limit: u32,
    ) -> Result<Vec<Secret>, Error> {
        self.read(move |connection| {
            let mut query = secrets::table.into_boxed::<MultiBackend>().filter(secrets::key_id.ne(&key_id));
            if let Some((tenant_id, name)) = after {
                let tenant_id = tenant_id.to_string();
                let behind = secrets::tenant_id.eq(tenant_id.clone()).and(secrets::name.gt(name));
                query = query.filter(secrets::tenant_id.gt(tenant_id).or(behind));
            }
            let query = query.order((secrets::tenant_id, secrets::name)).limit(i64::from(limit));
            query.load::<Row>(connection)?.into_iter().map(Row::into_secret).collect()
        })
        .await
    }

    /// Replaces the encryption of a secret, unless it was given another value since it was read.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn reseal_secret(&self, known: Secret, sealed: Sealed) -> Result<bool, Error> {
        self.write(move |connection| {
            let tenant_id = known.tenant_id.to_string();
            match get(connection, &tenant_id, &known.name) {
                Ok(stored) if stored.sealed == known.sealed => {
                    reseal(connection, &tenant_id, &known.name, &sealed, known.updated_at).map(|()| true)
                }
                Ok(_) | Err(Error::NotFound) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// How many secrets are encrypted with which key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn secret_keys(&self) -> Result<Vec<(String, u64)>, Error> {
        self.read(|connection| {
            let query = secrets::table.group_by(secrets::key_id).select((secrets::key_id, diesel::dsl::count_star()));
            let rows = query.order(secrets::key_id).load::<(String, i64)>(connection)?;
            rows.into_iter().map(|(key_id, count)| Ok((key_id, natural("count", count)?))).collect()
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    tenant_id: String,
    name: String,
    key_id: String,
    nonce: String,
    ciphertext: String,
    created_by: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_secret(self) -> Result<Secret, Error> {
        Ok(Secret {
            tenant_id: word("tenant id", &self.tenant_id)?,
            name: self.name,
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
            sealed: Sealed { key_id: self.key_id, nonce: self.nonce, ciphertext: self.ciphertext },
        })
    }
}

fn own(tenant_id: &str) -> secrets::BoxedQuery<'_, MultiBackend> {
    secrets::table.filter(secrets::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>()
}

fn get(connection: &mut AnyConnection, tenant_id: &str, name: &str) -> Result<Secret, Error> {
    own(tenant_id).filter(secrets::name.eq(name)).first::<Row>(connection)?.into_secret()
}

fn list(connection: &mut AnyConnection, tenant_id: &str, page: &PageRequest) -> Result<Page<Secret>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => Some(natural("count", own(tenant_id).count().get_result::<i64>(connection)?)?),
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query =
        own(tenant_id).order((secrets::created_at.desc(), secrets::name.desc())).limit(limit).offset(offset);
    if let Some((at, name)) = page.after()? {
        query = query.filter(secrets::created_at.le(at)).filter(secrets::created_at.lt(at).or(secrets::name.lt(name)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_secret).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |secret| (secret.created_at.as_micros(), secret.name.clone())))
}

fn insert(connection: &mut AnyConnection, tenant_id: &str, secret: &Secret) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO secrets (tenant_id, name, key_id, nonce, ciphertext, created_by, created_at, updated_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(tenant_id),
            Bind::Text(&secret.name),
            Bind::Text(&secret.sealed.key_id),
            Bind::Text(&secret.sealed.nonce),
            Bind::Text(&secret.sealed.ciphertext),
            Bind::OptionalText(secret.created_by.as_deref()),
            Bind::Integer(secret.created_at.as_micros()),
            Bind::Integer(secret.updated_at.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}

fn reseal(
    connection: &mut AnyConnection,
    tenant_id: &str,
    name: &str,
    sealed: &Sealed,
    updated_at: Timestamp,
) -> Result<(), Error> {
    Statement::new(
        "UPDATE secrets SET key_id = ?, nonce = ?, ciphertext = ?, updated_at = ? WHERE tenant_id = ? AND name = ?",
        vec![
            Bind::Text(&sealed.key_id),
            Bind::Text(&sealed.nonce),
            Bind::Text(&sealed.ciphertext),
            Bind::Integer(updated_at.as_micros()),
            Bind::Text(tenant_id),
            Bind::Text(name),
        ],
    )
    .execute(connection)?;
    Ok(())
}
