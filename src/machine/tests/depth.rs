//! Depth: however tasks and calls stand in each other, a definition cannot exhaust the stack of the thread that steps it.

use super::world::{World, summary};
use serde_json::json;

/// What threads of arbiters and worker threads have.
const STACK: usize = 2 * 1024 * 1024;

/// Runs a test on a thread with the stack of a worker; an overflow would end the whole process.
fn on_a_worker(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(STACK).spawn(test).unwrap().join().unwrap();
}

/// A task inside many others of its kind.
fn inside(kind: &str, levels: usize, task: &str) -> String {
    (0..levels).fold(task.to_owned(), |inner, _| match kind {
        "do" => format!("do: [ {{ d: {{ {inner} }} }} ]"),
        "for" => format!("for: {{ in: '[1]' }}, do: [ {{ d: {{ {inner} }} }} ]"),
        "try" => format!("try: [ {{ d: {{ {inner} }} }} ], catch: {{ when: 'false' }}"),
        "fork" => format!("fork: {{ branches: [ {{ d: {{ {inner} }} }} ] }}"),
        other => panic!("{other}"),
    })
}

/// Lets time pass until an execution has failed; what it failed with.
fn title(mut world: World) -> String {
    while !world.status().is_terminal() {
        world.wait(1_000);
    }
    let error = world.error();
    assert_eq!((summary(&error).0.as_str(), &error["status"]), ("runtime", &json!(500)));
    error["title"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn calls_through_many_levels_fail_and_do_not_exhaust_the_stack() {
    on_a_worker(|| {
        for kind in ["do", "for", "try", "fork"] {
            let recursion = inside(kind, 40, "do: [ { w: { wait: PT1S } }, { c: { call: f } } ]");
            let tasks = format!("use: {{ functions: {{ f: {{ {recursion} }} }} }}\ndo: [ {{ c: {{ call: f }} }} ]");
            assert_eq!(title(World::run(&tasks, json!({}))), "Too many nested tasks", "{kind}");
        }
    });
}

#[test]
fn the_deepest_expression_has_room_in_the_deepest_task() {
    on_a_worker(|| {
        let deepest = "if: $context.n > 40, set: '${ def f: 1 + f; f }'";
        let body = format!("do: [ {{ x: {{ {deepest} }} }}, {{ c: {{ call: f }} }} ]");
        let count = "n: { set: '1', export: { as: '{ n: (($context.n // 0) + 1) }' } }";
        let recursion = format!("do: [ {{ {count} }}, {{ d: {{ {} }} }} ]", inside("do", 0, &body));
        let tasks = format!("use: {{ functions: {{ f: {{ {recursion} }} }} }}\ndo: [ {{ c: {{ call: f }} }} ]");
        let error = World::run(&tasks, json!({})).error();
        assert_eq!(summary(&error).0, "expression", "{error}");
    });
}

#[test]
fn a_chain_of_thousands_of_functions_is_compiled_and_not_followed_to_its_end() {
    const LINKS: usize = 3_000;
    on_a_worker(|| {
        let links: String = (0..LINKS).map(|link| format!("    f{link}: {{ call: f{} }}\n", link + 1)).collect();
        let last = format!("    f{LINKS}: {{ set: {{ v: 1 }} }}\n");
        let tasks = format!("use:\n  functions:\n{links}{last}do: [ {{ c: {{ call: f0 }} }} ]");
        assert_eq!(title(World::run(&tasks, json!({}))), "Too many nested function calls");
    });
}
