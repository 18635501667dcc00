//! The changes of started tasks: opening their lists, taking in outcomes and timers.

use super::call_function::body_path;
use super::document::{Fetch, Place};
use super::for_loop::iteration_path;
use super::fork::{branch_index, branch_path};
use super::list::{Opening, holds};
use super::program::{Kind, ListId, Node};
use super::state::{Branch, ChildResult, Effect, EffectResult, Frame, List, ListEnd, Shared, TryPhase, TryWork, Work};
use super::try_catch::{attempt_path, handler_path};
use crate::domain::{Event, EventBody, Failure, StandardType, TimerPurpose};
use serde_json::Value;
use std::sync::Arc;

/// What was evaluated once at the start of a task.
pub(super) struct Once<'a> {
    pub(super) collection: Option<&'a Vec<Value>>,
    pub(super) arguments: Option<&'a Value>,
}

impl Frame {
    /// The list inside this task that holds a path.
    pub(super) fn list_holding(&mut self, path: &str) -> Option<&mut List> {
        if !matches!(self.work, Work::Fork { .. }) {
            return self.lists_mut().into_iter().find(|list| holds(&list.prefix, path));
        }
        let index = branch_index(&self.path, path)?;
        let Work::Fork { branches, latest, .. } = &mut self.work else { return None };
        *latest = index;
        branches.get_mut(index).map(|branch| &mut branch.list)
    }

    pub(super) fn lists_mut(&mut self) -> Vec<&mut List> {
        match &mut self.work {
            Work::Fresh | Work::Effect(_) | Work::Wait { .. } | Work::Child { .. } => Vec::new(),
            Work::List(list) => vec![list],
            Work::For { list, .. } => list.iter_mut().collect(),
            Work::Fork { branches, .. } => branches.iter_mut().map(|branch| &mut branch.list).collect(),
            Work::Try(work) => match &mut work.phase {
                TryPhase::Attempt { list, .. } | TryPhase::Handler { list, .. } => vec![list],
                TryPhase::Delay { .. } => Vec::new(),
            },
        }
    }

    /// Opens the list that begins with the task at this path: an iteration, an attempt or the handler.
    pub(super) fn open(&mut self, path: &str, opening: &mut Opening<'_>) {
        let program = opening.program;
        let Some(node) = program.node(self.node) else { return };
        match (&node.kind, &mut self.work) {
            (Kind::For(rule), Work::For { index, list, .. }) => {
                let next = list.as_ref().map_or(0, |_| index.saturating_add(1));
                let prefix = iteration_path(&self.path, next);
                if holds(&prefix, path) {
                    let value = list.as_ref().map_or_else(|| Arc::clone(&self.input), |list| Arc::clone(&list.value));
                    *index = next;
                    *list = Some(opening.list(rule.body, prefix, &value));
                }
            }
            (Kind::Try(rule), Work::Try(work)) => {
                let handler = handler_path(&self.path);
                let attempt = attempt_path(&self.path, work.attempt);
                if let (Some(id), true) = (rule.handler, holds(&handler, path)) {
                    work.handle(opening.list(id, handler, &self.input));
                } else if holds(&attempt, path) {
                    let list = opening.list(rule.body, attempt, &self.input);
                    work.phase = TryPhase::Attempt { list, deadline: None };
                }
            }
            _ => {}
        }
    }

    /// Takes in what happened to this task itself.
    pub(super) fn advance(&mut self, event: &Event, opening: &mut Opening<'_>) {
        let next_attempt = self.next_attempt();
        match (&event.body, &mut self.work) {
            (EventBody::EffectScheduled { kind, .. }, work) => {
                let effect = Effect::asked(next_attempt, event.at);
                match Place::of_kind(kind) {
                    Some(place) => self.fetch = Some(Fetch { place, effect }),
                    None => *work = Work::Effect(effect),
                }
            }
            (EventBody::EffectWithheld { .. }, Work::Effect(effect)) => effect.is_withheld = true,
            (EventBody::EffectCompleted { output }, Work::Effect(effect)) => {
                effect.result =
                    Some(EffectResult::Completed { output: output.as_ref().map(|output| Arc::new(output.clone())) });
            }
            (EventBody::EffectFailed { error }, Work::Effect(effect)) => {
                effect.result = Some(EffectResult::Failed(Box::new(error.clone())));
            }
            (EventBody::TimerSet { purpose: TimerPurpose::Wait, deadline }, work) => {
                *work = Work::Wait { deadline: *deadline, is_over: false };
            }
            (EventBody::TimerSet { purpose: TimerPurpose::AttemptTimeout, deadline }, Work::Try(_)) => {
                self.limit_attempt(*deadline, opening);
            }
            (EventBody::TimerFired { purpose: TimerPurpose::Wait }, Work::Wait { is_over, .. }) => *is_over = true,
            (EventBody::TimerFired { purpose: TimerPurpose::Retry }, Work::Try(work)) => work.end_delay(),
            (EventBody::TimerFired { purpose: TimerPurpose::AttemptTimeout }, Work::Try(work)) => {
                work.time_out(&self.pointer);
            }
            (EventBody::TaskRetried { next_attempt, deadline, .. }, Work::Try(work)) => {
                work.attempt = *next_attempt;
                work.phase = TryPhase::Delay { deadline: *deadline, is_over: *deadline <= event.at };
            }
            (EventBody::ChildStarted { child_id, .. }, work) => {
                *work = Work::Child { child_id: *child_id, result: None };
            }
            (EventBody::ChildFinished { status, output, error, .. }, Work::Child { result, .. }) => {
                let output = output.as_ref().map(|output| Arc::new(output.clone()));
                *result = Some(Box::new(ChildResult { status: *status, output, error: error.clone() }));
            }
            _ => {}
        }
    }

