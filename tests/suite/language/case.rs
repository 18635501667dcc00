//! One case of the corpus: a definition, what it works on, and what has to come of it.

use callboard::domain::definition::{Definition, Problem, Severity, review};
use callboard::machine::Compiles;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::Arc;

/// As it stands in a file of `cases/`. Exactly one of `gives`, `fails`, `refused` and `stays` says the outcome.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The rule in words, with the row of the table of open questions when there is one.
    pub rule: String,
    /// The main task list; everything else of the definition is usual.
    #[serde(default, rename = "do")]
    tasks: Option<Value>,
    /// The definition, `document` may be left out.
    #[serde(default)]
    workflow: Option<Map<String, Value>>,
    /// The definition as text, for what depends on the text.
    #[serde(default)]
    text: Option<String>,
    /// Versions to be registered before.
    #[serde(default)]
    pub children: Vec<Map<String, Value>>,
    #[serde(default, rename = "with", deserialize_with = "present")]
    input: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    gives: Option<Value>,
    /// Some members of the error; `absent` lists members that must not be there, `title: "*"` any text.
    #[serde(default)]
    fails: Option<Map<String, Value>>,
    /// Members of problems that have to be among those found, and nothing is run.
    #[serde(default)]
    refused: Option<Vec<Map<String, Value>>>,
    /// Codes of all warnings. A case without it may have any.
    #[serde(default)]
    warns: Option<Vec<String>>,
    /// Every timer in the order in which it was set: purpose and milliseconds.
    #[serde(default)]
    timers: Option<Vec<String>>,
    /// How long it took in milliseconds of the clock.
    #[serde(default)]
    takes: Option<i64>,
    /// It waits for longer than a test may take, and how long does not matter.
    #[serde(default)]
    needs_time: bool,
    /// Lines of the journal that have to be there: type, pointer.
    #[serde(default)]
    journal: Vec<String>,
    #[serde(skip)]
    file: String,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Run {
    pub status: String,
    pub output: Option<Value>,
    pub error: Option<Value>,
    pub timers: Vec<String>,
    pub took_ms: i64,
    pub journal: Vec<String>,
}

impl Case {
    pub fn read_all(file: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(file).unwrap();
        let options = serde_saphyr::options! { strict_booleans: true };
        let cases: Vec<Self> = serde_saphyr::from_str_with_options(&text, options)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        cases.into_iter().map(|case| Self { file: name.clone(), ..case }).collect()
    }

    /// The same case with `SERVER` standing for the address of the stand-in.
    pub fn at(&self, server: &str) -> Self {
        let place =
            |value: &Value| -> Value { serde_json::from_str(&value.to_string().replace("SERVER", server)).unwrap() };
        let map = |map: &Map<String, Value>| place(&Value::Object(map.clone())).as_object().unwrap().clone();
        let mut case = self.clone();
        case.tasks = self.tasks.as_ref().map(place);
        case.workflow = self.workflow.as_ref().map(map);
        case.gives = self.gives.as_ref().map(place);
        case.fails = self.fails.as_ref().map(map);
        case.input = self.input.as_ref().map(place);
        case
    }

    /// Whether only a clock of its own runs it in no time.
    pub fn needs_time(&self) -> bool {
        self.needs_time || self.timers.is_some() || self.takes.is_some()
    }

    pub fn input(&self) -> Value {
        self.input.clone().unwrap_or_else(|| json!({}))
    }

