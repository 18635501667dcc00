//! What people read: messages and suggestions.

use super::*;

/// `message | suggestion` of the only problem.
fn words(body: &str) -> String {
    let review = review(&around(body), &Compiler);
    let [problem] = review.problems.as_slice() else { panic!("one problem: {:?}", review.problems) };
    format!("{} | {}", problem.message, problem.suggestion.as_deref().unwrap_or("-"))
}

#[test]
fn misspelled_words_get_the_right_one() {
    let cases = [
        (
            "do:\n  - a: { try: [], catch: {}, timout: x }\n",
            "a 'try' task has no property 'timout' | did you mean 'timeout'?",
        ),
        (
            "do:\n  - a: { try: [], cach: {}, catch: {} }\n",
            "a 'try' task has no property 'cach' | did you mean 'catch'?",
        ),
        ("do:\n  - a: { cal: http }\n", "the task 'a' does not say what to do | did you mean 'call' instead of 'cal'?"),
        (
            "do:\n  - fetch: { wait: PT0S }\n  - b: { wait: PT0S, then: fetsh }\n",
            "'then' leads to 'fetsh', but there is no such task in the same list | did you mean 'fetch'?",
        ),
        (
            "do:\n  - a: { raise: { error: outOfStok } }\nuse: { errors: { outOfStock: { type: 'a:b', status: 409 } } }\n",
            "there is no 'outOfStok' in use.errors | did you mean 'outOfStock'?",
        ),
        (
            "do:\n  - a: { call: gretting }\nuse: { functions: { greeting: { set: . } } }\n",
            "there is no function 'gretting' in use.functions | did you mean 'greeting'?",
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: 'http://h', output: reponse } }\n",
            "with.output cannot be 'reponse'; it is one of 'content', 'response', 'raw' | did you mean 'response'?",
        ),
        ("do:\n  - a: { wait: { Seconds: 5 } }\n", "wait has no property 'Seconds' | did you mean 'seconds'?"),
        (
            "tasks: []\ndo: []\n",
            "'tasks' is not a part of a workflow definition and is ignored | possible here: 'document', 'input', 'use', 'do', 'timeout', 'output', 'schedule', 'evaluate'",
        ),
    ];
    for (body, wanted) in cases {
        assert_eq!(words(body), wanted, "{body}");
    }
}

#[test]
fn wrong_values_come_with_the_way_out() {
    let cases = [
        (
            "do: []\ntimeout: PT5S\n",
            "a text here is a name in use.timeouts, and there is no 'PT5S' | for a duration write {after: PT5S}",
        ),
        (
            "do:\n  - a: { if: true, wait: PT0S }\n",
            "the condition 'if' must be text, but it is a boolean | quote it: \"true\"",
        ),
        ("do:\n", "do must be a list, but it is nothing | for an empty list write []"),
        (
            "do:\n  a: { wait: PT0S }\n",
            "do must be a list, but it is an object | the order matters here: write each entry as a list item that starts with '- '",
        ),
        (
            "do:\n  - a: { try: [], catch: }\n",
            "catch must be an object, but it is nothing | for an empty object write {}",
        ),
        (
            "do:\n  - a: { wait: PT250MS }\n",
            "'PT250MS' is not an ISO 8601 duration: every unit needs a number before it, such as '1.5H' | write an object such as {minutes: 1, seconds: 30} or ISO 8601 such as PT1M30S",
        ),
        ("do:\n  - a: { set: { x: .b } }\n", "'.b' is taken literally here | to evaluate it, write '${ .b }'"),
        (
            "do:\n  - a: { emit: { event: {} } }\n",
            "the task kind 'emit' is part of the DSL, but this version does not support it | -",
        ),
        (
            "do:\n  - a: { set: '${ $secrets.token }' }\n",
            "the secret 'token' is not listed in use.secrets, so reading it is refused | add 'token' to the list use.secrets",
        ),
        (
            "do:\n  - a: { call: http, with: { method: get, endpoint: example.com } }\n",
            "'example.com' is not an absolute URI | write an absolute address that starts with http:// or https://",
        ),
    ];
    for (body, wanted) in cases {
        assert_eq!(words(body), wanted, "{body}");
    }
    let review = review("document: { dsl: 1.0, namespace: n, name: a, version: '1.0.0' }\ndo: []\n", &Compiler);
    assert_eq!(review.problems[0].suggestion.as_deref(), Some("quote it: \"1.0\""));
}

#[test]
fn all_problems_of_a_definition_come_in_one_answer() {
    let text = "document:\n  dsl: '1.0.3'\n  name: x\n  version: 1.0\nuse: { retries: { r: { dely: PT1S } } }\ndo:\n  - a: { set: '${ . | }' }\n  \
                - a: { wait: 5, then: nowhere }\n  - c: { listen: { to: { any: [] } } }\ntimeout: { after: never }\n";
    let review = review(text, &Compiler);
    let wanted = [
        (2, "missing_property"),
        (4, "wrong_type"),
        (5, "unknown_property"),
        (7, "invalid_expression"),
        (8, "duplicate_task"),
        (8, "wrong_type"),
        (8, "unknown_target"),
        (9, "unsupported"),
        (10, "invalid_duration"),
    ];
    let found: Vec<(u32, &str)> = review.problems.iter().map(|problem| (problem.line.unwrap(), problem.code)).collect();
    assert_eq!(found, wanted);
}
