//! The raw storage limit: the rows that executions write, in the same transactions, written through the store alone.
//!
//! [`Template::record`] lets the machine decide what one execution appends, exactly as its actor does; [`measure`] writes
//! that for many executions with many concurrent writers. Building the rows is not part of the time.

use super::Kind;
use super::load::{as_f64, histogram, note};
use crate::cli::error::Error;
use crate::clock::{Clock, SystemClock, new_id};
use crate::domain::definition;
use crate::domain::{
    AgentId, Creation, DefinitionRef, EffectOutcome, Event, EventBody, ExecutionId, ExecutionType, Status, TenantId,
    Timestamp, Trigger, Usage, UsageOutcome,
};
use crate::machine::{self, Action, DirectEvaluator, Input, Moment, Program, State};
use crate::store::{Append, DefinitionText, NewExecution, Options, Projection, Store, Subject};
use hdrhistogram::Histogram;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Executions whose rows are built in advance, so that memory stays small.
const ROUND: u64 = 10_000;
/// More appends than any workload needs; a definition that does not end is a mistake in the workload.
const MOST_APPENDS: usize = 64;
/// The ownership epoch of an execution that was never restarted.
const FIRST_EPOCH: u32 = 1;

/// What one execution of a workload appends.
#[derive(Clone, Debug)]
pub struct Template {
    subject: Arc<Subject>,
    definition: DefinitionText,
    appends: Vec<(Vec<Event>, Projection)>,
}

/// What the store alone achieves.
#[derive(Debug)]
pub struct Raw {
    pub executions_per_second: f64,
    /// Time per execution: all its appends, one after the other.
    pub times: Histogram<u64>,
}

impl Template {
    /// Lets the machine run one execution; every step is an append, as in its actor.
    ///
    /// # Errors
    /// When the workload is not a valid definition or does not come to its end.
    pub fn record(kind: Kind) -> Result<Self, Error> {
        let source = kind.definition().to_string();
        let parsed = definition::parse(&source).map_err(|problems| invalid(&problems))?;
        let parsed = Arc::new(parsed);
        let program = Program::compile(Arc::clone(&parsed)).map_err(|problems| invalid(&problems))?;
        let at = SystemClock.now();
        let creation = Arc::new(creation(&parsed, kind.input()));
        let subject = Arc::new(Subject::new(&creation, at));
        let created =
            Event { seq: 1, at, task: None, path: None, attempt: 0, body: EventBody::ExecutionCreated(creation) };
        let mut state = State::created(ExecutionId(new_id()), &created);
        let mut appends: Vec<(Vec<Event>, Projection)> = Vec::new();
        let mut input = Some(Input::Start);
        while let Some(next) = input.take().filter(|_| appends.len() < MOST_APPENDS) {
            let moment = Moment { at: SystemClock.now(), seed: 0 };
            let transition = machine::step(&program, &mut state, next, &moment, &DirectEvaluator);
            let mut events = transition.events;
            if appends.is_empty() {
                events.insert(0, created.clone());
            }
            appends.push((events, projection(&program, &state, at, moment.at)));
            input = transition.actions.into_iter().find_map(outcome_of);
        }
        if !state.status().is_terminal() {
            return Err(Error::failure(format!("the workload {} does not come to its end", kind.name())));
        }
        let definition = DefinitionText { digest: Arc::clone(&parsed.digest), json: source.clone(), source };
        Ok(Self { subject, definition, appends })
    }

    /// How many appends an execution makes.
    pub fn appends(&self) -> usize {
        self.appends.len()
    }

    /// The appends of one more execution; the body of the definition comes with the first one only, as from a registered
    /// workflow.
    fn build(&self, is_first: bool) -> Result<Vec<Append>, Error> {
        let id = ExecutionId(new_id());
        let build = |(index, (events, projection)): (usize, &(Vec<Event>, Projection))| {
            if index == 0 {
                let new = NewExecution {
                    definition: is_first.then(|| self.definition.clone()),
                    idempotency: None,
                    audit: None,
                };
                Append::first(TenantId::DEFAULT, id, FIRST_EPOCH, events, projection.clone(), new)
            } else {
                let subject = Arc::clone(&self.subject);
                let before = self.appends.get(index - 1).map_or(Status::Pending, |(_, before)| before.status);
                Append::new(TenantId::DEFAULT, id, FIRST_EPOCH, subject, before, events, projection.clone())
            }
        };
        let appends: Result<Vec<Append>, _> = self.appends.iter().enumerate().map(build).collect();
        appends.map_err(|error| Error::failure(format!("cannot build the rows of an execution: {error}")))
    }
}

pub(super) fn invalid(problems: &[definition::Problem]) -> Error {
    let first = problems.first().map_or("unknown", |problem| problem.message.as_str());
    Error::failure(format!("a workload of the benchmark is not valid: {first}"))
}

