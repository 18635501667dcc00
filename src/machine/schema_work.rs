//! How much work it is to check a value against a schema: an upper bound, found before the value is checked.
//!
//! Schemas refer to their own parts, so that the number of checks may grow with the power of the number of their parts, or of the
//! depth of a value: a small schema of two alternatives that each lead back to it keeps a processor busy for years with a value
//! that is nested forty deep. Nothing can interrupt a check; so one that could take too long is not begun. Here each part of a schema
//! is looked at once for each part of the value, which is little work. Called by [`super::schema`].

use serde_json::{Map, Value};
use std::collections::HashMap;
use std::ptr::from_ref;

/// Checks of one part of a schema against one part of a value that are begun. One takes some 20 to 100 nanoseconds.
const MOST_CHECKS: u64 = 2_000_000;
/// Parts of schemas that lead to each other so deep.
const MOST_DEPTH: usize = 400;
/// What a schema outside the document (one of JSON Schema itself, the only ones that there are) takes for each part of a value.
const CHECKS_OF_STANDARD: u64 = 1_000;

/// What is known of a schema document without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    /// Its values.
    size: u64,
    /// Whether parts of it may be used more than once.
    refers: bool,
}

impl Measure {
    pub(super) fn of(document: &Value) -> Self {
        const REFERRING: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
        let mut measure = Self { size: 0, refers: false };
        each(document, &mut |value| {
            measure.size = measure.size.saturating_add(1);
            let has = |map: &Map<String, Value>| REFERRING.iter().any(|word| map.contains_key(*word));
            measure.refers |= value.as_object().is_some_and(has);
        });
        measure
    }

    /// Whether a value can be checked in a bearable time. `document` is the one that was measured.
    pub(super) fn is_bearable(self, document: &Value, value: &Value) -> bool {
        let mut size = 0_u64;
        each(value, &mut |_| size = size.saturating_add(1));
        // Without references every part of the schema meets every part of the value once, at most.
        if !self.refers && self.size.saturating_mul(size) <= MOST_CHECKS {
            return true;
        }
        Estimate::new(document, size).of(document, value, 0) <= MOST_CHECKS
    }
}

