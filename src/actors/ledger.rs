//! The ledger: what may still be spent on model calls. A call reserves what it may come to use, and settles what it has used.
//!
//! One account per tree of executions and one per tenant and month, shared by everything that spends from them, and read
//! back from the usage records when they are first asked for. Nothing here is durable: what calls have used is journaled by
//! the executions, and a reservation that a crash ends is repeated with its call.

use super::services::READ_PAUSE;
use crate::domain::quota::{Bound, Breach, Budget, Limits, Spending};
use crate::domain::{EventBody, ExecutionId, Status, TenantId, Timestamp};
use crate::store::{self, Store};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Accounts kept before those that nobody spends from are dropped; they are read again when they are asked for.
const CAPACITY: usize = 10_000;

/// All accounts.
pub struct Ledger {
    store: Store,
    books: Mutex<Books>,
    /// Something was settled: who waits for it looks again.
    settled: Notify,
}

#[derive(Default)]
struct Books {
    trees: HashMap<ExecutionId, Tree>,
    /// Trees that are being read from the store.
    opening: HashMap<ExecutionId, Opening>,
    tenants: HashMap<TenantId, Month>,
}

#[derive(Default)]
struct Opening {
    readers: usize,
    /// What the root has said of itself meanwhile: it is newer than what is read.
    said: Option<(Budget, Option<Breach>)>,
}

/// Spent, and reserved by calls that are under way.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    spent: Spending,
    reserved: Spending,
}

struct Tree {
    account: Account,
    budget: Budget,
    /// The time of the execution at the top is over: nothing below it begins a call.
    halt: Option<Breach>,
}

struct Month {
    begin: Timestamp,
    account: Account,
}

/// Who spends.
#[derive(Clone, Copy, Debug)]
pub struct Payer {
    pub tenant: TenantId,
    /// The execution at the top of the tree.
    pub root: ExecutionId,
}

/// Why a right to spend is not given.
#[derive(Debug)]
pub enum Withheld {
    /// The limit that would be exceeded.
    Breach(Breach),
    /// What may be spent cannot be read, and waiting does not help: nothing is spent then.
    Unread(store::Error),
}

/// A right to spend. What was not settled when it is dropped was not spent.
pub struct Reservation {
    ledger: Arc<Ledger>,
    payer: Payer,
    estimate: Spending,
    spent: Option<Spending>,
}

/// How a wish to spend stands.
enum Verdict {
    Granted,
    /// It may fit once calls that are under way have ended.
    Later,
    Refused(Breach),
    /// Its account was dropped since it was read.
    Unknown,
}

impl Ledger {
    pub fn new(store: Store) -> Arc<Self> {
        Arc::new(Self { store, books: Mutex::default(), settled: Notify::new() })
    }

    /// Reserves what a call may come to use. Waits while only reservations of others are in the way, which may turn out smaller,
    /// and while the store is away.
    ///
    /// # Errors
    /// See [`Withheld`].
    pub async fn reserve(
        self: &Arc<Self>,
        payer: Payer,
        estimate: Spending,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Reservation, Withheld> {
        let begin = month_of(now);
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            self.open(payer, begin).await.map_err(Withheld::Unread)?;
            match self.decide(payer, estimate, limits) {
                Verdict::Granted => return Ok(Reservation { ledger: Arc::clone(self), payer, estimate, spent: None }),
                Verdict::Refused(breach) => return Err(Withheld::Breach(breach)),
                Verdict::Later => settled.await,
                Verdict::Unknown => {}
            }
        }
    }

    /// An execution begins that is the top of its tree: it has spent nothing, so nothing needs to be read.
    pub fn begin(&self, root: ExecutionId, budget: Budget) {
        let mut books = self.lock();
        books.make_room();
        books.trees.entry(root).or_insert(Tree { account: Account::default(), budget, halt: None });
    }

    /// What the tree of a root may spend, and whether its time is over.
    pub fn update(&self, root: ExecutionId, budget: Budget, halt: Option<&Breach>) {
        let mut books = self.lock();
        if let Some(tree) = books.trees.get_mut(&root) {
            (tree.budget, tree.halt) = (budget, halt.cloned());
        } else if let Some(opening) = books.opening.get_mut(&root) {
            opening.said = Some((budget, halt.cloned()));
        }
        drop(books);
        self.settled.notify_waiters();
    }

    /// What the calls that are under way in a tree may come to use.
    pub fn reserved(&self, root: ExecutionId) -> Spending {
        self.lock().trees.get(&root).map_or(Spending::default(), |tree| tree.account.reserved)
    }

    /// A root has ended. What may still run below it finds the account again in the store.
    pub fn forget(&self, root: ExecutionId) {
        let mut books = self.lock();
        if books.trees.get(&root).is_some_and(|tree| tree.account.reserved.calls == 0) {
            books.trees.remove(&root);
        }
    }

