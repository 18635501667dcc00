//! The tree of tasks of one execution, built from its events: a pure model that `tree_view` draws.
//!
//! Events come from an embedded engine or from the live feed; both give the same tree.

use crate::domain::{Event, EventBody, Failure, Status, Timestamp};
use serde_json::Value;
use std::collections::HashMap;

/// How much of a streamed answer is kept per task, in characters.
const STREAM_TAIL: usize = 400;

/// Where one task instance stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    Running,
    /// Waits for a timer.
    Waiting,
    /// Waits for the next attempt of a `try`.
    Retrying,
    Completed,
    Skipped,
    Failed,
    Cancelled,
}

impl TaskState {
    /// Whether nothing more happens to it.
    pub const fn is_over(self) -> bool {
        match self {
            Self::Running | Self::Waiting | Self::Retrying => false,
            Self::Completed | Self::Skipped | Self::Failed | Self::Cancelled => true,
        }
    }
}

/// One task instance.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name, with the number of the iteration it belongs to: `fetch #3`.
    pub label: String,
    pub depth: usize,
    pub state: TaskState,
    /// 1 for the first attempt.
    pub attempt: u32,
    pub started: Timestamp,
    pub finished: Option<Timestamp>,
    /// What it does or why it failed.
    pub note: String,
    /// The newest part of its streamed output.
    pub streamed: String,
    /// Index of the task it runs in.
    parent: Option<usize>,
}

/// All task instances of one execution, and how the whole stands.
#[derive(Clone, Debug)]
pub struct Tree {
    tasks: Vec<Task>,
    by_path: HashMap<String, usize>,
    pub name: String,
    pub status: Status,
    pub created: Option<Timestamp>,
    pub finished: Option<Timestamp>,
    pub output: Option<Value>,
    pub error: Option<Failure>,
    pub last_seq: u64,
    /// The agent that is tested: the id that the journal calls it by, and its slug.
    tested: Option<(String, String)>,
}

impl Default for Tree {
    fn default() -> Self {
        Self::new()
    }
}

impl Tree {
    pub fn new() -> Self {
        Self {
            tasks: Vec::new(),
            by_path: HashMap::new(),
            name: String::new(),
            status: Status::Pending,
            created: None,
            finished: None,
            output: None,
            error: None,
            last_seq: 0,
            tested: None,
        }
    }

    /// The task that an event is about, once it has been applied.
    pub fn task_of(&self, event: &Event) -> Option<&Task> {
        let index = self.by_path.get(event.path.as_deref()?)?;
        self.tasks.get(*index)
    }

    /// Whether anything is known of a task instance.
    pub fn knows(&self, path: &str) -> bool {
        self.by_path.contains_key(path)
    }

    /// The tasks in the order of a tree: every task before those inside it.
    pub fn in_order(&self) -> Vec<&Task> {
        let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
        for (index, task) in self.tasks.iter().enumerate() {
            children.entry(task.parent).or_default().push(index);
        }
        let mut order = Vec::with_capacity(self.tasks.len());
        let mut stack: Vec<usize> = children.remove(&None).unwrap_or_default().into_iter().rev().collect();
        while let Some(index) = stack.pop() {
            order.extend(self.tasks.get(index));
            stack.extend(children.remove(&Some(index)).unwrap_or_default().into_iter().rev());
        }
        order
    }

    /// Adds a piece of streamed output to a running task instance; its label. `None` when the instance is not known (yet)
    /// or has ended.
    pub fn stream(&mut self, path: &str, text: &str) -> Option<String> {
        let index = self.by_path.get(path)?;
        let task = self.tasks.get_mut(*index).filter(|task| !task.state.is_over())?;
        task.streamed.push_str(text);
        let surplus = task.streamed.chars().count().saturating_sub(STREAM_TAIL);
        if surplus > 0 {
            task.streamed = task.streamed.chars().skip(surplus).collect();
        }
        Some(task.label.clone())
    }

    /// Takes one event in. An event that was already taken in changes nothing.
    pub fn apply(&mut self, event: &Event) {
        if event.seq <= self.last_seq {
            return;
        }
        self.last_seq = event.seq;
        self.apply_to_execution(event);
        self.apply_to_task(event);
    }

