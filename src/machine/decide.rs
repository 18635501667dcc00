//! Deciding: what comes next, seen from the state alone. Nothing here changes the state.
//!
//! [`decide`] walks down the tree of frames to the first place where something can be done and returns the events for it. The
//! files of the task kinds say what that is for each kind; starting, completing, failing and cancelling are the same for all
//! and are here.

use super::action::Action;
use super::document::Place;
use super::preparation::{Preparation, prepare};
use super::program::{DataRule, Kind, Next, Node, NodeId};
use super::resource::{self, Readiness};
use super::scope::{Local, LocalValue, Scope, View};
use super::secrets::{with_known_input, with_true_input};
use super::state::{Effect, Frame, List, ListEnd, Shared, TryPhase, Work};
use super::{call_function, effect, for_loop, fork, raise, run_workflow, set, switch, try_catch, wait};
use crate::domain::{EventBody, Failure, Path, Pointer, StandardType, TimerPurpose};
use serde_json::Value;
use std::sync::Arc;

/// Events that belong together, and what is to be done about them.
#[derive(Debug, Default)]
pub(super) struct Decision {
    pub(super) drafts: Vec<Draft>,
    pub(super) actions: Vec<Action>,
}

/// An event without number and time.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) task: Option<Pointer>,
    pub(super) path: Option<Path>,
    pub(super) body: EventBody,
}

/// Started tasks may stand in each other this deep. Deciding, applying and dropping a state descend through them: this many leave
/// room on a thread's stack for the deepest expression.
const MAX_FRAMES: usize = 140;

/// How things stand with a list.
pub(super) enum ListStep {
    /// It waits for the world.
    Blocked,
    Decided(Decision),
    /// It is at its end, see [`List::end`], or has no task at all.
    Finished,
}

/// How a task completes, besides its raw output.
#[derive(Default)]
pub(super) struct Completion<'a> {
    /// Instead of the task's own `then`.
    pub(super) then: Option<&'a Next>,
    /// Something inside said `end`.
    pub(super) is_end: bool,
    /// The context as branches left it.
    pub(super) context: Option<Shared>,
}

/// A started task in its surroundings.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// The surroundings of the task itself, not of the lists inside it.
    pub(super) scope: Scope<'a>,
    pub(super) frame: &'a Frame,
    pub(super) node: &'a Node,
}

impl Decision {
    pub(super) fn push(&mut self, pointer: &Pointer, path: &Path, body: EventBody) {
        self.drafts.push(Draft { task: Some(Arc::clone(pointer)), path: Some(Arc::clone(path)), body });
    }

    /// Cancels whatever is under way in the lists of a frame, innermost first.
    pub(super) fn cancel_below(&mut self, frame: &Frame, reason: &str) {
        for current in frame.lists().filter_map(|list| list.current.as_deref()) {
            self.cancel(current, reason);
        }
    }

    pub(super) fn cancel(&mut self, frame: &Frame, reason: &str) {
        self.cancel_below(frame, reason);
        self.stop_waiting(frame);
        if let Some(effect) = frame.outstanding_effect() {
            self.actions.push(Action::CancelEffect { path: Arc::clone(&frame.path), attempt: effect.attempt });
        }
        if let Work::Child { child_id, result: None } = &frame.work {
            self.actions.push(Action::CancelChild { child_id: *child_id });
        }
        self.push(&frame.pointer, &frame.path, EventBody::TaskCancelled { reason: Some(reason.to_owned()) });
    }

    /// Disarms the timers of a frame itself.
    fn stop_waiting(&mut self, frame: &Frame) {
        for (purpose, _) in frame.timers() {
            self.actions.push(Action::CancelTimer { path: Arc::clone(&frame.path), purpose });
        }
    }
}

