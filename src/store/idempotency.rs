//! Idempotency keys of requests that create something else than an execution (those take their key in the append).

use super::batch::IDEMPOTENCY_LIFE_US;
use super::column_types::word;
use super::connection::AnyConnection;
use super::schema::idempotency_keys;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::{ExecutionId, TenantId, Timestamp};
use diesel::prelude::*;

/// An idempotency key with the digest of the request it came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// Whose key it is, a space, and the key: each principal has keys of its own.
    pub key: String,
    pub request_digest: String,
}

impl Idempotency {
    /// The key that its owner writes, as it is stored.
    pub fn stored_key(owner: &str, shown: &str) -> String {
        format!("{owner} {shown}")
    }

    /// The key as its sender wrote it, which has no space in it.
    pub fn shown(&self) -> &str {
        self.key.rsplit_once(' ').map_or(self.key.as_str(), |(_, key)| key)
    }
}

/// What is known about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It was free and is taken now: do the work, then call [`Store::finish_request`].
    New,
    /// The same request is being worked on, or its worker died.
    InProgress,
    /// The same request has been answered.
    Answered { status: u16, body: String },
    /// It was used for an execution.
    Execution { execution_id: ExecutionId, same_request: bool },
    /// It was used for another request. This was answered, as far as it is known and may be read here.
    OtherRequest { body: Option<String> },
}

impl Store {
    /// Takes a key for 24 hours, or tells what it was used for.
    pub async fn begin_request(&self, tenant_id: TenantId, idempotency: Idempotency) -> Result<Begun, Error> {
        let now = self.clock.now();
        self.write(move |connection| begin(connection, &tenant_id.to_string(), &idempotency, now)).await
    }

    /// What is known about a key, without taking it. `None` when it is free.
    pub async fn known_request(&self, tenant_id: TenantId, idempotency: Idempotency) -> Result<Option<Begun>, Error> {
        let now = self.clock.now();
        self.read(move |connection| known(connection, &tenant_id.to_string(), &idempotency, now)).await
    }

    /// Keeps the answer, to be replayed.
    pub async fn finish_request(
        &self,
        tenant_id: TenantId,
        key: String,
        status: u16,
        body: String,
    ) -> Result<(), Error> {
        self.write(move |connection| {
            let tenant_id = tenant_id.to_string();
            Statement::new(
                "UPDATE idempotency_keys SET response_status = ?, response_body = ? \
                 WHERE tenant_id = ? AND idempotency_key = ?",
                vec![Bind::Integer(i64::from(status)), Bind::Text(&body), Bind::Text(&tenant_id), Bind::Text(&key)],
            )
            .execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Gives a key back after a request that failed, so that it may be sent again.
    pub async fn abandon_request(&self, tenant_id: TenantId, key: String) -> Result<(), Error> {
        self.write(move |connection| {
            let unanswered = idempotency_keys::table
                .find((tenant_id.to_string(), key))
                .filter(idempotency_keys::response_status.is_null())
                .filter(idempotency_keys::execution_id.is_null());
            diesel::delete(unanswered).execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Forgets up to `limit` keys that have expired and returns their number.
    pub async fn forget_expired_requests(&self, limit: u32) -> Result<usize, Error> {
        let now = self.clock.now().as_micros();
        self.write(move |connection| {
            let forgotten = Statement::new(
                "DELETE FROM idempotency_keys WHERE (tenant_id, idempotency_key) IN \
                 (SELECT tenant_id, idempotency_key FROM idempotency_keys WHERE expires_at <= ? LIMIT ?)",
                vec![Bind::Integer(now), Bind::Integer(i64::from(limit))],
            );
            Ok(forgotten.execute(connection)?)
        })
        .await
    }
}

fn begin(
    connection: &mut AnyConnection,
    tenant_id: &str,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Begun, Error> {
    if let Some(known) = known(connection, tenant_id, idempotency, now)? {
        return Ok(known);
    }
    Statement::new(
        "INSERT INTO idempotency_keys (tenant_id, idempotency_key, request_digest, created_at, expires_at) \
         VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant_id, idempotency_key) DO UPDATE SET \
         request_digest = excluded.request_digest, execution_id = NULL, response_status = NULL, response_body = NULL, \
         created_at = excluded.created_at, expires_at = excluded.expires_at, made_id = NULL, key_id = NULL, nonce = NULL, \
         ciphertext = NULL",
        vec![
            Bind::Text(tenant_id),
            Bind::Text(&idempotency.key),
            Bind::Text(&idempotency.request_digest),
            Bind::Integer(now.as_micros()),
            Bind::Integer(now.plus_micros(IDEMPOTENCY_LIFE_US).as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(Begun::New)
}

fn known(
    connection: &mut AnyConnection,
    tenant_id: &str,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<Begun>, Error> {
    let row = idempotency_keys::table
        .find((tenant_id, &idempotency.key))
        .filter(idempotency_keys::expires_at.gt(now.as_micros()))
        .select((
            idempotency_keys::request_digest,
            idempotency_keys::execution_id,
            idempotency_keys::response_status,
            idempotency_keys::response_body,
        ))
        .first::<(String, Option<String>, Option<i64>, Option<String>)>(connection)
        .optional()?;
    let Some((request_digest, execution_id, status, body)) = row else {
        return Ok(None);
    };
    let same_request = request_digest == idempotency.request_digest;
    if let Some(id) = execution_id {
        return Ok(Some(Begun::Execution { execution_id: word("execution id", &id)?, same_request }));
    }
    if !same_request {
        return Ok(Some(Begun::OtherRequest { body }));
    }
    Ok(Some(match (status, body) {
        (Some(status), Some(body)) => {
            let status = u16::try_from(status).map_err(|error| Error::corrupt("status", error))?;
            Begun::Answered { status, body }
        }
        _ => Begun::InProgress,
    }))
}
