//! `wait` and timeouts.

use super::world::{START, World, failed, summary};
use crate::domain::{Status, TimerPurpose, Timestamp};
use crate::machine::Input;
use serde_json::json;

const CALL: &str = "call: http, with: { method: get, endpoint: 'http://h/' }";

#[test]
fn a_wait_is_a_timer_from_the_start_of_the_task() {
    let mut world =
        World::run("do: [ { pause: { wait: { seconds: 30 } } }, { after: { set: { done: true } } } ]", json!({"a": 1}));
    assert_eq!(world.status(), Status::Waiting);
    assert_eq!(world.state.wake_at(), Some(Timestamp::from_micros(START + 30_000_000)));
    assert!(world.state.is_parked());
    world.wait(29_999);
    assert_eq!(world.status(), Status::Waiting);
    world.wait(1);
    assert_eq!(world.output(), json!({"done": true}));
    assert_eq!(
        world.lines(),
        [
            "execution_created",
            "execution_started",
            "task_started s0:pause",
            "timer_set s0:pause",
            "execution_waiting",
            "timer_fired s0:pause",
            "task_completed s0:pause",
            "task_started s1:after",
            "task_completed s1:after",
            "execution_completed",
        ]
    );
}

#[test]
fn a_wait_of_nothing_completes_at_once_and_hands_its_input_on() {
    for zero in ["{ seconds: 0 }", "PT0S", "'${ \"PT0S\" }'"] {
        let world = World::run(&format!("do: [ {{ pause: {{ wait: {zero} }} }} ]"), json!({"a": 1}));
        assert_eq!(world.output(), json!({"a": 1}));
    }
}

#[test]
fn durations_can_be_computed_and_have_calendar_months() {
    let deadline = |duration: &str| {
        let world = World::run(&format!("do: [ {{ pause: {{ wait: {duration} }} }} ]"), json!({"seconds": 5}));
        world.timers[&("s0:pause".into(), TimerPurpose::Wait)].to_string()
    };
    assert_eq!(deadline("'${ \"PT\\(.seconds)S\" }'"), "2023-11-14T22:13:25.000000Z");
    assert_eq!(deadline("'${ {minutes: 1} }'"), "2023-11-14T22:14:20.000000Z");
    assert_eq!(deadline("P1M"), "2023-12-14T22:13:20.000000Z");
    let broken = World::run("do: [ { pause: { wait: '${ 5 }' } } ]", json!({}));
    assert_eq!(summary(&broken.error()), failed("expression", 400, "/do/0/pause"));
}

