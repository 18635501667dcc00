//! Task instances, derived from the journal: nothing here is stored a second time.

use super::budget::Spent;
use super::task_data::{DataFlow, Datum};
use crate::domain::{Event, EventBody, ExecutionId, Failure, Status, TimerPurpose, Timestamp, UnknownWord};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use utoipa::ToSchema;

/// Where a task instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Running,
    /// Parked on a timer: a `wait`, or the pause before the next attempt of a `try`.
    Waiting,
    Succeeded,
    /// Its `if` was false.
    Skipped,
    Failed,
    Cancelled,
}

impl TaskStatus {
    pub const ALL: &'static [TaskStatus] =
        &[Self::Running, Self::Waiting, Self::Succeeded, Self::Skipped, Self::Failed, Self::Cancelled];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it has not ended.
    pub const fn is_open(self) -> bool {
        match self {
            Self::Running | Self::Waiting => true,
            Self::Succeeded | Self::Skipped | Self::Failed | Self::Cancelled => false,
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for TaskStatus {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.iter().copied().find(|status| status.as_str() == text).ok_or_else(|| UnknownWord {
            word: text.to_owned(),
            known: &["running", "waiting", "succeeded", "skipped", "failed", "cancelled"],
        })
    }
}

/// What a task asked of the world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EffectView {
    /// `http`, `shell` or `agent`.
    #[schema(value_type = String)]
    pub kind: Arc<str>,
    /// What people read: method and address, command, agent.
    pub summary: String,
}

/// One instance of a task: a loop or a retry makes several of the same task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskView {
    /// The instance, stable across restarts: `s2:load/a1/s0:fetch`.
    #[schema(value_type = String)]
    pub path: Arc<str>,
    /// JSON pointer to the task in the definition.
    #[schema(value_type = String)]
    pub task: Arc<str>,
    pub name: String,
    pub status: TaskStatus,
    /// The attempt of the innermost enclosing `try` it belongs to, 0 for the first.
    pub attempt: u32,
    /// How many attempts it has made itself; above 1 only for a `try`.
    pub attempts: u32,
    /// What it works on: what it was given, transformed when the task transforms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub input: Option<Arc<Value>>,
    /// Set instead of `input` when that is larger than 64 KiB: the `seq` of the event that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_seq: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub output: Option<Arc<Value>>,
    /// Set instead of `output` when that is larger than 64 KiB: the `seq` of the event that carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_seq: Option<u64>,
    /// What tells large outputs apart.
    #[serde(skip)]
    output_mark: Option<u64>,
    /// Why it failed, or why its last attempt did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectView>,
    /// What its model calls have used, those of retried attempts included; absent when it made none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Spent>,
    /// The execution that a `run: workflow` started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child_execution_id: Option<ExecutionId>,
    /// When the timer fires that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wakes_at: Option<Timestamp>,
    /// When its timeout expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Milliseconds since it was started, until now when it has not ended.
    pub run_ms: u64,
}

/// The task instances of one execution, built up event by event in the order of the journal.
#[derive(Clone, Debug, Default)]
pub struct TaskBoard {
    tasks: Vec<TaskView>,
    by_path: HashMap<Arc<str>, usize>,
    data: DataFlow,
    last_seq: u64,
}

impl TaskBoard {
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in the next event.
    pub fn apply(&mut self, event: Event) {
        let Event { seq, at, task, path, attempt, body } = event;
        self.last_seq = seq;
        if is_end_of_execution(&body) {
            return self.close_open_tasks(at);
        }
        let (Some(path), Some(pointer)) = (path, task) else { return self.begin(seq, body) };
        if let EventBody::TaskStarted { input, deadline, arguments, .. } = body {
            let datum = |value| Datum::new(value, seq);
            let input = self.data.start(&path, input.map(datum), arguments.map(datum));
            self.insert(TaskView { deadline, ..started(path, pointer, attempt, at) }.with_input(input));
        } else if matches!(body, EventBody::TaskSkipped {}) {
            let input = self.data.skip(&path);
            let mut view = started(path, pointer, attempt, at).with_input(input);
            finish(&mut view, TaskStatus::Skipped, at);
            self.insert(view);
        } else if let EventBody::TaskCompleted { output, .. } = body {
            let output = Datum::new(output, seq);
            if let Some(view) = self.view(&path) {
                finish(view, TaskStatus::Succeeded, at);
                view.output_seq = output.seq_when_large();
                view.output_mark = output.mark;
                view.output.clone_from(&output.value);
            }
            self.data.complete(&path, output);
        } else if let Some(view) = self.view(&path) {
            advance(view, at, body);
        }
    }

