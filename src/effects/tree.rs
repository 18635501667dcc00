//! A process tree and its end: TERM, a grace period, KILL, and the certainty that nothing is left.

use super::orphans::Records;
use super::procfs;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio_util::task::task_tracker::TaskTrackerToken;
use uuid::Uuid;

/// When the process table is read again while a tree is ending: soon at first, then less and less often.
const FIRST_POLL: Duration = Duration::from_millis(5);
const LONGEST_POLL: Duration = Duration::from_millis(100);
/// How long killed processes may take to disappear; only a hanging kernel call takes that long.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Owns the processes of one command. Dropping it ends them in the background.
pub struct Tree {
    members: Option<Members>,
}

/// What identifies the processes of one tree.
struct Members {
    /// The group, which has the id of the process that was started.
    group: Pid,
    /// The mark in the environment of every process.
    mark: Uuid,
    grace: Duration,
    records: Option<Records>,
    /// Keeps the service from closing while the tree is there.
    _token: TaskTrackerToken,
}

/// How far the end reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The group only.
    Group,
    /// The processes that left the group, too.
    Everything,
}

impl Tree {
    pub fn new(group: Pid, mark: Uuid, grace: Duration, records: Option<Records>, token: TaskTrackerToken) -> Self {
        Self { members: Some(Members { group, mark, grace, records, _token: token }) }
    }

    /// Ends the whole tree and returns when it is gone.
    pub async fn end(&mut self) {
        self.end_reaching(Reach::Everything).await;
    }

    /// Ends what a finished command has left in its group. Nearly always nothing, which costs one system call.
    pub async fn end_left_over(&mut self) {
        let is_empty = self.members.as_ref().is_none_or(|members| killpg(members.group, None).is_err());
        if is_empty {
            if let Some(members) = self.members.take() {
                members.forget();
            }
        } else {
            self.end_reaching(Reach::Group).await;
        }
    }

    async fn end_reaching(&mut self, reach: Reach) {
        if let Some(ended) = self.end_in_background(reach) {
            // The thread is gone when it panicked, and the processes with it as far as they could be found.
            let _ended = ended.await;
        }
    }

    /// On a thread of its own: it has to go on when the runtime or the future that owned the tree is gone.
    fn end_in_background(&mut self, reach: Reach) -> Option<oneshot::Receiver<()>> {
        let members = self.members.take()?;
        let group = members.group;
        let (tell, ended) = oneshot::channel();
        let thread = std::thread::Builder::new().name("end-process-tree".to_owned());
        let spawned = thread.spawn(move || {
            members.end(reach);
            // Nobody waits when the tree was dropped.
            let _nobody_waits = tell.send(());
        });
        if let Err(error) = spawned {
            tracing::error!(%error, %group, "no thread to end a process tree gently: killing its group at once");
            let _already_gone = killpg(group, Signal::SIGKILL);
        }
        Some(ended)
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // Not waited for: a destructor must not block.
        let _in_background = self.end_in_background(Reach::Everything);
    }
}

impl Members {
    fn forget(&self) {
        if let Some(records) = &self.records {
            records.remove(self.mark);
        }
    }

    fn end(self, reach: Reach) {
        let gone = self.signal_until_gone(Signal::SIGTERM, reach, self.grace)
            || self.signal_until_gone(Signal::SIGKILL, reach, KILL_LIMIT);
        if gone {
            self.forget();
        } else {
            tracing::error!(group = %self.group, mark = %self.mark, "a process tree does not end, not even killed");
        }
    }

    /// Sends a signal to every living member, newcomers included, until none is left or the time is over.
    fn signal_until_gone(&self, signal: Signal, reach: Reach, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut signaled: Vec<Pid> = Vec::new();
        let mut pause = FIRST_POLL;
        loop {
            let living = self.living(reach);
            if living.is_empty() {
                return true;
            }
            for process in living {
                if signal == Signal::SIGKILL || !signaled.contains(&process) {
                    // It may be gone by now; the next look at the table will tell.
                    let _already_gone = kill(process, signal);
                    signaled.push(process);
                }
            }
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                return false;
            }
            std::thread::sleep(pause.min(remaining));
            pause = (pause * 2).min(LONGEST_POLL);
        }
    }

    fn living(&self, reach: Reach) -> Vec<Pid> {
        if !procfs::is_available() {
            // A negative id addresses the group.
            let whole_group = Pid::from_raw(-self.group.as_raw());
            return if killpg(self.group, None).is_ok() { vec![whole_group] } else { Vec::new() };
        }
        let is_member = |process: &procfs::Process| {
            process.group == self.group || (reach == Reach::Everything && procfs::mark(process.pid) == Some(self.mark))
        };
        let living = procfs::processes().into_iter().filter(|process| !process.is_zombie && is_member(process));
        living.map(|process| process.pid).collect()
    }
}
