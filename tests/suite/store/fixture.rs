//! A store on a database of its own, and executions to put into it.

use callboard::clock::{Clock, ManualClock, new_id};
use callboard::domain::{
    Creation, DefinitionRef, Event, EventBody, ExecutionId, ExecutionType, Failure, LogLine, Progress, StandardType,
    Status, TenantId, Timestamp, Trigger,
};
use callboard::store::{
    Append, Committed, Error, FailurePoints, LogLines, NewExecution, Options, PageRequest, Projection, Store, Subject,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub const TENANT: TenantId = TenantId::DEFAULT;

/// A store that a test may close and open again.
pub struct Fixture {
    pub url: String,
    pub clock: ManualClock,
    pub points: FailurePoints,
    store: Option<Store>,
    _directory: Option<tempfile::TempDir>,
}

impl Fixture {
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("data/callboard.db").display());
        Self::on(url, Some(directory))
    }

    pub fn postgres() -> Self {
        Self::on(crate::postgres::database(), None)
    }

    fn on(url: String, directory: Option<tempfile::TempDir>) -> Self {
        let clock = ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap());
        let mut fixture = Self { url, clock, points: FailurePoints::default(), store: None, _directory: directory };
        fixture.open();
        fixture
    }

    pub fn is_postgres(&self) -> bool {
        self.url.starts_with("postgres")
    }

    pub fn options(&self) -> Options {
        Options {
            failure_points: self.points.clone(),
            read_timeout: Duration::from_secs(5),
            ..Options::new(self.url.clone())
        }
    }

    fn open(&mut self) {
        self.store = Some(Store::open(&self.options(), Arc::new(self.clock.clone())).unwrap());
    }

    pub fn store(&self) -> &Store {
        self.store.as_ref().unwrap()
    }

    /// Closes the store as at the end of a process.
    pub async fn close(&mut self) {
        if let Some(store) = self.store.take() {
            store.close().await;
        }
    }

    pub async fn reopen(&mut self) {
        self.close().await;
        self.open();
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn tick(&self) {
        self.clock.advance(Duration::from_millis(10));
    }

    /// Stores log lines of an execution.
    pub async fn log(&self, execution_id: ExecutionId, lines: Vec<LogLine>) {
        self.store().append_logs(vec![LogLines { tenant_id: TENANT, execution_id, lines }]).await.unwrap();
    }

    /// A new execution, not stored.
    pub fn draft(&self) -> Draft {
        Draft {
            tenant_id: TENANT,
            id: ExecutionId(new_id()),
            at: self.now(),
            creation: creation(json!({"question": "why"})),
            new: NewExecution::default(),
        }
    }

    /// A stored one, pending.
    pub async fn create(&self) -> Run {
        self.create_from(self.draft()).await
    }

    pub async fn create_from(&self, draft: Draft) -> Run {
        let (append, run) = draft.first();
        self.store().append(append).await.unwrap();
        run
    }

    /// A stored one that has ended with `status`, 40 ms after its start.
    pub async fn finished(&self, draft: Draft, status: Status) -> Run {
        let mut run = self.create_from(draft).await;
        run.start(self).await.unwrap();
        run.at = run.at.plus_millis(40);
        run.finish(self, status).await.unwrap();
        run
    }
}

pub fn creation(input: Value) -> Creation {
    Creation {
        execution_type: ExecutionType::Workflow,
        definition: DefinitionRef {
            workflow_id: None,
            namespace: "default".into(),
            name: "hello".into(),
            version: "1.0.0".into(),
            digest: "0".repeat(64).into(),
        },
        interpreter_revision: 1,
        input,
        trigger: Trigger::Api,
        priority: 5,
        labels: BTreeMap::new(),
        created_by: Some("ada".to_owned()),
        authority: None,
        agent_id: None,
        test_input: None,
        idempotency_key: None,
        parent: None,
        forked_from: None,
        start_at: None,
        traceparent: None,
        budget: None,
    }
}

