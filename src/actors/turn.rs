//! One turn of an execution: what has arrived is stepped, what was decided is appended.
//!
//! Pure steps on this thread when the program is bounded, on a worker thread otherwise; the append waits for the group
//! commit. While the store cannot be reached a turn waits and tries again: nothing is lost, nothing is acted on early. One that
//! the database does not take although it takes others is given up.

use super::children;
use super::command::{Refusal, Reply};
use super::detached;
use super::execution::Arrival;
use super::exit;
use super::hub;
use super::patience::Patience;
use super::secrets::Held;
use super::seed::Seed;
use super::services::Services;
use crate::domain::{AuditEntry, Creation, Event, EventBody, Execution, ExecutionId, Status, TenantId, Timestamp};
use crate::failure_points::FailurePoint;
use crate::machine::{self, Action, Input, Program, Spent, State};
use crate::store::{self, Append, NewExecution, Projection, Snapshot, Subject};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is decided and not yet committed.
pub struct Turn {
    pub state: State,
    pub events: Vec<Event>,
    pub actions: Vec<Action>,
    /// Who is answered after the commit, and with what refusal if any.
    pub replies: Vec<(Reply, Option<Refusal>)>,
    /// The machine was cut and wants to continue.
    pub more: bool,
    /// Children that the append creates.
    pub children: Vec<Seed>,
}

impl Turn {
    /// Steps everything that has arrived.
    pub fn take(
        program: &Program,
        mut state: State,
        arrivals: Vec<Arrival>,
        secrets: &Held,
        services: &Services,
    ) -> Self {
        services.options.failure_points.pass(FailurePoint::TurnBeforeStep);
        let mut turn = Parts::default();
        let spent = services.calls.of(state.id());
        for Arrival { input, reply } in arrivals {
            let refusal = illegal(&input, state.status());
            if refusal.is_none() {
                turn.step(program, &mut state, *input, secrets, &spent, services);
            }
            turn.replies.extend(reply.map(|reply| (reply, refusal)));
        }
        let Parts { events, actions, replies, more } = turn;
        Self { state, events, actions, replies, more, children: Vec::new() }
    }

    /// What the audit says of the commands that were not refused.
    pub fn audit(&self) -> impl Iterator<Item = &AuditEntry> {
        self.replies.iter().filter(|(_, refusal)| refusal.is_none()).filter_map(|(reply, _)| reply.audit())
    }

    /// Steps one more input into the same append.
    pub(super) fn step(&mut self, program: &Program, input: Input, secrets: &Held, services: &Services) {
        let spent = services.calls.of(self.state.id());
        let moment = services.moment();
        let transition = machine::step_with(program, &mut self.state, input, &moment, &secrets.evaluator(), &spent);
        self.events.extend(transition.events);
        self.actions.extend(transition.actions);
        self.more |= transition.more;
    }
}

#[derive(Default)]
struct Parts {
    events: Vec<Event>,
    actions: Vec<Action>,
    replies: Vec<(Reply, Option<Refusal>)>,
    more: bool,
}

impl Parts {
    fn step(
        &mut self,
        program: &Program,
        state: &mut State,
        input: Input,
        secrets: &Held,
        spent: &[Spent],
        services: &Services,
    ) {
        let transition = machine::step_with(program, state, input, &services.moment(), &secrets.evaluator(), spent);
        self.events.extend(transition.events);
        self.actions.extend(transition.actions);
        self.more |= transition.more;
    }
}

/// A command that the status does not allow.
fn illegal(input: &Input, status: Status) -> Option<Refusal> {
    let (verb, is_legal) = match input {
        Input::Cancel { .. } => ("cancel", status.can_become(Status::Cancelled)),
        Input::Pause { .. } => ("pause", status.can_become(Status::Paused)),
        Input::Resume { .. } => ("resume", status == Status::Paused),
        Input::Approve { .. } => ("approve more for", may_be_approved(status)),
        Input::Start
        | Input::EffectFinished { .. }
        | Input::EffectWithheld { .. }
        | Input::TimerFired { .. }
        | Input::ChildFinished { .. }
        | Input::ChildRefused { .. }
        | Input::Recovered { .. }
        | Input::Abort { .. }
        | Input::Continue => return None,
    };
    (!is_legal).then_some(Refusal::WrongState { status, verb })
}

/// Whether an input means work that a parked execution needs a slot for. Commands are served at once.
pub const fn needs_slot(input: &Input) -> bool {
    match input {
        Input::EffectFinished { .. }
        | Input::TimerFired { .. }
        | Input::ChildFinished { .. }
        | Input::ChildRefused { .. } => true,
        Input::Start
        | Input::Pause { .. }
        | Input::Resume { .. }
        | Input::Approve { .. }
        | Input::EffectWithheld { .. }
        | Input::Cancel { .. }
        | Input::Recovered { .. }
        | Input::Abort { .. }
        | Input::Continue => false,
    }
}

