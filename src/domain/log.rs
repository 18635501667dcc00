//! Log lines: what an execution says while it runs. Not events: they may be dropped under pressure, and are searched.

use super::{AgentId, Timestamp, UnknownWord};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// How serious a line is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

impl LogLevel {
    pub const ALL: &'static [LogLevel] = &[Self::Debug, Self::Info, Self::Warn, Self::Error];

    /// The word used on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for LogLevel {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL
            .iter()
            .copied()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| UnknownWord { word: text.to_owned(), known: &["debug", "info", "warn", "error"] })
    }
}

/// One line of an execution's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// 1, 2, 3 … per execution; a gap shows that lines were dropped.
    pub n: u64,
    /// JSON pointer to the task that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    pub level: LogLevel,
    pub message: String,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub metadata: Value,
    /// What produced it: `shell`, `agent`, `engine` …
    pub source: String,
    pub at: Timestamp,
}
