//! Where a list goes on: `continue`, `exit`, `end`, names; from every kind of scope.

use super::world::{World, output};
use crate::domain::Status;
use crate::machine::{BATCH_EVENTS, Input};
use serde_json::json;

#[test]
fn a_name_jumps_forwards_and_backwards_with_the_value_of_the_jumping_task() {
    let definition = r"
do:
  - first: { set: { n: '${ (.n // 0) + 1 }' }, then: check }
  - skippedOver: { set: { n: 100 } }
  - check: { switch: [ { again: { when: .n < 3, then: first } }, { done: { then: last } } ] }
  - never: { set: { n: 1000 } }
  - last: { set: '${ . + { last: true } }' }
";
    let world = World::run(definition, json!({}));
    assert_eq!(world.output(), json!({"n": 3, "last": true}));
    // E59: each visit of a task has a path of its own.
    let starts: Vec<String> =
        world.lines().into_iter().filter_map(|line| line.strip_prefix("task_started ").map(str::to_owned)).collect();
    assert_eq!(starts, ["s0:first", "s1:check", "s2:first", "s3:check", "s4:first", "s5:check", "s6:last"]);
}

#[test]
fn exit_finishes_the_list_and_the_owner_goes_on() {
    let definition = r"
do:
  - outer:
      do: [ { a: { set: { x: 1 }, then: exit } }, { never: { set: { x: 2 } } } ]
      output: { as: '. + { outer: true }' }
      then: last
  - skippedOver: { set: { x: 3 } }
  - last: { set: '${ . + { last: true } }' }
";
    assert_eq!(output(definition, json!({})), json!({"x": 1, "outer": true, "last": true}));
    assert_eq!(
        output("do: [ { a: { set: { x: 1 }, then: exit } }, { b: { set: { x: 2 } } } ]", json!({})),
        json!({"x": 1})
    );
}

#[test]
fn e15_end_completes_everything_around_it_with_their_own_output_and_export() {
    let definition = r"
do:
  - outer:
      do:
        - inner:
            do: [ { stop: { set: { x: 1 }, then: end } }, { never: { set: { x: 2 } } } ]
            output: { as: '. + { inner: true }' }
            then: never
        - never: { set: { x: 3 } }
      output: { as: '. + { outer: true }' }
      export: { as: '{ exported: .x }' }
      then: last
  - last: { set: { x: 4 } }
output: { as: '. + { context: $context }' }
";
    let expected = json!({"x": 1, "inner": true, "outer": true, "context": {"exported": 1}});
    assert_eq!(output(definition, json!({})), expected);
}

#[test]
fn e14_exit_in_a_loop_finishes_the_iteration_only() {
    let definition = r"
do:
  - loop:
      for: { in: '[1, 2, 3]' }
      do:
        - skip: { if: $item == 2, set: '${ . + { skipped: $index } }', then: exit }
        - add: { set: '${ . + { sum: ((.sum // 0) + $item) } }' }
";
    assert_eq!(output(definition, json!({})), json!({"sum": 4, "skipped": 1}));
}

#[test]
fn directives_inside_try_and_catch_end_only_their_list() {
    let with = |block: &str, handler: &str| {
        let text = format!(
            "do:\n  - t:\n      try: [ {block}, {{ later: {{ set: {{ later: 1 }} }} }} ]\n      catch: {{ do: [ {handler}, {{ last: {{ set: {{ last: 1 }} }} }} ] }}\n  - after: {{ set: '${{ . + {{ after: true }} }}' }}"
        );
        output(&text, json!({}))
    };
    let nothing = "{ h: { set: { h: 1 } } }";
    let broken = "{ b: { raise: { error: { type: x, status: 1 } } } }";
    assert_eq!(with("{ a: { set: { a: 1 }, then: exit } }", nothing), json!({"a": 1, "after": true}));
    assert_eq!(with("{ a: { set: { a: 1 }, then: end } }", nothing), json!({"a": 1}));
    assert_eq!(with(broken, "{ h: { set: { h: 1 }, then: exit } }"), json!({"h": 1, "after": true}));
    assert_eq!(with(broken, "{ h: { set: { h: 1 }, then: end } }"), json!({"h": 1}));
    assert_eq!(with(broken, "{ h: { set: { h: 1 }, then: last } }"), json!({"last": 1, "after": true}));
}

#[test]
fn end_in_a_branch_cancels_its_siblings_and_the_workflow_completes() {
    let definition = r"
do:
  - both:
      fork:
        branches:
          - slow: { wait: { hours: 1 } }
          - stop: { set: { stopped: true }, export: { as: '{ seen: 1 }' }, then: end }
      output: { as: '. + { fork: true }' }
  - never: { set: {x: 1} }
output: { as: '. + { context: $context }' }
";
    let world = World::run(definition, json!({}));
    assert_eq!(world.output(), json!({"stopped": true, "fork": true, "context": {"seen": 1}}));
    assert!(world.timers.is_empty());
    assert!(world.lines().contains(&"task_cancelled s0:both/b0/s0:slow".to_owned()));
}

#[test]
fn an_endless_loop_of_pure_tasks_is_cut_into_batches_and_can_be_cancelled() {
    let mut world = World::pending("do: [ { a: { set: { n: 1 }, then: a } } ]", json!({}));
    let first = world.give(Input::Start);
    assert!(first.more && first.events.len() >= BATCH_EVENTS && first.events.len() < BATCH_EVENTS + 10);
    assert_eq!(world.status(), Status::Running);
    let second = world.give(Input::Continue);
    assert!(second.more && second.events.len() >= BATCH_EVENTS);
    let last = world.give(Input::Cancel { by: None, reason: Some("enough".into()) });
    assert!(!last.more);
    assert_eq!(world.status(), Status::Cancelled);
    world.assert_replayable();
}
