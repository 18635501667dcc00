//! `callboard executions`: look at executions of a running service and steer them.

use super::budget::{self, show_or_approve};
use super::client::{Address, Client, id, items_at, text_at};
use super::error::{Error, block_on};
use super::reporter::watch;
use super::terminal::{Sink, Table, Tone, duration, fit, paint, pretty, print, print_json, status_tone};
use super::{Exit, table_cells};
use crate::domain::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// The most lines of log or list that one request asks for.
const PAGE_LIMIT: u32 = 100;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    address: Address,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List executions, newest first
    List(List),
    /// Show one execution with its tasks
    Show(One),
    /// Watch one execution live until it has ended; the exit code is its outcome
    Watch(One),
    /// Show the log of one execution
    Logs(Logs),
    /// Ask executions and everything under them to stop
    Cancel(Cancel),
    /// Let running effects finish, start nothing new
    Pause(Steer),
    /// Continue paused executions
    Resume(Steer),
    /// Show what an execution may spend and has spent; with limits, approve them: what a limit had paused goes on
    Budget(budget::Arguments),
    /// Start again where a finished execution failed
    Retry(Steer),
    /// Start new executions with the same definition and input
    Rerun(Steer),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Only executions in this status; repeatable
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// Only `workflow`, `agent_test` or `project_round`
    #[arg(long = "type", value_name = "TYPE")]
    execution_type: Option<String>,
    /// Only executions that a retry has gone on with (`true`), or that none has (`false`)
    #[arg(long, value_name = "BOOLEAN")]
    continued: Option<bool>,
    #[arg(long, value_name = "ID")]
    workflow_id: Option<String>,
    #[arg(long, value_name = "ID")]
    agent_id: Option<String>,
    /// Only executions with this label; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::client::label)]
    label: Vec<(String, String)>,
    /// Only executions created after this instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    created_after: Option<Timestamp>,
    /// Only executions created before this instant (RFC 3339)
    #[arg(long, value_name = "TIME")]
    created_before: Option<Timestamp>,
    /// Only executions that contain this text
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// How many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_LIMIT)))]
    limit: u32,
    /// Continue where the last page ended (`next_cursor` of its JSON)
    #[arg(long)]
    cursor: Option<String>,
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct One {
    /// Id of the execution
    #[arg(value_parser = id)]
    id: Uuid,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Logs {
    /// Id of the execution
    #[arg(value_parser = id)]
    id: Uuid,
    /// Only lines of this level and above
    #[arg(long, value_parser = ["debug", "info", "warn", "error"])]
    level: Option<String>,
    /// Only lines of the task at this JSON pointer
    #[arg(long, value_name = "POINTER")]
    task: Option<String>,
    /// Only lines that contain this text
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Steer {
    /// Ids of the executions
    #[arg(required = true, value_name = "ID", value_parser = id)]
    ids: Vec<Uuid>,
    /// Print one JSON object per execution
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Cancel {
    #[command(flatten)]
    steer: Steer,
    /// Why, for the journal
    #[arg(long)]
    reason: Option<String>,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on(async {
        let client = Client::new(&arguments.address)?;
        match &arguments.action {
            Action::List(wanted) => list(&client, wanted).await,
            Action::Show(one) => show(&client, one).await,
            Action::Watch(one) => watch(&client, &one.id.to_string(), one.json, Sink::Output).await,
            Action::Logs(wanted) => logs(&client, wanted).await,
            Action::Cancel(cancel) => {
                let body = cancel.reason.as_ref().map(|reason| json!({ "reason": reason }));
                steer_all(&client, &cancel.steer, "cancel", body.as_ref()).await
            }
            Action::Pause(steer) => steer_all(&client, steer, "pause", None).await,
            Action::Resume(steer) => steer_all(&client, steer, "resume", None).await,
            Action::Budget(wanted) => show_or_approve(&client, wanted).await,
            Action::Retry(steer) => steer_all(&client, steer, "retry", None).await,
            Action::Rerun(steer) => steer_all(&client, steer, "rerun", None).await,
        }
    })
}

async fn list(client: &Client, wanted: &List) -> Result<Exit, Error> {
    let labels: Vec<(String, String)> =
        wanted.label.iter().map(|(name, value)| (format!("label.{name}"), value.clone())).collect();
    let mut query = vec![("limit", wanted.limit.to_string())];
    query.extend(wanted.status.iter().map(|status| ("status", status.clone())));
    query.extend(labels.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let optional = [
        ("execution_type", wanted.execution_type.clone()),
        ("continued", wanted.continued.map(|is_continued| is_continued.to_string())),
        ("workflow_id", wanted.workflow_id.clone()),
        ("agent_id", wanted.agent_id.clone()),
        ("created_after", wanted.created_after.map(|instant| instant.to_string())),
        ("created_before", wanted.created_before.map(|instant| instant.to_string())),
        ("q", wanted.q.clone()),
        ("cursor", wanted.cursor.clone()),
    ];
    query.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let answer = client.get("/executions", &query).await?;
    if wanted.json {
        print_json(&answer);
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&["ID", "STATUS", "WORKFLOW", "PROGRESS", "CREATED", "TOOK"]);
    for execution in items_at(&answer, "/items") {
        table.row(vec![
            text_at(execution, "/id"),
            text_at(execution, "/status"),
            workflow_name(execution),
            progress(execution),
            table_cells::instant(execution, "/created_at"),
            execution.get("run_ms").and_then(Value::as_i64).map(duration).unwrap_or_default(),
        ]);
    }
    print(&table.render(Sink::Output.has_colors()));
    Ok(Exit::Success)
}

fn workflow_name(execution: &Value) -> String {
    let part = |name: &str| text_at(execution, &format!("/workflow/{name}"));
    fit(&format!("{}/{} {}", part("namespace"), part("name"), part("version")), 40)
}

fn progress(execution: &Value) -> String {
    let done = text_at(execution, "/progress/completed_tasks");
    let known = text_at(execution, "/progress/known_tasks");
    format!("{done}/{known}")
}

async fn show(client: &Client, one: &One) -> Result<Exit, Error> {
    let mut execution = client.get(&format!("/executions/{}", one.id), &[]).await?;
    let tasks = client.get(&format!("/executions/{}/tasks", one.id), &[]).await?;
    let total = tasks.get("total").and_then(Value::as_u64).unwrap_or(0);
    let tasks = Value::from(items_at(&tasks, "/items"));
    if one.json {
        if let Some(fields) = execution.as_object_mut() {
            fields.insert("tasks".to_owned(), tasks);
        }
        print_json(&execution);
        return Ok(Exit::Success);
    }
    let colors = Sink::Output.has_colors();
    let status = text_at(&execution, "/status");
    print(&format!(
        "{}  {}  {}",
        paint(&workflow_name(&execution), Tone::Strong, colors),
        paint(&status, status_tone(&status), colors),
        progress(&execution)
    ));
    for (name, pointer) in [
        ("id", "/id"),
        ("type", "/execution_type"),
        ("trigger", "/trigger"),
        ("parent", "/parent_execution_id"),
        ("retry of", "/forked_from/execution_id"),
        ("retried as", "/continued_by"),
        ("priority", "/priority"),
        ("created", "/created_at"),
        ("started", "/started_at"),
        ("finished", "/finished_at"),
        ("wakes at", "/wake_at"),
        ("restarts", "/restarts"),
        ("last crash", "/last_crash"),
        ("recovered in ms", "/recovered_in_ms"),
    ] {
        let text = text_at(&execution, pointer);
        if !text.is_empty() {
            print(&format!("{name:<16} {}", fit(&text, 300)));
        }
    }
    for (name, field) in [("input", "input"), ("output", "output"), ("error", "error")] {
        if let Some(value) = execution.get(field).filter(|value| !value.is_null()) {
            print(&format!("{name}\n{}", indent(&pretty(value))));
        }
    }
    print_tasks(items_at(&tasks, ""), total, colors);
    Ok(Exit::Success)
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn print_tasks(tasks: &[Value], total: u64, colors: bool) {
    if tasks.is_empty() {
        return;
    }
    let mut table = Table::new(&["TASK", "STATUS", "ATTEMPTS", "STARTED", "TOOK", "WHAT"]);
    for task in tasks {
        let error = task.get("error").map(|error| text_at(error, "/detail")).filter(|text| !text.is_empty());
        table.row(vec![
            fit(&text_at(task, "/path"), 60),
            text_at(task, "/status"),
            text_at(task, "/attempts"),
            table_cells::instant(task, "/started_at"),
            table_cells::between(task, "/started_at", "/finished_at"),
            fit(&error.unwrap_or_else(|| text_at(task, "/effect/summary")), 60),
        ]);
    }
    print(&table.render(colors));
    let left_out = total.saturating_sub(u64::try_from(tasks.len()).unwrap_or(0));
    if left_out > 0 {
        print(&format!("… and {left_out} more tasks"));
    }
}

async fn logs(client: &Client, wanted: &Logs) -> Result<Exit, Error> {
    let mut after = 0_u64;
    loop {
        let mut query = vec![("after", after.to_string()), ("limit", PAGE_LIMIT.to_string())];
        let optional = [("level", &wanted.level), ("task", &wanted.task), ("q", &wanted.q)];
        query.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        let page = client.get(&format!("/executions/{}/logs", wanted.id), &query).await?;
        let lines = items_at(&page, "/items");
        for line in lines {
            if wanted.json {
                print(&line.to_string());
            } else {
                let at = table_cells::instant(line, "/at");
                let (level, task) = (text_at(line, "/level"), text_at(line, "/task"));
                print(&format!("{at}  {level:<5}  {task}  {}", fit(&text_at(line, "/message"), usize::MAX)));
            }
        }
        let newest = lines.last().and_then(|line| line.get("n")).and_then(Value::as_u64);
        match newest.filter(|newest| *newest > after) {
            Some(newest) => after = newest,
            None => return Ok(Exit::Success),
        }
    }
}

/// Steers every execution; what one refuses does not keep the others from being steered.
async fn steer_all(client: &Client, steer: &Steer, action: &str, body: Option<&Value>) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for id in &steer.ids {
        match client.post(&format!("/executions/{id}/{action}"), body).await {
            Ok(execution) if steer.json => print(&execution.to_string()),
            Ok(execution) => print(&format!("{}  {}", text_at(&execution, "/id"), text_at(&execution, "/status"))),
            Err(error) => {
                super::terminal::tell(&format!("callboard: {id}: {error}"));
                exit = error.exit;
            }
        }
    }
    Ok(exit)
}
