//! `callboard retention`: what a running service keeps, what it would delete, and a round of deleting now.

use super::Exit;
use super::client::{Address, Client, text_at};
use super::error::{Error, block_on};
use super::terminal::{Sink, Table, print, print_json, tell};
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks at a round that is running.
const POLL: Duration = Duration::from_millis(200);

/// The parts of a policy, as the service names them.
const FIELDS: [(&str, &str, &str); 3] = [
    ("succeeded", "/succeeded_days", "/succeeded_count"),
    ("failed", "/failed_days", "/failed_count"),
    ("cancelled", "/cancelled_days", "/cancelled_count"),
];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    address: Address,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show what is kept and what the last round of upkeep did
    Show(Show),
    /// Show what a round would delete now; nothing is deleted
    Preview(Preview),
    /// Run a round now and wait for its end
    Run(Show),
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Preview {
    /// Under this policy instead of the one in force, as in '{"succeeded_days": 7}'
    #[arg(long, value_name = "JSON")]
    policy: Option<String>,
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on(async {
        let client = Client::new(&arguments.address)?;
        match &arguments.action {
            Action::Show(wanted) => show(&client, wanted).await,
            Action::Preview(wanted) => preview(&client, wanted).await,
            Action::Run(wanted) => run(&client, wanted).await,
        }
    })
}

async fn show(client: &Client, wanted: &Show) -> Result<Exit, Error> {
    let state = client.get("/retention", &[]).await?;
    if wanted.json {
        print_json(&state);
        return Ok(Exit::Success);
    }
    let in_force = state.get("in_force").unwrap_or(&Value::Null);
    let mut table = Table::new(&["STATUS", "KEPT FOR", "AT MOST"]);
    for (status, days, count) in FIELDS {
        table.row(vec![status.to_owned(), days_at(in_force, days), limit_at(in_force, count)]);
    }
    table.row(vec!["usage".to_owned(), days_at(in_force, "/usage_days"), "any number".to_owned()]);
    print(&table.render(Sink::Output.has_colors()));
    let last = state.pointer("/upkeep/last_round").filter(|last| !last.is_null());
    match last {
        Some(last) => print(&format!(
            "last round   {}, deleted {} executions",
            text_at(last, "/finished_at"),
            text_at(last, "/deleted_executions")
        )),
        None => print("last round   none since the service was started"),
    }
    if state.pointer("/upkeep/next_at").is_some_and(|next| !next.is_null()) {
        print(&format!("next round   {}", text_at(&state, "/upkeep/next_at")));
    }
    Ok(Exit::Success)
}

fn days_at(policy: &Value, pointer: &str) -> String {
    match policy.pointer(pointer).and_then(Value::as_u64) {
        Some(0) | None => "ever".to_owned(),
        Some(1) => "1 day".to_owned(),
        Some(days) => format!("{days} days"),
    }
}

fn limit_at(policy: &Value, pointer: &str) -> String {
    match policy.pointer(pointer).and_then(Value::as_u64) {
        Some(0) | None => "any number".to_owned(),
        Some(count) => format!("the {count} newest"),
    }
}

async fn preview(client: &Client, wanted: &Preview) -> Result<Exit, Error> {
    let policy: Option<Value> = match &wanted.policy {
        None => None,
        Some(text) => {
            Some(serde_json::from_str(text).map_err(|error| Error::invalid(format!("--policy is not JSON: {error}")))?)
        }
    };
    let preview = client.post("/retention/preview", policy.as_ref()).await?;
    if wanted.json {
        print_json(&preview);
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&["STATUS", "WOULD BE DELETED"]);
    for (status, _, _) in FIELDS {
        table.row(vec![status.to_owned(), text_at(&preview, &format!("/executions/{status}"))]);
    }
    print(&table.render(Sink::Output.has_colors()));
    if preview.get("is_complete") == Some(&json!(false)) {
        tell("there are more than were counted");
    }
    Ok(Exit::Success)
}

async fn run(client: &Client, wanted: &Show) -> Result<Exit, Error> {
    let mut state = client.post("/retention/run", None).await?;
    while state.pointer("/upkeep/running_since").is_some_and(|since| !since.is_null()) {
        tokio::time::sleep(POLL).await;
        state = client.get("/retention", &[]).await?;
    }
    let last = state.pointer("/upkeep/last_round").unwrap_or(&Value::Null);
    if wanted.json {
        print_json(last);
    } else {
        print(&format!("deleted {} executions", text_at(last, "/deleted_executions")));
    }
    if last.get("is_complete") == Some(&json!(false)) {
        return Err(Error::failure("the round broke off; the service's log has the reason, the next round goes on"));
    }
    Ok(Exit::Success)
}
