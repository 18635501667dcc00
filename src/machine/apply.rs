//! Applying: the only way in which a state changes. Total, and nothing is evaluated.
//!
//! An event finds its place by its path. Most changes of phase have no event of their own: the first event of a list opens it, so
//! `…/i3/s0:get` moves a loop to its fourth iteration and `…/h/s0:note` a try to its handler.

use super::list::Opening;
use super::program::{ListId, Program};
use super::state::{Effect, Frame, List, ListEnd, State, TryPhase, Work};
use crate::domain::quota::Breach;
use crate::domain::{Event, EventBody, Progress, Status, Timestamp};
use std::sync::Arc;

/// Applies one event. Events that do not fit the state change nothing but its `last_seq`.
pub fn apply(program: &Program, state: &mut State, event: &Event) {
    state.last_seq = event.seq;
    if event.path.is_some() {
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
            state.progress.opened(program, program.main);
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
            state.change_frames(&mut |frame| {
                if let Work::Effect(effect @ Effect { result: None, is_withheld: false, .. }) = &mut frame.work {
                    effect.attempt = effect.attempt.saturating_add(1);
                }
            });
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
    let State { main: Some(main), context, progress, .. } = state else { return };
    match &event.body {
        EventBody::TaskStarted { .. } | EventBody::TaskSkipped {} => {
            let context = Arc::clone(main.context_at(path).unwrap_or(context));
            let mut opening = Opening { program, context, progress };
            if let Some(list) = main.opened_for(path, &mut opening) {
                list.begin(event, &mut opening);
            }
        }
        EventBody::TaskCompleted { output, context: exported, directive } => {
            progress.completed_tasks = progress.completed_tasks.saturating_add(1);
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
            progress.completed_tasks = progress.completed_tasks.saturating_add(1);
            main.note_branch_failure(path, error);
            if let Some(list) = main.owner(path) {
                list.current = None;
                list.end = ListEnd::Failed(Box::new(error.clone()));
            }
        }
        EventBody::TaskCancelled { .. } => {
            if let Some(list) = main.owner(path) {
                list.current = None;
                list.end = ListEnd::Cancelled;
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
            let mut opening = Opening { program, context: Arc::clone(context), progress };
            if let Some(frame) = main.owner(path).and_then(|list| list.current.as_mut()) {
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

impl State {
    fn finish(&mut self, status: Status) {
        self.status = status;
        self.main = None;
        self.deadline = None;
        self.wall_deadline = None;
        self.paused_at = None;
        self.breach = None;
        self.progress.known_tasks = self.progress.completed_tasks;
    }

    /// Moves every timeout by the length of a pause. Waits and retry delays run on while paused.
    fn shift_timeouts(&mut self, micros: i64) {
        let shift =
            |deadline: &mut Option<Timestamp>| *deadline = deadline.map(|deadline| deadline.plus_micros(micros));
        shift(&mut self.deadline);
        shift(&mut self.wall_deadline);
        self.change_frames(&mut |frame| {
            shift(&mut frame.deadline);
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

impl Progress {
    pub(super) fn opened(&mut self, program: &Program, list: ListId) {
        let tasks = u32::try_from(program.list(list).len()).unwrap_or(u32::MAX);
        self.known_tasks = self.known_tasks.saturating_add(tasks);
    }
}
