//! A past for the benchmarks of lists: executions that the machine has really decided, written through the store in big
//! batches, one append each, spread evenly over [`SPAN_US`].
//!
//! Of a thousand, 949 have succeeded, 45 failed, 5 were cancelled and one waits; they belong to [`WORKFLOWS`] workflows and
//! [`PEOPLE`] people, one in [`LABELED`] has a label and one in [`TESTS`] is the test of an agent.

use super::raw::{creation, invalid};
use crate::cli::error::Error;
use crate::clock::{Clock, SystemClock, new_id};
use crate::domain::definition;
use crate::domain::{AgentId, Creation, Event, EventBody, ExecutionId, ExecutionType, TenantId, Timestamp, WorkflowId};
use crate::machine::{self, DirectEvaluator, Input, Moment, Program, State};
use crate::store::{Append, DefinitionText, NewExecution, Options, Projection, Store};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The time over which the executions are spread: 30 days.
const SPAN_US: i64 = 30 * 24 * 3_600 * 1_000_000;
pub const WORKFLOWS: u64 = 20;
pub const PEOPLE: u64 = 50;
pub const LABELED: u64 = 100;
pub const TESTS: u64 = 200;
/// The label of every hundredth.
pub const LABEL: (&str, &str) = ("team", "red");
/// Appends that wait for the writer at the same time, and that it takes at once.
const AT_ONCE: usize = 4_096;
/// Executions whose rows are built in advance.
const ROUND: u64 = 20_000;

/// How executions of the past have ended, as the machine decided it.
pub struct Archive {
    succeeded: Ending,
    failed: Ending,
    cancelled: Ending,
    waiting: Ending,
    begin: Timestamp,
    spacing_us: i64,
}

/// All events of one execution and the row they lead to.
struct Ending {
    definition: DefinitionText,
    creation: Creation,
    events: Vec<Event>,
    projection: Projection,
}

impl Ending {
    /// Lets the machine run a definition of which only `task` is known, and does `then` to it if need be.
    fn record(task: &Value, then: Option<Input>) -> Result<Self, Error> {
        let source = json!({
            "document": { "dsl": "1.0.3", "namespace": "bench", "name": "past", "version": "1.0.0" },
            "do": [task],
        });
        let source = source.to_string();
        let parsed = Arc::new(definition::parse(&source).map_err(|problems| invalid(&problems))?);
        let program = Program::compile(Arc::clone(&parsed)).map_err(|problems| invalid(&problems))?;
        let at = SystemClock.now();
        let creation = creation(&parsed, json!({ "text": "callboard", "customer": "Ada Lovelace" }));
        let body = EventBody::ExecutionCreated(Arc::new(creation.clone()));
        let mut events = vec![Event { seq: 1, at, task: None, path: None, attempt: 0, body }];
        let mut state = State::created(ExecutionId(new_id()), events.first().ok_or_else(never)?);
        for input in std::iter::once(Input::Start).chain(then) {
            let moment = Moment { at, seed: 0 };
            events.extend(machine::step(&program, &mut state, input, &moment, &DirectEvaluator).events);
        }
        let status = state.status();
        let projection = Projection {
            status,
            output: state.output().cloned(),
            error: state.error().cloned(),
            progress: state.progress(&program),
            wake_at: state.wake_at(),
            started_at: Some(at),
            finished_at: status.is_terminal().then_some(at),
            ..Projection::pending(at, None)
        };
        let definition = DefinitionText { digest: Arc::clone(&parsed.digest), json: source.clone(), source };
        Ok(Self { definition, creation, events, projection })
    }

    /// The only append of one more such execution.
    fn append(&self, number: u64, created_at: Timestamp) -> Result<Append, Error> {
        let mut events = self.events.clone();
        let delta = created_at.micros_since(self.projection.updated_at);
        machine::shift(&mut events, delta);
        if let Some(created) = events.first_mut() {
            created.body = EventBody::ExecutionCreated(Arc::new(vary(&self.creation, number)));
        }
        let later = |at: Option<Timestamp>| at.map(|at| at.plus_micros(delta));
        let projection = Projection {
            started_at: later(self.projection.started_at),
            finished_at: later(self.projection.finished_at),
            updated_at: created_at,
            ..self.projection.clone()
        };
        let new = NewExecution {
            definition: Some(self.definition.clone()).filter(|_| number < ROUND),
            idempotency: None,
            audit: None,
        };
        Append::first(TenantId::DEFAULT, ExecutionId(new_id()), 1, &events, projection, new)
            .map_err(|error| Error::failure(format!("cannot build the rows of an execution: {error}")))
    }
}

