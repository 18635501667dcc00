//! Agents: who can be asked to do a piece of work, and trying one out.

use super::Service;
use super::agent_keys;
use super::answers::{self, Asked};
use super::body::{Json, escape};
use super::budget::check_budget;
use super::caller::Caller;
use super::error::{Error, Result};
use super::executions::{request_of, show};
use super::idempotency;
use super::path;
use super::query::{Query, one_of};
use super::start::{accept, field};
use super::trace;
use crate::actors::{Runnable, Submission};
use crate::clock;
use crate::domain::agent_key;
use crate::domain::definition::{self, Definition};
use crate::domain::{
    Action, Adapter, Agent, AgentId, ExecutionType, MAX_SLUG_CHARACTERS, TenantId, Timestamp, is_slug,
};
use crate::identity::Change;
use crate::store::AgentFilter;
use crate::wire::agent::{AgentView, ChangeAgent, CreateAgent, TestAgent};
use crate::wire::catalog::Code;
use crate::wire::execution::Accepted;
use crate::wire::page::List;
use crate::wire::problem::FieldError;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

const MAX_NAME_CHARACTERS: usize = 120;
const MAX_DESCRIPTION_CHARACTERS: usize = 10_000;
const MAX_MODEL_CHARACTERS: usize = 200;
const MAX_PROMPT_CHARACTERS: usize = 100_000;
const MAX_TEST_INPUT_CHARACTERS: usize = 5_000;

/// Make an agent.
#[utoipa::path(post, path = "/api/v1/agents", tag = "agents",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters.")),
    request_body = CreateAgent,
    responses((status = 201, body = AgentView, headers(("Location" = String)))),
)]
pub async fn create(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<CreateAgent>,
) -> Result<HttpResponse> {
    let agent = checked(body.value)?;
    let asking = match answers::begin(&service, &caller, &request, &body.bytes).await? {
        Asked::Before(response) => return Ok(response),
        Asked::Now(asking) => asking,
    };
    let now = service.clock.now();
    let agent = Agent {
        id: AgentId(clock::new_id()),
        tenant_id: caller.tenant_id,
        created_by: Some(caller.owner()),
        created_at: now,
        updated_at: now,
        ..agent
    };
    agent_keys::check(&service, &caller, &agent, None).await?;
    let change = Change::created("agent_created", "agent", agent.id, &facts(&agent));
    let answer = asking.answer(StatusCode::CREATED, &AgentView::from(agent.clone()))?;
    let store = answer.keeping(service.engine.store());
    store.noting(service.entry(&caller, change)).create_agent(agent).await?;
    Ok(answer.send(&request))
}

/// Agents, newest first; those of the system are among them.
#[utoipa::path(get, path = "/api/v1/agents", tag = "agents",
    params(
        ("page" = Option<u64>, Query, description = "From 1.", minimum = 1),
        ("size" = Option<u64>, Query, description = "Items per page; 10 when absent.", minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the answer before."),
        ("limit" = Option<u64>, Query, description = "Items of this answer; 50 when absent.", minimum = 1, maximum = 100),
        ("adapter" = Option<Adapter>, Query, description = "Reached this way."),
        ("is_active" = Option<bool>, Query, description = "Switched on, or off."),
        ("q" = Option<String>, Query, description = "Contains this text in name, slug or description."),
    ),
    responses((status = 200, body = List<AgentView>)),
)]
pub async fn list(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let mut query = Query::of(&request);
    let window = query.window();
    let filter = AgentFilter {
        adapter: adapter(&mut query),
        is_active: query.value("is_active", &one_of(&[true, false])),
        text: query.text("q"),
    };
    query.finish()?;
    let found = service.engine.store().agents(caller.tenant_id, filter, request_of(&window)).await?;
    let items: Vec<AgentView> = found.items.into_iter().map(AgentView::from).collect();
    Ok(show(window, items, found.next_cursor, found.total))
}

fn adapter(query: &mut Query) -> Option<Adapter> {
    let word = query.text("adapter")?;
    let adapter = serde_json::from_value(Value::String(word)).ok();
    if adapter.is_none() {
        query.refuse("adapter", "must be one of builtin, command, openai");
    }
    adapter
}

