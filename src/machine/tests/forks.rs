//! `fork`: branches, competition, contexts.

use super::world::{World, error, failed, output, summary};
use crate::machine::Input;
use serde_json::json;

const HTTP: &str = "call: http, with: { method: get, endpoint: 'http://h/' }";

fn two_calls(compete: bool) -> World {
    let tasks = format!(
        "do: [ {{ f: {{ fork: {{ compete: {compete}, branches: [ {{ a: {{ {HTTP} }} }}, {{ b: {{ {HTTP} }} }} ] }} }} }} ]"
    );
    World::run(&tasks, json!({"in": 1}))
}

#[test]
fn e16_the_output_is_the_array_of_the_branches_in_the_order_of_their_declaration() {
    let mut world = two_calls(false);
    world.succeed("s0:f/b1/s0:b", json!("B"));
    assert_eq!(world.effects.len(), 1);
    world.succeed("s0:f/b0/s0:a", json!("A"));
    assert_eq!(world.output(), json!(["A", "B"]));
}

#[test]
fn e17_a_failing_branch_cancels_the_others_and_fails_the_fork() {
    let mut world = two_calls(false);
    world.fail("s0:f/b1/s0:b", 503);
    assert_eq!(summary(&world.error()), failed("communication", 503, "/do/0/f/fork/branches/1/b"));
    assert!(world.effects.is_empty());
    let tail = world.lines().split_off(7);
    assert_eq!(
        tail,
        [
            "effect_failed s0:f/b1/s0:b",
            "task_failed s0:f/b1/s0:b",
            "task_cancelled s0:f/b0/s0:a",
            "task_failed s0:f",
            "execution_failed"
        ]
    );
}

#[test]
fn the_first_that_completes_wins_a_competition_and_the_others_are_cancelled() {
    let mut world = two_calls(true);
    world.succeed("s0:f/b1/s0:b", json!("B"));
    assert_eq!(world.output(), json!("B"));
    assert!(world.effects.is_empty());
}

#[test]
fn a_failing_competitor_drops_out_and_only_the_last_failure_counts() {
    let mut world = two_calls(true);
    world.fail("s0:f/b1/s0:b", 500);
    let mut other = world.clone();
    world.succeed("s0:f/b0/s0:a", json!("A"));
    assert_eq!(world.output(), json!("A"));
    other.fail("s0:f/b0/s0:a", 503);
    assert_eq!(summary(&other.error()), failed("communication", 503, "/do/0/f/fork/branches/0/a"));
}

#[test]
fn among_computed_competitors_the_first_declared_wins() {
    let tasks =
        "do: [ { f: { fork: { compete: true, branches: [ { a: { set: { x: 1 } } }, { b: { set: { x: 2 } } } ] } } } ]";
    assert_eq!(output(tasks, json!({})), json!({"x": 1}));
}

#[test]
fn skipped_branches_contribute_their_input_and_never_win() {
    let tasks = |compete: bool, b: &str| {
        format!(
            "do: [ {{ f: {{ fork: {{ compete: {compete}, branches: [ {{ a: {{ if: 'false', set: {{ x: 1 }} }} }}, {{ b: {{ {b} }} }} ] }} }} }} ]"
        )
    };
    let set = "set: { x: 2 }";
    let skipped = "if: 'false', set: { x: 2 }";
    assert_eq!(output(&tasks(false, set), json!({"in": 1})), json!([{"in": 1}, {"x": 2}]));
    assert_eq!(output(&tasks(true, set), json!({"in": 1})), json!({"x": 2}));
    assert_eq!(output(&tasks(true, skipped), json!({"in": 1})), json!({"in": 1}));
    assert_eq!(output(&tasks(false, skipped), json!({"in": 1})), json!([{"in": 1}, {"in": 1}]));
    let raise = "raise: { error: { type: 'http://x', status: 418 } }";
    assert_eq!(error(&tasks(true, raise), json!({})).1, json!(418));
}

