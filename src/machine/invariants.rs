//! What must hold at every moment. Checked after every event in debug builds and by the tests.

use super::state::{Frame, List, ListEnd, State};
use crate::domain::{Event, EventBody, Status};

/// INV-01: sequence numbers have no gap.
pub(super) fn sequence_has_no_gap(before: &State, event: &Event) -> bool {
    event.seq == before.last_seq.saturating_add(1)
}

/// INV-02: the status changes only as the table of legal transitions says; a terminal status never changes.
pub(super) fn status_change_is_legal(before: &State, after: &State) -> bool {
    before.status == after.status || before.status.can_become(after.status)
}

/// INV-03: nothing is under way before the start and after the end.
pub(super) fn only_open_executions_have_tasks(state: &State) -> bool {
    match state.status {
        Status::Pending | Status::Succeeded | Status::Failed | Status::Cancelled => state.main.is_none(),
        Status::Running | Status::Waiting | Status::Paused => state.main.is_some(),
    }
}

/// INV-04: the context changes only when a task completes that exports one.
pub(super) fn context_changes_only_by_export(before: &State, event: &Event, after: &State) -> bool {
    before.context == after.context || matches!(event.body, EventBody::TaskCompleted { context: Some(_), .. })
}

/// INV-05: while the execution waits, no effect is outstanding.
pub(super) fn waiting_means_nothing_runs(state: &State) -> bool {
    state.status != Status::Waiting || !state.has_outstanding_effects()
}

/// INV-06: a path continues the path of the list it stands in, and a list that is at its end has no task under way.
pub(super) fn paths_mirror_the_tree(state: &State) -> bool {
    fn list_holds(list: &List) -> bool {
        let Some(frame) = &list.current else { return true };
        list.end == ListEnd::Open && frame.path.starts_with(&*list.prefix) && frame_holds(frame)
    }
    fn frame_holds(frame: &Frame) -> bool {
        frame.lists().all(|list| list.prefix.starts_with(&*frame.path) && list_holds(list))
    }
    state.main.as_ref().is_none_or(list_holds)
}

/// INV-07: an output exists exactly when the execution succeeded, an error exactly when it failed.
pub(super) fn results_fit_the_status(state: &State) -> bool {
    state.output.is_some() == (state.status == Status::Succeeded)
        && state.error.is_some() == (state.status == Status::Failed)
}

/// Asserts everything about one change.
pub(super) fn check_change(before: &State, event: &Event, after: &State) {
    assert!(sequence_has_no_gap(before, event), "INV-01: event {} after {}", event.seq, before.last_seq);
    assert!(status_change_is_legal(before, after), "INV-02: {} became {}", before.status, after.status);
    assert!(only_open_executions_have_tasks(after), "INV-03: {after:?}");
    assert!(context_changes_only_by_export(before, event, after), "INV-04: {event:?}");
    assert!(waiting_means_nothing_runs(after), "INV-05: {after:?}");
    assert!(paths_mirror_the_tree(after), "INV-06: {after:?}");
    assert!(results_fit_the_status(after), "INV-07: {after:?}");
}
