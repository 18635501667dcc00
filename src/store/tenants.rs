//! Tenants: the customers of the installation.

use super::audit;
use super::column_types::{integer, natural, word};
use super::connection::{AnyConnection, MultiBackend};
use super::merge::merge;
use super::page::{Page, PageRequest};
use super::schema::{tenant_removals, tenants};
use super::statement::{Bind, Statement, findable};
use super::{Error, Store, users};
use crate::domain::{AuditEntry, Tenant, TenantId, TenantLimits, Timestamp};
use diesel::prelude::*;

impl Store {
    /// Adds a tenant.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the slug is taken.
    pub async fn create_tenant(&self, tenant: Tenant, entry: AuditEntry) -> Result<Tenant, Error> {
        self.write(move |connection| {
            refuse_taken(connection, &tenant)?;
            insert(connection, &tenant)?;
            audit::insert(connection, &entry)?;
            Ok(tenant)
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tenant(&self, id: TenantId) -> Result<Tenant, Error> {
        self.read(move |connection| get(connection, &id.to_string())).await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn tenant_by_slug(&self, slug: String) -> Result<Tenant, Error> {
        findable(&[&slug])?;
        self.read(move |connection| {
            tenants::table.filter(tenants::slug.eq(slug)).first::<Row>(connection)?.into_tenant()
        })
        .await
    }

    /// Newest first; only the one with this id when one is given.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn tenants(&self, only: Option<TenantId>, page: PageRequest) -> Result<Page<Tenant>, Error> {
        self.read(move |connection| list(connection, only, &page)).await
    }

    /// Writes what differs between a tenant as it was read and as it should be: slug, name, limits, whether it is active. The
    /// rest stays as it is by now.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a taken slug; [`Error::Obstacle`] for what somebody else has changed since
    /// it was read, for one that is being deleted, or when no active operator would be left.
    pub async fn update_tenant(&self, known: Tenant, wanted: Tenant, entry: AuditEntry) -> Result<Tenant, Error> {
        self.write_people(move |connection| {
            let current = get(connection, &wanted.id.to_string())?;
            let was_active = current.is_active;
            let tenant = merged(known, wanted, current)?;
            if tenant.is_active && !was_active {
                refuse_departing(connection, tenant.id)?;
            }
            refuse_taken(connection, &tenant)?;
            update(connection, &tenant)?;
            if was_active && !tenant.is_active && users::active_operators(connection, Some(tenant.id))? {
                users::keep_an_operator(connection)?;
            }
            audit::insert(connection, &entry)?;
            Ok(tenant)
        })
        .await
    }
}

/// Adds the tenant that every installation has, when it is not there yet.
pub(super) fn seed(connection: &mut AnyConnection, now: Timestamp) -> Result<(), Error> {
    let id = TenantId::DEFAULT;
    if tenants::table.find(id.to_string()).select(tenants::id).first::<String>(connection).optional()?.is_some() {
        return Ok(());
    }
    let limits = TenantLimits::default();
    let (slug, name) = ("default".to_owned(), "Default".to_owned());
    insert(connection, &Tenant { id, slug, name, is_active: true, limits, created_at: now, updated_at: now })
}

#[derive(Queryable)]
struct Row {
    id: String,
    slug: String,
    name: String,
    is_active: bool,
    max_running_executions: Option<i64>,
    max_queued_executions: Option<i64>,
    /// There are no projects yet.
    _max_projects: Option<i64>,
    max_tokens_per_month: Option<i64>,
    max_cost_per_month: Option<f64>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_tenant(self) -> Result<Tenant, Error> {
        let limit = |number: Option<i64>| number.map(|number| natural("limit", number)).transpose();
        Ok(Tenant {
            id: word("tenant id", &self.id)?,
            slug: self.slug,
            name: self.name,
            is_active: self.is_active,
            limits: TenantLimits {
                max_running_executions: limit(self.max_running_executions)?,
                max_queued_executions: limit(self.max_queued_executions)?,
                max_tokens_per_month: limit(self.max_tokens_per_month)?,
                max_cost_per_month: self.max_cost_per_month,
            },
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

fn get(connection: &mut AnyConnection, id: &str) -> Result<Tenant, Error> {
    tenants::table.find(id).first::<Row>(connection)?.into_tenant()
}

fn list(connection: &mut AnyConnection, only: Option<TenantId>, page: &PageRequest) -> Result<Page<Tenant>, Error> {
    let only = only.map(|id| id.to_string());
    let visible = || {
        let query = tenants::table.into_boxed::<MultiBackend>();
        match &only {
            Some(id) => query.filter(tenants::id.eq(id)),
            None => query,
        }
    };
    let total = match page {
        PageRequest::Numbered { .. } => Some(natural("count", visible().count().get_result::<i64>(connection)?)?),
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query = visible().order((tenants::created_at.desc(), tenants::id.desc())).limit(limit).offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query.filter(tenants::created_at.le(at)).filter(tenants::created_at.lt(at).or(tenants::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_tenant).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |tenant| (tenant.created_at.as_micros(), tenant.id.to_string())))
}

fn refuse_taken(connection: &mut AnyConnection, tenant: &Tenant) -> Result<(), Error> {
    let taken = tenants::table.filter(tenants::slug.eq(&tenant.slug)).filter(tenants::id.ne(tenant.id.to_string()));
    if taken.select(tenants::id).first::<String>(connection).optional()?.is_some() {
        return Err(Error::Conflict { message: format!("there is a tenant '{}' already", tenant.slug) });
    }
    Ok(())
}

/// A tenant as somebody wants it who has read it earlier.
fn merged(known: Tenant, wanted: Tenant, current: Tenant) -> Result<Tenant, Error> {
    Ok(Tenant {
        slug: merge(known.slug, wanted.slug, current.slug)?,
        name: merge(known.name, wanted.name, current.name)?,
        is_active: merge(known.is_active, wanted.is_active, current.is_active)?,
        limits: merge(known.limits, wanted.limits, current.limits)?,
        id: current.id,
        created_at: current.created_at,
        updated_at: wanted.updated_at.max(current.updated_at),
    })
}

fn refuse_departing(connection: &mut AnyConnection, id: TenantId) -> Result<(), Error> {
    if is_departing(connection, &id.to_string())? {
        return Err(Error::Obstacle { message: "the tenant is being deleted".to_owned() });
    }
    Ok(())
}

/// Whether a tenant is being deleted.
pub(super) fn is_departing(connection: &mut AnyConnection, id: &str) -> Result<bool, Error> {
    let removal = tenant_removals::table.find(id).select(tenant_removals::tenant_id);
    Ok(removal.first::<String>(connection).optional()?.is_some())
}

fn limits(limits: &TenantLimits) -> [Bind<'static>; 4] {
    let number = |limit: Option<u64>| Bind::OptionalInteger(limit.map(integer));
    [
        number(limits.max_running_executions),
        number(limits.max_queued_executions),
        number(limits.max_tokens_per_month),
        Bind::OptionalDouble(limits.max_cost_per_month),
    ]
}

fn insert(connection: &mut AnyConnection, tenant: &Tenant) -> Result<(), Error> {
    let id = tenant.id.to_string();
    let mut binds =
        vec![Bind::Text(&id), Bind::Text(&tenant.slug), Bind::Text(&tenant.name), Bind::Bool(tenant.is_active)];
    binds.extend(limits(&tenant.limits));
    binds.extend([Bind::Integer(tenant.created_at.as_micros()), Bind::Integer(tenant.updated_at.as_micros())]);
    Statement::new(
        "INSERT INTO tenants (id, slug, name, is_active, max_running_executions, max_queued_executions, \
         max_tokens_per_month, max_cost_per_month, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        binds,
    )
    .execute(connection)?;
    Ok(())
}

fn update(connection: &mut AnyConnection, tenant: &Tenant) -> Result<(), Error> {
    let id = tenant.id.to_string();
    let mut binds = vec![Bind::Text(&tenant.slug), Bind::Text(&tenant.name), Bind::Bool(tenant.is_active)];
    binds.extend(limits(&tenant.limits));
    binds.extend([Bind::Integer(tenant.updated_at.as_micros()), Bind::Text(&id)]);
    Statement::new(
        "UPDATE tenants SET slug = ?, name = ?, is_active = ?, max_running_executions = ?, max_queued_executions = ?, \
         max_tokens_per_month = ?, max_cost_per_month = ?, updated_at = ? WHERE id = ?",
        binds,
    )
    .execute(connection)?;
    Ok(())
}

/// Whether there is no tenant with this id.
pub(super) fn is_missing(connection: &mut AnyConnection, id: &str) -> Result<bool, Error> {
    Ok(tenants::table.find(id).select(tenants::id).first::<String>(connection).optional()?.is_none())
}
