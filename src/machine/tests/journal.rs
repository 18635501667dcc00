//! Whole journals, event by event.

use super::world::{START, World};
use crate::domain::{EventBody, Status, TimerPurpose, Timestamp};
use serde_json::json;

const LOOP: &str = r"
do:
  - pick: { set: { ids: [7, 8] } }
  - each:
      for: { each: id, in: .ids }
      do:
        - get:
            input: { from: '{ id: $id }' }
            call: http
            with: { method: get, endpoint: 'http://svc/items/{id}' }
";

#[test]
fn a_loop_over_calls_end_to_end() {
    let mut world = World::run(LOOP, json!({}));
    let first = [
        "execution_created",
        "execution_started",
        "task_started s0:pick",
        "task_completed s0:pick",
        "task_started s1:each",
        "task_started s1:each/i0/s0:get",
        "effect_scheduled s1:each/i0/s0:get",
    ];
    assert_eq!(world.lines(), first);
    assert_eq!(world.effects[0].0, "s1:each/i0/s0:get");
    world.succeed("s1:each/i0/s0:get", json!("seven"));
    let second = [
        "effect_completed s1:each/i0/s0:get",
        "task_completed s1:each/i0/s0:get",
        "task_started s1:each/i1/s0:get",
        "effect_scheduled s1:each/i1/s0:get",
    ];
    assert_eq!(world.lines()[first.len()..], second);
    world.succeed("s1:each/i1/s0:get", json!("eight"));
    let third = [
        "effect_completed s1:each/i1/s0:get",
        "task_completed s1:each/i1/s0:get",
        "task_completed s1:each",
        "execution_completed",
    ];
    assert_eq!(world.lines()[first.len() + second.len()..], third);
    assert_eq!(world.output(), json!("eight"));
    assert_eq!(world.batches, [1, 7, 11, 15]);
    assert_eq!(
        world.journal[4].body,
        EventBody::TaskStarted {
            input: None,
            deadline: None,
            collection: Some(vec![json!(7), json!(8)]),
            arguments: None
        }
    );
    assert_eq!(world.journal[5].task.as_deref(), Some("/do/1/each/do/0/get"));
    assert!(world.journal.iter().enumerate().all(|(at, event)| usize::try_from(event.seq) == Ok(at + 1)));
}

#[test]
fn a_workflow_of_pure_tasks_is_one_batch() {
    let world =
        World::run("do: [ { a: { set: { x: 1 } } }, { b: { set: { x: 2 } } }, { c: { set: { x: 3 } } } ]", json!({}));
    assert_eq!(world.batches, [1, 9]);
    assert_eq!(world.state.progress(&world.program).completed_tasks, 3);
    assert!((world.state.progress(&world.program).fraction() - 1.0).abs() < f64::EPSILON);
}

#[test]
fn the_attempt_of_an_event_is_that_of_the_innermost_try() {
    let tasks = r"
do:
  - t:
      try:
        - inner: { do: [ { r: { raise: { error: { type: 'http://x', status: 1 } } } } ] }
      catch: { retry: { limit: { attempt: { count: 1 } } }, do: [ { h: { set: { x: 1 } } } ] }
";
    let world = World::run(tasks, json!({}));
    let attempts: Vec<(String, u32)> = world
        .journal
        .iter()
        .filter(|event| event.body.type_name() == "task_started")
        .map(|event| (event.path.as_deref().unwrap_or_default().to_owned(), event.attempt))
        .collect();
    let expected = [
        ("s0:t", 0),
        ("s0:t/a0/s0:inner", 0),
        ("s0:t/a0/s0:inner/s0:r", 0),
        ("s0:t/a1/s0:inner", 1),
        ("s0:t/a1/s0:inner/s0:r", 1),
        ("s0:t/h/s0:h", 0),
    ];
    assert_eq!(attempts, expected.map(|(path, attempt)| (path.to_owned(), attempt)));
}

#[test]
fn names_are_escaped_in_paths() {
    let world = World::run("do: [ { 'a/b~c': { do: [ { 'f': { set: { x: 1 } } } ] } } ]", json!({}));
    assert!(world.lines().contains(&"task_completed s0:a~1b~0c/s0:f".to_owned()));
}

#[test]
fn waiting_is_journaled_once_and_ends_by_itself() {
    let tasks = "do: [ { f: { fork: { branches: [ { a: { wait: PT1S } }, { b: { wait: PT2S } } ] } } } ]";
    let mut world = World::run(tasks, json!({}));
    assert_eq!(world.state.wake_at(), Some(Timestamp::from_micros(START + 1_000_000)));
    let waits = |world: &World| world.lines().iter().filter(|line| *line == "execution_waiting").count();
    assert_eq!((world.status(), waits(&world)), (Status::Waiting, 1));
    world.wait(1_000);
    assert_eq!((world.status(), waits(&world)), (Status::Waiting, 2));
    assert_eq!(world.timers.keys().map(|(_, purpose)| *purpose).collect::<Vec<_>>(), [TimerPurpose::Wait]);
    world.wait(1_000);
    assert_eq!(world.output(), json!([{}, {}]));
}
