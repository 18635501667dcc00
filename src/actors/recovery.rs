//! Bringing executions back from their journals: after a crash of an actor, after a restart of the process, or because a
//! parked one has something to do. It is one path: claim unless it is ours already (which raises the epoch, so that an
//! earlier owner can write no more), snapshot and tail, `apply`, go on.

use super::command::Refusal;
use super::exit::{self, ChildOutcome};
use super::refusing;
use super::seed::{Opening, Seed};
use super::services::Services;
use super::supervisor::{Entry, Presence, Supervisor};
use super::turn::{First, Record};
use super::unrecoverable;
use crate::domain::quota::Limits;
use crate::domain::{Execution, ExecutionId, Failure, StandardType, Status, TenantId, Timestamp};
use crate::failure_points::FailurePoint;
use crate::machine::{self, State};
use crate::store::{self, Append, Claimed, Filter, OpenExecution, PageRequest, Store, Subject};
use actix::{Context, Handler, Message};
use futures_util::FutureExt;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The pause before a claim is tried again while the store cannot be reached.
const CLAIM_PAUSE: Duration = Duration::from_millis(500);

/// What an execution's `last_crash` says after the process has ended under it.
pub const RESTARTED: &str = "the service was restarted";

/// Children read at a time.
const CHILDREN_PER_READ: u32 = 100;

/// Why an execution is rebuilt.
#[derive(Clone, Debug)]
pub enum Why {
    /// Pending, and now it has a slot.
    Start,
    /// A timer, a child or a command.
    Wake,
    /// Its actor crashed.
    Crash { reason: String, since: Instant, count: usize },
    /// The process ended while it ran.
    Restart { since: Instant },
    /// The database does not take its events, for the n-th time: it is failed from what is stored, at the second time from its
    /// row alone.
    Refused { reason: String, count: u32 },
    /// It crashed too often.
    GiveUp { crash: String, count: usize },
}

/// Which execution is rebuilt, and whether its epoch is this process's already.
#[derive(Clone, Copy, Debug)]
pub struct Whom {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub owned: bool,
}

/// Why an execution was not rebuilt.
pub enum Unbuilt {
    /// It does not exist, or what is stored of it cannot be used.
    Refused(Refusal),
    /// Its state could not be rebuilt: a fault of ours.
    Crashed(String),
    /// It is terminal. A parent that waits for it gets the outcome, which its actor may not have been able to tell.
    Ended { status: Status, parent: Option<Box<ChildOutcome>> },
}

/// Rebuilds an execution, waiting for the store as long as it takes. A panic stays in here: the supervisor lives on.
///
/// # Errors
/// See [`Unbuilt`].
pub async fn rebuild(services: Arc<Services>, whom: Whom, why: Why) -> Result<Box<Seed>, Unbuilt> {
    let last_try = matches!(why, Why::GiveUp { .. });
    if let Why::Refused { reason, count: 2.. } = &why {
        return Err(unrecoverable::fail(&services, whom, refusing::failure(reason)).await);
    }
    loop {
        let built = AssertUnwindSafe(read_back(&services, whom, why.clone())).catch_unwind().await;
        return match built {
            Ok(Ok(seed)) => Ok(Box::new(seed)),
            Ok(Err(Refusal::Store(error))) if error.is_retryable() => {
                tracing::warn!(execution_id = %whom.id, %error, "a rebuild waits for the store");
                tokio::time::sleep(CLAIM_PAUSE).await;
                continue;
            }
            Ok(Err(Refusal::Store(error @ store::Error::Corrupt { .. }))) => {
                Err(unrecoverable::fail(&services, whom, unrecoverable::failure(&error.to_string())).await)
            }
            Ok(Err(refusal @ Refusal::WrongState { .. })) => Err(ended(&services, whom, refusal).await),
            Ok(Err(refusal)) => Err(Unbuilt::Refused(refusal)),
            Err(_) if last_try => {
                Err(unrecoverable::fail(&services, whom, unrecoverable::failure(&exit::last_panic())).await)
            }
            Err(_) => Err(Unbuilt::Crashed(exit::last_panic())),
        };
    }
}

async fn ended(services: &Services, Whom { id, tenant, .. }: Whom, refusal: Refusal) -> Unbuilt {
    match services.read_again(|store| async move { store.execution(tenant, id).await }).await {
        Some(execution) if execution.status.is_terminal() => Unbuilt::Ended {
            status: execution.status,
            parent: ChildOutcome::of(&execution.creation, execution.status, execution.output, execution.error),
        },
        Some(_) | None => Unbuilt::Refused(refusal),
    }
}

