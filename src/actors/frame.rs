//! Frames as the hub forwards them: the text of `crate::wire::frame` with what a feed needs to know about it.

use crate::domain::{Creation, Execution, ExecutionId, LogLine, Path, Pointer};
use crate::store::{CommittedAppend, HistoryEvent};
use crate::wire::frame as wire;
use bytestring::ByteString;
use std::borrow::Cow;
use std::sync::Arc;

/// How soon a client should come back after a `goodbye`, in milliseconds.
const RETRY_AFTER_MS: u64 = 1_000;

/// The place of a piece of streamed output: ordered by attempt, then by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Piece {
    pub attempt: u32,
    pub n: u64,
}

/// One frame, serialized once and shared by its receivers.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Number of the event; 0 for anything else.
    pub seq: u64,
    /// Position in the store; 0 for what is not durable.
    pub position: u64,
    /// Where a client that has seen this frame resumes: a `seq` in the feed of one execution, a position in the global one.
    pub cursor: Option<u64>,
    /// The value of `type`.
    pub event: &'static str,
    /// Which running output it belongs to, and its number there.
    pub piece: Option<(Path, Piece)>,
    /// The execution it is about, in the global feed: those who see only their own look for its owner here.
    pub creation: Option<Arc<Creation>>,
    pub text: ByteString,
}

impl Frame {
    fn transient(frame: &wire::ServerFrame<'_>) -> Self {
        let text = frame.to_text().into();
        Self { seq: 0, position: 0, cursor: None, event: frame.type_name(), piece: None, creation: None, text }
    }

    /// Whether it is about an execution of somebody else than `owner`.
    pub fn is_of_others(&self, owner: &str) -> bool {
        let creation = self.creation.as_ref();
        creation.is_some_and(|creation| creation.created_by.as_deref() != Some(owner))
    }
}

/// The events of a commit, then the state they led to.
pub fn of_commit(commit: &CommittedAppend) -> Vec<Frame> {
    let id = commit.execution_id;
    let mut frames: Vec<Frame> = (commit.first_position..)
        .zip(commit.events.iter())
        .map(|(position, event)| event_frame(id, event.seq, position, &event.json))
        .collect();
    frames.push(Frame { cursor: None, ..update_of_commit(commit) });
    frames
}

/// An event from the journal.
pub fn of_stored_event(id: ExecutionId, event: &HistoryEvent) -> Frame {
    event_frame(id, event.seq, event.position, &event.json)
}

fn event_frame(id: ExecutionId, seq: u64, position: u64, line: &str) -> Frame {
    let text = wire::execution_event(id, seq, position, line).into();
    Frame { seq, position, cursor: Some(seq), event: wire::EXECUTION_EVENT, piece: None, creation: None, text }
}

/// The state that a commit led to, for the global feed.
pub fn update_of_commit(commit: &CommittedAppend) -> Frame {
    let CommittedAppend { execution_id, last_position, events, subject, projection, .. } = commit;
    let execution = Execution {
        id: *execution_id,
        tenant_id: commit.tenant_id,
        creation: Arc::clone(&subject.creation),
        status: projection.status,
        output: projection.output.clone(),
        error: projection.error.clone(),
        progress: projection.progress,
        attempt: 1,
        restarts: projection.restarts,
        last_crash: projection.last_crash.clone(),
        recovered_in_ms: projection.recovered_in_ms,
        pause_reason: projection.pause_reason.clone(),
        pause_limit: projection.pause_limit,
        continued_by: None,
        last_seq: events.last().map_or(0, |event| event.seq),
        last_position: *last_position,
        wake_at: projection.wake_at,
        created_at: subject.created_at,
        started_at: projection.started_at,
        finished_at: projection.finished_at,
        updated_at: projection.updated_at,
    };
    update_of_execution(&execution)
}

/// The state of an execution as its row shows it, for the global feed.
pub fn update_of_execution(execution: &Execution) -> Frame {
    let position = execution.last_position;
    let data = Box::new(wire::ExecutionUpdate::new(execution, execution.updated_at));
    let text = wire::ServerFrame::ExecutionUpdate { position, data }.to_text().into();
    let creation = Some(Arc::clone(&execution.creation));
    Frame { seq: 0, position, cursor: Some(position), event: wire::EXECUTION_UPDATE, piece: None, creation, text }
}

/// A piece of streamed output.
pub fn output_delta(id: ExecutionId, task: &Pointer, path: &Path, piece: Piece, text: &str) -> Frame {
    output(id, task, path, piece, piece.n, text)
}

/// All pieces up to this one, for somebody who begins to watch.
pub fn output_so_far(id: ExecutionId, task: &Pointer, path: &Path, piece: Piece, text: &str) -> Frame {
    output(id, task, path, piece, 1, text)
}

fn output(id: ExecutionId, task: &Pointer, path: &Path, piece: Piece, from: u64, text: &str) -> Frame {
    let data = wire::OutputDelta {
        execution_id: id,
        task: Cow::Borrowed(task),
        path: Cow::Borrowed(path),
        n: piece.n,
        from,
        text: Cow::Borrowed(text),
    };
    let frame = Frame::transient(&wire::ServerFrame::OutputDelta { data });
    Frame { piece: Some((Path::clone(path), piece)), ..frame }
}

/// A log line.
pub fn log(id: ExecutionId, line: &LogLine) -> Frame {
    let data = wire::LogLine {
        execution_id: id,
        n: line.n,
        task: line.task.as_deref().map(Cow::Borrowed),
        agent_id: line.agent_id,
        level: Cow::Borrowed(line.level.as_str()),
        message: Cow::Borrowed(&line.message),
        metadata: Cow::Borrowed(&line.metadata),
        source: Some(Cow::Borrowed(&line.source)),
        at: line.at,
    };
    Frame::transient(&wire::ServerFrame::Log { data: Box::new(data) })
}

/// The first frame of a session.
pub fn hello(session: String, position: u64, heartbeat_seconds: u64) -> Frame {
    let heartbeat_seconds = u32::try_from(heartbeat_seconds).unwrap_or(u32::MAX);
    Frame::transient(&wire::ServerFrame::Hello { data: wire::Hello { session, position, heartbeat_seconds } })
}

/// The receiver has fallen behind and goes on from a cursor.
pub fn resync(reason: &str, from: u64) -> Frame {
    Frame::transient(&wire::ServerFrame::Resync { data: wire::Resync { reason: reason.to_owned(), from } })
}

/// The service is stopping.
pub fn goodbye() -> Frame {
    let data = wire::Goodbye { reason: "shutting_down".to_owned(), retry_after_ms: RETRY_AFTER_MS };
    Frame::transient(&wire::ServerFrame::Goodbye { data })
}

/// Whether a frame ends the session.
pub fn is_goodbye(frame: &Frame) -> bool {
    frame.event == "goodbye"
}
