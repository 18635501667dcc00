//! `raise`, and how errors rise.

use super::world::{World, error, failed, output};
use serde_json::json;

#[test]
fn a_raised_error_has_exactly_the_given_fields_and_the_pointer_of_its_task() {
    let raise = |error: &str| {
        World::run(&format!("do: [ {{ r: {{ raise: {{ error: {error} }} }} }} ]"), json!({"n": 7})).error()
    };
    assert_eq!(
        raise("{ type: 'http://x/{n}', status: 418 }"),
        json!({"type": "http://x/7", "status": 418, "instance": "/do/0/r"})
    );
    let full = "{ type: '${ \"http://\" + \"y\" }', status: '${ 400 + .n }', title: '${ \"n\\(.n)\" }', detail: plain, instance: /mine }";
    assert_eq!(
        raise(full),
        json!({"type": "http://y", "status": 407, "title": "n7", "detail": "plain", "instance": "/mine"})
    );
}

#[test]
fn an_error_that_cannot_be_described_is_an_expression_error() {
    let raise = |fields: &str| error(&format!("do: [ {{ r: {{ raise: {{ error: {{ {fields} }} }} }} }} ]"), json!({}));
    assert_eq!(raise("type: 'http://x', status: '${ \"x\" }'"), failed("expression", 400, "/do/0/r"));
    assert_eq!(raise("type: '${ null }', status: 400"), failed("expression", 400, "/do/0/r"));
    assert_eq!(raise("type: 'http://x', status: 400, detail: '${ error }'"), failed("expression", 400, "/do/0/r"));
}

#[test]
fn named_errors() {
    let tasks = "use: { errors: { teapot: { type: 'http://x', status: 418, title: T } } }\ndo: [ { r: { raise: { error: teapot } } } ]";
    assert_eq!(
        World::run(tasks, json!({})).error(),
        json!({"type": "http://x", "status": 418, "title": "T", "instance": "/do/0/r"})
    );
}

#[test]
fn an_error_rises_unchanged_and_every_task_on_its_way_is_marked() {
    let tasks = r"
do:
  - outer:
      do:
        - loop:
            for: { in: '[1]' }
            do: [ { r: { raise: { error: { type: 'http://x', status: 418 } }, then: end } } ]
      then: never
  - never: { set: { x: 1 } }
";
    let world = World::run(tasks, json!({}));
    assert_eq!(world.error()["instance"], json!("/do/0/outer/do/0/loop/do/0/r"));
    let failures: Vec<String> =
        world.lines().into_iter().filter_map(|line| line.strip_prefix("task_failed ").map(str::to_owned)).collect();
    assert_eq!(failures, ["s0:outer/s0:loop/i0/s0:r", "s0:outer/s0:loop", "s0:outer"]);
}

#[test]
fn pointers_follow_the_document_without_iterations() {
    let place = |body: &str| error(&format!("do: [ {{ 'a/b~c': {{ {body} }} }} ]"), json!({})).2;
    let raise = "{ r: { raise: { error: { type: 'http://x', status: 1 } } } }";
    assert_eq!(place(&format!("do: [ {raise} ]")), "/do/0/a~1b~0c/do/0/r");
    assert_eq!(place(&format!("for: {{ in: '[1, 2]' }}, do: [ {raise} ]")), "/do/0/a~1b~0c/do/0/r");
    assert_eq!(place(&format!("fork: {{ branches: [ {raise} ] }}")), "/do/0/a~1b~0c/fork/branches/0/r");
    assert_eq!(place(&format!("try: [ {raise} ], catch: {{ do: [ {raise} ] }}")), "/do/0/a~1b~0c/catch/do/0/r");
    assert_eq!(place(&format!("try: [ {raise} ], catch: {{ when: 'false' }}")), "/do/0/a~1b~0c/try/0/r");
}

#[test]
fn the_caught_error_has_only_the_fields_of_the_language() {
    let tasks = "do: [ { t: { try: [ { b: { set: '${ error(\"x\") }' } } ], catch: { do: [ { show: { set: '${ $error | keys }' } } ] } } } ]";
    assert_eq!(output(tasks, json!({})), json!(["detail", "instance", "status", "title", "type"]));
}
