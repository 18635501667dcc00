//! The writer: one thread, one connection, one transaction for whatever is waiting.
//!
//! It takes all waiting appends (bounded by count and bytes), writes them in one transaction, acknowledges each, and hands
//! the committed ones to the listener in commit order. It never waits for company: an append that comes alone is written
//! alone, and the next ones gather while its commit is on the way to the disk. Other writes take their turn in between.
//!
//! After a database error nothing of the batch is acknowledged; the connection is made anew for the next one.

use super::append::{Append, Committed, CommittedAppend};
use super::batch::{self, Placed, Refused};
use super::connection::AnyConnection;
use super::held::Held;
use super::journal::{Job, Shared, Tell, Work};
use super::round::{Round, Waiting};
use super::transaction::write_tx;
use super::{Error, Options};
use crate::failure_points::{FailurePoint, FailurePoints};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// When a batch is written one by one, after so many failures in a row the rest is given up.
const FAILURES_IN_A_ROW: usize = 4;

/// The writer's own side.
pub(super) struct Thread {
    held: Held,
    next_position: u64,
    receiver: mpsc::Receiver<Job>,
    shared: Arc<Shared>,
    batch_appends: usize,
    batch_bytes: usize,
    /// Received, but not fit for the batch that was being gathered.
    carried: Option<Job>,
    failure_points: FailurePoints,
}

impl Thread {
    /// Goes on after `last_position`, the newest that was ever written.
    pub fn new(
        held: Held,
        last_position: u64,
        receiver: mpsc::Receiver<Job>,
        shared: Arc<Shared>,
        options: &Options,
    ) -> Self {
        let mut thread = Self {
            held,
            next_position: 1,
            receiver,
            shared,
            batch_appends: options.batch_appends.max(1),
            batch_bytes: options.batch_bytes,
            carried: None,
            failure_points: options.failure_points.clone(),
        };
        thread.go_on_after(last_position);
        thread
    }

    /// Until the store is closed or its last handle dropped.
    pub fn run(mut self) {
        let mut closing = Vec::new();
        while let Some(first) = self.carried.take().or_else(|| self.receiver.blocking_recv()) {
            let mut round = self.gather(first);
            if let Some(done) = round.close.take() {
                // No more is taken in; what is waiting is still received and written.
                self.receiver.close();
                closing.push(done);
            }
            self.write_appends(round.appends);
            self.do_works(round.works);
        }
        drop(self);
        for done in closing {
            // Whoever closed may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Takes what is waiting, up to the bounds of a batch.
    fn gather(&mut self, first: Job) -> Round {
        let mut round = Round::default();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append(append, reply) => {
                    if !round.admit(&append) {
                        self.carried = Some(Job::Append(append, reply));
                        return round;
                    }
                    round.appends.push(Waiting { append, reply });
                }
                Job::Work(work) => round.works.push(work),
                Job::Close(done) => {
                    round.close = Some(done);
                    return round;
                }
            }
            if round.appends.len() + round.works.len() >= self.batch_appends || round.bytes >= self.batch_bytes {
                return round;
            }
            next = self.receiver.try_recv().ok();
        }
        round
    }

    fn write_appends(&mut self, mut waiting: Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        match self.commit_appends(&mut waiting) {
            Ok(places) => self.announce(waiting, &places),
            Err(failed) if failed.is_before_commit && waiting.len() > 1 => {
                // One of them may be what the database does not take. Alone, each gets its own answer.
                let error = failed.error;
                tracing::warn!(%error, appends = waiting.len(), "a batch was refused and is written one by one");
                self.write_one_by_one(waiting);
            }
            Err(Failed { error, .. }) => self.fail(waiting, &error),
        }
    }

    /// Until several in a row have failed: then it is the database.
    fn write_one_by_one(&mut self, waiting: Vec<Waiting>) {
        let mut waiting = waiting.into_iter();
        let mut in_a_row = 0;
        while let Some(one) = waiting.next() {
            let mut alone = vec![one];
            match self.commit_appends(&mut alone) {
                Ok(places) => {
                    in_a_row = 0;
                    self.announce(alone, &places);
                }
                Err(Failed { error, .. }) => {
                    in_a_row += 1;
                    self.fail(alone, &error);
                    if in_a_row >= FAILURES_IN_A_ROW {
                        self.fail(waiting.by_ref().collect(), &error);
                    }
                }
            }
        }
    }