    /// What the execution as a whole begins with.
    fn begin(&mut self, seq: u64, body: EventBody) {
        if let EventBody::ExecutionCreated(creation) = body {
            self.data.begin(Datum::new(creation.input.clone(), seq));
        } else if let EventBody::ExecutionStarted { input: Some(input), .. } = body {
            self.data.begin(Datum::new(input, seq));
        }
    }

    fn view(&mut self, path: &str) -> Option<&mut TaskView> {
        self.tasks.get_mut(*self.by_path.get(path)?)
    }

    /// The last event that was taken in; 0 before the first.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// How many instances there are.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// All instances in the order in which they were started. `now` ends the time of those that still run.
    pub fn into_tasks(mut self, now: Timestamp) -> Vec<TaskView> {
        for task in &mut self.tasks {
            let end = task.finished_at.unwrap_or(now);
            task.run_ms = u64::try_from(end.millis_since(task.started_at)).unwrap_or(0);
        }
        self.tasks
    }

    /// The instances that are being worked on or waited for; of nested ones only the innermost.
    pub fn current(&self, now: Timestamp) -> Vec<TaskView> {
        let tasks = self.tasks.iter().filter(|task| task.status.is_open()).cloned().collect();
        let open = Self { tasks, ..Self::default() }.into_tasks(now);
        let is_outer = |task: &TaskView| {
            open.iter()
                .any(|other| other.path.strip_prefix(task.path.as_ref()).is_some_and(|rest| rest.starts_with('/')))
        };
        open.iter().filter(|task| !is_outer(task)).cloned().collect()
    }

    fn insert(&mut self, view: TaskView) {
        self.by_path.insert(view.path.clone(), self.tasks.len());
        self.tasks.push(view);
    }

    /// What was still open when the execution ended has ended with it.
    fn close_open_tasks(&mut self, at: Timestamp) {
        for task in self.tasks.iter_mut().filter(|task| task.status.is_open()) {
            finish(task, TaskStatus::Cancelled, at);
        }
    }
}

impl TaskView {
    fn with_input(self, input: Option<Datum>) -> Self {
        let seq = input.as_ref().and_then(Datum::seq_when_large);
        Self { input: input.and_then(|input| input.value), input_seq: seq, ..self }
    }

    /// Whether both ended in the same way and gave the same.
    pub(super) fn ended_like(&self, other: &Self) -> bool {
        let is_same = (self.status, &self.output, self.output_mark) == (other.status, &other.output, other.output_mark);
        is_same && (&self.error, self.attempts) == (&other.error, other.attempts)
    }
}

fn started(path: Arc<str>, pointer: Arc<str>, attempt: u32, at: Timestamp) -> TaskView {
    TaskView {
        name: name_of(&pointer),
        path,
        task: pointer,
        status: TaskStatus::Running,
        attempt,
        attempts: 1,
        input: None,
        input_seq: None,
        output: None,
        output_seq: None,
        output_mark: None,
        error: None,
        effect: None,
        usage: None,
        child_execution_id: None,
        wakes_at: None,
        deadline: None,
        started_at: at,
        finished_at: None,
        run_ms: 0,
    }
}

/// The last segment of a pointer, with the escapes of JSON pointers undone.
fn name_of(pointer: &str) -> String {
    pointer.rsplit('/').next().unwrap_or(pointer).replace("~1", "/").replace("~0", "~")
}

