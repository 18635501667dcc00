//! The order in which data is checked, transformed and handed on (Serverless Workflow DSL 1.0.3, "Data Flow").

use super::world::{START, World, error, failed, output};
use crate::domain::Timestamp;
use serde_json::{Value, json};

#[test]
fn a_workflow_checks_transforms_and_hands_on() {
    let definition = r"
input:
  schema: { document: { type: object, required: [values] } }
  from: '{ items: .values }'
do:
  - sum: { set: { total: '${ .items | add }' } }
output:
  as: .total
  schema: { document: { type: integer } }
";
    assert_eq!(output(definition, json!({"values": [1, 2, 3]})), json!(6));
    assert_eq!(error(definition, json!({"value": 1})), failed("validation", 400, "/input"));
    assert_eq!(error(definition, json!({"values": ["x"]})), failed("validation", 400, "/output"));
}

#[test]
fn a_task_goes_through_all_its_steps_in_order() {
    let definition = r"
do:
  - before: { set: { a: 1, junk: true }, export: { as: '{ seen: .a }' } }
  - main:
      if: .junk
      input: { schema: { document: { required: [a] } }, from: '{ a: (.a + $context.seen) }' }
      set: { b: '${ .a * 10 }', in: '${ $input }', raw: '${ $task.input }' }
      output: { as: '{ c: .b, in: $input, raw: $task.output.raw, taskRaw: $task.input }', schema: { document: { required: [c] } } }
      export: { as: '$context + { c: .c, sameOutput: ($output == .) }', schema: { document: { required: [c, seen] } } }
  - after: { set: { data: '${ . }', context: '${ $context }' } }
";
    let raw = json!({"a": 1, "junk": true});
    assert_eq!(
        output(definition, json!({})),
        json!({
            "data": {"c": 20, "in": {"a": 2}, "raw": raw, "taskRaw": raw},
            "context": {"seen": 1, "c": 20, "sameOutput": true},
        })
    );
}

#[test]
fn every_failing_check_is_an_error_of_its_task() {
    let check = |property: &str| error(&format!("do:\n  - only: {{ set: {{ a: 1 }}, {property} }}"), json!({}));
    let here = |name: &str| failed(name, 400, "/do/0/only");
    assert_eq!(check("input: { schema: { document: { required: [x] } } }"), here("validation"));
    assert_eq!(check("output: { schema: { document: { required: [x] } } }"), here("validation"));
    assert_eq!(check("export: { as: '{}', schema: { document: { required: [x] } } }"), here("validation"));
    assert_eq!(check("if: error"), here("expression"));
    assert_eq!(check("input: { from: error }"), here("expression"));
    assert_eq!(check("output: { as: error }"), here("expression"));
    assert_eq!(check("export: { as: error }"), here("expression"));
    assert_eq!(check("timeout: { after: '${ \"soon\" }' }"), here("expression"));
}

#[test]
fn a_refused_context_is_not_taken_over() {
    let definition = r"
do:
  - guarded:
      try:
        - bad: { set: { a: 1 }, export: { as: '{ x: 1 }', schema: { document: { required: [y] } } } }
      catch: {}
  - show: { set: '${ $context }' }
";
    assert_eq!(output(definition, json!({})), json!({}));
}

#[test]
fn arguments_describe_workflow_task_and_runtime() {
    let definition = r#"
do:
  - pause: { wait: { milliseconds: 1500 } }
  - show:
      metadata: { note: x }
      set:
        workflow: '${ $workflow | {id, input, startedAt, name: .definition.document.name} }'
        task: '${ $task | {name, reference, input, output, note: .definition.metadata.note, started: .startedAt.epoch} }'
        runtime: '${ $runtime | {name, metadata} }'
        nothing: '${ [$output, $authorization] }'
"#;
    let mut world = World::run(definition, json!({"a": 1}));
    world.wait(1500);
    let started = json!({"iso8601": "2023-11-14T22:13:20.000000Z", "epoch": {"seconds": 1_700_000_000, "milliseconds": 1_700_000_000_000_i64}});
    assert_eq!(
        world.output(),
        json!({
            "workflow": {"id": world.state.id().to_string(), "input": {"a": 1}, "startedAt": started, "name": "rules"},
            "task": {
                "name": "show", "reference": "/do/1/show", "input": {"a": 1}, "output": null, "note": "x",
                "started": {"seconds": 1_700_000_001, "milliseconds": 1_700_000_001_500_i64},
            },
            "runtime": {"name": "callboard", "metadata": {}},
            "nothing": [null, null],
        })
    );
}

#[test]
fn now_is_the_time_of_the_step() {
    let mut world = World::pending("do: [ { a: { set: '${ now }' } } ]", json!({}));
    world.now = Timestamp::from_micros(START + 2_500_000);
    world.give(crate::machine::Input::Start);
    assert_eq!(world.output(), json!(1_700_000_002.5));
}

#[test]
fn e33_secrets_that_do_not_exist_are_refused() {
    let read = |tasks: &str| {
        let world = World::run(tasks, json!({}));
        let suggestion = world.state.error().unwrap().suggestion.clone().unwrap();
        (super::world::summary(&world.error()), suggestion)
    };
    let listed = read("use: { secrets: [key] }\ndo: [ { a: { set: { k: '${ $secrets.key }' } } } ]");
    assert_eq!(listed.0, failed("authorization", 403, "/do/0/a"));
    assert!(listed.1.contains("callboard secrets set key"));
    let unlisted = read("do: [ { a: { set: { k: '${ $secret[\"key\"] }' } } } ]");
    assert_eq!(unlisted.0, failed("authorization", 403, "/do/0/a"));
    assert!(unlisted.1.contains("use.secrets"));
    assert_eq!(output("do: [ { a: { set: '${ $secrets }' } } ]", json!({})), json!({}));
}

#[test]
fn an_empty_list_hands_its_input_on() {
    assert_eq!(output("do: []", json!({"a": 1})), json!({"a": 1}));
    assert_eq!(output("do: [ { inner: { do: [] } } ]", json!({"a": 1})), json!({"a": 1}));
    let swallowed =
        "do: [ { t: { try: [ { r: { raise: { error: { type: x, status: 1 } } } } ], catch: { do: [] } } } ]";
    assert_eq!(output(swallowed, json!({"a": 1})), json!({"a": 1}));
}

#[test]
fn a_raw_input_of_any_type_is_handed_on() {
    for value in [json!(null), json!([1]), json!("x"), json!(1.5)] {
        let shown: Value = output("do: [ { a: { do: [ { b: { set: '${ . }' } } ] } } ]", value.clone());
        assert_eq!(shown, value);
    }
}