/// Whether more can be approved: it has begun and not ended.
pub const fn may_be_approved(status: Status) -> bool {
    matches!(status, Status::Running | Status::Waiting | Status::Paused)
}

/// What an actor knows of its execution besides the machine's state: the row, and what the next append needs.
#[derive(Clone)]
pub struct Record {
    /// Ownership epoch of this actor.
    pub epoch: u32,
    pub creation: Arc<Creation>,
    pub subject: Arc<Subject>,
    pub projection: Projection,
    pub last_position: u64,
    /// The last event that a stored snapshot contains.
    pub snapshot_seq: u64,
    /// Set until the first append.
    pub create: Option<Box<First>>,
}

/// The part of a first append that is known before the first step.
#[derive(Clone, Debug)]
pub struct First {
    pub event: Event,
    pub new: NewExecution,
}

impl Record {
    /// The record of an execution that is being created.
    pub fn new(creation: Arc<Creation>, created_at: Timestamp) -> Self {
        let subject = Arc::new(Subject::new(&creation, created_at));
        let projection = Projection::pending(created_at, creation.start_at);
        Self { epoch: 1, creation, subject, projection, last_position: 0, snapshot_seq: 0, create: None }
    }

    /// The execution as its row shows it, given the machine's state.
    pub fn execution(&self, id: ExecutionId, tenant_id: TenantId, state: &State) -> Execution {
        let projection = &self.projection;
        Execution {
            id,
            tenant_id,
            creation: Arc::clone(&self.creation),
            status: projection.status,
            output: projection.output.clone(),
            error: projection.error.clone(),
            progress: projection.progress,
            attempt: self.epoch,
            restarts: projection.restarts,
            last_crash: projection.last_crash.clone(),
            recovered_in_ms: projection.recovered_in_ms,
            pause_reason: projection.pause_reason.clone(),
            pause_limit: projection.pause_limit,
            // Nobody goes on with what has not ended, and what has ended is read from its row.
            continued_by: None,
            last_seq: state.last_seq(),
            last_position: self.last_position,
            wake_at: projection.wake_at,
            created_at: self.subject.created_at,
            started_at: projection.started_at,
            finished_at: projection.finished_at,
            updated_at: projection.updated_at,
        }
    }

    /// Carries the projection over to what the state is after `events`.
    pub fn project(&mut self, state: &State, events: &[Event]) {
        let projection = &mut self.projection;
        projection.status = state.status();
        projection.progress = state.progress();
        projection.pause_reason = state.pause_reason().map(str::to_owned);
        projection.pause_limit = state.pause_limit();
        projection.wake_at =
            state.wake_at().or(if projection.status == Status::Pending { projection.wake_at } else { None });
        for event in events {
            projection.updated_at = event.at;
            if matches!(event.body, EventBody::ExecutionStarted { .. }) {
                projection.started_at = Some(event.at);
            }
        }
        if projection.status.is_terminal() {
            projection.finished_at = Some(projection.updated_at);
            projection.output = state.output().cloned();
            projection.error = state.error().cloned();
            projection.wake_at = None;
        }
    }
}

/// Runs something that evaluates expressions: here when the program is bounded, on a worker thread otherwise.
pub async fn run<T: Send + 'static>(is_bounded: bool, work: impl FnOnce() -> T + Send + 'static) -> T {
    if is_bounded { work() } else { run_elsewhere(work).await }
}

/// Runs on a worker thread; a panic there is a panic of the caller.
pub async fn run_elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => {
                exit::remember_panic(panic.as_ref());
                std::panic::resume_unwind(panic)
            }
            // Only a runtime that is shutting down cancels blocking work; nobody waits for the result then.
            Err(_) => std::future::pending().await,
        },
    }
}

/// Whose append it is.
pub struct AppendScope {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub program: Arc<Program>,
    pub secrets: Held,
    /// Cancelled when somebody wants the execution cancelled.
    pub hurry: CancellationToken,
}

