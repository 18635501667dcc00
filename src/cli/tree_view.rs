//! Draws a tree of tasks: redrawn in place on a terminal, one line per event otherwise.

use super::terminal::{Sink, Tone, duration, fit, paint};
use super::tree::{Task, TaskState, Tree, describe};
use crate::domain::{Event, EventBody, Status, Timestamp};
use crossterm::cursor::MoveToPreviousLine;
use crossterm::terminal::{Clear, ClearType};
use std::collections::HashMap;
use std::io::Write;

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// The width of the column with the elapsed time.
const TIME_WIDTH: usize = 12;

/// How a tree is shown on this output.
#[derive(Debug)]
pub enum View {
    /// Redrawn in place.
    Screen(Screen),
    /// One line per event.
    Lines(Lines),
}

impl View {
    /// The view that suits a stream.
    pub fn on(sink: Sink) -> Self {
        if sink.is_interactive() {
            Self::Screen(Screen { sink, drawn: 0, frame: 0 })
        } else {
            Self::Lines(Lines { sink, unfinished: HashMap::new() })
        }
    }

    /// After an event was applied to the tree.
    pub fn event(&mut self, tree: &Tree, event: &Event) {
        if let Self::Lines(lines) = self
            && let Some(line) = lines.describe(tree, event)
        {
            lines.sink.print(&line);
        }
    }

    /// After streamed text was added to the task with this label.
    pub fn streamed(&mut self, label: &str, text: &str) {
        if let Self::Lines(lines) = self {
            for line in lines.stream(label, text) {
                lines.sink.print(&line);
            }
        }
    }

    /// A log line of a task.
    pub fn log(&mut self, level: &str, message: &str) {
        if let Self::Lines(lines) = self {
            lines.sink.print(&stream_text(level, message));
        }
    }

    /// Several times a second while the execution lives, and once at its end.
    pub fn draw(&mut self, tree: &Tree, now: Timestamp) {
        if let Self::Screen(screen) = self {
            screen.draw(tree, now);
        }
    }
}

/// The redrawn form.
#[derive(Debug)]
pub struct Screen {
    sink: Sink,
    /// How many lines the last picture has.
    drawn: u16,
    frame: usize,
}

impl Screen {
    fn draw(&mut self, tree: &Tree, now: Timestamp) {
        let (width, height) = super::terminal::size();
        let lines = render(tree, now, &Canvas { width, height, frame: self.frame, colors: self.sink.has_colors() });
        self.frame = self.frame.wrapping_add(1);
        let mut output = self.sink.writer();
        let mut erase = Ok(());
        if self.drawn > 0 {
            erase = crossterm::queue!(output, MoveToPreviousLine(self.drawn));
        }
        self.drawn = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        // A terminal that went away has no reader left who could be told.
        let _ = erase
            .and_then(|()| crossterm::queue!(output, Clear(ClearType::FromCursorDown)))
            .and_then(|()| writeln!(output, "{}", lines.join("\n")))
            .and_then(|()| output.flush());
    }
}

/// Where a tree is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// Which picture of the spinner.
    pub frame: usize,
    pub colors: bool,
}

/// The lines of a tree: a heading and one line per task. What does not fit into the height gives way to a note, finished
/// tasks first.
pub fn render(tree: &Tree, now: Timestamp, canvas: &Canvas) -> Vec<String> {
    let mut lines = vec![heading(tree, now, canvas)];
    let tasks = tree.in_order();
    let room = canvas.height.saturating_sub(4).max(1);
    let mut surplus = tasks.len().saturating_sub(room);
    let mut hidden = 0_usize;
    for task in tasks {
        if surplus > 0 && task.state.is_over() {
            surplus -= 1;
            hidden += 1;
            continue;
        }
        if lines.len() > room {
            hidden += 1;
            continue;
        }
        lines.push(task_line(task, now, canvas));
        if !task.streamed.is_empty() && lines.len() <= room {
            lines.push(stream_line(task, canvas));
        }
    }
    if hidden > 0 {
        lines.push(paint(&format!("  … and {hidden} more tasks"), Tone::Quiet, canvas.colors));
    }
    lines
}

fn heading(tree: &Tree, now: Timestamp, canvas: &Canvas) -> String {
    let (mark, tone) = match tree.status {
        Status::Pending => ("…", Tone::Waiting),
        Status::Running => (spinner(canvas.frame), Tone::Busy),
        Status::Waiting => ("◷", Tone::Waiting),
        Status::Paused => ("‖", Tone::Waiting),
        Status::Succeeded => ("✓", Tone::Good),
        Status::Failed => ("✗", Tone::Bad),
        Status::Cancelled => ("■", Tone::Quiet),
    };
    let elapsed = tree.created.map_or(0, |created| tree.finished.unwrap_or(now).millis_since(created));
    let name = fit(&tree.name, canvas.width.saturating_sub(30));
    format!(
        "{} {}  {}  {}",
        paint(mark, tone, canvas.colors),
        paint(&name, Tone::Strong, canvas.colors),
        paint(tree.status.as_str(), tone, canvas.colors),
        paint(&duration(elapsed), Tone::Quiet, canvas.colors)
    )
}

