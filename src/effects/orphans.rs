//! Process trees that outlived their service.
//!
//! A service that is killed cannot end its processes. It writes a small record before it starts one, named after the mark
//! that the whole tree carries in its environment; the next service on the same directory ends whatever still carries the
//! mark of a left-over record, before it performs any effect itself. Because the mark is looked for, and not a process id,
//! no unrelated process can be hit.

use super::procfs;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// How often the table is read again for processes that were forked meanwhile.
const SWEEPS: u32 = 100;
const BETWEEN_SWEEPS: Duration = Duration::from_millis(10);

/// The records of the running trees.
#[derive(Clone, Debug)]
pub struct Records {
    directory: PathBuf,
    /// Who writes them: pid and start time of this service.
    owner: String,
}

impl Records {
    /// Uses (and creates) a directory, and ends the trees of dead services that are recorded in it.
    pub fn open(runtime_directory: &Path) -> io::Result<Self> {
        let directory = runtime_directory.to_owned();
        std::fs::create_dir_all(&directory)?;
        sweep(&directory)?;
        let owner = procfs::process(Pid::this()).map_or_else(String::new, |process| owner(&process));
        Ok(Self { directory, owner })
    }

    /// To be called before the first process of a tree is started.
    pub fn add(&self, mark: Uuid) -> io::Result<()> {
        // In one step: a record without its owner looks like one of a dead service to another that starts now.
        let unfinished = self.directory.join(format!("{}.new", mark.hyphenated()));
        std::fs::write(&unfinished, &self.owner)?;
        std::fs::rename(unfinished, self.path(mark))
    }

    /// To be called when no process of the tree is left.
    pub fn remove(&self, mark: Uuid) {
        if let Err(error) = std::fs::remove_file(self.path(mark)) {
            tracing::debug!(%mark, %error, "the record of a process tree is gone already");
        }
    }

    /// Kills the trees that this service has recorded.
    pub fn kill(&self) {
        let own = recorded(&self.directory, |owner| owner == self.owner).unwrap_or_default();
        kill_all(&own);
    }

    fn path(&self, mark: Uuid) -> PathBuf {
        self.directory.join(mark.hyphenated().to_string())
    }
}

fn owner(process: &procfs::Process) -> String {
    format!("{} {}", process.pid, process.started)
}

fn is_running(owner_text: &str) -> bool {
    let pid = owner_text.split(' ').next().and_then(|pid| pid.parse().ok());
    pid.and_then(|pid| procfs::process(Pid::from_raw(pid)))
        .is_some_and(|process| !process.is_zombie && owner(&process) == owner_text)
}

/// The marks of the records whose owner fits.
fn recorded(directory: &Path, is_wanted: impl Fn(&str) -> bool) -> io::Result<HashSet<Uuid>> {
    let mut marks = HashSet::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let mark = path.file_name().and_then(|name| name.to_str()).and_then(|name| Uuid::parse_str(name).ok());
        let Some(mark) = mark else { continue };
        if is_wanted(&std::fs::read_to_string(&path).unwrap_or_default()) {
            marks.insert(mark);
        }
    }
    Ok(marks)
}

/// Kills every process that carries one of the marks, newcomers included; how many there were.
fn kill_all(marks: &HashSet<Uuid>) -> usize {
    let mut ended = HashSet::new();
    for _ in 0..SWEEPS {
        let found: Vec<_> = procfs::processes().into_iter().filter(|process| is_left_over(process, marks)).collect();
        if found.is_empty() {
            break;
        }
        for process in &found {
            // It may be gone by now; the next look at the table will tell.
            let _already_gone = kill(process.pid, Signal::SIGKILL);
            ended.insert(process.pid);
        }
        std::thread::sleep(BETWEEN_SWEEPS);
    }
    ended.len()
}

fn sweep(directory: &Path) -> io::Result<()> {
    let left_over = recorded(directory, |owner| !is_running(owner))?;
    if left_over.is_empty() {
        return Ok(());
    }
    let ended = kill_all(&left_over);
    if ended > 0 {
        tracing::warn!(processes = ended, "ended processes that a killed service had left behind");
    }
    for mark in left_over {
        std::fs::remove_file(directory.join(mark.hyphenated().to_string()))?;
    }
    Ok(())
}

fn is_left_over(process: &procfs::Process, marks: &HashSet<Uuid>) -> bool {
    !process.is_zombie && procfs::mark(process.pid).is_some_and(|mark| marks.contains(&mark))
}