/// The children of an execution that have not ended: what its actor may not have told before it crashed.
pub async fn open_children(services: Arc<Services>, id: ExecutionId, tenant: TenantId) -> Vec<Execution> {
    let statuses = vec![Status::Pending, Status::Running, Status::Waiting, Status::Paused];
    let filter = Filter { parent_execution_id: Some(id), statuses, ..Filter::default() };
    let (mut children, mut cursor) = (Vec::new(), None);
    loop {
        let (filter, from) = (filter.clone(), PageRequest::Cursor { cursor, limit: CHILDREN_PER_READ });
        let read = |store: Store| {
            let (filter, from) = (filter.clone(), from.clone());
            async move { store.executions(tenant, filter, from).await }
        };
        let Some(page) = services.read_again(read).await else { return children };
        children.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return children;
        }
    }
}

async fn read_back(services: &Arc<Services>, whom: Whom, why: Why) -> Result<Seed, Refusal> {
    let Whom { id, tenant, owned } = whom;
    let claimed = if owned { services.store.load(tenant, id).await } else { services.store.claim(tenant, id).await };
    seed(services, claimed?, why).await
}

async fn seed(services: &Arc<Services>, claimed: Claimed, why: Why) -> Result<Seed, Refusal> {
    let Claimed { execution, snapshot, mut tail } = claimed;
    if execution.status.is_terminal() {
        return Err(Refusal::WrongState { status: execution.status, verb: "change" });
    }
    let program = services.programs.stored(execution.tenant_id, &execution.creation.definition.digest).await?;
    let snapshot_seq = snapshot.as_ref().map_or(0, |snapshot| snapshot.seq);
    let restored = snapshot
        .filter(|snapshot| snapshot.format == machine::FORMAT)
        .and_then(|snapshot| serde_json::from_str::<State>(&snapshot.state).ok());
    if restored.is_none() && snapshot_seq > 0 {
        // A snapshot of another version of the program: the journal is the truth.
        tail = services.store.events(execution.tenant_id, execution.id, 0).await?;
    }
    let (mut state, rest) = match (restored, tail.split_first()) {
        (Some(state), _) => (state, tail.as_slice()),
        (None, Some((first, rest))) => (State::created(execution.id, first), rest),
        (None, None) => return Err(Refusal::NotFound),
    };
    services.options.failure_points.pass(FailurePoint::RebuildBeforeApply);
    for event in rest {
        machine::apply(&program, &mut state, event);
    }
    let mut record = Record {
        epoch: execution.attempt,
        subject: Arc::new(Subject::new(&execution.creation, execution.created_at)),
        creation: Arc::clone(&execution.creation),
        projection: store::Projection {
            status: execution.status,
            output: None,
            error: None,
            progress: execution.progress,
            restarts: execution.restarts,
            last_crash: execution.last_crash,
            recovered_in_ms: execution.recovered_in_ms,
            pause_reason: execution.pause_reason,
            pause_limit: execution.pause_limit,
            wake_at: execution.wake_at,
            started_at: execution.started_at,
            finished_at: None,
            updated_at: execution.updated_at,
        },
        last_position: execution.last_position,
        snapshot_seq,
        create: None,
    };
    let opening = opening(why, &mut record, state.status());
    Ok(Seed { id: execution.id, tenant: execution.tenant_id, program, state, record, opening })
}

