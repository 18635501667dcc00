//! Admission: which accepted execution runs next.
//!
//! Plain data, owned by the supervisor. Executions that had started before and are woken (a timer, a child, a restart)
//! come first; then pending ones by priority (9 first), oldest first within a priority.

use crate::domain::ExecutionId;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The queue. `T` is what is needed to start an execution that waits in it.
#[derive(Debug)]
pub struct Admission<T> {
    limit: usize,
    woken: VecDeque<ExecutionId>,
    pending: BTreeMap<(Reverse<u8>, u64), (ExecutionId, T)>,
    places: HashMap<ExecutionId, (Reverse<u8>, u64)>,
    next_ticket: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    Woken(ExecutionId),
    Pending(ExecutionId, T),
}

impl<T> Admission<T> {
    /// A queue that takes `limit` pending executions.
    pub fn new(limit: usize) -> Self {
        Self { limit, woken: VecDeque::new(), pending: BTreeMap::new(), places: HashMap::new(), next_ticket: 0 }
    }

    /// Whether another submission fits beside `reserved` ones that are about to be pushed. Executions that are stored
    /// already (after a restart, children) are let in anyway.
    pub fn has_room(&self, reserved: usize) -> bool {
        self.pending.len() + reserved < self.limit
    }

    /// How many pending executions wait.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many started executions wait to go on.
    pub fn woken(&self) -> usize {
        self.woken.len()
    }

    /// How many pending executions wait at each priority, 0 to 9.
    pub fn depth_by_priority(&self) -> [usize; 10] {
        let mut depths = [0; 10];
        for (Reverse(priority), _) in self.pending.keys() {
            if let Some(depth) = depths.get_mut(usize::from(*priority)) {
                *depth += 1;
            }
        }
        depths
    }

    /// The pending execution that is next.
    pub fn head(&self) -> Option<ExecutionId> {
        self.pending.first_key_value().map(|(_, (id, _))| *id)
    }

    /// Appends a pending execution.
    pub fn push(&mut self, id: ExecutionId, priority: u8, item: T) {
        let place = (Reverse(priority), self.next_ticket);
        self.next_ticket += 1;
        self.places.insert(id, place);
        self.pending.insert(place, (id, item));
    }

    /// Appends a started execution that has something to do.
    pub fn wake(&mut self, id: ExecutionId) {
        self.woken.push_back(id);
    }

    /// Takes a pending execution out.
    pub fn remove(&mut self, id: ExecutionId) -> Option<T> {
        let place = self.places.remove(&id)?;
        self.pending.remove(&place).map(|(_, item)| item)
    }

    /// Moves a pending execution to another priority; it keeps its age.
    pub fn reprioritize(&mut self, id: ExecutionId, priority: u8) -> bool {
        let Some(place) = self.places.get(&id).copied() else { return false };
        let Some(entry) = self.pending.remove(&place) else { return false };
        let place = (Reverse(priority), place.1);
        self.places.insert(id, place);
        self.pending.insert(place, entry);
        true
    }

    /// Changes what is kept for a pending execution.
    pub fn amend(&mut self, id: ExecutionId, change: impl FnOnce(&mut T)) {
        let entry = self.places.get(&id).and_then(|place| self.pending.get_mut(place));
        if let Some((_, item)) = entry {
            change(item);
        }
    }

    /// Takes what comes next.
    pub fn pop(&mut self) -> Option<Next<T>> {
        if let Some(id) = self.woken.pop_front() {
            return Some(Next::Woken(id));
        }
        let (_, (id, item)) = self.pending.pop_first()?;
        self.places.remove(&id);
        Some(Next::Pending(id, item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(n: u128) -> ExecutionId {
        ExecutionId(Uuid::from_u128(n))
    }

    #[test]
    fn woken_first_then_priority_then_age() {
        let mut queue = Admission::new(10);
        queue.push(id(1), 5, ());
        queue.push(id(2), 9, ());
        queue.push(id(3), 5, ());
        queue.wake(id(4));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|next| match next {
                Next::Woken(id) | Next::Pending(id, ()) => id,
            })
            .collect();
        assert_eq!(order, [id(4), id(2), id(1), id(3)]);
    }

    #[test]
    fn a_new_priority_keeps_the_age() {
        let mut queue = Admission::new(10);
        queue.push(id(1), 1, ());
        queue.push(id(2), 7, ());
        assert!(queue.reprioritize(id(1), 7));
        assert_eq!(queue.head(), Some(id(1)));
        assert_eq!(queue.depth_by_priority()[7], 2);
        assert!(!queue.reprioritize(id(3), 7));
    }

    #[test]
    fn a_removed_execution_leaves_room() {
        let mut queue = Admission::new(1);
        queue.push(id(1), 5, "seed");
        assert!(!queue.has_room(0));
        assert_eq!(queue.remove(id(1)), Some("seed"));
        assert!(queue.has_room(0) && !queue.has_room(1));
        assert_eq!(queue.pop(), None);
    }
}