pub(super) fn creation(definition: &definition::Definition, input: Value) -> Creation {
    let document = &definition.document;
    Creation {
        execution_type: ExecutionType::Workflow,
        definition: DefinitionRef {
            workflow_id: None,
            namespace: Arc::clone(&document.namespace),
            name: Arc::clone(&document.name),
            version: Arc::clone(&document.version),
            digest: Arc::clone(&definition.digest),
        },
        interpreter_revision: machine::INTERPRETER_REVISION,
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
    }
}

fn projection(program: &Program, state: &State, created_at: Timestamp, now: Timestamp) -> Projection {
    let status = state.status();
    Projection {
        status,
        output: state.output().cloned(),
        error: state.error().cloned(),
        progress: state.progress(program),
        started_at: Some(created_at),
        finished_at: status.is_terminal().then_some(now),
        updated_at: now,
        ..Projection::pending(created_at, None)
    }
}

/// The outcome of an effect of the workloads: the echo of what was asked, with the record of the call that it was.
fn outcome_of(action: Action) -> Option<Input> {
    let Action::RunEffect { path, attempt, request, .. } = action else { return None };
    let crate::domain::EffectRequest::Agent(request) = request else { return None };
    let usage = Usage {
        agent_id: Some(AgentId(new_id())),
        provider: "builtin".to_owned(),
        model: request.agent,
        input_tokens: 0,
        cached_input_tokens: 0,
        output_tokens: 0,
        reasoning_tokens: 0,
        cost_usd: Some(0.0),
        prices: None,
        latency_ms: 0,
        outcome: UsageOutcome::Used,
        is_estimated: false,
    };
    let outcome = EffectOutcome { result: Ok(Value::from(request.prompt)), usage: Some(usage) };
    Some(Input::EffectFinished { path, attempt, outcome })
}

/// Writes the rows of `executions` executions with `writers` concurrent writers.
///
/// # Errors
/// When the store cannot be opened or refuses a row.
pub async fn measure(url: &str, template: &Template, executions: u64, writers: u64) -> Result<Raw, Error> {
    let store = Store::open(&Options::new(url), Arc::new(SystemClock)).map_err(|error| storage(&error))?;
    let mut times = histogram()?;
    let mut elapsed = Duration::ZERO;
    let mut left = executions;
    let mut is_first = true;
    while left > 0 {
        let round = left.min(ROUND);
        left -= round;
        let mut shares: Vec<Vec<Vec<Append>>> = Vec::new();
        shares.resize_with(usize::try_from(writers.min(round)).unwrap_or(1).max(1), Vec::new);
        for share in (0..shares.len()).cycle().take(usize::try_from(round).unwrap_or(0)) {
            if let Some(share) = shares.get_mut(share) {
                share.push(template.build(is_first)?);
                is_first = false;
            }
        }
        let begin = Instant::now();
        times += write_all(&store, shares).await?;
        elapsed += begin.elapsed();
    }
    store.close().await;
    Ok(Raw { executions_per_second: as_f64(executions) / elapsed.as_secs_f64().max(1e-9), times })
}

async fn write_all(store: &Store, shares: Vec<Vec<Vec<Append>>>) -> Result<Histogram<u64>, Error> {
    let mut writers = JoinSet::new();
    for share in shares {
        let store = store.clone();
        writers.spawn(async move {
            let mut times = histogram()?;
            for appends in share {
                let begin = Instant::now();
                for append in appends {
                    store.append(append).await.map_err(|error| storage(&error))?;
                }
                note(&mut times, begin.elapsed());
            }
            Ok::<_, Error>(times)
        });
    }
    let mut times = histogram()?;
    while let Some(writer) = writers.join_next().await {
        times += writer.map_err(|error| Error::failure(format!("a writer failed: {error}")))??;
    }
    Ok(times)
}

fn storage(error: &crate::store::Error) -> Error {
    Error::failure(format!("cannot measure the raw storage limit: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_with_three_effects_is_four_appends_and_one_without_is_one() {
        for (kind, appends) in [(Kind::Effects, 4), (Kind::Pure, 1)] {
            let template = Template::record(kind).unwrap();
            assert_eq!(template.appends(), appends, "{}", kind.name());
            let seqs: Vec<u64> =
                template.appends.iter().flat_map(|(events, _)| events).map(|event| event.seq).collect();
            assert_eq!(seqs, (1..=u64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
            let last = template.appends.last().map(|(_, projection)| projection.status);
            assert_eq!(last, Some(crate::domain::Status::Succeeded));
        }
    }

    #[tokio::test]
    async fn the_rows_of_a_template_are_taken_by_a_store() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("raw.db").display());
        let raw = measure(&url, &Template::record(Kind::Effects).unwrap(), 10, 3).await.unwrap();
        assert_eq!(raw.times.len(), 10);
        assert!(raw.executions_per_second > 0.0);
    }
}