/// What tells executions apart in lists.
fn vary(creation: &Creation, number: u64) -> Creation {
    let mut creation = creation.clone();
    creation.definition.name = workflow_name(number % WORKFLOWS).into();
    creation.definition.workflow_id = Some(WorkflowId(Uuid::from_u128(u128::from(number % WORKFLOWS) + 1)));
    creation.created_by = Some(person(number % PEOPLE));
    if number.is_multiple_of(LABELED) {
        creation.labels = BTreeMap::from([(LABEL.0.to_owned(), LABEL.1.to_owned())]);
    }
    if number.is_multiple_of(TESTS) {
        creation.execution_type = ExecutionType::AgentTest;
        creation.agent_id = Some(AgentId(Uuid::from_u128(1)));
    }
    creation
}

/// The name of a workflow of the past.
pub fn workflow_name(number: u64) -> String {
    format!("workflow-{number}")
}

/// Somebody who started executions.
pub fn person(number: u64) -> String {
    format!("person-{number}")
}

impl Archive {
    /// A past of `executions` executions that ends now.
    ///
    /// # Errors
    /// Never with the definitions of this module.
    pub fn new(executions: u64) -> Result<Self, Error> {
        let set = json!({ "answer": { "set": { "text": "${ .text }", "length": "${ .text | length }" } } });
        let raise = json!({ "stop": { "raise": { "error": {
            "type": "https://serverlessworkflow.io/spec/1.0.0/errors/communication", "status": 504,
            "title": "Gateway Timeout", "detail": "upstream did not answer" } } } });
        let wait = json!({ "rest": { "wait": { "days": 365 } } });
        let cancel = Input::Cancel { by: None, reason: Some("no longer needed".to_owned()) };
        Ok(Self {
            succeeded: Ending::record(&set, None)?,
            failed: Ending::record(&raise, None)?,
            cancelled: Ending::record(&wait, Some(cancel))?,
            waiting: Ending::record(&wait, None)?,
            begin: SystemClock.now().plus_micros(-SPAN_US),
            spacing_us: SPAN_US / i64::try_from(executions.max(1)).unwrap_or(i64::MAX),
        })
    }

    /// When the first execution was created.
    pub fn begin(&self) -> Timestamp {
        self.begin
    }

    /// Writes the executions `from..to` of the past; how long that took.
    ///
    /// # Errors
    /// When the store cannot be opened or refuses a row.
    pub async fn fill(&self, url: &str, from: u64, to: u64) -> Result<Duration, Error> {
        let options = Options { batch_appends: AT_ONCE, batch_bytes: 64 * 1024 * 1024, ..Options::new(url) };
        let store = Store::open(&options, Arc::new(SystemClock)).map_err(|error| storage(&error))?;
        let begin = Instant::now();
        let mut next = from;
        while next < to {
            let end = to.min(next + ROUND);
            let appends = (next..end).map(|number| self.append(number)).collect::<Result<Vec<_>, _>>()?;
            next = end;
            write_all(&store, appends).await?;
        }
        store.close().await;
        Ok(begin.elapsed())
    }

    fn append(&self, number: u64) -> Result<Append, Error> {
        let ending = match number % 1_000 {
            0 => &self.waiting,
            1..=45 => &self.failed,
            46..=50 => &self.cancelled,
            _ => &self.succeeded,
        };
        let offset = i64::try_from(number).unwrap_or(i64::MAX).saturating_mul(self.spacing_us);
        ending.append(number, self.begin.plus_micros(offset))
    }
}

async fn write_all(store: &Store, appends: Vec<Append>) -> Result<(), Error> {
    let mut writes = futures_util::stream::iter(appends).map(|append| store.append(append)).buffer_unordered(AT_ONCE);
    while let Some(written) = writes.next().await {
        written.map_err(|error| storage(&error))?;
    }
    Ok(())
}

fn storage(error: &crate::store::Error) -> Error {
    Error::failure(format!("cannot fill the database: {error}"))
}

fn never() -> Error {
    Error::failure("an execution without events")
}
