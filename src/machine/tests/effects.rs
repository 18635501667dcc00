//! Tasks that ask the world: what is asked, and what becomes of the answer.

use super::world::{World, failed, summary};
use crate::domain::{
    AgentOutput, Authentication, EffectOutcome, EffectRequest, EventBody, ExecutionId, Failure, HttpOutput,
    ProcessReturn, StandardType, Status, Usage,
};
use crate::machine::{Action, Input};
use serde_json::{Value, json};

fn request(task: &str, input: Value) -> EffectRequest {
    let world = World::run(
        &format!(
            "use: {{ authentications: {{ shared: {{ basic: {{ username: u, password: '${{ .password }}' }} }} }} }}\ndo: [ {{ ask: {{ {task} }} }} ]"
        ),
        input,
    );
    world.effects.first().unwrap_or_else(|| panic!("{:?}", world.state.error())).2.clone()
}

fn refused(task: &str, input: Value) -> (String, Value, String) {
    summary(&World::run(&format!("do: [ {{ ask: {{ {task} }} }} ]"), input).error())
}

fn http(with: &str, input: Value) -> crate::domain::HttpRequest {
    {
        let EffectRequest::Http(request) = request(&format!("call: http, with: {{ {with} }}"), input) else { panic!() };
        *request
    }
}

#[test]
fn http_requests_are_evaluated_completely() {
    let with = r#"method: post, endpoint: "http://h/{id}?own=1", headers: { X-Id: "${ .id }", X-None: "${ .none }", X-N: 5 }, query: "${ {q: [1, 2], r: true, s: null} }", body: { id: "${ .id }", literal: .id }, output: response, redirect: true"#;
    let request = http(with, json!({"id": "a b"}));
    assert_eq!((request.method.as_str(), request.uri.as_str()), ("POST", "http://h/a%20b?own=1"));
    assert_eq!(request.headers, [("X-Id".to_owned(), "a b".to_owned()), ("X-N".to_owned(), "5".to_owned())]);
    let pairs: Vec<(&str, &str)> = request.query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("q", "1"), ("q", "2"), ("r", "true")]);
    assert_eq!(request.body, Some(json!({"id": "a b", "literal": ".id"})));
    assert_eq!((request.output, request.redirect), (HttpOutput::Response, true));
}

#[test]
fn an_endpoint_that_is_an_expression_is_no_template() {
    assert_eq!(
        http("method: get, endpoint: '${ \"http://h/{\" + .id + \"}\" }'", json!({"id": "id"})).uri,
        "http://h/{id}"
    );
    let wrong = "call: http, with: { method: get, endpoint: '${ .n }' }";
    assert_eq!(refused(wrong, json!({"n": 1})), failed("expression", 400, "/do/0/ask"));
    let wrong = "call: http, with: { method: get, endpoint: 'http://h/{list}' }";
    assert_eq!(refused(wrong, json!({"list": []})), failed("expression", 400, "/do/0/ask"));
    let wrong = "call: http, with: { method: get, endpoint: 'http://h/', headers: '${ [1] }' }";
    assert_eq!(refused(wrong, json!({})), failed("expression", 400, "/do/0/ask"));
}

#[test]
fn authentication_is_resolved_and_visible_to_expressions() {
    let with = "method: get, endpoint: { uri: 'http://h/', authentication: { use: shared } }, headers: { X-Scheme: '${ $authorization.scheme }' }";
    let request = http(with, json!({"password": "p"}));
    assert_eq!(request.authentication, Some(Authentication::Basic { username: "u".into(), password: "p".into() }));
    assert_eq!(request.headers, [("X-Scheme".to_owned(), "Basic".to_owned())]);
    let with = "method: get, endpoint: { uri: 'http://h/', authentication: { bearer: { token: t } } }";
    assert_eq!(http(with, json!({})).authentication, Some(Authentication::Bearer { token: "t".into() }));
    let tasks = format!(
        "do: [ {{ ask: {{ call: http, with: {{ {with} }}, output: {{ as: '{{ data: ., by: $authorization.parameter }}' }} }} }} ]"
    );
    let mut world = World::run(&tasks, json!({}));
    world.succeed("s0:ask", json!(1));
    assert_eq!(world.output(), json!({"data": 1, "by": "t"}));
    let oauth = "method: get, endpoint: { uri: 'http://h/', authentication: { oauth2: { authority: 'http://a', grant: client_credentials, client: { id: i, secret: s }, scopes: [x] } } }";
    let Some(Authentication::OAuth2(oauth)) = http(oauth, json!({})).authentication else { panic!() };
    assert_eq!((oauth.client_id.as_deref(), oauth.scopes), (Some("i"), vec!["x".to_owned()]));
}

