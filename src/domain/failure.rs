//! Errors of executions: RFC 9457 problem details with the standard types of the workflow DSL (section C of the DSL digest).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The base of the standard error types (Serverless Workflow DSL 1.0.3, "Standard error types").
pub const STANDARD_TYPE_BASE: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/";

/// The eight standard error types of the DSL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StandardType {
    Configuration,
    Validation,
    Expression,
    Authentication,
    Authorization,
    Timeout,
    Communication,
    Runtime,
}

impl StandardType {
    pub const ALL: [StandardType; 8] = [
        Self::Configuration,
        Self::Validation,
        Self::Expression,
        Self::Authentication,
        Self::Authorization,
        Self::Timeout,
        Self::Communication,
        Self::Runtime,
    ];

    /// The last segment of the type URI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::Validation => "validation",
            Self::Expression => "expression",
            Self::Authentication => "authentication",
            Self::Authorization => "authorization",
            Self::Timeout => "timeout",
            Self::Communication => "communication",
            Self::Runtime => "runtime",
        }
    }

    /// The status that is used when no better one is known.
    pub const fn default_status(self) -> u16 {
        match self {
            Self::Configuration | Self::Validation | Self::Expression => 400,
            Self::Authentication => 401,
            Self::Authorization => 403,
            Self::Timeout => 408,
            Self::Communication | Self::Runtime => 500,
        }
    }

    /// The full type URI as it is emitted.
    pub fn uri(self) -> String {
        format!("{STANDARD_TYPE_BASE}{}", self.name())
    }
}

/// An error of a task or an execution: what `catch` sees, what the journal stores, what people read.
///
/// `type`, `status`, `title`, `detail` and `instance` are the DSL's; `retryable`, `suggestion`, `request` and `output` are for
/// people and are left out of what expressions see. Absent fields stay absent, they are never `null`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    #[serde(rename = "type")]
    pub error_type: String,
    pub status: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// JSON pointer to the failing task in the definition, or what the author of a `raise` wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Whether the same attempt could succeed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retryable: Option<bool>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// The request that was answered with an error: its method and address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The end of what a command had written to standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}

impl Failure {
    /// A failure of a standard type with its default status.
    pub fn new(standard: StandardType, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            error_type: standard.uri(),
            status: Value::from(standard.default_status()),
            title: Some(title.into()),
            detail: Some(detail.into()),
            instance: None,
            retryable: None,
            suggestion: None,
            request: None,
            output: None,
        }
    }

    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Value::from(status);
        self
    }

    /// Sets `instance` unless the author of the error gave one.
    #[must_use]
    pub fn at(mut self, pointer: &str) -> Self {
        self.instance.get_or_insert_with(|| pointer.to_owned());
        self
    }

    #[must_use]
    pub fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    #[must_use]
    pub fn of_request(mut self, request: String) -> Self {
        self.request = Some(request);
        self
    }

    /// Keeps what had been written until then, unless that is nothing.
    #[must_use]
    pub fn with_output(mut self, output: String) -> Self {
        self.output = (!output.is_empty()).then_some(output);
        self
    }

    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.retryable = Some(retryable);
        self
    }

    /// The error object as expressions see it: the five fields of the DSL, absent ones left out.
    pub fn to_expression_value(&self) -> Value {
        let mut map = serde_json::Map::new();
        map.insert("type".into(), Value::from(self.error_type.clone()));
        map.insert("status".into(), self.status.clone());
        for (key, value) in [("title", &self.title), ("detail", &self.detail), ("instance", &self.instance)] {
            if let Some(text) = value {
                map.insert(key.into(), Value::from(text.clone()));
            }
        }
        Value::Object(map)
    }
}
