//! Definitions that are accepted, and what they become.

use super::super::model::*;
use super::*;
use serde_json::json;
use std::sync::Arc;

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

/// The only task of a definition.
fn task(body: &str) -> Task {
    let mut definition = accepted(&format!("{USE}do:\n  - t: {body}\n"));
    assert_eq!(definition.tasks.len(), 1);
    definition.tasks.remove(0)
}

const USE: &str = "use:
  errors: { gone: { type: 'https://example.com/gone', status: 410 } }
  retries: { often: { delay: PT1S } }
  timeouts: { short: { after: PT5S } }
  secrets: [ key ]
  authentications: { me: { bearer: token } }
  functions: { f: { set: . } }
";

fn expression(text: &str) -> Expression {
    Expression(text.into())
}

fn seconds(count: i64) -> DurationSpec {
    DurationSpec::Literal(duration::Duration::from_micros(count * 1_000_000))
}

#[test]
fn the_examples_are_sound() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let problems = problems_of(&std::fs::read_to_string(&path).unwrap());
            assert_eq!(problems, [""; 0], "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 4, "the examples are where they are looked for");
}

#[test]
fn the_document_and_the_root() {
    let text = "document: { dsl: '1.0.3', namespace: My-Space, name: n0, version: '1.2.3-rc.1+b', title: T, summary: S,
  tags: { a: b }, metadata: { c: { d: 1 } } }
evaluate: { language: jq, mode: loose }
input: { schema: { format: 'json:draft-07', document: { type: object } }, from: { a: '${ .b }' } }
timeout: { after: { days: 1 } }
do: []
output: { as: .x, schema: { document: true } }
";
    let definition = parse(text).unwrap();
    let document = &definition.document;
    assert_eq!((&*document.namespace, &*document.name, &*document.version), ("My-Space", "n0", "1.2.3-rc.1+b"));
    assert_eq!((document.title.as_deref(), document.summary.as_deref()), (Some("T"), Some("S")));
    assert_eq!((&document.tags["a"], &document.metadata["c"]), (&json!("b"), &json!({"d": 1})));
    assert_eq!(definition.mode, EvaluationMode::Loose);
    let input = definition.input.unwrap();
    assert_eq!(input.transform, Some(Transform::Template(json!({"a": "${ .b }"}))));
    let schema = json!({"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"});
    assert_eq!(input.schema, Some(SchemaSpec::Inline(Arc::new(schema))));
    assert_eq!(definition.timeout, Some(TimeoutRef::After(seconds(86_400))));
    let output = definition.output.unwrap();
    assert_eq!(output.transform, Some(Transform::Expression(expression(".x"))));
    assert_eq!(output.schema, Some(SchemaSpec::Inline(Arc::new(json!(true)))));
    assert!(definition.tasks.is_empty());
}

#[test]
fn what_all_tasks_have() {
    let task = task(
        "{ if: ' ${ .a } ', input: { from: .b }, set: { x: 1 }, output: { as: { y: '${ .x }' } }, export: { as: $output, schema: { document: {} } }, timeout: short, then: exit, metadata: { m: '${ .never }' } }",
    );
    assert_eq!(task.condition, Some(expression(".a")));
    assert_eq!(task.input.unwrap().transform, Some(Transform::Expression(expression(".b"))));
    assert_eq!(task.output.unwrap().transform, Some(Transform::Template(json!({"y": "${ .x }"}))));
    let export = task.export.unwrap();
    assert_eq!(export.transform, Some(Transform::Expression(expression("$output"))));
    assert_eq!(export.schema, Some(SchemaSpec::Inline(Arc::new(json!({})))));
    assert_eq!(task.timeout, Some(TimeoutRef::Named("short".into())));
    assert_eq!(task.then, Directive::Exit);
    assert_eq!(task.metadata["m"], "${ .never }");
    assert_eq!(task.source["then"], "exit");
}

