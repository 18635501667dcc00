//! Which part of a finished journal a retried execution keeps, and how it is moved to a later time.

use crate::domain::{Event, EventBody, StandardType, Timestamp};

/// The `seq` of the last event that a retry of a failed or cancelled execution keeps. What was completed stays completed; what
/// failed or was cancelled in the end is done again: an effect is asked again, a task of another kind is started again. After a
/// timeout the task that timed out starts again, after a timeout of the workflow everything that was under way.
///
/// 1 is always kept: the `execution_created` event, which the caller replaces by its own.
pub fn retry_point(events: &[Event]) -> u64 {
    let mut kept = events;
    let mut dropped_failures: Vec<&Event> = Vec::new();
    while let Some((last, before)) = kept.split_last() {
        if !is_part_of_the_end(last, before, &dropped_failures) {
            break;
        }
        dropped_failures.push(last);
        kept = before;
    }
    let mut point = kept.last().map_or(1, |event| event.seq);
    for failure in &dropped_failures {
        if is_timeout(failure) {
            point = point.min(before_start_of(events, failure));
        }
    }
    point = before_lost_children(events, point);
    point.max(1)
}

/// Whether an event belongs to the unwinding at the end of the journal. `dropped` are the events behind it.
fn is_part_of_the_end(event: &Event, before: &[Event], dropped: &[&Event]) -> bool {
    let failed_behind = || dropped.iter().any(|later| later.path == event.path && is_failure(later));
    match &event.body {
        EventBody::ExecutionFailed { .. }
        | EventBody::ExecutionCancelled { .. }
        | EventBody::TaskFailed { .. }
        | EventBody::TaskCancelled { .. }
        | EventBody::EffectFailed { .. }
        | EventBody::UsageRecorded(_)
        | EventBody::EffectWithheld { .. }
        | EventBody::ApprovalRequested { .. }
        | EventBody::ExecutionWaiting {}
        | EventBody::ExecutionPaused { .. } => !before.is_empty(),
        // An effect whose output nobody could use, a task that did not get beyond its start, a child that failed.
        EventBody::EffectCompleted { .. } | EventBody::TaskStarted { .. } | EventBody::ChildFinished { .. } => {
            failed_behind()
        }
        EventBody::ChildStarted { .. } => failed_behind() || dropped.iter().any(|later| later.path == event.path),
        EventBody::TimerFired { purpose } => {
            *purpose == crate::domain::TimerPurpose::AttemptTimeout && !dropped.is_empty()
        }
        EventBody::ExecutionResumed { .. } | EventBody::ExecutionRecovered { .. } | EventBody::ApprovalGiven { .. } => {
            false
        }
        EventBody::ExecutionCreated(_)
        | EventBody::ExecutionStarted { .. }
        | EventBody::ExecutionCompleted { .. }
        | EventBody::TaskCompleted { .. }
        | EventBody::TaskSkipped {}
        | EventBody::TaskRetried { .. }
        | EventBody::EffectScheduled { .. }
        | EventBody::TimerSet { .. } => false,
    }
}

fn is_failure(event: &Event) -> bool {
    matches!(event.body, EventBody::TaskFailed { .. } | EventBody::TaskCancelled { .. })
}

/// Whether a task failed because its own timeout expired.
fn is_timeout(event: &Event) -> bool {
    let EventBody::TaskFailed { error } = &event.body else { return false };
    error.error_type == StandardType::Timeout.uri() && error.instance.as_deref() == event.task.as_deref()
}

/// The `seq` before the start of the task that an event is about.
fn before_start_of(events: &[Event], event: &Event) -> u64 {
    let is_start = |other: &&Event| other.path == event.path && matches!(other.body, EventBody::TaskStarted { .. });
    events.iter().rev().find(is_start).map_or(u64::MAX, |start| start.seq.saturating_sub(1))
}

/// Children have their ids from their parent: those that a kept part waits for cannot be waited for by another execution, so their
/// tasks start again as well.
fn before_lost_children(events: &[Event], point: u64) -> u64 {
    let kept = events.iter().filter(|event| event.seq <= point);
    let mut waiting: Vec<&Event> = Vec::new();
    for event in kept {
        if matches!(event.body, EventBody::ChildStarted { awaited: true, .. }) {
            waiting.push(event);
        } else if matches!(event.body, EventBody::ChildFinished { .. }) {
            waiting.retain(|started| started.path != event.path);
        }
    }
    waiting.iter().map(|started| before_start_of(events, started)).fold(point, u64::min)
}

/// Moves a kept part of a journal by `delta_us` microseconds: all instants and deadlines. The timeout of the workflow begins anew
/// with the end of the part, because time that has passed does not come back.
pub fn shift(events: &mut [Event], delta_us: i64) {
    let (first, last) = (events.first().map(|event| event.at), events.last().map(|event| event.at));
    let used_us = first.zip(last).map_or(0, |(first, last)| last.micros_since(first));
    let later = |instant: &mut Timestamp| *instant = instant.plus_micros(delta_us);
    for event in events {
        later(&mut event.at);
        match &mut event.body {
            EventBody::ExecutionStarted { deadline: Some(deadline), .. } => {
                *deadline = deadline.plus_micros(delta_us.saturating_add(used_us));
            }
            EventBody::TaskStarted { deadline: Some(deadline), .. }
            | EventBody::TaskRetried { deadline, .. }
            | EventBody::TimerSet { deadline, .. } => later(deadline),
            EventBody::ExecutionCreated(_)
            | EventBody::ExecutionStarted { deadline: None, .. }
            | EventBody::ExecutionWaiting {}
            | EventBody::ExecutionPaused { .. }
            | EventBody::ExecutionResumed { .. }
            | EventBody::ExecutionRecovered { .. }
            | EventBody::ExecutionCompleted { .. }
            | EventBody::ExecutionFailed { .. }
            | EventBody::ExecutionCancelled { .. }
            | EventBody::TaskStarted { deadline: None, .. }
            | EventBody::TaskCompleted { .. }
            | EventBody::TaskSkipped {}
            | EventBody::TaskFailed { .. }
            | EventBody::TaskCancelled { .. }
            | EventBody::EffectScheduled { .. }
            | EventBody::EffectCompleted { .. }
            | EventBody::EffectFailed { .. }
            | EventBody::TimerFired { .. }
            | EventBody::ChildStarted { .. }
            | EventBody::ChildFinished { .. }
            | EventBody::EffectWithheld { .. }
            | EventBody::ApprovalRequested { .. }
            | EventBody::ApprovalGiven { .. }
            | EventBody::UsageRecorded(_) => {}
        }
    }
}
