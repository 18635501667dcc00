//! Applying: the only way in which a state changes. Total, and nothing is evaluated.
//!
//! An event finds its place by its path. Most changes of phase have no event of their own: the first event of a list opens it, so
//! `…/i3/s0:get` moves a loop to its fourth iteration and `…/h/s0:note` a try to its handler.

use super::document::{Document, Documents, Fetch, Place, next_attempt};
use super::list::Opening;
use super::program::Program;
use super::resource::ResourceRule;
use super::state::{Effect, EffectResult, Frame, List, ListEnd, State, TryPhase, Work};
use crate::domain::quota::Breach;
use crate::domain::{Event, EventBody, Status, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Applies one event. Events that do not fit the state change nothing but its `last_seq`.
pub fn apply(program: &Program, state: &mut State, event: &Event) {
    state.last_seq = event.seq;
    if let Some(path) = &event.path {
        if path.is_empty() {
            return apply_to_fetch(program, state, event);
        }
        if state.status == Status::Waiting {
            state.status = Status::Running;
        }
        return apply_to_task(program, state, event);
    }
    match &event.body {
        EventBody::ExecutionStarted { input, deadline } => {
            state.status = Status::Running;
            state.started_at = Some(event.at);
            state.deadline = *deadline;
            state.wall_deadline = state.budget.wall_deadline(event.at);
            let input = input.as_ref().map_or_else(|| Arc::clone(&state.raw_input), |input| Arc::new(input.clone()));
            state.main = Some(List::new(program.main, "".into(), input));
        }
        EventBody::ExecutionWaiting {} => state.status = Status::Waiting,
        EventBody::ExecutionPaused { .. } => {
            state.status = Status::Paused;
            state.paused_at = Some(event.at);
        }
        EventBody::ApprovalRequested { prompt, limit, .. } => {
            state.breach = Some(Breach { limit: *limit, reason: prompt.clone() });
        }
        EventBody::ApprovalGiven { change, .. } => state.approve(*change),
        EventBody::ExecutionResumed { paused_us, .. } => {
            state.status = Status::Running;
            state.paused_at = None;
            state.breach = None;
            state.shift_timeouts(*paused_us);
            state.withhold_nothing();
        }
        EventBody::ExecutionRecovered { .. } => {
            state.ask_again();
        }
        EventBody::ExecutionCompleted { output } => {
            state.output = Some(Arc::new(output.clone()));
            state.finish(Status::Succeeded);
        }
        EventBody::ExecutionFailed { error } => {
            state.error = Some(error.clone());
            state.finish(Status::Failed);
        }
        EventBody::ExecutionCancelled { .. } => state.finish(Status::Cancelled),
        EventBody::ExecutionCreated(_)
        | EventBody::TaskStarted { .. }
        | EventBody::TaskCompleted { .. }
        | EventBody::TaskSkipped {}
        | EventBody::TaskFailed { .. }
        | EventBody::TaskRetried { .. }
        | EventBody::TaskCancelled { .. }
        | EventBody::EffectScheduled { .. }
        | EventBody::EffectWithheld { .. }
        | EventBody::EffectCompleted { .. }
        | EventBody::EffectFailed { .. }
        | EventBody::TimerSet { .. }
        | EventBody::TimerFired { .. }
        | EventBody::ChildStarted { .. }
        | EventBody::ChildFinished { .. }
        | EventBody::UsageRecorded(_) => {}
    }
}

fn apply_to_task(program: &Program, state: &mut State, event: &Event) {
    let Some(path) = &event.path else { return };
    let State { main: Some(main), context, completed_tasks, resources, .. } = state else { return };
    match &event.body {
        EventBody::TaskStarted { .. } | EventBody::TaskSkipped {} => {
            let context = Arc::clone(main.context_at(path).unwrap_or(context));
            let mut opening = Opening { program, context, completed_tasks };
            if let Some(list) = main.opened_for(path, &mut opening) {
                list.begin(event, &mut opening);
            }
        }
        EventBody::TaskCompleted { output, context: exported, directive } => {
            *completed_tasks = completed_tasks.saturating_add(1);
            if let Some(exported) = exported {
                let exported = Arc::new(exported.clone());
                if !main.set_branch_context(path, &exported) {
                    *context = exported;
                }
            }
            if let Some(list) = main.owner(path) {
                list.current = None;
                list.value = Arc::new(output.clone());
                list.only_skipped = false;
                list.go_on(program, directive.as_deref().unwrap_or_default());
            }
        }
        EventBody::TaskFailed { error } => {
            *completed_tasks = completed_tasks.saturating_add(1);
            main.note_branch_failure(path, error);
            if let Some(list) = main.owner(path) {
                list.end_with(ListEnd::Failed(Box::new(error.clone())));
            }
        }
        EventBody::TaskCancelled { .. } => {
            if let Some(list) = main.owner(path) {
                list.end_with(ListEnd::Cancelled);
            }
        }
        EventBody::TaskRetried { .. }
        | EventBody::EffectScheduled { .. }
        | EventBody::EffectWithheld { .. }
        | EventBody::EffectCompleted { .. }
        | EventBody::EffectFailed { .. }
        | EventBody::TimerSet { .. }
        | EventBody::TimerFired { .. }
        | EventBody::ChildStarted { .. }
        | EventBody::ChildFinished { .. } => {
            let mut opening = Opening { program, context: Arc::clone(context), completed_tasks };
            if let Some(frame) = main.owner(path).and_then(|list| list.current.as_mut()) {
                if let Some(fetch) = frame.fetch.as_mut().filter(|fetch| fetch.effect.result.is_none()) {
                    let resource = program.resource(program.node(frame.node), fetch.place);
                    return fetch.end(event, resource, resources, &mut frame.documents);
                }
                frame.advance(event, &mut opening);
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
        | EventBody::ApprovalRequested { .. }
        | EventBody::ApprovalGiven { .. }
        | EventBody::UsageRecorded(_) => {}
    }
}

/// What happens to the fetch of a schema of the workflow itself.
fn apply_to_fetch(program: &Program, state: &mut State, event: &Event) {
    let State { fetch, resources, documents, .. } = state;
    if let EventBody::EffectScheduled { kind, .. } = &event.body {
        let effect = Effect::asked(next_attempt(fetch.as_ref()), event.at);
        *fetch = Place::of_kind(kind).map(|place| Fetch { place, effect });
    } else if let Some(fetch) = fetch {
        let resource = program.resource(None, fetch.place);
        fetch.end(event, resource, resources, documents);
    }
}

impl Fetch {
    /// Takes in the outcome. The document is kept for the whole execution when its address is literal.
    fn end(
        &mut self,
        event: &Event,
        resource: Option<&ResourceRule>,
        shared: &mut BTreeMap<Arc<str>, Document>,
        own: &mut Documents,
    ) {
        if let EventBody::EffectFailed { error } = &event.body {
            self.effect.result = Some(EffectResult::Failed(Box::new(error.clone())));
        } else if let EventBody::EffectCompleted { output: Some(document) } = &event.body {
            self.effect.result = Some(EffectResult::Completed { output: None });
            let document = Document::new(Arc::new(document.clone()));
            match resource.and_then(|resource| resource.key.as_ref()) {
                Some(key) => drop(shared.insert(Arc::clone(key), document)),
                None => drop(own.insert(self.place, document)),
            }
        }
    }
}

impl State {
    fn finish(&mut self, status: Status) {
        self.status = status;
        self.main = None;
        self.fetch = None;
        self.documents.clear();
        self.resources.clear();
        self.deadline = None;
        self.wall_deadline = None;
        self.paused_at = None;
        self.breach = None;
    }

    /// Raises the attempt of every effect whose outcome is outstanding. What was withheld is asked for when it goes on.
    fn ask_again(&mut self) {
        let again = |effect: &mut Effect| {
            if effect.result.is_none() && !effect.is_withheld {
                effect.attempt = effect.attempt.saturating_add(1);
            }
        };
        self.fetch.iter_mut().for_each(|fetch| again(&mut fetch.effect));
        self.change_frames(&mut |frame| {
            frame.fetch.iter_mut().for_each(|fetch| again(&mut fetch.effect));
            if let Work::Effect(effect) = &mut frame.work {
                again(effect);
            }
        });
    }

    /// Moves every timeout by the length of a pause. Waits and retry delays run on while paused.
    fn shift_timeouts(&mut self, micros: i64) {
        let shift =
            |deadline: &mut Option<Timestamp>| *deadline = deadline.map(|deadline| deadline.plus_micros(micros));
        shift(&mut self.deadline);
        shift(&mut self.wall_deadline);
        self.change_frames(&mut |frame| {
            shift(&mut frame.deadline);
            // Outcomes may have come in for any of the branches.
            if let Work::Fork { latest, .. } = &mut frame.work {
                *latest = 0;
            }
            if let Work::Try(work) = &mut frame.work
                && let TryPhase::Attempt { deadline, .. } = &mut work.phase
            {
                shift(deadline);
            }
        });
    }

    /// What was withheld is asked for again.
    fn withhold_nothing(&mut self) {
        self.change_frames(&mut |frame| {
            if let Work::Effect(effect) = &mut frame.work {
                effect.is_withheld = false;
            }
        });
    }

    fn change_frames(&mut self, change: &mut dyn FnMut(&mut Frame)) {
        if let Some(main) = &mut self.main {
            main.change_frames(change);
        }
    }
}
