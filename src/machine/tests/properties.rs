//! Generated definitions, played with generated outcomes: what must hold for all of them.

use super::world::{World, replay};
use crate::domain::definition::parse_value;
use crate::domain::quota::{Bound, Breach, Budget};
use crate::domain::{EffectOutcome, Event, Failure, StandardType, Status};
use crate::machine::{DirectEvaluator, Input, Moment, Program, State, step};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;

/// A task without a name.
fn task() -> impl Strategy<Value = Value> {
    let call = json!({"call": "http", "with": {"method": "get", "endpoint": "http://h/"}});
    let leaf = prop_oneof![
        3 => Just(call.clone()),
        2 => (0..4).prop_map(|n| json!({"set": {"n": n, "was": "${ . }"}})),
        1 => (0..4).prop_map(|n| json!({"set": "${ {n: (.n // 0)} }", "export": {"as": format!("$context + {{k{n}: (.n + {n})}}")}})),
        1 => (0..3).prop_map(|n| json!({"wait": {"seconds": n}})),
        1 => (400..404).prop_map(|n| json!({"raise": {"error": {"type": "http://x", "status": n}}})),
        1 => Just(json!({"run": {"workflow": {"namespace": "n", "name": "c", "version": "1.0.0"}}})),
        1 => Just(json!({"switch": [{"end": {"when": ".n == 3", "then": "exit"}}, {"other": {"then": "continue"}}]})),
        1 => Just(json!({"call": "twice", "with": {"n": 2}})),
    ];
    let node = leaf.prop_recursive(4, 24, 3, |inner| {
        let list = || prop::collection::vec(inner.clone(), 0..4).prop_map(named);
        prop_oneof![
            list().prop_map(|list| json!({"do": list})),
            (list(), 0..3).prop_map(|(list, n)| json!({"for": {"in": format!("[range({n})]")}, "do": list})),
            (list(), any::<bool>()).prop_map(|(list, compete)| json!({"fork": {"branches": list, "compete": compete}})),
            (list(), list(), 0..3).prop_map(|(list, handler, n)| json!({
                "try": list,
                "catch": {"errors": {"with": {"status": 400 + n}}, "retry": {"delay": "PT1S", "limit": {"attempt": {"count": n, "duration": "PT9S"}}}, "do": handler},
            })),
            (list(), list()).prop_map(|(list, handler)| json!({"try": list, "catch": {"when": ".status > 401", "do": handler}})),
            list().prop_map(|list| json!({"do": list, "timeout": {"after": "PT3S"}, "output": {"as": "{out: .}"}})),
        ]
    });
    (
        node,
        prop_oneof![8 => Just(None), 1 => Just(Some("exit")), 1 => Just(Some("end"))],
        prop_oneof![6 => Just(None), 1 => Just(Some(".n != 1"))],
    )
        .prop_map(|(mut task, then, condition)| {
            if let Some(then) = then.filter(|_| task.get("switch").is_none()) {
                task["then"] = json!(then);
            }
            if let Some(condition) = condition {
                task["if"] = json!(condition);
            }
            task
        })
}

fn named(tasks: Vec<Value>) -> Value {
    Value::Array(tasks.into_iter().enumerate().map(|(at, task)| json!({format!("t{at}"): task})).collect())
}

fn definition() -> impl Strategy<Value = Arc<Program>> {
    (prop::collection::vec(task(), 1..4), any::<bool>()).prop_map(|(tasks, has_timeout)| {
        let mut definition = json!({
            "document": {"dsl": "1.0.3", "namespace": "test", "name": "generated", "version": "1.0.0"},
            "use": {"functions": {"twice": {"do": [{"double": {"set": {"n": "${ .n * 2 }"}}}, {"ask": {"call": "http", "with": {"method": "get", "endpoint": "http://h/"}}}]}}},
            "do": named(tasks),
        });
        if has_timeout {
            definition["timeout"] = json!({"after": "PT30S"});
        }
        let definition = parse_value(&definition).unwrap_or_else(|problems| panic!("{problems:#?} {definition:#}"));
        Arc::new(Program::compile(Arc::new(definition)).unwrap_or_else(|problems| panic!("{problems:#?}")))
    })
}

