//! Model calls that are under way: what each has used so far, as far as it can be told from outside. If a call is broken off,
//! this is what is recorded of it.

use crate::domain::quota::Spending;
use crate::domain::{AgentId, ExecutionId, Path, Usage, UsageOutcome};
use crate::effects::Forecast;
use crate::machine::Spent;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The calls of all executions.
#[derive(Debug, Default)]
pub struct Calls(Mutex<HashMap<ExecutionId, Vec<Arc<Call>>>>);

/// One call.
#[derive(Debug)]
pub struct Call {
    id: ExecutionId,
    path: Path,
    attempt: u32,
    agent_id: AgentId,
    forecast: Forecast,
    began: Instant,
    /// Bytes of the answer so far.
    answered: AtomicU64,
}

/// A call in [`Calls`], for as long as it lives.
pub struct UnderWay {
    calls: Arc<Calls>,
    pub call: Arc<Call>,
}

impl Calls {
    /// Notes a call that begins.
    pub fn begin(
        self: &Arc<Self>,
        id: ExecutionId,
        path: &Path,
        attempt: u32,
        agent_id: AgentId,
        forecast: Forecast,
    ) -> UnderWay {
        let (path, began, answered) = (Path::clone(path), Instant::now(), AtomicU64::new(0));
        let call = Arc::new(Call { id, path, attempt, agent_id, forecast, began, answered });
        self.lock().entry(id).or_default().push(Arc::clone(&call));
        UnderWay { calls: Arc::clone(self), call }
    }

    /// What the calls of an execution have used so far.
    pub fn of(&self, id: ExecutionId) -> Vec<Spent> {
        let calls = self.lock();
        let spent =
            |call: &Arc<Call>| Spent { path: Path::clone(&call.path), attempt: call.attempt, usage: call.so_far() };
        calls.get(&id).map(|calls| calls.iter().map(spent).collect()).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Vec<Arc<Call>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call {
    /// Another piece of the answer has come.
    pub fn answered(&self, text: &str) {
        self.answered.fetch_add(u64::try_from(text.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What it has used so far, counted here.
    pub fn so_far(&self) -> Usage {
        let output = Forecast::tokens_of(self.answered.load(Ordering::Relaxed));
        let mut usage = self.usage(self.forecast.input_tokens, if self.forecast.is_free { 0 } else { output });
        (usage.outcome, usage.is_estimated) = (UsageOutcome::Wasted, !self.forecast.is_free);
        usage
    }

    /// The record of a call of which the agent says nothing.
    pub fn unreported(&self) -> Usage {
        let usage = self.usage(0, 0);
        Usage { cost_usd: usage.cost_usd.filter(|_| self.forecast.is_free), prices: None, ..usage }
    }

    /// What it takes of a budget as long as it is not known better.
    pub fn spending(&self) -> Spending {
        self.so_far().spending()
    }

    fn usage(&self, input_tokens: u64, output_tokens: u64) -> Usage {
        let Forecast { provider, model, prices, is_free, .. } = &self.forecast;
        let cost = prices.map(|prices| prices.cost(input_tokens, 0, output_tokens, 0));
        Usage {
            agent_id: Some(self.agent_id),
            provider: provider.clone(),
            model: model.clone(),
            input_tokens,
            cached_input_tokens: 0,
            output_tokens,
            reasoning_tokens: 0,
            cost_usd: if *is_free { Some(0.0) } else { cost },
            prices: *prices,
            latency_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            outcome: UsageOutcome::Used,
            is_estimated: false,
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut calls = self.calls.lock();
        if let Some(of_execution) = calls.get_mut(&self.call.id) {
            of_execution.retain(|call| !Arc::ptr_eq(call, &self.call));
            if of_execution.is_empty() {
                calls.remove(&self.call.id);
            }
        }
    }
}