/// What comes next in a list.
pub(super) fn decide(scope: &Scope<'_>, list: &List) -> ListStep {
    if list.end != ListEnd::Open {
        return ListStep::Finished;
    }
    if let Some(frame) = &list.current {
        let Some(node) = scope.program.node(frame.node) else { return ListStep::Blocked };
        return match decide_task(&Task { scope: scope.inside(), frame, node }) {
            Some(decision) => ListStep::Decided(decision),
            None => ListStep::Blocked,
        };
    }
    match scope.program.list(list.id).get(list.position) {
        Some(id) => ListStep::Decided(start(scope, list, *id)),
        None => ListStep::Finished,
    }
}

fn decide_task(task: &Task<'_>) -> Option<Decision> {
    match resource::readiness(task) {
        Readiness::Ready => {}
        Readiness::Blocked => return None,
        Readiness::Fetch(decision) => return Some(decision),
        Readiness::Failed(failure) => return Some(task.fail(failure)),
    }
    match &task.frame.work {
        Work::Effect(Effect { result: None, .. }) | Work::Child { result: None, .. } => None,
        Work::Fresh => with_true_input(task, decide_kind).unwrap_or_else(|failure| Some(task.fail(failure))),
        Work::Effect(_)
        | Work::Wait { .. }
        | Work::Child { .. }
        | Work::List(_)
        | Work::For { .. }
        | Work::Fork { .. }
        | Work::Try(_) => with_known_input(task, decide_kind),
    }
}

fn decide_kind(task: &Task<'_>) -> Option<Decision> {
    match &task.node.kind {
        Kind::Do(_) => decide_do(task),
        Kind::Set(template) => Some(set::decide(task, template)),
        Kind::Switch(cases) => Some(switch::decide(task, cases)),
        Kind::For(rule) => for_loop::decide(task, rule),
        Kind::Fork { compete, .. } => fork::decide(task, *compete),
        Kind::Try(rule) => try_catch::decide(task, rule),
        Kind::Raise(rule) => Some(raise::decide(task, rule)),
        Kind::Wait(rule) => wait::decide(task, rule),
        Kind::Http(_) | Kind::Agent(_) | Kind::Shell(_) => effect::decide(task),
        Kind::Function { .. } => call_function::decide(task),
        Kind::Workflow(rule) => run_workflow::decide(task, rule),
    }
}

fn decide_do(task: &Task<'_>) -> Option<Decision> {
    let Work::List(list) = &task.frame.work else { return None };
    task.decide_list(&task.scope, list, |value| task.complete(value, Completion::default()))
}

/// Starts a task, or skips it when its condition is false.
fn start(scope: &Scope<'_>, list: &List, id: NodeId) -> Decision {
    let mut decision = Decision::default();
    let Some(node) = scope.program.node(id) else { return decision };
    let (path, pointer) = (list.step_path(node), scope.pointer(node));
    let raw_input = &list.value;
    let view = View {
        node,
        pointer: &pointer,
        started_at: scope.moment.at,
        raw_input,
        input: None,
        raw_output: None,
        output: None,
        authorization: None,
    };
    let condition = node.condition.as_ref().map(|condition| scope.is_true(condition, raw_input, Some(&view)));
    if let Some(Ok(false)) = condition {
        decision.push(&pointer, &path, EventBody::TaskSkipped {});
        return decision;
    }
    let condition_holds = !matches!(condition, Some(Err(_)));
    let is_too_deep = node.kind.has_lists() && scope.depth >= MAX_FRAMES;
    let prepared = condition.unwrap_or(Ok(true)).and_then(|_| prepare(scope, raw_input, &view));
    let (preparation, failure) = match prepared {
        _ if is_too_deep => (Preparation::default(), Some(too_deep())),
        Ok(preparation) => (preparation, None),
        // The check of the input comes first, which is not possible yet; then it is tried again.
        Err(_) if condition_holds && node.input.resource().is_some() => (Preparation::default(), None),
        Err(failure) => (Preparation::default(), Some(failure)),
    };
    let Preparation { input, deadline, collection, arguments } = preparation;
    decision.push(&pointer, &path, EventBody::TaskStarted { input, deadline, collection, arguments });
    match (failure, deadline) {
        (Some(failure), _) => decision.push(&pointer, &path, EventBody::TaskFailed { error: failure.at(&pointer) }),
        (None, Some(deadline)) => {
            decision.actions.push(Action::SetTimer { path, purpose: TimerPurpose::TaskTimeout, deadline });
        }
        (None, None) => {}
    }
    decision
}

