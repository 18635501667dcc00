//! `try`, `catch`, retries (Serverless Workflow DSL 1.0.3, "Try", "Retry").

use super::world::{World, error, failed, output, summary};
use crate::domain::{Status, TimerPurpose};
use serde_json::{Value, json};

/// One HTTP call in a try with this catch.
fn try_call(catch: &str) -> World {
    let tasks = format!(
        "do: [ {{ load: {{ try: [ {{ fetch: {{ call: http, with: {{ method: get, endpoint: 'http://h/' }} }} }} ], catch: {catch} }} }}, {{ after: {{ set: '${{ {{ data: . }} }}' }} }} ]"
    );
    World::run(&tasks, json!({"in": 1}))
}

/// The pauses before the retries, in milliseconds, until there is no further one.
fn pauses(catch: &str) -> (Vec<i64>, World) {
    let mut world = try_call(catch);
    let mut pauses = Vec::new();
    for attempt in 0.. {
        let failed_at = world.now;
        world.fail(&format!("s0:load/a{attempt}/s0:fetch"), 503);
        let Some(deadline) = world.timers.get(&("s0:load".into(), TimerPurpose::Retry)).copied() else {
            if world.effects.is_empty() || pauses.len() > 20 {
                return (pauses, world);
            }
            pauses.push(0);
            continue;
        };
        assert_eq!(world.status(), Status::Waiting);
        let pause = (deadline.micros_since(failed_at) + 999) / 1_000;
        world.wait(pause - 1);
        assert!(world.effects.is_empty(), "the retry started early");
        world.wait(1);
        pauses.push(pause);
    }
    unreachable!()
}

#[test]
fn e25_to_e28_retries_come_first_then_the_handler() {
    let catch = "{ errors: { with: { status: 503 } }, retry: { delay: { seconds: 1 }, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } }, do: [ { fallback: { set: { cached: '${ $error.status }' } } } ] }";
    let (pauses, world) = pauses(catch);
    assert_eq!(pauses, [1000, 2000, 4000]);
    assert_eq!(world.output(), json!({"data": {"cached": 503}}));
}

#[test]
fn every_backoff() {
    let of = |policy: &str| pauses(&format!("{{ retry: {{ {policy} }}, do: [] }}")).0;
    assert_eq!(of("delay: PT0.1S, limit: { attempt: { count: 3 } }"), [100, 100, 100]);
    assert_eq!(of("delay: PT0.1S, backoff: { constant: {} }, limit: { attempt: { count: 2 } }"), [100, 100]);
    assert_eq!(of("delay: PT0.1S, backoff: { linear: {} }, limit: { attempt: { count: 3 } }"), [100, 200, 300]);
    assert_eq!(
        of("delay: PT0.1S, backoff: { exponential: {} }, limit: { attempt: { count: 4 } }"),
        [100, 200, 400, 800]
    );
    assert_eq!(of("limit: { attempt: { count: 3 } }"), [0, 0, 0]);
    assert_eq!(of("delay: PT1S, limit: { attempt: { count: 0 } }"), [0_i64; 0]);
}

#[test]
fn no_retry_starts_beyond_the_total_duration() {
    let (pauses, world) = pauses("{ retry: { delay: PT1S, limit: { duration: PT3.5S } } }");
    assert_eq!(pauses, [1000, 1000, 1000]);
    // E26: exhausted without a handler, the last error is thrown again.
    assert_eq!(summary(&world.error()), failed("communication", 503, "/do/0/load/try/0/fetch"));
}

#[test]
fn jitter_is_added_within_its_bounds() {
    let (pauses, _) = pauses(
        "{ retry: { delay: PT1S, jitter: { from: { milliseconds: 100 }, to: { milliseconds: 900 } }, limit: { attempt: { count: 5 } } }, do: [] }",
    );
    assert!(pauses.iter().all(|pause| (1100..=1900).contains(pause)), "{pauses:?}");
    assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
}

#[test]
fn the_input_of_every_attempt_is_that_of_the_try_and_the_context_stays() {
    let tasks = r"
do:
  - load:
      try:
        - count: { set: { n: '${ ($context.n // 0) + 1 }' }, export: { as: '{ n: .n }' } }
        - fail: { if: .n < 3, raise: { error: { type: 'http://x', status: 500 } } }
        - show: { set: { n: '${ .n }', in: '${ $context }' } }
      catch: { retry: { limit: { attempt: { count: 5 } } } }
";
    // E60: what a failed attempt exported stays.
    assert_eq!(output(tasks, json!({})), json!({"n": 3, "in": {"n": 3}}));
}

#[test]
fn conditions_decide_about_catching_and_retrying() {
    let run = |catch: &str, status: u16| {
        let mut world = try_call(catch);
        world.fail("s0:load/a0/s0:fetch", status);
        world
    };
    let handler = "do: [ { h: { set: { handled: true } } } ]";
    let handled = json!({"data": {"handled": true}});
    let caught =
        |catch: &str, status: u16| run(&format!("{{ {catch}, {handler} }}"), status).status() == Status::Succeeded;
    assert!(caught("when: .status == 503", 503) && !caught("when: .status == 503", 500));
    assert!(!caught("exceptWhen: $error.status == 503", 503) && caught("exceptWhen: .status == 503", 500));
    assert!(caught("as: problem, when: $problem.status == 503", 503));
    assert_eq!(run(&format!("{{ as: problem, {handler} }}"), 500).output(), handled);
    // The retry's own conditions decide about retrying only.
    let retry = "retry: { when: .status == 503, exceptWhen: .title == \"Never\", delay: PT1S }";
    assert_eq!(run(&format!("{{ {retry}, {handler} }}"), 500).output(), handled);
    assert_eq!(run(&format!("{{ {retry}, {handler} }}"), 503).status(), Status::Waiting);
}

