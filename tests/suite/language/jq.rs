//! Expressions against what jq 1.7 answers, which is what the DSL means by an expression, and the traps in them.
//!
//! The answers are a table, so that they do not depend on the machine; where a `jq` of the 1.7 line is installed, the table is
//! held against it.

use super::case::same;
use callboard::domain::Timestamp;
use callboard::machine::{DirectEvaluator, Evaluator, Expression};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::time::Duration;

/// `expression <tab> input <tab> answer`, one per line; the answer of an expression that fails is `error`. Several outputs are
/// an array, none are `null`.
const EXPRESSIONS: &str = include_str!("expressions.txt");

/// What nobody may do with an expression.
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

/// Processor time: far more than the budget of an expression takes, for slow machines. How busy the machine is does not count.
const MAX_TIME: Duration = Duration::from_secs(10);
const MAX_BYTES: usize = 64 * 1024 * 1024;

fn evaluate(text: &str, input: &Value) -> Result<Value, String> {
    let expression = Expression::compile(text, &[])?;
    DirectEvaluator
        .evaluate(&expression, input, &[], Timestamp::from_micros(1_700_000_000_000_000))
        .map_err(|failure| failure.detail.unwrap_or_default())
}

struct Row {
    expression: &'static str,
    input: &'static str,
    answer: &'static str,
}

fn table() -> Vec<Row> {
    let lines = EXPRESSIONS.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [expression, input, answer] = fields[..] else { panic!("{line}") };
            Row { expression, input, answer }
        })
        .collect()
}

fn check(row: &Row, found: Result<Value, String>) -> Option<String> {
    let is_right = match &found {
        Ok(found) => serde_json::from_str(row.answer).is_ok_and(|answer| same(&answer, found)),
        Err(_) => row.answer == "error",
    };
    (!is_right)
        .then(|| format!("{}   on {}\n    expected {}\n    found {found:?}", row.expression, row.input, row.answer))
}

#[test]
fn expressions_are_those_of_jq() {
    let table = table();
    let found = |row: &Row| evaluate(row.expression, &serde_json::from_str(row.input).unwrap());
    let failures: Vec<String> = table.iter().filter_map(|row| check(row, found(row))).collect();
    super::report("expressions", table.len(), &failures);
}

/// What the installed jq says.
fn reference(row: &Row) -> Result<Value, String> {
    let program = format!("{} | {}", row.input, row.expression);
    let output = Command::new("jq").args(["-c", "-n", &program]).stdin(Stdio::null()).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let mut values: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    Ok(match values.len() {
        0 => Value::Null,
        1 => values.remove(0),
        _ => Value::Array(values),
    })
}

#[test]
fn the_table_is_what_an_installed_jq_answers() {
    let version = Command::new("jq").arg("--version").output();
    if !version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("jq-1.7")) {
        return;
    }
    let table = table();
    let failures: Vec<String> = table.iter().filter_map(|row| check(row, reference(row))).collect();
    super::report("rows", table.len(), &failures);
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).unwrap();
    let time = usage.user_time() + usage.system_time();
    Duration::from_micros(u64::try_from(time.num_microseconds()).unwrap())
}

/// Every trap ends after little work, with a value or an error, and the process is still there afterwards.
#[test]
fn no_expression_harms_the_process() {
    let failures: Vec<String> = std::thread::scope(|scope| {
        let halves = TRAPS.chunks(TRAPS.len().div_ceil(2));
        let halves: Vec<_> =
            halves.map(|traps| scope.spawn(|| traps.iter().filter_map(|text| trap(text)).collect())).collect();
        halves.into_iter().flat_map(|half| -> Vec<String> { half.join().unwrap() }).collect()
    });
    super::report("traps", TRAPS.len(), &failures);
}

/// What is wrong with the way a trap ends.
fn trap(text: &str) -> Option<String> {
    let before = processor_time();
    let found = evaluate(text, &json!(null));
    let took = processor_time() - before;
    let size = found.as_ref().map_or(0, |value| value.to_string().len());
    (took > MAX_TIME || size > MAX_BYTES).then(|| format!("{text} took {took:?} and gave {size} bytes"))
}

#[test]
fn expressions_cannot_reach_outside() {
    for text in ["halt", "halt_error", "input", "[inputs]", "$ENV", "env", "input_filename", "$__prog_args", "$nope"] {
        assert!(evaluate(text, &json!(null)).is_err(), "{text} gives {:?}", evaluate(text, &json!(null)));
    }
    assert_eq!(evaluate("now", &json!(null)), Ok(json!(1_700_000_000)));
}
