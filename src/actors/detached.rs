//! Effects that nobody waits for (`await: false`): they run beside their execution and may outlive it.
//!
//! Like every effect they are performed at least once. The append that schedules one notes it, and the note goes when the
//! effect has ended; what is noted and does not run was cut off by a crash and is asked for again, from the journal.

use super::performer;
use super::services::{READ_PAUSE, Services};
use super::turn;
use crate::domain::{EffectOutcome, Event, EventBody, Path};
use crate::machine::{self, Action, Input, State};
use crate::store::{self, DetachedEffect};
use futures_util::FutureExt;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Those that run in this process.
#[derive(Debug, Default)]
pub struct Detached(Mutex<HashSet<(String, String)>>);

impl Detached {
    /// Notes that one runs. False when it runs already.
    pub fn begin(&self, effect: &DetachedEffect) -> bool {
        self.lock().insert(key(effect))
    }

    fn runs(&self, effect: &DetachedEffect) -> bool {
        self.lock().contains(&key(effect))
    }

    fn end(&self, effect: &DetachedEffect) {
        self.lock().remove(&key(effect));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(effect: &DetachedEffect) -> (String, String) {
    (effect.execution_id.to_string(), effect.path.clone())
}

/// The effects that an append schedules and nobody waits for: path and number of the scheduling event.
pub fn scheduled(actions: &[Action], events: &[Event]) -> Vec<(Path, u64)> {
    let seq_of = |path: &Path| {
        let schedules = |event: &&Event| {
            matches!(event.body, EventBody::EffectScheduled { .. }) && event.path.as_ref() == Some(path)
        };
        events.iter().find(schedules).map(|event| event.seq)
    };
    let path_of = |action: &Action| match action {
        Action::RunEffect { path, awaited: false, .. } => Some(Path::clone(path)),
        Action::RunEffect { .. }
        | Action::CancelEffect { .. }
        | Action::SetTimer { .. }
        | Action::CancelTimer { .. }
        | Action::StartChild { .. }
        | Action::CancelChild { .. } => None,
    };
    actions.iter().filter_map(path_of).filter_map(|path| seq_of(&path).map(|seq| (path, seq))).collect()
}

/// An effect that nobody waits for has come to its end. One that the end of the service has cut off is left noted.
pub async fn ended(services: &Services, effect: DetachedEffect, outcome: &EffectOutcome) {
    if outcome.result.is_ok() || !services.closing.load(Ordering::Relaxed) {
        forget(services, &effect).await;
    }
    services.detached.end(&effect);
}

async fn forget(services: &Services, effect: &DetachedEffect) {
    loop {
        match services.store.detached_effect_ended(effect.clone()).await {
            Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
            Ok(()) | Err(_) => return,
        }
    }
}

/// Asks again for what is noted and does not run: of one execution after a crash of its actor, of all at the start.
pub async fn repeat(services: Arc<Services>, of: Option<crate::domain::ExecutionId>) {
    let noted = services.read_again(|store| async move { store.detached_effects(of).await }).await;
    for effect in noted.unwrap_or_default() {
        if services.detached.runs(&effect) {
            continue;
        }
        let asked = AssertUnwindSafe(request(&services, &effect)).catch_unwind().await;
        let Ok(asked) = asked else {
            // It stays noted; the others are asked for.
            tracing::error!(execution_id = %effect.execution_id, "an effect cannot be asked for again: a fault");
            continue;
        };
        match asked {
            Ok(Some((task, request))) if services.detached.begin(&effect) => {
                tracing::info!(execution_id = %effect.execution_id, path = effect.path, "an effect is asked for again");
                performer::start(task, request, CancellationToken::new(), &services, performer::Outcome::Noted(effect));
            }
            Ok(Some(_)) => {}
            Ok(None) => forget(&services, &effect).await,
            Err(error) => {
                tracing::error!(execution_id = %effect.execution_id, %error, "an effect cannot be asked for again");
                forget(&services, &effect).await;
            }
        }
    }
}

/// What the effect was, from the state at its scheduling. None when it must not be repeated.
async fn request(
    services: &Arc<Services>,
    effect: &DetachedEffect,
) -> Result<Option<(performer::Task, crate::domain::EffectRequest)>, store::Error> {
    let (tenant, id) = (effect.tenant_id, effect.execution_id);
    let journal = services.read_again(|store| async move { store.events(tenant, id, 0).await }).await;
    let mut events: Vec<Event> = journal.unwrap_or_default();
    events.retain(|event| event.seq <= effect.seq);
    let Some((Event { body: EventBody::ExecutionCreated(creation), .. }, rest)) = events.split_first() else {
        return Ok(None);
    };
    let (creation, first) = (Arc::clone(creation), events.first().cloned());
    let program = loop {
        match services.programs.stored(tenant, &creation.definition.digest).await {
            Err(error) if error.is_retryable() => tokio::time::sleep(READ_PAUSE).await,
            program => break program?,
        }
    };
    let Some(first) = first else { return Ok(None) };
    let (rest, moment) = (rest.to_vec(), services.moment());
    let held = services.secrets(tenant, &program, &creation).await;
    let secrets = held.secrets();
    let actions = turn::run(program.is_bounded(), move || {
        let mut state = State::created(id, &first);
        for event in &rest {
            machine::apply(&program, &mut state, event);
        }
        // As after any crash: a command whose outcome may not be guessed is not repeated.
        let reason = super::recovery::RESTARTED.to_owned();
        let input = Input::Recovered { reason, restarts: 0, recovered_in_ms: 0 };
        machine::step(&program, &mut state, input, &moment, &held.evaluator()).actions
    })
    .await;
    Ok(actions.into_iter().find_map(|action| match action {
        Action::RunEffect { path, pointer, attempt, key, request, .. } if *path == *effect.path => {
            let (creation, secrets) = (Arc::clone(&creation), Arc::clone(&secrets));
            Some((performer::Task { id, tenant, path, pointer, attempt, key, creation, secrets }, request))
        }
        Action::RunEffect { .. }
        | Action::CancelEffect { .. }
        | Action::SetTimer { .. }
        | Action::CancelTimer { .. }
        | Action::StartChild { .. }
        | Action::CancelChild { .. } => None,
    }))
}
