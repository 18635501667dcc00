//! Problem details (RFC 9457) as answers and `error` frames carry them.

use super::catalog::Code;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong with a request, for programs (`code`, `errors`) and for people (`title`, `detail`, `suggestion`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// URI of the kind of problem.
    #[serde(rename = "type")]
    #[schema(examples("urn:callboard:problem:not_found"))]
    pub problem_type: String,
    /// The kind of problem in words; the same for every occurrence.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What went wrong this time.
    pub detail: String,
    /// The path of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// One word from the catalog.
    #[schema(value_type = String, examples("not_found"))]
    pub code: Code,
    /// One entry per field, parameter or position that is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What the caller can do about it.
    pub suggestion: String,
    /// The id under which the service's log knows the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// What is wrong with it.
    pub detail: String,
    /// JSON pointer into the body or the definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The query parameter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A stable word for the rule that is broken, for problems of a definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// `error`, or `warning` for what does not stop the definition from being used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// 1 is the first line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// 1 is the first column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let entry = code.entry();
        Self {
            problem_type: entry.type_uri(),
            title: entry.title.to_owned(),
            status: entry.status,
            detail: detail.into(),
            instance: None,
            code,
            errors: Vec::new(),
            suggestion: entry.suggestion.to_owned(),
            request_id: None,
        }
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Replaces the catalog's suggestion by one that fits this occurrence better.
    #[must_use]
    pub fn with_suggestion(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = suggestion.into();
        self
    }
}