fn spinner(frame: usize) -> &'static str {
    SPINNER.get(frame % SPINNER.len()).copied().unwrap_or("·")
}

fn mark(state: TaskState, frame: usize) -> (&'static str, Tone) {
    match state {
        TaskState::Running => (spinner(frame), Tone::Busy),
        TaskState::Waiting => ("◷", Tone::Waiting),
        TaskState::Retrying => ("↻", Tone::Waiting),
        TaskState::Completed => ("✓", Tone::Good),
        TaskState::Skipped => ("–", Tone::Quiet),
        TaskState::Failed => ("✗", Tone::Bad),
        TaskState::Cancelled => ("■", Tone::Quiet),
    }
}

fn task_line(task: &Task, now: Timestamp, canvas: &Canvas) -> String {
    let indent = "  ".repeat(task.depth + 1);
    let (mark, tone) = mark(task.state, canvas.frame);
    let attempt = if task.attempt > 1 { format!(" (attempt {})", task.attempt) } else { String::new() };
    let elapsed = duration(task.finished.unwrap_or(now).millis_since(task.started));
    let label = fit(&format!("{}{attempt}", task.label), canvas.width.saturating_sub(indent.len() + TIME_WIDTH));
    let used = indent.len() + 2 + label.chars().count() + 2 + TIME_WIDTH;
    let note = fit(&task.note, canvas.width.saturating_sub(used));
    let note_tone = if task.state == TaskState::Failed { Tone::Bad } else { Tone::Quiet };
    format!(
        "{indent}{} {label}  {} {}",
        paint(mark, tone, canvas.colors),
        paint(&format!("{elapsed:<TIME_WIDTH$}"), Tone::Quiet, canvas.colors),
        paint(&note, note_tone, canvas.colors)
    )
    .trim_end()
    .to_owned()
}

fn stream_line(task: &Task, canvas: &Canvas) -> String {
    let indent = "  ".repeat(task.depth + 2);
    let room = canvas.width.saturating_sub(indent.len() + 3);
    let text = task.streamed.trim_end().lines().last().unwrap_or_default();
    let surplus = text.chars().count().saturating_sub(room);
    let tail: String = text.chars().skip(surplus).collect();
    format!("{indent}{}", paint(&format!("│ {}", fit(&tail, room)), Tone::Quiet, canvas.colors))
}

/// The form with one line per event.
#[derive(Debug)]
pub struct Lines {
    sink: Sink,
    /// Streamed text that has no line break yet, by task.
    unfinished: HashMap<String, String>,
}

impl Lines {
    /// The line for an event that has been applied to the tree; `None` when people need not see it.
    pub fn describe(&mut self, tree: &Tree, event: &Event) -> Option<String> {
        let elapsed = tree.created.map_or(0, |created| event.at.millis_since(created));
        let stamp = format!("{:>5}.{:03}", elapsed / 1_000, elapsed.rem_euclid(1_000));
        let text = match &event.body {
            EventBody::ExecutionCreated(_) => format!("… {}  created", tree.name),
            EventBody::ExecutionStarted { .. } => "▶ started".to_owned(),
            EventBody::ExecutionPaused { by, reason } => {
                let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("‖ paused{}{reason}", by_whom(by.as_deref()))
            }
            EventBody::ApprovalRequested { .. } => "? more may be spent, or the execution cancelled".to_owned(),
            EventBody::ApprovalGiven { by, .. } => format!("▶ more may be spent{}", by_whom(by.as_deref())),
            EventBody::ExecutionResumed { by, .. } => format!("▶ resumed{}", by_whom(by.as_deref())),
            EventBody::ExecutionRecovered { reason, recovered_in_ms, .. } => {
                format!("↻ recovered in {recovered_in_ms} ms: {reason}")
            }
            EventBody::ExecutionCompleted { .. } => "✓ succeeded".to_owned(),
            EventBody::ExecutionFailed { error } => format!("✗ failed: {}", describe(error)),
            EventBody::ExecutionCancelled { by, reason } => {
                let reason = reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                format!("■ cancelled{}{reason}", by_whom(by.as_deref()))
            }
            EventBody::TaskStarted { .. }
            | EventBody::TaskCompleted { .. }
            | EventBody::TaskSkipped {}
            | EventBody::TaskFailed { .. }
            | EventBody::TaskRetried { .. }
            | EventBody::TaskCancelled { .. }
            | EventBody::EffectScheduled { .. }
            | EventBody::TimerSet { .. }
            | EventBody::ChildStarted { .. } => return self.task_event(tree, event, &stamp),
            EventBody::ExecutionWaiting {}
            | EventBody::EffectCompleted { .. }
            | EventBody::EffectFailed { .. }
            | EventBody::EffectWithheld { .. }
            | EventBody::TimerFired { .. }
            | EventBody::ChildFinished { .. }
            | EventBody::UsageRecorded(_) => return None,
        };
        Some(format!("{stamp}  {text}"))
    }