/// One agent.
#[utoipa::path(get, path = "/api/v1/agents/{id}", tag = "agents",
    params(("id" = AgentId, Path, description = "The agent.")),
    responses((status = 200, body = AgentView)),
)]
pub async fn detail(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::agent_id(&request)?;
    Query::of(&request).finish()?;
    let agent = find(&service, &caller, id).await?;
    Ok(HttpResponse::Ok().json(AgentView::from(agent)))
}

/// Change an agent. Only what is given changes.
#[utoipa::path(put, path = "/api/v1/agents/{id}", tag = "agents",
    params(("id" = AgentId, Path, description = "The agent.")),
    request_body = ChangeAgent,
    responses((status = 200, body = AgentView)),
)]
pub async fn change(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<ChangeAgent>,
) -> Result<HttpResponse> {
    let id = path::agent_id(&request)?;
    let known = own(&caller, find(&service, &caller, id).await?)?;
    let before = facts(&known);
    let key_before = known.key_secret().map(str::to_owned);
    let body = body.value;
    let agent = checked(CreateAgent {
        name: body.name.unwrap_or(known.name),
        slug: Some(body.slug.unwrap_or(known.slug)),
        description: Some(body.description.unwrap_or(known.description)),
        adapter: body.adapter.unwrap_or(known.adapter),
        model: body.model.unwrap_or(known.model),
        system_prompt: body.system_prompt.unwrap_or(known.system_prompt),
        parameters: Some(body.parameters.unwrap_or(known.parameters)),
        capabilities: Some(body.capabilities.unwrap_or(known.capabilities)),
        is_active: Some(body.is_active.unwrap_or(known.is_active)),
    })?;
    let now = service.clock.now();
    let agent = Agent {
        id,
        tenant_id: caller.tenant_id,
        created_by: known.created_by,
        created_at: known.created_at,
        updated_at: now,
        ..agent
    };
    agent_keys::check(&service, &caller, &agent, key_before.as_deref()).await?;
    let change = Change::changed("agent_changed", "agent", id, &before, &facts(&agent));
    let changed = service.engine.store().noting(service.entry(&caller, change)).update_agent(agent).await;
    let agent = changed.map_err(|error| Error::of_store(error, "agent", id))?;
    Ok(HttpResponse::Ok().json(AgentView::from(agent)))
}

/// Remove an agent. Executions that have used it keep their results.
#[utoipa::path(delete, path = "/api/v1/agents/{id}", tag = "agents",
    params(("id" = AgentId, Path, description = "The agent.")),
    responses((status = 204, description = "Removed.")),
)]
pub async fn remove(service: web::Data<Service>, caller: Caller, request: HttpRequest) -> Result<HttpResponse> {
    let id = path::agent_id(&request)?;
    let known = own(&caller, find(&service, &caller, id).await?)?;
    let change = Change::removed("agent_removed", "agent", id, &facts(&known));
    let store = service.engine.store().noting(service.entry(&caller, change));
    let removed = store.delete_agent(caller.tenant_id, id).await;
    removed.map_err(|error| Error::of_store(error, "agent", id))?;
    Ok(HttpResponse::NoContent().finish())
}