    fn fail(&self, waiting: Vec<Waiting>, error: &Error) {
        if waiting.is_empty() {
            return;
        }
        self.shared.failures.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(%error, appends = waiting.len(), "a batch could not be written");
        // What may be about one write is about none of several.
        let is_shared = waiting.len() > 1 && matches!(error, Error::Unexplained { .. });
        let answer = if is_shared { Error::unavailable(error) } else { error.clone() };
        for one in waiting {
            let _ = one.reply.send(Err(answer.clone()));
        }
    }

    /// Commits all that can be; the refused ones are answered and taken out of `waiting`. The result holds the first
    /// position of each append, in order, children after their parent.
    fn commit_appends(&mut self, waiting: &mut Vec<Waiting>) -> Result<Vec<u64>, Failed> {
        let mut refused: Vec<(Waiting, Error)> = Vec::new();
        let begin = Instant::now();
        let outcome = loop {
            match self.try_appends(waiting) {
                Ok(Attempt::Committed(places)) => break Ok(places),
                Ok(Attempt::Refused(list)) => {
                    // An append may be named more than once, when several of its parts were refused.
                    let reasons: BTreeMap<usize, Error> =
                        list.into_iter().rev().map(|one| (one.owner, one.error)).collect();
                    for (owner, error) in reasons.into_iter().rev() {
                        refused.push((waiting.remove(owner), error));
                    }
                }
                Err(error) => break Err(error),
            }
        };
        self.shared.last_commit_us.store(micros(begin.elapsed()), Ordering::Relaxed);
        self.shared.refused.fetch_add(u64::try_from(refused.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        for (one, error) in refused {
            // What an append was refused for may stem from this very batch: it holds only if the batch does.
            let _ = one.reply.send(Err(outcome.as_ref().err().map_or(error, |failed| failed.error.clone())));
        }
        outcome
    }

    /// One transaction. The connection is given up unless it came through unharmed.
    fn try_appends(&mut self, waiting: &[Waiting]) -> Result<Attempt, Failed> {
        let mut connection = self.take_connection().map_err(Failed::for_all)?;
        let placed = batch::place(waiting.iter().map(|one| one.append.as_ref()).enumerate(), self.next_position);
        let next_position = placed.last().map_or(self.next_position, |last| last.last_position() + 1);
        let points = self.failure_points.clone();
        let mut is_written = false;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            points.hit(FailurePoint::JournalBeforeBegin)?;
            let refused = write_placed(&mut connection, &placed, &points, &mut is_written)?;
            if refused.is_none() {
                points.hit(FailurePoint::JournalAfterCommit)?;
            }
            Ok(refused)
        }));
        match outcome {
            Ok(Ok(None)) => {
                let places = placed.iter().map(|one| one.first_position).collect();
                self.held.give_back(connection);
                self.next_position = next_position;
                self.shared.position.store(next_position - 1, Ordering::Release);
                Ok(Attempt::Committed(places))
            }
            Ok(Ok(Some(refused))) => {
                self.held.give_back(connection);
                Ok(Attempt::Refused(refused))
            }
            Ok(Err(error)) => Err(Failed { error, is_before_commit: !is_written }),
            Err(_) => Err(Failed { error: Error::unavailable("the writer panicked"), is_before_commit: !is_written }),
        }
    }

    /// Tells the listener, then the callers: what a caller does next must not be seen before what it has just committed.
    fn announce(&self, waiting: Vec<Waiting>, places: &[u64]) {
        let mut committed = Vec::with_capacity(places.len());
        let mut places = places.iter().copied();
        let mut bytes = 0;
        let mut events = 0;
        let mut answers = Vec::with_capacity(waiting.len());
        for Waiting { append, reply } in waiting {
            bytes += append.size_bytes();
            let first = committed.len();
            publish(*append, &mut places, &mut committed);
            events += committed.iter().skip(first).map(|one| one.events.len()).sum::<usize>();
            if let Some(own) = committed.get(first) {
                let last_seq = own.events.last().map_or(0, |event| event.seq);
                let answer =
                    Committed { first_position: own.first_position, last_position: own.last_position, last_seq };
                answers.push((reply, answer));
            }
        }
        let count = |counter: &AtomicU64, number: usize| {
            counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
        };
        count(&self.shared.batches, 1);
        count(&self.shared.appends, committed.len());
        count(&self.shared.events, events);
        count(&self.shared.bytes, bytes);
        let published = catch_unwind(AssertUnwindSafe(|| {
            self.failure_points.hit(FailurePoint::JournalBeforePublish)?;
            if let Some(listener) = self.shared.listener.get() {
                listener(committed);
            }
            Ok::<(), Error>(())
        }));
        if !matches!(published, Ok(Ok(()))) {
            tracing::error!("a committed batch was not published; watchers catch up from the journal");
        }
        for (reply, answer) in answers {
            // A caller that has gone away finds its events in the journal.
            let _ = reply.send(Ok(answer));
        }
    }

    /// The other writes of a round share a transaction, each in a savepoint of its own.
    fn do_works(&mut self, works: Vec<Work>) {
        if works.is_empty() {
            return;
        }
        let mut connection = match self.take_connection() {
            Ok(connection) => connection,
            Err(error) => {
                tracing::warn!(%error, writes = works.len(), "writes could not be done");
                for work in works {
                    work(Err(error.clone()))(None);
                }
                return;
            }
        };
        let mut tell: Vec<Tell> = Vec::with_capacity(works.len());
        let points = self.failure_points.clone();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            write_tx(&mut connection, |connection| {
                for work in works {
                    tell.push(work(Ok(&mut *connection)));
                }
                Ok(points.hit(FailurePoint::WriteBeforeCommit)?)
            })
        }));
        let error = match outcome {
            Ok(Ok(())) => {
                self.held.give_back(connection);
                None
            }
            Ok(Err(error)) => Some(error),
            Err(_) => Some(Error::unavailable("the writer panicked")),
        };
        for one in tell {
            one(error.clone());
        }
    }

    /// The connection. When it was made anew, so is the place to go on.
    fn take_connection(&mut self) -> Result<AnyConnection, Error> {
        let (connection, last_position) = self.held.take()?;
        if let Some(last) = last_position {
            self.go_on_after(last);
        }
        Ok(connection)
    }

    fn go_on_after(&mut self, position: u64) {
        self.next_position = position + 1;
        self.shared.position.store(position, Ordering::Release);
    }
}