fn finish(view: &mut TaskView, status: TaskStatus, at: Timestamp) {
    view.status = status;
    view.finished_at = Some(at);
    view.wakes_at = None;
}

fn advance(view: &mut TaskView, at: Timestamp, body: EventBody) {
    match body {
        EventBody::TaskFailed { error } => {
            finish(view, TaskStatus::Failed, at);
            view.error = Some(error);
        }
        EventBody::TaskCancelled { .. } => finish(view, TaskStatus::Cancelled, at),
        EventBody::TaskRetried { error, next_attempt, deadline } => {
            view.attempts = next_attempt.saturating_add(1);
            view.error = Some(error);
            view.status = TaskStatus::Waiting;
            view.wakes_at = Some(deadline);
        }
        EventBody::EffectScheduled { kind, summary } => view.effect = Some(EffectView { kind, summary }),
        EventBody::EffectFailed { error } => view.error = Some(error),
        EventBody::TimerSet { purpose, deadline } => match purpose {
            TimerPurpose::Wait | TimerPurpose::Retry => {
                view.status = TaskStatus::Waiting;
                view.wakes_at = Some(deadline);
            }
            TimerPurpose::AttemptTimeout
            | TimerPurpose::TaskTimeout
            | TimerPurpose::WorkflowTimeout
            | TimerPurpose::WallBudget => {}
        },
        EventBody::TimerFired { purpose } => match purpose {
            TimerPurpose::Wait | TimerPurpose::Retry => {
                view.status = TaskStatus::Running;
                view.wakes_at = None;
            }
            TimerPurpose::AttemptTimeout
            | TimerPurpose::TaskTimeout
            | TimerPurpose::WorkflowTimeout
            | TimerPurpose::WallBudget => {}
        },
        EventBody::UsageRecorded(usage) => {
            let spent = view.usage.get_or_insert_default();
            spent.calls = spent.calls.saturating_add(1);
            spent.tokens = spent.tokens.saturating_add(usage.tokens());
            spent.cost_usd += usage.cost_usd.unwrap_or(0.0);
        }
        EventBody::ChildStarted { child_id, .. } => view.child_execution_id = Some(child_id),
        EventBody::ChildFinished { error, status, .. } => {
            if status == Status::Failed {
                view.error = error;
            }
        }
        EventBody::ExecutionCreated(_)
        | EventBody::ExecutionStarted { .. }
        | EventBody::ExecutionWaiting {}
        | EventBody::ExecutionPaused { .. }
        | EventBody::ExecutionResumed { .. }
        | EventBody::ExecutionRecovered { .. }
        | EventBody::ExecutionCompleted { .. }
        | EventBody::ExecutionFailed { .. }
        | EventBody::ExecutionCancelled { .. }
        | EventBody::TaskStarted { .. }
        | EventBody::TaskSkipped {}
        | EventBody::TaskCompleted { .. }
        | EventBody::EffectWithheld { .. }
        | EventBody::EffectCompleted { .. }
        | EventBody::ApprovalRequested { .. }
        | EventBody::ApprovalGiven { .. } => {}
    }
}

