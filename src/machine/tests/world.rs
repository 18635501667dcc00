//! The outside world of an execution under test: it keeps the journal, plays outcomes and moves the clock.

use crate::domain::definition::parse;
use crate::domain::quota::{Bound, Breach, Budget};
use crate::domain::{
    Creation, DefinitionRef, EffectOutcome, EffectRequest, Event, EventBody, ExecutionId, ExecutionType, Failure,
    Secrets, Status, TimerPurpose, Timestamp, Trigger,
};
use crate::machine::{Action, DirectEvaluator, Input, Moment, Program, State, Transition, WithSecrets, apply, step};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

pub const START: i64 = 1_700_000_000_000_000;

/// An execution with everything around it.
#[derive(Clone)]
pub struct World {
    pub program: Arc<Program>,
    pub state: State,
    pub journal: Vec<Event>,
    /// Where each batch of the journal ended: the only places where a crash can cut it.
    pub batches: Vec<usize>,
    pub now: Timestamp,
    /// Effects that were asked for and not answered, in the order of the requests.
    pub effects: Vec<(String, u32, EffectRequest)>,
    pub timers: BTreeMap<(String, TimerPurpose), Timestamp>,
    pub children: Vec<Action>,
    pub actions: Vec<Action>,
    /// What its steps may read.
    pub secrets: Arc<Secrets>,
}

pub fn program(tasks: &str) -> Arc<Program> {
    let head = if tasks.starts_with("document:") {
        String::new()
    } else {
        "document: { dsl: '1.0.3', namespace: test, name: rules, version: '1.0.0' }\n".to_owned()
    };
    let definition = parse(&format!("{head}{tasks}")).unwrap_or_else(|problems| panic!("{problems:#?}\n{tasks}"));
    Arc::new(Program::compile(Arc::new(definition)).unwrap_or_else(|problems| panic!("{problems:#?}\n{tasks}")))
}

impl World {
    /// A pending execution of a definition without its `document`.
    pub fn pending(tasks: &str, input: Value) -> Self {
        Self::of(program(tasks), input)
    }

    pub fn of(program: Arc<Program>, input: Value) -> Self {
        Self::limited(program, input, None)
    }

