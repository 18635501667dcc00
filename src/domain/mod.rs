//! Words: plain data and the rules about it. No IO, no async, no clock, no randomness.
//!
//! Every other folder may use these types; this one uses nothing of ours.

mod agent;
pub mod agent_key;
mod authority;
pub mod definition;
mod effect;
mod event;
mod execution;
mod failure;
mod ids;
mod log;
mod permission;
pub mod preflight;
mod principal;
pub mod quota;
pub mod redaction;
mod retention;
pub mod saved_view;
pub mod secret;
mod slug;
mod timestamp;
mod words;

pub use agent::{Adapter, Agent, Prices, Usage, UsageOutcome};
pub use authority::{Authority, Creator, Withdrawn};
pub use effect::{
    AgentOutput, AgentRequest, Authentication, EffectCall, EffectOutcome, EffectRequest, HttpOutput, HttpRequest,
    OAuth, ProcessReturn, ShellRequest,
};
pub use event::{ApprovalKind, Event, EventBody, Path, Pointer, TimerPurpose};
pub use execution::{
    Creation, DefinitionRef, Execution, ExecutionType, ForkedFrom, ParentLink, Progress, Status, Trigger,
};
pub use failure::{Failure, STANDARD_TYPE_BASE, StandardType};
pub use ids::{AgentId, ApiKeyId, AuditId, ExecutionId, SavedViewId, SessionId, TenantId, UserId, WorkflowId};
pub use log::{LogLevel, LogLine};
pub use permission::{Action, Denial, Reach, Target};
pub use principal::{ApiKey, AuditEntry, Principal, PrincipalKind, Role, Scope, Scopes, Tenant, TenantLimits, User};
pub use redaction::{RedactedStream, Redactor};
pub use retention::{Retention, RetentionChoice, RetentionPolicy, RetentionRule};
pub use saved_view::{SavedView, ViewedList};
pub use secret::{Secret, Secrets};
pub use slug::{MAX_SLUG_CHARACTERS, is_slug};
pub use timestamp::Timestamp;
pub use words::UnknownWord;