/// The whole list, newest first.
pub fn all() -> PageRequest {
    PageRequest::Cursor { cursor: None, limit: 100 }
}

/// What an execution is created from.
#[derive(Clone)]
pub struct Draft {
    pub tenant_id: TenantId,
    pub id: ExecutionId,
    pub at: Timestamp,
    pub creation: Creation,
    pub new: NewExecution,
}

impl Draft {
    pub fn first(self) -> (Append, Run) {
        let event = event(1, self.at, EventBody::ExecutionCreated(Arc::new(self.creation)));
        let projection = Projection::pending(self.at, None);
        let append = Append::first(self.tenant_id, self.id, 1, &[event], projection.clone(), self.new).unwrap();
        let subject = Arc::clone(append.subject());
        let previous = projection.status;
        let (tenant_id, id) = (self.tenant_id, self.id);
        let run = Run { tenant_id, id, epoch: 1, seq: 1, at: self.at, subject, projection, previous };
        (append, run)
    }
}

/// A stored execution as its owner knows it.
#[derive(Clone)]
pub struct Run {
    pub tenant_id: TenantId,
    pub id: ExecutionId,
    pub epoch: u32,
    pub seq: u64,
    pub at: Timestamp,
    pub subject: Arc<Subject>,
    pub projection: Projection,
    /// The status before what the projection says.
    pub previous: Status,
}

impl Run {
    /// The next append, with these bodies. The run goes on as if it had been stored.
    pub fn next(&mut self, bodies: Vec<EventBody>) -> Append {
        self.projection.updated_at = self.at;
        let first = self.seq + 1;
        let events: Vec<Event> = (first..).zip(bodies).map(|(seq, body)| event(seq, self.at, body)).collect();
        self.seq += u64::try_from(events.len()).unwrap();
        let subject = Arc::clone(&self.subject);
        let previous = std::mem::replace(&mut self.previous, self.projection.status);
        Append::new(self.tenant_id, self.id, self.epoch, subject, previous, &events, self.projection.clone()).unwrap()
    }

    pub async fn start(&mut self, fixture: &Fixture) -> Result<Committed, Error> {
        self.projection.status = Status::Running;
        self.projection.started_at = Some(self.at);
        let append = self.next(vec![EventBody::ExecutionStarted { input: None, deadline: None }]);
        fixture.store().append(append).await
    }

    /// One more task done.
    pub fn progress(&mut self) -> Append {
        self.projection.progress =
            Progress { completed_tasks: self.projection.progress.completed_tasks + 1, known_tasks: 9 };
        self.next(vec![
            EventBody::TaskStarted { input: None, deadline: None, collection: None, arguments: None },
            EventBody::TaskCompleted { output: json!({"n": self.seq}), context: None, directive: None },
        ])
    }

    pub fn ending(&mut self, status: Status) -> Append {
        self.projection.status = status;
        self.projection.finished_at = Some(self.at);
        let body = match status {
            Status::Failed => {
                let error = Failure::new(StandardType::Communication, "Gateway Timeout", "upstream said 504");
                self.projection.error = Some(error.clone());
                EventBody::ExecutionFailed { error }
            }
            Status::Cancelled => EventBody::ExecutionCancelled { by: None, reason: None },
            Status::Succeeded | Status::Pending | Status::Running | Status::Waiting | Status::Paused => {
                self.projection.output = Some(json!({"answer": 42}));
                EventBody::ExecutionCompleted { output: json!({"answer": 42}) }
            }
        };
        self.next(vec![body])
    }

    pub async fn finish(&mut self, fixture: &Fixture, status: Status) -> Result<Committed, Error> {
        let append = self.ending(status);
        fixture.store().append(append).await
    }
}

pub fn event(seq: u64, at: Timestamp, body: EventBody) -> Event {
    Event { seq, at, task: None, path: None, attempt: 0, body }
}