/// What the outside world does next.
#[derive(Clone, Copy, Debug)]
enum Move {
    Succeed(usize),
    Fail(usize),
    EndChild(usize, bool),
    Wait(i64),
    Pause,
    Resume,
    Cancel,
    Recover,
    Repeat(usize),
    Withhold(usize),
    Approve,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        8 => any::<usize>().prop_map(Move::Succeed),
        3 => any::<usize>().prop_map(Move::Fail),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(at, succeeds)| Move::EndChild(at, succeeds)),
        5 => (0..4_000_i64).prop_map(Move::Wait),
        1 => Just(Move::Pause),
        2 => Just(Move::Resume),
        1 => Just(Move::Recover),
        2 => any::<usize>().prop_map(Move::Repeat),
        2 => any::<usize>().prop_map(Move::Withhold),
        1 => Just(Move::Approve),
        1 => prop_oneof![19 => Just(Move::Resume), 1 => Just(Move::Cancel)],
    ];
    prop::collection::vec(one, 0..60)
}

/// One step as it was taken: enough to take it again.
type Taken = (Input, Moment, Vec<Event>);

struct Play {
    world: World,
    taken: Vec<Taken>,
}

impl Play {
    fn new(program: Arc<Program>) -> Self {
        let budget = Budget { max_wall_seconds: Some(20), ..Budget::default() };
        let mut play = Self { world: World::limited(program, json!({"n": 0}), Some(budget)), taken: Vec::new() };
        play.give(Input::Start);
        play
    }

    fn give(&mut self, input: Input) {
        let moment = Moment { at: self.world.now, seed: 42 };
        let mut transition = self.world.give(input.clone());
        self.taken.push((input, moment, transition.events));
        while transition.more {
            transition = self.world.give(Input::Continue);
            self.taken.push((Input::Continue, moment, transition.events.clone()));
        }
    }

    fn play(&mut self, next: Move) {
        match next {
            Move::Succeed(at) => self.answer(at, Ok(json!({"n": at % 5}))),
            Move::Fail(at) => {
                let status = u16::try_from(400 + at % 4).unwrap_or(400);
                self.answer(
                    at,
                    Err(Failure::new(StandardType::Communication, "Broken", "it broke").with_status(status)),
                );
            }
            Move::EndChild(at, succeeds) => self.end_child(at, succeeds),
            Move::Wait(millis) => {
                self.world.now = self.world.now.plus_millis(millis);
                let due: Vec<_> = self
                    .world
                    .timers
                    .iter()
                    .filter(|(_, deadline)| **deadline <= self.world.now)
                    .map(|(key, _)| key.clone())
                    .collect();
                for (path, purpose) in due {
                    // A timer goes off once; one that an earlier one of these disarmed does not.
                    if self.world.timers.remove(&(path.clone(), purpose)).is_none() {
                        continue;
                    }
                    self.give(Input::TimerFired { path: path.into(), purpose });
                }
            }
            Move::Pause => self.give(Input::Pause { by: None }),
            Move::Resume => self.give(Input::Resume { by: None }),
            Move::Cancel => self.give(Input::Cancel { by: None, reason: None }),
            Move::Recover => self.give(Input::Recovered { reason: "test".into(), restarts: 1, recovered_in_ms: 0 }),
            Move::Repeat(at) => self.repeat(at),
            Move::Withhold(at) if !self.world.effects.is_empty() => {
                let (path, _, _) = self.world.effects[at % self.world.effects.len()].clone();
                let transition = self.withhold(&path);
                assert!(!transition.is_empty(), "it is paused and asked");
            }
            Move::Withhold(_) => {}
            Move::Approve => {
                let budget = Budget { max_wall_seconds: Some(60), ..Budget::default() };
                self.give(Input::Approve { by: None, budget });
            }
        }
    }

    fn answer(&mut self, at: usize, result: Result<Value, Failure>) {
        if self.world.effects.is_empty() {
            return;
        }
        let (path, attempt, _) = self.world.effects.remove(at % self.world.effects.len());
        self.give(Input::EffectFinished { path: path.into(), attempt, outcome: EffectOutcome { result, usage: None } });
    }

