//! Every operation of the description, tried by every role on own things, on those of somebody else and on those of another
//! tenant, and held against the table in `domain::permission`. An operation without a line here fails.

use super::{Person, person, tenant};
use crate::on_both_databases;
use crate::service::{Answer, Client, Service, answer, definition};
use callboard::domain::{Action, Reach, Role, TenantId};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(every_route_keeps_to_the_table);

/// What a route works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    /// Nothing that has an owner.
    Nothing,
    Execution,
    Workflow,
    Agent,
    User,
    Key,
    Tenant,
    Secret,
    View,
}

/// Every operation that is not open: its action, what `{id}` names, and a body that is understood.
fn operations() -> Vec<Operation> {
    let mut operations = of_executions();
    operations.extend(of_definitions());
    operations.extend(of_identity());
    operations
}

/// Method, path, action, what it works on, body.
type Operation = (&'static str, &'static str, Action, Thing, Value);

fn of_executions() -> Vec<Operation> {
    use Action::*;
    use Thing::*;
    let (get, post, put) = ("get", "post", "put");
    let none = Value::Null;
    let start = json!({ "definition": definition("walk", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
    vec![
        (post, "/api/v1/executions", ExecutionStart, Nothing, start),
        (get, "/api/v1/executions", ExecutionRead, Nothing, none.clone()),
        (get, "/api/v1/executions/active", ExecutionRead, Nothing, none.clone()),
        (get, "/api/v1/executions/stats", ExecutionStatistics, Nothing, none.clone()),
        (get, "/api/v1/observability/usage/summary", ExecutionStatistics, Nothing, none.clone()),
        (get, "/api/v1/executions/stream", ExecutionRead, Nothing, none.clone()),
        (get, "/api/v1/executions/ws", ExecutionRead, Nothing, none.clone()),
        (get, "/api/v1/executions/ws/{id}", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}", ExecutionRead, Execution, none.clone()),
        (put, "/api/v1/executions/{id}", ExecutionSteer, Execution, json!({ "labels": {} })),
        (post, "/api/v1/executions/{id}/cancel", ExecutionSteer, Execution, none.clone()),
        (post, "/api/v1/executions/{id}/pause", ExecutionSteer, Execution, none.clone()),
        (post, "/api/v1/executions/{id}/resume", ExecutionSteer, Execution, none.clone()),
        (post, "/api/v1/executions/{id}/budget", ExecutionSteer, Execution, json!({ "max_tokens": 1_000_000 })),
        (post, "/api/v1/executions/{id}/retry", ExecutionStart, Execution, none.clone()),
        (post, "/api/v1/executions/{id}/rerun", ExecutionStart, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/history", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/logs", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/tasks", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/usage", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/diff/{other}", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/definition", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/children", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/executions/{id}/stream", ExecutionRead, Execution, none.clone()),
        (get, "/api/v1/workflows/executions/{id}/status", ExecutionRead, Execution, none.clone()),
        (post, "/api/v1/workflows/executions/{id}/stop", ExecutionSteer, Execution, none),
    ]
}

fn of_definitions() -> Vec<Operation> {
    use Action::*;
    use Thing::*;
    let (get, post, put, delete) = ("get", "post", "put", "delete");
    let none = Value::Null;
    let workflow = definition("walked", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }]));
    vec![
        (get, "/api/v1/queue", QueueRead, Nothing, none.clone()),
        (get, "/api/v1/retention", RetentionRead, Nothing, none.clone()),
        (put, "/api/v1/retention", RetentionWrite, Nothing, json!({})),
        (post, "/api/v1/retention/preview", RetentionRead, Nothing, none.clone()),
        (post, "/api/v1/retention/run", EngineSteer, Nothing, none.clone()),
        (post, "/api/v1/workflows", WorkflowRegister, Nothing, workflow.clone()),
        (get, "/api/v1/workflows", WorkflowRead, Nothing, none.clone()),
        (post, "/api/v1/workflows/validate", WorkflowRead, Nothing, workflow),
        (get, "/api/v1/workflows/{id}", WorkflowRead, Workflow, none.clone()),
        (put, "/api/v1/workflows/{id}", WorkflowChange, Workflow, json!({ "is_archived": false })),
        (delete, "/api/v1/workflows/{id}", WorkflowChange, Workflow, none.clone()),
        (post, "/api/v1/workflows/{id}/preflight", WorkflowRun, Workflow, none.clone()),
        (get, "/api/v1/workflows/{id}/versions", WorkflowRead, Workflow, none.clone()),
        (post, "/api/v1/workflows/{id}/execute", WorkflowRun, Workflow, none.clone()),
        (post, "/api/v1/agents", AgentCreate, Nothing, json!({ "name": "Walker", "adapter": "builtin" })),
        (get, "/api/v1/agents", AgentRead, Nothing, none.clone()),
        (get, "/api/v1/agents/{id}", AgentRead, Agent, none.clone()),
        (put, "/api/v1/agents/{id}", AgentChange, Agent, json!({ "description": "x" })),
        (post, "/api/v1/agents/{id}/test", AgentUse, Agent, json!({ "test_input": "Hello." })),
        (delete, "/api/v1/agents/{id}", AgentChange, Agent, none.clone()),
        (post, "/api/v1/views", ViewWrite, Nothing, json!({ "list": "executions", "name": "Walk", "query": {} })),
        (get, "/api/v1/views", ViewRead, Nothing, none.clone()),
        (get, "/api/v1/views/{id}", ViewRead, View, none.clone()),
        (put, "/api/v1/views/{id}", ViewWrite, View, json!({ "query": { "since": "1h" } })),
        (delete, "/api/v1/views/{id}", ViewWrite, View, none),
    ]
}