#[test]
fn loops_and_switches() {
    let TaskKind::For(looped) = task("{ for: { in: '${ .x }' }, do: [] }").kind else { panic!("a for") };
    assert_eq!((&*looped.each, &*looped.at), ("item", "index"));
    assert_eq!((looped.collection, looped.condition), (expression(".x"), None));
    let TaskKind::For(looped) = task("{ for: { in: [ { a: '\\(1)' } ], each: $e, at: $_i }, do: [] }").kind else {
        panic!("a for")
    };
    assert_eq!((&*looped.each, &*looped.at), ("e", "_i"));
    assert_eq!(looped.collection, expression(r#"[{"a":"\\(1)"}]"#));
    let TaskKind::Switch(cases) = task("{ switch: [ { a: { then: end } }, { b: { when: .x, then: t } } ] }").kind
    else {
        panic!("a switch")
    };
    assert_eq!(cases[0], SwitchCase { name: "a".into(), when: None, then: Directive::End });
    let then = Directive::Task("t".into());
    assert_eq!(cases[1], SwitchCase { name: "b".into(), when: Some(expression(".x")), then });
}

#[test]
fn catching_and_retrying() {
    let TaskKind::Try(caught) = task(
        "{ try: [], catch: { errors: { with: { type: t, status: 5, instance: /do, title: x, details: y } }, as: $e, when: $e.status, exceptWhen: .x,
          retry: { when: .a, exceptWhen: .b, delay: { seconds: 2 }, backoff: { linear: {} },
                   limit: { attempt: { count: 3.0, duration: PT3S }, duration: '${ .d }' }, jitter: { from: PT0S, to: PT1S } },
          do: [], then: t } }",
    )
    .kind
    else {
        panic!("a try")
    };
    let fields: Vec<ErrorField> = caught.catch.errors.iter().map(|(field, _)| *field).collect();
    use ErrorField::{Detail, Instance, Status, Title, Type};
    assert_eq!(fields, [Type, Status, Instance, Title, Detail]);
    assert_eq!(&*caught.catch.variable, "e");
    assert_eq!(caught.catch.handler, Some(vec![]));
    assert_eq!(caught.catch.then, Some(Directive::Task("t".into())));
    let wanted = RetryPolicy {
        when: Some(expression(".a")),
        except_when: Some(expression(".b")),
        delay: Some(seconds(2)),
        backoff: Backoff::Linear,
        limit_count: Some(3),
        limit_attempt_duration: Some(seconds(3)),
        limit_duration: Some(DurationSpec::Expression(expression(".d"))),
        jitter: Some((seconds(0), seconds(1))),
    };
    assert_eq!(caught.catch.retry, Some(RetryRef::Inline(wanted)));
    let TaskKind::Try(bare) = task("{ try: [], catch: {} }").kind else { panic!("a try") };
    assert_eq!((&*bare.catch.variable, &bare.catch.handler, &bare.catch.retry), ("error", &None, &None));
}

#[test]
fn raising_and_waiting() {
    let inline = "{ raise: { error: { type: 'https://e.x/${a}', status: '${ .s }', title: T, detail: '${ .d }', instance: /i } } }";
    let TaskKind::Raise(RaiseError::Inline(error)) = accepted_with_warnings(inline).kind else { panic!("a raise") };
    assert_eq!((error.status, error.detail), (json!("${ .s }"), Some(json!("${ .d }"))));
    assert_eq!(task("{ raise: { error: gone } }").kind, TaskKind::Raise(RaiseError::Named("gone".into())));
    assert_eq!(task("{ wait: { milliseconds: 1500, seconds: 0 } }").kind, {
        TaskKind::Wait(DurationSpec::Literal(duration::Duration::from_micros(1_500_000)))
    });
    let calendar = duration::Duration { months: 14, micros: 0 };
    assert_eq!(task("{ wait: P1Y2M }").kind, TaskKind::Wait(DurationSpec::Literal(calendar)));
    assert_eq!(task("{ wait: '${ .w }' }").kind, TaskKind::Wait(DurationSpec::Expression(expression(".w"))));
}

