//! The rules of the DSL as tables: what is accepted, and for each rule a definition that breaks it.

mod accepted;

use super::*;

/// A definition around the given tasks (and other root properties), which start on line 6 unless there are others.
fn around(body: &str) -> String {
    format!("document:\n  dsl: '1.0.3'\n  namespace: test\n  name: case\n  version: '0.1.0'\n{body}")
}

fn accepted(body: &str) -> Definition {
    let review = review(&around(body), &Unchecked);
    assert_eq!(review.problems, [], "{body}");
    review.definition.expect("a definition without problems")
}
