//! The open points of the specification, each resolved as the conformance page says. Rows whose cases stand with the rules of a
//! task kind are named there: E2, E16, E17 in `forks`; E12, E13, E64 in `loops`; E14, E15, E59 in `directives`; E5, E25 to E29,
//! E34, E60, E63 in `retries`; E31, E61 in `timers` and `durability`; E6, E7, E9 in the templates; E36, E41 in `effects`.

use super::world::{World, error, failed, output};
use crate::domain::Status;
use serde_json::json;

#[test]
fn e1_the_context_begins_as_an_empty_object() {
    for input in [json!([1]), json!(null), json!({"a": 1})] {
        assert_eq!(output("do: [ { a: { set: '${ $context }' } } ]", input), json!({}));
    }
}

#[test]
fn e3_the_directive_of_a_skipped_task_is_ignored() {
    let tasks = r"
do:
  - refuse: { if: .age < 18, raise: { error: { type: 'https://ex.org/minor', status: 403 } }, then: end }
  - greet: { set: { msg: welcome } }
";
    assert_eq!(output(tasks, json!({"age": 40})), json!({"msg": "welcome"}));
    assert_eq!(error(tasks, json!({"age": 4})).1, json!(403));
}

#[test]
fn e4_a_switch_without_match_follows_its_own_then() {
    let tasks = |cases: &str| format!("do: [ {{ s: {{ switch: [ {cases} ], then: last }} }}, {{ never: {{ set: {{ x: 1 }} }} }}, {{ last: {{ set: '${{ . + {{last: true}} }}' }} }} ]");
    assert_eq!(output(&tasks("{ a: { when: .no, then: never } }"), json!({})), json!({"last": true}));
    // A matching case beats it, and so does a default case, wherever that is listed.
    assert_eq!(output(&tasks("{ d: { then: never } }, { a: { when: .yes, then: end } }"), json!({"yes": 1})), json!({"yes": 1}));
    assert_eq!(output(&tasks("{ d: { then: never } }, { a: { when: .yes, then: end } }"), json!({})), json!({"x": 1, "last": true}));
    assert_eq!(output("do: [ { s: { switch: [ { a: { when: .no, then: end } } ] } }, { b: { set: { x: 1 } } } ]", json!({})), json!({"x": 1}));
}

#[test]
fn e8_values_written_bare_are_literals() {
    assert_eq!(output("do: [ { a: { set: { lit: .a, val: '${ .a }' } } } ]", json!({"a": 1})), json!({"lit": ".a", "val": 1}));
}

#[test]
fn e10_and_e65_a_skipped_task_hands_its_raw_input_on_untouched() {
    let tasks = "do: [ { a: { if: 'false', input: { from: error }, set: { x: 1 }, output: { as: error, schema: { document: { type: integer } } }, export: { as: error } } } ]\noutput: { as: '[., $context]' }";
    assert_eq!(output(tasks, json!({"kept": 1})), json!([{"kept": 1}, {}]));
}

#[test]
fn e11_set_replaces_the_data() {
    assert_eq!(output("do: [ { a: { set: { x: 1 } } } ]", json!({"y": 2})), json!({"x": 1}));
    assert_eq!(output("do: [ { a: { set: '${ . + {x: 1} }' } } ]", json!({"y": 2})), json!({"y": 2, "x": 1}));
    assert_eq!(output("do: [ { a: { set: '[1, 2]' } } ]", json!({})), json!([1, 2]));
}

#[test]
fn e19_and_e33_an_error_keeps_the_instance_of_its_author() {
    let tasks = "do: [ { r: { raise: { error: { type: 'http://x', status: 400, instance: /elsewhere } } } } ]";
    assert_eq!(error(tasks, json!({})).2, "/elsewhere");
}

#[test]
fn e32_an_instance_is_a_pointer_into_the_document() {
    assert_eq!(error("do: [ { a: { set: '${ error }' } } ]", json!({})), failed("expression", 400, "/do/0/a"));
}

#[test]
fn e55_an_input_that_is_refused_makes_a_failed_execution() {
    let tasks = "input: { schema: { document: { required: [a] } } }\ndo: []";
    let world = World::run(tasks, json!({}));
    assert_eq!(world.lines(), ["execution_created", "execution_started", "execution_failed"]);
    assert_eq!((world.status(), world.error()["instance"].clone()), (Status::Failed, json!("/input")));
}

#[test]
fn e57_conditions_have_the_truth_of_jq() {
    for (value, runs) in [(json!(0), true), (json!(""), true), (json!([]), true), (json!(false), false), (json!(null), false)] {
        let expected = if runs { json!({"ran": true}) } else { json!({"v": value}) };
        assert_eq!(output("do: [ { a: { if: .v, set: { ran: true } } } ]", json!({"v": value})), expected);
    }
}

#[test]
fn loose_mode_tries_values_as_expressions() {
    let tasks = "evaluate: { mode: loose }\ndo: [ { a: { set: { bare: .a, text: plain words, mixed: 'v${ .a }', wrapped: '${ .a }', broken: '${ .a | error }' } } } ]";
    let expected = json!({"bare": 7, "text": "plain words", "mixed": "v7", "wrapped": 7, "broken": "${ .a | error }"});
    assert_eq!(output(tasks, json!({"a": 7})), expected);
}