    fn task_event(&mut self, tree: &Tree, event: &Event, stamp: &str) -> Option<String> {
        let task = tree.task_of(event)?;
        let (mark, _) = match (&event.body, task.state) {
            (EventBody::EffectScheduled { .. } | EventBody::ChildStarted { .. }, _) => ("→", Tone::Busy),
            (_, TaskState::Running) => ("▶", Tone::Busy),
            (_, state) => mark(state, 0),
        };
        let indent = "  ".repeat(task.depth);
        let attempt = if task.attempt > 1 { format!(" (attempt {})", task.attempt) } else { String::new() };
        let took = match (task.state.is_over(), task.finished) {
            (true, Some(finished)) => format!("  {}", duration(finished.millis_since(task.started))),
            _ => String::new(),
        };
        let note = if task.note.is_empty() { String::new() } else { format!("  {}", fit(&task.note, 200)) };
        let rest = if task.state.is_over() { self.unfinished.remove(&task.label) } else { None };
        let rest = rest.filter(|text| !text.is_empty());
        let rest = rest.map(|text| format!("{}\n", stream_text(&task.label, &text))).unwrap_or_default();
        Some(format!("{rest}{stamp}  {indent}{mark} {}{attempt}{took}{note}", task.label))
    }

    /// The lines that streamed text completes.
    pub fn stream(&mut self, label: &str, text: &str) -> Vec<String> {
        let pending = self.unfinished.entry(label.to_owned()).or_default();
        pending.push_str(text);
        let Some(end) = pending.rfind('\n') else { return Vec::new() };
        let rest = pending.split_off(end + 1);
        let complete = std::mem::replace(pending, rest);
        complete.lines().map(|line| stream_text(label, line)).collect()
    }
}

fn stream_text(label: &str, text: &str) -> String {
    format!("           │ {label}: {}", fit(text, 400))
}

fn by_whom(by: Option<&str>) -> String {
    by.map(|by| format!(" by {by}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Failure, StandardType};
    use serde_json::json;

    fn event(seq: u64, path: &str, attempt: u32, body: EventBody) -> Event {
        let name = path.rsplit(':').next().unwrap_or_default();
        let at = Timestamp::from_micros(i64::try_from(seq).unwrap() * 1_000_000);
        Event { seq, at, task: Some(format!("/do/0/{name}").into()), path: Some(path.into()), attempt, body }
    }

    fn started() -> EventBody {
        serde_json::from_value(json!({ "type": "task_started", "data": {} })).unwrap()
    }

    fn failing_tree() -> Tree {
        let mut tree = Tree::new();
        tree.name = "default/check 1.0.0".to_owned();
        tree.created = Some(Timestamp::from_micros(0));
        tree.status = Status::Running;
        tree.apply(&event(1, "s0:check", 0, started()));
        tree.apply(&event(2, "s0:check/a1/s0:fetch", 1, started()));
        let error = Failure::new(StandardType::Communication, "Bad gateway", "GET http://x answered 502");
        tree.apply(&event(3, "s0:check/a1/s0:fetch", 1, EventBody::TaskFailed { error }));
        tree
    }

    fn canvas(height: usize) -> Canvas {
        Canvas { width: 100, height, frame: 0, colors: false }
    }

    #[test]
    fn the_tree_shows_state_attempt_time_and_reason() {
        let lines = render(&failing_tree(), Timestamp::from_micros(5_000_000), &canvas(30));
        assert_eq!(
            lines,
            [
                "⠋ default/check 1.0.0  running  5.0 s",
                "  ⠋ check  4.0 s",
                "    ✗ fetch (attempt 2)  1.0 s        communication: Bad gateway: GET http://x answered 502",
            ]
        );
    }

    #[test]
    fn a_tree_that_is_higher_than_the_terminal_keeps_what_is_running() {
        let mut tree = failing_tree();
        for step in 4..24 {
            let path = format!("s{step}:step{step}");
            tree.apply(&event(step * 2, &path, 0, started()));
            let done = EventBody::TaskCompleted { output: json!(1), context: None, directive: None };
            tree.apply(&event(step * 2 + 1, &path, 0, done));
        }
        tree.apply(&event(100, "s30:last", 0, started()));
        let lines = render(&tree, Timestamp::from_micros(200_000_000), &canvas(12));
        assert!(lines.len() <= 11, "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("⠋ check")), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("⠋ last")), "{lines:#?}");
        assert!(lines.last().is_some_and(|line| line.ends_with("more tasks")), "{lines:#?}");
    }

    #[test]
    fn streamed_text_is_printed_line_by_line_and_the_rest_when_the_task_ends() {
        let mut lines = Lines { sink: Sink::Output, unfinished: HashMap::new() };
        let mut tree = Tree::new();
        tree.apply(&event(1, "s0:ask", 0, started()));
        assert!(lines.stream("ask", "one ").is_empty());
        assert_eq!(lines.stream("ask", "two\nthree"), ["           │ ask: one two"]);
        let done = event(2, "s0:ask", 0, EventBody::TaskCompleted { output: json!(1), context: None, directive: None });
        tree.apply(&done);
        let text = lines.describe(&tree, &done).unwrap();
        assert_eq!(text, "           │ ask: three\n    0.000  ✓ ask  1.0 s");
    }
}
