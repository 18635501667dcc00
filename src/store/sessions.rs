//! Sign-ins, their refresh tokens, and one-time tokens. Tokens are kept as digests only.

use super::audit;
use super::column_types::word;
use super::connection::AnyConnection;
use super::schema::{one_time_tokens, refresh_tokens, sessions};
use super::statement::{Bind, Statement};
use super::{Error, Store, users};
use crate::domain::{AuditEntry, SessionId, TenantId, Timestamp, User, UserId};
use diesel::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One sign-in of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub tenant_id: TenantId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

/// What became of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; the new one stands for it from now on.
    Rotated(Session),
    /// It was used before, so somebody has stolen it: its session has been revoked.
    Reused(Session),
    /// It is unknown, or its session has ended.
    Invalid,
}

/// What a one-time token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneTimePurpose {
    /// The first sign-in of somebody who has no password yet.
    FirstSignIn,
    /// A new password for somebody who has forgotten theirs.
    PasswordReset,
}

impl OneTimePurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::FirstSignIn => "first_sign_in",
            Self::PasswordReset => "password_reset",
        }
    }
}

/// A one-time token, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub purpose: OneTimePurpose,
    /// The digest of its text.
    pub hash: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Store {
    /// Adds a sign-in of somebody, as they were when they showed who they are, with its first refresh token. Sessions that
    /// ended long ago are removed on the way.
    ///
    /// # Errors
    /// [`Error::NotFound`] when they are not there any more, not active, or have another password by now.
    pub async fn open_session(
        &self,
        user: User,
        session: Session,
        token_hash: String,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            let current = users::get(connection, &user.tenant_id.to_string(), &user.id.to_string())?;
            if !current.is_active || current.password_hash != user.password_hash {
                return Err(Error::NotFound);
            }
            open(connection, &session, &token_hash, &entry)
        })
        .await
    }

    /// Uses a refresh token up and puts another in its place. One that was used less than `grace_us` ago gets a further
    /// one: two windows of a browser may refresh at the same time. Later than that its session ends, and the audit gets the
    /// entry that `reuse` makes.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn rotate_refresh_token(
        &self,
        token_hash: String,
        new_hash: String,
        now: Timestamp,
        grace_us: i64,
        reuse: impl FnOnce(&Session) -> AuditEntry + Send + 'static,
    ) -> Result<Rotation, Error> {
        let (people, was_reused) = (Arc::clone(&self.people), Arc::new(AtomicBool::new(false)));
        let noted = Arc::clone(&was_reused);
        let work = move |connection: &mut AnyConnection| {
            let rotation = rotate(connection, &token_hash, &new_hash, now, grace_us)?;
            if let Rotation::Reused(session) = &rotation {
                audit::insert(connection, &reuse(session))?;
                noted.store(true, Ordering::Release);
            }
            Ok(rotation)
        };
        let count = move || {
            // Refreshing happens all the time and changes nobody; the end of a session does.
            if was_reused.load(Ordering::Acquire) {
                people.fetch_add(1, Ordering::AcqRel);
            }
        };
        self.writer.run_then(work, count).await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn session(&self, id: SessionId) -> Result<Session, Error> {
        self.read(move |connection| sessions::table.find(id.to_string()).first::<Row>(connection)?.into_session()).await
    }

    /// The session that a refresh token belongs to.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn session_of_refresh_token(&self, token_hash: String) -> Result<Session, Error> {
        self.read(move |connection| {
            let id = refresh_tokens::table.find(token_hash).select(refresh_tokens::session_id);
            let id = id.first::<String>(connection)?;
            sessions::table.find(id).first::<Row>(connection)?.into_session()
        })
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn revoke_session(&self, id: SessionId, entry: AuditEntry) -> Result<(), Error> {
        self.write_people(move |connection| {
            revoke(connection, &id.to_string(), entry.at)?;
            audit::insert(connection, &entry)
        })
        .await
    }

    /// Keeps a one-time token; earlier ones of the same person and purpose are void.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put_one_time_token(&self, user: &User, token: OneTimeToken) -> Result<(), Error> {
        let (user_id, tenant_id) = (user.id, user.tenant_id);
        self.write(move |connection| keep_one_time_token(connection, tenant_id, user_id, &token)).await
    }

    /// The person that a one-time token is for, as long as it is good. It stays good.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn user_of_one_time_token(&self, token_hash: String, now: Timestamp) -> Result<User, Error> {
        self.read(move |connection| owner(connection, &token_hash, now)).await
    }

    /// Uses a one-time token up: what differs between the person as they were read and as they should be is written, and
    /// they are signed out everywhere and signed in anew.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the token is not good (any more) or is for somebody else, or the person is not active;
    /// [`Error::Conflict`] when the address is taken; [`Error::Obstacle`] when somebody else has changed the same meanwhile.
    pub async fn redeem_one_time_token(
        &self,
        token_hash: String,
        (known, wanted): (User, User),
        session: Session,
        refresh_hash: String,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write_people(move |connection| {
            let current = owner(connection, &token_hash, entry.at)?;
            if !current.is_active || current.id != wanted.id || current.tenant_id != wanted.tenant_id {
                return Err(Error::NotFound);
            }
            let user = users::merged(known, wanted, current)?;
            users::refuse_taken(connection, &user)?;
            users::update(connection, &user)?;
            users::revoke_sessions(connection, user.id, entry.at)?;
            forget_one_time_tokens(connection, user.id)?;
            open(connection, &session, &refresh_hash, &entry)
        })
        .await
    }
}