    fn apply_to_execution(&mut self, event: &Event) {
        match &event.body {
            EventBody::ExecutionCreated(creation) => {
                let definition = &creation.definition;
                self.name = format!("{}/{} {}", definition.namespace, definition.name, definition.version);
                self.created = Some(event.at);
                let slug = creation.input.get("agent").and_then(Value::as_str).map(str::to_owned);
                self.tested = creation.agent_id.map(|id| id.to_string()).zip(slug);
            }
            EventBody::ExecutionWaiting {} => self.status = Status::Waiting,
            EventBody::ExecutionPaused { .. } => self.status = Status::Paused,
            EventBody::ExecutionStarted { .. }
            | EventBody::ExecutionResumed { .. }
            | EventBody::ExecutionRecovered { .. } => self.status = Status::Running,
            EventBody::ExecutionCompleted { output } => {
                self.output = Some(output.clone());
                self.finish(Status::Succeeded, event.at);
            }
            EventBody::ExecutionFailed { error } => {
                self.error = Some(error.clone());
                self.finish(Status::Failed, event.at);
            }
            EventBody::ExecutionCancelled { .. } => self.finish(Status::Cancelled, event.at),
            EventBody::TaskStarted { .. }
            | EventBody::TaskCompleted { .. }
            | EventBody::TaskSkipped {}
            | EventBody::TaskFailed { .. }
            | EventBody::TaskRetried { .. }
            | EventBody::TaskCancelled { .. }
            | EventBody::EffectScheduled { .. }
            | EventBody::EffectCompleted { .. }
            | EventBody::EffectFailed { .. }
            | EventBody::TimerFired { .. }
            | EventBody::ChildFinished { .. } => {
                // Whatever moves again makes a waiting execution a running one; see `execution_waiting`.
                if self.status == Status::Waiting {
                    self.status = Status::Running;
                }
            }
            EventBody::TimerSet { .. }
            | EventBody::ChildStarted { .. }
            | EventBody::EffectWithheld { .. }
            | EventBody::ApprovalRequested { .. }
            | EventBody::ApprovalGiven { .. }
            | EventBody::UsageRecorded(_) => {}
        }
    }

    fn finish(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.finished = Some(at);
        for task in self.tasks.iter_mut().filter(|task| !task.state.is_over()) {
            task.state = TaskState::Cancelled;
            task.finished = Some(at);
        }
    }

    fn apply_to_task(&mut self, event: &Event) {
        let Some(path) = event.path.as_deref().filter(|path| !path.is_empty()) else { return };
        let at = event.at;
        let tested = self.tested.clone();
        let task = self.task_mut(path, event);
        match &event.body {
            EventBody::TaskStarted { .. } => {
                (task.state, task.started, task.finished) = (TaskState::Running, at, None);
                task.attempt = event.attempt + 1;
            }
            EventBody::TaskCompleted { .. } => task.end(TaskState::Completed, at, None),
            EventBody::TaskSkipped {} => task.end(TaskState::Skipped, at, None),
            EventBody::TaskFailed { error } => task.end(TaskState::Failed, at, Some(describe(error))),
            EventBody::TaskCancelled { reason } => task.end(TaskState::Cancelled, at, reason.clone()),
            EventBody::TaskRetried { error, next_attempt, .. } => {
                task.state = TaskState::Retrying;
                task.attempt = next_attempt + 1;
                task.note = describe(error);
            }
            EventBody::EffectScheduled { summary, .. } => {
                let slug = tested.filter(|(id, _)| id == summary).map(|(_, slug)| slug);
                task.note = slug.unwrap_or_else(|| summary.clone());
            }
            EventBody::TimerSet { deadline, .. } => {
                if task.state == TaskState::Running {
                    task.state = TaskState::Waiting;
                }
                task.note = format!("until {}", deadline.to_jiff().strftime("%H:%M:%S UTC"));
            }
            EventBody::TimerFired { .. } => task.state = TaskState::Running,
            EventBody::ChildStarted { child_id, namespace, name, .. } => {
                task.note = format!("{namespace}/{name} as {child_id}");
            }
            EventBody::EffectWithheld { reason } => task.note.clone_from(reason),
            EventBody::EffectCompleted { .. }
            | EventBody::EffectFailed { .. }
            | EventBody::ChildFinished { .. }
            | EventBody::UsageRecorded(_)
            | EventBody::ApprovalRequested { .. }
            | EventBody::ApprovalGiven { .. }
            | EventBody::ExecutionCreated(_)
            | EventBody::ExecutionStarted { .. }
            | EventBody::ExecutionWaiting {}
            | EventBody::ExecutionPaused { .. }
            | EventBody::ExecutionResumed { .. }
            | EventBody::ExecutionRecovered { .. }
            | EventBody::ExecutionCompleted { .. }
            | EventBody::ExecutionFailed { .. }
            | EventBody::ExecutionCancelled { .. } => {}
        }
    }

    /// The task at a path; created when it is new.
    fn task_mut(&mut self, path: &str, event: &Event) -> &mut Task {
        let index = match self.by_path.get(path) {
            Some(index) => *index,
            None => self.add(path, event),
        };
        // `add` and `by_path` only hand out indexes of existing tasks.
        #[expect(clippy::indexing_slicing, reason = "the index was handed out by this tree")]
        &mut self.tasks[index]
    }

    fn add(&mut self, path: &str, event: &Event) -> usize {
        let parent = ancestors(path).find_map(|ancestor| self.by_path.get(ancestor).copied().map(|at| (ancestor, at)));
        let between = parent.and_then(|(ancestor, _)| path.strip_prefix(ancestor)).unwrap_or(path);
        let pointer = event.task.as_deref().unwrap_or_default().to_owned();
        let task = Task {
            label: label(&pointer, path, between),
            depth: parent.and_then(|(_, at)| self.tasks.get(at)).map_or(0, |task| task.depth + 1),
            state: TaskState::Running,
            attempt: event.attempt + 1,
            started: event.at,
            finished: None,
            note: String::new(),
            streamed: String::new(),
            parent: parent.map(|(_, at)| at),
        };
        let index = self.tasks.len();
        self.tasks.push(task);
        self.by_path.insert(path.to_owned(), index);
        index
    }
}

