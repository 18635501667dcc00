//! What `/proc` tells about processes: which ones belong to a group, and which ones carry the mark of a tree.

use nix::unistd::Pid;
use std::path::Path;
use uuid::Uuid;

/// The environment variable that every process of a tree inherits. Its value is another one each time a command is started:
/// what ends a tree must not find the next attempt of the same effect.
pub const MARK: &str = "CALLBOARD_PROCESS_MARK";

/// One line of the process table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: Pid,
    pub group: Pid,
    /// Dead, and only waiting for its parent to take notice.
    pub is_zombie: bool,
    /// In clock ticks since the machine started; with the pid it identifies a process for good.
    pub started: u64,
}

/// Whether this machine has a process table to read. Elsewhere only process groups can be ended.
pub fn is_available() -> bool {
    Path::new("/proc/self/stat").exists()
}

/// All processes that can be seen.
pub fn processes() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| process(Pid::from_raw(entry.ok()?.file_name().to_str()?.parse().ok()?))).collect()
}

/// One process, while it exists.
pub fn process(pid: Pid) -> Option<Process> {
    parse(pid, &std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// `pid (name) state parent group …`; the name may contain anything, so the fields are counted from its closing
/// parenthesis. The start time is the 20th of them (proc(5)).
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let group = Pid::from_raw(fields.nth(1)?.parse().ok()?);
    let started = fields.nth(16)?.parse().ok()?;
    Some(Process { pid, group, is_zombie: matches!(state, "Z" | "X"), started })
}

/// The mark of the tree that a process belongs to, when it still has the environment it inherited.
pub fn mark(pid: Pid) -> Option<Uuid> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        Uuid::try_parse_ascii(value).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let stat = "42 (a) b) c) Z 1 7 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 9876 0 0";
        let expected = Process { pid: Pid::from_raw(42), group: Pid::from_raw(7), is_zombie: true, started: 9876 };
        assert_eq!(parse(Pid::from_raw(42), stat), Some(expected));
    }

    #[test]
    fn this_process_is_in_the_table() {
        assert!(processes().iter().any(|process| process.pid == Pid::this() && !process.is_zombie));
    }
}
