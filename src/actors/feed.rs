//! A feed: the frames of one topic as a stream, complete and without repetition.
//!
//! One mechanism serves a first subscription, a resumed one and one that fell behind: *join at the head, read what lies
//! before it from the journal, then go on live*. WebSocket sessions, SSE responses and the command line read feeds.

use super::frame::{self, Frame, Piece};
use super::hub::{Delivery, Hub, Join, Leave, Rejoin, Topic};
use super::services::Services;
use crate::domain::{ExecutionId, Path, TenantId};
use crate::store;
use actix::Addr;
use futures_util::Stream;
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

/// Events read from the journal at a time.
const PAGE: u32 = 200;
/// A global feed that resumes further back than this many appends is told to load its lists anew.
const GLOBAL_BACKLOG: u32 = 20_000;
/// The pause before the journal is read again while the store cannot be reached.
const STORE_PAUSE: Duration = Duration::from_millis(500);

/// What a feed shows and from where on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The latest state of every execution; `after` is a position, absent = from now on. With an `owner` only of theirs.
    Global { after: Option<u64>, owner: Option<Arc<str>> },
    /// Every event of one execution after `after_seq`; 0 = from its first.
    Execution { id: ExecutionId, after_seq: u64 },
}

/// The frames of one scope.
pub struct Feed(Pin<Box<dyn Stream<Item = Frame> + Send>>);

impl Feed {
    /// Subscribes when it is first polled.
    pub(super) fn new(services: Arc<Services>, tenant: TenantId, scope: Scope) -> Self {
        let reader = Reader {
            services,
            tenant,
            pieces: HashMap::new(),
            subscription: None,
            ready: VecDeque::new(),
            seq: match &scope {
                Scope::Execution { after_seq, .. } => *after_seq,
                Scope::Global { .. } => 0,
            },
            position: match &scope {
                Scope::Global { after, .. } => after.unwrap_or(0),
                Scope::Execution { .. } => 0,
            },
            scope,
            head: 0,
            phase: Phase::Joining,
        };
        Self(Box::pin(futures_util::stream::unfold(reader, Reader::next)))
    }
}

impl Stream for Feed {
    type Item = Frame;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.0.as_mut().poll_next(cx)
    }
}

enum Phase {
    Joining,
    /// Reading the journal up to what was committed when it (re)joined.
    CatchingUp,
    Live,
    Ended,
}

struct Subscription {
    id: u64,
    hub: Addr<Hub>,
    receiver: mpsc::Receiver<Delivery>,
    lagging: Arc<AtomicBool>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.do_send(Leave(self.id));
    }
}

struct Reader {
    services: Arc<Services>,
    tenant: TenantId,
    scope: Scope,
    subscription: Option<Subscription>,
    ready: VecDeque<Frame>,
    /// Newest event seen (execution scope).
    seq: u64,
    /// Newest position seen.
    position: u64,
    /// The newest piece seen of each running output.
    pieces: HashMap<Path, Piece>,
    /// The store's position when it last (re)joined.
    head: u64,
    phase: Phase,
}

