//! What runs while the service is being killed: every kind of waiting and acting, with a line in a file for every task that
//! has an effect on the outside, so that what was run twice can be seen.

use crate::cli::error::Error;
use crate::cli::link::Link;
use serde_json::{Value, json};
use std::path::Path;

/// One kind of execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Three effects, each on the result of the last.
    Effects,
    /// Three tasks without effects.
    Pure,
    /// Three processes, each of which leaves a mark.
    Marks,
    /// A mark, a pause long enough to be parked, a mark.
    Waits,
    /// Three branches: an effect, a mark, a pause.
    Fork,
    /// A child execution that leaves a mark.
    Parent,
    /// A task that fails twice and then succeeds.
    Retries,
}

impl Kind {
    pub const ALL: [Kind; 7] =
        [Self::Effects, Self::Pure, Self::Marks, Self::Waits, Self::Fork, Self::Parent, Self::Retries];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Effects => "effects",
            Self::Pure => "pure",
            Self::Marks => "marks",
            Self::Waits => "waits",
            Self::Fork => "fork",
            Self::Parent => "parent",
            Self::Retries => "retries",
        }
    }

    /// What the execution must end with when nobody cancels it.
    pub fn output(self) -> Value {
        match self {
            Self::Effects => json!("callboard"),
            Self::Pure => json!({ "third": 3 }),
            Self::Marks | Self::Waits | Self::Fork | Self::Parent => json!({ "done": true }),
            Self::Retries => json!({ "attempts": 3 }),
        }
    }

    fn tasks(self) -> Value {
        let ask = |prompt: &str| json!({ "call": "agent", "with": { "agent": "echo", "prompt": prompt } });
        let done = json!({ "set": { "done": true } });
        match self {
            Self::Effects => {
                json!([{ "first": ask("callboard") }, { "second": ask("${ . }") }, { "third": ask("${ . }") }])
            }
            Self::Pure => json!([
                { "first": { "set": { "first": 1 } } },
                { "second": { "set": { "second": "${ .first + 1 }" } } },
                { "third": { "set": { "third": "${ .second + 1 }" } } },
            ]),
            Self::Marks => json!([
                { "first": mark("first") }, { "second": mark("second") }, { "third": mark("third") }, { "done": done },
            ]),
            Self::Waits => json!([
                { "before": mark("before") },
                { "pause": { "wait": "${ .pause }" } },
                { "after": mark("after") },
                { "done": done },
            ]),
            Self::Fork => json!([
                { "spread": { "fork": { "branches": [
                    { "asking": ask("callboard") },
                    { "marking": mark("marking") },
                    { "pausing": { "wait": "${ .pause }" } },
                ] } } },
                { "done": done },
            ]),
            Self::Parent => json!([
                { "child": { "run": { "workflow": {
                    "namespace": "chaos", "name": "child", "version": "1.0.0", "input": "${ . }",
                } } } },
                { "done": done },
            ]),
            Self::Retries => json!([
                { "again": {
                    "try": [
                        { "count": { "set": { "counted": true }, "export": { "as": "${ { tries: (($context.tries // 0) + 1) } }" } } },
                        { "flaky": {
                            "if": "${ $context.tries < 3 }",
                            "raise": { "error": { "type": "https://callboard.invalid/flaky", "status": 503 } },
                        } },
                    ],
                    "catch": {
                        "errors": { "with": { "status": 503 } },
                        "retry": { "delay": { "milliseconds": 20 }, "limit": { "attempt": { "count": 5 } } },
                    },
                } },
                { "done": { "set": { "attempts": "${ $context.tries }" } } },
            ]),
        }
    }
}

/// A process that leaves a mark: execution, task and the time in nanoseconds. The mark is one write to the end of a file.
/// The input is handed on.
fn mark(task: &str) -> Value {
    json!({
        "run": { "shell": {
            "command": "printf '%s %s %s\\n' \"$EXECUTION\" \"$TASK\" \"$(date +%s%N)\" >> \"$MARKS\"",
            "environment": { "EXECUTION": "${ $workflow.id }", "TASK": task, "MARKS": "${ .marks }" },
        } },
        "output": { "as": "${ $input }" },
    })
}

/// The definition of a child of [`Kind::Parent`].
fn child() -> Value {
    json!([{ "marking": mark("marking") }, { "pause": { "wait": "${ .pause }" } }, { "done": { "set": { "done": true } } }])
}

fn definition(name: &str, tasks: Value) -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "chaos", "name": name, "version": "1.0.0" },
        "do": tasks,
    })
}

/// Registers all workflows.
///
/// # Errors
/// When the service refuses one of them.
pub async fn register(link: &mut Link) -> Result<(), Error> {
    let kinds = Kind::ALL.into_iter().map(|kind| (kind.name(), kind.tasks()));
    for (name, tasks) in kinds.chain([("child", child())]) {
        let body = definition(name, tasks).to_string();
        let answer = link.post("/api/v1/workflows", body.into(), None).await;
        answer.map_err(|error| Error::failure(format!("cannot register the workflow {name}: {error}")))?.json()?;
    }
    Ok(())
}

/// The body that starts an execution of a kind. `number` tells the submissions of one run apart.
pub fn submission(kind: Kind, run: &str, number: u64, pause_ms: u64, marks: &Path) -> Value {
    json!({
        "workflow": { "namespace": "chaos", "name": kind.name() },
        "input": { "marks": marks, "pause": { "milliseconds": pause_ms } },
        "labels": { "chaos_run": run, "chaos_number": number.to_string() },
    })
}
