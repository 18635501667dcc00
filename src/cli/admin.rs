//! `callboard admin`: tenants, people and keys, on the database itself. For the first minutes of an installation and for the day
//! on which nobody can sign in any more; a running service does the same over HTTP.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
use crate::clock::{self, Clock, SystemClock};
use crate::domain::{AuditEntry, Role, Scope, Scopes, Tenant, TenantId, TenantLimits, User, UserId, is_slug};
use crate::identity::{Change, Identity, NewKey, Writer, checked_email, checked_name};
use crate::startup;
use crate::store::{self, OneTimePurpose, PageRequest, Store, UserFilter};
use clap::{Args, Subcommand};
use std::sync::Arc;

/// How long a printed link is good, in seconds.
const LINK_SECONDS: u32 = 7 * 24 * 3_600;
const PAGE: u32 = 100;

/// Create tenants, people and keys, and reset passwords, on a database that no service works on
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    settings: SettingsFlags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a tenant; prints its id
    CreateTenant {
        slug: String,
        #[arg(long)]
        name: Option<String>,
    },
    /// Add a person; prints the token of a link with which they choose a password
    CreateUser {
        email: String,
        #[arg(long, default_value = "member")]
        role: Role,
        #[arg(long)]
        name: Option<String>,
        /// The slug of the tenant
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Make a key; prints it
    CreateKey {
        name: String,
        #[arg(long, default_value = "member")]
        role: Role,
        /// What it is narrowed to, as in `executions:write`; repeatable
        #[arg(long)]
        scope: Vec<Scope>,
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Print the token of a link with which somebody chooses another password
    ResetPassword {
        email: String,
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// List tenants
    ListTenants,
    /// List the people of a tenant
    ListUsers {
        #[arg(long, default_value = "default")]
        tenant: String,
    },
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    let settings = arguments.settings.load([]).map_err(|invalid| Error::invalid(invalid.to_string()));
    finish(settings.and_then(|settings| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::failure(format!("cannot start the event loop: {error}")))?;
        runtime.block_on(async {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let options = store::Options::new(settings.store.url.expose());
            let store = Store::open(&options, Arc::clone(&clock)).map_err(unopened)?;
            let options = startup::identity_options(&settings.identity);
            let identity = Identity::start(store.clone(), Arc::clone(&clock), options).map_err(failed)?;
            let done = act(&arguments.action, &store, &identity, clock.as_ref()).await;
            identity.close().await;
            store.close().await;
            done
        })
    }))
}

async fn act(action: &Action, store: &Store, identity: &Identity, clock: &dyn Clock) -> Result<Exit, Error> {
    let writer = Writer::command_line();
    match action {
        Action::CreateTenant { slug, name } => {
            if !is_slug(slug) {
                let wanted = "1 to 63 lower-case letters, digits and hyphens, no hyphen first or last";
                return Err(Error::invalid(format!("the slug '{slug}' must be {wanted}")));
            }
            let now = clock.now();
            let tenant = Tenant {
                id: TenantId(clock::new_id()),
                slug: slug.clone(),
                name: name.clone().unwrap_or_else(|| slug.clone()),
                is_active: true,
                limits: TenantLimits::default(),
                created_at: now,
                updated_at: now,
            };
            let change = Change::done("tenant_created", "tenant", tenant.id);
            let entry = writer.entry(TenantId::DEFAULT, change, now);
            print(&store.create_tenant(tenant, entry).await.map_err(failed)?.id.to_string());
        }
        Action::CreateUser { email, role, name, tenant } => {
            let (tenant, now) = (find_tenant(store, tenant).await?, clock.now());
            let email = checked_email(email).map_err(failed)?;
            let user = User {
                id: UserId(clock::new_id()),
                tenant_id: tenant.id,
                display_name: checked_name(name.as_deref().unwrap_or(&email)).map_err(failed)?,
                email,
                password_hash: None,
                role: *role,
                is_active: true,
                locale: None,
                last_sign_in_at: None,
                created_at: now,
                updated_at: now,
            };
            let entry = writer.entry(tenant.id, Change::done("user_created", "user", user.id), now);
            let user = store.create_user(user, entry).await.map_err(failed)?;
            print_link(identity, &user, OneTimePurpose::FirstSignIn, None).await?;
        }
        Action::CreateKey { name, role, scope, tenant } => {
            let tenant_id = find_tenant(store, tenant).await?.id;
            let scopes = Scopes(scope.iter().copied().collect());
            let new = NewKey { tenant_id, user_id: None, name: name.clone(), role: *role, scopes, expires_at: None };
            print(&identity.issue_key(new, &writer).await.map_err(failed)?.text);
        }
        Action::ResetPassword { email, tenant } => {
            let tenant_id = find_tenant(store, tenant).await?.id;
            let email = checked_email(email).map_err(failed)?;
            let found = store.users_by_email(Some(tenant_id), email.clone()).await.map_err(failed)?;
            let user = found.into_iter().next();
            let user = user.ok_or_else(|| Error::failure(format!("there is nobody with the address '{email}'")))?;
            let entry = writer.entry(tenant_id, Change::done("password_reset_issued", "user", user.id), clock.now());
            print_link(identity, &user, OneTimePurpose::PasswordReset, Some(entry)).await?;
        }
        Action::ListTenants => list_tenants(store).await?,
        Action::ListUsers { tenant } => list_users(store, tenant).await?,
    }
    Ok(Exit::Success)
}

async fn list_tenants(store: &Store) -> Result<(), Error> {
    let mut cursor = None;
    loop {
        let page = store.tenants(None, PageRequest::Cursor { cursor, limit: PAGE }).await.map_err(failed)?;
        for tenant in page.items {
            let state = if tenant.is_active { "active" } else { "inactive" };
            print(&format!("{}  {:<8}  {}  {}", tenant.id, state, tenant.slug, tenant.name));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn list_users(store: &Store, tenant: &str) -> Result<(), Error> {
    let tenant_id = find_tenant(store, tenant).await?.id;
    let mut cursor = None;
    loop {
        let page = PageRequest::Cursor { cursor, limit: PAGE };
        let page = store.users(tenant_id, UserFilter::default(), page).await.map_err(failed)?;
        for user in page.items {
            let state = if user.is_active { "active" } else { "inactive" };
            print(&format!("{}  {:<8}  {:<8}  {}  {}", user.id, user.role, state, user.email, user.display_name));
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

async fn print_link(
    identity: &Identity,
    user: &User,
    purpose: OneTimePurpose,
    entry: Option<AuditEntry>,
) -> Result<(), Error> {
    let (token, _) = identity.one_time_token(user, purpose, LINK_SECONDS, entry).await.map_err(failed)?;
    print(&format!("/sign-in?token={token}"));
    super::terminal::tell("behind the address of the service this is a link; it is good once, for a week");
    Ok(())
}

async fn find_tenant(store: &Store, slug: &str) -> Result<Tenant, Error> {
    match store.tenant_by_slug(slug.to_owned()).await {
        Ok(tenant) => Ok(tenant),
        Err(store::Error::NotFound) => Err(Error::failure(format!("there is no tenant '{slug}'"))),
        Err(error) => Err(failed(error)),
    }
}

fn unopened(error: store::Error) -> Error {
    if let store::Error::Occupied { message } = error {
        return Error::failure(format!(
            "{message}\n  While the service runs, tenants, people and keys are made over HTTP: /api/v1/tenants, /users, /api-keys."
        ));
    }
    Error { exit: Exit::Unreachable, text: error.to_string() }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::failure(error.to_string())
}
