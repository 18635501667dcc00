//! Budgets on the command line: given at a start, looked at, and raised while an execution waits for more.

use super::Exit;
use super::client::{Client, id, text_at};
use super::error::Error;
use super::terminal::{Sink, Table, print, print_json};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What an execution that is started may spend, children included.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Limits {
    /// It may use this many tokens of all kinds together
    #[arg(long, value_name = "TOKENS")]
    budget_tokens: Option<u64>,
    /// It may cost this many US dollars, as far as prices are known
    #[arg(long, value_name = "USD")]
    budget_cost: Option<f64>,
    /// It may ask agents this often
    #[arg(long, value_name = "CALLS")]
    budget_calls: Option<u64>,
    /// It may take this many seconds; pauses do not count
    #[arg(long, value_name = "SECONDS")]
    budget_seconds: Option<u64>,
}

impl Limits {
    /// The limits as the interface takes them; `None` when nothing is limited.
    pub fn body(&self) -> Option<Value> {
        let Self { budget_tokens, budget_cost, budget_calls, budget_seconds } = self;
        let limits = [
            ("max_tokens", budget_tokens.map(Value::from)),
            ("max_cost_usd", budget_cost.map(Value::from)),
            ("max_model_calls", budget_calls.map(Value::from)),
            ("max_wall_seconds", budget_seconds.map(Value::from)),
        ];
        let named: Map<String, Value> =
            limits.into_iter().filter_map(|(name, limit)| Some((name.to_owned(), limit?))).collect();
        (!named.is_empty()).then_some(Value::Object(named))
    }
}

/// Of one execution.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Id of the execution
    #[arg(value_parser = id)]
    id: Uuid,
    #[command(flatten)]
    limits: Limits,
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

/// Shows how an execution stands with its budget; with limits, approves them first.
///
/// # Errors
/// When the service does not answer or refuses.
pub async fn show_or_approve(client: &Client, wanted: &Arguments) -> Result<Exit, Error> {
    let path = format!("/executions/{}", wanted.id);
    if let Some(limits) = wanted.limits.body() {
        client.post(&format!("{path}/budget"), Some(&limits)).await?;
    }
    let execution = client.get(&path, &[]).await?;
    if wanted.json {
        let [status, pause_reason, budget] = ["status", "pause_reason", "budget"].map(|name| execution.get(name));
        print_json(&json!({ "status": status, "pause_reason": pause_reason, "budget": budget }));
        return Ok(Exit::Success);
    }
    let (status, reason) = (text_at(&execution, "/status"), text_at(&execution, "/pause_reason"));
    print(&if reason.is_empty() { status } else { format!("{status}: {reason}") });
    if execution.get("budget").is_none_or(Value::is_null) {
        print("no limits");
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&["LIMIT", "OF", "SPENT"]);
    for (name, limit, spent) in [
        ("tokens", "max_tokens", "tokens"),
        ("US dollars", "max_cost_usd", "cost_usd"),
        ("calls of agents", "max_model_calls", "calls"),
        ("seconds", "max_wall_seconds", ""),
    ] {
        let of = |part: &str, name: &str| text_at(&execution, &format!("/budget/{part}/{name}"));
        let limit = of("limits", limit);
        table.row(vec![name.to_owned(), if limit.is_empty() { "-".to_owned() } else { limit }, of("spent", spent)]);
    }
    print(&table.render(Sink::Output.has_colors()));
    let root = text_at(&execution, "/budget/root_execution_id");
    if root != wanted.id.to_string() {
        print(&format!("It is the budget of {root}, which all below it share."));
    }
    Ok(Exit::Success)
}
