//! Effects: what an execution may ask the world for, and what comes back.
//!
//! The machine builds requests, `effects/` performs them; neither knows the other.

use super::secret::Opened;
use super::{Agent, Failure, Usage};
use serde_json::{Map, Value};
use std::sync::Arc;

/// A request with every expression already evaluated. Not journaled: after a restart it is built again from the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum EffectRequest {
    Http(Box<HttpRequest>),
    Shell(Box<ShellRequest>),
    Agent(Box<AgentRequest>),
}

impl EffectRequest {
    /// `http`, `shell` or `agent`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Http(_) => "http",
            Self::Shell(_) => "shell",
            Self::Agent(_) => "agent",
        }
    }
}

/// `call: http`.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpRequest {
    /// Upper case.
    pub method: String,
    /// Absolute, templates expanded, without `query`.
    pub uri: String,
    /// Values as text; entries that were `null` are already gone.
    pub headers: Vec<(String, String)>,
    /// Appended to the URI's own query; arrays repeat the key.
    pub query: Vec<(String, String)>,
    pub body: Option<Value>,
    pub output: HttpOutput,
    pub redirect: bool,
    pub authentication: Option<Authentication>,
}

/// The form of a response that `call: http` hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpOutput {
    /// The decoded body.
    Content,
    /// `{request: {method, uri, headers}, statusCode, headers, content}`.
    Response,
    /// Base64 of the bytes.
    Raw,
}

/// Credentials of a request. Never journaled, never logged.
#[derive(Clone, PartialEq)]
pub enum Authentication {
    Basic { username: String, password: String },
    Bearer { token: String },
    Digest { username: String, password: String },
    OAuth2(Box<OAuth>),
    Oidc(Box<OAuth>),
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(…)",
            Self::Bearer { .. } => "Bearer(…)",
            Self::Digest { .. } => "Digest(…)",
            Self::OAuth2(_) => "OAuth2(…)",
            Self::Oidc(_) => "Oidc(…)",
        })
    }
}

/// The properties of `oauth2` and `oidc` policies. `endpoints` are those of `oauth2`, relative to `authority`.
#[derive(Clone, PartialEq, Default)]
pub struct OAuth {
    pub authority: String,
    pub grant: String,
    pub client_id: Option<String>,
    pub client_secret: Option<String>,
    pub client_assertion: Option<String>,
    /// `client_secret_post` (default), `client_secret_basic`, `client_secret_jwt`, `private_key_jwt`, `none`.
    pub client_authentication: Option<String>,
    /// `application/x-www-form-urlencoded` (default) or `application/json`.
    pub request_encoding: Option<String>,
    pub issuers: Vec<String>,
    pub scopes: Vec<String>,
    pub audiences: Vec<String>,
    pub username: Option<String>,
    pub password: Option<String>,
    /// (token, type)
    pub subject: Option<(String, String)>,
    /// (token, type)
    pub actor: Option<(String, String)>,
    pub token_endpoint: Option<String>,
}

/// `run: shell`, executed as `sh -c command sh arguments…`.
#[derive(Clone, Debug, PartialEq)]
pub struct ShellRequest {
    pub command: String,
    pub arguments: Vec<String>,
    pub stdin: Option<String>,
    pub environment: Vec<(String, String)>,
    pub returns: ProcessReturn,
}

/// What a process task hands on (`run.return`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessReturn {
    Stdout,
    Stderr,
    Code,
    All,
    None,
}

/// `call: agent`.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentRequest {
    /// Name, slug or id.
    pub agent: String,
    /// The text the agent gets; a non-text `input` is serialized as JSON.
    pub prompt: String,
    /// Replaces the agent's own system prompt.
    pub system_prompt: Option<String>,
    /// Laid over the agent's own parameters, key by key.
    pub parameters: Map<String, Value>,
    pub output: AgentOutput,
}

/// The form of an answer that `call: agent` hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentOutput {
    /// The text (default).
    Text,
    /// The text parsed as JSON (a fenced code block around it is removed); a `runtime` error when it is not JSON.
    Json,
    /// `{text, agent, adapter, model, usage}`.
    Response,
}

/// An effect as it is performed: the agent has been looked up, and its key opened when that is a secret: a text.
#[derive(Clone, Debug)]
pub enum EffectCall {
    Http(Box<HttpRequest>),
    Shell(Box<ShellRequest>),
    Agent { agent: Box<Agent>, request: Box<AgentRequest>, key: Option<Arc<Opened>> },
}

/// What came back. `usage` is there for model calls, failed ones included when the provider reported it.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectOutcome {
    pub result: Result<Value, Failure>,
    pub usage: Option<Usage>,
}
