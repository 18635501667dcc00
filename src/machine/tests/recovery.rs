//! Coming back from the store: recovery, passivation, retried executions.

use super::world::{START, World, replay, summary};
use crate::domain::{Event, EventBody, ExecutionId, Status, TimerPurpose, Timestamp};
use crate::machine::{Action, DirectEvaluator, Input, Moment, outstanding, retry_point, shift};
use serde_json::json;

const CALL: &str = "call: http, with: { method: get, endpoint: 'http://h/{id}' }";

fn recovered(world: &mut World) -> Vec<Action> {
    world.state = world.replayed();
    world.effects.clear();
    world.timers.clear();
    world.children.clear();
    let input = Input::Recovered { reason: "the process was killed".into(), restarts: 1, recovered_in_ms: 3 };
    world.give(input).actions
}

#[test]
fn an_outstanding_effect_is_asked_again_with_the_same_key_and_request() {
    let tasks =
        format!("do: [ {{ pick: {{ set: {{ id: 7 }} }} }}, {{ get: {{ timeout: {{ after: PT1H }}, {CALL} }} }} ]");
    let mut world = World::run(&tasks, json!({}));
    let Some(Action::RunEffect { key, request, .. }) =
        world.actions.iter().find(|action| matches!(action, Action::RunEffect { .. })).cloned()
    else {
        panic!()
    };
    world.now = Timestamp::from_micros(START + 90_000_000);
    let actions = recovered(&mut world);
    let again = Action::RunEffect {
        path: "s1:get".into(),
        pointer: "/do/1/get".into(),
        attempt: 2,
        key,
        request,
        awaited: true,
    };
    let timer = Action::SetTimer {
        path: "s1:get".into(),
        purpose: TimerPurpose::TaskTimeout,
        deadline: Timestamp::from_micros(START + 3_600_000_000),
    };
    assert_eq!(actions, [timer, again]);
    assert_eq!(world.lines().last().map(String::as_str), Some("execution_recovered"));
    // The outcome of the attempt before the crash is too late.
    let late = crate::domain::EffectOutcome { result: Ok(json!("old")), usage: None };
    assert!(world.give(Input::EffectFinished { path: "s1:get".into(), attempt: 1, outcome: late }).events.is_empty());
    world.succeed("s1:get", json!("new"));
    assert_eq!(world.output(), json!("new"));
}

#[test]
fn the_request_of_an_effect_has_the_time_of_its_schedule() {
    let mut world = World::run("do: [ { a: { run: { shell: { command: '${ \"at \\(now)\" }' } } } } ]", json!({}));
    let before = world.effects[0].2.clone();
    world.now = Timestamp::from_micros(START + 5_000_000);
    recovered(&mut world);
    assert_eq!(world.effects[0].2, before);
}

#[test]
fn a_waiting_execution_is_armed_again_and_waits_on() {
    let mut world = World::run("do: [ { w: { wait: PT10S } } ]", json!({}));
    let actions = recovered(&mut world);
    let deadline = Timestamp::from_micros(START + 10_000_000);
    assert_eq!(actions, [Action::SetTimer { path: "s0:w".into(), purpose: TimerPurpose::Wait, deadline }]);
    assert_eq!(world.status(), Status::Waiting);
    world.wait(10_000);
    assert_eq!(world.output(), json!({}));
}

#[test]
fn what_is_outstanding_can_be_asked_without_a_crash() {
    let mut world = World::run(
        "do: [ { f: { fork: { branches: [ { w: { wait: PT10S } }, { c: { run: { workflow: { namespace: n, name: c, version: '1.0.0' } } } } ] } } } ]",
        json!({"a": 1}),
    );
    let moment = Moment { at: world.now, seed: 0 };
    let actions = outstanding(&world.program, &world.replayed(), &moment, &DirectEvaluator).actions;
    assert_eq!(actions.len(), 2);
    assert!(actions.contains(&world.children[0]));
    world.give(Input::Pause { by: None });
    let paused = outstanding(&world.program, &world.replayed(), &moment, &DirectEvaluator).actions;
    assert_eq!(paused, [world.children[0].clone()]);
}

