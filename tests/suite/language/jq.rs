//! Expressions against the real `jq`, which is what the DSL means by an expression. Without a `jq` of the 1.7 line on the
//! machine only the traps are tested.

use super::case::same;
use callboard::domain::Timestamp;
use callboard::machine::{DirectEvaluator, Evaluator, Expression};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};

/// `expression <tab> input`, one per line.
const EXPRESSIONS: &str = include_str!("expressions.txt");

/// What nobody may do with an expression, and the longest that any of it may take.
const TRAPS: &[&str] = &[
    "halt",
    "halt_error",
    "\"x\" | halt_error(1)",
    "repeat(1)",
    "[repeat(1)]",
    "def f: f; f",
    "def f: 1 + f; f",
    "def f: [f]; f",
    "[range(1e18)]",
    "[range(1; infinite)]",
    "[limit(1e12; repeat(0))] | length",
    "last(range(1e12))",
    "reduce range(1e12) as $i (0; . + 1)",
    "\"x\" * 1e10",
    "reduce range(64) as $i (\"x\"; . + .)",
    "reduce range(64) as $i ([0]; . + .)",
    "reduce range(100000) as $i (null; [.])",
    "reduce range(100000) as $i (null; {a: .}) | tojson",
    "until(false; .)",
    "[while(true; .)]",
    "[recurse([.])]",
    "input",
    "[inputs]",
    "$ENV",
    "env",
    "env.PATH",
    "$__prog_args",
    "input_filename",
    "import \"a\" as a; 1",
    "include \"a\"; 1",
    "[range(1e6) | tostring] | join(\",\") | [match(\"(a*)*b\"; \"g\")] | length",
    "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\" | test(\"^(a|aa)+$\")",
    "[combinations(1e9)]",
    "[range(1e5)] | [combinations(3)]",
    "[1e9 | [limit(.; repeat(1))]] | flatten",
    ".[999999999] = 1",
    "[] | .[1e15] = 1",
    "\"@\" * 100000000 | @uri",
    "[splits(\"x\")] | error",
    "error(null)",
    "label $out | repeat(1) | select(. == 2) | break $out",
    "path(repeat(.))",
    "[paths(repeat(.))]",
    "limit(-1; repeat(1))",
    "first(empty | repeat(1))",
    "getpath([range(1e9)])",
    "ltrimstr(repeat(\"a\"))",
    "debug",
    "stderr",
    "debug(\"x\")",
    "input_line_number",
    "splits",
    "$undefined",
    "get_search_list",
    "now | localtime",
    "now | strflocaltime(\"%Z\")",
];

fn evaluate(text: &str, input: &Value) -> Result<Value, String> {
    let expression = Expression::compile(text, &[])?;
    DirectEvaluator
        .evaluate(&expression, input, &[], Timestamp::from_micros(1_700_000_000_000_000))
        .map_err(|failure| failure.detail.unwrap_or_default())
}

/// What jq says, in the shape that the DSL leaves open: no output is `null`, several are an array.
fn reference(text: &str, input: &str) -> Option<Result<Value, String>> {
    let output = Command::new("jq").args(["-c", "-n", &format!("{input} | {text}")]).output().ok()?;
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let mut values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Some(Ok(match values.len() {
        0 => Value::Null,
        1 => values.remove(0),
        _ => Value::Array(values),
    }))
}

fn is_installed() -> bool {
    let version = Command::new("jq").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("jq-1.7"))
}

#[test]
fn expressions_are_those_of_jq() {
    if !is_installed() {
        return;
    }
    let mut failures = Vec::new();
    let lines = EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    for line in lines.clone() {
        let (text, input) = line.split_once('\t').unwrap_or((line, "null"));
        let wanted = reference(text, input).unwrap();
        let found = evaluate(text, &serde_json::from_str(input).unwrap());
        let is_right = match (&wanted, &found) {
            (Ok(wanted), Ok(found)) => same(wanted, found),
            (Err(_), Err(_)) => true,
            _ => false,
        };
        if !is_right {
            failures.push(format!("{text}   on {input}\n    jq {wanted:?}\n    we {found:?}"));
        }
    }
    super::report("expressions", lines.count(), &failures);
}

/// Every trap ends soon, with a value or an error, and the process is still there afterwards.
#[test]
fn no_expression_harms_the_process() {
    let mut failures = Vec::new();
    for text in TRAPS {
        let begin = Instant::now();
        let found = evaluate(text, &json!(null));
        let took = begin.elapsed();
        if took > Duration::from_secs(5) {
            failures.push(format!("{text} took {took:?}: {}", found.is_ok()));
        }
        if let Ok(value) = &found
            && value.to_string().len() > 64 * 1024 * 1024
        {
            failures.push(format!("{text} gives {} bytes", value.to_string().len()));
        }
    }
    super::report("traps", TRAPS.len(), &failures);
}

#[test]
fn expressions_cannot_reach_outside() {
    for text in ["halt", "halt_error", "input", "[inputs]", "$ENV", "env", "input_filename", "$__prog_args", "$nope"] {
        assert!(evaluate(text, &json!(null)).is_err(), "{text} gives {:?}", evaluate(text, &json!(null)));
    }
    assert_eq!(evaluate("now", &json!(null)), Ok(json!(1_700_000_000)));
}