/// Try an agent out: an execution of type `agent_test` whose output is the answer.
#[utoipa::path(post, path = "/api/v1/agents/{id}/test", tag = "agents",
    params(
        ("id" = AgentId, Path, description = "The agent."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters."),
    ),
    request_body = TestAgent,
    responses((status = 202, body = Accepted, description = "Accepted and durable.", headers(("Location" = String)))),
)]
pub async fn test(
    service: web::Data<Service>,
    caller: Caller,
    request: HttpRequest,
    body: Json<TestAgent>,
) -> Result<HttpResponse> {
    let id = path::agent_id(&request)?;
    caller.may_use(&[Action::ExecutionStart])?;
    let agent = find(&service, &caller, id).await?;
    agent_keys::permit(&caller, &agent)?;
    let TestAgent { test_input, budget } = body.value;
    let length = test_input.chars().count();
    if test_input.trim().is_empty() || length > MAX_TEST_INPUT_CHARACTERS {
        let detail = format!("must be 1 to {MAX_TEST_INPUT_CHARACTERS} characters that are not all spaces");
        return Err(Error::invalid_field("/test_input", detail));
    }
    let mut errors = Vec::new();
    if let Some(budget) = &budget {
        check_budget(budget, "/budget", &mut errors);
    }
    if !errors.is_empty() {
        return Err(Error::invalid_fields(errors));
    }
    if !agent.is_active {
        return Err(Error::new(Code::NotRunnable, format!("The agent '{}' is switched off.", agent.slug)));
    }
    let Some(definition) = TEST_DEFINITION.clone() else {
        return Err(Error::new(Code::Internal, "the definition of agent tests is not valid"));
    };
    // By id, which no later change of the agent makes wrong; the slug is for those who look at it.
    let input = json!({ "agent_id": id, "agent": agent.slug, "test_input": test_input });
    let mut submission = Submission::new(caller.tenant_id, Runnable::Inline(definition), input);
    submission.execution_type = ExecutionType::AgentTest;
    submission.agent_id = Some(id);
    submission.test_input = Some(test_input);
    submission.budget = budget.map(Into::into);
    caller.sign(&mut submission);
    submission.idempotency = idempotency::of(&request, &body.bytes)?;
    submission.traceparent = trace::of(&request);
    accept(&service, &caller, submission, "The test was accepted and will run as soon as there is room.").await
}

/// What every agent test runs. The agent and what it is asked come with the input, so that nothing a caller sends is read as
/// an expression.
static TEST_DEFINITION: LazyLock<Option<Arc<Definition>>> = LazyLock::new(|| {
    let value = json!({
        "document": {
            "dsl": "1.0.3",
            "namespace": "callboard",
            "name": "agent-test",
            "version": "1.0.0",
            "title": "Test of an agent",
        },
        "do": [
            { "answer": { "call": "agent", "with": { "agent": "${ .agent_id }", "prompt": "${ .test_input }" } } },
        ],
    });
    definition::parse_value(&value).ok().map(Arc::new)
});

async fn find(service: &Service, caller: &Caller, id: AgentId) -> Result<Agent> {
    let found = service.engine.store().agent(caller.tenant_id, id).await;
    found.map_err(|error| Error::of_store(error, "agent", id))
}

/// What the audit takes the digest of. Parameters may hold credentials, of which not even a digest is kept; which key goes where
/// is part of it.
fn facts(agent: &Agent) -> Value {
    json!({
        "name": agent.name, "slug": agent.slug, "description": agent.description, "adapter": agent.adapter,
        "model": agent.model, "system_prompt": agent.system_prompt, "capabilities": agent.capabilities,
        "is_active": agent.is_active, "key": agent_keys::facts(agent),
    })
}

/// Refuses to change what belongs to the system, or to somebody else for whoever may change only their own.
fn own(caller: &Caller, agent: Agent) -> Result<Agent> {
    if agent.is_system {
        return Err(Error::new(Code::ReadOnly, format!("The agent '{}' belongs to the system.", agent.slug)));
    }
    caller.may(Action::AgentChange, agent.created_by.as_deref())?;
    Ok(agent)
}

/// The agent that a body describes, still without id and times; every field that is wrong is named.
fn checked(body: CreateAgent) -> Result<Agent> {
    let mut errors = Vec::new();
    let name = body.name.trim().to_owned();
    let made = slug_of(&name);
    let slug_problem = match body.slug {
        Some(_) => "must be 1 to 63 lower-case letters, digits and hyphens, no hyphen first or last",
        None => "cannot be made from this name: give one, 1 to 63 lower-case letters, digits and hyphens",
    };
    let slug = body.slug.unwrap_or(made);
    let parameters = body.parameters.unwrap_or_default();
    let description = body.description.unwrap_or_default();
    let capabilities = body.capabilities.unwrap_or_default();
    check_text("/name", &name, 1, MAX_NAME_CHARACTERS, &mut errors);
    if !is_slug(&slug) {
        errors.push(field("/slug", slug_problem));
    }
    check_text("/description", &description, 0, MAX_DESCRIPTION_CHARACTERS, &mut errors);
    check_text("/model", body.model.as_deref().unwrap_or_default(), 0, MAX_MODEL_CHARACTERS, &mut errors);
    check_text(
        "/system_prompt",
        body.system_prompt.as_deref().unwrap_or_default(),
        0,
        MAX_PROMPT_CHARACTERS,
        &mut errors,
    );
    check_capabilities(&capabilities, &mut errors);
    check_reachable(body.adapter, body.model.as_deref(), &parameters, &mut errors);
    let about_key = agent_key::check(body.adapter, &parameters).into_iter();
    errors.extend(about_key.map(|(name, why)| field(&format!("/parameters/{name}"), &why)));
    if !errors.is_empty() {
        return Err(Error::invalid_fields(errors));
    }
    Ok(Agent {
        id: AgentId(Uuid::nil()),
        tenant_id: TenantId(Uuid::nil()),
        name,
        slug,
        description,
        adapter: body.adapter,
        model: body.model,
        system_prompt: body.system_prompt,
        parameters,
        capabilities,
        is_active: body.is_active.unwrap_or(true),
        is_system: false,
        created_by: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    })
}