impl Reader {
    async fn next(mut self) -> Option<(Frame, Self)> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                if self.hides(&frame) {
                    continue;
                }
                return Some((frame, self));
            }
            match self.phase {
                Phase::Joining => self.join().await,
                Phase::CatchingUp => self.catch_up().await,
                Phase::Live => self.live().await,
                Phase::Ended => return None,
            }
        }
    }

    /// Whether a frame is about somebody else's execution, and this feed shows own ones only.
    fn hides(&self, frame: &Frame) -> bool {
        match &self.scope {
            Scope::Global { owner: Some(owner), .. } => frame.is_of_others(owner),
            Scope::Global { owner: None, .. } | Scope::Execution { .. } => false,
        }
    }

    async fn join(&mut self) {
        let (sender, receiver) = mpsc::channel(self.services.options.live.mailbox.max(1));
        let lagging = Arc::new(AtomicBool::new(false));
        let topic = match self.scope {
            Scope::Global { .. } => Topic::Tenant(self.tenant),
            Scope::Execution { id, .. } => Topic::Execution(id),
        };
        let (hub, id) = (self.services.hub.clone(), self.services.hub_state.next_subscriber());
        let join = Join { subscriber: id, topic, sender, lagging: Arc::clone(&lagging) };
        // Made before the answer: a feed that is given up while it joins leaves all the same.
        self.subscription = Some(Subscription { id, hub: hub.clone(), receiver, lagging });
        let Ok(position) = hub.send(join).await else {
            self.phase = Phase::Ended;
            return;
        };
        self.head = position;
        self.phase = match self.scope {
            Scope::Global { after: None, .. } => {
                self.position = position;
                Phase::Live
            }
            Scope::Global { after: Some(_), .. } | Scope::Execution { .. } => Phase::CatchingUp,
        };
    }

    /// Reads one page; the last page is followed by live frames.
    async fn catch_up(&mut self) {
        let read = match self.scope {
            Scope::Global { .. } => self.read_changes().await,
            Scope::Execution { id, .. } => self.read_history(id).await,
        };
        match read {
            Ok(true) => self.phase = Phase::Live,
            Ok(false) => {}
            Err(error) if error.is_retryable() => {
                tracing::debug!(%error, "a feed waits for the store");
                tokio::time::sleep(STORE_PAUSE).await;
            }
            // It has been deleted, or cannot be read: neither changes by waiting.
            Err(error) => {
                tracing::debug!(%error, "a feed ends");
                self.phase = Phase::Ended;
            }
        }
    }

    async fn read_history(&mut self, id: ExecutionId) -> Result<bool, store::Error> {
        let page = self.services.store.history(self.tenant, id, self.seq, PAGE, Vec::new()).await?;
        let last = u32::try_from(page.len()).is_ok_and(|length| length < PAGE);
        for event in &page {
            self.seq = event.seq;
            self.position = self.position.max(event.position);
            self.ready.push_back(frame::of_stored_event(id, event));
        }
        if last {
            let execution = self.services.store.execution(self.tenant, id).await?;
            self.position = self.position.max(execution.last_position);
            self.ready.push_back(Frame { cursor: None, ..frame::update_of_execution(&execution) });
            // What was committed between the two reads is still to come; its events are newer than `seq`.
            for (path, stream) in self.services.streams.of(id) {
                let piece = Piece { attempt: stream.attempt, n: stream.n };
                self.ready.push_back(frame::output_so_far(id, &path, piece, &stream));
                self.pieces.insert(path, piece);
            }
        }
        Ok(last)
    }

    async fn read_changes(&mut self) -> Result<bool, store::Error> {
        let from = self.position;
        if from >= self.head {
            return Ok(true);
        }
        let changes = self.services.store.changed_since(self.tenant, from, GLOBAL_BACKLOG).await?;
        if changes.more {
            self.position = self.head;
            self.ready.push_back(frame::resync("backlog", from));
            return Ok(true);
        }
        self.position = changes.position;
        self.ready.extend(changes.executions.iter().map(frame::update_of_execution));
        Ok(true)
    }

    async fn live(&mut self) {
        let Some(subscription) = self.subscription.as_mut() else {
            self.phase = Phase::Ended;
            return;
        };
        let delivery = match subscription.receiver.try_recv() {
            Ok(delivery) => Some(delivery),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) if subscription.lagging.load(Ordering::SeqCst) => {
                return self.rejoin().await;
            }
            // Whoever is marked as lagging after this look gets a delivery, so this wait ends.
            Err(TryRecvError::Empty) => subscription.receiver.recv().await,
        };
        match delivery {
            Some(delivery) => self.accept(&delivery).await,
            None => {
                // One that lagged when the service stopped could not be told.
                if self.services.closing.load(Ordering::Relaxed) {
                    self.ready.push_back(frame::goodbye());
                }
                self.phase = Phase::Ended;
            }
        }
    }

    async fn rejoin(&mut self) {
        let Some(subscription) = self.subscription.as_ref() else { return };
        let Ok(head) = self.services.hub.send(Rejoin(subscription.id)).await else {
            self.phase = Phase::Ended;
            return;
        };
        self.head = head;
        let from = match self.scope {
            Scope::Global { .. } => self.position,
            Scope::Execution { .. } => self.seq,
        };
        self.ready.push_back(frame::resync("lagging", from));
        self.phase = Phase::CatchingUp;
    }

    /// Takes over what is new. A gap in the sequence cannot happen while the hub keeps its promise; if it does, the
    /// journal fills it.
    async fn accept(&mut self, delivery: &[Frame]) {
        for frame in delivery {
            if frame.seq > 0 {
                if frame.seq <= self.seq {
                    continue;
                }
                if frame.seq > self.seq + 1 {
                    tracing::debug!(seq = frame.seq, have = self.seq, "a feed found a gap and reads the journal");
                    self.phase = Phase::CatchingUp;
                    return;
                }
                self.seq = frame.seq;
                self.position = frame.position;
            } else if frame.position > 0 {
                let repeated = match self.scope {
                    Scope::Global { .. } => frame.position <= self.position,
                    Scope::Execution { .. } => frame.position < self.position,
                };
                if repeated {
                    continue;
                }
            } else if let Some((path, piece)) = &frame.piece {
                if self.pieces.get(path).is_some_and(|seen| piece <= seen) {
                    continue;
                }
                self.pieces.insert(Path::clone(path), *piece);
            }
            self.ready.push_back(frame.clone());
        }
        if matches!(self.scope, Scope::Global { .. }) {
            let newest = delivery.iter().map(|frame| frame.position).max().unwrap_or(0);
            self.position = self.position.max(newest);
        }
    }
}
