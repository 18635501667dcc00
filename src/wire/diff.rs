//! Two executions side by side.

use super::execution::ExecutionView;
use super::task::TaskView;
use super::usage::UsageTotals;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// What two executions have in common, and where they differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExecutionDiff<'a> {
    pub a: DiffSide<'a>,
    pub b: DiffSide<'a>,
    /// What is the same in both.
    pub same: Sameness,
    /// In the order of `a`; what only `b` did comes last.
    pub tasks: Vec<TaskDiff>,
    /// How many task instances there are in either.
    pub total: u64,
    /// How many of them differ.
    pub different: u64,
    /// Give it back as `offset` to continue; absent at the end.
    pub next_offset: Option<u64>,
}

/// One of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DiffSide<'a> {
    pub execution: ExecutionView<'a>,
    /// What its model calls have used so far.
    pub usage: UsageTotals,
    /// The text of its definition; absent when both run the same.
    pub definition: Option<String>,
}

/// What is the same in two executions. Values are compared as JSON: the order of fields makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sameness {
    pub definition: bool,
    pub input: bool,
    /// Output and error.
    pub output: bool,
}

/// A task instance, in both or in one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskDiff {
    /// The instance, which has the same path in both as long as both took the same way.
    #[schema(value_type = String)]
    pub path: Arc<str>,
    /// JSON pointer to the task in the definition.
    #[schema(value_type = String)]
    pub task: Arc<str>,
    pub name: String,
    /// Both are there, ended in the same way and gave the same.
    pub is_same: bool,
    pub a: Option<TaskView>,
    pub b: Option<TaskView>,
}

/// The instances of two executions, paired by their paths.
pub fn compare_tasks(a: Vec<TaskView>, b: Vec<TaskView>) -> Vec<TaskDiff> {
    let mut places: HashMap<Arc<str>, usize> = HashMap::with_capacity(b.len());
    places.extend(b.iter().enumerate().map(|(place, task)| (Arc::clone(&task.path), place)));
    let mut left: Vec<Option<TaskView>> = b.into_iter().map(Some).collect();
    let mut found = Vec::with_capacity(a.len());
    for task in a {
        let other = places.get(&task.path).and_then(|place| left.get_mut(*place)?.take());
        let is_same = other.as_ref().is_some_and(|other| task.ended_like(other));
        found.push(TaskDiff { a: Some(task.clone()), b: other, ..TaskDiff::of(&task, is_same) });
    }
    found.extend(
        left.into_iter().flatten().map(|task| TaskDiff { b: Some(task.clone()), ..TaskDiff::of(&task, false) }),
    );
    found
}

impl TaskDiff {
    fn of(task: &TaskView, is_same: bool) -> Self {
        let (path, pointer, name) = (Arc::clone(&task.path), Arc::clone(&task.task), task.name.clone());
        Self { path, task: pointer, name, is_same, a: None, b: None }
    }
}
