//! Admission: who holds a slot, and which execution gets the next one.
//!
//! Plain data, owned by the supervisor. A free slot goes to the tenant that holds the fewest of those that have work and are
//! below their own limit; among equals to the one that was served longest ago. Within a tenant, executions that had started
//! before and are woken (a timer, a child, a restart) come first; then pending ones by priority (9 first), oldest first
//! within a priority. So ten thousand executions of one tenant delay the only one of another by one slot, and a priority
//! orders the executions of one tenant among themselves.

use crate::domain::quota::Limits;
use crate::domain::{ExecutionId, TenantId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// How many of those that wait are named in a [`Standing`].
const SHOWN: usize = 20;

/// The queue and the slots. `T` is what is needed to start an execution that waits in it.
#[derive(Debug)]
pub struct Admission<T> {
    max_running: usize,
    max_queued: usize,
    running: usize,
    pending: usize,
    woken: usize,
    lanes: HashMap<TenantId, Lane<T>>,
    /// Kept while a tenant has no lane: there are only as many as tenants.
    limits: HashMap<TenantId, Limits>,
    /// The tenants that could take a slot, the next one first.
    ready: BTreeSet<Turn>,
    places: HashMap<ExecutionId, Place>,
    next_ticket: u64,
    next_turn: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<T> {
    Woken(ExecutionId),
    Pending(ExecutionId, T),
}

/// Why a submission is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The queue of the service.
    Service,
    /// The tenant has as many waiting executions as it may have.
    Tenant { limit: u64 },
}

/// Why the head of a tenant's queue does not run yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holdup {
    /// All slots of the service are taken.
    NoSlot,
    /// The tenant holds as many slots as it may.
    TenantLimit { limit: u64 },
    /// There is a slot for it.
    None,
}

/// How a tenant stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub tenant_id: TenantId,
    pub pending: usize,
    /// Accepted, not to be started before an instant.
    pub delayed: usize,
    /// Started executions that wait for a slot to go on.
    pub woken: usize,
    pub running: usize,
    pub limits: Limits,
    /// The first pending executions of the tenant, in the order in which they are served; at most [`SHOWN`].
    pub next: Vec<ExecutionId>,
    pub holdup: Holdup,
}

impl Standing {
    /// Of a tenant that has nothing.
    pub fn idle(tenant_id: TenantId, limits: Limits) -> Self {
        let (next, holdup) = (Vec::new(), Holdup::None);
        Self { tenant_id, pending: 0, delayed: 0, woken: 0, running: 0, limits, next, holdup }
    }
}

/// The order of turns: fewest slots first, then the longest unserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    running: usize,
    turn: u64,
    tenant: TenantId,
}

type Ticket = (Reverse<u8>, u64);

#[derive(Clone, Copy, Debug)]
struct Place {
    tenant: TenantId,
    /// Absent for one that is not due yet.
    ticket: Option<Ticket>,
}

/// What one tenant has waiting and running.
#[derive(Debug)]
struct Lane<T> {
    running: usize,
    /// Given when the tenant came and whenever it is served.
    turn: u64,
    woken: VecDeque<ExecutionId>,
    pending: BTreeMap<Ticket, (ExecutionId, T)>,
    delayed: usize,
    /// Submissions that are being stored as pending.
    reserved: usize,
}

impl<T> Admission<T> {
    /// `max_running` slots, and a queue that takes `max_queued` pending executions.
    pub fn new(max_running: usize, max_queued: usize) -> Self {
        Self {
            max_running,
            max_queued,
            running: 0,
            pending: 0,
            woken: 0,
            lanes: HashMap::new(),
            limits: HashMap::new(),
            ready: BTreeSet::new(),
            places: HashMap::new(),
            next_ticket: 0,
            next_turn: 0,
        }
    }

    /// Sets the limits of a tenant. Those that run above a lowered limit run on.
    pub fn set_limits(&mut self, tenant: TenantId, limits: Limits) {
        self.limits.insert(tenant, limits);
        if self.lanes.contains_key(&tenant) {
            self.change(tenant, |_| {});
        }
    }

    /// Why another submission of a tenant does not fit. Executions that are stored already (after a restart, children) are
    /// let in anyway.
    pub fn full(&self, tenant: TenantId) -> Option<Full> {
        let lane = self.lanes.get(&tenant);
        let limits = self.limits_of(tenant);
        if let Some(limit) = limits.max_queued_executions
            && !limits.allows_another_queued(lane.map_or(0, Lane::waiting))
        {
            return Some(Full::Tenant { limit });
        }
        let reserved: usize = self.lanes.values().map(|lane| lane.reserved).sum();
        (self.pending + reserved >= self.max_queued).then_some(Full::Service)
    }