impl<'a> Task<'a> {
    /// What the expressions of the task's definition see.
    pub(super) fn view(&self) -> View<'a> {
        View {
            node: self.node,
            pointer: &self.frame.pointer,
            started_at: self.frame.started_at,
            raw_input: &self.frame.raw_input,
            input: Some(&self.frame.input),
            raw_output: None,
            output: None,
            authorization: None,
        }
    }

    /// Evaluates a template of the task's definition on its transformed input.
    pub(super) fn template(&self, template: &super::expression::Template) -> Result<Value, Failure> {
        self.scope.template(template, &self.frame.input, Some(&self.view()))
    }

    /// The scope of the lists inside: the iteration's variables, the caught error, the caller of a function.
    pub(super) fn with_local<T>(&self, name: &str, value: LocalValue<'_>, run: impl FnOnce(&Scope<'_>) -> T) -> T {
        let local = Local { name, value, outer: self.scope.locals };
        run(&Scope { locals: Some(&local), ..self.scope })
    }

    /// What comes next in a list of this task. When the list is at its end, `done` says what its value means for the task; a
    /// failure fails the task and `end` completes it with the value.
    pub(super) fn decide_list(
        &self,
        scope: &Scope<'_>,
        list: &List,
        done: impl FnOnce(Shared) -> Decision,
    ) -> Option<Decision> {
        match decide(scope, list) {
            ListStep::Blocked => None,
            ListStep::Decided(decision) => Some(decision),
            ListStep::Finished => match &list.end {
                ListEnd::Failed(failure) => Some(self.fail(Failure::clone(failure))),
                ListEnd::Ended => {
                    Some(self.complete(Arc::clone(&list.value), Completion { is_end: true, ..Completion::default() }))
                }
                ListEnd::Open | ListEnd::Done => Some(done(Arc::clone(&list.value))),
                ListEnd::Cancelled => None,
            },
        }
    }

    /// Completes the task: `output`, `export`, the directive. A failure on the way fails it.
    pub(super) fn complete(&self, raw_output: Shared, completion: Completion<'_>) -> Decision {
        self.complete_authorized(raw_output, completion, None)
    }

    /// Like [`Self::complete`] with a value for `$authorization`.
    pub(super) fn complete_authorized(
        &self,
        raw_output: Shared,
        completion: Completion<'_>,
        authorization: Option<&Shared>,
    ) -> Decision {
        match self.completed(&raw_output, completion, authorization) {
            Ok(body) => {
                let mut decision = Decision::default();
                decision.stop_waiting(self.frame);
                decision.push(&self.frame.pointer, &self.frame.path, body);
                decision
            }
            Err(failure) => self.fail(failure),
        }
    }

    /// The event of the completion.
    fn completed(
        &self,
        raw_output: &Shared,
        completion: Completion<'_>,
        authorization: Option<&Shared>,
    ) -> Result<EventBody, Failure> {
        let Completion { then, is_end, context } = completion;
        let scope = &Scope { context: context.as_ref().unwrap_or(self.scope.context), ..self.scope };
        let view = View { raw_output: Some(raw_output), authorization, ..self.view() };
        let check = |rule: &DataRule, place: Place, value: &Value, what: &str| {
            resource::check(scope.state, &self.frame.documents, rule, place, value, what)
        };
        let output = scope.transformed(&self.node.output, raw_output, Some(&view))?;
        check(&self.node.output, Place::Output, &output, "output")?;
        let view = View { output: Some(&output), ..view };
        let export = &self.node.export;
        let exported = match &export.transform {
            Some(_) => Some(scope.transformed(export, &output, Some(&view))?),
            None => None,
        };
        check(export, Place::Export, exported.as_ref().unwrap_or(scope.context), "context")?;
        let context = exported.or(context).filter(|context| *context != *self.scope.context);
        let directive = if is_end { "end".into() } else { directive_name(then.unwrap_or(&self.node.then)) };
        Ok(EventBody::TaskCompleted {
            output: Arc::unwrap_or_clone(output),
            context: context.map(Arc::unwrap_or_clone),
            directive: (!directive.is_empty()).then_some(directive),
        })
    }

    /// Fails the task. Whatever is under way inside it is cancelled first.
    pub(super) fn fail(&self, failure: Failure) -> Decision {
        let mut decision = Decision::default();
        decision.cancel_below(self.frame, "the task around it failed");
        decision.stop_waiting(self.frame);
        let error = failure.at(&self.frame.pointer);
        decision.push(&self.frame.pointer, &self.frame.path, EventBody::TaskFailed { error });
        decision
    }
}

