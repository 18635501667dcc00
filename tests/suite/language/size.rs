//! Odd but legal definitions: large, deep, long. They come to their end with the right result.

use super::case::{Run, with_document};
use super::virtual_time;
use callboard::domain::definition::review;
use callboard::machine::Compiles;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

fn run(tasks: Value, input: Value) -> (Run, Duration) {
    let runtime = Runtime::new().unwrap();
    let begin = Instant::now();
    let root = Map::from_iter([("do".to_owned(), tasks)]);
    let found = review(&with_document(root), &Compiles);
    let definition = found.definition.unwrap_or_else(|| panic!("{:#?}", found.problems));
    let run = virtual_time::run(&runtime, Arc::new(definition), input);
    (run, begin.elapsed())
}

/// No definition here takes nearly as long, however slow the machine is.
const MAX_TIME: Duration = Duration::from_secs(60);

/// Runs at a size and at four times that size.
fn at_two_sizes(name: &str, small: usize, of_size: impl Fn(usize) -> (Value, Value, Value)) {
    for size in [small, small * 4] {
        let (tasks, input, output) = of_size(size);
        let (run, took) = run(tasks, input);
        assert_eq!(run.output, Some(output), "{name}: {:?}", run.error);
        assert!(took < MAX_TIME, "{name}: {size} in {took:?}");
    }
}

#[test]
fn loops_of_many_iterations() {
    at_two_sizes("for", 2_500, |size| {
        let body = json!([{"x": {"set": {"n": "${ .n + 1 }"}}}]);
        let tasks =
            json!([{"l": {"for": {"in": "[range(.size)]"}, "input": {"from": "{n: 0, size: .size}"}, "do": body}}]);
        (tasks, json!({"size": size}), json!({"n": size}))
    });
}

#[test]
fn loops_by_goto() {
    at_two_sizes("goto", 2_500, |size| {
        let tasks = json!([
            {"a": {"set": "${ .n += 1 }"}},
            {"s": {"switch": [{"more": {"when": ".n < .size", "then": "a"}}]}}
        ]);
        (tasks, json!({"n": 0, "size": size}), json!({"n": size, "size": size}))
    });
}

#[test]
fn forks_of_many_branches() {
    at_two_sizes("fork", 250, |size| {
        let branches: Vec<Value> =
            (0..size).map(|n| json!({format!("b{n}"): {"set": format!("${{ {n} }}")}})).collect();
        let output: Vec<usize> = (0..size).collect();
        (json!([{"f": {"fork": {"branches": branches}}}]), json!({}), json!(output))
    });
}

#[test]
fn forks_of_many_waiting_branches() {
    at_two_sizes("waiting fork", 250, |size| {
        let branches: Vec<Value> = (0..size)
            .map(|n| json!({format!("b{n}"): {"wait": {"seconds": n + 1}, "output": {"as": n.to_string()}}}))
            .collect();
        let output: Vec<usize> = (0..size).collect();
        (json!([{"f": {"fork": {"branches": branches}}}]), json!({}), json!(output))
    });
}

#[test]
fn lists_of_many_tasks() {
    at_two_sizes("list", 500, |size| {
        let tasks: Vec<Value> = (0..size).map(|n| json!({format!("t{n}"): {"set": "${ . + 1 }"}})).collect();
        (json!(tasks), json!(0), json!(size))
    });
}

#[test]
fn nesting_up_to_the_limit() {
    // Each level of `do` is three levels of the document: the list, the item, the task.
    let mut task = json!({"set": "${ . + 1 }"});
    for _ in 0..60 {
        task = json!({"do": [{"d": task}], "output": {"as": ". + 1"}});
    }
    let (run, took) = run(json!([{"d": task}]), json!(0));
    assert_eq!(run.output, Some(json!(61)), "{:?}", run.error);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn nesting_beyond_the_limit_is_refused() {
    let mut task = json!({"set": {"x": 1}});
    for _ in 0..200 {
        task = json!({"do": [{"d": task}]});
    }
    let root = Map::from_iter([("do".to_owned(), json!([{"d": task}]))]);
    let found = review(&with_document(root), &Compiles);
    assert!(found.definition.is_none());
    assert_eq!(found.problems.len(), 1, "{:#?}", found.problems);
}

#[test]
fn megabytes_of_input() {
    let text = "x".repeat(1 << 20);
    let tasks: Vec<Value> = (0..50).map(|n| json!({format!("t{n}"): {"set": {"v": "${ .v }"}}})).collect();
    let (run, took) = run(json!(tasks), json!({"v": text}));
    assert_eq!(run.output, Some(json!({"v": text})));
    println!("50 tasks over 1 MiB of text in {took:?}");
    let items: Vec<u32> = (0..150_000).collect();
    let (run, took) = self::run(json!([{"s": {"set": "${ map(. + 1) | add }"}}]), json!(items));
    assert_eq!(run.output, Some(json!(11_250_075_000_u64)), "{:?}", run.error);
    println!("map and add over 150 000 numbers in {took:?}");
}

#[test]
fn expressions_too_deep_for_any_stack_are_refused() {
    let deep = format!("{}1{}", "(".repeat(50_000), ")".repeat(50_000));
    let long = vec!["1"; 50_000].join(" + ");
    let piped = vec!["."; 50_000].join(" | ");
    let nested = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let negated = format!("{}1", "-".repeat(50_000));
    let conditional = format!("{}1{}", "if . then ".repeat(20_000), " end".repeat(20_000));
    for text in [deep, long, piped, nested, negated, conditional] {
        let root = Map::from_iter([("do".to_owned(), json!([{"s": {"set": text}}]))]);
        let found = review(&with_document(root), &Compiles);
        assert!(found.definition.is_none(), "accepted: {}…", &text[..20]);
        assert!(found.problems.iter().any(|problem| problem.pointer == "/do/0/s/set"), "{:#?}", found.problems);
    }
}
