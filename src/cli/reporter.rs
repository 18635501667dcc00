//! Reports one execution while it runs: a tree of tasks for people, JSON lines for machines, and the result at the end.
//!
//! Shared by `run`, which owns the engine, and by the commands that watch a service.

use super::Exit;
use super::client::{Client, text_at};
use super::error::Error;
use super::live::{Following, News, follow};
use super::terminal::{Sink, pretty, print, tell};
use super::tree::{Tree, describe};
use super::tree_view::View;
use crate::clock::{Clock, SystemClock};
use crate::domain::{Event, Status};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

/// How often the tree is redrawn on a terminal.
pub const REDRAW_INTERVAL: Duration = Duration::from_millis(100);

/// What is printed about an execution.
#[derive(Debug)]
pub struct Reporter {
    execution_id: String,
    tree: Tree,
    form: Form,
    pieces: Pieces,
    /// The connection is lost, and that has been said.
    is_cut_off: bool,
}

/// Streamed output is not ordered with the events and may come twice around a reconnect.
#[derive(Debug, Default)]
struct Pieces {
    /// The newest piece of each task instance.
    newest: HashMap<String, (u64, String)>,
    /// Pieces that came before their task was known, in order.
    early: Vec<(String, String)>,
}

impl Pieces {
    /// Whether a piece has not been seen. A run of a task counts from 1 again.
    fn is_new(&mut self, path: &str, n: u64, text: &str) -> bool {
        let seen = self
            .newest
            .get(path)
            .is_some_and(|(last, seen)| if n == 1 { *last == 1 && seen == text } else { n <= *last });
        if !seen {
            self.newest.insert(path.to_owned(), (n, text.to_owned()));
        }
        !seen
    }
}

#[derive(Debug)]
enum Form {
    /// Events as JSON lines on standard output.
    Json,
    People(View),
}

impl Reporter {
    /// A reporter; with `json` events go to standard output as lines, otherwise progress goes to `sink`.
    pub fn new(execution_id: &str, json: bool, sink: Sink) -> Self {
        let form = if json { Form::Json } else { Form::People(View::on(sink)) };
        Self {
            execution_id: execution_id.to_owned(),
            tree: Tree::new(),
            form,
            pieces: Pieces::default(),
            is_cut_off: false,
        }
    }

    /// Reports one event.
    pub fn event(&mut self, event: &Event) {
        self.tree.apply(event);
        match &mut self.form {
            Form::Json => print(&serde_json::to_string(event).unwrap_or_default()),
            Form::People(view) => view.event(&self.tree, event),
        }
        for (path, text) in std::mem::take(&mut self.pieces.early) {
            self.show_piece(path, text);
        }
    }

    /// Reports a piece of streamed output of a task instance. Machines get the final text with its event.
    pub fn output(&mut self, path: String, n: u64, text: String) {
        if matches!(self.form, Form::People(_)) && self.pieces.is_new(&path, n, &text) {
            self.show_piece(path, text);
        }
    }

    fn show_piece(&mut self, path: String, text: String) {
        match (self.tree.stream(&path, &text), &mut self.form) {
            (Some(label), Form::People(view)) => view.streamed(&label, &text),
            (None, Form::People(_)) if !self.tree.knows(&path) => self.pieces.early.push((path, text)),
            (None | Some(_), Form::People(_) | Form::Json) => {}
        }
    }

    /// Reports a log line. Machines read logs with `executions logs`.
    pub fn log(&mut self, level: &str, message: &str) {
        if let Form::People(view) = &mut self.form {
            view.log(level, message);
        }
    }

    /// Redraws the tree.
    pub fn draw(&mut self) {
        if let Form::People(view) = &mut self.form {
            view.draw(&self.tree, SystemClock.now());
        }
    }

    /// Reports the result of a finished execution; the exit code that goes with it.
    pub fn finish(&mut self) -> Exit {
        self.draw();
        match self.form {
            Form::Json => {
                let result = json!({
                    "type": "result",
                    "execution_id": self.execution_id,
                    "status": self.tree.status,
                    "output": self.tree.output,
                    "error": self.tree.error,
                });
                print(&result.to_string());
            }
            Form::People(_) => self.finish_for_people(),
        }
        exit_of(self.tree.status)
    }

