//! The report of a measurement: Markdown for people, JSON for machines. Figures only count together with the hardware,
//! the commit, the settings and the seed they were measured with.

use crate::cli::error::Error;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// One report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `throughput`, `latency` or `fanout`.
    pub benchmark: &'static str,
    pub hardware: Hardware,
    pub commit: &'static str,
    pub version: &'static str,
    /// What the service was started with on top of its defaults.
    pub settings: BTreeMap<String, String>,
    pub seed: u64,
    pub workloads: Vec<Workload>,
}

/// The figures of one workload; fields that a benchmark does not measure are left out.
pub type Workload = serde_json::Map<String, Value>;

/// The machine.
#[derive(Clone, Debug, Serialize)]
pub struct Hardware {
    pub cpu: String,
    pub cores: usize,
    pub memory_bytes: u64,
}

impl Hardware {
    /// The machine this runs on.
    pub fn of_this_machine() -> Self {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kilobytes = total.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        Self {
            cpu: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: kilobytes.unwrap_or(0).saturating_mul(1_024),
        }
    }
}

impl Report {
    pub fn new(benchmark: &'static str, seed: u64, settings: &[(String, String)]) -> Self {
        Self {
            benchmark,
            hardware: Hardware::of_this_machine(),
            commit: env!("CALLBOARD_COMMIT"),
            version: env!("CARGO_PKG_VERSION"),
            settings: settings.iter().cloned().collect(),
            seed,
            workloads: Vec::new(),
        }
    }

    /// The report as Markdown: the circumstances, then one table per workload.
    pub fn markdown(&self) -> String {
        let mut text = format!("# callboard bench {}\n\n", self.benchmark);
        let gigabytes = self.hardware.memory_bytes / (1 << 30);
        let settings: Vec<String> = self.settings.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "- hardware: {}, {} cores, {gigabytes} GiB", self.hardware.cpu, self.hardware.cores);
        let _ = writeln!(text, "- version: {}, commit {}", self.version, self.commit);
        let _ = writeln!(text, "- settings: {}", settings.join(", "));
        let _ = writeln!(text, "- seed: {}", self.seed);
        for workload in &self.workloads {
            let name = workload.get("name").and_then(Value::as_str).unwrap_or_default();
            let _ = writeln!(text, "\n## {name}\n\n| measure | value |\n|---|---|");
            for (measure, value) in workload.iter().filter(|(measure, _)| *measure != "name") {
                let _ = writeln!(text, "| {} | {} |", measure.replace('_', " "), figure(value));
            }
        }
        text
    }

    /// Writes the JSON form.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_json(&self, file: &Path) -> Result<(), Error> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::failure(format!("cannot write the report as JSON: {error}")))?;
        text.push('\n');
        std::fs::write(file, text).map_err(|error| Error::file("write", file, &error))
    }
}

/// A figure for people: thousands apart.
fn figure(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let text = number.to_string();
            let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
            let mut grouped = String::new();
            for (index, digit) in whole.chars().enumerate() {
                if index > 0 && (whole.len() - index).is_multiple_of(3) && !grouped.ends_with('-') {
                    grouped.push(' ');
                }
                grouped.push(digit);
            }
            fraction.map(|digits| format!("{grouped}.{digits}")).unwrap_or(grouped)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A measured number, rounded to a sensible number of digits.
pub fn rounded(number: f64) -> Value {
    let digits: i32 = if number.abs() >= 100.0 { 0 } else { 3 };
    let scale = 10_f64.powi(digits);
    let value = (number * scale).round() / scale;
    #[expect(clippy::as_conversions, reason = "rounded and checked to be a small whole number")]
    if digits == 0 && value.abs() < 1e15 { Value::from(value as i64) } else { Value::from(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn figures_are_rounded_and_grouped() {
        let shown: Vec<String> =
            [rounded(3_123.7), rounded(0.512_345), rounded(1_234_567.0)].iter().map(figure).collect();
        assert_eq!(shown, ["3 124", "0.512", "1 234 567"]);
    }

    #[test]
    fn the_report_names_its_circumstances() {
        let mut report = Report::new("throughput", 7, &[("engine.arbiters".into(), "2".into())]);
        let workload = json!({ "name": "effects", "executions_per_second": 3_000 });
        report.workloads.push(workload.as_object().cloned().unwrap_or_default());
        let text = report.markdown();
        for part in
            ["cores", "commit", "`engine.arbiters=2`", "seed: 7", "## effects", "| executions per second | 3 000 |"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