    /// Whether a new execution of a tenant can be started at once without overtaking anybody.
    pub fn is_open(&self, tenant: TenantId) -> bool {
        let lane = self.lanes.get(&tenant);
        let has_none_waiting = lane.is_none_or(|lane| !lane.has_work());
        self.running < self.max_running
            && self.ready.is_empty()
            && has_none_waiting
            && self.limits_of(tenant).allows_another_running(lane.map_or(0, |lane| lane.running))
    }

    /// Keeps a place for a submission that is being stored.
    pub fn reserve(&mut self, tenant: TenantId) {
        self.change(tenant, |lane| lane.reserved += 1);
    }

    /// Gives the place back, before the submission is pushed.
    pub fn unreserve(&mut self, tenant: TenantId) {
        self.change(tenant, |lane| lane.reserved = lane.reserved.saturating_sub(1));
    }

    /// Appends a pending execution. One that was delayed is due.
    pub fn push(&mut self, tenant: TenantId, id: ExecutionId, priority: u8, item: T) {
        self.remove(id);
        let ticket = (Reverse(priority), self.next_ticket);
        self.next_ticket += 1;
        self.pending += 1;
        self.places.insert(id, Place { tenant, ticket: Some(ticket) });
        self.change(tenant, |lane| {
            lane.pending.insert(ticket, (id, item));
        });
    }

    /// Notes an accepted execution that is not due yet.
    pub fn delay(&mut self, tenant: TenantId, id: ExecutionId) {
        self.remove(id);
        self.places.insert(id, Place { tenant, ticket: None });
        self.change(tenant, |lane| lane.delayed += 1);
    }

    /// Appends a started execution that has something to do.
    pub fn wake(&mut self, tenant: TenantId, id: ExecutionId) {
        self.woken += 1;
        self.change(tenant, |lane| lane.woken.push_back(id));
    }

    /// Takes a pending or delayed execution out.
    pub fn remove(&mut self, id: ExecutionId) -> Option<T> {
        let Place { tenant, ticket } = self.places.remove(&id)?;
        let mut removed = None;
        self.change(tenant, |lane| match ticket {
            Some(ticket) => removed = lane.pending.remove(&ticket),
            None => lane.delayed = lane.delayed.saturating_sub(1),
        });
        if removed.is_some() {
            self.pending -= 1;
        }
        removed.map(|(_, item)| item)
    }

    /// Moves a pending execution to another priority; it keeps its age.
    pub fn reprioritize(&mut self, id: ExecutionId, priority: u8) -> bool {
        let Some(Place { tenant, ticket: Some(before) }) = self.places.get(&id).copied() else { return false };
        let ticket = (Reverse(priority), before.1);
        let Some(lane) = self.lanes.get_mut(&tenant) else { return false };
        let Some(entry) = lane.pending.remove(&before) else { return false };
        lane.pending.insert(ticket, entry);
        self.places.insert(id, Place { tenant, ticket: Some(ticket) });
        true
    }

    /// Changes what is kept for a pending execution.
    pub fn amend(&mut self, id: ExecutionId, change: impl FnOnce(&mut T)) {
        let Some(Place { tenant, ticket: Some(ticket) }) = self.places.get(&id).copied() else { return };
        let entry = self.lanes.get_mut(&tenant).and_then(|lane| lane.pending.get_mut(&ticket));
        if let Some((_, item)) = entry {
            change(item);
        }
    }

    /// Takes what comes next when there is a slot for it. Whether it takes the slot is told by [`Admission::occupy`].
    pub fn pop(&mut self) -> Option<Next<T>> {
        if self.running >= self.max_running {
            return None;
        }
        let tenant = self.ready.first()?.tenant;
        let mut next = None;
        self.change(tenant, |lane| {
            next = match lane.woken.pop_front() {
                Some(id) => Some(Next::Woken(id)),
                None => lane.pending.pop_first().map(|(_, (id, item))| Next::Pending(id, item)),
            };
        });
        match &next {
            Some(Next::Woken(_)) => self.woken -= 1,
            Some(Next::Pending(id, _)) => {
                self.places.remove(id);
                self.pending -= 1;
            }
            None => {}
        }
        next
    }

    /// A slot is taken, even when none is free: a command lets an execution run again at once.
    pub fn occupy(&mut self, tenant: TenantId) {
        self.running += 1;
        let turn = self.next_turn();
        self.change(tenant, |lane| (lane.running, lane.turn) = (lane.running + 1, turn));
    }