/// Appends the turn's events, trying again while the store cannot be reached.
///
/// # Errors
/// The store's refusal, with the turn whose callers must be answered. A first append is not tried again when the store
/// cannot be reached: its caller is told. [`store::Error::NotTaken`] when it is the append and not the database.
pub async fn append(
    scope: AppendScope,
    mut record: Record,
    mut turn: Turn,
    services: Arc<Services>,
) -> Result<(Record, Turn), (store::Error, Turn)> {
    let mut children = Vec::new();
    if turn.actions.iter().any(|action| matches!(action, Action::StartChild { .. })) {
        children = match children::create(&scope, &record, &mut turn, &services).await {
            Ok(children) => children,
            Err(error) => return Err((error, turn)),
        };
    }
    let previous = record.projection.status;
    record.project(&turn.state, &turn.events);
    let first = record.create.take();
    if let Some(first) = &first {
        turn.events.insert(0, first.event.clone());
    }
    services.options.failure_points.pass(FailurePoint::TurnBeforeAppend);
    let last_seq = turn.state.last_seq();
    let snapshot_due = last_seq.saturating_sub(record.snapshot_seq) >= services.options.snapshot_every_events;
    let mut patience = Patience::default();
    let (mut tried, mut size) = (false, 0);
    loop {
        let result = match build(&scope, &record, previous, &turn, first.as_deref(), &children, snapshot_due) {
            Ok(append) => {
                size = append.size_bytes();
                services.store.append(append).await
            }
            Err(error) => Err(error),
        };
        match result {
            Ok(committed) => {
                record.last_position = committed.last_position;
                break;
            }
            Err(store::Error::OutOfSequence { .. } | store::Error::Terminal { .. })
                if tried && arrived(&scope, &mut record, last_seq, &services).await =>
            {
                break;
            }
            Err(error) if first.is_none() && Patience::is_for(&error) => {
                tried = true;
                if patience.goes_on(&error, size, &services.store, &scope.hurry).await {
                    tracing::warn!(execution_id = %scope.id, %error, "an append waits for the store");
                } else if arrived(&scope, &mut record, last_seq, &services).await {
                    break;
                } else {
                    return Err((store::Error::NotTaken { reason: error.to_string() }, turn));
                }
            }
            Err(error) => return Err((error, turn)),
        }
    }
    services.options.failure_points.pass(FailurePoint::TurnAfterAppend);
    if snapshot_due {
        record.snapshot_seq = last_seq;
    }
    Ok((record, turn))
}

/// Stores what the audit says of a turn that has no events. When that cannot be stored, nothing was done.
pub async fn note(mut turn: Turn, hurry: CancellationToken, services: Arc<Services>) -> Turn {
    let entries: Vec<AuditEntry> = turn.audit().cloned().collect();
    let mut patience = Patience::default();
    loop {
        let Err(error) = services.store.record_audit(entries.clone()).await else { return turn };
        if !(Patience::is_for(&error) && patience.goes_on(&error, 0, &services.store, &hurry).await) {
            tracing::error!(%error, "an entry of the audit cannot be stored, the command is refused");
            for (_, refusal) in &mut turn.replies {
                refusal.get_or_insert_with(|| Refusal::from_store(error.clone()));
            }
            return turn;
        }
    }
}

/// Whether an earlier try of this very append arrived although its acknowledgement did not. Nobody was told of it then.
async fn arrived(scope: &AppendScope, record: &mut Record, last_seq: u64, services: &Services) -> bool {
    let (tenant, id) = (scope.tenant, scope.id);
    let stored = services.read_again(|store| async move { store.execution(tenant, id).await }).await;
    let Some(stored) = stored.filter(|stored| stored.attempt == record.epoch && stored.last_seq == last_seq) else {
        return false;
    };
    record.last_position = stored.last_position;
    // A hub without room for this catches up with the next commit.
    let _ = services.hub.try_send(hub::CatchUp);
    true
}

fn build(
    scope: &AppendScope,
    record: &Record,
    previous: Status,
    turn: &Turn,
    first: Option<&First>,
    children: &[children::Newborn],
    with_snapshot: bool,
) -> Result<Append, store::Error> {
    let projection = record.projection.clone();
    let mut append = match first {
        Some(first) => {
            Append::first(scope.tenant, scope.id, record.epoch, &turn.events, projection, first.new.clone())?
        }
        None => {
            let subject = Arc::clone(&record.subject);
            Append::new(scope.tenant, scope.id, record.epoch, subject, previous, &turn.events, projection)?
        }
    };
    if with_snapshot {
        append = append.with_snapshot(snapshot(&turn.state)?);
    }
    append = append.with_detached_effects(detached::scheduled(&turn.actions, &turn.events));
    append = append.with_audit(turn.audit().cloned());
    if children.is_empty() {
        return Ok(append);
    }
    let children = children.iter().map(|child| child.append(scope.tenant)).collect::<Result<_, _>>()?;
    Ok(append.with_children(children))
}

fn snapshot(state: &State) -> Result<Snapshot, store::Error> {
    let text = serde_json::to_string(state)
        .map_err(|error| store::Error::Corrupt { what: "snapshot", reason: error.to_string() })?;
    Ok(Snapshot { seq: state.last_seq(), format: machine::FORMAT, state: text })
}
