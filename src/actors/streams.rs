//! Output while it is produced: what somebody who opens an execution in the middle of an answer still has to see.
//!
//! Not durable and bounded: only the final text is journaled.

use crate::domain::{ExecutionId, Path, Pointer};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Text kept per running task. What is longer loses its older half: who comes late wants to see what happens now.
const KEPT_BYTES: usize = 256 * 1024;
/// What is kept begins with a line where one begins within this distance.
const LINE_BYTES: usize = 4 * 1024;

/// The output of one running task so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    pub task: Pointer,
    /// The attempt that produces it; what earlier ones still say is passed over.
    pub attempt: u32,
    /// Number of the last piece in `text`.
    pub n: u64,
    pub text: String,
    /// The beginning is not kept any more.
    pub is_cut: bool,
}

/// The outputs of all running tasks.
#[derive(Debug, Default)]
pub struct Streams(Mutex<BTreeMap<(ExecutionId, Path), Stream>>);

impl Streams {
    /// Adds a piece and gives it its number: 1, 2, 3 … within the attempt. None when a later attempt is under way.
    pub fn push(&self, id: ExecutionId, path: &Path, attempt: u32, task: &Pointer, text: &str) -> Option<u64> {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = || Stream { task: Pointer::clone(task), attempt, n: 0, text: String::new(), is_cut: false };
        let stream = streams.entry((id, Path::clone(path))).or_insert_with(begin);
        if stream.attempt > attempt {
            return None;
        }
        if stream.attempt < attempt {
            *stream = begin();
        }
        stream.n += 1;
        stream.text.push_str(text);
        if stream.text.len() > KEPT_BYTES {
            let least =
                (stream.text.len() - KEPT_BYTES / 2..).find(|at| stream.text.is_char_boundary(*at)).unwrap_or(0);
            let line = stream.text.get(least..).and_then(|rest| rest.find('\n'));
            let begin = line.filter(|length| *length < LINE_BYTES).map_or(least, |length| least + length + 1);
            stream.text.drain(..begin);
            stream.is_cut = true;
        }
        Some(stream.n)
    }

    /// The attempt has ended.
    pub fn end(&self, id: ExecutionId, path: &Path, attempt: u32) {
        let mut streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, Path::clone(path));
        if streams.get(&key).is_some_and(|stream| stream.attempt == attempt) {
            streams.remove(&key);
        }
    }

    /// How many tasks have running output.
    pub fn len(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What the running tasks of an execution have produced.
    pub fn of(&self, id: ExecutionId) -> Vec<(Path, Stream)> {
        let streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tasks = streams.range((id, Path::from(""))..).take_while(|((of, _), _)| *of == id);
        tasks.map(|((_, path), stream)| (Path::clone(path), stream.clone())).collect()
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
        assert_eq!(streams.push(id, &path, 1, &task, "Hello"), Some(1));
        assert_eq!(streams.push(id, &path, 1, &task, ", you"), Some(2));
        let seen = streams.of(id);
        assert_eq!(seen.first().map(|(_, stream)| stream.text.as_str()), Some("Hello, you"));
        streams.end(id, &path, 1);
        assert!(streams.of(id).is_empty());
    }

    #[test]
    fn of_a_long_output_the_end_is_kept() {
        let (streams, id) = (Streams::default(), ExecutionId(Uuid::from_u128(1)));
        let (path, task): (Path, Pointer) = ("s0:a".into(), "/do/0/a".into());
        for round in 0..4 {
            let piece = format!("{}{round}", "ü".repeat(KEPT_BYTES / 4));
            streams.push(id, &path, 1, &task, &piece);
        }
        let (_, kept) = streams.of(id).pop().unwrap();
        assert!(kept.is_cut && kept.text.ends_with("ü3") && kept.text.len() <= KEPT_BYTES, "{}", kept.text.len());
        streams.push(id, &path, 2, &task, "anew");
        assert!(streams.of(id).iter().all(|(_, stream)| !stream.is_cut && stream.text == "anew"));
    }

    #[test]
    fn an_attempt_that_is_over_neither_adds_to_the_next_one_nor_ends_it() {
        let (streams, id) = (Streams::default(), ExecutionId(Uuid::from_u128(1)));
        let (path, task): (Path, Pointer) = ("s0:a".into(), "/do/0/a".into());
        assert_eq!(streams.push(id, &path, 1, &task, "old"), Some(1));
        assert_eq!(streams.push(id, &path, 2, &task, "new"), Some(1));
        assert_eq!(streams.push(id, &path, 1, &task, "late"), None);
        streams.end(id, &path, 1);
        let seen = streams.of(id);
        assert_eq!(seen.first().map(|(_, stream)| stream.text.as_str()), Some("new"));
        streams.end(id, &path, 2);
        assert_eq!(streams.len(), 0);
    }
}
