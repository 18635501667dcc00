//! `callboard workflows`: register definitions with a running service, look at them and run them.

use super::budget::Limits;
use super::client::{Address, Client, items_at, label, text_at};
use super::error::{Error, block_on};
use super::reporter::{json_argument, watch};
use super::terminal::{Sink, Table, Tone, fit, harmless, paint, print, print_json, tell};
use super::{Exit, table_cells};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    address: Address,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Register definitions (YAML or JSON); a registered version never changes
    Register(Register),
    /// List the newest version of every workflow
    List(List),
    /// Show one workflow with its definition
    Show(One),
    /// List the versions of a workflow
    Versions(One),
    /// Start a workflow and watch it; the exit code is its outcome
    Run(Run),
}

#[derive(Debug, clap::Args)]
struct Register {
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print the service's answers
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100))]
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
    /// Its id, or NAMESPACE/NAME, or NAMESPACE/NAME:VERSION
    workflow: String,
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Its id, or NAMESPACE/NAME (highest stable version), or NAMESPACE/NAME:VERSION
    workflow: String,
    /// What it works on: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// 0 to 9; 9 goes first
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// A word to find it by; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    #[command(flatten)]
    budget: Limits,
    /// Only start it; print its id
    #[arg(long)]
    detach: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on(async {
        let client = Client::new(&arguments.address)?;
        match &arguments.action {
            Action::Register(wanted) => register(&client, wanted).await,
            Action::List(wanted) => list(&client, wanted).await,
            Action::Show(one) => show(&client, one).await,
            Action::Versions(one) => versions(&client, one).await,
            Action::Run(wanted) => run(&client, wanted).await,
        }
    })
}

/// Registers every file; one that is refused does not keep the others out.
async fn register(client: &Client, wanted: &Register) -> Result<Exit, Error> {
    let mut exit = Exit::Success;
    for file in &wanted.files {
        match register_file(client, file).await {
            Ok(workflow) if wanted.json => print(&workflow.to_string()),
            Ok(workflow) => print(&format!("{}  {}", text_at(&workflow, "/id"), full_name(&workflow))),
            Err(error) => {
                tell(&format!("callboard: {}: {error}", file.display()));
                exit = error.exit;
            }
        }
    }
    Ok(exit)
}

/// Registers one file.
///
/// # Errors
/// When it cannot be read, or the service refuses it.
pub async fn register_file(client: &Client, file: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(file).map_err(|error| Error::file("read", file, &error))?;
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let media_type = if is_json { "application/json" } else { "application/yaml" };
    client.post_text("/workflows", media_type, text).await
}

fn full_name(workflow: &Value) -> String {
    let part = |name: &str| text_at(workflow, &format!("/{name}"));
    format!("{}/{}:{}", part("namespace"), part("name"), part("version"))
}

async fn list(client: &Client, wanted: &List) -> Result<Exit, Error> {
    let mut query = vec![("limit", wanted.limit.to_string())];
    query.extend(wanted.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    let answer = client.get("/workflows", &query).await?;
    print_list(&answer, wanted.json);
    Ok(Exit::Success)
}

fn print_list(answer: &Value, json: bool) {
    if json {
        return print_json(answer);
    }
    let mut table = Table::new(&["ID", "WORKFLOW", "TITLE", "REGISTERED"]);
    for workflow in items_at(answer, "/items") {
        table.row(vec![
            text_at(workflow, "/id"),
            full_name(workflow),
            fit(&text_at(workflow, "/title"), 50),
            table_cells::instant(workflow, "/created_at"),
        ]);
    }
    print(&table.render(Sink::Output.has_colors()));
}

/// How somebody names a workflow on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reference {
    Id(uuid::Uuid),
    Named { namespace: String, name: String, version: Option<String> },
}

impl Reference {
    fn parse(text: &str) -> Result<Self, Error> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        let (full, version) = match text.split_once(':') {
            Some((full, version)) => (full, Some(version.to_owned())),
            None => (text, None),
        };
        match full.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => {
                Ok(Self::Named { namespace: namespace.to_owned(), name: name.to_owned(), version })
            }
            Some(_) | None => {
                Err(Error::invalid(format!("'{text}' is neither an id nor NAMESPACE/NAME nor NAMESPACE/NAME:VERSION")))
            }
        }
    }
}

