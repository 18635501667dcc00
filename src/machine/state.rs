//! The state of one execution: a tree of frames. It changes only through [`super::apply()`].
//!
//! A [`List`] is one activation of a task list and holds the frame of the task it is at. A [`Frame`] is one activation of a
//! task; what it has under way is its [`Work`], which in turn holds lists. Values are shared, so that a value that is handed
//! from task to task is stored once. The state serializes; a snapshot carries the [`FORMAT`] it was written in.

use super::document::{Document, Documents, Fetch};
use super::program::{ListId, NodeId};
use crate::domain::quota::{Breach, Budget};
use crate::domain::{Event, EventBody, ExecutionId, Failure, Path, Pointer, Status, TimerPurpose, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The format of serialized states. A snapshot in another format is thrown away and the journal read instead.
pub const FORMAT: u32 = 3;

pub(super) type Shared = Arc<Value>;

/// A field that is there is a value, even when that value is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Shared>, D::Error> {
    Shared::deserialize(deserializer).map(Some)
}

/// Everything the machine knows about one execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub(super) format: u32,
    pub(super) id: ExecutionId,
    pub(super) status: Status,
    pub(super) last_seq: u64,
    pub(super) created_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    /// As it was submitted; what `$workflow.input` shows.
    pub(super) raw_input: Shared,
    pub(super) context: Shared,
    /// When the timeout of the workflow expires.
    pub(super) deadline: Option<Timestamp>,
    pub(super) paused_at: Option<Timestamp>,
    /// The limit about which a person was asked who has not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) breach: Option<Breach>,
    /// What it may spend; that of the execution at the top counts for all below it.
    #[serde(default)]
    pub(super) budget: Budget,
    /// When the wall time of the budget is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wall_deadline: Option<Timestamp>,
    /// How many tasks have ended, skipped ones included.
    pub(super) completed_tasks: u32,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Shared>,
    pub(super) error: Option<Failure>,
    /// Schemas that were fetched from literal addresses.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) resources: BTreeMap<Arc<str>, Document>,
    /// The last fetch for the workflow itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fetch: Option<Fetch>,
    /// Schemas of the workflow itself that were fetched from computed addresses.
    #[serde(default, skip_serializing_if = "Documents::is_empty")]
    pub(super) documents: Documents,
    /// The main task list, from the start to the end of the execution.
    pub(super) main: Option<List>,
}

/// One activation of a task list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct List {
    pub(super) id: ListId,
    /// The path that its steps continue; empty for the main list.
    pub(super) prefix: Path,
    /// The position of the current or next task.
    pub(super) position: usize,
    /// How many steps were taken, skipped ones and re-visits included; the number of the next step's path segment.
    pub(super) steps: u32,
    /// What the next task gets as its raw input; in the end the value of the list.
    pub(super) value: Shared,
    pub(super) current: Option<Box<Frame>>,
    pub(super) end: ListEnd,
    /// Nothing but skipped tasks so far.
    pub(super) only_skipped: bool,
    /// The list of a function call has the called task as its only step, whose path is that of the list.
    pub(super) is_function_body: bool,
}

/// How a list came to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum ListEnd {
    Open,
    /// Its last task was done or one said `exit`.
    Done,
    /// A task said `end`: everything around it completes too.
    Ended,
    Failed(Box<Failure>),
    /// Its task was cancelled from above; whoever did that decides what comes next.
    Cancelled,
}

/// One activation of a task, from `task_started` to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Frame {
    pub(super) path: Path,
    pub(super) pointer: Pointer,
    pub(super) node: NodeId,
    pub(super) raw_input: Shared,
    /// The transformed input.
    pub(super) input: Shared,
    pub(super) started_at: Timestamp,
    /// When the timeout of the task expires.
    pub(super) deadline: Option<Timestamp>,
    /// The last fetch of a schema for this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fetch: Option<Fetch>,
    /// Its schemas that were fetched from computed addresses.
    #[serde(default, skip_serializing_if = "Documents::is_empty")]
    pub(super) documents: Documents,
    pub(super) work: Work,
}