    /// A slot is given back.
    pub fn release(&mut self, tenant: TenantId) {
        self.running = self.running.saturating_sub(1);
        self.change(tenant, |lane| lane.running = lane.running.saturating_sub(1));
    }

    /// How many slots are taken.
    pub fn running(&self) -> usize {
        self.running
    }

    /// How many pending executions wait.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How many started executions wait to go on.
    pub fn woken(&self) -> usize {
        self.woken
    }

    /// How a tenant stands.
    pub fn standing(&self, tenant_id: TenantId) -> Standing {
        let limits = self.limits_of(tenant_id);
        let lane = self.lanes.get(&tenant_id);
        let count = |of: fn(&Lane<T>) -> usize| lane.map_or(0, of);
        let running = count(|lane| lane.running);
        let holdup = match limits.max_running_executions {
            Some(limit) if !limits.allows_another_running(running) => Holdup::TenantLimit { limit },
            Some(_) | None if self.running >= self.max_running => Holdup::NoSlot,
            Some(_) | None => Holdup::None,
        };
        Standing {
            tenant_id,
            pending: count(|lane| lane.pending.len()),
            delayed: count(|lane| lane.delayed),
            woken: count(|lane| lane.woken.len()),
            running,
            limits,
            next: lane.into_iter().flat_map(|lane| lane.pending.values()).map(|(id, _)| *id).take(SHOWN).collect(),
            holdup,
        }
    }

    /// Every tenant that has something waiting or running.
    pub fn tenants(&self) -> impl Iterator<Item = TenantId> + '_ {
        self.lanes.keys().copied()
    }

    fn limits_of(&self, tenant: TenantId) -> Limits {
        self.limits.get(&tenant).copied().unwrap_or_default()
    }

    fn next_turn(&mut self) -> u64 {
        self.next_turn += 1;
        self.next_turn
    }

    /// Changes a lane, and its place among those that are ready with it.
    fn change(&mut self, tenant: TenantId, change: impl FnOnce(&mut Lane<T>)) {
        let limits = self.limits_of(tenant);
        let turn = self.next_turn();
        let lane = self.lanes.entry(tenant).or_insert_with(|| Lane::new(turn));
        self.ready.remove(&lane.place(tenant));
        change(lane);
        if lane.has_work() && limits.allows_another_running(lane.running) {
            self.ready.insert(lane.place(tenant));
        } else if lane.is_empty() {
            self.lanes.remove(&tenant);
        }
    }
}

impl<T> Lane<T> {
    /// One that comes now is served after those that came or were served before.
    fn new(turn: u64) -> Self {
        Self { running: 0, turn, woken: VecDeque::new(), pending: BTreeMap::new(), delayed: 0, reserved: 0 }
    }

    fn place(&self, tenant: TenantId) -> Turn {
        Turn { running: self.running, turn: self.turn, tenant }
    }

    fn waiting(&self) -> usize {
        self.pending.len() + self.delayed + self.reserved
    }

    fn has_work(&self) -> bool {
        !self.woken.is_empty() || !self.pending.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.running == 0 && self.woken.is_empty() && self.waiting() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn id(n: u128) -> ExecutionId {
        ExecutionId(Uuid::from_u128(n))
    }

    fn tenant(n: u128) -> TenantId {
        TenantId(Uuid::from_u128(n))
    }

    fn limits(running: Option<u64>, queued: Option<u64>) -> Limits {
        Limits { max_running_executions: running, max_queued_executions: queued, ..Limits::default() }
    }

    fn next_id<T>(next: Next<T>) -> ExecutionId {
        match next {
            Next::Woken(id) | Next::Pending(id, _) => id,
        }
    }

    #[test]
    fn woken_first_then_priority_then_age() {
        let mut queue = Admission::new(10, 10);
        queue.push(tenant(1), id(1), 5, ());
        queue.push(tenant(1), id(2), 9, ());
        queue.push(tenant(1), id(3), 5, ());
        queue.wake(tenant(1), id(4));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).map(next_id).collect();
        assert_eq!(order, [id(4), id(2), id(1), id(3)]);
    }

    #[test]
    fn a_new_priority_keeps_the_age() {
        let mut queue = Admission::new(10, 10);
        queue.push(tenant(1), id(1), 1, ());
        queue.push(tenant(1), id(2), 7, ());
        assert!(queue.reprioritize(id(1), 7));
        assert_eq!(queue.standing(tenant(1)).next, [id(1), id(2)]);
        assert!(!queue.reprioritize(id(3), 7));
    }

