//! How far an execution is: how many tasks are done, and how many there will be when that can be told.
//!
//! What is ahead is read off the state and not added up from events: a loop counts all its rounds from its first one on, and
//! what is left early counts no longer. Nothing is told while it depends on what nobody knows yet: the items of a loop that
//! has not begun, a `while`, a directive that goes back.

use super::program::{Kind, ListId, Next, Node, NodeId, Program};
use super::state::{Frame, List, ListEnd, State, TryPhase, Work};
use crate::domain::Progress;
use std::collections::HashMap;
use std::sync::Arc;

/// How many tasks; `None` when that cannot be told.
type Count = Option<u32>;

impl State {
    /// How far the execution is.
    pub fn progress(&self, program: &Program) -> Progress {
        let completed_tasks = self.completed_tasks;
        let left = match &self.main {
            _ if self.status.is_terminal() => Some(0),
            Some(main) => left_of_list(program, main),
            None => None,
        };
        Progress { completed_tasks, known_tasks: left.map_or(0, |left| completed_tasks.saturating_add(left)) }
    }
}

fn left_of_list(program: &Program, list: &List) -> Count {
    if !matches!(list.end, ListEnd::Open) {
        return Some(0);
    }
    match &list.current {
        None => ahead_in(program, list.id, list.position),
        Some(task) => {
            let after = ahead_in(program, list.id, list.position.saturating_add(1))?;
            Some(left_of_task(program, task)?.saturating_add(1).saturating_add(after))
        }
    }
}

/// How many tasks inside a started task are still to end.
fn left_of_task(program: &Program, task: &Frame) -> Count {
    let kind = program.node(task.node).map(|node| &node.kind);
    match &task.work {
        Work::Fresh | Work::Effect(_) | Work::Wait { .. } | Work::Child { .. } => Some(0),
        Work::List(list) => left_of_list(program, list),
        Work::For { collection, index, list } => {
            let Some(Kind::For(rule)) = kind else { return None };
            if rule.condition.is_some() {
                return None;
            }
            let begun = list.as_ref().map_or(0, |_| index.saturating_add(1));
            let rounds = collection.len().saturating_sub(begun);
            let this_round = list.as_ref().map_or(Some(0), |list| left_of_list(program, list))?;
            if rounds == 0 {
                return Some(this_round);
            }
            let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
            Some(ahead_in(program, rule.body, 0)?.saturating_mul(rounds).saturating_add(this_round))
        }
        Work::Fork { branches, .. } => sum(branches.iter().map(|branch| left_of_list(program, &branch.list))),
        Work::Try(work) => match &work.phase {
            TryPhase::Attempt { list, .. } | TryPhase::Handler { list, .. } => left_of_list(program, list),
            TryPhase::Delay { .. } => {
                let Some(Kind::Try(rule)) = kind else { return None };
                ahead_in(program, rule.body, 0)
            }
        },
    }
}

fn ahead_in(program: &Program, list: ListId, position: usize) -> Count {
    at(&program.ahead, list).and_then(|counts| counts.get(position)).copied().unwrap_or(Some(0))
}

fn at<T>(lists: &[T], list: ListId) -> Option<&T> {
    lists.get(usize::try_from(list.0).ok()?)
}

fn sum(mut counts: impl Iterator<Item = Count>) -> Count {
    counts.try_fold(0_u32, |sum, count| Some(sum.saturating_add(count?)))
}