#[test]
fn the_journal_shows_no_credentials_and_no_query() {
    let world = World::run(
        "do: [ { ask: { call: http, with: { method: get, endpoint: 'http://u:secret@h/p?token=secret' } } } ]",
        json!({}),
    );
    let text = serde_json::to_string(&world.journal).unwrap();
    assert!(text.contains("GET http://h/p\""), "{text}");
    assert!(!text.contains("secret"));
}

#[test]
fn shell_requests() {
    let task = "run: { shell: { command: 'echo $1', arguments: [ '${ .a }', 2, '${ null }' ], stdin: '${ {x: 1} }', environment: { A: '${ .a }', N: 1, Z: '${ null }' } }, return: all }";
    let EffectRequest::Shell(request) = request(task, json!({"a": "x y"})) else { panic!() };
    assert_eq!(request.command, "echo $1");
    assert_eq!(request.arguments, ["x y", "2", ""]);
    assert_eq!(request.stdin.as_deref(), Some("{\"x\":1}"));
    assert_eq!(request.environment, [("A".to_owned(), "x y".to_owned()), ("N".to_owned(), "1".to_owned())]);
    assert_eq!(request.returns, ProcessReturn::All);
}

#[test]
fn agent_requests() {
    let agent = |with: &str, input: Value| {
        let EffectRequest::Agent(request) = request(&format!("call: agent, with: {{ {with} }}"), input) else {
            panic!()
        };
        *request
    };
    let full = agent(
        "agent: '${ .who }', prompt: 'hello', system_prompt: s, parameters: { t: '${ .t }' }, output: json",
        json!({"who": "ada", "t": 0.5}),
    );
    assert_eq!((full.agent.as_str(), full.prompt.as_str(), full.system_prompt.as_deref()), ("ada", "hello", Some("s")));
    assert_eq!((Value::Object(full.parameters), full.output), (json!({"t": 0.5}), AgentOutput::Json));
    assert_eq!(agent("agent: ada", json!({"a": 1})).prompt, "{\"a\":1}");
    assert_eq!(agent("agent: ada", json!("plain")).prompt, "plain");
    assert_eq!(agent("agent: ada, input: { x: '${ .a }' }", json!({"a": 1})).prompt, "{\"x\":1}");
}

#[test]
fn the_plain_task_writes_exactly_four_events() {
    let mut world = World::run("do: [ { ask: { run: { shell: { command: 'true' } } } } ]", json!({}));
    world.succeed("s0:ask", json!("out"));
    assert_eq!(
        world.lines()[2..6],
        ["task_started s0:ask", "effect_scheduled s0:ask", "effect_completed s0:ask", "task_completed s0:ask"]
    );
    assert_eq!(world.journal[4].body, EventBody::EffectCompleted { output: None });
    assert_eq!(world.output(), json!("out"));
}

