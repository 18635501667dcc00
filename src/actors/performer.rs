//! Performs an execution's effects and brings the outcome back to its actor.

use super::billing::{Bill, Unpaid};
use super::calls::Call;
use super::detached;
use super::execution::{ExecutionActor, ToExecution};
use super::exit;
use super::frame::{self, Piece};
use super::hub::Forward;
use super::model_secrets;
use super::services::Services;
use crate::domain::quota::Breach;
use crate::domain::{
    Action, AgentId, AgentRequest, Creation, EffectCall, EffectOutcome, EffectRequest, ExecutionId, Failure, LogLevel,
    LogLine, Path, Pointer, RedactedStream, Secrets, StandardType, TenantId,
};
use crate::effects::{EffectContext, Observer};
use crate::failure_points::FailurePoint;
use crate::machine::Input;
use crate::store::DetachedEffect;
use actix::Addr;
use futures_util::FutureExt;
use serde_json::Value;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use uuid::Uuid;

/// Which effect of which execution.
#[derive(Clone, Debug)]
pub struct Task {
    pub id: ExecutionId,
    pub tenant: TenantId,
    pub path: Path,
    pub pointer: Pointer,
    pub attempt: u32,
    pub key: Uuid,
    /// Whose budget pays, which trace the effect continues, for whom it is done.
    pub creation: Arc<Creation>,
    /// What must not be seen in anything that comes back.
    pub secrets: Arc<Secrets>,
}

/// Who gets the outcome.
pub enum Outcome {
    /// The actor that waits for it.
    Awaited(Addr<ExecutionActor>),
    /// Nobody; that it has ended is noted.
    Noted(DetachedEffect),
}

/// Starts the effect on this arbiter. Its outcome goes where it is wanted unless `cancellation` comes first.
pub fn start(
    mut task: Task,
    request: EffectRequest,
    cancellation: CancellationToken,
    services: &Arc<Services>,
    wanted: Outcome,
) {
    let services = Arc::clone(services);
    let performed = async move {
        // Taken back in the very turn that asked for it.
        if cancellation.is_cancelled() {
            return;
        }
        let streams = matches!(request, EffectRequest::Agent(_) | EffectRequest::Shell(_));
        let (kind, began) = (request.kind(), Instant::now());
        let points = services.options.failure_points.clone();
        let work = async {
            points.pass(FailurePoint::EffectBeforeStart);
            let end = perform(&mut task, request, cancellation.clone(), &services).await;
            points.pass(FailurePoint::EffectAfterEnd);
            end
        };
        // A panic of an effect fails its task; it must not leave the execution waiting.
        let end = AssertUnwindSafe(work).catch_unwind().await;
        let end = end.unwrap_or_else(|_| End::Finished(Box::new(failed(panicked(&exit::last_panic())))));
        if streams {
            services.streams.end(task.id, &task.path, task.attempt);
        }
        if cancellation.is_cancelled() {
            return;
        }
        deliver(end, task, kind, began, wanted, &services).await;
    };
    actix::spawn(performed.in_current_span());
}

/// Brings what became of a request to where it is wanted.
async fn deliver(end: End, task: Task, kind: &'static str, began: Instant, wanted: Outcome, services: &Arc<Services>) {
    let Task { path, attempt, secrets, .. } = task;
    let mut outcome = match (end, &wanted) {
        (End::Finished(outcome), _) => *outcome,
        (End::Withheld(breach), Outcome::Awaited(actor)) => {
            let input = Input::EffectWithheld { path, attempt, breach };
            let _ = actor.send(ToExecution::Arrived(Box::new(input))).await;
            return;
        }
        // Nobody waits who could be asked.
        (End::Withheld(breach), Outcome::Noted(_)) => {
            failed(Failure::new(StandardType::Runtime, "A limit is reached", breach.reason))
        }
    };
    redact(&secrets, &mut outcome);
    services.metrics.effect(kind, outcome.result.is_ok(), began.elapsed());
    match wanted {
        Outcome::Awaited(actor) => {
            let input = Input::EffectFinished { path, attempt, outcome };
            // An actor that is gone was stopped or crashed; its successor asks for the effect again.
            let _ = actor.send(ToExecution::Arrived(Box::new(input))).await;
        }
        Outcome::Noted(effect) => detached::ended(services, effect, &outcome).await,
    }
}

/// Hides secrets in everything that has come back, also where a model is to be named.
fn redact(secrets: &Secrets, outcome: &mut EffectOutcome) {
    let redactor = secrets.redactor();
    match &mut outcome.result {
        Ok(output) => redactor.value(output),
        Err(failure) => redactor.failure(failure),
    }
    let names = outcome.usage.as_mut().map(|usage| [&mut usage.provider, &mut usage.model]);
    for name in names.into_iter().flatten() {
        if let Some(hidden) = redactor.text(name) {
            *name = hidden;
        }
    }
}

