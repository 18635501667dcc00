//! What each task instance is given, found from the journal alone: the input of a task is the output of the one before it in
//! its list, and that of the first is what the list begins with. Only [`super::task`] asks.

use serde_json::Value;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::discriminant;
use std::sync::Arc;

/// Values above this size are named by the event that carries them.
const MAX_VALUE_BYTES: usize = 64 * 1024;

/// A value of the data flow.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Datum {
    /// Absent when it is large.
    pub value: Option<Arc<Value>>,
    /// The event that carries it.
    pub seq: u64,
    /// Of a large one: what tells it from others.
    pub mark: Option<u64>,
}

impl Datum {
    pub fn new(value: Value, seq: u64) -> Self {
        let is_small = super::frame::size_is_below(&value, MAX_VALUE_BYTES);
        let mark = (!is_small).then(|| mark_of(&value));
        Self { value: is_small.then(|| Arc::new(value)), seq, mark }
    }

    /// The field of a view that says where the value is, when the view does not carry it.
    pub fn seq_when_large(&self) -> Option<u64> {
        self.value.is_none().then_some(self.seq)
    }
}

/// The values that the next tasks get.
#[derive(Clone, Debug, Default)]
pub(super) struct DataFlow {
    /// Of the execution.
    input: Option<Datum>,
    /// By path: what the task at it works on, after its `input.from`.
    given: HashMap<Arc<str>, Datum>,
    /// By path of the call: what the body of a function gets.
    arguments: HashMap<Arc<str>, Datum>,
    /// By path of a list: what its next task gets.
    lists: HashMap<Box<str>, Datum>,
}

impl DataFlow {
    /// The execution works on this.
    pub fn begin(&mut self, input: Datum) {
        self.input = Some(input);
    }

    /// A task begins, with an input of its own when it transforms what it gets. Answers what it works on; `None` when the
    /// journal does not tell.
    pub fn start(&mut self, path: &Arc<str>, own: Option<Datum>, arguments: Option<Datum>) -> Option<Datum> {
        if let Some(arguments) = arguments {
            self.arguments.insert(Arc::clone(path), arguments);
        }
        let given = own.or_else(|| self.raw_input(path))?;
        self.given.insert(Arc::clone(path), given.clone());
        Some(given)
    }

    /// A task is left out; what it gets goes to the next one.
    pub fn skip(&mut self, path: &str) -> Option<Datum> {
        self.raw_input(path)
    }

    /// A task is done.
    pub fn complete(&mut self, path: &str, output: Datum) {
        self.lists.insert(list_of(path).into(), output);
    }

    fn raw_input(&mut self, path: &str) -> Option<Datum> {
        // The one task of a function's body has the path of its list.
        if let Some(call) = path.strip_suffix("/f") {
            return self.arguments.get(call).cloned();
        }
        let list = list_of(path);
        if let Some(value) = self.lists.get(list) {
            return Some(value.clone());
        }
        let first = self.first(list)?;
        // An iteration of nothing but skipped tasks hands on what it began with.
        self.lists.insert(list.into(), first.clone());
        Some(first)
    }

    /// What a list begins with.
    fn first(&self, list: &str) -> Option<Datum> {
        if list.is_empty() {
            return self.input.clone();
        }
        let (task, segment) = list.rsplit_once('/').unwrap_or(("", list));
        if segment.starts_with('s') || segment == "f" {
            // The list of a `do` continues the path of its task.
            return self.given.get(list).cloned();
        }
        let before = segment.strip_prefix('i').and_then(|n| n.parse::<u64>().ok()?.checked_sub(1));
        let before = before.and_then(|n| self.lists.get(format!("{task}/i{n}").as_str()));
        before.or_else(|| self.given.get(task)).cloned()
    }
}

/// A number that is the same for equal values, whatever the order of their fields.
fn mark_of(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    discriminant(value).hash(&mut hasher);
    match value {
        Value::Null => {}
        Value::Bool(is) => is.hash(&mut hasher),
        Value::Number(number) => number.hash(&mut hasher),
        Value::String(text) => text.hash(&mut hasher),
        Value::Array(items) => items.iter().for_each(|item| mark_of(item).hash(&mut hasher)),
        Value::Object(fields) => {
            let of_field = |(name, field): (&String, &Value)| {
                let mut hasher = DefaultHasher::new();
                (name, mark_of(field)).hash(&mut hasher);
                hasher.finish()
            };
            fields.iter().map(of_field).fold(0, u64::wrapping_add).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The path of the list that a task is in; empty for the main one.
fn list_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(list, _)| list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn flow() -> DataFlow {
        let mut flow = DataFlow::default();
        flow.begin(Datum::new(json!("in"), 1));
        flow
    }

    fn start(flow: &mut DataFlow, path: &str) -> Value {
        let given = flow.start(&path.into(), None, None);
        given.and_then(|given| given.value).map_or(Value::Null, |value| Value::clone(&value))
    }

    #[test]
    fn a_task_gets_what_the_one_before_it_gave() {
        let mut flow = flow();
        assert_eq!(start(&mut flow, "s0:a"), "in");
        flow.complete("s0:a", Datum::new(json!("a"), 3));
        flow.skip("s1:b");
        assert_eq!(start(&mut flow, "s2:c"), "a");
    }

    #[test]
    fn an_iteration_goes_on_with_the_value_of_the_last_one() {
        let mut flow = flow();
        start(&mut flow, "s0:each");
        assert_eq!(start(&mut flow, "s0:each/i0/s0:a"), "in");
        flow.complete("s0:each/i0/s0:a", Datum::new(json!(0), 4));
        flow.skip("s0:each/i1/s0:a");
        assert_eq!(start(&mut flow, "s0:each/i2/s0:a"), 0);
    }

    #[test]
    fn branches_attempts_handlers_and_nested_lists_begin_with_the_input_of_their_task() {
        let mut flow = flow();
        flow.start(&"s0:all".into(), Some(Datum::new(json!("own"), 2)), None);
        for path in ["s0:all/b0/s0:x", "s0:all/b1/s0:y", "s0:all/a1/s0:z", "s0:all/h/s0:w", "s0:all/s0:v"] {
            assert_eq!(start(&mut flow, path), "own", "{path}");
        }
        flow.start(&"s1:call".into(), None, Some(Datum::new(json!("arguments"), 9)));
        assert_eq!(start(&mut flow, "s1:call/f"), "arguments");
        assert_eq!(start(&mut flow, "s1:call/f/s0:inside"), "arguments");
    }

    #[test]
    fn a_large_value_is_named_by_its_event() {
        let of = |value: &Value| Datum::new(json!({ "a": "x".repeat(70_000), "b": value }), 7);
        let large = of(&json!([1, 2]));
        assert_eq!((large.value.as_ref(), large.seq_when_large()), (None, Some(7)));
        let turned = Datum::new(json!({ "b": [1, 2], "a": "x".repeat(70_000) }), 8);
        assert_eq!(large.mark, turned.mark);
        assert_ne!(large.mark, of(&json!([2, 1])).mark);
    }
}
