//! `for`.

use super::world::{World, error, failed, output};
use serde_json::json;

#[test]
fn e12_each_iteration_works_on_the_output_of_the_one_before() {
    let definition = r"
do:
  - sum:
      input: { from: '{ nums: .values, acc: 0 }' }
      for: { each: n, in: .nums, at: i }
      while: .acc < 100
      do: [ { add: { set: { acc: '${ .acc + $n }', i: '${ $i }' } } } ]
      output: { as: '[.acc, .i]' }
";
    assert_eq!(output(definition, json!({"values": [1, 2, 3]})), json!([6, 2]));
    // E13: `while` is asked before an iteration.
    assert_eq!(output(definition, json!({"values": [99, 1, 5]})), json!([100, 1]));
    assert_eq!(output(definition, json!({"values": []})), json!([0, null]));
}

#[test]
fn variables_are_visible_in_everything_below_and_inner_ones_hide_outer_ones() {
    let definition = r"
do:
  - outer:
      for: { in: '[10, 20]' }
      do:
        - inner:
            for: { each: item, at: j, in: '[1, 2]' }
            do:
              - block:
                  do: [ { add: { set: '${ . + [[$item, $index, $j]] }' } } ]
        - back: { set: '${ . + [$item] }' }
";
    let expected = json!([[1, 0, 0], [2, 0, 1], 10, [1, 1, 0], [2, 1, 1], 20]);
    assert_eq!(output(definition, json!([])), expected);
}

#[test]
fn e64_only_arrays_and_null_can_be_iterated() {
    let run = |collection: &str| {
        format!("do: [ {{ l: {{ for: {{ in: '{collection}' }}, do: [ {{ a: {{ set: {{ x: 1 }} }} }} ] }} }} ]")
    };
    assert_eq!(output(&run("null"), json!({"kept": 1})), json!({"kept": 1}));
    for collection in ["{a: 1}", "7", "\"x\"", "true"] {
        assert_eq!(error(&run(collection), json!({})), failed("expression", 400, "/do/0/l"));
    }
}

#[test]
fn e56_a_failing_condition_is_an_error_of_the_loop() {
    let definition = "do: [ { l: { for: { in: '[1]' }, while: error, do: [ { a: { set: { x: 1 } } } ] } } ]";
    assert_eq!(error(definition, json!({})), failed("expression", 400, "/do/0/l"));
}

#[test]
fn the_collection_is_evaluated_once() {
    let definition = r"
do:
  - loop:
      for: { in: .items }
      do: [ { grow: { set: '${ { items: (.items + [9]), n: ((.n // 0) + 1) } }' } } ]
";
    assert_eq!(output(definition, json!({"items": [1, 2]})), json!({"items": [1, 2, 9, 9], "n": 2}));
}

#[test]
fn a_body_of_skipped_tasks_still_iterates() {
    let definition =
        "do: [ { l: { for: { in: '[1, 2]' }, do: [ { a: { if: $item == 2, set: '${ . + {x: $item} }' } } ] } } ]";
    let world = World::run(definition, json!({}));
    assert_eq!(world.output(), json!({"x": 2}));
    assert!(world.lines().contains(&"task_skipped s0:l/i0/s0:a".to_owned()));
    let empty = "do: [ { l: { for: { in: '[1, 2]' }, do: [] } } ]";
    assert_eq!(output(empty, json!({"kept": 1})), json!({"kept": 1}));
}