impl Task {
    fn end(&mut self, state: TaskState, at: Timestamp, note: Option<String>) {
        self.state = state;
        self.finished = Some(at);
        self.streamed.clear();
        self.note = note.unwrap_or_default();
    }
}

/// The paths above a path, the nearest first.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |inner| inner.rfind('/').and_then(|slash| inner.get(..slash))).skip(1)
}

/// What people call a task instance: the last word of its pointer, and the iteration it belongs to (counted from 1).
fn label(pointer: &str, path: &str, below_parent: &str) -> String {
    let word = pointer.rsplit('/').next().filter(|word| !word.is_empty());
    let word = word.or_else(|| path.rsplit('/').next()).unwrap_or(path);
    let mut label = word.replace("~1", "/").replace("~0", "~");
    for segment in below_parent.split('/') {
        if let Some(iteration) = segment.strip_prefix('i').and_then(|number| number.parse::<u64>().ok()) {
            label = format!("{label} #{}", iteration.saturating_add(1));
        }
    }
    label
}

/// A failure in one line.
pub fn describe(failure: &Failure) -> String {
    let kind = failure.error_type.rsplit('/').next().unwrap_or(&failure.error_type);
    match (failure.title.as_deref(), failure.detail.as_deref()) {
        (Some(title), Some(detail)) if title != detail => format!("{kind}: {title}: {detail}"),
        (Some(what), _) | (None, Some(what)) => format!("{kind}: {what}"),
        (None, None) => format!("{} with status {}", failure.error_type, failure.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StandardType;
    use serde_json::json;

    fn event(seq: u64, path: &str, pointer: &str, body: EventBody) -> Event {
        Event { seq, at: at(seq), task: Some(pointer.into()), path: Some(path.into()), attempt: 0, body }
    }

    fn at(seq: u64) -> Timestamp {
        Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000_000)
    }

    fn started() -> EventBody {
        serde_json::from_value(json!({ "type": "task_started", "data": {} })).unwrap()
    }

    fn completed() -> EventBody {
        EventBody::TaskCompleted { output: json!(1), context: None, directive: None }
    }

    fn outline(tree: &Tree) -> Vec<(usize, String, TaskState)> {
        tree.in_order().iter().map(|task| (task.depth, task.label.clone(), task.state)).collect()
    }

    #[test]
    fn tasks_stand_below_the_task_they_run_in_whatever_lies_between() {
        let mut tree = Tree::new();
        tree.apply(&event(1, "s0:each", "/do/0/each", started()));
        tree.apply(&event(2, "s0:each/i0/s0:ask", "/do/0/each/do/0/ask", started()));
        tree.apply(&event(3, "s0:each/i0/s0:ask", "/do/0/each/do/0/ask", completed()));
        tree.apply(&event(4, "s1:last", "/do/1/last", started()));
        tree.apply(&event(5, "s0:each/i1/s0:ask", "/do/0/each/do/0/ask", started()));
        assert_eq!(
            outline(&tree),
            [
                (0, "each".to_owned(), TaskState::Running),
                (1, "ask #1".to_owned(), TaskState::Completed),
                (1, "ask #2".to_owned(), TaskState::Running),
                (0, "last".to_owned(), TaskState::Running),
            ]
        );
    }

    #[test]
    fn an_event_that_comes_twice_changes_nothing() {
        let mut tree = Tree::new();
        tree.apply(&event(1, "s0:a", "/do/0/a", started()));
        tree.apply(&event(2, "s0:a", "/do/0/a", completed()));
        tree.apply(&event(1, "s0:a", "/do/0/a", started()));
        assert_eq!(outline(&tree), [(0, "a".to_owned(), TaskState::Completed)]);
    }

    #[test]
    fn what_was_open_when_the_execution_ended_is_shown_as_cancelled() {
        let mut tree = Tree::new();
        tree.apply(&event(1, "s0:a", "/do/0/a", started()));
        let error = Failure::new(StandardType::Timeout, "Timeout", "took longer than 2 s");
        tree.apply(&Event {
            seq: 2,
            at: at(2),
            task: None,
            path: None,
            attempt: 0,
            body: EventBody::ExecutionFailed { error },
        });
        assert_eq!(tree.status, Status::Failed);
        assert_eq!(outline(&tree), [(0, "a".to_owned(), TaskState::Cancelled)]);
    }

    #[test]
    fn streamed_text_goes_to_its_running_task_and_only_its_tail_is_kept() {
        let mut tree = Tree::new();
        tree.apply(&event(1, "s0:a", "/do/0/a", started()));
        assert_eq!(tree.stream("s0:a", &"x".repeat(500)).as_deref(), Some("a"));
        assert_eq!(tree.stream("s9:b", "early"), None);
        assert_eq!(tree.in_order().first().map(|task| task.streamed.len()), Some(STREAM_TAIL));
    }
}
