//! What has become of whoever made an execution.

use super::column_types::{optional_word, word};
use super::connection::AnyConnection;
use super::schema::{api_keys, tenants, users};
use super::{Error, Store};
use crate::domain::{ApiKeyId, Creator, Role, TenantId, UserId};
use diesel::prelude::*;

impl Store {
    /// How things stand now with the person or the key of the tenant that `owner` names, and with the key of theirs that was
    /// used. Not narrowed to a tenant: an operator makes executions in others than their own.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn creator(&self, owner: String, key: Option<ApiKeyId>) -> Result<Creator, Error> {
        self.read(move |connection| {
            let key = key.map(|id| find_key(connection, &id.to_string())).transpose()?;
            let person = find_user(connection, &owner)?;
            match (person, key) {
                (Some(person), None) => standing(connection, &person, None),
                (Some(person), Some(Some(key))) if key.user_id == Some(person.id) => {
                    standing(connection, &person, Some(&key))
                }
                // Deleting a key is not a thing that people do, but the key goes with the person.
                (Some(_), Some(_)) => Ok(Creator::KeyRevoked),
                (None, _) => match find_key(connection, &owner)? {
                    Some(own) if own.user_id.is_none() => key_standing(connection, &own),
                    Some(_) | None => Ok(Creator::Removed),
                },
            }
        })
        .await
    }
}

struct Person {
    id: UserId,
    tenant_id: TenantId,
    role: Role,
    is_active: bool,
}

struct Key {
    tenant_id: TenantId,
    user_id: Option<UserId>,
    role: Role,
    is_revoked: bool,
}

fn standing(connection: &mut AnyConnection, person: &Person, key: Option<&Key>) -> Result<Creator, Error> {
    if !person.is_active {
        return Ok(Creator::Inactive);
    }
    if key.is_some_and(|key| key.is_revoked) {
        return Ok(Creator::KeyRevoked);
    }
    let role = key.map_or(person.role, |key| key.role.min(person.role));
    at_home(connection, person.tenant_id, role)
}

fn key_standing(connection: &mut AnyConnection, key: &Key) -> Result<Creator, Error> {
    if key.is_revoked {
        return Ok(Creator::KeyRevoked);
    }
    at_home(connection, key.tenant_id, key.role)
}

fn at_home(connection: &mut AnyConnection, tenant_id: TenantId, role: Role) -> Result<Creator, Error> {
    let home = tenants::table.find(tenant_id.to_string()).select(tenants::is_active);
    match home.first::<bool>(connection).optional()? {
        Some(true) => Ok(Creator::Present { tenant_id, role }),
        Some(false) => Ok(Creator::TenantInactive),
        None => Ok(Creator::Removed),
    }
}

fn find_user(connection: &mut AnyConnection, id: &str) -> Result<Option<Person>, Error> {
    let columns = (users::id, users::tenant_id, users::role, users::is_active);
    let found = users::table.find(id).select(columns).first::<(String, String, String, bool)>(connection).optional()?;
    found
        .map(|(id, tenant_id, role, is_active)| {
            let (id, tenant_id) = (word("user id", &id)?, word("tenant id", &tenant_id)?);
            Ok(Person { id, tenant_id, role: word("role", &role)?, is_active })
        })
        .transpose()
}

type KeyRow = (String, Option<String>, String, Option<i64>);

fn find_key(connection: &mut AnyConnection, id: &str) -> Result<Option<Key>, Error> {
    let columns = (api_keys::tenant_id, api_keys::user_id, api_keys::role, api_keys::revoked_at);
    let found = api_keys::table.find(id).select(columns).first::<KeyRow>(connection).optional()?;
    found
        .map(|(tenant_id, user_id, role, revoked_at)| {
            Ok(Key {
                tenant_id: word("tenant id", &tenant_id)?,
                user_id: optional_word("user id", user_id.as_deref())?,
                role: word("role", &role)?,
                is_revoked: revoked_at.is_some(),
            })
        })
        .transpose()
}
