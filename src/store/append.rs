//! What the journal takes in and gives out: one execution's next events with the projection they lead to.
//!
//! An [`Append`] is built by its execution's actor: everything that costs time (serializing, hashing) happens there and not
//! on the writer's thread.

use super::blobs::{self, Stored};
use super::derived::{UsageRow, changed_budget, usage_row, wasted};
use super::idempotency::Idempotency;
use super::{Error, creation as creation_column};
use crate::domain::quota::Bound;
use crate::domain::{
    AgentId, AuditEntry, Creation, Event, EventBody, ExecutionId, ExecutionType, Failure, Progress, Status, TenantId,
    Timestamp, WorkflowId,
};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// One execution's next events. All of it is committed, or nothing.
#[derive(Debug)]
pub struct Append {
    pub(super) tenant_id: TenantId,
    pub(super) execution_id: ExecutionId,
    /// Must equal the stored ownership epoch; the first append sets it.
    pub(super) epoch: u32,
    /// The status that is stored; none before the first append.
    pub(super) previous: Option<Status>,
    pub(super) subject: Arc<Subject>,
    pub(super) projection: Arc<Projection>,
    pub(super) events: Arc<[EventText]>,
    pub(super) row: Row,
    pub(super) usages: Vec<UsageRow>,
    /// Paths of tasks whose calls came to nothing: they were retried or cancelled.
    pub(super) wasted: Vec<Arc<str>>,
    /// What the tree below the execution may spend, when these events change it.
    pub(super) budget: Option<String>,
    pub(super) create: Option<Box<Create>>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) children: Vec<Append>,
    /// Effects that nobody waits for: the task instance and the event that schedules it.
    pub(super) detached: Vec<(Arc<str>, u64)>,
    /// Who has asked for what these events say.
    pub(super) audit: Vec<AuditEntry>,
}

/// The texts of an append as they are stored.
#[derive(Debug)]
pub(super) struct Row {
    pub tenant_id: String,
    pub execution_id: String,
    pub events: Stored,
    pub output: Option<Stored>,
    pub error: Option<String>,
    pub first_seq: u64,
    pub last_seq: u64,
}

/// The first append's part.
#[derive(Debug)]
pub(super) struct Create {
    pub workflow_id: Option<String>,
    pub agent_id: Option<String>,
    pub parent_execution_id: Option<String>,
    pub creation: String,
    pub input: Stored,
    pub created_at: Timestamp,
    pub priority: u8,
    pub labels: Vec<(String, String)>,
    pub definition: Option<DefinitionText>,
    pub idempotency: Option<Idempotency>,
    /// Children of the retried execution that are started anew.
    pub parts_done_again: Vec<String>,
}

/// What a first append brings along besides the `execution_created` event, whose data is the rest.
#[derive(Clone, Debug, Default)]
pub struct NewExecution {
    /// The definition's body, unless it is known to be stored already (a registered workflow).
    pub definition: Option<DefinitionText>,
    pub idempotency: Option<Idempotency>,
    /// Who has asked for it.
    pub audit: Option<AuditEntry>,
}

/// A definition's body, stored once per digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefinitionText {
    /// Lower-case hex SHA-256 of the canonical JSON.
    pub digest: Arc<str>,
    /// JSON, keys in the order of the author.
    pub json: String,
    /// The text as authored; equal to `json` when there is no other.
    pub source: String,
}

/// The facts of an execution that never change, shared by all its appends and updates.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// All that was fixed at creation; the other fields are taken from it.
    pub creation: Arc<Creation>,
    pub execution_type: ExecutionType,
    pub workflow_id: Option<WorkflowId>,
    pub namespace: Arc<str>,
    pub name: Arc<str>,
    pub agent_id: Option<AgentId>,
    pub project_id: Option<String>,
    pub parent_execution_id: Option<ExecutionId>,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
}