    #[test]
    fn a_removed_execution_leaves_room() {
        let mut queue = Admission::new(1, 1);
        queue.push(tenant(1), id(1), 5, "seed");
        assert_eq!(queue.full(tenant(2)), Some(Full::Service));
        assert_eq!(queue.remove(id(1)), Some("seed"));
        assert_eq!(queue.full(tenant(2)), None);
        queue.reserve(tenant(1));
        assert_eq!(queue.full(tenant(2)), Some(Full::Service));
        queue.unreserve(tenant(1));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn delayed_and_reserved_ones_count_against_the_queue_of_their_tenant_only() {
        let mut queue = Admission::new(1, 100);
        queue.set_limits(tenant(1), limits(None, Some(3)));
        queue.delay(tenant(1), id(1));
        queue.push(tenant(1), id(2), 5, ());
        queue.reserve(tenant(1));
        assert_eq!(queue.full(tenant(1)), Some(Full::Tenant { limit: 3 }));
        assert_eq!(queue.full(tenant(2)), None);
        // It becomes due: it is still one.
        queue.push(tenant(1), id(1), 5, ());
        assert_eq!(queue.full(tenant(1)), Some(Full::Tenant { limit: 3 }));
        queue.set_limits(tenant(1), limits(None, Some(4)));
        assert_eq!(queue.full(tenant(1)), None);
    }

    #[test]
    fn ten_thousand_of_one_tenant_delay_the_only_one_of_another_by_one_slot() {
        let mut queue = Admission::new(1, 100_000);
        (1..=10_000).for_each(|n| queue.push(tenant(1), id(n), 9, ()));
        assert_eq!(queue.pop().map(next_id), Some(id(1)));
        queue.occupy(tenant(1));
        queue.push(tenant(2), id(20_000), 0, ());
        assert_eq!(queue.pop(), None, "the only slot is taken");
        queue.release(tenant(1));
        let first = queue.pop().map(next_id).unwrap();
        queue.occupy(if first == id(20_000) { tenant(2) } else { tenant(1) });
        queue.release(if first == id(20_000) { tenant(2) } else { tenant(1) });
        let second = queue.pop().map(next_id).unwrap();
        assert!(first == id(20_000) || second == id(20_000), "{first} {second}");
    }

    #[test]
    fn one_that_always_comes_back_does_not_starve_the_others() {
        let mut queue = Admission::new(1, 100);
        (1..=5).for_each(|n| queue.push(tenant(1), id(n), 5, ()));
        let mut served = 0;
        for round in 0..10_u128 {
            queue.push(tenant(2), id(100 + round), 5, ());
            let next = queue.pop().map(next_id).unwrap();
            let owner = if next < id(100) { tenant(1) } else { tenant(2) };
            served += usize::from(owner == tenant(1));
            queue.occupy(owner);
            queue.release(owner);
        }
        assert!(served >= 5, "served {served} times");
    }

    #[test]
    fn a_tenant_at_its_limit_holds_nobody_up_and_goes_on_when_the_limit_is_raised() {
        let mut queue = Admission::new(10, 100);
        queue.set_limits(tenant(1), limits(Some(1), None));
        (1..=3).for_each(|n| queue.push(tenant(1), id(n), 5, ()));
        assert_eq!(queue.pop().map(next_id), Some(id(1)));
        queue.occupy(tenant(1));
        assert_eq!(queue.pop(), None);
        assert_eq!(queue.standing(tenant(1)).holdup, Holdup::TenantLimit { limit: 1 });
        assert!(queue.is_open(tenant(2)) && !queue.is_open(tenant(1)));
        queue.set_limits(tenant(1), limits(Some(2), None));
        assert_eq!(queue.pop().map(next_id), Some(id(2)));
    }

    /// What happens to a queue.
    #[derive(Clone, Debug)]
    enum Move {
        Push(u128, u8),
        Wake(u128),
        Serve,
        End(usize),
        Limit(u128, Option<u64>),
    }

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let one = prop_oneof![
            5 => (0..4_u128, 0..=9_u8).prop_map(|(tenant, priority)| Move::Push(tenant, priority)),
            2 => (0..4_u128).prop_map(Move::Wake),
            6 => Just(Move::Serve),
            4 => any::<usize>().prop_map(Move::End),
            1 => (0..4_u128, prop::option::of(0..4_u64)).prop_map(|(tenant, limit)| Move::Limit(tenant, limit)),
        ];
        prop::collection::vec(one, 1..120)
    }

