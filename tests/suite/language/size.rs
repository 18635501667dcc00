//! Odd but legal definitions: large, deep, long. They come to their end, and their time grows with their size as it must.

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

/// Runs at two sizes, one four times the other; time may grow eightfold and no more, whatever the machine.
fn grows_linearly(name: &str, small: usize, of_size: impl Fn(usize) -> (Value, Value, Value)) {
    let measure = |size: usize| {
        let (tasks, input, output) = of_size(size);
        let (run, took) = run(tasks, input);
        assert_eq!(run.output, Some(output), "{name}: {:?}", run.error);
        took
    };
    let (short, long) = (measure(small), measure(small * 4));
    println!("{name}: {small} in {short:?}, {} in {long:?}", small * 4);
    assert!(long < short.max(Duration::from_millis(50)) * 8, "{name}: {short:?} became {long:?}");
}

#[test]
fn loops_of_many_iterations() {
    grows_linearly("for", 2_500, |size| {
        let body = json!([{"x": {"set": {"n": "${ .n + 1 }"}}}]);
        let tasks =
            json!([{"l": {"for": {"in": "[range(.size)]"}, "input": {"from": "{n: 0, size: .size}"}, "do": body}}]);
        (tasks, json!({"size": size}), json!({"n": size}))
    });
}

#[test]
fn loops_by_goto() {
    grows_linearly("goto", 2_500, |size| {
        let tasks = json!([
            {"a": {"set": "${ .n += 1 }"}},
            {"s": {"switch": [{"more": {"when": ".n < .size", "then": "a"}}]}}
        ]);
        (tasks, json!({"n": 0, "size": size}), json!({"n": size, "size": size}))
    });
}

#[test]
fn forks_of_many_branches() {
    grows_linearly("fork", 250, |size| {
        let branches: Vec<Value> =
            (0..size).map(|n| json!({format!("b{n}"): {"set": format!("${{ {n} }}")}})).collect();
        let output: Vec<usize> = (0..size).collect();
        (json!([{"f": {"fork": {"branches": branches}}}]), json!({}), json!(output))
    });
}

#[test]
fn forks_of_many_waiting_branches() {
    grows_linearly("waiting fork", 250, |size| {
        let branches: Vec<Value> = (0..size)
            .map(|n| json!({format!("b{n}"): {"wait": {"seconds": n + 1}, "output": {"as": n.to_string()}}}))
            .collect();
        let output: Vec<usize> = (0..size).collect();
        (json!([{"f": {"fork": {"branches": branches}}}]), json!({}), json!(output))
    });
}

#[test]
fn lists_of_many_tasks() {
    grows_linearly("list", 500, |size| {
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
fn expressions_that_are_deep() {
    let text = format!("{}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let root = Map::from_iter([("do".to_owned(), json!([{"s": {"set": text}}]))]);
    let found = review(&with_document(root), &Compiles);
    println!("5 000 parentheses: accepted {}", found.definition.is_some());
    let sum = vec!["1"; 5_000].join(" + ");
    let root = Map::from_iter([("do".to_owned(), json!([{"s": {"set": sum}}]))]);
    let found = review(&with_document(root), &Compiles);
    println!("5 000 additions: accepted {}", found.definition.is_some());
    let pipe = vec!["."; 20_000].join(" | ");
    let root = Map::from_iter([("do".to_owned(), json!([{"s": {"set": pipe}}]))]);
    let found = review(&with_document(root), &Compiles);
    println!("20 000 pipes: accepted {}", found.definition.is_some());
}
