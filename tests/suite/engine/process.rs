//! The real program in a process of its own, which can be killed and started again on the same database.

use crate::cli::program::{pid_of, program_after as program};
use crate::service::{Client, Database, operator_key_on};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::process::{Child, ChildStdout, ExitStatus};
use std::sync::mpsc;
use tempfile::TempDir;

/// A service that may be down.
pub struct Process {
    directory: TempDir,
    url: String,
    settings: Vec<String>,
    /// Shell commands that run before the program takes the shell's place.
    before: &'static str,
    client: Client,
    /// With its output, which is kept open so that the service never writes into a closed pipe.
    running: Option<(Child, BufReader<ChildStdout>)>,
}

impl Process {
    /// Starts `callboard serve` on a database of its own and a free port.
    pub fn start(database: Database, settings: &[&str]) -> Self {
        Self::start_after("", database, settings)
    }

    /// As [`Process::start`], after shell commands that prepare the process.
    pub fn start_after(before: &'static str, database: Database, settings: &[&str]) -> Self {
        let directory = TempDir::new().expect("a folder");
        let url = match database {
            Database::Sqlite => format!("sqlite:{}", directory.path().join("callboard.db").display()),
            Database::Postgres => crate::postgres::database(),
        };
        Self::on_after(before, directory, url, settings)
    }

    /// Starts it on a database that is there, in a folder with whatever else belongs to it.
    pub fn on(directory: TempDir, url: String, settings: &[&str]) -> Self {
        Self::on_after("", directory, url, settings)
    }

    fn on_after(before: &'static str, directory: TempDir, url: String, settings: &[&str]) -> Self {
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let mut process = Self { directory, url, settings, before, client: Client::new(String::new()), running: None };
        let key = operator_key_on(&process.url, process.directory.path());
        process.client = process.client.with_key(&key);
        process.resume(&[]);
        process
    }

    /// Starts it again with more settings.
    pub fn resume(&mut self, more: &[&str]) {
        assert!(self.running.is_none(), "it still runs");
        let log = File::options().create(true).append(true).open(self.directory.path().join("service.log"));
        let mut command = program(self.directory.path(), self.before);
        command.args(["serve", "--set", "server.port=0", "--set"]).arg(format!("store.url={}", self.url));
        for setting in self.settings.iter().map(String::as_str).chain(more.iter().copied()) {
            command.args(["--set", setting]);
        }
        let mut child = command.stderr(log.expect("a log")).spawn().expect("the program");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let url = loop {
            let mut line = String::new();
            assert_ne!(stdout.read_line(&mut line).expect("text"), 0, "the service does not start:\n{}", self.log());
            if let Some(address) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                break address.trim_end_matches(['/', '.', ',']).to_owned();
            }
        };
        self.client.url = url;
        self.running = Some((child, stdout));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }

    pub fn signal(&self, signal: Signal) {
        let (child, _) = self.running.as_ref().expect("it runs");
        kill(pid_of(child), signal).expect("a signal");
    }

    pub fn pid(&self) -> Pid {
        let (child, _) = self.running.as_ref().expect("it runs");
        pid_of(child)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let (mut child, _stdout) = self.running.take().expect("it runs");
        let pid = pid_of(&child);
        let (done, ended) = mpsc::channel();
        std::thread::spawn(move || done.send(child.wait()));
        let Ok(status) = ended.recv_timeout(super::LIMIT) else {
            kill(pid, Signal::SIGKILL).expect("a signal");
            panic!("the service does not end:\n{}", self.log());
        };
        status.expect("an end")
    }

    /// Where its database is.
    pub fn store_url(&self) -> &str {
        &self.url
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("service.log")).unwrap_or_default()
    }
}

impl Deref for Process {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some((mut child, _)) = self.running.take() {
            // It may have ended by itself when a test fails.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
