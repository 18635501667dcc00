//! `callboard run FILE`: runs a definition in this process and shows it live; no service is needed.
//!
//! It is the very engine of the service, on a temporary database unless `--store` names one to keep. The user runs a file of
//! their own with their own rights, so shell tasks and private addresses are allowed unless a flag says otherwise.

use super::error::{Error, finish};
use super::live::{News, Parsed, parse};
use super::reporter::{REDRAW_INTERVAL, Reporter, json_argument};
use super::terminal::{Sink, tell};
use super::{Exit, SettingsFlags};
use crate::actors::{Command, Engine, Feed, Runnable, Scope, Submission};
use crate::clock::SystemClock;
use crate::domain::definition::{Definition, Severity, render, review};
use crate::domain::secret::{check_name, check_value};
use crate::domain::{ExecutionId, TenantId};
use crate::machine::Compiles;
use crate::settings::Settings;
use crate::startup::{self, Core, INTERRUPTED, Signals};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How long processes and connections may take to end after the execution has.
const STOP_GRACE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A workflow definition, YAML or JSON
    file: PathBuf,
    /// What it works on: JSON, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    input: Option<String>,
    /// Print events as JSON lines, then the result
    #[arg(long)]
    json: bool,
    /// A secret that the definition may read, as NAME=@FILE; repeatable. Others come from variables such as CALLBOARD_SECRET_TOKEN
    #[arg(long, value_name = "NAME=@FILE", value_parser = secret_file)]
    secret: Vec<(String, PathBuf)>,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Does what the command line says; the exit code is the outcome of the execution.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(prepare(arguments).and_then(|prepared| startup::block_on(run(prepared, arguments.json))))
}

/// What is needed before anything is started.
struct Prepared {
    definition: Arc<Definition>,
    input: Value,
    secrets: Vec<(String, Value)>,
    settings: Settings,
    /// Deleted at the end.
    directory: TempDir,
}