/// The word of a directive in the journal; empty for `continue`.
fn directive_name(next: &Next) -> Arc<str> {
    match next {
        Next::Continue => "".into(),
        Next::Exit => "exit".into(),
        Next::End => "end".into(),
        Next::Task(name) => Arc::clone(name),
    }
}

fn too_deep() -> Failure {
    let detail = format!("Tasks and function calls stand in each other more than {MAX_FRAMES} levels deep");
    Failure::new(StandardType::Runtime, "Too many nested tasks", detail)
}

impl Scope<'_> {
    /// The scope of a started task of a list that has this scope.
    fn inside(&self) -> Self {
        Self { depth: self.depth.saturating_add(1), ..*self }
    }
}

impl List {
    /// The path of the next step.
    fn step_path(&self, node: &Node) -> Path {
        if self.is_function_body {
            return Arc::clone(&self.prefix);
        }
        let separator = if self.prefix.is_empty() { "" } else { "/" };
        format!("{}{separator}s{}:{}", self.prefix, self.steps, node.escaped).into()
    }
}

/// Calls `see` with every started task in its surroundings, or, when `only` is given, with those on the way to that path.
pub(super) fn visit_tasks(scope: &Scope<'_>, list: &List, only: Option<&str>, see: &mut dyn FnMut(&Task<'_>)) {
    let Some(frame) = &list.current else { return };
    let is_on_the_way = only.is_none_or(|path| path.starts_with(&*frame.path));
    let Some(node) = scope.program.node(frame.node).filter(|_| is_on_the_way) else { return };
    let task = Task { scope: scope.inside(), frame, node };
    see(&task);
    match (&frame.work, &node.kind) {
        (Work::For { collection, index, list: Some(list) }, Kind::For(rule)) => {
            for_loop::in_iteration(&task, rule, collection, *index, |scope| visit_tasks(scope, list, only, see));
        }
        (Work::Fork { branches, .. }, _) => {
            let index = only.and_then(|path| fork::branch_index(&frame.path, path));
            let on_the_way = match index {
                Some(index) => branches.get(index..=index).unwrap_or_default(),
                None if only.is_some() => &[],
                None => branches,
            };
            for branch in on_the_way {
                let scope = Scope { context: &branch.context, ..*scope };
                visit_tasks(&scope, &branch.list, only, see);
            }
        }
        (Work::List(list), Kind::Function { .. }) => {
            call_function::in_body(&task, |scope| visit_tasks(scope, list, only, see));
        }
        (Work::Try(work), Kind::Try(rule)) => match &work.phase {
            TryPhase::Handler { list, error } => {
                task.with_local(&rule.variable, LocalValue::Error(error), |scope| visit_tasks(scope, list, only, see));
            }
            TryPhase::Attempt { list, .. } => visit_tasks(scope, list, only, see),
            TryPhase::Delay { .. } => {}
        },
        (Work::List(list), _) => visit_tasks(scope, list, only, see),
        (
            Work::Fresh | Work::Effect(_) | Work::Wait { .. } | Work::Child { .. } | Work::For { .. } | Work::Try(_),
            _,
        ) => {}
    }
}
