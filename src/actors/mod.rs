//! Life: the only folder that knows actix actors. Supervision, admission, timers, live updates, sessions.
//!
//! [`Engine`] is the handle others use. Behind it: the [`supervisor`] owns what lives and what waits; an [`execution`] actor
//! drives one execution, one [`turn`] at a time; [`performer`] runs its effects; [`recovery`] brings executions back; the
//! [`hub`] forwards what was committed to [`feed`]s, which WebSocket [`session`]s and SSE responses read; [`maintenance`]
//! deletes what is past its time.

mod acting;
mod admission;
mod agents;
mod approving;
mod billing;
mod calls;
mod children;
mod command;
mod creators;
mod detached;
mod engine;
mod execution;
mod exit;
mod feed;
mod frame;
mod hub;
mod ledger;
mod limits;
mod listener;
mod logs;
mod maintenance;
mod model_secrets;
mod notices;
mod observing;
mod orders;
mod patience;
mod performer;
mod preflight;
mod programs;
mod rebuilding;
mod recovery;
pub mod refusal;
mod refusing;
mod retry;
mod secrets;
mod seed;
mod services;
pub mod session;
mod settings;
mod start;
mod streams;
mod supervisor;
mod timers;
mod turn;
mod unrecoverable;
mod upkeep;
mod visitor;

pub use admission::{Holdup, Standing};
pub use command::{Command, DEFAULT_PRIORITY, Refusal, Repetition, Runnable, Submission};
pub use engine::Engine;
pub use exit::install_panic_hook;
pub use feed::{Feed, Scope};
pub use frame::Frame;
pub use maintenance::MaintenanceView;
pub use observing::{QueueView, TenantQueue};
pub use preflight::Preflight;
pub use services::Services;
pub use settings::{LiveOptions, Options, UpkeepOptions};
pub use start::Parts;
pub use upkeep::{Preview, Round};
pub use visitor::{Admission, Gate, Visitor};