/// What became of a request.
enum End {
    Finished(Box<EffectOutcome>),
    /// Not begun.
    Withheld(Breach),
}

async fn perform(
    task: &mut Task,
    request: EffectRequest,
    cancellation: CancellationToken,
    services: &Arc<Services>,
) -> End {
    let kind = request.kind();
    let mut call = match request {
        EffectRequest::Http(request) => EffectCall::Http(request),
        EffectRequest::Shell(request) => EffectCall::Shell(request),
        EffectRequest::Agent(request) => match find_agent(task, request, services).await {
            Ok(call) => call,
            Err(failure) => return End::Finished(Box::new(failed(failure))),
        },
    };
    let bill = match Bill::open(task, &call, &cancellation, services).await {
        Ok(bill) => bill,
        Err(Unpaid::Breach(breach)) => return End::Withheld(breach),
        Err(Unpaid::Failed(failure)) => return End::Finished(Box::new(failed(*failure))),
    };
    // What was reserved is given back unspent when there is no key.
    if let Err(failure) = model_secrets::open(task, &mut call, services).await {
        return End::Finished(Box::new(failed(failure)));
    }
    let agent_id = match &call {
        EffectCall::Agent { agent, .. } => Some(agent.id),
        EffectCall::Http(_) | EffectCall::Shell(_) => None,
    };
    let call_under_way = bill.as_ref().map(Bill::call);
    let stream = Mutex::new(RedactedStream::new(Arc::clone(&task.secrets)));
    let watcher =
        Watcher { task: task.clone(), agent_id, kind, call: call_under_way, stream, services: Arc::clone(services) };
    let watcher = Arc::new(watcher);
    let context = EffectContext {
        execution_id: task.id,
        key: task.key,
        deadline: None,
        cancellation,
        observer: Arc::<Watcher>::clone(&watcher),
        traceparent: task.creation.traceparent.clone(),
    };
    let stopped = context.cancellation.clone();
    let mut outcome = services.effects.perform(call, context).await;
    watcher.finish();
    if let Some(bill) = bill {
        bill.settle(&mut outcome, stopped.is_cancelled());
    }
    End::Finished(Box::new(outcome))
}

/// The agent of a request, when the execution may ask it.
async fn find_agent(task: &Task, request: Box<AgentRequest>, services: &Services) -> Result<EffectCall, Failure> {
    let allowed = services.creators.check(task.tenant, &task.creation, Action::AgentUse).await;
    allowed.map_err(|why| why.failure(&format!("ask the agent '{}'", request.agent)))?;
    let agent = services.agents.find(task.tenant, &request.agent).await?;
    Ok(EffectCall::Agent { agent: Box::new(agent.as_ref().clone()), request, key: None })
}

fn failed(failure: Failure) -> EffectOutcome {
    EffectOutcome { result: Err(failure), usage: None }
}

fn panicked(crash: &str) -> Failure {
    let detail = format!("a fault inside the service ended the effect: {crash}");
    Failure::new(StandardType::Runtime, "The effect crashed", detail)
        .retryable(true)
        .with_suggestion("the service's log holds the details; please report them")
}

/// Forwards what an effect produces to whoever watches the execution.
struct Watcher {
    task: Task,
    agent_id: Option<AgentId>,
    kind: &'static str,
    /// The model call that produces it.
    call: Option<Arc<Call>>,
    /// Pieces may tear a secret apart.
    stream: Mutex<RedactedStream>,
    services: Arc<Services>,
}

impl Watcher {
    /// Shows what was held back.
    fn finish(&self) {
        let rest = self.stream.lock().unwrap_or_else(PoisonError::into_inner).finish();
        self.show(&rest);
    }

    fn show(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        let Task { id, path, pointer, attempt, .. } = &self.task;
        let Some(n) = self.services.streams.push(*id, path, *attempt, pointer, text) else { return };
        if self.services.hub_state.watchers() > 0 {
            let frames = vec![frame::output_delta(*id, pointer, path, Piece { attempt: *attempt, n }, text)].into();
            // A hub that has no room drops the piece: the number shows the gap, the final text is journaled.
            let _ = self.services.hub.try_send(Forward { execution_id: *id, frames });
        }
    }
}

impl Observer for Watcher {
    fn delta(&self, text: &str) {
        if let Some(call) = &self.call {
            call.answered(text);
        }
        let shown = self.stream.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        self.show(&shown);
    }

    fn log(&self, level: LogLevel, message: &str, mut metadata: Value) {
        let redactor = self.task.secrets.redactor();
        redactor.value(&mut metadata);
        let line = LogLine {
            n: 0,
            task: Some(self.task.pointer.to_string()),
            agent_id: self.agent_id,
            level,
            message: redactor.cut_text(message).unwrap_or_else(|| message.to_owned()),
            metadata,
            source: self.kind.to_owned(),
            at: self.services.clock.now(),
        };
        self.services.logs.push(self.task.tenant, self.task.id, line);
    }
}