fn accepted_with_warnings(body: &str) -> Task {
    parse(&around(&format!("{USE}do:\n  - t: {body}\n"))).unwrap().tasks.remove(0)
}

#[test]
fn http_calls() {
    let TaskKind::CallHttp(call) =
        task("{ call: http, with: { method: Patch, endpoint: 'https://h/{a.b}?q={c}' } }").kind
    else {
        panic!("a call")
    };
    assert_eq!(
        (call.method.as_str(), call.output, call.redirect),
        ("PATCH", crate::domain::HttpOutput::Content, false)
    );
    assert_eq!(call.endpoint.uri, UriSpec::Template("https://h/{a.b}?q={c}".into()));
    let TaskKind::CallHttp(call) = task(
        "{ call: http, with: { method: post, endpoint: { uri: '${ .u }', authentication: me }, headers: '${ .h }', query: { a: [ 1, b ], c: '${ .c }' }, body: [ '${ .x }' ], output: raw, redirect: true } }",
    )
    .kind
    else {
        panic!("a call")
    };
    assert_eq!(call.endpoint.uri, UriSpec::Expression(expression(".u")));
    assert_eq!(call.endpoint.authentication, Some(AuthenticationRef::Named("me".into())));
    assert_eq!((call.headers, call.body), (Some(json!("${ .h }")), Some(json!(["${ .x }"]))));
    assert_eq!((call.output, call.redirect), (crate::domain::HttpOutput::Raw, true));
}

#[test]
fn authentication_policies() {
    let policies = [
        ("{ basic: { username: u, password: '${ .p }' } }", json!({"basic": {"username": "u", "password": "${ .p }"}})),
        ("{ bearer: abc }", json!({"bearer": {"token": "abc"}})),
        ("{ bearer: { token: abc } }", json!({"bearer": {"token": "abc"}})),
        ("{ digest: { use: key } }", json!({"digest": {"use": "key"}})),
        (
            "{ oauth2: { authority: 'http://a', grant: client-credentials, client: { id: i, secret: s }, endpoints: { token: /t }, scopes: [ a ], request: { encoding: application/json } } }",
            json!({"oauth2": {"authority": "http://a", "grant": "client_credentials", "client": {"id": "i", "secret": "s"},
                   "endpoints": {"token": "/t"}, "scopes": ["a"], "request": {"encoding": "application/json"}}}),
        ),
        (
            "{ oidc: { authority: 'http://a', grant: password, username: u, password: p, client: { authentication: none } } }",
            json!({"oidc": {"authority": "http://a", "grant": "password", "username": "u", "password": "p",
                   "client": {"authentication": "none"}}}),
        ),
    ];
    for (policy, wanted) in policies {
        let body = format!(
            "{{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://h', authentication: {policy} }} }} }}"
        );
        let TaskKind::CallHttp(call) = task(&body).kind else { panic!("a call") };
        assert_eq!(call.endpoint.authentication, Some(AuthenticationRef::Inline(wanted)));
    }
}

#[test]
fn functions_and_agents() {
    let function = |with| TaskKind::CallFunction(FunctionCall { function: "f".into(), with });
    assert_eq!(task("{ call: f }").kind, function(json!({})));
    assert_eq!(task("{ call: f, with: { a: '${ .b }' } }").kind, function(json!({"a": "${ .b }"})));
    let TaskKind::CallAgent(call) = task("{ call: agent, with: { agent: '${ .who }', input: { x: '${ .x }' }, system_prompt: s, parameters: { p: 1 }, output: response } }").kind else {
        panic!("a call")
    };
    let wanted = AgentCall {
        agent: json!("${ .who }"),
        prompt: Some(json!({"x": "${ .x }"})),
        system_prompt: Some(json!("s")),
        parameters: Some(json!({"p": 1})),
        output: crate::domain::AgentOutput::Response,
    };
    assert_eq!(*call, wanted);
    let own = accepted("do: [ { t: { call: agent, with: { x: 1 } } } ]\nuse: { functions: { agent: { set: . } } }\n");
    assert!(matches!(&own.tasks[0].kind, TaskKind::CallFunction(call) if &*call.function == "agent"));
}