/// The registered version that a reference means.
async fn find(client: &Client, text: &str) -> Result<Value, Error> {
    let (namespace, name, version) = match Reference::parse(text)? {
        Reference::Id(id) => return client.get(&format!("/workflows/{id}"), &[]).await,
        Reference::Named { namespace, name, version } => (namespace, name, version),
    };
    let query = [("namespace", namespace), ("name", name), ("limit", "1".to_owned())];
    let newest = client.get("/workflows", &query).await?;
    let Some(newest) = items_at(&newest, "/items").first() else {
        return Err(Error::failure(format!("no workflow is registered as '{text}'")));
    };
    let id = text_at(newest, "/id");
    let Some(version) = version else { return client.get(&format!("/workflows/{id}"), &[]).await };
    let all = client.get(&format!("/workflows/{id}/versions"), &[]).await?;
    let Some(wanted) = items_at(&all, "/items").iter().find(|item| text_at(item, "/version") == version) else {
        return Err(Error::failure(format!("{} has no version {version}", full_name(newest))));
    };
    client.get(&format!("/workflows/{}", text_at(wanted, "/id")), &[]).await
}

async fn show(client: &Client, one: &One) -> Result<Exit, Error> {
    let workflow = find(client, &one.workflow).await?;
    if one.json {
        print_json(&workflow);
        return Ok(Exit::Success);
    }
    print(&paint(&full_name(&workflow), Tone::Strong, Sink::Output.has_colors()));
    for (name, pointer) in [
        ("id", "/id"),
        ("title", "/title"),
        ("summary", "/summary"),
        ("digest", "/digest"),
        ("registered", "/created_at"),
    ] {
        let text = text_at(&workflow, pointer);
        if !text.is_empty() {
            print(&format!("{name:<11} {}", fit(&text, 300)));
        }
    }
    print(&harmless(&text_at(&workflow, "/source")));
    Ok(Exit::Success)
}

async fn versions(client: &Client, one: &One) -> Result<Exit, Error> {
    let id = text_at(&find(client, &one.workflow).await?, "/id");
    let answer = client.get(&format!("/workflows/{id}/versions"), &[]).await?;
    print_list(&answer, one.json);
    Ok(Exit::Success)
}

async fn run(client: &Client, wanted: &Run) -> Result<Exit, Error> {
    let mut body = Map::new();
    match Reference::parse(&wanted.workflow)? {
        Reference::Id(id) => body.insert("workflow_id".into(), json!(id)),
        Reference::Named { namespace, name, version: None } => {
            body.insert("workflow".into(), json!({ "namespace": namespace, "name": name }))
        }
        Reference::Named { namespace, name, version: Some(version) } => {
            body.insert("workflow".into(), json!({ "namespace": namespace, "name": name, "version": version }))
        }
    };
    if let Some(input) = &wanted.input {
        body.insert("input".into(), json_argument("--input", input)?);
    }
    if let Some(priority) = wanted.priority {
        body.insert("priority".into(), json!(priority));
    }
    if !wanted.label.is_empty() {
        let labels = wanted.label.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        body.insert("labels".into(), Value::Object(labels));
    }
    if let Some(budget) = wanted.budget.body() {
        body.insert("budget".into(), budget);
    }
    let execution = client.post("/executions", Some(&Value::Object(body))).await?;
    let id = text_at(&execution, "/id");
    match (wanted.detach, wanted.json) {
        (true, true) => print(&execution.to_string()),
        (true, false) => print(&id),
        (false, json) => {
            if !json {
                tell(&format!("execution {id}"));
            }
            return watch(client, &id, json, Sink::Errors).await;
        }
    }
    Ok(Exit::Success)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_named_by_id_or_by_name_with_or_without_version() {
        let named = |version: Option<&str>| Reference::Named {
            namespace: "examples".into(),
            name: "hello".into(),
            version: version.map(str::to_owned),
        };
        assert_eq!(Reference::parse("examples/hello"), Ok(named(None)));
        assert_eq!(Reference::parse("examples/hello:1.2.0"), Ok(named(Some("1.2.0"))));
        let id = "0190aaaa-0000-7000-8000-000000000001";
        assert_eq!(Reference::parse(id), Ok(Reference::Id(id.parse().unwrap())));
        for wrong in ["hello", "/hello", "examples/"] {
            assert_eq!(Reference::parse(wrong).unwrap_err().exit, Exit::Invalid, "{wrong}");
        }
    }
}