    /// Makes sure that both accounts are in the books.
    async fn open(&self, payer: Payer, begin: Timestamp) -> Result<(), store::Error> {
        let Payer { tenant, root } = payer;
        if !self.lock().trees.contains_key(&root) {
            let opened = Opened::begin(self, root);
            let store::Account { budget, spent } = again(|| self.store.account(tenant, root)).await?;
            let halt = match budget.max_wall_seconds {
                Some(_) => again(|| halt_of(&self.store, tenant, root)).await?,
                None => None,
            };
            opened.finish(Account { spent, ..Account::default() }, budget, halt);
        }
        let is_open = |books: &Books| books.tenants.get(&tenant).is_some_and(|month| month.begin == begin);
        if !is_open(&self.lock()) {
            let spent = again(|| self.store.spent_since(tenant, begin)).await?;
            let mut books = self.lock();
            if !is_open(&books) {
                let reserved = books.tenants.get(&tenant).map_or(Spending::default(), |month| month.account.reserved);
                books.tenants.insert(tenant, Month { begin, account: Account { spent, reserved } });
            }
        }
        Ok(())
    }

    fn decide(&self, payer: Payer, estimate: Spending, limits: Limits) -> Verdict {
        let mut books = self.lock();
        let Books { trees, tenants, .. } = &mut *books;
        let (Some(tree), Some(month)) = (trees.get_mut(&payer.root), tenants.get_mut(&payer.tenant)) else {
            return Verdict::Unknown;
        };
        if let Some(breach) = &tree.halt {
            return Verdict::Refused(breach.clone());
        }
        let verdicts = [
            tree.account.fits(estimate, tree.budget, Period::Execution),
            month.account.fits(
                estimate,
                Budget {
                    max_tokens: limits.max_tokens_per_month,
                    max_cost_usd: limits.max_cost_per_month,
                    ..Budget::default()
                },
                Period::Month,
            ),
        ];
        for verdict in verdicts {
            match verdict {
                Verdict::Granted => {}
                Verdict::Later | Verdict::Refused(_) | Verdict::Unknown => return verdict,
            }
        }
        tree.account.reserved = tree.account.reserved.plus(estimate);
        month.account.reserved = month.account.reserved.plus(estimate);
        Verdict::Granted
    }

    fn settle(&self, payer: Payer, estimate: Spending, spent: Spending) {
        let mut books = self.lock();
        if let Some(tree) = books.trees.get_mut(&payer.root) {
            tree.account.settle(estimate, spent);
        }
        if let Some(month) = books.tenants.get_mut(&payer.tenant) {
            month.account.settle(estimate, spent);
        }
        drop(books);
        self.settled.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A tree that is being read.
struct Opened<'a> {
    ledger: &'a Ledger,
    root: ExecutionId,
}

impl<'a> Opened<'a> {
    fn begin(ledger: &'a Ledger, root: ExecutionId) -> Self {
        ledger.lock().opening.entry(root).or_default().readers += 1;
        Self { ledger, root }
    }

    /// Puts what was read into the books, unless it is there or the root has said something newer.
    fn finish(self, account: Account, budget: Budget, halt: Option<Breach>) {
        let mut books = self.ledger.lock();
        books.make_room();
        let said = books.opening.get(&self.root).and_then(|opening| opening.said.clone());
        let (budget, halt) = said.unwrap_or((budget, halt));
        books.trees.entry(self.root).or_insert(Tree { account, budget, halt });
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let mut books = self.ledger.lock();
        if let Some(opening) = books.opening.get_mut(&self.root) {
            opening.readers -= 1;
            if opening.readers == 0 {
                books.opening.remove(&self.root);
            }
        }
    }
}

/// Whether the time of a root is over: it is paused, and that was what it has asked about last.
async fn halt_of(store: &Store, tenant: TenantId, root: ExecutionId) -> Result<Option<Breach>, store::Error> {
    let execution = match store.execution(tenant, root).await {
        Err(store::Error::NotFound) => return Ok(None),
        execution => execution?,
    };
    let Some(reason) = execution.pause_reason.filter(|_| execution.status == Status::Paused) else { return Ok(None) };
    let events = store.events(tenant, root, 0).await?;
    let asked = events
        .into_iter()
        .rev()
        .find_map(|event| if let EventBody::ApprovalRequested { limit, .. } = event.body { Some(limit) } else { None });
    Ok(asked.filter(|limit| *limit == Bound::MaxWallSeconds).map(|limit| Breach { limit, reason }))
}

impl Books {
    fn make_room(&mut self) {
        if self.trees.len() >= CAPACITY {
            self.trees.retain(|_, tree| tree.account.reserved.calls > 0);
        }
    }
}

/// Whose limit it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Period {
    Execution,
    Month,
}

