//! Timers: deadlines by key, and which are due. Plain data; whoever owns it arms one alarm for [`Timers::next`].
//!
//! An execution actor keeps the timers of its tasks here, the supervisor those of parked executions. Neither is the
//! truth: deadlines stand in the journal, and after a restart they are set again from there.

use crate::domain::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// Deadlines by key.
#[derive(Debug)]
pub struct Timers<K> {
    by_deadline: BTreeSet<(Timestamp, K)>,
    deadlines: HashMap<K, Timestamp>,
}

impl<K: Clone + Ord + Hash + Eq> Timers<K> {
    pub fn new() -> Self {
        Self { by_deadline: BTreeSet::new(), deadlines: HashMap::new() }
    }

    /// Sets a timer; one that was set under the same key is replaced.
    pub fn set(&mut self, key: K, deadline: Timestamp) {
        self.cancel(&key);
        self.by_deadline.insert((deadline, key.clone()));
        self.deadlines.insert(key, deadline);
    }

    pub fn cancel(&mut self, key: &K) {
        if let Some(deadline) = self.deadlines.remove(key) {
            self.by_deadline.remove(&(deadline, key.clone()));
        }
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Timestamp> {
        self.by_deadline.first().map(|(deadline, _)| *deadline)
    }

    /// Takes out what is due, earliest first.
    pub fn due(&mut self, now: Timestamp) -> Vec<K> {
        let mut due = Vec::new();
        while let Some((deadline, _)) = self.by_deadline.first()
            && *deadline <= now
            && let Some((_, key)) = self.by_deadline.pop_first()
        {
            self.deadlines.remove(&key);
            due.push(key);
        }
        due
    }
}

impl<K: Clone + Ord + Hash + Eq> Default for Timers<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_timers_come_earliest_first_and_once() {
        let at = Timestamp::from_micros;
        let mut timers = Timers::new();
        timers.set("late", at(30));
        timers.set("early", at(10));
        timers.set("moved", at(5));
        timers.set("moved", at(20));
        timers.set("gone", at(1));
        timers.cancel(&"gone");
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(20)), ["early", "moved"]);
        assert_eq!(timers.due(at(20)), [""; 0]);
        assert_eq!(timers.next(), Some(at(30)));
    }
}
