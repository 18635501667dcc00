//! Output while it is produced: what somebody who opens an execution in the middle of an answer still has to see.
//!
//! Not durable and bounded: only the final text is journaled.

use crate::domain::{ExecutionId, Path, Pointer};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

/// Text kept per running task; later pieces still reach those who watch.
const KEPT_BYTES: usize = 256 * 1024;

/// The output of one running task so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    pub task: Pointer,
    /// Number of the last piece in `text`.
    pub n: u64,
    pub text: String,
}

/// The outputs of all running tasks.
#[derive(Debug, Default)]
pub struct Streams(Mutex<HashMap<ExecutionId, BTreeMap<Path, Stream>>>);

impl Streams {
    /// Adds a piece and gives it its number: 1, 2, 3 … within the task's run.
    pub fn push(&self, id: ExecutionId, path: &Path, task: &Pointer, text: &str) -> u64 {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = streams.entry(id).or_default().entry(Path::clone(path)).or_insert_with(|| Stream {
            task: Pointer::clone(task),
            n: 0,
            text: String::new(),
        });
        stream.n += 1;
        if stream.text.len() + text.len() <= KEPT_BYTES {
            stream.text.push_str(text);
        }
        stream.n
    }

    /// The task has ended.
    pub fn end(&self, id: ExecutionId, path: &Path) {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tasks) = streams.get_mut(&id) {
            tasks.remove(path);
            if tasks.is_empty() {
                streams.remove(&id);
            }
        }
    }

    /// What the running tasks of an execution have produced.
    pub fn of(&self, id: ExecutionId) -> Vec<(Path, Stream)> {
        let streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        streams
            .get(&id)
            .map(|tasks| tasks.iter().map(|(path, stream)| (Path::clone(path), stream.clone())).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn pieces_are_numbered_and_gone_at_the_end() {
        let (streams, id) = (Streams::default(), ExecutionId(Uuid::from_u128(1)));
        let (path, task): (Path, Pointer) = ("s0:a".into(), "/do/0/a".into());
        assert_eq!(streams.push(id, &path, &task, "Hello"), 1);
        assert_eq!(streams.push(id, &path, &task, ", you"), 2);
        let seen = streams.of(id);
        assert_eq!(seen.first().map(|(_, stream)| stream.text.as_str()), Some("Hello, you"));
        streams.end(id, &path);
        assert!(streams.of(id).is_empty());
    }
}