    fn definition_text(&self) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let mut root = self.workflow.clone().unwrap_or_default();
        if let Some(tasks) = &self.tasks {
            root.insert("do".to_owned(), tasks.clone());
        }
        with_document(root)
    }

    /// The definition as a value, unless it matters how its text looks.
    pub fn definition_value(&self) -> Option<Value> {
        if self.text.is_some() { None } else { serde_json::from_str(&self.definition_text()).ok() }
    }

    /// Reads and checks the definition. `Ok(None)` when it is refused as the case says.
    pub fn accept(&self) -> Result<Option<Arc<Definition>>, String> {
        let text = self.definition_text();
        let found = review(&text, &Compiles);
        let of = |severity| found.problems.iter().filter(move |problem| problem.severity == severity);
        if let Some(expected) = &self.warns {
            let warnings: Vec<&str> = of(Severity::Warning).map(|problem| problem.code).collect();
            if warnings != *expected {
                return Err(format!("warnings {warnings:?}, expected {expected:?}: {:#?}", found.problems));
            }
        }
        match (&self.refused, found.definition) {
            (None, Some(definition)) => Ok(Some(Arc::new(definition))),
            (None, None) => Err(format!("refused: {:#?}", found.problems)),
            (Some(_), Some(_)) => Err("not refused".to_owned()),
            (Some(expected), None) => {
                for wanted in expected {
                    if !of(Severity::Error).any(|problem| fits(problem, wanted)) {
                        return Err(format!("no problem {wanted:?} among {:#?}", found.problems));
                    }
                }
                Ok(None)
            }
        }
    }

    /// Compares what came of it; deadlines only where the clock was exact.
    pub fn check(&self, run: &Run, is_exact: bool) -> Result<(), String> {
        if let Some(expected) = &self.gives
            && (run.status != "succeeded" || !same(run.output.as_ref().unwrap_or(&Value::Null), expected))
        {
            return Err(format!("expected {expected}\n    but {}", outcome(run)));
        }
        if let Some(expected) = &self.fails {
            let error = run.error.as_ref().filter(|_| run.status == "failed");
            let error = error.ok_or_else(|| format!("expected an error, but {}", outcome(run)))?;
            for (key, value) in expected {
                check_error(error, key, value)?;
            }
        }
        if self.gives.is_none() && self.fails.is_none() {
            return Err("the case expects nothing".to_owned());
        }
        for line in &self.journal {
            if !run.journal.contains(line) {
                return Err(format!("no {line} in {:#?}", run.journal));
            }
        }
        if is_exact && self.timers.as_ref().is_some_and(|timers| *timers != run.timers) {
            return Err(format!("timers {:?}, expected {:?}", run.timers, self.timers));
        }
        if is_exact && self.takes.is_some_and(|takes| takes != run.took_ms) {
            return Err(format!("took {} ms, expected {:?}", run.took_ms, self.takes));
        }
        Ok(())
    }

    pub fn describe(&self, why: &str) -> String {
        format!("{}: {}\n    {why}", self.file, self.rule)
    }
}

/// A definition as JSON text, with the usual `document` unless it has its own.
pub fn with_document(mut root: Map<String, Value>) -> String {
    let document = json!({"dsl": "1.0.3", "namespace": "language", "name": "case", "version": "1.0.0"});
    root.entry("document").or_insert(document);
    Value::Object(root).to_string()
}

fn fits(problem: &Problem, wanted: &Map<String, Value>) -> bool {
    let found = serde_json::to_value(problem).unwrap();
    wanted.iter().all(|(key, value)| match (key.as_str(), value) {
        ("says", Value::String(text)) => {
            let said = format!("{} {}", problem.message, problem.suggestion.clone().unwrap_or_default());
            said.to_lowercase().contains(&text.to_lowercase())
        }
        _ => found.get(key) == Some(value),
    })
}

fn check_error(error: &Value, key: &str, expected: &Value) -> Result<(), String> {
    let wrong = || Err(format!("{key} should be {expected} in {error}"));
    if key == "absent" {
        let is_absent = |name: &Value| error.get(name.as_str().unwrap()).is_none();
        return if expected.as_array().unwrap().iter().all(is_absent) { Ok(()) } else { wrong() };
    }
    let Some(found) = error.get(key) else { return wrong() };
    let is_right = match expected.as_str() {
        Some("*") => found.as_str().is_some_and(|text| !text.is_empty()),
        Some(name) if key == "type" && !name.contains(':') => {
            *found == json!(format!("https://serverlessworkflow.io/spec/1.0.0/errors/{name}"))
        }
        Some(text) if key == "detail" => found.as_str().is_some_and(|detail| detail.contains(text)),
        _ => same(found, expected),
    };
    if is_right { Ok(()) } else { wrong() }
}

/// Equal as JSON: the order of keys and the way a number is written do not matter.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        _ => left == right,
    }
}

fn outcome(run: &Run) -> String {
    match (&run.output, &run.error) {
        (Some(output), _) => format!("{} with {output}", run.status),
        (None, Some(error)) => format!("{} with {error}", run.status),
        (None, None) => format!("{}, last of the journal: {:?}", run.status, run.journal.iter().rev().take(3)),
    }
}