#[test]
fn an_output_that_is_transformed_is_journaled_twice_because_it_is_two_values() {
    let mut world =
        World::run("do: [ { ask: { run: { shell: { command: x } }, output: { as: '{ out: . }' } } } ]", json!({}));
    world.succeed("s0:ask", json!("out"));
    assert_eq!(world.journal[4].body, EventBody::EffectCompleted { output: Some(json!("out")) });
    assert_eq!(world.output(), json!({"out": "out"}));
    let mut world = World::run(
        "do: [ { ask: { run: { shell: { command: x } }, output: { schema: { document: { type: integer } } } } } ]",
        json!({}),
    );
    world.succeed("s0:ask", json!("out"));
    assert_eq!(summary(&world.error()), failed("validation", 400, "/do/0/ask"));
    let mut world = World::run("do: [ { ask: { run: { shell: { command: x } }, output: { as: '[.]' } } } ]", json!({}));
    world.succeed("s0:ask", json!(null));
    assert_eq!(world.output(), json!([null]));
}

#[test]
fn a_failing_effect_fails_its_task_with_the_tasks_pointer() {
    let mut world = World::run("do: [ { ask: { run: { shell: { command: x } } } } ]", json!({}));
    world.answer("s0:ask", Err(Failure::new(StandardType::Runtime, "Exit 3", "no such file"))).events.first().unwrap();
    assert_eq!(summary(&world.error()), failed("runtime", 500, "/do/0/ask"));
}

#[test]
fn usage_is_journaled_before_the_outcome() {
    let mut world = World::run("do: [ { ask: { call: agent, with: { agent: ada } } } ]", json!({}));
    let usage = Usage {
        agent_id: None,
        provider: "p".into(),
        model: "m".into(),
        input_tokens: 1,
        cached_input_tokens: 0,
        output_tokens: 2,
        reasoning_tokens: 0,
        cost_usd: None,
        prices: None,
        latency_ms: 3,
        outcome: crate::domain::UsageOutcome::Used,
        is_estimated: false,
    };
    let outcome = EffectOutcome { result: Ok(json!("hi")), usage: Some(usage) };
    world.give(Input::EffectFinished { path: "s0:ask".into(), attempt: 1, outcome });
    assert_eq!(world.lines()[4..6], ["usage_recorded s0:ask", "effect_completed s0:ask"]);
    assert_eq!(world.output(), json!("hi"));
}

#[test]
fn e36_a_command_that_is_not_awaited_hands_the_input_on_at_once() {
    let mut world = World::run(
        "do: [ { ask: { run: { shell: { command: x }, await: false }, output: { as: '{ out: . }' } } } ]",
        json!({"a": 1}),
    );
    assert_eq!(world.output(), json!({"out": {"a": 1}}));
    assert!(matches!(world.actions[0], Action::RunEffect { awaited: false, .. }));
    let outcome = EffectOutcome { result: Ok(json!("late")), usage: None };
    assert_eq!(world.give(Input::EffectFinished { path: "s0:ask".into(), attempt: 1, outcome }), Default::default());
}

fn child(run: &str) -> (World, ExecutionId) {
    let world = World::run(
        &format!(
            "do: [ {{ sub: {{ run: {{ workflow: {{ namespace: n, name: child, version: '1.0.0' {run} }} }} }} }}, {{ after: {{ set: {{ got: '${{ . }}' }} }} }} ]"
        ),
        json!({"a": 1}),
    );
    let Some(Action::StartChild { child_id, .. }) = world.children.first() else { panic!("{:?}", world.state.error()) };
    let child_id = *child_id;
    (world, child_id)
}

fn child_ends(world: &mut World, child_id: ExecutionId, status: Status, output: Option<Value>, error: Option<Failure>) {
    world.give(Input::ChildFinished { path: "s0:sub".into(), child_id, status, output, error });
}

#[test]
fn a_child_workflow_gets_its_input_and_gives_its_output() {
    let (mut world, id) = child("");
    assert_eq!(world.status(), Status::Waiting);
    let Action::StartChild { input, version, awaited, .. } = &world.children[0] else { panic!() };
    assert_eq!((input, version.as_str(), *awaited), (&json!({"a": 1}), "1.0.0", true));
    child_ends(&mut world, ExecutionId(uuid::Uuid::from_u128(1)), Status::Succeeded, Some(json!(2)), None);
    assert_eq!(world.status(), Status::Waiting, "another execution's end is not the child's");
    child_ends(&mut world, id, Status::Succeeded, Some(json!(3)), None);
    assert_eq!(world.output(), json!({"got": 3}));
    let (again, same) = child(", input: { x: '${ .a }' }");
    let Action::StartChild { input, .. } = &again.children[0] else { panic!() };
    assert_eq!((input, same), (&json!({"x": 1}), id));
}