/// For every list and position: how many tasks there are from there to the end of the list, with those inside them.
///
/// Lists wait for those inside them on a stack of their own: a chain of calls may be longer than a thread's stack is deep.
pub(super) fn ahead(nodes: &[Node], lists: &[Vec<NodeId>]) -> Vec<Vec<Count>> {
    let tasks = |list: ListId| at(lists, list).into_iter().flatten();
    let node = |id: &NodeId| nodes.get(usize::try_from(id.0).ok()?);
    let mut known: Vec<Option<Vec<Count>>> = vec![None; lists.len()];
    let mut is_begun = vec![false; lists.len()];
    let mut waiting: Vec<ListId> = (0..lists.len()).filter_map(|list| u32::try_from(list).ok().map(ListId)).collect();
    while let Some(list) = waiting.last().copied() {
        let Some(index) = usize::try_from(list.0).ok().filter(|index| *index < lists.len()) else {
            waiting.pop();
            continue;
        };
        let was_begun = is_begun.get_mut(index).is_some_and(|begun| std::mem::replace(begun, true));
        let mut inner = tasks(list)
            .filter_map(node)
            .flat_map(|task| inner_lists(&task.kind))
            .filter(|inner| at(&is_begun, *inner).is_some_and(|begun| !begun));
        if !was_begun && let Some(first) = inner.next() {
            waiting.push(first);
            waiting.extend(inner);
            continue;
        }
        waiting.pop();
        let is_known = known.get(index).is_some_and(Option::is_some);
        if !is_known {
            // What calls itself is not known when it is asked for.
            let whole = |inner: ListId| at(&known, inner)?.as_ref()?.first().copied().unwrap_or(Some(0));
            let counts = counts_of(tasks(list).filter_map(node).collect(), &whole);
            if let Some(place) = known.get_mut(index) {
                *place = Some(counts);
            }
        }
    }
    known.into_iter().map(Option::unwrap_or_default).collect()
}

/// The counts of a list from each of its tasks on, where those of the lists inside are known.
fn counts_of(tasks: Vec<&Node>, whole: &dyn Fn(ListId) -> Count) -> Vec<Count> {
    let places: HashMap<&Arc<str>, usize> = tasks.iter().enumerate().map(|(place, task)| (&task.name, place)).collect();
    let mut after = Some(0);
    let mut counts: Vec<Count> = Vec::with_capacity(tasks.len());
    for (position, task) in tasks.iter().enumerate().rev() {
        // How often a loop runs its tasks is known when it begins.
        let is_loop = matches!(&task.kind, Kind::For(rule) if whole(rule.body) != Some(0));
        let inside = if is_loop { None } else { sum(inner_lists(&task.kind).into_iter().map(whole)) };
        let goes_back = directives(&task.kind).chain(std::iter::once(&task.then)).any(|next| match next {
            Next::Task(name) => places.get(name).is_some_and(|place| *place <= position),
            Next::Continue | Next::Exit | Next::End => false,
        });
        after = if goes_back { None } else { sum([after, inside, Some(1)].into_iter()) };
        counts.push(after);
    }
    counts.reverse();
    counts
}

/// The lists that a task runs when all goes well.
fn inner_lists(kind: &Kind) -> Vec<ListId> {
    match kind {
        Kind::Do(list) | Kind::Function { body: list, .. } => vec![*list],
        Kind::For(rule) => vec![rule.body],
        Kind::Try(rule) => vec![rule.body],
        Kind::Fork { branches, .. } => branches.clone(),
        Kind::Set(_)
        | Kind::Switch(_)
        | Kind::Raise(_)
        | Kind::Wait(_)
        | Kind::Http(_)
        | Kind::Agent(_)
        | Kind::Shell(_)
        | Kind::Workflow(_) => Vec::new(),
    }
}

/// Where a task may go on besides its own `then`.
fn directives(kind: &Kind) -> Box<dyn Iterator<Item = &Next> + '_> {
    match kind {
        Kind::Switch(cases) => Box::new(cases.iter().map(|case| &case.then)),
        Kind::Try(rule) => Box::new(rule.then.iter()),
        Kind::Do(_)
        | Kind::Function { .. }
        | Kind::For(_)
        | Kind::Fork { .. }
        | Kind::Set(_)
        | Kind::Raise(_)
        | Kind::Wait(_)
        | Kind::Http(_)
        | Kind::Agent(_)
        | Kind::Shell(_)
        | Kind::Workflow(_) => Box::new(std::iter::empty()),
    }
}
