//! The workloads that are measured: definitions, and how many of them are asked for.

use crate::cli::error::Error;
use crate::cli::link::Link;
use serde_json::{Value, json};

/// One kind of execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Three in-process effects, each result committed before the next starts
    Effects,
    /// Three tasks without effects
    Pure,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Effects => "effects",
            Self::Pure => "pure",
        }
    }

    /// The workflow definition.
    pub fn definition(self) -> Value {
        let tasks = match self {
            Self::Effects => {
                let ask = |prompt: &str| json!({ "call": "agent", "with": { "agent": "echo", "prompt": prompt } });
                json!([{ "first": ask("${ .text }") }, { "second": ask("${ . }") }, { "third": ask("${ . }") }])
            }
            Self::Pure => json!([
                { "first": { "set": { "text": "${ .text }", "length": "${ .text | length }" } } },
                { "second": { "set": { "text": "${ .text }", "double": "${ .length * 2 }" } } },
                { "third": { "set": { "text": "${ .text }", "sum": "${ .double + 1 }" } } },
            ]),
        };
        json!({
            "document": { "dsl": "1.0.3", "namespace": "bench", "name": self.name(), "version": "1.0.0" },
            "do": tasks,
        })
    }

    /// What every execution is given.
    pub fn input(self) -> Value {
        json!({ "text": "callboard" })
    }

    /// Registers the workflow; the body that starts one execution of it.
    ///
    /// # Errors
    /// When the service refuses it.
    pub async fn register(self, link: &mut Link) -> Result<Value, Error> {
        let body = self.definition().to_string();
        let answer = link.post("/api/v1/workflows", body.into(), None).await;
        let workflow =
            answer.map_err(|error| Error::failure(format!("cannot register a workload: {error}")))?.json()?;
        let id = workflow.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| Error::failure("the answer to a registration has no id"))?;
        Ok(json!({ "workflow_id": id, "input": self.input() }))
    }
}