const fn is_end_of_execution(body: &EventBody) -> bool {
    matches!(
        body,
        EventBody::ExecutionCompleted { .. } | EventBody::ExecutionFailed { .. } | EventBody::ExecutionCancelled { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StandardType;
    use serde_json::json;

    fn event(seq: u64, path: &str, pointer: &str, body: EventBody) -> Event {
        let at = Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000_000);
        Event { seq, at, task: Some(pointer.into()), path: Some(path.into()), attempt: 0, body }
    }

    fn begin() -> EventBody {
        EventBody::TaskStarted { input: None, deadline: None, collection: None, arguments: None }
    }

    fn complete(output: Value) -> EventBody {
        EventBody::TaskCompleted { output, context: None, directive: None }
    }

    fn board(events: Vec<Event>) -> TaskBoard {
        let mut board = TaskBoard::new();
        events.into_iter().for_each(|event| board.apply(event));
        board
    }

    #[test]
    fn a_retried_try_shows_its_attempts_and_the_tasks_of_each() {
        let failure = Failure::new(StandardType::Communication, "t", "d");
        let events = vec![
            event(1, "s0:load", "/do/0/load", begin()),
            event(2, "s0:load/a0/s0:fetch", "/do/0/load/try/0/fetch", begin()),
            event(3, "s0:load/a0/s0:fetch", "/do/0/load/try/0/fetch", EventBody::TaskFailed { error: failure.clone() }),
            event(
                4,
                "s0:load",
                "/do/0/load",
                EventBody::TaskRetried { error: failure.clone(), next_attempt: 1, deadline: Timestamp::from_micros(9) },
            ),
            event(5, "s0:load/a1/s0:fetch", "/do/0/load/try/0/fetch", begin()),
            event(7, "s0:load/a1/s0:fetch", "/do/0/load/try/0/fetch", complete(json!(1))),
            event(8, "s0:load", "/do/0/load", complete(json!(1))),
        ];
        let tasks = board(events).into_tasks(Timestamp::from_micros(0));
        let seen: Vec<_> = tasks.iter().map(|task| (task.path.as_ref(), task.status, task.attempts)).collect();
        assert_eq!(
            seen,
            [
                ("s0:load", TaskStatus::Succeeded, 2),
                ("s0:load/a0/s0:fetch", TaskStatus::Failed, 1),
                ("s0:load/a1/s0:fetch", TaskStatus::Succeeded, 1),
            ]
        );
        assert_eq!(tasks[2].run_ms, 2_000);
        assert_eq!(tasks[0].name, "load");
        assert_eq!(tasks[0].wakes_at, None);
    }

    #[test]
    fn the_current_tasks_are_the_innermost_open_ones() {
        let mut timer = event(
            4,
            "s1:nap",
            "/do/1/nap",
            EventBody::TimerSet { purpose: TimerPurpose::Wait, deadline: Timestamp::from_micros(99) },
        );
        timer.attempt = 0;
        let events = vec![
            event(1, "s0:all", "/do/0/all", begin()),
            event(2, "s0:all/b0/s0:a", "/do/0/all/fork/branches/0/a", begin()),
            event(3, "s1:nap", "/do/1/nap", begin()),
            timer,
        ];
        let current = board(events).current(Timestamp::from_micros(5_000_000));
        let seen: Vec<_> = current.iter().map(|task| (task.path.as_ref(), task.status)).collect();
        assert_eq!(seen, [("s0:all/b0/s0:a", TaskStatus::Running), ("s1:nap", TaskStatus::Waiting)]);
        assert_eq!(current[0].run_ms, 3_000);
    }

    #[test]
    fn the_end_of_the_execution_ends_what_was_open() {
        let mut cancelled = event(3, "", "", EventBody::ExecutionCancelled { by: None, reason: None });
        (cancelled.task, cancelled.path) = (None, None);
        let events = vec![
            event(1, "s0:a", "/do/0/a", begin()),
            event(
                2,
                "s0:a",
                "/do/0/a",
                EventBody::TimerSet { purpose: TimerPurpose::Wait, deadline: Timestamp::from_micros(9) },
            ),
            cancelled,
        ];
        let tasks = board(events).into_tasks(Timestamp::from_micros(0));
        assert_eq!((tasks[0].status, tasks[0].wakes_at), (TaskStatus::Cancelled, None));
        assert_eq!(tasks[0].run_ms, 2_000);
    }

    #[test]
    fn a_large_output_is_named_by_its_event() {
        let events = vec![
            event(1, "s0:a", "/do/0/a~1b", begin()),
            event(2, "s0:a", "/do/0/a~1b", complete(json!("x".repeat(70_000)))),
        ];
        let tasks = board(events).into_tasks(Timestamp::from_micros(0));
        assert_eq!((tasks[0].output.as_ref(), tasks[0].output_seq), (None, Some(2)));
        assert_eq!(tasks[0].name, "a/b");
    }
}