#[test]
fn a_command_whose_outcome_is_unknown_fails_when_its_author_wants_that() {
    let tasks = "do: [ { t: { try: [ { a: { run: { shell: { command: pay } }, metadata: { on_unknown_outcome: fault } } } ], catch: { do: [ { h: { call: http, with: { method: get, endpoint: 'http://h/' } } } ] } } } ]";
    let mut world = World::run(tasks, json!({}));
    let actions = recovered(&mut world);
    assert_eq!(
        world.lines()[5..9],
        ["execution_recovered", "effect_failed s0:t/a0/s0:a", "task_failed s0:t/a0/s0:a", "task_started s0:t/h/s0:h"]
    );
    let asked: Vec<&str> = actions
        .iter()
        .filter_map(|action| if let Action::RunEffect { path, .. } = action { Some(&**path) } else { None })
        .collect();
    assert_eq!(asked, ["s0:t/h/s0:h"]);
    world.assert_replayable();
}

#[test]
fn a_recovery_says_nothing_about_pending_and_finished_executions() {
    let mut pending = World::pending("do: []", json!({}));
    assert!(recovered(&mut pending).is_empty() && pending.lines().len() == 1);
    let mut done = World::run("do: []", json!({}));
    assert!(recovered(&mut done).is_empty());
    assert_eq!(done.status(), Status::Succeeded);
}

/// A new execution that keeps the journal up to the retry point.
fn retried(world: &World) -> World {
    let point = retry_point(&world.journal);
    let mut kept: Vec<Event> = world.journal.iter().filter(|event| event.seq <= point).cloned().collect();
    let mut next = world.clone();
    next.now = Timestamp::from_micros(world.now.as_micros() + 3_600_000_000);
    let delta = next.now.micros_since(kept.last().unwrap().at);
    shift(&mut kept, delta);
    next.state = replay(&world.program, &kept, ExecutionId(uuid::Uuid::from_u128(8)));
    next.journal = kept;
    next.effects.clear();
    next.timers.clear();
    next.children.clear();
    if next.status() == Status::Pending {
        next.give(Input::Start);
    } else {
        let moment = Moment { at: next.now, seed: 0 };
        let outstanding = outstanding(&next.program, &next.state, &moment, &DirectEvaluator);
        outstanding.actions.iter().for_each(|action| next.perform(action));
        assert_eq!(outstanding.lost, []);
        next.give(Input::Continue);
    }
    next
}

