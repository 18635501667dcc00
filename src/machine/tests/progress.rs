//! How far an execution is.

use super::world::{World, program};
use serde_json::{Value, json};

fn told(world: &World) -> (u32, u32) {
    let progress = world.state.progress(&world.program);
    (progress.completed_tasks, progress.known_tasks)
}

#[test]
fn a_loop_counts_all_its_rounds_from_its_first_one() {
    let definition = r"
do:
  - list: { call: http, with: { method: get, endpoint: 'http://h/' } }
  - each:
      for: { in: .items }
      do:
        - get: { call: http, with: { method: get, endpoint: 'http://h/' } }
        - keep: { set: '${ { items: [] } }' }
  - last: { call: http, with: { method: get, endpoint: 'http://h/' } }
";
    let mut world = World::run(definition, json!({}));
    assert_eq!(told(&world), (0, 0), "how many items there will be is not known");
    world.succeed("s0:list", json!({ "items": [1, 2, 3] }));
    // The one before, the loop, three rounds of two, the one after.
    assert_eq!(told(&world), (1, 9));
    for round in 0..3 {
        assert_eq!(told(&world), (1 + 2 * round, 9));
        world.succeed(&format!("s1:each/i{round}/s0:get"), Value::Null);
    }
    assert_eq!(told(&world), (8, 9));
    world.succeed("s2:last", Value::Null);
    assert_eq!(told(&world), (9, 9));
}

#[test]
fn what_is_left_early_counts_no_longer() {
    let call = "{ call: http, with: { method: get, endpoint: 'http://h/' } }";
    let definition = format!(
        "do: [ {{ t: {{ try: [ {{ a: {call} }}, {{ b: {call} }}, {{ c: {call} }} ], catch: {{ do: [ {{ d: {call} }} ] }} }} }}, {{ z: {call} }} ]"
    );
    let mut world = World::run(&definition, json!({}));
    assert_eq!(told(&world), (0, 5));
    world.fail("s0:t/a0/s0:a", 500);
    assert_eq!(told(&world), (1, 4), "its handler instead of the two that were left");
}

#[test]
fn what_depends_on_something_unknown_is_not_told() {
    let call = "{ call: http, with: { method: get, endpoint: 'http://h/' } }";
    let looping = format!("do: [ {{ l: {{ for: {{ in: '[1, 2]' }}, while: '. != 7', do: [ {{ a: {call} }} ] }} }} ]");
    let back =
        format!("do: [ {{ a: {call} }}, {{ b: {{ switch: [ {{ again: {{ when: '. == 1', then: a }} }} ] }} }} ]");
    for definition in [looping, back] {
        assert_eq!(told(&World::run(&definition, json!({}))), (0, 0), "{definition}");
    }
    let forward = format!("do: [ {{ a: {{ set: {{ x: 1 }}, then: c }} }}, {{ b: {call} }}, {{ c: {call} }} ]");
    assert_eq!(told(&World::run(&forward, json!({}))), (1, 2), "what is jumped over does not come");
}

#[test]
fn functions_that_call_each_other_have_no_number() {
    let program = program(
        "document: { dsl: '1.0.3', namespace: test, name: rules, version: '1.0.0' }
use: { functions: { ping: { do: [ { a: { call: pong } } ] }, pong: { do: [ { a: { call: ping } } ] } } }
do: [ { wait: { wait: { seconds: 1 } } }, { go: { call: ping } } ]",
    );
    let mut world = World::of(program, json!({}));
    world.give(crate::machine::Input::Start);
    assert_eq!(told(&world), (0, 0));
}
