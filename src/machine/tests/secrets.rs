//! Secrets: read where they are used, and in no event, state or text for people.

use super::world::{World, failed, summary};
use crate::domain::secret::{Opened, Unavailable};
use crate::domain::{Authentication, EffectRequest, EventBody, Failure, Secrets, StandardType, Status, TimerPurpose};
use crate::machine::{Action, Input, Outstanding, outstanding};
use crate::machine::{DirectEvaluator, Moment, WithSecrets};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::sync::Arc;

const KEY: &str = "sk-live-0123456789";
const PASSWORD: &str = "pass/word+ä\"42";

fn secrets() -> Arc<Secrets> {
    let opened = |value: Value| Ok(Arc::new(Opened::new(value)));
    let login = json!({"username": "ada.lovelace", "password": PASSWORD});
    let oauth =
        json!({"authority": "http://idp", "grant": "client_credentials", "client": {"id": "app", "secret": KEY}});
    Arc::new(Secrets::new(vec![
        ("key".into(), opened(json!(KEY))),
        ("login".into(), opened(login)),
        ("oauth".into(), opened(oauth)),
        ("gone".into(), Err(Unavailable::Missing)),
        ("sealed".into(), Err(Unavailable::Unreadable)),
    ]))
}

fn pending(tasks: &str, input: Value) -> World {
    let mut world = World::pending(&format!("use: {{ secrets: [ key, login, oauth, gone, sealed ] }}\n{tasks}"), input);
    world.secrets = secrets();
    world
}

fn run(tasks: &str, input: Value) -> World {
    let mut world = pending(tasks, input);
    world.give(Input::Start);
    world
}

/// Nothing of the secrets is in the journal or the state, in any form they are looked for.
fn assert_clean(world: &World) {
    let journal = serde_json::to_string(&world.journal).unwrap();
    let state = serde_json::to_string(&world.state).unwrap();
    for text in [journal, state] {
        for part in [KEY, PASSWORD, "0123456789", "sk-live", "word+", &STANDARD.encode(KEY)[..20]] {
            assert!(!text.contains(part), "{part} is in {text}");
        }
        assert!(!world.secrets.redactor().finds(&text), "{text}");
    }
    world.assert_replayable();
}

fn http(world: &World) -> crate::domain::HttpRequest {
    let Some((_, _, EffectRequest::Http(request))) = world.effects.first() else {
        panic!("{:?} {:?}", world.effects, world.state.error())
    };
    *request.clone()
}

#[test]
fn a_request_gets_the_value_and_the_journal_does_not() {
    let mut world = run(
        "do: [ { ask: { call: http, with: { method: post, endpoint: '${ \"http://h/bot\" + $secrets.key + \"/send?k=\" + $secret.key }', headers: { X: '${ \"Key \" + $secrets.key }' }, body: { p: '${ $secrets.login.password }' } } } } ]",
        json!({}),
    );
    let request = http(&world);
    assert_eq!(request.uri, format!("http://h/bot{KEY}/send?k={KEY}"));
    assert_eq!(request.headers, [("X".to_owned(), format!("Key {KEY}"))]);
    assert_eq!(request.body, Some(json!({"p": PASSWORD})));
    assert_clean(&world);
    let echo = json!({"you": {"sent": [format!("Key {KEY}"), KEY]}, KEY: true, "b64": STANDARD.encode(format!("ada.lovelace:{PASSWORD}"))});
    world.succeed("s0:ask", echo);
    assert_clean(&world);
    let output = world.output();
    assert_eq!(output["you"], json!({"sent": ["Key ***", "***"]}));
    assert_eq!(output["***"], true);
}

