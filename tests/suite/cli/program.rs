//! Starts the real program and waits for it, never longer than a bound.

use crate::service::operator_key_on;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

/// No command of these tests needs nearly as long.
const LIMIT: Duration = Duration::from_secs(180);

/// What a finished program left.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Finished {
    /// Standard output as JSON lines.
    pub fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// Fails with everything the program said unless it ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// The program in a folder of its own, with nothing of the environment's settings.
pub fn program(directory: &Path) -> Command {
    isolated(Command::new(env!("CARGO_BIN_EXE_callboard")), directory)
}

/// The program, in the place of a shell that has run some commands before.
pub fn program_after(directory: &Path, before: &str) -> Command {
    if before.is_empty() {
        return program(directory);
    }
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("{before}; exec \"$0\" \"$@\"")).arg(env!("CARGO_BIN_EXE_callboard"));
    isolated(command, directory)
}

fn isolated(mut command: Command, directory: &Path) -> Command {
    command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CALLBOARD_")) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
pub fn run(directory: &Path, arguments: &[&str]) -> Finished {
    let child = program(directory).args(arguments).spawn().unwrap();
    finish(child)
}

/// Waits for a started program; one that does not end is killed and fails the test.
pub fn finish(child: Child) -> Finished {
    let pid = pid_of(&child);
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        // The receiver is gone when the test has given up.
        let _ = done.send(child.wait_with_output());
    });
    let Ok(output) = wait.recv_timeout(LIMIT) else {
        kill(pid, Signal::SIGKILL).unwrap();
        panic!("the program did not end within {LIMIT:?}");
    };
    let output = output.unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

/// A folder with files in it, deleted at the end of the test.
pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A started service on a database of its own.
pub struct Service {
    child: Option<Child>,
    // Kept open, so that the service never writes into a closed pipe.
    _stdout: BufReader<ChildStdout>,
    pub url: String,
    /// The key of an operator.
    pub key: String,
    pub directory: TempDir,
}

impl Service {
    /// Starts `callboard serve` on a free port and waits until it says where it listens.
    pub fn start(files: &[(&str, &str)]) -> Self {
        Self::start_with(files, &[])
    }

    /// With further arguments.
    pub fn start_with(files: &[(&str, &str)], arguments: &[&str]) -> Self {
        let directory = folder(files);
        let database = format!("sqlite:{}", directory.path().join("data/callboard.db").display());
        let key = operator_key_on(&database, directory.path());
        let log = fs::File::create(directory.path().join("service.log")).unwrap();
        let mut child = program(directory.path())
            .args(["serve", "--set", "server.port=0", "--set", "effects.shell.enabled=true"])
            .args(arguments)
            .stderr(log)
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                let log = fs::read_to_string(directory.path().join("service.log")).unwrap();
                panic!("the service said\n{said}\nand logged\n{log}");
            }
            said.push_str(&line);
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches(['/', '.', ',']).to_owned();
            }
        };
        Self { child: Some(child), _stdout: stdout, url, key, directory }
    }

    /// Runs a command against this service.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        let child = program(self.directory.path())
            .args(arguments)
            .env("CALLBOARD_URL", &self.url)
            .env("CALLBOARD_API_KEY", &self.key)
            .spawn()
            .unwrap();
        finish(child)
    }

    /// Asks it to stop and waits for its end.
    pub fn stop(self) -> Finished {
        self.stop_and(|_| ())
    }

    /// The same, and looks at its folder before that is deleted.
    pub fn stop_and(mut self, look: impl FnOnce(&Path)) -> Finished {
        let child = self.child.take().unwrap();
        kill(pid_of(&child), Signal::SIGTERM).unwrap();
        let finished = finish(child);
        look(self.directory.path());
        finished
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself when a test fails.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads lines of a program until one satisfies a condition; that line.
pub fn read_until(lines: &mut impl BufRead, mut is_wanted: impl FnMut(&str) -> bool) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "the program ended before it said what was waited for");
        if is_wanted(&line) {
            return line;
        }
    }
}

/// A file in a folder, as an argument.
pub fn path(folder: &TempDir, name: &str) -> PathBuf {
    folder.path().join(name)
}