/// Calls `see` with a value and everything in it.
fn each<'v>(value: &'v Value, see: &mut impl FnMut(&'v Value)) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        see(value);
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(map) => open.extend(map.values()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

struct Estimate<'s> {
    /// The document, and whatever in it has an address of its own.
    roots: Vec<&'s Value>,
    /// Parts with a name.
    anchors: HashMap<&'s str, Vec<&'s Value>>,
    /// By the places of schema and value. Absent while it is looked for: a circle that leads to the same value costs nothing.
    known: HashMap<(usize, usize), u64>,
    value_size: u64,
}

impl<'s> Estimate<'s> {
    fn new(document: &'s Value, value_size: u64) -> Self {
        let mut estimate = Self { roots: vec![document], anchors: HashMap::new(), known: HashMap::new(), value_size };
        each(document, &mut |part| {
            let Value::Object(map) = part else { return };
            if map.contains_key("$id") || map.contains_key("id") {
                estimate.roots.push(part);
            }
            let named =
                ["$anchor", "$dynamicAnchor", "$id", "id"].into_iter().filter_map(|word| map.get(word)?.as_str());
            for name in named {
                estimate.anchors.entry(name.trim_start_matches('#')).or_default().push(part);
            }
        });
        estimate
    }

    /// Checks of a schema against a value, at most; saturated beyond [`MOST_CHECKS`].
    fn of(&mut self, schema: &'s Value, value: &Value, depth: usize) -> u64 {
        let Value::Object(map) = schema else { return 1 };
        let key = (from_ref(schema).addr(), from_ref(value).addr());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        if depth > MOST_DEPTH || u64::try_from(self.known.len()).is_ok_and(|known| known > MOST_CHECKS) {
            return u64::MAX;
        }
        self.known.insert(key, 0);
        let mut total = 1_u64;
        for (keyword, part) in map {
            total = total.saturating_add(1).saturating_add(self.of_keyword(keyword, part, value, depth + 1));
            if total > MOST_CHECKS {
                break;
            }
        }
        self.known.insert(key, total);
        total
    }

    fn of_keyword(&mut self, keyword: &str, part: &'s Value, value: &Value, depth: usize) -> u64 {
        match keyword {
            "allOf" | "anyOf" | "oneOf" => self.sum(items(part).map(|part| (part, value)), depth),
            "not" | "if" | "then" | "else" => self.of(part, value, depth),
            "dependentSchemas" | "dependencies" => self.sum(members(part).map(|(_, part)| (part, value)), depth),
            "$ref" | "$dynamicRef" | "$recursiveRef" => self.of_reference(part, value, depth),
            "properties" => {
                let named = members(part).filter_map(|(name, part)| Some((part, value.as_object()?.get(name)?)));
                self.sum(named, depth)
            }
            "patternProperties" => {
                let pairs = members(part).flat_map(|(_, part)| members(value).map(move |(_, value)| (part, value)));
                self.sum(pairs, depth)
            }
            "additionalProperties" | "unevaluatedProperties" => {
                self.sum(members(value).map(|(_, value)| (part, value)), depth)
            }
            "propertyNames" => self.of(part, &Value::Null, depth).saturating_mul(children(value)),
            "items" | "prefixItems" if part.is_array() => self.sum(items(part).zip(items(value)), depth),
            "items" | "additionalItems" | "unevaluatedItems" | "contains" => {
                self.sum(items(value).map(|value| (part, value)), depth)
            }
            "enum" => children(part),
            _ => 0,
        }
    }

    fn sum<'v>(&mut self, pairs: impl Iterator<Item = (&'s Value, &'v Value)>, depth: usize) -> u64 {
        let mut sum = 0_u64;
        for (part, value) in pairs {
            sum = sum.saturating_add(self.of(part, value, depth));
            if sum > MOST_CHECKS {
                break;
            }
        }
        sum
    }

    /// Wherever a reference may lead: several parts may have the same name, below different addresses.
    fn of_reference(&mut self, reference: &Value, value: &Value, depth: usize) -> u64 {
        let reference = reference.as_str().unwrap_or("#");
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8_lossy();
        let mut targets: Vec<&'s Value> = match &*fragment {
            "" => self.roots.clone(),
            pointer if pointer.starts_with('/') => self.roots.iter().filter_map(|root| root.pointer(pointer)).collect(),
            name => self.anchors.get(name).cloned().unwrap_or_default(),
        };
        if fragment.is_empty() && address.is_empty() && self.roots.len() == 1 {
            targets.truncate(1);
        }
        if targets.is_empty() || address.contains("json-schema.org") {
            return self.value_size.saturating_mul(CHECKS_OF_STANDARD);
        }
        self.sum(targets.into_iter().map(|target| (target, value)), depth)
    }
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn children(value: &Value) -> u64 {
    let count = value.as_array().map(Vec::len).or_else(|| value.as_object().map(Map::len));
    u64::try_from(count.unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_bearable(schema: &Value, value: &Value) -> bool {
        Measure::of(schema).is_bearable(schema, value)
    }

    fn nested(depth: usize) -> Value {
        (0..depth).fold(json!(1), |inner, _| json!({ "a": inner }))
    }

    #[test]
    fn what_would_take_years_is_seen_at_once() {
        let pairs = (0..40).map(|at| {
            let next = json!({ "$ref": format!("#/$defs/d{}", at + 1) });
            (format!("d{at}"), json!({ "anyOf": [next, next] }))
        });
        let mut parts: Map<String, Value> = pairs.collect();
        parts.insert("d40".to_owned(), json!(false));
        assert!(!is_bearable(&json!({ "$defs": parts, "$ref": "#/$defs/d0" }), &json!(5)));

        let either = |name: &str| json!({ "properties": { "a": { "$ref": "#" } }, "required": [name] });
        let two_ways = json!({ "anyOf": [either("x"), either("y")] });
        assert!(is_bearable(&two_ways, &nested(10)) && !is_bearable(&two_ways, &nested(40)));

        let anchored = json!({ "$anchor": "top", "anyOf": [
            { "properties": { "a": { "$ref": "#top" } } }, { "additionalProperties": { "$ref": "#top" } },
        ] });
        assert!(!is_bearable(&anchored, &nested(40)));

        let dynamic = json!({ "$dynamicAnchor": "top", "oneOf": [
            { "properties": { "a": { "$dynamicRef": "#top" } } }, { "not": { "properties": { "a": { "$dynamicRef": "#top" } } } },
        ] });
        assert!(!is_bearable(&dynamic, &nested(40)));
    }

    #[test]
    fn ordinary_schemas_and_large_values_are_checked() {
        let tree = json!({ "$defs": { "node": { "type": "object", "properties": {
            "left": { "$ref": "#/$defs/node" }, "right": { "$ref": "#/$defs/node" }, "name": { "type": "string" },
        } } }, "$ref": "#/$defs/node" });
        let full = (0..12).fold(json!({}), |inner, _| json!({ "left": inner, "right": inner, "name": "n" }));
        assert!(is_bearable(&tree, &full));
        let rows: Vec<Value> = (0..50_000).map(|id| json!({ "id": id, "tags": ["a"] })).collect();
        let row = json!({ "type": "object", "properties": { "id": { "type": "integer" }, "tags": { "items": { "type": "string" } } } });
        assert!(is_bearable(&json!({ "items": row }), &json!(rows)));
        assert!(is_bearable(&json!({ "$ref": "#" }), &json!(1)));
        let closed = json!({ "anyOf": [{ "properties": { "a": { "$ref": "#" } } }], "unevaluatedProperties": false });
        assert!(is_bearable(&closed, &nested(40)));
        assert!(is_bearable(&json!({ "$ref": "https://json-schema.org/draft/2020-12/schema" }), &tree));
    }
}
