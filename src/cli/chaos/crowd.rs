//! The people: callers who submit and insist on an answer, people who cancel and pause, subscribers who come back after
//! every broken connection. All of them write down what they were promised and shown.

use super::ledger::{Ledger, Promise};
use super::workload::{Kind, submission};
use crate::cli::link::{Answer, Endpoint, Link};
use crate::cli::live::Connection;
use crate::domain::Status;
use crate::wire::frame::ServerFrame;
use hyper::body::Bytes;
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// The pause before somebody tries again.
const AGAIN: Duration = Duration::from_millis(25);
/// The longest `wait` of an execution; longer than the time until a parked execution leaves memory.
const LONGEST_WAIT_MS: u64 = 1_500;
/// Submissions of each kind out of the sum.
const WEIGHTS: [(Kind, u64); 7] = [
    (Kind::Effects, 4),
    (Kind::Pure, 2),
    (Kind::Marks, 3),
    (Kind::Waits, 3),
    (Kind::Fork, 3),
    (Kind::Parent, 2),
    (Kind::Retries, 2),
];

/// What everybody shares.
#[derive(Debug)]
pub struct Crowd {
    pub endpoint: Endpoint,
    /// Tells the executions of this run from others in the same database.
    pub run: String,
    /// Where marks are left.
    pub marks: PathBuf,
    pub ledger: RefCell<Ledger>,
    pub random: RefCell<fastrand::Rng>,
    /// No new submissions, cancellations and pauses from now on; what is under way is brought to its end.
    pub closing: Cell<bool>,
    /// Submissions that have not been answered yet.
    pub unanswered: Cell<u64>,
    pub submitted: Cell<u64>,
    /// Set once every execution has ended: watchers may go when they have seen everything.
    pub ended: Cell<bool>,
}

impl Crowd {
    pub fn new(endpoint: Endpoint, run: String, seed: u64, marks: PathBuf) -> Self {
        Self {
            endpoint,
            run,
            marks,
            ledger: RefCell::new(Ledger::default()),
            random: RefCell::new(fastrand::Rng::with_seed(seed)),
            closing: Cell::new(false),
            unanswered: Cell::new(0),
            submitted: Cell::new(0),
            ended: Cell::new(false),
        }
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.borrow_mut().u64(..limit.max(1))
    }