fn opening(why: Why, record: &mut Record, status: Status) -> Opening {
    let before = record.projection.restarts;
    let mut recover = |reason: String, since: Instant, restarts: u32| {
        let recovered_in_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        record.projection.restarts = restarts;
        record.projection.last_crash = Some(reason.clone());
        record.projection.recovered_in_ms = Some(recovered_in_ms);
        Opening::Recover { reason, recovered_in_ms }
    };
    match why {
        // A crash before its start is no matter of the execution's: it starts as if nothing had been.
        Why::Start | Why::Wake | Why::Crash { .. } | Why::Restart { .. } if status == Status::Pending => Opening::Start,
        Why::Start | Why::Wake => Opening::Resume,
        // Restarts that ended in the next crash before anything was journaled count as well.
        Why::Crash { reason, since, count } => recover(reason, since, (before + 1).max(small(count))),
        Why::Refused { reason, .. } => Opening::Abort { failure: Box::new(refusing::failure(&reason)) },
        // Counted when it was taken over.
        Why::Restart { since } => recover(RESTARTED.to_owned(), since, before),
        Why::GiveUp { crash, count } => {
            record.projection.last_crash = Some(crash.clone());
            record.projection.restarts = record.projection.restarts.max(small(count.saturating_sub(1)));
            let detail = format!("the execution crashed its actor {count} times, the last time with: {crash}");
            let failure = Failure::new(StandardType::Runtime, "The execution crashed too often", detail)
                .retryable(false)
                .with_suggestion("the crash is a fault of the service: report it, with the service's log of this time");
            Opening::Abort { failure: Box::new(failure) }
        }
    }
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Stores a new execution as pending. Its submitter is answered by the caller, once it knows the execution: the first
/// command may follow at once.
///
/// The result is an error when the store did not acknowledge: it may exist all the same.
pub async fn store_pending(services: Arc<Services>, mut seed: Box<Seed>, first: First) -> (Box<Seed>, Stored) {
    let First { event, new } = first;
    let projection = seed.record.projection.clone();
    let append = Append::first(seed.tenant, seed.id, seed.record.epoch, std::slice::from_ref(&event), projection, new);
    let stored = match append {
        Ok(append) => services.store.append(append).await,
        Err(error) => Err(error),
    };
    let stored = stored.map_err(Refusal::from_store).map(|committed| {
        seed.record.last_position = committed.last_position;
        Box::new(seed.record.execution(seed.id, seed.tenant, &seed.state))
    });
    (seed, stored)
}

/// The execution as it was stored, or why it was not acknowledged.
pub type Stored = Result<Box<Execution>, Refusal>;

/// At the start of the service: everything that is not terminal is taken over.
#[derive(Message)]
#[rtype(result = "()")]
pub struct TakeOver {
    pub open: Vec<OpenExecution>,
    /// Of every tenant that has one.
    pub limits: Vec<(TenantId, Limits)>,
    /// When the process started.
    pub since: Instant,
}

impl Handler<TakeOver> for Supervisor {
    type Result = ();

    fn handle(&mut self, message: TakeOver, ctx: &mut Context<Self>) {
        for (tenant, limits) in message.limits {
            self.queue.set_limits(tenant, limits);
        }
        let now = self.services.clock.now();
        let known: HashSet<ExecutionId> = message.open.iter().map(|execution| execution.id).collect();
        let mut orphans = Vec::new();
        for execution in message.open {
            let lost = |parent: &&crate::domain::ParentLink| parent.awaited && !known.contains(&parent.execution_id);
            if execution.parent.as_ref().filter(lost).is_some() {
                orphans.push((execution.id, execution.tenant_id));
            }
            self.take_over(execution, now, message.since);
        }
        for (id, tenant) in orphans {
            self.cancel_child(id, tenant, ctx);
        }
        self.arm(ctx);
        self.pump(ctx);
    }
}

impl Supervisor {
    fn take_over(&mut self, execution: OpenExecution, now: Timestamp, since: Instant) {
        let OpenExecution { id, tenant_id: tenant, status, priority, start_at, wake_at, attempt, .. } = execution;
        let presence = match status {
            Status::Pending => match start_at.filter(|at| *at > now) {
                Some(at) => {
                    self.wakeups.set(id, at);
                    self.queue.delay(tenant, id);
                    Presence::Delayed { priority }
                }
                None => {
                    self.queue.push(tenant, id, priority, None);
                    Presence::Pending
                }
            },
            Status::Running => {
                self.queue.wake(tenant, id);
                self.restarts += 1;
                Presence::Waking { why: Why::Restart { since }, queued: true, waiting: Vec::new() }
            }
            // The end of a child may have been missed.
            Status::Waiting | Status::Paused if execution.child_finished => {
                self.queue.wake(tenant, id);
                Presence::Waking { why: Why::Wake, queued: true, waiting: Vec::new() }
            }
            Status::Waiting | Status::Paused => {
                if let Some(at) = wake_at {
                    self.wakeups.set(id, at);
                }
                Presence::Parked
            }
            Status::Succeeded | Status::Failed | Status::Cancelled => return,
        };
        self.entries.insert(id, Entry { tenant, epoch: attempt, presence });
    }
}