#[test]
fn a_secret_that_the_input_of_a_task_reads_reaches_its_request_also_after_a_crash() {
    let tasks = "do: [ { ask: { input: { from: '{ token: $secrets.key, at: now }' }, call: http, with: { method: get, endpoint: 'http://h/{token}', headers: { X: '${ .token }', Y: '${ $input.token }', Z: '${ .at }' } }, output: { as: '{ raw: ., used: $input.token }' } } } ]";
    let mut world = run(tasks, json!({}));
    let first = http(&world);
    assert_eq!(first.uri, format!("http://h/{KEY}"));
    assert_eq!((first.headers[0].1.as_str(), first.headers[1].1.as_str()), (KEY, KEY));
    assert_clean(&world);

    world.now = world.now.plus_millis(5_000);
    let evaluator = WithSecrets { evaluator: DirectEvaluator, secrets: &world.secrets };
    let moment = Moment { at: world.now, seed: 1 };
    let asked = outstanding(&world.program, &world.replayed(), &moment, &evaluator).actions;
    let [Action::RunEffect { request: EffectRequest::Http(again), .. }] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(**again, first);
    world.give(Input::Recovered { reason: "test".into(), restarts: 1, recovered_in_ms: 1 });
    assert_eq!(http(&world), first);

    world.succeed("s0:ask", json!("done"));
    assert_clean(&world);
    assert_eq!(world.output(), json!({"raw": "done", "used": "***"}));
}

#[test]
fn what_is_handed_on_is_hidden_for_the_next_task() {
    let world = run(
        "do: [ { a: { set: { v: '${ $secrets.key }', n: 1 }, export: { as: '{ c: $secrets.login }' } } }, { b: { set: { before: '${ .v }', context: '${ $context.c.password }', right: '${ $secrets.key | startswith(\"sk-\") }' } } } ]",
        json!({}),
    );
    assert_clean(&world);
    assert_eq!(world.output(), json!({"before": "***", "context": "***", "right": true}));
}

#[test]
fn lists_start_with_what_is_in_the_journal() {
    let world = run(
        "do: [ { l: { input: { from: '{ t: $secrets.key }' }, do: [ { a: { set: { t: '${ .t }' } } } ] } }, { f: { for: { in: '[$secrets.key]' }, do: [ { b: { set: { i: '${ $item }', t: '${ .t }' } } } ] } } ]",
        json!({}),
    );
    assert_clean(&world);
    assert_eq!(world.output(), json!({"i": "***", "t": "***"}));
}

#[test]
fn decisions_may_depend_on_a_secret() {
    let world = run(
        "do: [ { a: { if: '$secrets.key == .key', set: { equal: true } } }, { s: { switch: [ { is: { when: '${ $secrets.login.username == \"ada.lovelace\" }', then: exit } } ] } }, { b: { set: { not: here } } } ]",
        json!({"key": KEY.len()}),
    );
    assert_eq!(world.output(), json!({"key": KEY.len()}));
}

#[test]
fn unavailable_secrets_are_an_authorization_error_that_says_what_to_do() {
    for (read, suggestion) in
        [("$secrets.gone", "secrets set gone"), ("$secrets.sealed", "key"), ("$secrets.other", "use.secrets")]
    {
        let world = run(&format!("do: [ {{ a: {{ set: {{ v: '${{ {read} }}' }} }} }} ]"), json!({}));
        assert_eq!(summary(&world.error()), failed("authorization", 403, "/do/0/a"), "{read}");
        let said = world.state.error().unwrap().suggestion.clone().unwrap();
        assert!(said.contains(suggestion), "{said}");
    }
    let caught = run(
        "do: [ { t: { try: [ { a: { set: { v: '${ $secrets.gone }' } } } ], catch: { errors: { with: { type: 'https://serverlessworkflow.io/spec/1.0.0/errors/authorization' } }, do: [ { h: { set: { c: '${ $error.status }' } } } ] } } } ]",
        json!({}),
    );
    assert_eq!(caught.output(), json!({"c": 403}));
}

#[test]
fn a_dynamic_name_sees_all_that_are_listed() {
    let mut world = World::pending(
        "use: { secrets: [ key, login ] }\ndo: [ { a: { if: '($secrets[.name] | length) == 18 and ($secrets | keys) == [\"key\", \"login\"]', set: { yes: 1 } } } ]",
        json!({"name": "key"}),
    );
    world.secrets = secrets();
    world.give(Input::Start);
    assert_eq!(world.output(), json!({"yes": 1}));
}