    pub fn limited(program: Arc<Program>, input: Value, budget: Option<Budget>) -> Self {
        let id = ExecutionId(Uuid::from_u128(7));
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
            budget,
        };
        let now = Timestamp::from_micros(START);
        let body = EventBody::ExecutionCreated(Arc::new(creation));
        let created = Event { seq: 1, at: now, task: None, path: None, attempt: 0, body };
        Self {
            program,
            state: State::created(id, &created),
            journal: vec![created],
            batches: vec![1],
            now,
            effects: Vec::new(),
            timers: BTreeMap::new(),
            children: Vec::new(),
            actions: Vec::new(),
            secrets: Arc::new(Secrets::new(Vec::new())),
        }
    }

    /// Starts an execution and runs it as far as it goes by itself.
    pub fn run(tasks: &str, input: Value) -> Self {
        let mut world = Self::pending(tasks, input);
        world.give(Input::Start);
        world
    }

    pub fn give(&mut self, input: Input) -> Transition {
        let moment = Moment { at: self.now, seed: 42 };
        let evaluator = WithSecrets { evaluator: DirectEvaluator, secrets: &self.secrets };
        let transition = step(&self.program, &mut self.state, input, &moment, &evaluator);
        self.journal.extend(transition.events.iter().cloned());
        if !transition.events.is_empty() {
            self.batches.push(self.journal.len());
        }
        for action in &transition.actions {
            self.perform(action);
        }
        transition
    }

    pub fn perform(&mut self, action: &Action) {
        self.actions.push(action.clone());
        match action.clone() {
            Action::RunEffect { path, attempt, request, .. } => {
                self.effects.retain(|(known, _, _)| **known != *path);
                self.effects.push((path.to_string(), attempt, request));
            }
            Action::CancelEffect { path, .. } => self.effects.retain(|(known, _, _)| **known != *path),
            Action::SetTimer { path, purpose, deadline } => {
                self.timers.insert((path.to_string(), purpose), deadline);
            }
            Action::CancelTimer { path, purpose } => {
                self.timers.remove(&(path.to_string(), purpose));
            }
            Action::StartChild { .. } => {
                if !self.children.contains(action) {
                    self.children.push(action.clone());
                }
            }
            Action::CancelChild { child_id } => self
                .children
                .retain(|child| !matches!(child, Action::StartChild { child_id: known, .. } if *known == child_id)),
        }
    }

    /// Answers the effect at a path.
    pub fn answer(&mut self, path: &str, result: Result<Value, Failure>) -> Transition {
        let at = self.effects.iter().position(|(known, _, _)| known == path);
        let at = at.unwrap_or_else(|| panic!("no effect at {path}, only {:?}", self.effects));
        let (_, attempt, _) = self.effects.remove(at);
        self.give(Input::EffectFinished { path: path.into(), attempt, outcome: EffectOutcome { result, usage: None } })
    }

    /// Says that the effect at a path was not begun.
    pub fn withhold(&mut self, path: &str, reason: &str) -> Transition {
        let at = self.effects.iter().position(|(known, _, _)| known == path).expect("it was asked for");
        let (path, attempt, _) = self.effects.remove(at);
        let breach = Breach { limit: Bound::MaxModelCalls, reason: reason.to_owned() };
        self.give(Input::EffectWithheld { path: path.into(), attempt, breach })
    }

    pub fn succeed(&mut self, path: &str, output: Value) -> Transition {
        self.answer(path, Ok(output))
    }

    pub fn fail(&mut self, path: &str, status: u16) -> Transition {
        let failure =
            Failure::new(crate::domain::StandardType::Communication, "Broken", "it broke").with_status(status);
        self.answer(path, Err(failure))
    }

    /// Moves the clock and fires what comes due, in the order of the deadlines.
    pub fn wait(&mut self, millis: i64) {
        let end = self.now.plus_millis(millis);
        while let Some((key, deadline)) = self.next_timer().filter(|(_, deadline)| *deadline <= end) {
            self.timers.remove(&key);
            self.now = self.now.max(deadline);
            self.give(Input::TimerFired { path: key.0.into(), purpose: key.1 });
        }
        self.now = end;
    }

    fn next_timer(&self) -> Option<((String, TimerPurpose), Timestamp)> {
        self.timers.iter().min_by_key(|(_, deadline)| **deadline).map(|(key, deadline)| (key.clone(), *deadline))
    }

    /// The state as replaying the journal rebuilds it.
    pub fn replayed(&self) -> State {
        replay(&self.program, &self.journal, self.state.id())
    }

    pub fn status(&self) -> Status {
        self.state.status()
    }

    /// The output of an execution that succeeded.
    pub fn output(&self) -> Value {
        assert_eq!(self.status(), Status::Succeeded, "{:#?}", self.state.error());
        self.assert_replayable();
        self.state.output().cloned().unwrap()
    }

    /// The error of an execution that failed.
    pub fn error(&self) -> Value {
        assert_eq!(self.status(), Status::Failed, "{:?}", self.state.output());
        self.assert_replayable();
        self.state.error().unwrap().to_expression_value()
    }

    /// Replaying gives this very state, and state and events survive being written and read.
    pub fn assert_replayable(&self) {
        assert_eq!(self.replayed(), self.state);
        let snapshot = serde_json::to_string(&self.state).unwrap();
        assert_eq!(serde_json::from_str::<State>(&snapshot).unwrap(), self.state);
        for event in &self.journal {
            let text = serde_json::to_string(event).unwrap();
            assert_eq!(&serde_json::from_str::<Event>(&text).unwrap(), event, "{text}");
        }
    }

    /// The journal as `type path`, the path left out for the execution.
    pub fn lines(&self) -> Vec<String> {
        self.journal.iter().map(line).collect()
    }
}

pub fn replay(program: &Program, journal: &[Event], id: ExecutionId) -> State {
    let mut state = State::created(id, &journal[0]);
    for event in &journal[1..] {
        apply(program, &mut state, event);
    }
    state
}

pub fn line(event: &Event) -> String {
    match &event.path {
        Some(path) => format!("{} {path}", event.body.type_name()),
        None => event.body.type_name().to_owned(),
    }
}

/// The output of a workflow of pure tasks.
pub fn output(tasks: &str, input: Value) -> Value {
    World::run(tasks, input).output()
}

/// The error of a workflow of pure tasks, as `type name, status, instance`.
pub fn error(tasks: &str, input: Value) -> (String, Value, String) {
    summary(&World::run(tasks, input).error())
}

pub fn summary(error: &Value) -> (String, Value, String) {
    let name = error["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
    (name, error["status"].clone(), error["instance"].as_str().unwrap_or_default().to_owned())
}

pub fn failed(name: &str, status: u16, instance: &str) -> (String, Value, String) {
    (name.to_owned(), json!(status), instance.to_owned())
}