impl Subject {
    /// From the data and the time of the `execution_created` event.
    pub fn new(creation: &Arc<Creation>, created_at: Timestamp) -> Self {
        Self {
            creation: Arc::clone(creation),
            execution_type: creation.execution_type,
            workflow_id: creation.definition.workflow_id,
            namespace: Arc::clone(&creation.definition.namespace),
            name: Arc::clone(&creation.definition.name),
            agent_id: creation.agent_id,
            project_id: None,
            parent_execution_id: creation.parent.as_ref().map(|parent| parent.execution_id),
            created_by: creation.created_by.clone(),
            created_at,
        }
    }
}

/// The changeable part of the `executions` row, as it is after the events of an append.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    pub status: Status,
    pub output: Option<Value>,
    pub error: Option<Failure>,
    pub progress: Progress,
    pub restarts: u32,
    pub last_crash: Option<String>,
    pub recovered_in_ms: Option<u64>,
    /// Why it is paused, when a limit and not a person paused it.
    pub pause_reason: Option<String>,
    /// The limit that has paused it.
    pub pause_limit: Option<Bound>,
    pub wake_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub updated_at: Timestamp,
}

impl Projection {
    /// Of an execution that has just been created.
    pub fn pending(created_at: Timestamp, wake_at: Option<Timestamp>) -> Self {
        Self {
            status: Status::Pending,
            output: None,
            error: None,
            progress: Progress::default(),
            restarts: 0,
            last_crash: None,
            recovered_in_ms: None,
            pause_reason: None,
            pause_limit: None,
            wake_at,
            started_at: None,
            finished_at: None,
            updated_at: created_at,
        }
    }
}

/// The machine's state at an event. May be thrown away at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event it contains.
    pub seq: u64,
    /// The version of the machine's snapshot format.
    pub format: u32,
    /// JSON.
    pub state: String,
}

/// One event as stored and sent: serialized once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventText {
    pub seq: u64,
    pub type_name: &'static str,
    /// The event as JSON: `{"seq":…,"at":…,"type":…,"data":…}`.
    pub json: Arc<str>,
}

/// An append that is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Store-wide position of its first event.
    pub first_position: u64,
    pub last_position: u64,
    pub last_seq: u64,
}

/// What the commit listener gets, in commit order.
#[derive(Clone, Debug)]
pub struct CommittedAppend {
    pub tenant_id: TenantId,
    pub execution_id: ExecutionId,
    /// Position of the first event; the others follow without gap.
    pub first_position: u64,
    pub last_position: u64,
    pub events: Arc<[EventText]>,
    pub subject: Arc<Subject>,
    pub projection: Arc<Projection>,
    /// Whether this append created the execution.
    pub created: bool,
}

impl Append {
    /// The next events of an existing execution. `previous` is the status it has before them.
    ///
    /// # Errors
    /// [`Error::Conflict`] when there are no events or their numbers are not consecutive.
    pub fn new(
        tenant_id: TenantId,
        execution_id: ExecutionId,
        epoch: u32,
        subject: Arc<Subject>,
        previous: Status,
        events: &[Event],
        projection: Projection,
    ) -> Result<Self, Error> {
        let (Some(first), Some(last)) = (events.first(), events.last()) else {
            return Err(Error::Conflict { message: "an append holds at least one event".to_owned() });
        };
        if events.iter().zip(first.seq..).any(|(event, seq)| event.seq != seq) {
            return Err(Error::Conflict { message: "the events of an append are numbered without gap".to_owned() });
        }
        let texts = events
            .iter()
            .map(|event| {
                let json = Arc::from(to_json(event)?);
                Ok(EventText { seq: event.seq, type_name: event.body.type_name(), json })
            })
            .collect::<Result<Arc<[EventText]>, Error>>()?;
        let row = Row {
            tenant_id: tenant_id.to_string(),
            execution_id: execution_id.to_string(),
            events: blobs::place(join(&texts)),
            output: projection.output.as_ref().map(to_json).transpose()?.map(blobs::place),
            error: projection.error.as_ref().map(to_json).transpose()?,
            first_seq: first.seq,
            last_seq: last.seq,
        };
        let root = subject.creation.root(execution_id).to_string();
        let usages = events.iter().filter_map(|event| usage_row(event, &root).transpose()).collect::<Result<_, _>>()?;
        let budget = changed_budget(events).as_ref().map(to_json).transpose()?;
        Ok(Self {
            tenant_id,
            execution_id,
            epoch,
            previous: Some(previous),
            subject,
            projection: Arc::new(projection),
            events: texts,
            row,
            usages,
            wasted: events.iter().filter_map(wasted).collect(),
            budget,
            create: None,
            snapshot: None,
            children: Vec::new(),
            detached: Vec::new(),
            audit: Vec::new(),
        })
    }