#[test]
fn policies_take_their_properties_from_a_secret() {
    let policy = |policy: &str| {
        let tasks = format!(
            "do: [ {{ ask: {{ call: http, with: {{ method: get, endpoint: {{ uri: 'http://h/', authentication: {policy} }} }}, output: {{ as: '{{ scheme: $authorization.scheme, parameter: $authorization.parameter }}' }} }} }} ]"
        );
        run(&tasks, json!({}))
    };
    let login = (String::from("ada.lovelace"), String::from(PASSWORD));
    let mut basic = policy("{ basic: { use: login } }");
    let expected = Authentication::Basic { username: login.0.clone(), password: login.1.clone() };
    assert_eq!(http(&basic).authentication, Some(expected));
    basic.succeed("s0:ask", json!(null));
    assert_clean(&basic);
    let output = basic.output();
    assert_eq!(output["scheme"], "Basic");
    assert!(output["parameter"].as_str().unwrap().contains("***"), "{output}");

    let digest = Authentication::Digest { username: login.0, password: login.1 };
    assert_eq!(http(&policy("{ digest: { use: login } }")).authentication, Some(digest));
    let bearer = Some(Authentication::Bearer { token: KEY.into() });
    assert_eq!(http(&policy("{ bearer: { use: key } }")).authentication, bearer);
    assert_eq!(http(&policy("{ bearer: { token: '${ $secrets.key }' } }")).authentication, bearer);
    for scheme in ["oauth2", "oidc"] {
        match http(&policy(&format!("{{ {scheme}: {{ use: oauth }} }}"))).authentication {
            Some(Authentication::OAuth2(oauth) | Authentication::Oidc(oauth)) => {
                assert_eq!((oauth.client_id.as_deref(), oauth.client_secret.as_deref()), (Some("app"), Some(KEY)));
            }
            other => panic!("{other:?}"),
        }
    }
    let wrong = policy("{ basic: { use: key } }");
    assert_eq!(summary(&wrong.error()), failed("configuration", 400, "/do/0/ask"));
    assert_clean(&wrong);
    assert_eq!(summary(&policy("{ basic: { use: gone } }").error()), failed("authorization", 403, "/do/0/ask"));
}

#[test]
fn errors_do_not_quote_what_they_failed_on() {
    for expression in [
        "$secrets.key + 1",
        "$secrets.key | .a",
        "$secrets.login | .password | tonumber",
        "error($secrets.key)",
        "error($secrets.key[0:9])",
        "$secrets.key | fromjson",
    ] {
        let world = run(&format!("do: [ {{ a: {{ set: {{ v: '${{ {expression} }}' }} }} }} ]"), json!({}));
        assert_eq!(summary(&world.error()), failed("expression", 400, "/do/0/a"), "{expression}");
        assert_clean(&world);
    }
    for task in [
        "input: { from: '{ t: $secrets.key }' }, set: { v: '${ .t + 1 }' }",
        "input: { from: '{ t: $secrets.key }' }, wait: '${ .t }'",
        "wait: '${ $secrets.key }'",
        "for: { in: '$secrets.key' }, do: []",
        "raise: { error: { type: 't', status: 1, detail: '${ $secrets.key }', title: '${ $secrets.login.password }' } }",
        "raise: { error: { type: 't', status: '${ $secrets.key }' } }",
        "set: { v: '${ $secrets.key }' }, output: { schema: { document: { properties: { v: { type: integer } } } } }",
        "set: { v: '${ $secrets.login }' }, export: { as: .v, schema: { document: { type: string } } }",
        "call: http, with: { method: get, endpoint: 'http://h/', headers: '${ $secrets.key }' }",
    ] {
        let world = run(&format!("do: [ {{ a: {{ {task} }} }} ]"), json!({}));
        assert_eq!(world.status(), Status::Failed, "{task}");
        assert_clean(&world);
    }
}

