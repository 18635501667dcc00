//! `callboard secrets`: store and delete secrets of a running service. A value is never an argument: those end up in the history
//! of the shell and in the list of processes.

use super::Exit;
use super::client::{Address, Client, items_at, text_at};
use super::error::{Error, block_on};
use super::terminal::{Sink, Table, print, print_json, tell};
use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write};
use zeroize::Zeroizing;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    address: Address,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Store a secret; its value comes from standard input, or from a prompt that does not show it
    Set(Set),
    /// List all secrets, without their values
    List(List),
    /// Delete a secret
    Delete(Delete),
    /// Encrypt with the current key whatever is encrypted with an older one
    Rotate(Rotate),
}

#[derive(Debug, clap::Args)]
struct Set {
    /// Letters, digits, '_', '-' and '.'; what use.secrets of a workflow lists
    name: String,
    /// The value is a JSON object, as in {"username": "…", "password": "…"}
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Print one JSON object per secret
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Delete {
    name: String,
}

#[derive(Debug, clap::Args)]
struct Rotate {
    /// Print the service's answer
    #[arg(long)]
    json: bool,
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on(async {
        let client = Client::new(&arguments.address)?;
        match &arguments.action {
            Action::Set(wanted) => set(&client, wanted).await,
            Action::List(wanted) => list(&client, wanted).await,
            Action::Delete(wanted) => delete(&client, wanted).await,
            Action::Rotate(wanted) => rotate(&client, wanted).await,
        }
    })
}

async fn set(client: &Client, wanted: &Set) -> Result<Exit, Error> {
    let text = Zeroizing::new(if std::io::stdin().is_terminal() {
        prompt(&format!("Value of {}: ", wanted.name))?
    } else {
        let failed = |error| Error::invalid(format!("cannot read standard input: {error}"));
        std::io::read_to_string(std::io::stdin()).map_err(failed)?
    });
    let value = value(&text, wanted.json)?;
    let answer = client.put(&path_of(&wanted.name), &json!({ "value": value })).await?;
    print(&text_at(&answer, "/name"));
    for pointer in items_at(&answer, "/unprotected").iter().filter_map(Value::as_str) {
        tell(&format!(
            "callboard: the part {pointer} is too short to be recognized: it is not kept out of journals and logs"
        ));
    }
    Ok(Exit::Success)
}

/// The value that a text stands for. One line break at its end belongs to the file or the terminal it came from.
///
/// # Errors
/// When it should be a JSON object and is not.
pub fn value(text: &str, is_json: bool) -> Result<Value, Error> {
    if is_json {
        let parsed: Option<Value> = serde_json::from_str(text).ok().filter(Value::is_object);
        // The parser's words could repeat a part of the value.
        return parsed.ok_or_else(|| Error::invalid("the value is not a JSON object"));
    }
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(Value::from(line))
}

/// The address of a secret below the API's base path.
fn path_of(name: &str) -> String {
    format!("/secrets/{}", percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC))
}

/// Asks for one line that is not shown while it is typed.
fn prompt(question: &str) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error::failure(format!("cannot read from the terminal: {error}"));
    let mut errors = std::io::stderr();
    write!(errors, "{question}").and_then(|()| errors.flush()).map_err(failed)?;
    crossterm::terminal::enable_raw_mode().map_err(failed)?;
    let typed = read_line();
    crossterm::terminal::disable_raw_mode().map_err(failed)?;
    tell("");
    typed.map_err(failed)?.ok_or_else(|| Error::invalid("nothing was stored"))
}

/// A line without echo; `None` for Ctrl-C, Ctrl-D and Escape.
fn read_line() -> std::io::Result<Option<String>> {
    let mut line = Zeroizing::new(String::new());
    loop {
        let Event::Key(key) = crossterm::event::read()? else { continue };
        if key.kind == KeyEventKind::Release {
            continue;
        }
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        if let KeyCode::Enter = key.code {
            return Ok(Some(std::mem::take(&mut *line)));
        } else if key.code == KeyCode::Esc || is_control && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Ok(None);
        } else if key.code == KeyCode::Backspace {
            line.pop();
        } else if let (KeyCode::Char(character), false) = (key.code, is_control) {
            line.push(character);
        }
    }
}

async fn list(client: &Client, wanted: &List) -> Result<Exit, Error> {
    let secrets = client.all("/secrets").await?;
    if wanted.json {
        secrets.iter().for_each(|secret| print(&secret.to_string()));
        return Ok(Exit::Success);
    }
    let mut table = Table::new(&["NAME", "KEY", "READABLE", "CREATED", "UPDATED"]);
    for secret in &secrets {
        let cells = ["/name", "/key_id", "/is_readable", "/created_at", "/updated_at"];
        table.row(cells.map(|pointer| text_at(secret, pointer)).to_vec());
    }
    print(&table.render(Sink::Output.has_colors()));
    Ok(Exit::Success)
}

async fn delete(client: &Client, wanted: &Delete) -> Result<Exit, Error> {
    client.delete(&path_of(&wanted.name)).await?;
    Ok(Exit::Success)
}

async fn rotate(client: &Client, wanted: &Rotate) -> Result<Exit, Error> {
    let answer = client.post("/secret-keys/rotate", None).await?;
    if wanted.json {
        print_json(&answer);
    } else {
        print(&format!("{} encrypted anew", text_at(&answer, "/rotated")));
    }
    let unreadable = text_at(&answer, "/unreadable");
    if unreadable == "0" {
        return Ok(Exit::Success);
    }
    tell(&format!("callboard: {unreadable} cannot be read: the service does not have the key they are encrypted with"));
    Ok(Exit::Failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_value() {
        for (text, expected) in [("abc\n", "abc"), ("abc\r\n", "abc"), ("a\nb\n\n", "a\nb\n"), (" abc ", " abc ")] {
            assert_eq!(value(text, false).unwrap(), expected);
        }
        assert_eq!(value("{\"a\": 1}\n", true).unwrap(), json!({"a": 1}));
        let refused = value("{\"token\": s3cret}", true).unwrap_err();
        assert!(!refused.text.contains("s3cret"));
        assert!(value("[1]", true).is_err());
    }
}