#[test]
fn e2_each_branch_has_a_context_of_its_own_and_the_changes_are_laid_over_in_order() {
    let branch = |name: &str, body: &str| format!("{{ {name}: {{ do: [ {body} ] }} }}");
    let export = |name: &str, expression: &str| {
        format!("{{ {name}: {{ set: '${{ $context }}', export: {{ as: '{expression}' }} }} }}")
    };
    let a =
        branch("a", &[export("a1", "$context + {a: 1, both: \"a\"}"), export("a2", "$context + {a: 2}")].join(", "));
    let b = branch("b", &export("b1", "$context + {b: 1, both: \"b\"}"));
    let c = branch("c", "{ c1: { set: { nothing: true } } }");
    let tasks = format!(
        "do: [ {{ init: {{ set: {{ x: 1 }}, export: {{ as: '{{ kept: 1 }}' }} }} }}, {{ f: {{ fork: {{ branches: [ {a}, {b}, {c} ] }} }} }}, {{ show: {{ set: {{ branches: '${{ . }}', context: '${{ $context }}' }} }} }} ]"
    );
    let result = output(&tasks, json!({}));
    assert_eq!(result["context"], json!({"kept": 1, "a": 2, "both": "b", "b": 1}));
    // What a branch sees is the context at the start of the fork and its own changes.
    assert_eq!(result["branches"][0], json!({"kept": 1, "a": 1, "both": "a"}));
    assert_eq!(result["branches"][1], json!({"kept": 1}));
}

#[test]
fn e2_only_the_context_of_the_winner_counts() {
    let tasks = r"
do:
  - f:
      fork:
        compete: true
        branches:
          - a: { do: [ { a1: { set: { x: 1 }, export: { as: '{ loser: true }' } } }, { a2: { wait: PT1H } } ] }
          - b: { set: { x: 2 }, export: { as: '{ winner: true }' } }
  - show: { set: '${ $context }' }
";
    assert_eq!(output(tasks, json!({})), json!({"winner": true}));
}

#[test]
fn the_export_of_the_fork_itself_sees_the_merged_context() {
    let tasks = r"
do:
  - f:
      fork: { branches: [ { a: { set: { x: 1 }, export: { as: '{ a: 1 }' } } }, { b: { set: { x: 2 }, export: { as: '{ b: 2 }' } } } ] }
      export: { as: '$context + { f: length }' }
  - show: { set: '${ $context }' }
";
    assert_eq!(output(tasks, json!({})), json!({"a": 1, "b": 2, "f": 2}));
}

#[test]
fn a_fork_inside_a_branch_merges_into_that_branch() {
    let tasks = r"
do:
  - f:
      fork:
        branches:
          - a:
              do:
                - inner: { fork: { branches: [ { x: { set: { x: 1 }, export: { as: '{ x: 1 }' } } }, { y: { set: { y: 1 }, export: { as: '{ y: 1 }' } } } ] } }
                - look: { set: '${ $context }' }
          - b: { set: '${ $context }' }
  - show: { set: { branches: '${ . }', context: '${ $context }' } }
";
    let expected = json!({"branches": [{"x": 1, "y": 1}, {}], "context": {"x": 1, "y": 1}});
    assert_eq!(output(tasks, json!({})), expected);
}

#[test]
fn no_branches() {
    assert_eq!(output("do: [ { f: { fork: { branches: [] } } } ]", json!({"a": 1})), json!([]));
    assert_eq!(output("do: [ { f: { fork: { compete: true, branches: [] } } } ]", json!({"a": 1})), json!({"a": 1}));
}

#[test]
fn cancelling_stops_every_branch() {
    let mut world = two_calls(false);
    world.give(Input::Cancel { by: Some("ada".into()), reason: None });
    assert!(world.effects.is_empty());
    let tail = world.lines().split_off(7);
    assert_eq!(
        tail,
        ["task_cancelled s0:f/b0/s0:a", "task_cancelled s0:f/b1/s0:b", "task_cancelled s0:f", "execution_cancelled"]
    );
    world.assert_replayable();
}