fn of_identity() -> Vec<Operation> {
    use Action::*;
    use Thing::*;
    let (get, post, put, delete) = ("get", "post", "put", "delete");
    let none = Value::Null;
    vec![
        (get, "/api/v1/auth/me", ProfileRead, Nothing, none.clone()),
        (put, "/api/v1/auth/me", ProfileWrite, Nothing, json!({ "locale": "en" })),
        (post, "/api/v1/auth/ticket", ProfileRead, Nothing, none.clone()),
        (post, "/api/v1/tenants", TenantWrite, Nothing, json!({ "name": "Walk", "slug": "walk" })),
        (get, "/api/v1/tenants", TenantRead, Nothing, none.clone()),
        (get, "/api/v1/tenants/{id}", TenantRead, Tenant, none.clone()),
        (put, "/api/v1/tenants/{id}", TenantWrite, Tenant, json!({ "name": "Walked" })),
        (
            post,
            "/api/v1/users",
            UserWrite,
            Nothing,
            json!({ "email": "walk@example.org", "display_name": "Walk", "role": "viewer" }),
        ),
        (get, "/api/v1/users", UserRead, Nothing, none.clone()),
        (get, "/api/v1/users/{id}", UserRead, User, none.clone()),
        (put, "/api/v1/users/{id}", UserWrite, User, json!({ "locale": "en" })),
        (post, "/api/v1/users/{id}/reset", UserWrite, User, none.clone()),
        (post, "/api/v1/api-keys", KeyWrite, Nothing, json!({ "name": "walk" })),
        (get, "/api/v1/api-keys", KeyRead, Nothing, none.clone()),
        (get, "/api/v1/api-keys/{id}", KeyRead, Key, none.clone()),
        (get, "/api/v1/audit", AuditRead, Nothing, none.clone()),
        (get, "/api/v1/audit/export", AuditRead, Nothing, none.clone()),
        (get, "/api/v1/secrets", SecretRead, Nothing, none.clone()),
        (get, "/api/v1/secrets/{name}", SecretRead, Secret, none.clone()),
        (put, "/api/v1/secrets/{name}", SecretWrite, Secret, json!({ "value": "something long" })),
        (delete, "/api/v1/secrets/{name}", SecretWrite, Secret, none.clone()),
        (get, "/api/v1/reports", ReportRead, Nothing, none.clone()),
        (post, "/api/v1/secret-keys/rotate", EngineSteer, Nothing, none.clone()),
        // What these remove others still need, so they come last.
        (delete, "/api/v1/api-keys/{id}", KeyWrite, Key, none.clone()),
        (delete, "/api/v1/tenants/{id}", TenantWrite, Tenant, none.clone()),
        (delete, "/api/v1/users/{id}", UserWrite, User, none),
    ]
}