#[test]
fn a_task_that_takes_too_long_fails_and_everything_in_it_is_cancelled() {
    let tasks = format!("do: [ {{ outer: {{ timeout: {{ after: PT10S }}, do: [ {{ call: {{ {CALL} }} }} ] }} }} ]");
    let mut world = World::run(&tasks, json!({}));
    assert_eq!(world.state.wake_at(), Some(Timestamp::from_micros(START + 10_000_000)));
    world.wait(10_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/outer"));
    assert!(world.effects.is_empty() && world.timers.is_empty());
    let tail = world.lines().split_off(5);
    assert_eq!(tail, ["task_cancelled s0:outer/s0:call", "task_failed s0:outer", "execution_failed"]);
}

#[test]
fn an_effect_is_cancelled_with_its_own_timeout() {
    let mut world = World::run(&format!("do: [ {{ call: {{ timeout: {{ after: PT1S }}, {CALL} }} }} ]"), json!({}));
    world.wait(1_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/call"));
    assert!(world.effects.is_empty());
}

#[test]
fn a_timer_is_disarmed_when_its_task_ends() {
    let mut world = World::run(
        &format!("do: [ {{ call: {{ timeout: {{ after: PT1S }}, {CALL} }} }}, {{ p: {{ wait: PT9S }} }} ]"),
        json!({}),
    );
    world.succeed("s0:call", json!(1));
    assert_eq!(world.timers.keys().cloned().collect::<Vec<_>>(), [("s1:p".to_owned(), TimerPurpose::Wait)]);
}

#[test]
fn e31_an_inner_timeout_is_catchable_and_the_own_timeout_of_a_try_is_not() {
    let with = |inner: &str, own: &str| {
        let tasks = format!(
            "do: [ {{ t: {{ {own} try: [ {{ call: {{ {inner} {CALL} }} }} ], catch: {{ do: [ {{ h: {{ set: {{ caught: '${{ $error.status }}' }} }} }} ] }} }} }} ]"
        );
        let mut world = World::run(&tasks, json!({}));
        world.wait(1_000);
        world
    };
    assert_eq!(with("timeout: { after: PT1S },", "").output(), json!({"caught": 408}));
    assert_eq!(summary(&with("", "timeout: { after: PT1S },").error()), failed("timeout", 408, "/do/0/t"));
}

#[test]
fn the_timeout_of_a_try_covers_delays_and_the_handler() {
    let tasks = format!(
        "do: [ {{ t: {{ timeout: {{ after: PT5S }}, try: [ {{ call: {{ {CALL} }} }} ], catch: {{ retry: {{ delay: PT1H }} }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    world.fail("s0:t/a0/s0:call", 503);
    world.wait(5_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/t"));
    assert!(world.timers.is_empty());
}

#[test]
fn the_timeout_of_the_workflow_ends_it_and_nothing_can_catch_it() {
    let tasks =
        format!("timeout: {{ after: PT10S }}\ndo: [ {{ t: {{ try: [ {{ call: {{ {CALL} }} }} ], catch: {{}} }} }} ]");
    let mut world = World::run(&tasks, json!({}));
    assert_eq!(
        world.timers.keys().next().map(|(path, purpose)| (path.as_str(), *purpose)),
        Some(("", TimerPurpose::WorkflowTimeout))
    );
    world.wait(10_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/timeout"));
    assert!(world.effects.is_empty() && world.timers.is_empty());
}

#[test]
fn named_and_computed_timeouts() {
    let tasks = "use: { timeouts: { short: { after: PT1S } } }\ndo: [ { a: { timeout: short, wait: PT1H } } ]";
    let mut world = World::run(tasks, json!({}));
    world.wait(1_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/a"));
    let mut world =
        World::run("timeout: { after: '${ .limit }' }\ndo: [ { a: { wait: PT1H } } ]", json!({"limit": "PT2S"}));
    world.wait(2_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/timeout"));
    let broken = World::run("timeout: { after: '${ .limit }' }\ndo: [ { a: { wait: PT1H } } ]", json!({}));
    assert_eq!(summary(&broken.error()), failed("expression", 400, "/timeout"));
}

#[test]
fn a_timer_that_comes_too_early_or_for_nobody_changes_nothing() {
    let mut world = World::run(&format!("do: [ {{ a: {{ timeout: {{ after: PT1S }}, {CALL} }} }} ]"), json!({}));
    let fire = |path: &str, purpose| Input::TimerFired { path: path.into(), purpose };
    let before = world.state.clone();
    for purpose in [
        TimerPurpose::TaskTimeout,
        TimerPurpose::Wait,
        TimerPurpose::Retry,
        TimerPurpose::AttemptTimeout,
        TimerPurpose::WorkflowTimeout,
    ] {
        assert_eq!(world.give(fire("s0:a", purpose)), Default::default());
        assert_eq!(world.give(fire("s9:none", purpose)), Default::default());
    }
    assert_eq!(world.state, before);
}

#[test]
fn a_race_between_an_outcome_and_a_timeout_is_decided_by_the_first() {
    let tasks = format!("do: [ {{ a: {{ timeout: {{ after: PT1S }}, {CALL} }} }} ]");
    let mut world = World::run(&tasks, json!({}));
    world.now = world.now.plus_millis(1_500);
    let mut late = world.clone();
    world.succeed("s0:a", json!("in time"));
    assert_eq!(
        world.give(Input::TimerFired { path: "s0:a".into(), purpose: TimerPurpose::TaskTimeout }),
        Default::default()
    );
    assert_eq!(world.output(), json!("in time"));
    late.give(Input::TimerFired { path: "s0:a".into(), purpose: TimerPurpose::TaskTimeout });
    let outcome = crate::domain::EffectOutcome { result: Ok(json!("late")), usage: None };
    assert_eq!(late.give(Input::EffectFinished { path: "s0:a".into(), attempt: 1, outcome }), Default::default());
    assert_eq!(late.status(), Status::Failed);
}
