//! People.

use super::audit;
use super::column_types::{natural, word};
use super::connection::{AnyConnection, MultiBackend};
use super::merge::merge;
use super::page::{Page, PageRequest};
use super::schema::{sessions, tenants, users};
use super::sessions::{OneTimeToken, keep_one_time_token};
use super::statement::{Bind, Statement, is_storable};
use super::text_search::{contains_pattern, lower};
use super::{Error, Store, sessions as open_sessions};
use crate::domain::{AuditEntry, Role, TenantId, Timestamp, User, UserId};
use diesel::prelude::*;

/// Which people a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserFilter {
    pub id: Option<UserId>,
    pub role: Option<Role>,
    pub is_active: Option<bool>,
    /// Contained in e-mail address or name, without regard to case.
    pub text: Option<String>,
}

impl Store {
    /// Adds a person.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the address is taken in the tenant; [`Error::NotFound`] when there is no such tenant.
    pub async fn create_user(&self, user: User, entry: AuditEntry) -> Result<User, Error> {
        self.create_invited_user(user, None, entry).await
    }

    /// Adds a person together with the one-time token of their first sign-in.
    ///
    /// # Errors
    /// As [`Store::create_user`].
    pub async fn create_invited_user(
        &self,
        user: User,
        token: Option<OneTimeToken>,
        entry: AuditEntry,
    ) -> Result<User, Error> {
        self.write(move |connection| {
            add(connection, &user)?;
            if let Some(token) = token {
                keep_one_time_token(connection, user.tenant_id, user.id, &token)?;
            }
            audit::insert(connection, &entry)?;
            Ok(user)
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user(&self, tenant_id: TenantId, id: UserId) -> Result<User, Error> {
        self.read(move |connection| get(connection, &tenant_id.to_string(), &id.to_string())).await
    }

    /// Everybody with an address, in one tenant or in all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn users_by_email(&self, tenant_id: Option<TenantId>, email: String) -> Result<Vec<User>, Error> {
        if !is_storable(&email) {
            return Ok(Vec::new());
        }
        self.read(move |connection| {
            let mut query = users::table.filter(users::email.eq(email)).into_boxed::<MultiBackend>();
            if let Some(tenant_id) = tenant_id {
                query = query.filter(users::tenant_id.eq(tenant_id.to_string()));
            }
            query.load::<Row>(connection)?.into_iter().map(Row::into_user).collect()
        })
        .await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn users(&self, tenant_id: TenantId, filter: UserFilter, page: PageRequest) -> Result<Page<User>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// The operators of the installation, oldest first, whether they are active or not.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn operators(&self) -> Result<Vec<User>, Error> {
        self.read(|connection| {
            let query = users::table.filter(users::role.eq(Role::Operator.as_str())).order(users::created_at);
            query.load::<Row>(connection)?.into_iter().map(Row::into_user).collect()
        })
        .await
    }

    /// Writes what differs between a person as they were read and as they should be; the rest stays as it is by now. Whoever
    /// gets another password or is made inactive is signed out everywhere; links given out to whoever gets a higher role are void.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a taken address; [`Error::Obstacle`] for what somebody else has changed
    /// since it was read, or when no active operator would be left.
    pub async fn update_user(&self, known: User, wanted: User, entry: AuditEntry) -> Result<User, Error> {
        self.write_people(move |connection| {
            let current = get(connection, &wanted.tenant_id.to_string(), &wanted.id.to_string())?;
            let had_password = current.password_hash.clone();
            let (role, was_active) = (current.role, current.is_active);
            let user = merged(known, wanted, current)?;
            refuse_taken(connection, &user)?;
            update(connection, &user)?;
            if had_password != user.password_hash || !user.is_active {
                revoke_sessions(connection, user.id, user.updated_at)?;
            }
            if user.role > role {
                // A link was given out by somebody who could make less of them.
                open_sessions::forget_one_time_tokens(connection, user.id)?;
            }
            if role == Role::Operator && was_active {
                keep_an_operator(connection)?;
            }
            audit::insert(connection, &entry)?;
            Ok(user)
        })
        .await
    }

    /// Removes a person with their keys, sessions and saved views. Their executions stay.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Obstacle`] when no active operator would be left.
    pub async fn delete_user(&self, tenant_id: TenantId, id: UserId, entry: AuditEntry) -> Result<(), Error> {
        self.write_people(move |connection| {
            let known = get(connection, &tenant_id.to_string(), &id.to_string())?;
            diesel::delete(users::table.find(id.to_string())).execute(connection)?;
            if known.role == Role::Operator && known.is_active {
                keep_an_operator(connection)?;
            }
            audit::insert(connection, &entry)
        })
        .await
    }

    /// Notes that a person has signed in.
    pub(super) fn note_sign_in(connection: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<(), Error> {
        let changed = diesel::update(users::table.find(id.to_string()));
        changed.set(users::last_sign_in_at.eq(now.as_micros())).execute(connection)?;
        Ok(())
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    email: String,
    display_name: String,
    password_hash: Option<String>,
    role: String,
    is_active: bool,
    locale: Option<String>,
    last_sign_in_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_user(self) -> Result<User, Error> {
        Ok(User {
            id: word("user id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            email: self.email,
            display_name: self.display_name,
            password_hash: self.password_hash,
            role: word("role", &self.role)?,
            is_active: self.is_active,
            locale: self.locale,
            last_sign_in_at: self.last_sign_in_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

pub(super) fn get(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<User, Error> {
    let own = users::tenant_id.eq(tenant_id).and(users::id.eq(id));
    users::table.filter(own).first::<Row>(connection)?.into_user()
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &UserFilter,
    page: &PageRequest,
) -> Result<Page<User>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            Some(natural("count", filtered(tenant_id, filter).count().get_result::<i64>(connection)?)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query =
        filtered(tenant_id, filter).order((users::created_at.desc(), users::id.desc())).limit(limit).offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query.filter(users::created_at.le(at)).filter(users::created_at.lt(at).or(users::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_user).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |user| (user.created_at.as_micros(), user.id.to_string())))
}

fn filtered<'a>(tenant_id: &'a str, filter: &'a UserFilter) -> users::BoxedQuery<'a, MultiBackend> {
    let mut query = users::table.filter(users::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
    if let Some(id) = filter.id {
        query = query.filter(users::id.eq(id.to_string()));
    }
    if let Some(role) = filter.role {
        query = query.filter(users::role.eq(role.as_str()));
    }
    if let Some(is_active) = filter.is_active {
        query = query.filter(users::is_active.eq(is_active));
    }
    if let Some(text) = &filter.text {
        let pattern = contains_pattern(text);
        let in_name = lower(users::display_name).like(pattern.clone()).escape('\\');
        query = query.filter(lower(users::email).like(pattern).escape('\\').or(in_name));
    }
    query
}

pub(super) fn refuse_taken(connection: &mut AnyConnection, user: &User) -> Result<(), Error> {
    let tenant_id = user.tenant_id.to_string();
    if super::tenants::is_missing(connection, &tenant_id)? {
        return Err(Error::NotFound);
    }
    let taken = users::tenant_id.eq(tenant_id).and(users::email.eq(&user.email));
    let taken = users::table.filter(taken.and(users::id.ne(user.id.to_string())));
    if taken.select(users::id).first::<String>(connection).optional()?.is_some() {
        return Err(Error::Conflict {
            message: format!("there is somebody with the address '{}' already", user.email),
        });
    }
    Ok(())
}

/// A person as somebody wants them who has read them earlier.
pub(super) fn merged(known: User, wanted: User, current: User) -> Result<User, Error> {
    let (before, after) = (known.password_hash, wanted.password_hash);
    Ok(User {
        email: merge(known.email, wanted.email, current.email)?,
        display_name: merge(known.display_name, wanted.display_name, current.display_name)?,
        password_hash: merge(before, after, current.password_hash)?,
        role: merge(known.role, wanted.role, current.role)?,
        is_active: merge(known.is_active, wanted.is_active, current.is_active)?,
        locale: merge(known.locale, wanted.locale, current.locale)?,
        id: current.id,
        tenant_id: current.tenant_id,
        last_sign_in_at: current.last_sign_in_at,
        created_at: current.created_at,
        updated_at: wanted.updated_at.max(current.updated_at),
    })
}

/// Refuses a change after which there is no operator who can come in: nobody could undo it.
pub(super) fn keep_an_operator(connection: &mut AnyConnection) -> Result<(), Error> {
    if active_operators(connection, None)? {
        return Ok(());
    }
    Err(Error::Obstacle { message: "the last active operator cannot be removed".to_owned() })
}

/// Whether there are operators who can come in: anywhere, or of one tenant if it were open.
pub(super) fn active_operators(connection: &mut AnyConnection, tenant_id: Option<TenantId>) -> Result<bool, Error> {
    let operators = users::role.eq(Role::Operator.as_str()).and(users::is_active.eq(true));
    let homes = users::table.filter(operators).select(users::tenant_id).distinct().load::<String>(connection)?;
    if let Some(tenant_id) = tenant_id {
        return Ok(homes.contains(&tenant_id.to_string()));
    }
    let open = tenants::table.filter(tenants::id.eq_any(homes).and(tenants::is_active.eq(true)));
    Ok(open.select(tenants::id).first::<String>(connection).optional()?.is_some())
}

pub(super) fn revoke_sessions(connection: &mut AnyConnection, id: UserId, now: Timestamp) -> Result<(), Error> {
    let open = sessions::user_id.eq(id.to_string()).and(sessions::revoked_at.is_null());
    let revoked = diesel::update(sessions::table.filter(open));
    revoked.set(sessions::revoked_at.eq(now.as_micros())).execute(connection)?;
    Ok(())
}

/// Adds a person.
pub(super) fn add(connection: &mut AnyConnection, user: &User) -> Result<(), Error> {
    refuse_taken(connection, user)?;
    let (id, tenant_id) = (user.id.to_string(), user.tenant_id.to_string());
    Statement::new(
        "INSERT INTO users (id, tenant_id, email, display_name, password_hash, role, is_active, locale, \
         last_sign_in_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::Text(&user.email),
            Bind::Text(&user.display_name),
            Bind::OptionalText(user.password_hash.as_deref()),
            Bind::Text(user.role.as_str()),
            Bind::Bool(user.is_active),
            Bind::OptionalText(user.locale.as_deref()),
            Bind::OptionalInteger(user.last_sign_in_at.map(Timestamp::as_micros)),
            Bind::Integer(user.created_at.as_micros()),
            Bind::Integer(user.updated_at.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}

pub(super) fn update(connection: &mut AnyConnection, user: &User) -> Result<(), Error> {
    let (id, tenant_id) = (user.id.to_string(), user.tenant_id.to_string());
    Statement::new(
        "UPDATE users SET email = ?, display_name = ?, password_hash = ?, role = ?, is_active = ?, locale = ?, \
         updated_at = ? WHERE id = ? AND tenant_id = ?",
        vec![
            Bind::Text(&user.email),
            Bind::Text(&user.display_name),
            Bind::OptionalText(user.password_hash.as_deref()),
            Bind::Text(user.role.as_str()),
            Bind::Bool(user.is_active),
            Bind::OptionalText(user.locale.as_deref()),
            Bind::Integer(user.updated_at.as_micros()),
            Bind::Text(&id),
            Bind::Text(&tenant_id),
        ],
    )
    .execute(connection)?;
    Ok(())
}