    /// Sets the limit of the attempt that is about to begin.
    fn limit_attempt(&mut self, limit: crate::domain::Timestamp, opening: &mut Opening<'_>) {
        let program = opening.program;
        let (Some(Kind::Try(rule)), Work::Try(work)) = (program.node(self.node).map(|node| &node.kind), &mut self.work)
        else {
            return;
        };
        if let TryPhase::Delay { is_over: true, .. } = work.phase {
            let list = opening.list(rule.body, attempt_path(&self.path, work.attempt), &self.input);
            work.phase = TryPhase::Attempt { list, deadline: None };
        }
        if let TryPhase::Attempt { deadline, .. } = &mut work.phase {
            *deadline = Some(limit);
        }
    }
}

impl TryWork {
    fn handle(&mut self, handler: List) {
        if let TryPhase::Attempt { list: List { end: ListEnd::Failed(error), .. }, .. } = &self.phase {
            self.phase = TryPhase::Handler { list: handler, error: error.clone() };
        }
    }

    fn end_delay(&mut self) {
        if let TryPhase::Delay { is_over, .. } = &mut self.phase {
            *is_over = true;
        }
    }

    /// The limit of the attempt has expired: that is the error of the attempt.
    fn time_out(&mut self, pointer: &str) {
        if let TryPhase::Attempt { list, deadline } = &mut self.phase {
            *deadline = None;
            list.current = None;
            let detail = "The attempt took longer than its limit";
            let failure = Failure::new(StandardType::Timeout, "Attempt timed out", detail)
                .with_suggestion("`catch.retry.limit.attempt.duration` gives each attempt more time");
            list.end = ListEnd::Failed(Box::new(failure.at(pointer)));
        }
    }
}

impl Opening<'_> {
    fn list(&mut self, id: ListId, prefix: Arc<str>, value: &Shared) -> List {
        List::new(id, prefix, Arc::clone(value))
    }

    /// What a task has under way right after its start.
    pub(super) fn begun(&mut self, node: &Node, path: &Arc<str>, input: &Shared, once: &Once<'_>) -> Work {
        match &node.kind {
            Kind::Do(id) => Work::List(self.list(*id, Arc::clone(path), input)),
            Kind::Function { body, .. } => {
                let arguments = Arc::new(once.arguments.cloned().unwrap_or_default());
                Work::List(List { is_function_body: true, ..self.list(*body, body_path(path), &arguments) })
            }
            Kind::For(_) => {
                let collection = Arc::new(once.collection.cloned().unwrap_or_default());
                Work::For { collection, index: 0, list: None }
            }
            Kind::Fork { branches, .. } => {
                let context = Arc::clone(&self.context);
                let branches = branches.iter().enumerate().map(|(index, id)| {
                    let list = self.list(*id, branch_path(path, index), input);
                    Branch { list, context: Arc::clone(&context) }
                });
                Work::Fork { branches: branches.collect(), context: Arc::clone(&context), last_error: None, latest: 0 }
            }
            Kind::Try(rule) => {
                let list = self.list(rule.body, attempt_path(path, 0), input);
                Work::Try(Box::new(TryWork { attempt: 0, phase: TryPhase::Attempt { list, deadline: None } }))
            }
            Kind::Set(_)
            | Kind::Switch(_)
            | Kind::Raise(_)
            | Kind::Wait(_)
            | Kind::Http(_)
            | Kind::Agent(_)
            | Kind::Shell(_)
            | Kind::Workflow(_) => Work::Fresh,
        }
    }
}
