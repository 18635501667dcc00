//! Reports of measurements: what `callboard bench` and `callboard chaos` write with `--json`, and the service shows.

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What was measured once, with the circumstances without which figures mean nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Report {
    /// `throughput`, `latency`, `fanout`, `history`, `recovery` or `chaos`.
    pub benchmark: String,
    /// When it was begun.
    pub taken_at: Timestamp,
    pub hardware: Hardware,
    /// Of the program that was measured.
    pub commit: String,
    pub version: String,
    /// `sqlite` or `postgres`.
    pub store: String,
    /// What the service was started with on top of its defaults, without addresses of databases.
    pub settings: BTreeMap<String, String>,
    /// What `--seed` repeats it with. A text: not every program can read whole numbers of this size.
    pub seed: String,
    /// The figures, one group for each workload, which `name` names.
    #[schema(value_type = Vec<BTreeMap<String, Value>>)]
    pub workloads: Vec<Workload>,
    /// The promises that were not kept, of a run that looks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<Vec<String>>,
}

/// The figures of one workload; those that a benchmark does not measure are left out.
pub type Workload = Map<String, Value>;

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hardware {
    pub cpu: String,
    pub cores: u64,
    pub memory_bytes: u64,
}

/// The reports that the service has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Reports {
    /// Where they are, on the machine of the service: `telemetry.reports`.
    pub folder: String,
    /// The newest first.
    pub items: Vec<ReportFile>,
    /// Files of the folder that are no reports.
    pub unreadable: Vec<UnreadableReport>,
}

/// A report, and the file that it stands in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReportFile {
    pub file: String,
    #[serde(flatten)]
    pub report: Report,
}

/// A file that is no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadableReport {
    pub file: String,
    /// Why it cannot be read.
    pub detail: String,
}