#[test]
fn processes() {
    let TaskKind::RunShell(shell) =
        task("{ run: { shell: { command: ls }, await: false }, metadata: { on_unknown_outcome: fault } }").kind
    else {
        panic!("a run")
    };
    assert_eq!((shell.wait_for_end, shell.returns), (false, crate::domain::ProcessReturn::Stdout));
    assert_eq!((shell.on_unknown_outcome, shell.arguments.len()), (UnknownOutcome::Fault, 0));
    let TaskKind::RunShell(shell) = task("{ run: { shell: { command: '${ .c }', arguments: [ a, '${ .b }', 3, true ], stdin: { x: 1 }, environment: { A: 1, B: '${ .b }' } }, return: all } }").kind else {
        panic!("a run")
    };
    assert_eq!(shell.arguments, [json!("a"), json!("${ .b }"), json!(3), json!(true)]);
    assert_eq!((shell.stdin, shell.environment), (Some(json!({"x": 1})), Some(json!({"A": 1, "B": "${ .b }"}))));
    assert_eq!((shell.on_unknown_outcome, shell.returns), (UnknownOutcome::Rerun, crate::domain::ProcessReturn::All));
    let TaskKind::RunWorkflow(child) = task("{ run: { workflow: { namespace: n, name: w }, return: none } }").kind
    else {
        panic!("a run")
    };
    assert_eq!((child.version, child.input, child.wait_for_end), (json!("latest"), None, true));
    assert!(child.returns_nothing);
}

#[test]
fn pointers_lead_to_the_tasks() {
    let definition = accepted(
        "do:
  - a/b: { do: [ { x~y: { fork: { branches: [ { l: { set: . } }, { r: { try: [ { t: { set: . } } ], catch: { do: [ { h: { set: . } } ] } } } ] } } } ] }
",
    );
    let mut pointers = Vec::new();
    collect_pointers(&definition.tasks, &mut pointers);
    let wanted = [
        "/do/0/a~1b",
        "/do/0/a~1b/do/0/x~0y",
        "/do/0/a~1b/do/0/x~0y/fork/branches/0/l",
        "/do/0/a~1b/do/0/x~0y/fork/branches/1/r",
        "/do/0/a~1b/do/0/x~0y/fork/branches/1/r/try/0/t",
        "/do/0/a~1b/do/0/x~0y/fork/branches/1/r/catch/do/0/h",
    ];
    assert_eq!(pointers, wanted);
    for pointer in wanted {
        assert!(definition.source.pointer(pointer).is_some(), "{pointer}");
    }
}

fn collect_pointers(tasks: &[Task], pointers: &mut Vec<String>) {
    for task in tasks {
        pointers.push(task.pointer.to_string());
        match &task.kind {
            TaskKind::Do(list) => collect_pointers(list, pointers),
            TaskKind::Fork(fork) => collect_pointers(&fork.branches, pointers),
            TaskKind::Try(guarded) => {
                collect_pointers(&guarded.body, pointers);
                collect_pointers(guarded.catch.handler.as_deref().unwrap_or_default(), pointers);
            }
            TaskKind::For(looped) => collect_pointers(&looped.body, pointers),
            TaskKind::Set(_) | TaskKind::Switch(_) | TaskKind::Raise(_) | TaskKind::Wait(_) => {}
            TaskKind::CallHttp(_) | TaskKind::CallAgent(_) | TaskKind::CallFunction(_) => {}
            TaskKind::RunShell(_) | TaskKind::RunWorkflow(_) => {}
        }
    }
}