/// Makes the links that somebody was given worthless.
pub(super) fn forget_one_time_tokens(connection: &mut AnyConnection, id: UserId) -> Result<(), Error> {
    let all = one_time_tokens::user_id.eq(id.to_string());
    diesel::delete(one_time_tokens::table.filter(all)).execute(connection)?;
    Ok(())
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    user_id: String,
    created_at: i64,
    expires_at: i64,
    revoked_at: Option<i64>,
}

impl Row {
    fn into_session(self) -> Result<Session, Error> {
        Ok(Session {
            id: word("session id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            user_id: word("user id", &self.user_id)?,
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: Timestamp::from_micros(self.expires_at),
            revoked_at: self.revoked_at.map(Timestamp::from_micros),
        })
    }
}

/// Keeps a one-time token of somebody, in the place of those that were for the same.
pub(super) fn keep_one_time_token(
    connection: &mut AnyConnection,
    tenant_id: TenantId,
    user_id: UserId,
    token: &OneTimeToken,
) -> Result<(), Error> {
    let OneTimeToken { purpose, hash, created_at, expires_at } = token;
    let (tenant_id, user_id) = (tenant_id.to_string(), user_id.to_string());
    let earlier = one_time_tokens::user_id.eq(&user_id).and(one_time_tokens::purpose.eq(purpose.as_str()));
    diesel::delete(one_time_tokens::table.filter(earlier)).execute(connection)?;
    Statement::new(
        "INSERT INTO one_time_tokens (token_hash, tenant_id, user_id, purpose, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(hash),
            Bind::Text(&tenant_id),
            Bind::Text(&user_id),
            Bind::Text(purpose.as_str()),
            Bind::Integer(created_at.as_micros()),
            Bind::Integer(expires_at.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}

fn owner(connection: &mut AnyConnection, token_hash: &str, now: Timestamp) -> Result<User, Error> {
    let good = one_time_tokens::token_hash.eq(token_hash).and(one_time_tokens::expires_at.gt(now.as_micros()));
    let columns = (one_time_tokens::tenant_id, one_time_tokens::user_id);
    let (tenant_id, user_id) =
        one_time_tokens::table.filter(good).select(columns).first::<(String, String)>(connection)?;
    users::get(connection, &tenant_id, &user_id)
}

fn open(connection: &mut AnyConnection, session: &Session, token_hash: &str, entry: &AuditEntry) -> Result<(), Error> {
    let now = session.created_at;
    // Their refresh tokens go with them.
    diesel::delete(sessions::table.filter(sessions::expires_at.lt(now.as_micros()))).execute(connection)?;
    let (id, tenant_id) = (session.id.to_string(), session.tenant_id.to_string());
    let user_id = session.user_id.to_string();
    Statement::new(
        "INSERT INTO sessions (id, tenant_id, user_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::Text(&user_id),
            Bind::Integer(now.as_micros()),
            Bind::Integer(session.expires_at.as_micros()),
        ],
    )
    .execute(connection)?;
    add_token(connection, token_hash, &id, now)?;
    Store::note_sign_in(connection, session.user_id, now)?;
    audit::insert(connection, entry)
}

fn rotate(
    connection: &mut AnyConnection,
    token_hash: &str,
    new_hash: &str,
    now: Timestamp,
    grace_us: i64,
) -> Result<Rotation, Error> {
    let columns = (refresh_tokens::session_id, refresh_tokens::used_at);
    let known = refresh_tokens::table.find(token_hash).select(columns);
    let Some((session_id, used_at)) = known.first::<(String, Option<i64>)>(connection).optional()? else {
        return Ok(Rotation::Invalid);
    };
    let session = sessions::table.find(&session_id).first::<Row>(connection)?.into_session()?;
    if session.revoked_at.is_some() || session.expires_at <= now {
        return Ok(Rotation::Invalid);
    }
    match used_at {
        Some(used_at) if now.as_micros().saturating_sub(used_at) > grace_us => {
            revoke(connection, &session_id, now)?;
            return Ok(Rotation::Reused(Session { revoked_at: Some(now), ..session }));
        }
        Some(_) => {}
        None => {
            diesel::update(refresh_tokens::table.find(token_hash))
                .set(refresh_tokens::used_at.eq(now.as_micros()))
                .execute(connection)?;
        }
    }
    add_token(connection, new_hash, &session_id, now)?;
    Ok(Rotation::Rotated(session))
}

fn add_token(connection: &mut AnyConnection, hash: &str, session_id: &str, now: Timestamp) -> Result<(), Error> {
    Statement::new(
        "INSERT INTO refresh_tokens (token_hash, session_id, created_at) VALUES (?, ?, ?)",
        vec![Bind::Text(hash), Bind::Text(session_id), Bind::Integer(now.as_micros())],
    )
    .execute(connection)?;
    Ok(())
}

fn revoke(connection: &mut AnyConnection, id: &str, now: Timestamp) -> Result<(), Error> {
    let open = sessions::id.eq(id).and(sessions::revoked_at.is_null());
    diesel::update(sessions::table.filter(open)).set(sessions::revoked_at.eq(now.as_micros())).execute(connection)?;
    Ok(())
}
