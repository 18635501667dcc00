//! Answers that are kept for a day, to be given once more to whoever repeats a request with its idempotency key.
//!
//! Each is stored in the transaction of what it is about ([`Store::keeping`]). This file sees ciphertext only: what is in it,
//! and whether a request is the same, is known to `http`, which seals and opens them with the vault.

use super::batch::IDEMPOTENCY_LIFE_US;
use super::column_types::{optional_word, word};
use super::connection::{AnyConnection, MultiBackend};
use super::schema::idempotency_keys;
use super::statement::{Bind, Statement};
use super::{Error, Store};
use crate::domain::secret::Sealed;
use crate::domain::{ExecutionId, TenantId, Timestamp};
use diesel::prelude::*;
use std::sync::Arc;

/// An answer with the request that it belongs to, encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    pub tenant_id: TenantId,
    /// As [`super::Idempotency::stored_key`] makes it.
    pub key: String,
    pub status: u16,
    /// The id of what was made, if it has one.
    pub made_id: Option<String>,
    pub sealed: Sealed,
}

/// What a key was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Answer(Box<KeptAnswer>),
    /// A request whose answer is not kept here.
    Other {
        execution_id: Option<ExecutionId>,
    },
}

impl Store {
    /// What a key was used for in the last 24 hours; `None` when it is free. Asked in the writer's turn: a request whose
    /// sender has gone away is done before this answers, or not at all.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn kept_answer(&self, tenant_id: TenantId, key: String) -> Result<Option<Kept>, Error> {
        let now = self.clock.now();
        self.write(move |connection| find(connection, tenant_id, key, now)).await
    }

    /// A handle whose writes keep an answer in the same transaction, for 24 hours. It is for one write, which fails with
    /// [`Error::Conflict`] when the key has been used meanwhile.
    #[must_use]
    pub fn keeping(&self, answer: Option<KeptAnswer>) -> Self {
        Self { answer: answer.map(Arc::new), ..self.clone() }
    }

    /// Answers of every tenant that are encrypted with another key than this one, at most `limit` of them behind `after`
    /// (tenant and key). For the rotation of keys, which belongs to no tenant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn answers_under_other_keys(
        &self,
        key_id: String,
        after: Option<(TenantId, String)>,
        limit: u32,
    ) -> Result<Vec<KeptAnswer>, Error> {
        self.read(move |connection| {
            let columns = (idempotency_keys::tenant_id, idempotency_keys::idempotency_key);
            let mut query = idempotency_keys::table
                .filter(idempotency_keys::key_id.is_not_null())
                .filter(idempotency_keys::key_id.assume_not_null().ne(key_id))
                .into_boxed::<MultiBackend>();
            if let Some((tenant_id, key)) = after {
                let tenant_id = tenant_id.to_string();
                let same = idempotency_keys::tenant_id.eq(tenant_id.clone());
                let behind = same.and(idempotency_keys::idempotency_key.gt(key));
                query = query.filter(idempotency_keys::tenant_id.gt(tenant_id).or(behind));
            }
            let query = query.order(columns).limit(i64::from(limit));
            let rows = query.select(Row::COLUMNS).load::<Row>(connection)?;
            rows.into_iter().filter_map(|row| row.into_answer().transpose()).collect()
        })
        .await
    }

    /// Replaces the encryption of an answer, unless another one stands in its place by now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn reseal_answer(&self, known: KeptAnswer, sealed: Sealed) -> Result<(), Error> {
        self.write(move |connection| {
            let tenant_id = known.tenant_id.to_string();
            Statement::new(
                "UPDATE idempotency_keys SET key_id = ?, nonce = ?, ciphertext = ? \
                 WHERE tenant_id = ? AND idempotency_key = ? AND ciphertext = ?",
                vec![
                    Bind::Text(&sealed.key_id),
                    Bind::Text(&sealed.nonce),
                    Bind::Text(&sealed.ciphertext),
                    Bind::Text(&tenant_id),
                    Bind::Text(&known.key),
                    Bind::Text(&known.sealed.ciphertext),
                ],
            )
            .execute(connection)?;
            Ok(())
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    tenant_id: String,
    key: String,
    status: Option<i64>,
    made_id: Option<String>,
    execution_id: Option<String>,
    key_id: Option<String>,
    nonce: Option<String>,
    ciphertext: Option<String>,
}

impl Row {
    const COLUMNS: (
        idempotency_keys::tenant_id,
        idempotency_keys::idempotency_key,
        idempotency_keys::response_status,
        idempotency_keys::made_id,
        idempotency_keys::execution_id,
        idempotency_keys::key_id,
        idempotency_keys::nonce,
        idempotency_keys::ciphertext,
    ) = (
        idempotency_keys::tenant_id,
        idempotency_keys::idempotency_key,
        idempotency_keys::response_status,
        idempotency_keys::made_id,
        idempotency_keys::execution_id,
        idempotency_keys::key_id,
        idempotency_keys::nonce,
        idempotency_keys::ciphertext,
    );

    /// `None` when it is no sealed answer.
    fn into_answer(self) -> Result<Option<KeptAnswer>, Error> {
        let (Some(status), Some(key_id), Some(nonce), Some(ciphertext)) =
            (self.status, self.key_id, self.nonce, self.ciphertext)
        else {
            return Ok(None);
        };
        Ok(Some(KeptAnswer {
            tenant_id: word("tenant id", &self.tenant_id)?,
            key: self.key,
            status: u16::try_from(status).map_err(|error| Error::corrupt("status", error))?,
            made_id: self.made_id,
            sealed: Sealed { key_id, nonce, ciphertext },
        }))
    }
}

fn find(
    connection: &mut AnyConnection,
    tenant_id: TenantId,
    key: String,
    now: Timestamp,
) -> Result<Option<Kept>, Error> {
    let row = idempotency_keys::table
        .find((tenant_id.to_string(), key))
        .filter(idempotency_keys::expires_at.gt(now.as_micros()))
        .select(Row::COLUMNS)
        .first::<Row>(connection)
        .optional()?;
    let Some(row) = row else { return Ok(None) };
    let execution_id = optional_word("execution id", row.execution_id.as_deref())?;
    let kept = row.into_answer()?;
    Ok(Some(kept.map_or(Kept::Other { execution_id }, |answer| Kept::Answer(Box::new(answer)))))
}

/// Takes the key and keeps the answer, unless the key is taken and has not expired.
pub(super) fn insert(connection: &mut AnyConnection, answer: &KeptAnswer, now: Timestamp) -> Result<(), Error> {
    let tenant_id = answer.tenant_id.to_string();
    let taken = Statement::new(
        "INSERT INTO idempotency_keys (tenant_id, idempotency_key, request_digest, response_status, created_at, \
         expires_at, made_id, key_id, nonce, ciphertext) VALUES (?, ?, '', ?, ?, ?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id, idempotency_key) DO UPDATE SET request_digest = excluded.request_digest, \
         execution_id = NULL, response_status = excluded.response_status, response_body = NULL, \
         created_at = excluded.created_at, expires_at = excluded.expires_at, made_id = excluded.made_id, \
         key_id = excluded.key_id, nonce = excluded.nonce, ciphertext = excluded.ciphertext \
         WHERE idempotency_keys.expires_at <= excluded.created_at",
        vec![
            Bind::Text(&tenant_id),
            Bind::Text(&answer.key),
            Bind::Integer(i64::from(answer.status)),
            Bind::Integer(now.as_micros()),
            Bind::Integer(now.plus_micros(IDEMPOTENCY_LIFE_US).as_micros()),
            Bind::OptionalText(answer.made_id.as_deref()),
            Bind::Text(&answer.sealed.key_id),
            Bind::Text(&answer.sealed.nonce),
            Bind::Text(&answer.sealed.ciphertext),
        ],
    )
    .execute(connection)?;
    if taken == 0 {
        return Err(Error::Conflict { message: "the idempotency key was used for another kind of request".to_owned() });
    }
    Ok(())
}
