//! The changes of task lists: finding the place of an event, starting tasks, going on.

use super::document::Documents;
use super::fork::branch_index;
use super::frame::Once;
use super::program::Program;
use super::state::{Branch, Frame, List, ListEnd, Shared, Work};
use crate::domain::{Event, EventBody, Failure, StandardType};
use std::sync::Arc;

/// What a task needs to know that is started.
pub(super) struct Opening<'a> {
    pub(super) program: &'a Program,
    /// The context at its place.
    pub(super) context: Shared,
    pub(super) completed_tasks: &'a mut u32,
}

/// Whether a list with this prefix holds a path.
pub(super) fn holds(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| prefix.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path is that of a frame inside this one.
pub(super) fn is_inside(frame: &str, path: &str) -> bool {
    path.strip_prefix(frame).is_some_and(|rest| rest.starts_with('/'))
}

impl List {
    /// Its task is over, and the list with it.
    pub(super) fn end_with(&mut self, end: ListEnd) {
        self.current = None;
        self.end = end;
    }

    /// The list whose current task has this path.
    pub(super) fn owner(&mut self, path: &str) -> Option<&mut List> {
        let current = self.current.as_ref()?;
        if *current.path == *path {
            return Some(self);
        }
        if !is_inside(&current.path, path) {
            return None;
        }
        self.current.as_mut()?.list_holding(path)?.owner(path)
    }

    /// The list that starts or skips the task at this path. A list that begins with it is opened.
    pub(super) fn opened_for(&mut self, path: &str, opening: &mut Opening<'_>) -> Option<&mut List> {
        match &self.current {
            Some(current) if is_inside(&current.path, path) => {}
            Some(_) => return None,
            None => return Some(self),
        }
        let current = self.current.as_mut()?;
        if current.list_holding(path).is_none() {
            current.open(path, opening);
        }
        current.list_holding(path)?.opened_for(path, opening)
    }

    /// Starts or skips the next task.
    pub(super) fn begin(&mut self, event: &Event, opening: &mut Opening<'_>) {
        let program = opening.program;
        let (Some(path), Some(pointer)) = (&event.path, &event.task) else { return };
        let found = program.list(self.id).get(self.position).and_then(|id| Some((*id, program.node(*id)?)));
        let Some((id, node)) = found else { return };
        self.steps = self.steps.saturating_add(1);
        let EventBody::TaskStarted { input, deadline, collection, arguments } = &event.body else {
            *opening.completed_tasks = opening.completed_tasks.saturating_add(1);
            return self.go_on(program, "");
        };
        let raw_input = Arc::clone(&self.value);
        let input = input.as_ref().map_or_else(|| Arc::clone(&raw_input), |input| Arc::new(input.clone()));
        let once = Once { collection: collection.as_ref(), arguments: arguments.as_ref() };
        let work = opening.begun(node, path, &input, &once);
        self.current = Some(Box::new(Frame {
            path: Arc::clone(path),
            pointer: Arc::clone(pointer),
            node: id,
            raw_input,
            input,
            started_at: event.at,
            deadline: *deadline,
            fetch: None,
            documents: Documents::new(),
            work,
        }));
    }

    /// Moves to the task that a directive names.
    pub(super) fn go_on(&mut self, program: &Program, directive: &str) {
        let is_last = self.position.saturating_add(1) >= program.list(self.id).len();
        match directive {
            "exit" => self.end = ListEnd::Done,
            "end" => self.end = ListEnd::Ended,
            "" if is_last => self.end = ListEnd::Done,
            "" => self.position = self.position.saturating_add(1),
            name => match program.position_of(self.id, name) {
                Some(position) => self.position = position,
                None => self.end = ListEnd::Failed(Box::new(unknown_target(name))),
            },
        }
    }

    /// The context of the innermost fork branch around a path; `None` when there is none.
    pub(super) fn context_at(&self, path: &str) -> Option<&Shared> {
        let frame = self.current.as_ref().filter(|frame| is_inside(&frame.path, path))?;
        if let Work::Fork { branches, .. } = &frame.work {
            let branch = branches.get(branch_index(&frame.path, path)?)?;
            return Some(branch.list.context_at(path).unwrap_or(&branch.context));
        }
        frame.lists().find(|list| holds(&list.prefix, path))?.context_at(path)
    }

    /// Sets the context of the innermost fork branch around a path; `false` when there is none.
    pub(super) fn set_branch_context(&mut self, path: &str, context: &Shared) -> bool {
        let Some(frame) = self.current.as_mut().filter(|frame| is_inside(&frame.path, path)) else { return false };
        if let Work::Fork { branches, .. } = &mut frame.work {
            let Some(branch) = branch_index(&frame.path, path).and_then(|index| branches.get_mut(index)) else {
                return false;
            };
            if !branch.list.set_branch_context(path, context) {
                branch.context = Arc::clone(context);
            }
            return true;
        }
        frame.list_holding(path).is_some_and(|list| list.set_branch_context(path, context))
    }

    /// Remembers the failure of a branch as the last one of its fork.
    pub(super) fn note_branch_failure(&mut self, path: &str, failure: &Failure) {
        let Some(frame) = self.current.as_mut().filter(|frame| is_inside(&frame.path, path)) else { return };
        if let Work::Fork { branches, last_error, .. } = &mut frame.work {
            let branch = branch_index(&frame.path, path).and_then(|index| branches.get(index));
            let is_task = |branch: &Branch| branch.list.current.as_ref().is_some_and(|task| *task.path == *path);
            if branch.is_some_and(is_task) {
                *last_error = Some(Box::new(failure.clone()));
                return;
            }
        }
        if let Some(list) = frame.list_holding(path) {
            list.note_branch_failure(path, failure);
        }
    }

    pub(super) fn change_frames(&mut self, change: &mut dyn FnMut(&mut Frame)) {
        if let Some(frame) = &mut self.current {
            change(frame);
            for list in frame.lists_mut() {
                list.change_frames(change);
            }
        }
    }
}

/// `then` names are checked when a definition is registered; this is for one that slipped through.
fn unknown_target(name: &str) -> Failure {
    Failure::new(
        StandardType::Configuration,
        "Unknown task",
        format!("'then' names the task '{name}', which is not in the same list"),
    )
}
