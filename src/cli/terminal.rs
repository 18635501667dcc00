//! The terminal: printing that survives a closed pipe, colors only where they are wanted, tables.
//!
//! Standard output carries results, standard error carries what is said about them.

use crossterm::style::{Attribute, Color, Stylize};
use serde_json::Value;
use std::io::{IsTerminal, Write};

/// Prints text and a line break on standard output. A reader that went away (`| head`) is no error.
pub fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    // A closed pipe means that nobody wants to read further; there is nobody to tell.
    let _ = writeln!(output, "{text}").and_then(|()| output.flush());
}

/// Prints text and a line break on standard error.
pub fn tell(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// One of the two streams a command writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    Output,
    Errors,
}

impl Sink {
    /// Prints text and a line break.
    pub fn print(self, text: &str) {
        match self {
            Self::Output => print(text),
            Self::Errors => tell(text),
        }
    }

    /// The stream for terminal commands.
    pub fn writer(self) -> Box<dyn Write> {
        match self {
            Self::Output => Box::new(std::io::stdout()),
            Self::Errors => Box::new(std::io::stderr()),
        }
    }

    /// Whether it is a terminal whose cursor may be moved.
    pub fn is_interactive(self) -> bool {
        let is_terminal = match self {
            Self::Output => std::io::stdout().is_terminal(),
            Self::Errors => std::io::stderr().is_terminal(),
        };
        is_terminal && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
    }

    /// Whether colors are wanted on it (`NO_COLOR` says no).
    pub fn has_colors(self) -> bool {
        self.is_interactive() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    }
}

/// The width and height of the terminal in cells.
pub fn size() -> (usize, usize) {
    // A terminal that does not know its size says 0.
    match crossterm::terminal::size() {
        Ok((width, height)) if width > 0 && height > 0 => (usize::from(width), usize::from(height)),
        Ok(_) | Err(_) => (100, 30),
    }
}

/// The roles that text can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Quiet,
    Strong,
    Good,
    Bad,
    Busy,
    Waiting,
}

/// `text` in the color of its role; unchanged without `colors`.
pub fn paint(text: &str, tone: Tone, colors: bool) -> String {
    if !colors {
        return text.to_owned();
    }
    match tone {
        Tone::Plain => text.to_owned(),
        Tone::Quiet => text.with(Color::DarkGrey).to_string(),
        Tone::Strong => text.attribute(Attribute::Bold).to_string(),
        Tone::Good => text.with(Color::Green).to_string(),
        Tone::Bad => text.with(Color::Red).to_string(),
        Tone::Busy => text.with(Color::Cyan).to_string(),
        Tone::Waiting => text.with(Color::Yellow).to_string(),
    }
}

/// Prints a JSON value on standard output, indented.
pub fn print_json(value: &Value) {
    print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// The role of an execution's or a task's status word.
pub fn status_tone(status: &str) -> Tone {
    match status {
        "succeeded" | "completed" => Tone::Good,
        "failed" => Tone::Bad,
        "running" => Tone::Busy,
        "waiting" | "paused" | "pending" | "retrying" => Tone::Waiting,
        _ => Tone::Quiet,
    }
}

/// `text` without control characters other than line breaks and tabs, so that nothing printed can steer a terminal.
pub fn harmless(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}

/// A JSON value for people: text as it is, everything else indented.
pub fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => harmless(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            serde_json::to_string_pretty(value).unwrap_or_default()
        }
    }
}

/// `text` cut to `width` cells with an ellipsis, on one line and without control characters.
pub fn fit(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if clean.chars().count() <= width {
        return clean;
    }
    let mut cut: String = clean.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Milliseconds for people: `340 ms`, `2.4 s`, `3 min 5 s`, `2 h 14 min`.
pub fn duration(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds} ms"),
        1..60 => format!("{seconds}.{} s", milliseconds % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A table for people: columns as wide as their widest cell.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; control characters in cells become spaces.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells.iter().map(|cell| fit(cell, usize::MAX)).collect());
    }

    /// The lines of the table. Cells of a column named `STATUS` are colored.
    pub fn render(&self, colors: bool) -> String {
        let widths: Vec<usize> = self
            .headings
            .iter()
            .enumerate()
            .map(|(column, heading)| {
                let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
                cells.chain([heading.len()]).max().unwrap_or(0)
            })
            .collect();
        let headings: Vec<String> = self.headings.iter().map(|&heading| heading.to_owned()).collect();
        let mut lines = vec![paint(&self.line(&headings, &widths, false), Tone::Quiet, colors)];
        lines.extend(self.rows.iter().map(|row| self.line(row, &widths, colors)));
        lines.join("\n")
    }

    fn line(&self, cells: &[String], widths: &[usize], colors: bool) -> String {
        let mut line = String::new();
        for ((cell, width), heading) in cells.iter().zip(widths).zip(&self.headings) {
            let padded = format!("{cell:<width$}  ");
            let tone = if *heading == "STATUS" { status_tone(cell) } else { Tone::Plain };
            line.push_str(&paint(&padded, tone, colors));
        }
        line.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["ID", "STATUS"]);
        table.row(vec!["a".into(), "running".into()]);
        table.row(vec!["longer\nthan".into(), "failed".into()]);
        assert_eq!(table.render(false), "ID           STATUS\na            running\nlonger than  failed");
    }

    #[test]
    fn durations_read_like_a_person_would_say_them() {
        let said: Vec<String> = [0, 340, 2_450, 185_000, 8_040_000].into_iter().map(duration).collect();
        assert_eq!(said, ["0 ms", "340 ms", "2.4 s", "3 min 5 s", "2 h 14 min"]);
    }

    #[test]
    fn long_text_is_cut_on_character_borders() {
        assert_eq!(fit("größer als gedacht", 7), "größer…");
        assert_eq!(fit("kurz", 7), "kurz");
    }
}