#[test]
fn e56_a_failing_condition_is_an_error_of_the_try() {
    let raise = "try: [ { r: { raise: { error: { type: 'http://x', status: 418 } } } } ]";
    let run = |catch: &str| error(&format!("do: [ {{ t: {{ {raise}, catch: {{ {catch} }} }} }} ]"), json!({}));
    assert_eq!(run("when: error"), failed("expression", 400, "/do/0/t"));
    assert_eq!(run("retry: { when: error }"), failed("expression", 400, "/do/0/t"));
    assert_eq!(run("retry: { delay: '${ \"soon\" }' }"), failed("expression", 400, "/do/0/t"));
}

#[test]
fn e27_a_caught_error_without_handler_and_retry_is_swallowed() {
    let mut world = try_call("{}");
    world.fail("s0:load/a0/s0:fetch", 500);
    assert_eq!(world.output(), json!({"data": {"in": 1}}));
    let mut filtered = try_call("{ errors: {} }");
    filtered.fail("s0:load/a0/s0:fetch", 500);
    assert_eq!(filtered.output(), json!({"data": {"in": 1}}));
}

fn filtered(filter: &str) -> bool {
    let tasks = format!(
        "do: [ {{ t: {{ try: [ {{ r: {{ raise: {{ error: {{ type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication', status: 503, title: T, detail: D }} }} }} }} ], catch: {{ errors: {{ with: {filter} }} }} }} }} ]"
    );
    World::run(&tasks, json!({})).status() == Status::Succeeded
}

#[test]
fn the_static_filter_compares_every_given_field() {
    assert!(filtered("{ status: 503 }") && !filtered("{ status: 500 }"));
    assert!(filtered("{ title: T, detail: D }") && !filtered("{ title: T, detail: X }"));
    assert!(filtered("{ details: D }"), "E34: both spellings");
    assert!(filtered("{ instance: /do/0/t/try/0/r }") && !filtered("{ instance: /do/0/t }"));
}

#[test]
fn e5_the_spellings_of_a_standard_type_are_one() {
    for spelling in [
        "https://serverlessworkflow.io/spec/1.0.0/errors/communication",
        "https://serverlessworkflow.io/spec/1.0.3/errors/communication",
        "https://serverlessworkflow.io/dsl/errors/types/communication",
        "https://serverlessworkflow.io.io/dsl/errors/types/communication",
        "https://https://serverlessworkflow.io/spec/1.0.0/errors/communication",
        "https://open-workflow-specification.org/spec/1.0.0/errors/communication",
    ] {
        assert!(filtered(&format!("{{ type: '{spelling}' }}")), "{spelling}");
    }
    for other in [
        "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
        "https://example.org/spec/1.0.0/errors/communication",
        "https://serverlessworkflow.io/spec/x/errors/communication",
        "communication",
    ] {
        assert!(!filtered(&format!("{{ type: '{other}' }}")), "{other}");
    }
}

#[test]
fn the_limit_of_an_attempt_is_an_error_of_the_attempt() {
    let mut world = try_call(
        "{ retry: { delay: PT1S, limit: { attempt: { count: 1, duration: PT5S } } }, do: [ { h: { set: '${ $error | {status, instance} }' } } ] }",
    );
    world.wait(5_000);
    assert!(world.effects.is_empty());
    assert_eq!(world.status(), Status::Waiting);
    world.wait(1_000);
    assert_eq!(world.effects[0].0, "s0:load/a1/s0:fetch");
    world.wait(5_000);
    assert_eq!(world.output(), json!({"data": {"status": 408, "instance": "/do/0/load"}}));
}

#[test]
fn an_attempt_that_ends_in_time_has_no_limit_left() {
    let mut world = try_call("{ retry: { limit: { attempt: { count: 1, duration: PT5S } } } }");
    world.succeed("s0:load/a0/s0:fetch", json!(1));
    assert_eq!(world.output(), json!({"data": 1}));
    assert!(world.timers.is_empty());
}

#[test]
fn an_error_of_the_handler_is_not_caught_by_the_same_try() {
    let tasks = r"
do:
  - outer:
      try:
        - inner:
            try: [ { r: { raise: { error: { type: 'http://x', status: 1 } } } } ]
            catch: { do: [ { again: { raise: { error: { type: 'http://y', status: 2 } } } } ] }
      catch: { do: [ { show: { set: '${ $error }' } } ] }
";
    assert_eq!(
        output(tasks, json!({})),
        json!({"type": "http://y", "status": 2, "instance": "/do/0/outer/try/0/inner/catch/do/0/again"})
    );
}

#[test]
fn named_policies_and_catch_then() {
    let tasks = r"
use: { retries: { twice: { limit: { attempt: { count: 2 } } } } }
do:
  - t:
      try: [ { r: { raise: { error: { type: 'http://x', status: 1 } } } } ]
      catch: { retry: twice, do: [ { h: { set: { handled: true } } } ], then: last }
      then: never
  - never: { set: { x: 1 } }
  - last: { set: '${ . + { last: true } }' }
";
    let world = World::run(tasks, json!({}));
    assert_eq!(world.output(), json!({"handled": true, "last": true}));
    assert_eq!(world.lines().iter().filter(|line| *line == "task_retried s0:t").count(), 2);
}

#[test]
fn the_handler_gets_the_input_of_the_try() {
    let mut world = try_call("{ do: [ { h: { set: '${ [., $error.status] }' } } ] }");
    world.fail("s0:load/a0/s0:fetch", 500);
    let expected: Value = json!({"data": [{"in": 1}, 500]});
    assert_eq!(world.output(), expected);
}