    fn finish_for_people(&self) {
        if let Some(output) = &self.tree.output {
            print(&pretty(output));
        }
        if let Some(error) = &self.tree.error {
            let place = error.instance.as_deref().map(|instance| format!("\n  at {instance}")).unwrap_or_default();
            let advice = error.suggestion.as_deref().map(|advice| format!("\n  {advice}")).unwrap_or_default();
            tell(&format!("callboard: {}{place}{advice}", describe(error)));
        }
    }

    /// Reports what following the execution brought; `Break` once it has ended.
    pub fn take(&mut self, news: News) -> ControlFlow<()> {
        let was_cut_off = std::mem::replace(&mut self.is_cut_off, matches!(news, News::Reconnecting));
        match news {
            News::Event(event) => {
                self.event(&event);
                if self.tree.status.is_terminal() {
                    return ControlFlow::Break(());
                }
            }
            News::UnknownEvent(data) => {
                if matches!(self.form, Form::Json) {
                    print(&data.to_string());
                }
            }
            News::Output { path, n, text } => self.output(path, n, text),
            News::Log(line) => self.log(&text_at(&line, "/level"), &text_at(&line, "/message")),
            News::Reconnecting if was_cut_off => {}
            News::Reconnecting => self.log("live", "the connection is lost, trying again"),
        }
        ControlFlow::Continue(())
    }
}

/// The exit code for an execution that ended, or that was left alone.
pub const fn exit_of(status: Status) -> Exit {
    match status {
        Status::Failed => Exit::Failure,
        Status::Cancelled => Exit::Cancelled,
        Status::Pending | Status::Running | Status::Waiting | Status::Paused | Status::Succeeded => Exit::Success,
    }
}

/// Watches an execution of a service until it has ended.
///
/// # Errors
/// When the execution is unknown or the service cannot be reached any more.
pub async fn watch(client: &Client, execution_id: &str, json: bool, sink: Sink) -> Result<Exit, Error> {
    // An unknown id is told with the service's own words, which the live feed could not carry.
    client.get(&format!("/executions/{execution_id}"), &[]).await?;
    let reporter = RefCell::new(Reporter::new(execution_id, json, sink));
    let following = follow(client, execution_id, Following::default(), |news| reporter.borrow_mut().take(news));
    tokio::pin!(following);
    let mut redraw = tokio::time::interval(REDRAW_INTERVAL);
    loop {
        tokio::select! {
            result = &mut following => {
                result?;
                return Ok(reporter.borrow_mut().finish());
            }
            _ = redraw.tick() => reporter.borrow_mut().draw(),
        }
    }
}

/// A JSON argument: JSON text, `@FILE`, or `-` for standard input.
///
/// # Errors
/// When the file cannot be read or the text is not JSON.
pub fn json_argument(name: &str, argument: &str) -> Result<Value, Error> {
    let text = if argument == "-" {
        std::io::read_to_string(std::io::stdin())
            .map_err(|error| Error::invalid(format!("cannot read {name} from standard input: {error}")))?
    } else if let Some(path) = argument.strip_prefix('@') {
        std::fs::read_to_string(path).map_err(|error| Error::file("read", path.as_ref(), &error))?
    } else {
        argument.to_owned()
    };
    serde_json::from_str(&text).map_err(|error| {
        Error::invalid(format!("{name} is not valid JSON: {error}\n  Give JSON, @FILE, or - for standard input."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_comes_twice_is_shown_once_and_a_new_run_counts_from_one() {
        let mut pieces = Pieces::default();
        let taken: Vec<bool> = [(1, "a"), (1, "a"), (2, "b"), (2, "b"), (1, "a"), (2, "c")]
            .into_iter()
            .map(|(n, text)| pieces.is_new("s0:ask", n, text))
            .collect();
        assert_eq!(taken, [true, false, true, false, true, true]);
    }
}
