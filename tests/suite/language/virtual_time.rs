//! Runs a definition with the machine itself and a clock that jumps to the next deadline. Effects are performed for real and
//! take no time of that clock; the address `/silence` of the stand-in never answers.

use super::case::Run;
use callboard::clock::new_id;
use callboard::domain::definition::Definition;
use callboard::domain::{
    Creation, DefinitionRef, EffectCall, EffectOutcome, EffectRequest, Event, EventBody, ExecutionId, ExecutionType,
    Path, TimerPurpose, Timestamp, Trigger,
};
use callboard::effects::{EffectContext, Effects, HttpOptions, Options, ShellOptions, Unobserved};
use callboard::machine::{Action, DirectEvaluator, Input, Moment, Program, State, apply, step};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// 2023-11-14T22:13:20Z.
const START_US: i64 = 1_700_000_000_000_000;
/// A definition that takes more steps than this does not end.
const MAX_STEPS: usize = 200_000;

struct World {
    program: Program,
    state: State,
    journal: Vec<Event>,
    now: Timestamp,
    timers: BTreeMap<(Path, TimerPurpose), Timestamp>,
    timers_set: Vec<String>,
    effects: VecDeque<(Path, u32, EffectRequest)>,
}

/// Runs a definition to its end, or until nothing can happen any more.
pub fn run(runtime: &Runtime, definition: Arc<Definition>, input: Value) -> Run {
    let hands = runtime.block_on(async {
        Effects::new(Options {
            http: HttpOptions { allow_private: true, ..HttpOptions::default() },
            shell: ShellOptions { enabled: true, ..ShellOptions::default() },
        })
        .unwrap()
    });
    let mut world = World::new(definition, input);
    world.give(Input::Start);
    for _ in 0..MAX_STEPS {
        if world.state.status().is_terminal() {
            break;
        }
        let next = if let Some((path, attempt, request)) = world.effects.pop_front() {
            let outcome = runtime.block_on(perform(&hands, world.state.id(), request));
            Input::EffectFinished { path, attempt, outcome }
        } else if let Some((key, deadline)) = world.next_timer() {
            world.timers.remove(&key);
            world.now = world.now.max(deadline);
            Input::TimerFired { path: key.0, purpose: key.1 }
        } else {
            break;
        };
        world.give(next);
    }
    world.finish()
}

async fn perform(hands: &Effects, id: ExecutionId, request: EffectRequest) -> EffectOutcome {
    let call = match request {
        EffectRequest::Http(request) => EffectCall::Http(request),
        EffectRequest::Shell(request) => EffectCall::Shell(request),
        EffectRequest::Agent(_) => panic!("there are no agents here"),
    };
    let context = EffectContext {
        execution_id: id,
        key: new_id(),
        deadline: None,
        cancellation: CancellationToken::new(),
        observer: Arc::new(Unobserved),
        traceparent: None,
    };
    hands.perform(call, context).await
}

impl World {
    fn new(definition: Arc<Definition>, input: Value) -> Self {
        let program = Program::compile(definition).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let document = &program.definition().document;
        let creation = Creation {
            execution_type: ExecutionType::Workflow,
            definition: DefinitionRef {
                workflow_id: None,
                namespace: Arc::clone(&document.namespace),
                name: Arc::clone(&document.name),
                version: Arc::clone(&document.version),
                digest: Arc::clone(&program.definition().digest),
            },
            interpreter_revision: 1,
            input,
            trigger: Trigger::Api,
            priority: 5,
            labels: BTreeMap::new(),
            created_by: None,
            authority: None,
            agent_id: None,
            test_input: None,
            idempotency_key: None,
            parent: None,
            forked_from: None,
            start_at: None,
            traceparent: None,
            budget: None,
        };
        let now = Timestamp::from_micros(START_US);
        let body = EventBody::ExecutionCreated(Arc::new(creation));
        let created = Event { seq: 1, at: now, task: None, path: None, attempt: 0, body };
        let state = State::created(ExecutionId(Uuid::from_u128(7)), &created);
        let (timers, timers_set, effects) = Default::default();
        Self { program, state, journal: vec![created], now, timers, timers_set, effects }
    }

    fn give(&mut self, mut input: Input) {
        loop {
            let moment = Moment { at: self.now, seed: 42 };
            let transition = step(&self.program, &mut self.state, input, &moment, &DirectEvaluator);
            self.journal.extend(transition.events);
            transition.actions.into_iter().for_each(|action| self.perform(action));
            if !transition.more || self.journal.len() > MAX_STEPS {
                return;
            }
            input = Input::Continue;
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::RunEffect { path, attempt, request, .. } => {
                if !matches!(&request, EffectRequest::Http(http) if http.uri.ends_with("/silence")) {
                    self.effects.push_back((path, attempt, request));
                }
            }
            Action::CancelEffect { path, .. } => self.effects.retain(|(known, _, _)| *known != path),
            Action::SetTimer { path, purpose, deadline } => {
                let word = serde_json::to_value(purpose).unwrap();
                let millis = (deadline.as_micros() - self.now.as_micros()) / 1_000;
                self.timers_set.push(format!("{} {millis}", word.as_str().unwrap()));
                self.timers.insert((path, purpose), deadline);
            }
            Action::CancelTimer { path, purpose } => {
                self.timers.remove(&(path, purpose));
            }
            Action::StartChild { .. } | Action::CancelChild { .. } => panic!("children need the engine"),
        }
    }

    fn next_timer(&self) -> Option<((Path, TimerPurpose), Timestamp)> {
        self.timers.iter().min_by_key(|(_, deadline)| **deadline).map(|(key, deadline)| (key.clone(), *deadline))
    }

    /// What came of it, after a look whether replaying the journal gives the same state.
    fn finish(self) -> Run {
        let mut replayed = State::created(self.state.id(), &self.journal[0]);
        self.journal[1..].iter().for_each(|event| apply(&self.program, &mut replayed, event));
        assert_eq!(replayed, self.state, "a replay differs");
        Run {
            status: self.state.status().to_string(),
            output: self.state.output().cloned(),
            error: self.state.error().map(|failure| failure.to_expression_value()),
            timers: self.timers_set,
            took_ms: (self.now.as_micros() - START_US) / 1_000,
            journal: self.journal.iter().map(line).collect(),
        }
    }
}

/// Type and pointer.
pub fn line(event: &Event) -> String {
    match &event.task {
        Some(pointer) => format!("{} {pointer}", event.body.type_name()),
        None => event.body.type_name().to_owned(),
    }
}