enum Attempt {
    Committed(Vec<u64>),
    Refused(Vec<Refused>),
}

/// Nothing of a batch is acknowledged.
struct Failed {
    error: Error,
    /// Whether it is certain that nothing is stored, and the reason may lie in what was to be written.
    is_before_commit: bool,
}

impl Failed {
    /// There is no connection to write anything on.
    const fn for_all(error: Error) -> Self {
        Self { error, is_before_commit: false }
    }
}

/// `None` when committed, the refused ones when rolled back. `is_written` tells whether the commit was tried.
fn write_placed(
    connection: &mut AnyConnection,
    placed: &[Placed<'_>],
    points: &FailurePoints,
    is_written: &mut bool,
) -> Result<Option<Vec<Refused>>, Error> {
    let mut refused = Vec::new();
    let outcome = write_tx(connection, |connection| {
        refused = batch::write(connection, placed)?;
        if !refused.is_empty() {
            return Err(Error::NotFound);
        }
        points.hit(FailurePoint::JournalBeforeCommit)?;
        *is_written = true;
        Ok(())
    });
    if !refused.is_empty() {
        return Ok(Some(refused));
    }
    outcome.map(|()| None)
}

fn publish(append: Append, places: &mut impl Iterator<Item = u64>, committed: &mut Vec<CommittedAppend>) {
    let first_position = places.next().unwrap_or_default();
    committed.push(CommittedAppend {
        tenant_id: append.tenant_id,
        execution_id: append.execution_id,
        first_position,
        last_position: first_position + (append.row.last_seq - append.row.first_seq),
        events: append.events,
        subject: append.subject,
        projection: append.projection,
        created: append.create.is_some(),
    });
    for child in append.children {
        publish(child, places, committed);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