#[test]
fn the_end_of_a_child_is_that_of_its_task() {
    let (mut world, id) = child("");
    let failure = Failure::new(StandardType::Communication, "T", "D").with_status(503).at("/do/5/inner");
    child_ends(&mut world, id, Status::Failed, None, Some(failure));
    assert_eq!(summary(&world.error()), failed("communication", 503, "/do/0/sub"));
    let (mut world, id) = child("");
    child_ends(&mut world, id, Status::Cancelled, None, None);
    assert_eq!(summary(&world.error()), failed("runtime", 500, "/do/0/sub"));
    let (mut world, _) = child("");
    let failure = Failure::new(StandardType::Configuration, "Unknown workflow", "there is none");
    world.give(Input::ChildRefused { path: "s0:sub".into(), failure });
    assert_eq!(summary(&world.error()), failed("configuration", 400, "/do/0/sub"));
    let (mut world, _) = child("");
    world.give(Input::Cancel { by: None, reason: None });
    assert!(world.children.is_empty(), "an awaited child is cancelled with its parent");
}

#[test]
fn a_child_that_is_not_awaited_is_on_its_own() {
    let mut world = World::run(
        "do: [ { sub: { run: { workflow: { namespace: n, name: c, version: '1.0.0' }, await: false } } } ]",
        json!({"a": 1}),
    );
    assert_eq!(world.output(), json!({"a": 1}));
    assert_eq!(world.children.len(), 1);
    world.give(Input::Cancel { by: None, reason: None });
    assert_eq!(world.children.len(), 1);
    let none = World::run(
        "do: [ { sub: { run: { workflow: { namespace: n, name: c, version: '1.0.0' }, await: false, return: none } } } ]",
        json!({"a": 1}),
    );
    assert_eq!(none.output(), json!(null));
}

#[test]
fn a_function_gets_its_arguments_as_raw_input_and_the_callers_context_and_pointer() {
    let tasks = r"
use:
  functions:
    double:
      input: { schema: { document: { required: [n] } }, from: .n }
      do:
        - twice: { set: '${ {result: (. * 2), ref: $task.reference, raw: $input, context: $context} }' }
      export: { as: '{ exported: true }' }
      then: end
do:
  - start: { set: { n: 4 }, export: { as: '{ c: 1 }' } }
  - call:
      for: { in: '[1]', each: hidden }
      do: [ { inner: { call: double, with: { n: '${ .n }' }, output: { as: '. + { callers: $input }' } } } ]
  - after: { set: '${ . + { context: $context } }' }
";
    let world = World::run(tasks, json!({}));
    let pointer = "/do/1/call/do/0/inner";
    assert_eq!(
        world.output(),
        json!({"result": 8, "ref": format!("{pointer}/do/0/twice"), "raw": 4, "context": {"exported": true}, "callers": {"n": 4}})
    );
    assert!(world.lines().contains(&"task_started s1:call/i0/s0:inner/f/s0:twice".to_owned()));
    let missing = "use: { functions: { double: { input: { schema: { document: { required: [n] } } }, set: { x: 1 } } } }\ndo: [ { c: { call: double } } ]";
    assert_eq!(summary(&World::run(missing, json!({"n": 1})).error()), failed("validation", 400, "/do/0/c"));
}

#[test]
fn functions_that_call_themselves_without_end_are_stopped() {
    let tasks = "use: { functions: { again: { do: [ { more: { call: again } } ] } } }\ndo: [ { c: { call: again } } ]";
    let world = World::run(tasks, json!({}));
    assert_eq!(summary(&world.error()).0, "runtime");
}