/// What a task has under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Work {
    /// Started; its definition is to be executed.
    Fresh,
    Effect(Effect),
    Wait {
        deadline: Timestamp,
        is_over: bool,
    },
    Child {
        child_id: ExecutionId,
        result: Option<Box<ChildResult>>,
    },
    /// The list of a `do`, or the one-task list of a function call.
    List(List),
    For {
        collection: Arc<Vec<Value>>,
        index: usize,
        /// Absent before the first iteration.
        list: Option<List>,
    },
    Fork {
        branches: Vec<Branch>,
        /// The context at the start, which the changes of the branches are measured against.
        context: Shared,
        last_error: Option<Box<Failure>>,
        /// The branch that an event was about last: the others wait, so that one is asked first.
        #[serde(default)]
        latest: usize,
    },
    Try(Box<TryWork>),
}

/// An effect from its request to the step after its outcome.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Effect {
    pub(super) attempt: u32,
    pub(super) scheduled_at: Timestamp,
    /// Not begun: a limit was reached, and the execution is paused.
    #[serde(default)]
    pub(super) is_withheld: bool,
    pub(super) result: Option<EffectResult>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum EffectResult {
    Completed {
        /// The raw output; absent when the journal holds it in the `task_completed` right behind.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        output: Option<Shared>,
    },
    Failed(Box<Failure>),
}

/// How an awaited child execution ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ChildResult {
    pub(super) status: Status,
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Shared>,
    pub(super) error: Option<Failure>,
}

/// One branch of a `fork`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Branch {
    pub(super) list: List,
    /// The branch's own copy of the context.
    pub(super) context: Shared,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct TryWork {
    /// 0 for the first.
    pub(super) attempt: u32,
    pub(super) phase: TryPhase,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum TryPhase {
    Attempt {
        list: List,
        /// When the limit of this attempt expires.
        deadline: Option<Timestamp>,
    },
    /// The pause before the next attempt.
    Delay {
        deadline: Timestamp,
        is_over: bool,
    },
    Handler {
        list: List,
        error: Box<Failure>,
    },
}

impl State {
    /// The state after the first event of a journal. `event` is its `execution_created` event.
    pub fn created(id: ExecutionId, event: &Event) -> State {
        let (raw_input, budget) = if let EventBody::ExecutionCreated(creation) = &event.body {
            (creation.input.clone(), creation.budget.unwrap_or_default())
        } else {
            (Value::Null, Budget::default())
        };
        State {
            format: FORMAT,
            id,
            status: Status::Pending,
            last_seq: event.seq,
            created_at: event.at,
            started_at: None,
            raw_input: Arc::new(raw_input),
            context: Arc::new(Value::Object(serde_json::Map::new())),
            deadline: None,
            paused_at: None,
            breach: None,
            budget,
            wall_deadline: None,
            completed_tasks: 0,
            output: None,
            error: None,
            resources: BTreeMap::new(),
            fetch: None,
            documents: Documents::new(),
            main: None,
        }
    }

    /// The format this state was written in; a reader compares it with [`FORMAT`].
    pub fn format(&self) -> u32 {
        self.format
    }

    pub fn id(&self) -> ExecutionId {
        self.id
    }

    pub fn status(&self) -> Status {
        self.status
    }

    /// The `seq` of the newest event that was applied.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub fn started_at(&self) -> Option<Timestamp> {
        self.started_at
    }

    pub fn output(&self) -> Option<&Value> {
        self.output.as_deref()
    }

    pub fn error(&self) -> Option<&Failure> {
        self.error.as_ref()
    }

    /// The earliest deadline of all timers; `None` while paused, because then nothing may start anyway.
    pub fn wake_at(&self) -> Option<Timestamp> {
        if self.status == Status::Paused || self.status.is_terminal() {
            return None;
        }
        let mut earliest = self.deadline.into_iter().chain(self.wall_deadline).min();
        self.visit(&mut |frame| {
            for (_, deadline) in frame.timers() {
                earliest = Some(earliest.map_or(deadline, |known| known.min(deadline)));
            }
        });
        earliest
    }

    /// Whether nothing of it runs: it may leave the memory until a timer, a child or a person wants it.
    pub fn is_parked(&self) -> bool {
        match self.status {
            Status::Waiting | Status::Succeeded | Status::Failed | Status::Cancelled => true,
            Status::Paused => !self.has_outstanding_effects(),
            Status::Pending | Status::Running => false,
        }
    }

    /// Whether an effect was asked for whose outcome is not journaled yet.
    pub fn has_outstanding_effects(&self) -> bool {
        let mut found = self.fetch.as_ref().is_some_and(|fetch| fetch.effect.result.is_none());
        self.visit(&mut |frame| found |= frame.outstanding_effect().is_some());
        found
    }

    /// Calls `see` with every frame, parents before children, branches in declaration order.
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Frame)) {
        if let Some(main) = &self.main {
            main.visit(see);
        }
    }
}

