//! Who somebody is at a provider of sign-ins. One identity there is one person here.

use super::connection::AnyConnection;
use super::schema::external_identities;
use super::statement::{Bind, Statement};
use super::{Error, Store, audit, users};
use crate::domain::{AuditEntry, Timestamp, User};
use diesel::prelude::*;

/// What names somebody at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider, as it names itself.
    pub issuer: String,
    /// The person, as the provider names them; never given to somebody else.
    pub subject: String,
}

impl Store {
    /// The person behind an identity.
    ///
    /// # Errors
    /// [`Error::NotFound`] when nobody is known by it.
    pub async fn user_of_external_identity(&self, identity: ExternalIdentity) -> Result<User, Error> {
        self.read(move |connection| {
            let ExternalIdentity { issuer, subject } = &identity;
            let query = external_identities::table.find((issuer, subject));
            let columns = (external_identities::tenant_id, external_identities::user_id);
            let (tenant_id, user_id) = query.select(columns).first::<(String, String)>(connection)?;
            users::get(connection, &tenant_id, &user_id)
        })
        .await
    }

    /// Adds a person together with their identity.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the address is taken in the tenant or the identity is known; [`Error::NotFound`] when there is
    /// no such tenant.
    pub async fn create_external_user(
        &self,
        user: User,
        identity: ExternalIdentity,
        entry: AuditEntry,
    ) -> Result<User, Error> {
        self.write(move |connection| {
            users::add(connection, &user)?;
            link(connection, &identity, &user, user.created_at)?;
            audit::insert(connection, &entry)?;
            Ok(user)
        })
        .await
    }

    /// Gives a person who is known already an identity.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the identity is known; [`Error::NotFound`] when the person is not there any more.
    pub async fn link_external_identity(
        &self,
        user: User,
        identity: ExternalIdentity,
        entry: AuditEntry,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            users::get(connection, &user.tenant_id.to_string(), &user.id.to_string())?;
            link(connection, &identity, &user, entry.at)?;
            audit::insert(connection, &entry)
        })
        .await
    }
}

fn link(connection: &mut AnyConnection, identity: &ExternalIdentity, user: &User, now: Timestamp) -> Result<(), Error> {
    let (tenant_id, user_id) = (user.tenant_id.to_string(), user.id.to_string());
    let added = Statement::new(
        "INSERT INTO external_identities (issuer, subject, tenant_id, user_id, created_at) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (issuer, subject) DO NOTHING",
        vec![
            Bind::Text(&identity.issuer),
            Bind::Text(&identity.subject),
            Bind::Text(&tenant_id),
            Bind::Text(&user_id),
            Bind::Integer(now.as_micros()),
        ],
    )
    .execute(connection)?;
    if added == 0 {
        return Err(Error::Conflict { message: "somebody has come in with this identity already".to_owned() });
    }
    Ok(())
}
