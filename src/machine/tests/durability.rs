//! Late, duplicate and foreign inputs; pause, resume and cancel at every point.

use super::world::{World, failed, summary};
use crate::domain::{EffectOutcome, Failure, StandardType, Status, TimerPurpose, Timestamp};
use crate::machine::{Input, Transition};
use serde_json::json;

const CALL: &str = "call: http, with: { method: get, endpoint: 'http://h/' }";

fn finished(path: &str, attempt: u32) -> Input {
    let outcome = EffectOutcome { result: Ok(json!("late")), usage: None };
    Input::EffectFinished { path: path.into(), attempt, outcome }
}

fn two_calls() -> World {
    World::run(&format!("do: [ {{ a: {{ {CALL} }} }}, {{ b: {{ {CALL} }} }} ]"), json!({}))
}

fn pause(world: &mut World) -> Transition {
    world.give(Input::Pause { by: Some("ada".into()) })
}

fn resume(world: &mut World) -> Transition {
    world.give(Input::Resume { by: None })
}

#[test]
fn late_duplicate_and_unknown_outcomes_change_nothing() {
    let mut world = two_calls();
    assert_eq!(world.give(finished("s0:a", 2)), Transition::default(), "another attempt");
    assert_eq!(world.give(finished("s1:b", 1)), Transition::default(), "not asked yet");
    world.succeed("s0:a", json!(1));
    assert_eq!(world.give(finished("s0:a", 1)), Transition::default(), "a second time");
    assert_eq!(world.give(finished("s9:x/i1", 1)), Transition::default());
    world.succeed("s1:b", json!(2));
    assert_eq!(world.give(finished("s1:b", 1)), Transition::default(), "after the end");
    assert_eq!(world.output(), json!(2));
}

#[test]
fn what_arrives_while_paused_is_journaled_and_nothing_new_starts() {
    let mut world = two_calls();
    pause(&mut world);
    assert_eq!(world.status(), Status::Paused);
    assert!(!world.state.is_parked() && world.state.has_outstanding_effects());
    world.succeed("s0:a", json!(1));
    assert_eq!(world.lines().last().map(String::as_str), Some("effect_completed s0:a"));
    assert!(world.state.is_parked() && world.effects.is_empty());
    world.assert_replayable();
    resume(&mut world);
    assert_eq!((world.status(), world.effects[0].0.as_str()), (Status::Running, "s1:b"));
    world.succeed("s1:b", json!(2));
    assert_eq!(world.output(), json!(2));
}

#[test]
fn a_failure_that_arrives_while_paused_counts_after_the_resumption() {
    let mut world = two_calls();
    pause(&mut world);
    world.fail("s0:a", 503);
    assert_eq!(world.status(), Status::Paused);
    resume(&mut world);
    assert_eq!(summary(&world.error()), failed("communication", 503, "/do/0/a"));
}

#[test]
fn e61_timeouts_are_frozen_and_waits_run_on_while_paused() {
    let tasks = format!(
        "timeout: {{ after: PT100S }}\ndo: [ {{ w: {{ timeout: {{ after: PT20S }}, wait: PT10S }} }}, {{ a: {{ {CALL} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    world.wait(5_000);
    pause(&mut world);
    assert_eq!(world.state.wake_at(), None);
    world.wait(60_000);
    assert_eq!((world.status(), world.lines().last().map(String::as_str)), (Status::Paused, Some("timer_fired s0:w")));
    let resumed = resume(&mut world);
    assert!(resumed.events.len() > 1, "the wait that came due passes at once");
    assert_eq!(world.status(), Status::Running);
    // 5 of 100 seconds were used before the pause: the timeout comes 95 seconds after it.
    world.wait(94_999);
    assert_eq!(world.status(), Status::Running);
    world.wait(1);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/timeout"));
}

#[test]
fn a_task_timeout_moves_by_the_pause() {
    let mut world = World::run(&format!("do: [ {{ a: {{ timeout: {{ after: PT10S }}, {CALL} }} }} ]"), json!({}));
    world.wait(4_000);
    pause(&mut world);
    world.wait(100_000);
    resume(&mut world);
    let deadline = world.timers[&("s0:a".into(), TimerPurpose::TaskTimeout)];
    assert_eq!(deadline.micros_since(world.now), 6_000_000);
    world.wait(6_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/a"));
}

#[test]
fn an_attempt_limit_moves_by_the_pause() {
    let tasks = format!(
        "do: [ {{ t: {{ try: [ {{ a: {{ {CALL} }} }} ], catch: {{ retry: {{ limit: {{ attempt: {{ count: 0, duration: PT10S }} }} }} }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    world.wait(4_000);
    pause(&mut world);
    world.wait(100_000);
    resume(&mut world);
    world.wait(5_999);
    assert_eq!(world.status(), Status::Running);
    world.wait(1);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/t"));
}

#[test]
fn requests_in_the_wrong_state_give_nothing() {
    let mut pending = World::pending("do: []", json!({}));
    assert_eq!(pause(&mut pending), Transition::default());
    assert_eq!(resume(&mut pending), Transition::default());
    let mut world = two_calls();
    assert_eq!(resume(&mut world), Transition::default());
    assert_eq!(world.give(Input::Start), Transition::default());
    pause(&mut world);
    assert_eq!(pause(&mut world), Transition::default());
    world.give(Input::Cancel { by: None, reason: None });
    assert_eq!(world.status(), Status::Cancelled);
    for input in [
        Input::Cancel { by: None, reason: None },
        Input::Pause { by: None },
        Input::Resume { by: None },
        Input::Start,
        Input::Continue,
    ] {
        assert_eq!(world.give(input), Transition::default());
    }
}

#[test]
fn a_pending_execution_can_be_cancelled_and_was_never_started() {
    let mut world = World::pending("do: [ { a: { set: { x: 1 } } } ]", json!({}));
    world.give(Input::Cancel { by: Some("ada".into()), reason: Some("mistake".into()) });
    assert_eq!(
        (world.status(), world.lines()),
        (Status::Cancelled, vec!["execution_created".to_owned(), "execution_cancelled".to_owned()])
    );
    world.assert_replayable();
}

#[test]
fn an_execution_that_the_engine_gives_up_fails_with_the_reason() {
    let failure = || Failure::new(StandardType::Runtime, "Gave up", "It crashed four times in a minute");
    for prepare in [|_: &mut World| {}, |world: &mut World| drop(pause(world))] {
        let mut world = two_calls();
        prepare(&mut world);
        world.give(Input::Abort { failure: failure() });
        assert_eq!(summary(&world.error()).0, "runtime");
        assert!(world.effects.is_empty());
    }
    let mut pending = World::pending("do: []", json!({}));
    pending.give(Input::Abort { failure: failure() });
    assert_eq!(pending.status(), Status::Failed);
    pending.assert_replayable();
}

#[test]
fn a_resumption_goes_back_to_waiting_when_nothing_runs() {
    let mut world = World::run("do: [ { w: { wait: PT10S } } ]", json!({}));
    pause(&mut world);
    world.now = Timestamp::from_micros(world.now.as_micros() + 1_000_000);
    resume(&mut world);
    assert_eq!(world.status(), Status::Waiting);
    world.wait(9_000);
    assert_eq!(world.output(), json!({}));
}