impl List {
    pub(super) fn new(id: ListId, prefix: Path, value: Shared) -> Self {
        Self {
            id,
            prefix,
            position: 0,
            steps: 0,
            value,
            current: None,
            end: ListEnd::Open,
            only_skipped: true,
            is_function_body: false,
        }
    }

    fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Frame)) {
        if let Some(frame) = &self.current {
            frame.visit(see);
        }
    }
}

impl Frame {
    pub(super) fn visit<'a>(&'a self, see: &mut dyn FnMut(&'a Frame)) {
        see(self);
        for list in self.lists() {
            list.visit(see);
        }
    }

    /// The lists that are under way, in declaration order.
    pub(super) fn lists(&self) -> Box<dyn Iterator<Item = &List> + '_> {
        match &self.work {
            Work::Fresh | Work::Effect(_) | Work::Wait { .. } | Work::Child { .. } => Box::new(std::iter::empty()),
            Work::List(list) => Box::new(std::iter::once(list)),
            Work::For { list, .. } => Box::new(list.iter()),
            Work::Fork { branches, .. } => Box::new(branches.iter().map(|branch| &branch.list)),
            Work::Try(work) => match &work.phase {
                TryPhase::Attempt { list, .. } | TryPhase::Handler { list, .. } => Box::new(std::iter::once(list)),
                TryPhase::Delay { .. } => Box::new(std::iter::empty()),
            },
        }
    }

    /// The timers that are armed for this frame itself.
    pub(super) fn timers(&self) -> impl Iterator<Item = (TimerPurpose, Timestamp)> {
        let own = self.deadline.map(|deadline| (TimerPurpose::TaskTimeout, deadline));
        let work = match &self.work {
            Work::Wait { deadline, is_over: false } => Some((TimerPurpose::Wait, *deadline)),
            Work::Try(work) => match &work.phase {
                TryPhase::Attempt { deadline, .. } => deadline.map(|deadline| (TimerPurpose::AttemptTimeout, deadline)),
                TryPhase::Delay { deadline, is_over: false } => Some((TimerPurpose::Retry, *deadline)),
                TryPhase::Delay { is_over: true, .. } | TryPhase::Handler { .. } => None,
            },
            Work::Fresh
            | Work::Effect(_)
            | Work::Wait { is_over: true, .. }
            | Work::Child { .. }
            | Work::List(_)
            | Work::For { .. }
            | Work::Fork { .. } => None,
        };
        own.into_iter().chain(work)
    }

    /// The child execution whose end is still awaited.
    pub(super) fn awaited_child(&self) -> Option<ExecutionId> {
        let Work::Child { child_id, result: None } = &self.work else { return None };
        Some(*child_id)
    }
}

impl TryWork {
    /// Whether an attempt is under way.
    pub(super) fn is_attempting(&self) -> bool {
        matches!(&self.phase, TryPhase::Attempt { list, .. } if list.end == ListEnd::Open)
    }
}
