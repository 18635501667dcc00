//! Processes in groups of their own: started, fed, listened to, and ended as whole trees.
//!
//! Used by `run: shell` and by agents with the `command` adapter. A tree is ended with TERM, a grace period and KILL when
//! its effect is cancelled, out of time or dropped, and what a finished command leaves running in its group is ended the
//! same way. A process that moved to a session of its own is found by the mark in its environment when the effect is
//! cancelled; it outlives a command that finished by itself.

use super::orphans::Records;
use super::tree::Tree;
use super::{EffectContext, Error, ShellOptions, procfs};
use crate::clock;
use crate::domain::{Failure, StandardType};
use nix::unistd::Pid;
use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long output is still waited for when the command is over but somebody holds its pipes open.
const DRAIN: Duration = Duration::from_millis(250);
/// Bytes per read.
const READ_BYTES: usize = 16 * 1024;
/// How much of the end of an output is kept for error messages.
const TAIL_BYTES: usize = 4 * 1024;
/// The service's own settings are nobody else's business.
const OWN_VARIABLES: [&str; 2] = ["CALLBOARD__", "CALLBOARD_SECRET_"];

/// The processes of this service.
pub struct Processes {
    options: ShellOptions,
    records: Option<Records>,
    closing: CancellationToken,
    trees: TaskTracker,
}

/// What to start.
pub struct Command {
    pub program: OsString,
    pub arguments: Vec<OsString>,
    /// Added to what is inherited.
    pub environment: Vec<(String, String)>,
    pub working_directory: Option<PathBuf>,
    /// Standard input is empty when absent.
    pub stdin: Option<Vec<u8>>,
    pub stdout: Excess,
    pub stderr: Excess,
}

/// What happens when an output gets larger than `effects.shell.output_limit_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The effect fails: the output is its result, and a part of a result is a wrong result.
    Fails,
    /// The rest is dropped.
    IsDropped,
    /// Nothing is kept at all: the listener takes what it needs and says itself when it is too much.
    IsTheListeners,
}

/// What was written to one output.
#[derive(Default)]
pub struct Captured {
    head: Vec<u8>,
    tail: Vec<u8>,
    pub dropped_bytes: usize,
}

/// A command that has ended by itself.
pub struct Finished {
    /// The exit code; 128 and the number of the signal when a signal ended it.
    pub code: i32,
    pub stdout: Captured,
    pub stderr: Captured,
}

/// Gets the pieces of an output as they come. A failure ends the command.
pub type Listener<'a> = &'a mut (dyn FnMut(&[u8]) -> Result<(), Failure> + Send);

impl Captured {
    /// The output as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// The end of the output, trimmed, for messages.
    pub fn last_words(&self) -> String {
        let bytes = if self.dropped_bytes > 0 { &self.tail } else { &self.head };
        let start = bytes.len().saturating_sub(TAIL_BYTES);
        String::from_utf8_lossy(bytes.get(start..).unwrap_or_default()).trim().to_owned()
    }

    /// Keeps a piece; `false` when it did not fit.
    fn keep(&mut self, piece: &[u8], limit: usize) -> bool {
        let (fitting, excess) = piece.split_at(piece.len().min(limit.saturating_sub(self.head.len())));
        self.head.extend_from_slice(fitting);
        self.dropped_bytes += excess.len();
        if !excess.is_empty() {
            self.tail.extend_from_slice(excess);
            let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
            self.tail.drain(..surplus);
        }
        excess.is_empty()
    }
}

impl Processes {
    pub fn new(options: ShellOptions) -> Result<Self, Error> {
        // Left-over trees are ended even when processes have been disabled meanwhile.
        let directory = options.runtime_directory.as_deref().filter(|path| options.enabled || path.exists());
        let records = directory.map(|directory| {
            Records::open(directory)
                .map_err(|source| Error::RuntimeDirectory { path: directory.display().to_string(), source })
        });
        Ok(Self {
            records: records.transpose()?,
            options,
            closing: CancellationToken::new(),
            trees: TaskTracker::new(),
        })
    }

    /// The largest output that may be a result, in bytes.
    pub fn output_limit_bytes(&self) -> usize {
        self.options.output_limit_bytes
    }

    /// Kills all recorded trees at once; blocks until they are gone.
    pub fn kill(&self) {
        if let Some(records) = &self.records {
            records.kill();
        }
    }

    /// Ends all trees and waits until they are gone.
    pub async fn close(&self) {
        self.closing.cancel();
        self.trees.close();
        self.trees.wait().await;
    }

    /// Runs a command to its end. When this returns, its process tree is gone, whatever the result.
    pub async fn run(
        &self,
        command: Command,
        context: &EffectContext,
        on_stdout: Listener<'_>,
        on_stderr: Listener<'_>,
    ) -> Result<Finished, Failure> {
        self.check_permitted()?;
        let (mut child, mut tree) = self.start(&command, context)?;
        let ended = self.attend(&mut child, &mut tree, command, context, on_stdout, on_stderr).await;
        if ended.is_err() {
            tree.end().await;
            // The leader is dead; this only takes it off the process table.
            let _status = tokio::time::timeout(DRAIN, child.wait()).await;
        }
        ended
    }

    fn check_permitted(&self) -> Result<(), Failure> {
        if !self.options.enabled {
            return Err(Failure::new(
                StandardType::Configuration,
                "Processes are disabled",
                "this service does not start processes",
            )
            .retryable(false)
            .with_suggestion("an operator can set `effects.shell.enabled = true` where definitions are trusted"));
        }
        if self.closing.is_cancelled() { Err(shutting_down()) } else { Ok(()) }
    }