/// Addresses that ask nobody who is there.
const OPEN: [&str; 11] = [
    "/livez",
    "/readyz",
    "/metrics",
    "/",
    "/api/v1/auth/login",
    "/api/v1/auth/first-sign-in",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/auth/oidc",
    "/api/v1/auth/oidc/{provider}/start",
    "/api/v1/auth/oidc/{provider}/callback",
];

async fn every_route_keeps_to_the_table(service: Service) {
    every_operation_is_listed(&service).await;
    let elsewhere = tenant(&service, "elsewhere").await;
    let other = person(&service, None, "member", "other").await;
    let foreign = person(&service, Some(&elsewhere), "admin", "foreign").await;
    let mut people = Vec::new();
    for role in Role::ALL {
        // A key is made with the role of its maker: that of the viewer has to serve when they may more for a moment.
        let first = if *role == Role::Viewer { "member" } else { role.as_str() };
        let person = person(&service, None, first, role.as_str()).await;
        set_role(&service, &person, role.as_str()).await;
        people.push((*role, person));
    }
    let nobody = service.with_key("");
    let mut wrong = Vec::new();
    for (method, path, action, thing, body) in operations() {
        let unknown = "01a1fba2-d81b-7463-97a8-aef68bdcd168";
        let refused = ask(&nobody, method, &filled(path, unknown), &body).await;
        if refused.status.as_u16() != 401 || refused.header("www-authenticate").is_none() {
            wrong.push(format!("{method} {path} without a credential: {}", refused.status));
        }
        for (role, own) in &people {
            // Own things last: whoever removes themselves can try nothing more.
            let cases = [("foreign", &foreign), ("other's", &other), ("own", own)];
            for (whose, owner) in cases {
                let is_nobodys = thing == Thing::Nothing && whose != "own";
                if is_nobodys || (thing == Thing::Tenant && whose == "other's") {
                    continue;
                }
                let home = (whose == "foreign").then_some(elsewhere.as_str());
                let id = make(&service, owner, home, thing, *role == Role::Viewer && whose == "own").await;
                let path = filled(path, &id);
                let answer = if action == Action::ProfileWrite {
                    // A key changes no person, so this is asked by the person.
                    let client = service.with_key(&own.access_token);
                    ask(&client, method, &path, &body).await
                } else {
                    ask(&own.client, method, &path, &body).await
                };
                let expected = match expected(*role, action, thing, whose) {
                    // Names are those of a tenant: this makes an own secret beside the other one.
                    Expected::Status(404) if thing == Thing::Secret && method == "put" => Expected::Allowed,
                    expected @ (Expected::Allowed | Expected::Status(_)) => expected,
                };
                let status = answer.status.as_u16();
                let is_right = match expected {
                    Expected::Allowed => !matches!(status, 401 | 403 | 404) || answer.text.contains("\"read_only\""),
                    Expected::Status(wanted) => status == wanted,
                };
                if !is_right {
                    wrong.push(format!(
                        "{role} {method} {path} on {whose}: {status}, not {expected:?}: {}",
                        answer.text
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} deviations:\n{}", wrong.len(), wrong.join("\n"));
}

async fn every_operation_is_listed(service: &Service) {
    let description = service.get("/api/v1/openapi.json").await.expect(200);
    let listed = operations();
    let mut described = 0;
    for (path, item) in description["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|_| !OPEN.contains(&path.as_str())) {
            described += 1;
            assert!(
                listed.iter().any(|(known, at, ..)| known == method && at == path),
                "{method} {path} has no line in this test: which action does it ask for?"
            );
        }
    }
    assert_eq!(described, listed.len(), "this test lists what is not described");
}

/// An address that names one thing wherever it names something.
fn filled(path: &str, id: &str) -> String {
    path.replace("{id}", id).replace("{other}", id).replace("{name}", id)
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Let in; what then comes of it is the business of other tests.
    Allowed,
    Status(u16),
}

/// What the table says.
fn expected(role: Role, action: Action, thing: Thing, whose: &str) -> Expected {
    match (action.reach(role), whose) {
        (Reach::None, _) => Expected::Status(403),
        // Operators name the tenant to work in it; tenants themselves they reach from anywhere.
        (Reach::Platform, "foreign") if thing == Thing::Tenant => Expected::Allowed,
        (_, "foreign") => Expected::Status(404),
        // Secrets belong to the tenant and not to anybody in it.
        (Reach::Own, "other's") => Expected::Status(403),
        (Reach::Own | Reach::Tenant | Reach::Platform, _) => Expected::Allowed,
    }
}

/// Makes what a route works on, in the name of its owner.
async fn make(service: &Service, owner: &Person, home: Option<&str>, thing: Thing, is_viewer: bool) -> String {
    // Whoever may not make things may for a moment.
    if is_viewer {
        set_role(service, owner, "member").await;
    }
    let tag = callboard::clock::new_id().simple().to_string();
    let tasks = json!([{ "nap": { "wait": { "hours": 1 } } }]);
    let id = match thing {
        Thing::Nothing => String::new(),
        Thing::Execution => owner.client.start_definition(tasks, json!({})).await,
        Thing::Workflow => owner.client.register(&format!("w{tag}"), "1.0.0", tasks).await,
        Thing::Agent => {
            let parameters = json!({ "skill": "echo" });
            let body =
                json!({ "name": "A", "slug": format!("a{tag}"), "adapter": "builtin", "parameters": parameters });
            made(owner.client.post("/api/v1/agents", &body).await)
        }
        // Somebody who is not needed any more, unless it is about oneself.
        Thing::User if home.is_none() && owner.id != other_id(service).await => owner.id.clone(),
        Thing::User => {
            let body = json!({ "email": format!("{tag}@example.org"), "display_name": "V", "role": "viewer" });
            let headers: Vec<(&str, &str)> = home.iter().map(|home| ("X-Tenant-Id", *home)).collect();
            made(service.post_with("/api/v1/users", &headers, &body).await)
        }
        Thing::View => {
            let body = json!({ "list": "executions", "name": tag, "query": {} });
            made(owner.client.post("/api/v1/views", &body).await)
        }
        Thing::Key => made(owner.client.post("/api/v1/api-keys", &json!({ "name": "theirs" })).await),
        Thing::Tenant if home.is_some() => tenant(service, &format!("t{tag}")).await,
        Thing::Tenant => TenantId::DEFAULT.to_string(),
        Thing::Secret => {
            let name = format!("s{tag}");
            let request = service.request(Method::PUT, &format!("/api/v1/secrets/{name}"));
            let request = request.json(&json!({ "value": "something long" }));
            let request = if let Some(home) = home { request.header("X-Tenant-Id", home) } else { request };
            answer(request).await.expect(201);
            name
        }
    };
    if is_viewer {
        set_role(service, owner, "viewer").await;
    }
    id
}

fn made(answer: Answer) -> String {
    answer.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn other_id(service: &Service) -> String {
    let found = service.get("/api/v1/users?q=other@example.org").await.expect(200);
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

async fn set_role(service: &Service, person: &Person, role: &str) {
    let path = format!("/api/v1/users/{}", person.id);
    service.put(&path, &json!({ "role": role })).await.expect(200);
}

async fn ask(client: &Client, method: &str, path: &str, body: &Value) -> Answer {
    let method: Method = method.to_uppercase().parse().unwrap();
    let request = client.request(method, path);
    let request = if body.is_null() { request } else { request.json(body) };
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    // A stream has no end.
    let is_stream = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let text = if is_stream { String::new() } else { response.text().await.expect("a text") };
    Answer { status, headers, text }
}
