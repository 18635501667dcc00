//! Definitions that are accepted, and what they become.

use super::super::model::*;
use super::*;
use serde_json::json;

#[test]
fn everything_at_once_becomes_the_model() {
    let definition = accepted(
        "use:
  errors: { gone: { type: 'https://example.com/gone', status: 410 } }
  retries: { often: { delay: PT1S, limit: { attempt: { count: 3 } } } }
  timeouts: { short: { after: { seconds: 5 } } }
  secrets: [ key ]
  functions: { double: { set: '${ . * 2 }' } }
do:
  - first: { set: { a: '${ .b }', lit: b }, then: last }
  - loop:
      for: { each: n, in: .items }
      while: $n < 3
      do: [ { twice: { call: double, with: { n: '${ $n }' } } } ]
  - guarded:
      try: [ { get: { call: http, with: { method: get, endpoint: 'https://example.com/{id}' } } } ]
      catch: { errors: { with: { status: 503 } }, as: why, retry: often, do: [ { oops: { raise: { error: gone } } } ] }
  - pick: { switch: [ { big: { when: .a > 1, then: exit } }, { other: { then: continue } } ] }
  - both: { fork: { compete: true, branches: [ { x: { wait: PT1S } }, { y: { set: . } } ] } }
  - shell: { run: { shell: { command: 'echo $1', arguments: [ '${ .a }', 2 ] }, return: code } }
  - child: { run: { workflow: { namespace: n, name: w, input: { x: 1 } }, await: false } }
  - ask: { call: agent, with: { agent: builtin, prompt: hello, output: json } }
  - last: { do: [], if: .a, timeout: short, export: { as: '$context + .' } }
",
    );
    assert_eq!(definition.tasks.len(), 9);
    assert_eq!(&*definition.tasks[0].pointer, "/do/0/first");
    assert_eq!(definition.tasks[0].then, Directive::Task("last".into()));
    assert_eq!(definition.tasks[0].kind, TaskKind::Set(Transform::Template(json!({"a": "${ .b }", "lit": "b"}))));
    let TaskKind::For(looped) = &definition.tasks[1].kind else { panic!("a for") };
    assert_eq!((&*looped.each, &*looped.at, looped.body.len()), ("n", "index", 1));
    assert_eq!(&*looped.body[0].pointer, "/do/1/loop/do/0/twice");
    let TaskKind::Try(guarded) = &definition.tasks[2].kind else { panic!("a try") };
    assert_eq!(guarded.catch.errors, [(ErrorField::Status, json!(503))]);
    assert_eq!(&*guarded.catch.variable, "why");
    assert_eq!(guarded.catch.retry, Some(RetryRef::Named("often".into())));
    assert_eq!(guarded.catch.handler.as_ref().map(Vec::len), Some(1));
    assert_eq!(definition.components.retries[0].1.limit_count, Some(3));
    assert_eq!(&*definition.components.functions[0].1.pointer, "/use/functions/double");
    assert_eq!(definition.digest.len(), 64);
}