    /// Waits for a reason to stop early.
    async fn interrupted(&self, context: &EffectContext) -> Failure {
        tokio::select! {
            biased;
            failure = context.interrupted() => failure,
            () = self.closing.cancelled() => shutting_down(),
        }
    }

    fn start(&self, command: &Command, context: &EffectContext) -> Result<(Child, Tree), Failure> {
        let mut builder = tokio::process::Command::new(&command.program);
        builder.args(&command.arguments);
        for (name, _) in std::env::vars_os() {
            if OWN_VARIABLES.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
                builder.env_remove(name);
            }
        }
        for (name, value) in &command.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                let detail = format!("`{}` cannot be an environment variable", name.escape_default());
                return Err(Failure::new(StandardType::Validation, "Invalid environment", detail).retryable(false));
            }
            builder.env(name, value);
        }
        builder.env("CALLBOARD_EXECUTION_ID", context.execution_id.to_string());
        builder.env("CALLBOARD_EFFECT_KEY", context.key.hyphenated().to_string());
        let mark = clock::new_id();
        builder.env(procfs::MARK, mark.hyphenated().to_string());
        if let Some(traceparent) = &context.traceparent {
            builder.env("TRACEPARENT", traceparent);
        }
        if let Some(directory) = command.working_directory.as_ref().or(self.options.working_directory.as_ref()) {
            builder.current_dir(directory);
        }
        builder.stdin(if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        builder.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);

        if let Some(records) = &self.records {
            records.add(mark).map_err(|error| not_started(command, &error))?;
        }
        let spawned = builder.spawn().map_err(|error| {
            if let Some(records) = &self.records {
                records.remove(mark);
            }
            not_started(command, &error)
        })?;
        let leader = spawned.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        let Some(group) = leader else {
            let detail = "the process ended before it had an id";
            return Err(Failure::new(StandardType::Runtime, "Command not started", detail));
        };
        let tree = Tree::new(group, mark, self.options.grace, self.records.clone(), self.trees.token());
        Ok((spawned, tree))
    }

    /// Feeds and reads until the leader has ended, then ends the rest of its group; or ends the tree when it is time to.
    async fn attend(
        &self,
        child: &mut Child,
        tree: &mut Tree,
        command: Command,
        context: &EffectContext,
        on_stdout: Listener<'_>,
        on_stderr: Listener<'_>,
    ) -> Result<Finished, Failure> {
        let limit = self.options.output_limit_bytes;
        let (mut stdout, mut stderr) = (Captured::default(), Captured::default());
        let input = child.stdin.take();
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let status: ExitStatus;
        {
            let feed = async {
                if let (Some(mut pipe), Some(text)) = (input, &command.stdin) {
                    // A command need not read its input; a broken pipe is its own affair.
                    let _unread = pipe.write_all(text).await;
                }
                Ok(())
            };
            let streams = async {
                tokio::try_join!(
                    feed,
                    read("standard output", output, &mut stdout, limit, command.stdout, on_stdout),
                    read("standard error", errors, &mut stderr, limit, command.stderr, on_stderr),
                )
            };
            tokio::pin!(streams);
            let mut are_read = false;
            status = loop {
                tokio::select! {
                    biased;
                    failure = self.interrupted(context) => {
                        // Still read: who cleans up may say so, and would be killed by a closed pipe.
                        let mut ending = std::pin::pin!(tree.end());
                        tokio::select! {
                            () = &mut ending => {}
                            _ = &mut streams, if !are_read => ending.await,
                        }
                        return Err(failure);
                    }
                    status = child.wait() => break status.map_err(|error| lost(&error))?,
                    read = &mut streams, if !are_read => {
                        read?;
                        are_read = true;
                    }
                }
            };
            tree.end_left_over().await;
            if !are_read && let Ok(read) = tokio::time::timeout(DRAIN, &mut streams).await {
                read?;
            }
        }
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1);
        Ok(Finished { code, stdout, stderr })
    }
}

async fn read(
    name: &str,
    pipe: Option<impl AsyncRead + Unpin>,
    captured: &mut Captured,
    limit: usize,
    excess: Excess,
    listener: Listener<'_>,
) -> Result<(), Failure> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let count = pipe.read(&mut buffer).await.map_err(|error| lost(&error))?;
        let piece = buffer.get(..count).unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        listener(piece)?;
        match excess {
            Excess::IsTheListeners => {}
            Excess::IsDropped => {
                captured.keep(piece, limit);
            }
            Excess::Fails => {
                if !captured.keep(piece, limit) {
                    return Err(too_large(limit, &format!("to its {name}, which is its result")));
                }
            }
        }
    }
}

/// The failure of a command that wrote more than may be a result.
pub fn too_large(limit: usize, what: &str) -> Failure {
    Failure::new(StandardType::Runtime, "Output too large", format!("the command wrote more than {limit} bytes {what}"))
        .retryable(false)
        .with_suggestion("write large results to a file, or raise `effects.shell.output_limit_bytes`")
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    let detail = format!("`{}` cannot be started: {error}", command.program.to_string_lossy());
    let failure = Failure::new(StandardType::Runtime, "Command not started", detail).retryable(false);
    if error.kind() == std::io::ErrorKind::NotFound {
        return failure.with_suggestion("check that the program is installed and that the working directory exists");
    }
    if error.kind() == std::io::ErrorKind::ArgumentListTooLong {
        return failure.with_suggestion("pass large values on standard input instead of as arguments");
    }
    failure
}

fn lost(error: &std::io::Error) -> Failure {
    Failure::new(StandardType::Runtime, "Command lost", format!("the command cannot be followed any more: {error}"))
}

fn shutting_down() -> Failure {
    Failure::new(StandardType::Runtime, "Shutting down", "the service is shutting down").retryable(true)
}