impl Account {
    fn settle(&mut self, estimate: Spending, spent: Spending) {
        self.reserved = self.reserved.minus(estimate);
        self.spent = self.spent.plus(spent);
    }

    fn fits(&self, estimate: Spending, budget: Budget, period: Period) -> Verdict {
        let Account { spent, reserved } = *self;
        let is_own = period == Period::Execution;
        let whole = [
            (budget.max_model_calls, spent.calls, reserved.calls, estimate.calls, Bound::MaxModelCalls, "calls"),
            (
                budget.max_tokens,
                spent.tokens,
                reserved.tokens,
                estimate.tokens,
                if is_own { Bound::MaxTokens } else { Bound::MaxTokensPerMonth },
                "tokens",
            ),
        ];
        let mut is_later = false;
        for (limit, spent, reserved, estimate, bound, what) in whole {
            let Some(limit) = limit else { continue };
            if spent.saturating_add(estimate) > limit {
                let reason = format!(
                    "{spent} of {limit} {what} of {} are used, and the next call may need {estimate}",
                    period.name()
                );
                return Verdict::Refused(Breach { limit: bound, reason });
            }
            is_later |= spent.saturating_add(reserved).saturating_add(estimate) > limit;
        }
        if let Some(limit) = budget.max_cost_usd {
            if spent.cost_usd + estimate.cost_usd > limit {
                let limit_name = if is_own { Bound::MaxCostUsd } else { Bound::MaxCostPerMonth };
                let reason = format!(
                    "{:.4} of {limit} US dollars of {} are used, and the next call may cost {:.4}",
                    spent.cost_usd,
                    period.name(),
                    estimate.cost_usd
                );
                return Verdict::Refused(Breach { limit: limit_name, reason });
            }
            is_later |= spent.cost_usd + reserved.cost_usd + estimate.cost_usd > limit;
        }
        if is_later { Verdict::Later } else { Verdict::Granted }
    }
}

impl Period {
    const fn name(self) -> &'static str {
        match self {
            Self::Execution => "the execution's budget",
            Self::Month => "the tenant's month",
        }
    }
}

impl Reservation {
    /// The call has ended and used this much.
    pub fn settle(mut self, spent: Spending) {
        self.spent = Some(spent);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.ledger.settle(self.payer, self.estimate, self.spent.unwrap_or_default());
    }
}

/// The first instant of a month in UTC.
pub fn month_of(now: Timestamp) -> Timestamp {
    let first = now.to_jiff().to_zoned(jiff::tz::TimeZone::UTC).first_of_month();
    first.and_then(|day| day.start_of_day()).map_or(now, |begin| begin.timestamp().into())
}

/// Reads until the store answers.
///
/// # Errors
/// When it answers that it cannot be read. Nothing stands for what is not known.
pub async fn again<T, F: Future<Output = Result<T, store::Error>>>(read: impl Fn() -> F) -> Result<T, store::Error> {
    loop {
        match read().await {
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "a model call waits for what may be spent");
                tokio::time::sleep(READ_PAUSE).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spending(calls: u64, tokens: u64, cost_usd: f64) -> Spending {
        Spending { calls, tokens, cost_usd }
    }

    fn verdict(account: Account, estimate: Spending, budget: Budget) -> &'static str {
        match account.fits(estimate, budget, Period::Execution) {
            Verdict::Granted => "granted",
            Verdict::Later => "later",
            Verdict::Refused(_) => "refused",
            Verdict::Unknown => "unknown",
        }
    }

    #[test]
    fn what_is_reserved_by_others_is_waited_for_and_what_is_spent_is_final() {
        let budget =
            Budget { max_tokens: Some(100), max_model_calls: Some(3), max_cost_usd: Some(1.0), ..Budget::default() };
        let account = |spent, reserved| Account { spent, reserved };
        let (none, call) = (Spending::default(), spending(1, 50, 0.1));
        assert_eq!(verdict(account(none, none), call, budget), "granted");
        assert_eq!(verdict(account(none, spending(1, 60, 0.0)), call, budget), "later");
        assert_eq!(verdict(account(spending(1, 60, 0.0), none), call, budget), "refused");
        assert_eq!(verdict(account(spending(3, 0, 0.0), none), spending(1, 0, 0.0), budget), "refused");
        assert_eq!(verdict(account(spending(1, 0, 0.95), none), call, budget), "refused");
        assert_eq!(verdict(account(spending(1, 0, 0.0), spending(1, 0, 0.95)), call, budget), "later");
        assert_eq!(verdict(account(spending(9, 9_999, 9.0), none), call, Budget::default()), "granted");
    }

    #[test]
    fn months_begin_at_midnight_utc() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(month_of(at("2026-02-28T23:59:59Z")), at("2026-02-01T00:00:00Z"));
        assert_eq!(month_of(at("2026-03-01T00:00:00Z")), at("2026-03-01T00:00:00Z"));
    }
}
