//! Budgets: what is withheld pauses the execution once, survives replay, and is asked again when more is approved.

use super::world::{World, program};
use crate::domain::quota::Budget;
use crate::domain::{EventBody, Status, Usage, UsageOutcome};
use crate::machine::{DirectEvaluator, Input, Moment, Spent, step_with};
use serde_json::json;

const FORK: &str = "
do:
  - all:
      fork:
        branches:
          - a: { call: agent, with: { agent: x, prompt: a } }
          - b: { call: agent, with: { agent: x, prompt: b } }
          - c: { do: [ { c1: { call: agent, with: { agent: x, prompt: c } } }, { c2: { set: { c: 2 } } } ] }
";

fn calls(limit: u64) -> Budget {
    Budget { max_model_calls: Some(limit), ..Budget::default() }
}

fn fork() -> World {
    let mut world = World::limited(program(FORK), json!({}), Some(calls(1)));
    world.give(Input::Start);
    world
}

fn approve(budget: Budget) -> Input {
    Input::Approve { by: Some("ada".into()), budget }
}

#[test]
fn a_limit_in_the_middle_of_a_fork_lets_running_calls_finish_and_asks_once() {
    let mut world = fork();
    world.withhold("s0:all/b1/s0:b", "one call is too many");
    world.withhold("s0:all/b2/s0:c/s0:c1", "another one is too many");
    assert_eq!((world.status(), world.state.pause_reason()), (Status::Paused, Some("one call is too many")));
    assert!(!world.state.is_parked(), "a call still runs");
    world.succeed("s0:all/b0/s0:a", json!("A"));
    assert!(world.state.is_parked() && world.effects.is_empty());
    assert_eq!(
        world.lines().split_off(10),
        [
            "effect_withheld s0:all/b1/s0:b",
            "approval_requested",
            "execution_paused",
            "effect_withheld s0:all/b2/s0:c/s0:c1",
            "effect_completed s0:all/b0/s0:a",
        ]
    );
    world.assert_replayable();
    // A crash of the process asks for nothing that was withheld.
    world.give(Input::Recovered { reason: "test".into(), restarts: 1, recovered_in_ms: 0 });
    assert!(world.effects.is_empty());

    world.give(approve(calls(9)));
    assert_eq!((world.status(), world.state.budget()), (Status::Running, calls(9)));
    let asked: Vec<_> = world.effects.iter().map(|(path, attempt, _)| (path.as_str(), *attempt)).collect();
    assert_eq!(asked, [("s0:all/b1/s0:b", 1), ("s0:all/b2/s0:c/s0:c1", 1)]);
    world.succeed("s0:all/b1/s0:b", json!("B"));
    world.succeed("s0:all/b2/s0:c/s0:c1", json!("C"));
    assert_eq!(world.output(), json!(["A", "B", {"c": 2}]));
}

#[test]
fn resuming_without_more_asks_again_and_cancelling_leaves_nothing() {
    let mut world = fork();
    world.withhold("s0:all/b1/s0:b", "too many");
    world.give(Input::Resume { by: None });
    assert_eq!((world.status(), world.state.pause_reason()), (Status::Running, None));
    world.withhold("s0:all/b1/s0:b", "too many");
    let asked = world.journal.iter().filter(|event| matches!(event.body, EventBody::ApprovalRequested { .. }));
    assert_eq!(asked.count(), 2);
    world.give(Input::Cancel { by: None, reason: None });
    assert_eq!(world.status(), Status::Cancelled);
    assert!(world.effects.is_empty() && world.state.pause_reason().is_none());
    world.assert_replayable();
}

#[test]
fn a_late_notice_and_an_approval_that_nobody_asked_for_change_nothing_else() {
    let mut world = fork();
    let before = world.journal.len();
    let breach = crate::domain::quota::Breach { limit: crate::domain::quota::Bound::MaxTokens, reason: "x".into() };
    world.give(Input::EffectWithheld { path: "s0:all/b0/s0:a".into(), attempt: 7, breach });
    assert_eq!(world.journal.len(), before);
    world.give(approve(calls(3)));
    assert_eq!(world.lines().last().unwrap(), "approval_given");
    assert_eq!((world.status(), world.effects.len()), (Status::Running, 3));
}

#[test]
fn wall_time_pauses_a_wait_and_pauses_do_not_count() {
    let budget = Budget { max_wall_seconds: Some(10), ..Budget::default() };
    let mut world = World::limited(program("do: [ { nap: { wait: PT1M } } ]"), json!({}), Some(budget));
    world.give(Input::Start);
    assert_eq!(world.state.wake_at(), Some(world.now.plus_millis(10_000)));
    world.wait(4_000);
    world.give(Input::Pause { by: None });
    world.wait(3_600_000);
    world.give(Input::Resume { by: None });
    // The wait itself ran on while it was paused.
    assert_eq!(world.status(), Status::Succeeded);

    let mut world = World::limited(program("do: [ { nap: { wait: PT1M } } ]"), json!({}), Some(budget));
    world.give(Input::Start);
    world.wait(10_000);
    assert_eq!(world.status(), Status::Paused);
    assert!(world.state.pause_reason().unwrap().contains("10 seconds"));
    world.give(Input::Resume { by: None });
    world.wait(0);
    assert_eq!(world.status(), Status::Paused, "nothing is left of its time");
    world.give(approve(Budget { max_wall_seconds: Some(100), ..Budget::default() }));
    world.wait(60_000);
    assert_eq!(world.output(), json!({}));
    assert!(world.timers.is_empty());
}

#[test]
fn a_call_that_is_broken_off_leaves_a_record_of_what_it_has_used() {
    let usage = Usage {
        agent_id: None,
        provider: "p".into(),
        model: "m".into(),
        input_tokens: 10,
        cached_input_tokens: 0,
        output_tokens: 2,
        reasoning_tokens: 0,
        cost_usd: None,
        prices: None,
        latency_ms: 3,
        outcome: UsageOutcome::Used,
        is_estimated: true,
    };
    let mut world = fork();
    let spent = Spent { path: "s0:all/b1/s0:b".into(), attempt: 1, usage };
    let moment = Moment { at: world.now, seed: 0 };
    let cancel = Input::Cancel { by: None, reason: None };
    let transition = step_with(&world.program, &mut world.state, cancel, &moment, &DirectEvaluator, &[spent]);
    let recorded: Vec<_> = transition
        .events
        .iter()
        .filter_map(|event| {
            let EventBody::UsageRecorded(usage) = &event.body else { return None };
            Some((event.path.as_deref(), usage.outcome))
        })
        .collect();
    assert_eq!(recorded, [(Some("s0:all/b1/s0:b"), UsageOutcome::Wasted)]);
    assert!(matches!(transition.events.last().unwrap().body, EventBody::ExecutionCancelled { .. }));
}