#[test]
fn failures_of_effects_and_retries_are_redacted() {
    let tasks = "do: [ { t: { try: [ { ask: { call: http, with: { method: get, endpoint: 'http://h/', headers: { X: '${ $secrets.key }' } } } } ], catch: { retry: { delay: PT1S, limit: { attempt: { count: 1 } } } } } } ]";
    let mut world = run(tasks, json!({}));
    for attempt in 0..2 {
        let detail = format!("no such key {KEY}, and the answer ends in {}", &KEY[..12]);
        let failure = Failure::new(StandardType::Communication, "Bad", detail).with_suggestion(KEY);
        world.answer(&format!("s0:t/a{attempt}/s0:ask"), Err(failure));
        world.wait(1_000);
    }
    assert_clean(&world);
    assert_eq!(world.error()["detail"], "no such key ***, and the answer ends in ***");
    assert!(world.journal.iter().any(|event| matches!(event.body, EventBody::TaskRetried { .. })));
    assert!(world.timers.keys().all(|(_, purpose)| *purpose != TimerPurpose::Retry));
}

#[test]
fn children_and_unawaited_commands_get_no_secret_through_the_journal() {
    let world = run(
        "do: [ { c: { run: { workflow: { namespace: n, name: '${ $secrets.key }', version: '1.0.0', input: { k: '${ $secrets.key }' } } } } } ]",
        json!({}),
    );
    let [Action::StartChild { input, name, .. }] = world.children.as_slice() else { panic!("{:?}", world.children) };
    assert_eq!((input, name.as_str()), (&json!({"k": "***"}), "***"));
    assert_clean(&world);
    let world = run(
        "do: [ { c: { input: { from: '{ k: $secrets.key }' }, run: { shell: { command: 'run it', environment: { K: '${ .k }' } }, await: false } } } ]",
        json!({}),
    );
    let EffectRequest::Shell(request) = &world.effects[0].2 else { panic!() };
    assert_eq!(request.environment, [("K".to_owned(), KEY.to_owned())]);
    assert_clean(&world);
    assert_eq!(world.output(), json!({"k": "***"}));
}

#[test]
fn a_secret_that_is_deleted_under_way_does_not_lose_what_was_done() {
    let tasks = "do: [ { f: { fork: { branches: [ { ask: { input: { from: '{ k: $secrets.key }' }, call: http, with: { method: get, endpoint: 'http://h/{k}' }, output: { as: '{ r: ., k: $input.k }' } } }, { w: { wait: PT1S } } ] } } } ]";
    let mut world = run(tasks, json!({}));
    world.secrets = Arc::new(Secrets::new(vec![("key".into(), Err(Unavailable::Missing))]));
    world.wait(1_000);
    assert_eq!(world.status(), Status::Running);
    world.succeed("s0:f/b0/s0:ask", json!("done"));
    assert_eq!(world.output()[0], json!({"r": "done", "k": "***"}));
    let mut gone = run(tasks, json!({}));
    gone.secrets = Arc::new(Secrets::new(vec![("key".into(), Err(Unavailable::Missing))]));
    gone.give(Input::Recovered { reason: "test".into(), restarts: 1, recovered_in_ms: 1 });
    assert_eq!(summary(&gone.error()), failed("authorization", 403, "/do/0/f/fork/branches/0/ask"));
}

#[test]
fn what_cannot_be_asked_for_again_fails_instead_of_being_waited_for() {
    let call = "call: http, with: { method: get, endpoint: 'http://h/', headers: { X: '${ $secrets.key }' } }";
    let mut world = run(&format!("do: [ {{ ask: {{ {call} }} }} ]"), json!({}));
    world.secrets = Arc::new(Secrets::new(vec![("key".into(), Err(Unavailable::Missing))]));
    let evaluator = WithSecrets { evaluator: DirectEvaluator, secrets: &Arc::clone(&world.secrets) };
    let moment = Moment { at: world.now, seed: 1 };
    let Outstanding { actions, lost } = outstanding(&world.program, &world.replayed(), &moment, &evaluator);
    assert_eq!(actions, []);
    for input in lost {
        world.give(input);
    }
    assert_eq!(summary(&world.error()), failed("authorization", 403, "/do/0/ask"));
}