    proptest! {
        #[test]
        fn slots_are_shared_fairly_and_never_left_free_while_somebody_may_run(moves in moves()) {
            let mut queue: Admission<()> = Admission::new(3, 1_000);
            let mut waiting: HashMap<u128, Vec<(ExecutionId, Option<u8>)>> = HashMap::new();
            let (mut running, mut caps): (Vec<u128>, HashMap<u128, Option<u64>>) = Default::default();
            for (n, next) in moves.into_iter().enumerate() {
                let new = id(u128::try_from(n).unwrap());
                match next {
                    Move::Push(of, priority) => {
                        queue.push(tenant(of), new, priority, ());
                        waiting.entry(of).or_default().push((new, Some(priority)));
                    }
                    Move::Wake(of) => {
                        queue.wake(tenant(of), new);
                        waiting.entry(of).or_default().push((new, None));
                    }
                    Move::Limit(of, limit) => {
                        queue.set_limits(tenant(of), limits(limit, None));
                        caps.insert(of, limit);
                    }
                    Move::End(at) if !running.is_empty() => {
                        let of = running.swap_remove(at % running.len());
                        queue.release(tenant(of));
                    }
                    Move::End(_) => {}
                    Move::Serve => {
                        let held = |of: u128| running.iter().filter(|holder| **holder == of).count();
                        let may_run = |of: &u128| {
                            let cap = caps.get(of).copied().flatten().unwrap_or(u64::MAX);
                            waiting.get(of).is_some_and(|ids| !ids.is_empty()) && u64::try_from(held(*of)).unwrap() < cap
                        };
                        let candidates: Vec<u128> = (0..4).filter(may_run).collect();
                        let Some(next) = queue.pop() else {
                            prop_assert!(running.len() >= 3 || candidates.is_empty(), "a slot was left free");
                            continue;
                        };
                        let is_woken = matches!(next, Next::Woken(_));
                        let next = next_id(next);
                        let owner = (0..4).find(|of| waiting.get(of).is_some_and(|ids| ids.iter().any(|one| one.0 == next)));
                        let owner = owner.expect("it was waiting");
                        prop_assert!(running.len() < 3 && candidates.contains(&owner));
                        let fewest = candidates.iter().map(|of| held(*of)).min();
                        prop_assert_eq!(Some(held(owner)), fewest, "somebody with fewer slots was passed over");
                        let ids = waiting.get_mut(&owner).unwrap();
                        let first_of = |urgent: Option<u8>| ids.iter().find(|one| one.1 == urgent).map(|one| one.0);
                        let expected = match first_of(None) {
                            Some(woken) => Some(woken),
                            None => (0..=9).rev().find_map(|priority| first_of(Some(priority))),
                        };
                        prop_assert_eq!(Some(next), expected);
                        prop_assert_eq!(is_woken, first_of(None).is_some());
                        ids.retain(|one| one.0 != next);
                        queue.occupy(tenant(owner));
                        running.push(owner);
                    }
                }
                let left: usize = waiting.values().map(Vec::len).sum();
                prop_assert_eq!((queue.pending() + queue.woken(), queue.running()), (left, running.len()));
            }
        }

        /// With any number of others before it, a newcomer waits for at most one slot per tenant that holds as few as itself.
        #[test]
        fn a_newcomer_waits_for_one_slot_per_tenant(tenants in 1..6_u128, each in 1..50_u128, slots in 1..4_usize) {
            let mut queue = Admission::new(slots, 1_000);
            for n in 0..tenants * each {
                queue.push(tenant(n % tenants), id(n), 9, ());
            }
            let mut holders = VecDeque::new();
            let take = |queue: &mut Admission<()>| {
                let next = queue.pop().map(next_id)?;
                let owner = tenant(if next == id(9_999) { 99 } else { next.0.as_u128() % tenants });
                queue.occupy(owner);
                Some((next, owner))
            };
            while let Some((_, owner)) = take(&mut queue) {
                holders.push_back(owner);
            }
            queue.push(tenant(99), id(9_999), 0, ());
            let mut waited = 0;
            while let Some(owner) = holders.pop_front() {
                queue.release(owner);
                match take(&mut queue) {
                    Some((next, _)) if next == id(9_999) => break,
                    Some((_, owner)) => holders.push_back(owner),
                    None => break,
                }
                waited += 1;
            }
            prop_assert!(waited <= tenants, "waited for {waited} slots beside {tenants} tenants");
        }
    }
}
