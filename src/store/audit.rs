//! The audit: who wrote what. Entries are only ever added.

use super::column_types::{natural, optional_word, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Page, PageRequest};
use super::schema::audit_entries;
use super::statement::{Bind, Statement};
use super::{Error, Store, tenants};
use crate::domain::{AuditEntry, TenantId, Timestamp};
use diesel::prelude::*;
use uuid::Uuid;

/// Which entries a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditFilter {
    pub actor_id: Option<Uuid>,
    pub action: Option<String>,
    pub target_kind: Option<String>,
    pub target_id: Option<String>,
    pub provider: Option<String>,
    /// Exclusive.
    pub after: Option<Timestamp>,
    /// Exclusive.
    pub before: Option<Timestamp>,
}

impl Store {
    /// Adds entries about what is no write of this store, or is about to begin. Those of a tenant that is gone are left out.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn record_audit(&self, entries: Vec<AuditEntry>) -> Result<(), Error> {
        self.write(move |connection| {
            for entry in &entries {
                if !is_gone(connection, entry.tenant_id)? {
                    add(connection, entry)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn audit_entries(
        &self,
        tenant_id: TenantId,
        filter: AuditFilter,
        page: PageRequest,
    ) -> Result<Page<AuditEntry>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    actor_kind: Option<String>,
    actor_id: Option<String>,
    actor_name: String,
    action: String,
    target_kind: String,
    target_id: String,
    request_id: Option<String>,
    before_digest: Option<String>,
    after_digest: Option<String>,
    at: i64,
    address: Option<String>,
    provider: Option<String>,
}

impl Row {
    fn into_entry(self) -> Result<AuditEntry, Error> {
        Ok(AuditEntry {
            id: word("audit id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            actor_kind: optional_word("kind of principal", self.actor_kind.as_deref())?,
            actor_id: optional_word("principal", self.actor_id.as_deref())?,
            actor_name: self.actor_name,
            action: self.action,
            target_kind: self.target_kind,
            target_id: self.target_id,
            request_id: self.request_id,
            before_digest: self.before_digest,
            after_digest: self.after_digest,
            at: Timestamp::from_micros(self.at),
            address: optional_word("address", self.address.as_deref())?,
            provider: self.provider,
        })
    }
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &AuditFilter,
    page: &PageRequest,
) -> Result<Page<AuditEntry>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            Some(natural("count", filtered(tenant_id, filter).count().get_result::<i64>(connection)?)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query = filtered(tenant_id, filter)
        .order((audit_entries::at.desc(), audit_entries::id.desc()))
        .limit(limit)
        .offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query.filter(audit_entries::at.le(at)).filter(audit_entries::at.lt(at).or(audit_entries::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_entry).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |entry| (entry.at.as_micros(), entry.id.to_string())))
}

fn filtered<'a>(tenant_id: &'a str, filter: &'a AuditFilter) -> audit_entries::BoxedQuery<'a, MultiBackend> {
    let AuditFilter { actor_id, action, target_kind, target_id, provider, after, before } = filter;
    let mut query = audit_entries::table.filter(audit_entries::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
    if let Some(actor_id) = actor_id {
        query = query.filter(audit_entries::actor_id.eq(actor_id.to_string()));
    }
    if let Some(action) = action {
        query = query.filter(audit_entries::action.eq(action));
    }
    if let Some(target_kind) = target_kind {
        query = query.filter(audit_entries::target_kind.eq(target_kind));
    }
    if let Some(target_id) = target_id {
        query = query.filter(audit_entries::target_id.eq(target_id));
    }
    if let Some(provider) = provider {
        query = query.filter(audit_entries::provider.eq(provider));
    }
    if let Some(after) = after {
        query = query.filter(audit_entries::at.gt(after.as_micros()));
    }
    if let Some(before) = before {
        query = query.filter(audit_entries::at.lt(before.as_micros()));
    }
    query
}

/// Adds an entry in the transaction of the write that it is about. That is refused with it when the tenant is gone or going:
/// a request may take longer than the deletion of its tenant, which leaves nothing behind.
///
/// # Errors
/// [`Error::TenantGone`] then.
pub(super) fn insert(connection: &mut AnyConnection, entry: &AuditEntry) -> Result<(), Error> {
    if is_gone(connection, entry.tenant_id)? {
        return Err(Error::TenantGone);
    }
    add(connection, entry)
}

fn is_gone(connection: &mut AnyConnection, tenant_id: TenantId) -> Result<bool, Error> {
    let id = tenant_id.to_string();
    Ok(tenants::is_missing(connection, &id)? || tenants::is_departing(connection, &id)?)
}

/// Adds an entry together with what its execution appends: executions of a tenant that goes are cancelled and deleted first.
pub(super) fn add(connection: &mut AnyConnection, entry: &AuditEntry) -> Result<(), Error> {
    let (id, tenant_id) = (entry.id.to_string(), entry.tenant_id.to_string());
    let actor_id = entry.actor_id.map(|id| id.to_string());
    let address = entry.address.map(|address| address.to_string());
    Statement::new(
        "INSERT INTO audit_entries (id, tenant_id, actor_kind, actor_id, actor_name, action, target_kind, target_id, \
         request_id, before_digest, after_digest, at, address, provider) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::OptionalText(entry.actor_kind.map(|kind| kind.as_str())),
            Bind::OptionalText(actor_id.as_deref()),
            Bind::Text(&entry.actor_name),
            Bind::Text(&entry.action),
            Bind::Text(&entry.target_kind),
            Bind::Text(&entry.target_id),
            Bind::OptionalText(entry.request_id.as_deref()),
            Bind::OptionalText(entry.before_digest.as_deref()),
            Bind::OptionalText(entry.after_digest.as_deref()),
            Bind::Integer(entry.at.as_micros()),
            Bind::OptionalText(address.as_deref()),
            Bind::OptionalText(entry.provider.as_deref()),
        ],
    )
    .execute(connection)?;
    Ok(())
}