    fn withhold(&mut self, path: &str) -> Vec<Event> {
        let at = self.world.effects.iter().position(|(known, _, _)| known == path).unwrap();
        let (path, attempt, _) = self.world.effects.remove(at);
        let breach = Breach { limit: Bound::MaxTokens, reason: "no more".into() };
        self.give(Input::EffectWithheld { path: path.into(), attempt, breach });
        self.taken.last().unwrap().2.clone()
    }

    fn end_child(&mut self, at: usize, succeeds: bool) {
        if self.world.children.is_empty() {
            return;
        }
        let child = self.world.children.remove(at % self.world.children.len());
        let crate::machine::Action::StartChild { path, child_id, .. } = child else { return };
        let (status, output) = if succeeds { (Status::Succeeded, Some(json!(null))) } else { (Status::Failed, None) };
        self.give(Input::ChildFinished { path, child_id, status, output, error: None });
    }

    /// Gives an outcome a second time: nothing may come of it.
    fn repeat(&mut self, at: usize) {
        let outcomes: Vec<Input> = self
            .taken
            .iter()
            .map(|taken| taken.0.clone())
            .filter(|input| matches!(input, Input::EffectFinished { .. } | Input::ChildFinished { .. }))
            .collect();
        if let Some(input) = outcomes.get(at % outcomes.len().max(1)) {
            let before = self.world.state.clone();
            self.give(input.clone());
            assert_eq!(self.world.state, before, "a second {input:?}");
        }
    }

    /// Plays on until the execution is over: everything succeeds from here on.
    fn finish(&mut self) {
        for _ in 0..2_000 {
            if self.world.status().is_terminal() {
                return;
            }
            self.play(Move::Resume);
            match (self.world.effects.is_empty(), self.world.children.is_empty()) {
                (false, _) => self.play(Move::Succeed(3)),
                (true, false) => self.play(Move::EndChild(0, true)),
                (true, true) => self.play(Move::Wait(1_000)),
            }
        }
        panic!("stuck: {:#?}", self.world.state);
    }
}

/// The state after the events up to a batch, as it comes back from a snapshot.
fn snapshot(state: &State) -> State {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn from_every_point_of_every_journal_the_same_inputs_give_the_same_journal((program, moves) in (definition(), moves())) {
        let mut play = Play::new(program);
        for next in moves {
            play.play(next);
        }
        play.finish();
        let Play { world, taken } = play;
        world.assert_replayable();
        prop_assert!(world.effects.is_empty() && world.timers.is_empty(), "left over: {:?} {:?}", world.effects, world.timers);
        let seqs: Vec<u64> = world.journal.iter().map(|event| event.seq).collect();
        prop_assert_eq!(seqs, (1..=u64::try_from(world.journal.len()).unwrap()).collect::<Vec<_>>());

        let mut replayed = State::created(world.state.id(), &world.journal[0]);
        let mut seen = 1;
        for (from, (_, _, events)) in taken.iter().enumerate() {
            // A crash before this step: the rest of the inputs from a rebuilt state.
            let mut state = snapshot(&replayed);
            prop_assert_eq!(&state, &replay(&world.program, &world.journal[..seen], world.state.id()));
            for (input, moment, expected) in &taken[from..] {
                let transition = step(&world.program, &mut state, input.clone(), moment, &DirectEvaluator);
                prop_assert_eq!(&transition.events, expected);
                if taken.len() > 40 && from % 8 != 0 {
                    // Long plays: the full continuation from some of the points only.
                    break;
                }
            }
            for event in events {
                crate::machine::apply(&world.program, &mut replayed, event);
            }
            seen += events.len();
        }
    }

    #[test]
    fn cancelling_at_any_point_leaves_nothing_behind((program, moves, at) in (definition(), moves(), 0..60_usize)) {
        let mut play = Play::new(program);
        for next in moves.into_iter().take(at) {
            play.play(next);
        }
        play.play(Move::Cancel);
        let world = play.world;
        prop_assert!(world.status().is_terminal());
        let left = (&world.effects, &world.timers, &world.children);
        prop_assert!(world.effects.is_empty() && world.timers.is_empty() && world.children.is_empty(), "left over: {:?}", left);
        world.assert_replayable();
    }
}