fn prepare(arguments: &Arguments) -> Result<Prepared, Error> {
    let definition = read_definition(arguments)?;
    let input = arguments.input.as_ref().map_or(Ok(json!({})), |input| json_argument("--input", input))?;
    let secrets = given_secrets(arguments, &definition)?;
    let directory = tempfile::Builder::new().prefix("callboard-").tempdir();
    let directory = directory.map_err(|error| Error::failure(format!("cannot make a temporary folder: {error}")))?;
    let is_set = |key: &str| arguments.settings.set.iter().any(|(known, _)| known == key);
    let mut more = vec![
        ("effects.shell.runtime_directory", directory.path().join("processes").display().to_string()),
        ("effects.shell.enabled", "true".to_owned()),
        ("effects.http.allow_private", "true".to_owned()),
        // What it needs is given; a database that is kept has its key already.
        ("secrets.generate_key", "false".to_owned()),
    ];
    more.retain(|(key, _)| !is_set(key));
    if arguments.settings.store.is_none() && !is_set("store.url") {
        more.push(("store.url", format!("sqlite:{}", directory.path().join("callboard.db").display())));
    }
    let settings = arguments.settings.load(more.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let settings = settings.map_err(|invalid| Error::invalid(invalid.to_string()))?;
    Ok(Prepared { definition: Arc::new(definition), input, secrets, settings, directory })
}

fn secret_file(text: &str) -> Result<(String, PathBuf), String> {
    // The text may hold what should be in a file: it is not repeated.
    let (name, file) = text.split_once("=@").filter(|(_, file)| !file.is_empty()).ok_or("write NAME=@FILE")?;
    check_name(name).map_err(|why| format!("the name {why}"))?;
    Ok((name.to_owned(), PathBuf::from(file)))
}

/// Secrets from files and, for names that the definition lists, from variables: `CALLBOARD_SECRET_` and the name, as it is or in
/// capitals with `_` for what is neither letter nor digit. A text that is a JSON object is one.
fn given_secrets(arguments: &Arguments, definition: &Definition) -> Result<Vec<(String, Value)>, Error> {
    let mut secrets = Vec::new();
    for (name, file) in &arguments.secret {
        if !definition.components.secrets.iter().any(|listed| **listed == **name) {
            return Err(Error::invalid(format!("the definition does not list the secret {name} in use.secrets")));
        }
        let text = std::fs::read_to_string(file).map_err(|error| Error::file("read", file, &error))?;
        secrets.push((name.clone(), secret_value(name, &text)?));
    }
    for name in &definition.components.secrets {
        let capitals = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
        let variables =
            [format!("CALLBOARD_SECRET_{name}"), format!("CALLBOARD_SECRET_{}", capitals.collect::<String>())];
        let text = variables.iter().find_map(|variable| std::env::var(variable).ok());
        if let Some(text) = text.filter(|_| !secrets.iter().any(|(known, _)| **known == **name)) {
            secrets.push((name.to_string(), secret_value(name, &text)?));
        }
    }
    Ok(secrets)
}

fn secret_value(name: &str, text: &str) -> Result<Value, Error> {
    let value = super::secrets::value(text, true).or_else(|_| super::secrets::value(text, false))?;
    check_value(&value).map_err(|why| Error::invalid(format!("the secret {name} {why}")))?;
    Ok(value)
}

/// Reads and checks the file; its problems are printed as `validate` prints them.
fn read_definition(arguments: &Arguments) -> Result<Definition, Error> {
    let file = &arguments.file;
    let text = std::fs::read_to_string(file).map_err(|error| Error::file("read", file, &error))?;
    let review = review(&text, &Compiles);
    if !review.problems.is_empty() {
        tell(render(&file.display().to_string(), &review.problems).trim_end());
    }
    let errors = review.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let count = if errors == 1 { "a problem".to_owned() } else { format!("{errors} problems") };
    review.definition.ok_or_else(|| Error::invalid(format!("{} has {count}; nothing was run", file.display())))
}

async fn run(prepared: Prepared, json: bool) -> Result<Exit, Error> {
    let Prepared { definition, input, secrets, settings, directory } = prepared;
    let signals = Signals::new().map_err(|error| Error::failure(format!("cannot listen for signals: {error}")))?;
    let core = Core::start_with(&settings, Arc::new(SystemClock), Instant::now(), secrets).await?;
    let effects = core.effects();
    let (interrupt, mut interrupted) = channel(1);
    let work = async {
        let submission = Submission::new(TenantId::DEFAULT, Runnable::Inline(definition), input);
        let outcome = match core.engine.submit(submission).await {
            Ok(execution) => watch(&core.engine, execution.id, &mut interrupted, json).await,
            Err(refusal) => Err(Error::invalid(refusal.to_string())),
        };
        core.stop(STOP_GRACE).await;
        outcome
    };
    tokio::select! {
        outcome = work => outcome,
        () = second_interrupt(signals, interrupt) => {
            effects.kill();
            // The process ends without dropping anything: a folder that cannot be deleted stays.
            let _ = directory.close();
            std::process::exit(INTERRUPTED);
        }
    }
}

/// Passes the first interrupt on and resolves at the second.
async fn second_interrupt(mut signals: Signals, first: Sender<()>) {
    signals.next().await;
    // Nobody listens any more when the execution has ended.
    let _ = first.send(()).await;
    signals.next().await;
}

/// Follows the execution to its end; an interrupt cancels it.
async fn watch(engine: &Engine, id: ExecutionId, interrupted: &mut Receiver<()>, json: bool) -> Result<Exit, Error> {
    let mut reporter = Reporter::new(&id.to_string(), json, Sink::Errors);
    let mut feed: Feed = engine.feed(TenantId::DEFAULT, Scope::Execution { id, after_seq: 0 });
    let mut redraw = tokio::time::interval(REDRAW_INTERVAL);
    loop {
        tokio::select! {
            frame = feed.next() => {
                let frame = frame.ok_or_else(|| Error::failure("the engine has ended before the execution"))?;
                if let Some(news) = news(&frame.text)
                    && reporter.take(news).is_break()
                {
                    return Ok(reporter.finish());
                }
            }
            _ = redraw.tick() => reporter.draw(),
            Some(()) = interrupted.recv() => {
                tell("callboard: cancelling; press Ctrl-C again to quit at once");
                let engine = engine.clone();
                tokio::task::spawn_local(async move {
                    let cancel = Command::Cancel { by: None, reason: Some("interrupted".to_owned()) };
                    // Refused when it has ended in the meantime, which the feed says too.
                    let _ = engine.command(TenantId::DEFAULT, id, cancel, None).await;
                });
            }
        }
    }
}

fn news(text: &str) -> Option<News> {
    match parse(text) {
        Parsed::Event { news, .. } | Parsed::News(news) => Some(news),
        Parsed::Goodbye | Parsed::Other => None,
    }
}
