//! Gates: shell tasks that a test lets end when it wants, and that leave a mark each time they run.

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::Read;
use std::path::PathBuf;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A folder of gates.
pub struct Gates(TempDir);

impl Gates {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    /// A task that says that it runs, and ends when its gate is opened.
    pub fn task(&self, name: &str) -> Value {
        let (gate, done, runs) = (self.pipe(name), self.pipe(&format!("{name}.done")), self.runs_file(name));
        let command = format!("echo run >> {}; cat {}; echo done > {}", runs.display(), gate.display(), done.display());
        json!({ name: { "run": { "shell": { "command": command } } } })
    }

    /// A task that says that it runs, and ends.
    pub fn mark(&self, name: &str) -> Value {
        json!({ name: { "run": { "shell": { "command": format!("echo run >> {}", self.runs_file(name).display()) } } } })
    }

    /// Waits until the task runs and lets it end.
    pub async fn open(&self, name: &str) {
        let (gate, done) = (self.0.path().join(name), self.0.path().join(format!("{name}.done")));
        let opened = on_a_thread(move || {
            drop(File::options().write(true).open(gate)?);
            fs::read(done)
        });
        assert_eq!(opened.await.expect("a gate"), b"done\n");
    }

    /// Waits until the task runs.
    pub async fn reached(&self, name: &str) {
        while self.runs(name) < 1 {
            tokio::task::yield_now().await;
        }
    }

    /// How often the task has run.
    pub fn runs(&self, name: &str) -> usize {
        fs::read_to_string(self.runs_file(name)).unwrap_or_default().lines().count()
    }

    /// A pipe that a command may write to.
    pub fn pipe(&self, name: &str) -> PathBuf {
        let pipe = self.0.path().join(name);
        if !pipe.exists() {
            mkfifo(&pipe, Mode::S_IRUSR | Mode::S_IWUSR).expect("a pipe");
        }
        pipe
    }

    fn runs_file(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("{name}.runs"))
    }
}

/// Opens a pipe and reads its first line, which a command writes when it runs.
pub async fn first_line(pipe: PathBuf) -> File {
    let read = move || {
        let mut pipe = File::open(pipe)?;
        let mut byte = [0];
        while pipe.read(&mut byte)? == 1 && byte != *b"\n" {}
        Ok::<File, std::io::Error>(pipe)
    };
    on_a_thread(read).await.expect("a line")
}

/// Resolves when no process has the pipe open for writing any more.
pub async fn closed(mut pipe: File) {
    on_a_thread(move || std::io::copy(&mut pipe, &mut std::io::sink())).await.expect("an end");
}

/// Waits for a pipe on a thread that belongs to no runtime: the end of a test that fails does not wait for it.
async fn on_a_thread<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waited) = oneshot::channel();
    std::thread::spawn(move || {
        // The receiver is gone when the test has failed meanwhile.
        let _ = done.send(wait());
    });
    waited.await.expect("no panic")
}