fn check_text(pointer: &str, text: &str, least: usize, most: usize, errors: &mut Vec<FieldError>) {
    let length = text.chars().count();
    if !(least..=most).contains(&length) {
        errors.push(field(pointer, &format!("must be {least} to {most} characters, not {length}")));
    }
    if text.contains('\0') {
        errors.push(field(pointer, "contains a NUL character"));
    }
}

/// Without these no call of the agent could ever succeed.
fn check_reachable(
    adapter: Adapter,
    model: Option<&str>,
    parameters: &Map<String, Value>,
    errors: &mut Vec<FieldError>,
) {
    let has_text = |name: &str| parameters.get(name).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    match adapter {
        Adapter::Builtin => {}
        Adapter::Command if has_text("program") => {}
        Adapter::Command => errors.push(field("/parameters/program", "is needed with the adapter command")),
        Adapter::Openai if model.is_some_and(|model| !model.is_empty()) => {}
        Adapter::Openai => errors.push(field("/model", "is needed with the adapter openai")),
    }
}

fn check_capabilities(capabilities: &BTreeMap<String, f64>, errors: &mut Vec<FieldError>) {
    for (skill, level) in capabilities {
        if !(0.0..=1.0).contains(level) {
            errors.push(field(&format!("/capabilities/{}", escape(skill)), "must be a level from 0 to 1"));
        }
    }
}

/// A slug from a name: what is no letter or digit becomes a hyphen.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            slug.push(character);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(MAX_SLUG_CHARACTERS);
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_agent_tests_is_valid() {
        assert!(TEST_DEFINITION.is_some());
    }

    #[test]
    fn slugs_come_from_names() {
        assert_eq!(slug_of("  Release Notes: Writer (v2)!"), "release-notes-writer-v2");
        assert_eq!(slug_of("ÄÖ"), "");
    }

    #[test]
    fn an_agent_that_could_never_answer_is_refused() {
        for (body, pointer) in [
            (json!({"name": "a", "adapter": "openai"}), "/model"),
            (json!({"name": "a", "adapter": "openai", "model": ""}), "/model"),
            (json!({"name": "a", "adapter": "command", "parameters": {"program": 7}}), "/parameters/program"),
            (json!({"name": "日本語", "adapter": "builtin"}), "cannot be made from this name"),
        ] {
            let text = format!("{:?}", checked(serde_json::from_value(body).unwrap()).unwrap_err());
            assert!(text.contains(pointer), "{pointer} is missing in {text}");
        }
        let fine = json!({"name": "a", "adapter": "command", "parameters": {"program": "claude"}});
        assert!(checked(serde_json::from_value(fine).unwrap()).is_ok());
    }

    #[test]
    fn every_wrong_field_of_an_agent_is_named() {
        let body = serde_json::from_value(json!({
            "name": " ", "slug": "Not A Slug", "adapter": "builtin", "capabilities": {"a/b": 1.5}, "description": "a\u{0}"
        }))
        .unwrap();
        let text = format!("{:?}", checked(body).unwrap_err());
        for pointer in ["/name", "/slug", "/capabilities/a~1b", "/description"] {
            assert!(text.contains(pointer), "{pointer} is missing in {text}");
        }
    }
}
