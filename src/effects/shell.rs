//! `run: shell` (Serverless Workflow DSL 1.0.3, "Shell Process"): `sh -c command sh arguments…`.
//!
//! Standard output is watched piece by piece, standard error line by line as log lines. An output that is the result must
//! fit into `effects.shell.output_limit_bytes`; of an output that is not, the rest is dropped and a log line says so.

use super::process::{Command, Excess, Finished, Processes};
use super::text::{Decoder, Lines};
use super::{EffectContext, Observer};
use crate::domain::{Failure, LogLevel, ProcessReturn, ShellRequest, StandardType};
use serde_json::{Value, json};

/// Longer lines of standard error are logged in parts.
const LOG_LINE_BYTES: usize = 8 * 1024;

/// Performs one `run: shell`.
pub async fn perform(processes: &Processes, request: ShellRequest, context: &EffectContext) -> Result<Value, Failure> {
    let returns = request.returns;
    let command = Command {
        program: "sh".into(),
        arguments: ["-c".into(), request.command.into(), "sh".into()]
            .into_iter()
            .chain(request.arguments.into_iter().map(Into::into))
            .collect(),
        environment: request.environment,
        working_directory: None,
        stdin: request.stdin.map(String::into_bytes),
        stdout: excess(matches!(returns, ProcessReturn::Stdout | ProcessReturn::All)),
        stderr: excess(matches!(returns, ProcessReturn::Stderr | ProcessReturn::All)),
    };
    let observer = context.observer.as_ref();
    let mut decoder = Decoder::default();
    let mut errors = ErrorLines::new(observer);
    let mut on_stdout = |piece: &[u8]| {
        decoder.push(piece, &mut |text| observer.delta(text));
        Ok(())
    };
    let mut on_stderr = |piece: &[u8]| {
        errors.push(piece);
        Ok(())
    };
    let finished = processes.run(command, context, &mut on_stdout, &mut on_stderr).await;
    decoder.finish(&mut |text| observer.delta(text));
    errors.finish();
    let finished = finished?;
    report_dropped(&finished, observer);
    present(returns, &finished)
}

fn excess(is_result: bool) -> Excess {
    if is_result { Excess::Fails } else { Excess::IsDropped }
}

/// Logs standard error line by line.
pub struct ErrorLines<'a> {
    lines: Lines,
    observer: &'a dyn Observer,
}

impl<'a> ErrorLines<'a> {
    pub fn new(observer: &'a dyn Observer) -> Self {
        Self { lines: Lines::new(LOG_LINE_BYTES), observer }
    }

    pub fn push(&mut self, piece: &[u8]) {
        let observer = self.observer;
        self.lines.push(piece, &mut |line| log(observer, line));
    }

    pub fn finish(&mut self) {
        let observer = self.observer;
        self.lines.finish(&mut |line| log(observer, line));
    }
}

/// Programs write progress to standard error as often as errors: it is information until the exit code says otherwise.
fn log(observer: &dyn Observer, line: &str) {
    observer.log(LogLevel::Info, line, json!({ "stream": "stderr" }));
}

/// Says how much output was dropped, if any.
pub fn report_dropped(finished: &Finished, observer: &dyn Observer) {
    for (name, captured) in [("standard output", &finished.stdout), ("standard error", &finished.stderr)] {
        if captured.dropped_bytes > 0 {
            let message = format!("{} bytes of {name} were over the limit and dropped", captured.dropped_bytes);
            observer.log(LogLevel::Warn, &message, json!({ "dropped_bytes": captured.dropped_bytes }));
        }
    }
}

/// A code other than 0 is an error unless the definition asked for what tells about it.
fn present(returns: ProcessReturn, finished: &Finished) -> Result<Value, Failure> {
    match returns {
        ProcessReturn::Code => Ok(Value::from(finished.code)),
        ProcessReturn::Stderr => Ok(Value::String(without_line_end(finished.stderr.text()))),
        ProcessReturn::All => Ok(json!({
            "code": finished.code,
            "stdout": finished.stdout.text(),
            "stderr": finished.stderr.text(),
        })),
        ProcessReturn::Stdout | ProcessReturn::None if finished.code != 0 => Err(exit_failure(finished)),
        ProcessReturn::Stdout => Ok(Value::String(without_line_end(finished.stdout.text()))),
        ProcessReturn::None => Ok(Value::Null),
    }
}

fn without_line_end(mut text: String) -> String {
    text.truncate(text.trim_end_matches(['\n', '\r']).len());
    text
}

/// A `runtime` failure with the exit code and the ends of standard error and of standard output.
pub fn exit_failure(finished: &Finished) -> Failure {
    let code = finished.code;
    let detail = match finished.stderr.last_words() {
        words if words.is_empty() => {
            format!("the command ended with exit code {code} and wrote nothing to standard error")
        }
        words => words,
    };
    let title = format!("Command failed with exit code {code}");
    let failure = Failure::new(StandardType::Runtime, title, detail).with_output(finished.stdout.last_words());
    match code {
        126 => failure.with_suggestion("the file was found but may not be executed: check its permissions"),
        127 => failure.with_suggestion("the command was not found: check its name and the PATH of the service"),
        137 => failure.with_suggestion("the command was killed, often because the machine ran out of memory"),
        _ => failure,
    }
}
