//! One example body for every operation that takes one, for the description.

use serde_json::{Value, json};
use utoipa::Modify;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::{Content, RefOr};

/// Adds the examples to the bodies.
pub struct Examples;

impl Modify for Examples {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for (path, item) in &mut description.paths.paths {
            for (method, body) in bodies(item) {
                let Some(example) = example(method, path) else { continue };
                for content in contents(body) {
                    content.example = Some(example.clone());
                }
            }
        }
    }
}

fn bodies(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut RequestBody)> {
    let PathItem { put, post, .. } = item;
    [("PUT", put), ("POST", post)].into_iter().filter_map(|(method, operation)| {
        match operation.as_mut()?.request_body.as_mut()? {
            RefOr::T(body) => Some((method, body)),
            RefOr::Ref(_) => None,
        }
    })
}

fn contents(body: &mut RequestBody) -> impl Iterator<Item = &mut Content> {
    body.content.values_mut().filter_map(|content| match content {
        RefOr::T(content) => Some(content),
        RefOr::Ref(_) => None,
    })
}

fn example(method: &str, path: &str) -> Option<Value> {
    let reason = json!({ "reason": "Superseded by a newer release." });
    let example = match (method, path) {
        ("POST", "/api/v1/executions") => json!({
            "definition": definition(), "input": { "name": "Ada" }, "priority": 5, "labels": { "team": "blue" },
        }),
        ("PUT", "/api/v1/executions/{id}") => json!({ "priority": 7, "labels": { "team": "red" } }),
        (
            "POST",
            "/api/v1/executions/{id}/cancel"
            | "/api/v1/executions/{id}/pause"
            | "/api/v1/executions/{id}/resume"
            | "/api/v1/executions/{id}/retry"
            | "/api/v1/executions/{id}/rerun"
            | "/api/v1/workflows/executions/{id}/stop",
        ) => reason,
        ("POST", "/api/v1/executions/{id}/budget") => json!({ "max_tokens": 400_000, "max_cost_usd": 2.5 }),
        ("POST", "/api/v1/workflows" | "/api/v1/workflows/validate") => definition(),
        ("PUT", "/api/v1/workflows/{id}") => json!({ "is_archived": true }),
        ("POST", "/api/v1/workflows/{id}/execute") => json!({ "input": { "name": "Grace" } }),
        ("POST", "/api/v1/agents") => json!({
            "name": "Release notes", "slug": "release-notes", "adapter": "builtin",
            "description": "Picks what matters to users from a list of changes.",
            "parameters": { "skill": "summarize" }, "capabilities": { "writing": 0.8 },
        }),
        ("PUT", "/api/v1/agents/{id}") => json!({ "description": "Writes release notes.", "is_active": false }),
        ("POST", "/api/v1/agents/{id}/test") => json!({ "test_input": "Say in one sentence what an actor is." }),
        ("POST", "/api/v1/views") => json!({
            "list": "executions", "name": "Failed last night", "is_shared": true,
            "query": { "status": "failed", "since": "24h", "columns": "owner,created" },
        }),
        ("PUT", "/api/v1/views/{id}") => json!({ "name": "Failed", "query": { "status": "failed" } }),
        ("PUT", "/api/v1/retention") | ("POST", "/api/v1/retention/preview") => {
            json!({ "succeeded_days": 30, "failed_days": 90, "cancelled_count": 10000 })
        }
        ("PUT", "/api/v1/secrets/{name}") => json!({ "value": "correct horse battery staple" }),
        _ => return identity_example(method, path),
    };
    Some(example)
}

fn identity_example(method: &str, path: &str) -> Option<Value> {
    let example = match (method, path) {
        ("POST", "/api/v1/auth/login") => json!({ "email": "ada@example.org", "password": "correct horse battery" }),
        ("POST", "/api/v1/auth/first-sign-in") => json!({
            "token": "Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu", "email": "ada@example.org",
            "display_name": "Ada", "password": "correct horse battery",
        }),
        ("POST", "/api/v1/auth/refresh" | "/api/v1/auth/logout") => {
            json!({ "refresh_token": "Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu" })
        }
        ("PUT", "/api/v1/auth/me") => json!({ "display_name": "Ada", "locale": "en-GB" }),
        ("POST", "/api/v1/tenants") => {
            json!({ "name": "Blue", "slug": "blue", "limits": { "max_running_executions": 20 } })
        }
        ("PUT", "/api/v1/tenants/{id}") => json!({ "limits": { "max_running_executions": 50 } }),
        ("POST", "/api/v1/users") => {
            json!({ "email": "grace@example.org", "display_name": "Grace", "role": "member", "locale": "en" })
        }
        ("PUT", "/api/v1/users/{id}") => json!({ "role": "admin" }),
        ("POST", "/api/v1/api-keys") => json!({ "name": "Nightly build", "scopes": ["executions:write"] }),
        _ => return None,
    };
    Some(example)
}

fn definition() -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "examples", "name": "hello", "version": "1.0.0" },
        "do": [{ "greet": { "set": { "message": "${ \"Hello, \" + .name + \"!\" }" } } }],
    })
}

#[cfg(test)]
mod tests {
    use crate::http::openapi;

    #[test]
    fn every_body_has_an_example() {
        let mut description = openapi::description();
        for (path, item) in &mut description.paths.paths {
            for (method, body) in super::bodies(item) {
                let has_example = super::contents(body).all(|content| content.example.is_some());
                assert!(has_example, "{method} {path} needs an example in this file");
            }
        }
    }
}