    fn kind(&self) -> Kind {
        let mut left = self.below(WEIGHTS.iter().map(|(_, weight)| weight).sum());
        for (kind, weight) in WEIGHTS {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return kind,
            }
        }
        Kind::Effects
    }

    /// Submits executions, on average one per `interval`, until the crowd is closing.
    pub async fn submit(&self, interval: Duration) {
        let mut link = Link::to(&self.endpoint);
        while !self.closing.get() {
            self.submit_one(&mut link).await;
            let pause = self.below(2 * u64::try_from(interval.as_micros()).unwrap_or(u64::MAX / 2));
            tokio::time::sleep(Duration::from_micros(pause)).await;
        }
    }

    /// Submits one execution and insists on an answer: with the same key until there is one.
    async fn submit_one(&self, link: &mut Link) {
        let (number, kind) = (self.submitted.get() + 1, self.kind());
        self.submitted.set(number);
        self.unanswered.set(self.unanswered.get() + 1);
        let pause = self.below(LONGEST_WAIT_MS);
        let body = Bytes::from(submission(kind, &self.run, number, pause, &self.marks).to_string());
        let key = format!("chaos-{}-{number}", self.run);
        loop {
            match link.post("/api/v1/executions", body.clone(), Some(&key)).await {
                Ok(answer) if matches!(answer.status, 429 | 503) => {}
                Ok(answer) => {
                    self.acknowledged(number, kind, &answer);
                    break;
                }
                Err(_) => {}
            }
            tokio::time::sleep(AGAIN).await;
        }
        self.unanswered.set(self.unanswered.get() - 1);
    }

    fn acknowledged(&self, number: u64, kind: Kind, answer: &Answer) {
        let mut ledger = self.ledger.borrow_mut();
        // Not its status: a repeated request is answered with the first answer, however far the execution has come.
        match answer.json().map(|execution| id_and_status(&execution)) {
            Ok(Some((id, _))) => ledger.acknowledge(id, number, kind),
            Ok(None) => ledger.violated(Promise::Submission, None, format!("submission {number} was given no id")),
            Err(error) => {
                ledger.violated(Promise::Submission, None, format!("submission {number} was refused: {error}"));
            }
        }
    }

    fn somebody(&self) -> Option<Uuid> {
        let ledger = self.ledger.borrow();
        let count = u64::try_from(ledger.acknowledged.len()).unwrap_or(0);
        // Mostly a young one: old ones have ended.
        let back = self.below(count.min(40));
        let index = usize::try_from(count.checked_sub(back + 1)?).ok()?;
        ledger.acknowledged.keys().nth(index).copied()
    }

    /// Looks at executions, cancels, pauses and resumes some, until the crowd is closing.
    pub async fn steer(&self) {
        let mut link = Link::to(&self.endpoint);
        while !self.closing.get() {
            if let Some(id) = self.somebody() {
                match self.below(10) {
                    0 => self.cancel(&mut link, id).await,
                    1 => self.command(&mut link, id, "pause").await,
                    2 | 3 => self.command(&mut link, id, "resume").await,
                    _ => self.look(&mut link, id).await,
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn look(&self, link: &mut Link, id: Uuid) {
        let known = self.known_end(id);
        let Ok(answer) = link.get(&format!("/api/v1/executions/{id}")).await else { return };
        match answer.status {
            404 => {
                let detail = "was acknowledged and is not found";
                self.ledger.borrow_mut().violated(Promise::Submission, id, detail);
            }
            _ => self.note_status(known, &answer),
        }
    }

    fn known_end(&self, id: Uuid) -> Option<Status> {
        self.ledger.borrow().end_of(id)
    }

    fn note_status(&self, known: Option<Status>, answer: &Answer) {
        if let Ok(execution) = answer.json()
            && let Some((id, status)) = id_and_status(&execution)
        {
            self.ledger.borrow_mut().saw_answer(id, known, status);
        }
    }

    async fn cancel(&self, link: &mut Link, id: Uuid) {
        let known = self.known_end(id);
        let Ok(answer) = link.post(&format!("/api/v1/executions/{id}/cancel"), Bytes::new(), None).await else {
            return;
        };
        if answer.status == 202 {
            self.ledger.borrow_mut().cancelled.push(id);
            self.note_status(known, &answer);
        }
    }

    async fn command(&self, link: &mut Link, id: Uuid, command: &str) {
        let known = self.known_end(id);
        if let Ok(answer) = link.post(&format!("/api/v1/executions/{id}/{command}"), Bytes::new(), None).await {
            self.note_status(known, &answer);
        }
    }

    /// Watches one execution after the other on its own feed until everything has ended.
    pub async fn watch(&self) {
        while !self.closing.get() {
            let Some(id) = self.somebody().filter(|id| !self.ledger.borrow().watched.contains_key(id)) else {
                tokio::time::sleep(AGAIN).await;
                continue;
            };
            self.ledger.borrow_mut().watched.insert(id, Vec::new());
            self.watch_one(id).await;
        }
    }

    /// Watches one execution until its end has been shown, over as many sessions as it takes.
    async fn watch_one(&self, id: Uuid) {
        loop {
            let after = self.ledger.borrow().last_shown(id);
            let handshake = self.endpoint.handshake(&format!("/ws/executions/{id}?after={after}"));
            if let Ok(handshake) = handshake
                && let Ok(mut session) = Connection::open(handshake).await
                && self.read_events(&mut session, id).await
            {
                session.close().await;
                return;
            }
            self.ledger.borrow_mut().reconnects += 1;
            if self.ended.get() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Reads one session; whether the end of the execution was shown.
    async fn read_events(&self, session: &mut Connection, id: Uuid) -> bool {
        while let Some(text) = session.next().await {
            let Ok(ServerFrame::ExecutionEvent { seq, data, .. }) = serde_json::from_str::<ServerFrame<'_>>(&text)
            else {
                continue;
            };
            self.ledger.borrow_mut().saw_event(id, seq, &data.event_type);
            if matches!(data.event_type.as_str(), "execution_completed" | "execution_failed" | "execution_cancelled") {
                return true;
            }
        }
        false
    }

    /// Watches all executions on the global feed until everything has ended.
    pub async fn watch_all(&self) {
        let mut position = 0;
        while !self.ended.get() {
            let handshake = self.endpoint.handshake(&format!("/ws/executions?client_id=chaos&after={position}"));
            if let Ok(handshake) = handshake
                && let Ok(mut session) = Connection::open(handshake).await
            {
                while let Some(text) = session.next().await {
                    if let Ok(ServerFrame::ExecutionUpdate { position: at, data }) = serde_json::from_str(&text) {
                        position = position.max(at);
                        let mut ledger = self.ledger.borrow_mut();
                        ledger.frames += 1;
                        ledger.saw_update(data.id.0, data.status);
                    }
                }
            }
            self.ledger.borrow_mut().reconnects += 1;
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// The id and status in the view of an execution.
pub fn id_and_status(execution: &Value) -> Option<(Uuid, Status)> {
    let text = |name: &str| execution.get(name).and_then(Value::as_str);
    Some((text("id")?.parse().ok()?, text("status")?.parse().ok()?))
}
