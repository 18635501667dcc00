//! The definitions of the corpus with one value at a time replaced by something that does not belong there. Whatever that gives
//! is accepted or refused with a place, and what is accepted compiles.

use super::corpus;
use callboard::domain::definition::review_value;
use callboard::machine::{Compiles, Program};
use serde_json::{Value, json};
use std::sync::Arc;

fn intruders() -> [Value; 8] {
    [json!(null), json!(-1), json!(1.5), json!(""), json!("${ . }"), json!([]), json!({}), json!([{"a": {}}])]
}

/// The pointers of all values in a value.
fn pointers(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            pointers(value, &format!("{here}/{}", escaped(key)), found);
        }),
        Value::Array(items) => items.iter().enumerate().for_each(|(at, value)| {
            pointers(value, &format!("{here}/{at}"), found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn one_wrong_value_is_accepted_or_refused_with_its_place() {
    let mut turn = 0;
    for case in corpus() {
        let Some(definition) = case.definition_value() else { continue };
        let mut places = Vec::new();
        pointers(&definition, "", &mut places);
        for place in places {
            turn += 1;
            let mut changed = definition.clone();
            *changed.pointer_mut(&place).unwrap() = intruders()[turn % intruders().len()].clone();
            let found = review_value(&changed, &Compiles);
            match found.definition {
                Some(definition) => {
                    let compiled = Program::compile(Arc::new(definition));
                    assert!(compiled.is_ok(), "{}: accepted, but does not compile: {compiled:?}\n{changed}", case.rule);
                }
                None => assert!(!found.problems.is_empty(), "{}: refused without a problem\n{changed}", case.rule),
            }
        }
    }
    println!("{turn} definitions");
}
