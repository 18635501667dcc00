//! Effects that nobody waits for: noted in the append that schedules them, until they have ended.

use super::column_types::{integer, natural, word};
use super::connection::MultiBackend;
use super::schema::detached_effects;
use super::{Error, Store};
use crate::domain::{ExecutionId, TenantId};
use diesel::prelude::*;

/// An effect that was scheduled and whose end has not been noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachedEffect {
    pub tenant_id: TenantId,
    pub execution_id: ExecutionId,
    /// The task instance.
    pub path: String,
    /// The event that scheduled it.
    pub seq: u64,
}

impl Store {
    /// Those of one execution, or of all.
    pub async fn detached_effects(&self, of: Option<ExecutionId>) -> Result<Vec<DetachedEffect>, Error> {
        self.read(move |connection| {
            let mut query = detached_effects::table
                .select((
                    detached_effects::tenant_id,
                    detached_effects::execution_id,
                    detached_effects::path,
                    detached_effects::seq,
                ))
                .order((detached_effects::execution_id, detached_effects::seq))
                .into_boxed::<MultiBackend>();
            if let Some(id) = of {
                query = query.filter(detached_effects::execution_id.eq(id.to_string()));
            }
            let rows = query.load::<(String, String, String, i64)>(connection)?;
            rows.into_iter()
                .map(|(tenant_id, execution_id, path, seq)| {
                    Ok(DetachedEffect {
                        tenant_id: word("tenant id", &tenant_id)?,
                        execution_id: word("execution id", &execution_id)?,
                        path,
                        seq: natural("seq", seq)?,
                    })
                })
                .collect()
        })
        .await
    }

    /// It has ended, however that was.
    pub async fn detached_effect_ended(&self, effect: DetachedEffect) -> Result<(), Error> {
        self.write(move |connection| {
            let row = detached_effects::table
                .find((effect.execution_id.to_string(), integer(effect.seq)))
                .filter(detached_effects::tenant_id.eq(effect.tenant_id.to_string()));
            diesel::delete(row).execute(connection)?;
            Ok(())
        })
        .await
    }
}
