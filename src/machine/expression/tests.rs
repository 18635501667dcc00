//! The table of answers.

use super::*;
use serde_json::json;

fn run(text: &str, input: &Value) -> Result<Value, String> {
    Expression::compile(text, &[])?.evaluate(input, &[], Timestamp::from_micros(1_700_000_000_000_000))
}

#[test]
fn basics() {
    let input = json!({"a": {"b": [1, 2, {"c": "x"}]}, "n": null});
    assert_eq!(run(".", &input), Ok(input.clone()));
    assert_eq!(run(".a.b[2].c", &input), Ok(json!("x")));
    assert_eq!(run(".n.x.y", &input), Ok(json!(null)));
    assert_eq!(run(".a.b[]", &input), Ok(json!([1, 2, {"c": "x"}])));
    assert_eq!(run("empty", &input), Ok(json!(null)));
    assert_eq!(run("{x: .a.b[0], y: (.n // 5)}", &input), Ok(json!({"x": 1, "y": 5})));
    assert!(run(".a.b.c", &input).is_err());
}
