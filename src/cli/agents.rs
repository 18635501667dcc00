//! `callboard agents`: look at the agents of a running service and put them to the test.

use super::budget::Limits;
use super::client::{Address, Client, text_at};
use super::error::{Error, block_on};
use super::reporter::watch;
use super::terminal::{Sink, Table, fit, print, print_json, tell};
use super::{Exit, terminal};
use serde_json::{Value, json};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    address: Address,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List all agents
    List(List),
    /// Show one agent
    Show(Show),
    /// Ask an agent something and watch its answer; the exit code is the outcome
    Test(Test),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object per agent
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Id, slug or name
    agent: String,
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Test {
    /// Id, slug or name
    agent: String,
    /// What to ask: text, or - for standard input
    text: String,
    #[command(flatten)]
    budget: Limits,
    /// Only start it; print the id of the execution
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
            Action::List(wanted) => list(&client, wanted).await,
            Action::Show(wanted) => show(&client, wanted).await,
            Action::Test(wanted) => test(&client, wanted).await,
        }
    })
}

async fn list(client: &Client, wanted: &List) -> Result<Exit, Error> {
    let agents = client.all("/agents").await?;
    if wanted.json {
        agents.iter().for_each(|agent| print(&agent.to_string()));
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&["ID", "SLUG", "ADAPTER", "MODEL", "ACTIVE", "DESCRIPTION"]);
    for agent in &agents {
        table.row(vec![
            text_at(agent, "/id"),
            text_at(agent, "/slug"),
            text_at(agent, "/adapter"),
            fit(&text_at(agent, "/model"), 30),
            text_at(agent, "/is_active"),
            fit(&text_at(agent, "/description"), 60),
        ]);
    }
    print(&table.render(Sink::Output.has_colors()));
    Ok(Exit::Success)
}

/// The agent with an id, slug or name.
async fn find(client: &Client, wanted: &str) -> Result<Value, Error> {
    if wanted.parse::<uuid::Uuid>().is_ok() {
        return client.get(&format!("/agents/{wanted}"), &[]).await;
    }
    let agents = client.all("/agents").await?;
    let named = |field: &str| agents.iter().find(|agent| text_at(agent, field) == wanted).cloned();
    named("/slug").or_else(|| named("/name")).ok_or_else(|| {
        Error::failure(format!("there is no agent '{wanted}'\n  `callboard agents list` shows those that exist."))
    })
}

async fn show(client: &Client, wanted: &Show) -> Result<Exit, Error> {
    let agent = find(client, &wanted.agent).await?;
    if wanted.json {
        print_json(&agent);
    } else {
        for (name, value) in agent.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
            print(&format!("{name:<14} {}", terminal::pretty(value)));
        }
    }
    Ok(Exit::Success)
}

async fn test(client: &Client, wanted: &Test) -> Result<Exit, Error> {
    let text = if wanted.text == "-" {
        std::io::read_to_string(std::io::stdin())
            .map_err(|error| Error::invalid(format!("cannot read standard input: {error}")))?
    } else {
        wanted.text.clone()
    };
    let id = text_at(&find(client, &wanted.agent).await?, "/id");
    let mut body = json!({ "test_input": text });
    if let (Some(fields), Some(budget)) = (body.as_object_mut(), wanted.budget.body()) {
        fields.insert("budget".to_owned(), budget);
    }
    let answer = client.post(&format!("/agents/{id}/test"), Some(&body)).await?;
    let execution_id = text_at(&answer, "/execution_id");
    match (wanted.detach, wanted.json) {
        (true, true) => print(&answer.to_string()),
        (true, false) => print(&execution_id),
        (false, json) => {
            if !json {
                tell(&format!("execution {execution_id}"));
            }
            return watch(client, &execution_id, json, Sink::Errors).await;
        }
    }
    Ok(Exit::Success)
}