    /// The first append of an execution: `events` starts with `execution_created`, whose data becomes the row.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the first event is not `execution_created` with number 1.
    pub fn first(
        tenant_id: TenantId,
        execution_id: ExecutionId,
        epoch: u32,
        events: &[Event],
        projection: Projection,
        new: NewExecution,
    ) -> Result<Self, Error> {
        let Some((Event { seq: 1, at, .. }, EventBody::ExecutionCreated(creation))) =
            events.first().map(|event| (event, &event.body))
        else {
            return Err(Error::Conflict { message: "an execution's first event is its creation".to_owned() });
        };
        let subject = Arc::new(Subject::new(creation, *at));
        let input = blobs::place(to_json(&creation.input)?);
        let create = Create {
            workflow_id: subject.workflow_id.map(|id| id.to_string()),
            agent_id: subject.agent_id.map(|id| id.to_string()),
            parent_execution_id: subject.parent_execution_id.map(|id| id.to_string()),
            creation: to_json(&creation_column::without_input(creation))?,
            input,
            created_at: *at,
            priority: creation.priority,
            labels: creation.labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
            definition: new.definition,
            idempotency: new.idempotency,
            parts_done_again: Vec::new(),
        };
        let mut append = Self::new(tenant_id, execution_id, epoch, subject, Status::Pending, events, projection)?;
        append.previous = None;
        append.audit.extend(new.audit);
        append.create = Some(Box::new(create));
        Ok(append)
    }

    /// Stores the machine's state along with the events.
    #[must_use]
    pub fn with_snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Leaves the usage of its events out of the totals: it was paid by the execution they were taken over from.
    #[must_use]
    pub fn without_usage(mut self) -> Self {
        self.usages.clear();
        self.wasted.clear();
        self
    }

    /// Notes effects that nobody waits for, by task instance and scheduling event, until they have ended.
    #[must_use]
    pub fn with_detached_effects(mut self, effects: Vec<(Arc<str>, u64)>) -> Self {
        self.detached = effects;
        self
    }

    /// Notes entries of the audit along with the events.
    #[must_use]
    pub fn with_audit(mut self, entries: impl IntoIterator<Item = AuditEntry>) -> Self {
        self.audit.extend(entries);
        self
    }

    /// Children created in the same transaction, each a first append.
    #[must_use]
    pub fn with_children(mut self, children: Vec<Append>) -> Self {
        self.children = children;
        self
    }

    pub fn execution_id(&self) -> ExecutionId {
        self.execution_id
    }

    pub fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// The unchanging facts, to be handed to the execution's later appends.
    pub fn subject(&self) -> &Arc<Subject> {
        &self.subject
    }

    /// The events with their JSON, in order.
    pub fn events(&self) -> &Arc<[EventText]> {
        &self.events
    }

    /// How many bytes of text it carries, children included.
    pub fn size_bytes(&self) -> usize {
        let own = self.row.events.size_bytes()
            + self.row.output.as_ref().map_or(0, Stored::size_bytes)
            + self.create.as_ref().map_or(0, |create| create.input.size_bytes() + create.creation.len())
            + self.snapshot.as_ref().map_or(0, |snapshot| snapshot.state.len());
        own + self.children.iter().map(Append::size_bytes).sum::<usize>()
    }
}

/// A JSON array of the events' texts.
fn join(events: &[EventText]) -> String {
    let mut text = String::with_capacity(events.iter().map(|event| event.json.len() + 1).sum::<usize>() + 1);
    for event in events {
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&event.json);
    }
    text.push(']');
    text
}

pub(super) fn to_json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::corrupt("value", error))
}
