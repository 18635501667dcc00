//! Words: plain data and the rules about it. No IO, no async, no clock, no randomness.
//!
//! Every other folder may use these types; this one uses nothing of ours.

mod agent;
pub mod definition;
mod effect;
mod event;
mod execution;
mod failure;
mod ids;
mod log;
pub mod quota;
mod timestamp;

pub use agent::{Adapter, Agent, Prices, Usage, UsageOutcome};
pub use effect::{
    AgentOutput, AgentRequest, Authentication, EffectCall, EffectOutcome, EffectRequest, HttpOutput, HttpRequest,
    OAuth, ProcessReturn, ShellRequest,
};
pub use event::{ApprovalKind, Event, EventBody, Path, Pointer, TimerPurpose};
pub use execution::{
    Creation, DefinitionRef, Execution, ExecutionType, ForkedFrom, ParentLink, Progress, Status, Trigger, UnknownWord,
};
pub use failure::{Failure, STANDARD_TYPE_BASE, StandardType};
pub use ids::{AgentId, ExecutionId, TenantId, WorkflowId};
pub use log::{LogLevel, LogLine};
pub use timestamp::Timestamp;