#[test]
fn a_retry_keeps_what_was_completed_and_asks_the_failed_effect_again() {
    let tasks = format!(
        "timeout: {{ after: PT60S }}\ndo: [ {{ a: {{ {CALL} }} }}, {{ b: {{ timeout: {{ after: PT10S }}, {CALL} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({"id": 1}));
    world.now = world.now.plus_millis(5_000);
    world.succeed("s0:a", json!({"id": 2}));
    world.now = world.now.plus_millis(5_000);
    world.fail("s1:b", 503);
    let mut next = retried(&world);
    assert_eq!(next.lines().last().map(String::as_str), Some("effect_scheduled s1:b"));
    assert_eq!(next.effects.len(), 1);
    // The task's time runs on from where it was, that of the workflow begins anew.
    assert_eq!(next.timers[&("s1:b".into(), TimerPurpose::TaskTimeout)].millis_since(next.now), 10_000);
    assert_eq!(next.timers[&(String::new(), TimerPurpose::WorkflowTimeout)].millis_since(next.now), 60_000);
    next.succeed("s1:b", json!("done"));
    assert_eq!(next.state.output(), Some(&json!("done")));
}

#[test]
fn a_retry_starts_a_task_again_that_failed_by_itself() {
    let world =
        World::run("do: [ { a: { set: { x: 1 } } }, { b: { input: { from: error }, set: { x: 2 } } } ]", json!({}));
    assert_eq!(retry_point(&world.journal), 4);
    assert_eq!(summary(&retried(&world).error()).0, "expression");
    let raised = World::run(
        "do: [ { a: { do: [ { r: { raise: { error: { type: 'http://x', status: 1 } } } } ] } } ]",
        json!({}),
    );
    // Nothing inside `a` was done, so that starts again as well.
    assert_eq!(retry_point(&raised.journal), 2);
}

#[test]
fn a_retry_after_a_timeout_starts_the_task_that_timed_out_again() {
    let tasks = format!(
        "do: [ {{ a: {{ set: {{ id: 1 }} }} }}, {{ b: {{ timeout: {{ after: PT1S }}, do: [ {{ c: {{ {CALL} }} }} ] }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    world.wait(1_000);
    let mut next = retried(&world);
    assert_eq!(next.status(), Status::Running);
    next.wait(999);
    next.succeed("s1:b/s0:c", json!("in time"));
    assert_eq!(next.state.output(), Some(&json!("in time")));
}

#[test]
fn a_retry_after_a_timeout_of_the_workflow_has_the_whole_time_again() {
    let mut world = World::run(&format!("timeout: {{ after: PT10S }}\ndo: [ {{ a: {{ {CALL} }} }} ]"), json!({}));
    world.wait(10_000);
    let mut next = retried(&world);
    assert_eq!(next.effects.len(), 1);
    next.wait(9_999);
    assert_eq!(next.status(), Status::Running);
    next.succeed("s0:a", json!(1));
    assert_eq!(next.status(), Status::Succeeded);
}

#[test]
fn a_retry_of_a_cancelled_execution_goes_on_where_it_was() {
    let mut world = World::run(
        &format!("do: [ {{ f: {{ fork: {{ branches: [ {{ a: {{ {CALL} }} }}, {{ b: {{ {CALL} }} }} ] }} }} }} ]"),
        json!({"id": 1}),
    );
    world.succeed("s0:f/b0/s0:a", json!("A"));
    world.give(Input::Pause { by: None });
    world.give(Input::Cancel { by: None, reason: None });
    let mut next = retried(&world);
    assert_eq!(next.effects.iter().map(|effect| effect.0.as_str()).collect::<Vec<_>>(), ["s0:f/b1/s0:b"]);
    next.succeed("s0:f/b1/s0:b", json!("B"));
    assert_eq!(next.state.output(), Some(&json!(["A", "B"])));
}

#[test]
fn a_retry_starts_a_new_child_for_one_that_failed_or_was_lost() {
    let tasks = "do: [ { sub: { run: { workflow: { namespace: n, name: c, version: '1.0.0' } } } } ]";
    let mut world = World::run(tasks, json!({"a": 1}));
    let Action::StartChild { child_id, .. } = world.children[0] else { panic!() };
    let ended =
        Input::ChildFinished { path: "s0:sub".into(), child_id, status: Status::Failed, output: None, error: None };
    let mut cancelled = world.clone();
    cancelled.give(Input::Cancel { by: None, reason: None });
    world.give(ended);
    for world in [world, cancelled] {
        let next = retried(&world);
        let Action::StartChild { child_id: fresh, .. } = next.children[0] else { panic!() };
        assert_ne!(fresh, child_id);
        assert_eq!(next.children.len(), 1);
    }
}

#[test]
fn an_output_that_was_refused_is_asked_for_again() {
    let mut world = World::run(
        &format!("do: [ {{ a: {{ {CALL}, output: {{ schema: {{ document: {{ type: integer }} }} }} }} }} ]"),
        json!({}),
    );
    world.succeed("s0:a", json!("text"));
    let mut next = retried(&world);
    next.succeed("s0:a", json!(5));
    assert_eq!(next.state.output(), Some(&json!(5)));
    assert!(!next.journal.iter().any(|event| matches!(event.body, EventBody::TaskFailed { .. })));
}
