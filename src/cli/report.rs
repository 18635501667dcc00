//! Reports of `bench` and `chaos`: Markdown for people, JSON for machines and for the service, which shows it. Figures only count
//! together with the hardware, the commit, the settings and the seed they were measured with.

use super::error::Error;
use crate::clock::{Clock, SystemClock};
use crate::wire::report::{Hardware, Report};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// A report without figures, of something that begins now.
pub fn begin(benchmark: &str, store: &str, seed: u64, settings: &[(String, String)]) -> Report {
    Report {
        benchmark: benchmark.to_owned(),
        taken_at: SystemClock.now(),
        hardware: this_machine(),
        commit: env!("CALLBOARD_COMMIT").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        store: store.to_owned(),
        settings: settings.iter().cloned().collect(),
        seed: seed.to_string(),
        workloads: Vec::new(),
        violations: None,
    }
}

fn this_machine() -> Hardware {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kilobytes = total.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    let cores = std::thread::available_parallelism().ok().and_then(|cores| u64::try_from(cores.get()).ok());
    Hardware {
        cpu: model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.trim().to_owned()),
        cores: cores.unwrap_or(1),
        memory_bytes: kilobytes.unwrap_or(0).saturating_mul(1_024),
    }
}

/// The report as Markdown: the circumstances, then one table per workload.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# callboard bench {}\n\n", report.benchmark);
    let gigabytes = report.hardware.memory_bytes / (1 << 30);
    let settings: Vec<String> = report.settings.iter().map(|(key, value)| format!("`{key}={value}`")).collect();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "- hardware: {}, {} cores, {gigabytes} GiB", report.hardware.cpu, report.hardware.cores);
    let _ = writeln!(text, "- version: {}, commit {}", report.version, report.commit);
    let _ = writeln!(text, "- settings: {}", settings.join(", "));
    let _ = writeln!(text, "- seed: {}", report.seed);
    for workload in &report.workloads {
        let name = workload.get("name").and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(text, "\n## {name}\n\n| measure | value |\n|---|---|");
        for (measure, value) in workload.iter().filter(|(measure, _)| *measure != "name") {
            let _ = writeln!(text, "| {} | {} |", measure.replace('_', " "), figure(value));
        }
    }
    text
}

/// Writes the JSON form, and makes the folder for it.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json(report: &Report, file: &Path) -> Result<(), Error> {
    let mut text = serde_json::to_string_pretty(report)
        .map_err(|error| Error::failure(format!("cannot write the report as JSON: {error}")))?;
    text.push('\n');
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| Error::file("make", folder, &error))?;
    }
    std::fs::write(file, text).map_err(|error| Error::file("write", file, &error))
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
        let mut report = begin("throughput", "sqlite", 7, &[("engine.arbiters".into(), "2".into())]);
        let workload = json!({ "name": "effects", "executions_per_second": 3_000 });
        report.workloads.push(workload.as_object().cloned().unwrap_or_default());
        let text = markdown(&report);
        for part in
            ["cores", "commit", "`engine.arbiters=2`", "seed: 7", "## effects", "| executions per second | 3 000 |"]
        {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
