//! Schemas in external resources: when they are fetched, what a fetch means for its task, what is kept.

use super::world::{World, failed, summary};
use crate::domain::{EffectRequest, Status, TimerPurpose};
use crate::machine::{Input, Moment, outstanding};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

const RESOURCE: &str = "schema: { resource: { name: shape, endpoint: 'http://h/shape.json' } }";

fn document(schema: &Value) -> Value {
    json!(BASE64.encode(schema.to_string()))
}

fn needs_a() -> Value {
    document(&json!({"type": "object", "required": ["a"]}))
}

fn uris(world: &World) -> Vec<String> {
    let uri = |request: &EffectRequest| match request {
        EffectRequest::Http(request) => request.uri.clone(),
        EffectRequest::Shell(_) | EffectRequest::Agent(_) => panic!("{request:?}"),
    };
    world.effects.iter().map(|(path, _, request)| format!("{path} {}", uri(request))).collect()
}

#[test]
fn a_task_fetches_its_schemas_before_anything_of_it_is_done() {
    let tasks = format!(
        "do: [ {{ t: {{ input: {{ {RESOURCE}, from: '{{ b: .a }}' }}, output: {{ schema: {{ resource: {{ endpoint: 'http://h/{{b}}' }} }} }},
           call: http, with: {{ method: post, endpoint: 'http://h/do' }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({"a": 7}));
    assert_eq!(uris(&world), ["s0:t http://h/shape.json"]);
    assert_eq!((world.status(), world.state.has_outstanding_effects()), (Status::Running, true));
    world.succeed("s0:t", needs_a());
    assert_eq!(uris(&world), ["s0:t http://h/7"], "the address of the output's schema sees the transformed input");
    world.succeed("s0:t", document(&json!({"type": "integer"})));
    assert_eq!(uris(&world), ["s0:t http://h/do"]);
    world.succeed("s0:t", json!("text"));
    assert_eq!(summary(&world.error()), failed("validation", 400, "/do/0/t"));
    world.assert_replayable();
}

#[test]
fn an_input_that_does_not_fit_fails_before_it_is_transformed() {
    let tasks = format!("do: [ {{ t: {{ input: {{ {RESOURCE}, from: 'error' }}, set: {{ x: 1 }} }} }} ]");
    let run = |input: Value| {
        let mut world = World::run(&tasks, input);
        world.succeed("s0:t", needs_a());
        summary(&world.error())
    };
    assert_eq!(run(json!({})), failed("validation", 400, "/do/0/t"));
    assert_eq!(run(json!({"a": 1})), failed("expression", 400, "/do/0/t"));
}

#[test]
fn a_literal_address_is_fetched_once_per_execution() {
    let tasks = format!(
        "do: [ {{ l: {{ for: {{ in: '[1, 2, 3]' }}, do: [ {{ t: {{ output: {{ {RESOURCE} }}, set: {{ a: '${{ $item }}' }} }} }} ] }} }},
               {{ f: {{ fork: {{ branches: [ {{ x: {{ input: {{ {RESOURCE} }}, set: '1' }} }}, {{ y: {{ input: {{ {RESOURCE} }}, set: '2' }} }} ] }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    assert_eq!(world.effects.len(), 1);
    world.succeed("s0:l/i0/s0:t", needs_a());
    assert_eq!(world.output(), json!([1, 2]));
    let fetches = world.lines().iter().filter(|line| line.starts_with("effect_scheduled")).count();
    assert_eq!(fetches, 1);
}

#[test]
fn branches_that_need_the_same_schema_wait_for_one_fetch() {
    let tasks = format!(
        "do: [ {{ f: {{ fork: {{ branches: [ {{ x: {{ input: {{ {RESOURCE} }}, set: '1' }} }}, {{ y: {{ input: {{ {RESOURCE} }}, set: '2' }} }} ] }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({"a": 1}));
    assert_eq!(uris(&world), ["s0:f/b0/s0:x http://h/shape.json"]);
    world.succeed("s0:f/b0/s0:x", needs_a());
    assert_eq!(world.output(), json!([1, 2]));
}

#[test]
fn a_computed_address_is_fetched_by_each_run_of_the_task() {
    let tasks = "do: [ { l: { for: { in: '[1, 2]' }, do: [ { t: { output: { schema: { resource: { endpoint: '${ \"http://h/\\($item)\" }' } } }, set: { a: 1 } } } ] } } ]";
    let mut world = World::run(tasks, json!({}));
    assert_eq!(uris(&world), ["s0:l/i0/s0:t http://h/1"]);
    world.succeed("s0:l/i0/s0:t", needs_a());
    assert_eq!(uris(&world), ["s0:l/i1/s0:t http://h/2"]);
    world.succeed("s0:l/i1/s0:t", needs_a());
    assert_eq!(world.output(), json!({"a": 1}));
}

#[test]
fn a_failing_fetch_is_an_error_of_the_task_and_can_be_caught_and_retried() {
    let tasks = format!(
        "do: [ {{ t: {{ try: [ {{ s: {{ input: {{ {RESOURCE} }}, set: {{ x: 1 }} }} }} ], catch: {{ errors: {{ with: {{ status: 404, instance: /do/0/t/try/0/s }} }},
           retry: {{ limit: {{ attempt: {{ count: 1 }} }} }}, do: [ {{ h: {{ set: '${{ $error.status }}' }} }} ] }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({"a": 1}));
    world.fail("s0:t/a0/s0:s", 404);
    assert_eq!(uris(&world), ["s0:t/a1/s0:s http://h/shape.json"], "another attempt fetches again");
    let mut other = world.clone();
    world.fail("s0:t/a1/s0:s", 404);
    assert_eq!(world.output(), json!(404));
    other.succeed("s0:t/a1/s0:s", needs_a());
    assert_eq!(other.output(), json!({"x": 1}));
}

#[test]
fn what_is_no_schema_is_a_configuration_error() {
    let tasks = format!("do: [ {{ t: {{ input: {{ {RESOURCE} }}, set: {{ x: 1 }} }} }} ]");
    for text in ["{", "[]", "type: strin", "$ref: 'http://h/other.json'"] {
        let mut world = World::run(&tasks, json!({}));
        world.succeed("s0:t", json!(BASE64.encode(text)));
        assert_eq!(summary(&world.error()), failed("configuration", 400, "/do/0/t"), "{text}");
        assert!(world.lines().contains(&"effect_failed s0:t".to_owned()));
    }
}

#[test]
fn the_timeout_of_the_task_covers_the_fetch() {
    let tasks = format!("do: [ {{ t: {{ timeout: {{ after: PT1S }}, input: {{ {RESOURCE} }}, set: {{ x: 1 }} }} }} ]");
    let mut world = World::run(&tasks, json!({}));
    assert!(world.timers.contains_key(&("s0:t".into(), TimerPurpose::TaskTimeout)));
    world.wait(1_000);
    assert_eq!(summary(&world.error()), failed("timeout", 408, "/do/0/t"));
    assert!(world.effects.is_empty(), "the fetch is cancelled");
}

#[test]
fn a_workflow_fetches_its_schemas_before_its_first_task() {
    let text = |input: &str| {
        format!(
            "timeout: {{ after: PT1M }}\ninput: {{ {RESOURCE}{input} }}\noutput: {{ schema: {{ resource: {{ endpoint: 'http://h/out' }} }} }}\ndo: [ {{ s: {{ set: {{ x: 1 }} }} }} ]"
        )
    };
    let mut world = World::run(&text(""), json!({"a": 1}));
    assert_eq!(uris(&world), [" http://h/shape.json"]);
    let mut unfit = World::run(&text(", from: 'error'"), json!({}));
    unfit.succeed("", needs_a());
    assert_eq!(summary(&unfit.error()), failed("validation", 400, "/input"));
    let mut broken = world.clone();
    broken.fail("", 503);
    assert_eq!(summary(&broken.error()), failed("communication", 503, "/input"));
    let mut cancelled = world.clone();
    cancelled.give(Input::Cancel { by: None, reason: None });
    assert!(cancelled.effects.is_empty() && cancelled.timers.is_empty());
    let mut late = world.clone();
    late.wait(60_000);
    assert_eq!(summary(&late.error()), failed("timeout", 408, "/timeout"));
    world.succeed("", needs_a());
    assert_eq!(uris(&world), [" http://h/out"]);
    world.succeed("", document(&json!({"required": ["y"]})));
    assert_eq!(summary(&world.error()), failed("validation", 400, "/output"));
    world.assert_replayable();
}

#[test]
fn a_fetch_is_asked_again_after_a_crash_and_late_outcomes_are_dropped() {
    let task = format!("do: [ {{ t: {{ input: {{ {RESOURCE} }}, set: {{ x: 1 }} }} }} ]");
    let workflow = format!("input: {{ {RESOURCE} }}\ndo: [ {{ t: {{ set: {{ x: 1 }} }} }} ]");
    for (text, path) in [(task, "s0:t"), (workflow, "")] {
        let mut world = World::run(&text, json!({"a": 1}));
        let first = world.effects.clone();
        let recovered = Input::Recovered { reason: "crash".into(), restarts: 1, recovered_in_ms: 1 };
        let again = world.give(recovered).actions;
        assert_eq!(again, {
            let moment = Moment { at: world.now, seed: 0 };
            outstanding(&world.program, &world.replayed(), &moment, &crate::machine::DirectEvaluator).actions
        });
        assert_eq!((world.effects[0].1, &world.effects[0].2), (2, &first[0].2));
        let outcome = crate::domain::EffectOutcome { result: Ok(needs_a()), usage: None };
        let late = Input::EffectFinished { path: path.into(), attempt: 1, outcome };
        assert_eq!(world.give(late.clone()), Default::default());
        world.succeed(path, needs_a());
        assert_eq!(world.give(late), Default::default());
        assert_eq!(world.output(), json!({"x": 1}));
    }
}

#[test]
fn the_attempts_of_a_fetch_and_of_the_effect_behind_it_differ() {
    let tasks = format!(
        "do: [ {{ t: {{ input: {{ {RESOURCE} }}, call: http, with: {{ method: get, endpoint: 'http://h/' }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({"a": 1}));
    world.succeed("s0:t", needs_a());
    let outcome = crate::domain::EffectOutcome { result: Ok(needs_a()), usage: None };
    let twice = Input::EffectFinished { path: "s0:t".into(), attempt: 1, outcome };
    assert_eq!(world.give(twice), Default::default(), "a second answer to the fetch");
    world.succeed("s0:t", json!("answer"));
    assert_eq!(world.output(), json!("answer"));
}
