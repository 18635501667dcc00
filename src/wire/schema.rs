//! OpenAPI schemas of domain types. The domain knows nothing of OpenAPI, so they are given here, once.

use crate::domain::preflight::Verdict;
use crate::domain::quota::Bound;
use crate::domain::{
    Adapter, AgentId, ApiKeyId, AuditId, ExecutionId, ExecutionType, Failure, PrincipalKind, Role, SavedViewId, Scope,
    Status, TenantId, Timestamp, Trigger, Usage, UserId, ViewedList, WorkflowId,
};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

macro_rules! text_schema {
    ($($name:ident: $format:expr, $description:literal, $example:literal;)+) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some($format))
                    .description(Some($description))
                    .examples([$example])
                    .into()
            }
        }
        impl ToSchema for $name {}
    )+};
}

text_schema! {
    ExecutionId: SchemaFormat::Custom("uuid".to_owned()), "Id of an execution (UUIDv7).", "0198c5a0-7c1e-7000-8000-000000000001";
    WorkflowId: SchemaFormat::Custom("uuid".to_owned()), "Id of one registered version of a workflow.", "0198c5a0-7c1e-7000-8000-000000000002";
    AgentId: SchemaFormat::Custom("uuid".to_owned()), "Id of an agent.", "0198c5a0-7c1e-7000-8000-000000000003";
    UserId: SchemaFormat::Custom("uuid".to_owned()), "Id of a person.", "0198c5a0-7c1e-7000-8000-000000000004";
    ApiKeyId: SchemaFormat::Custom("uuid".to_owned()), "Id of an API key.", "0198c5a0-7c1e-7000-8000-000000000005";
    AuditId: SchemaFormat::Custom("uuid".to_owned()), "Id of a line of the audit.", "0198c5a0-7c1e-7000-8000-000000000006";
    SavedViewId: SchemaFormat::Custom("uuid".to_owned()), "Id of a saved view.", "0198c5a0-7c1e-7000-8000-000000000007";
    TenantId: SchemaFormat::Custom("uuid".to_owned()), "Id of a tenant.", "01900000-0000-7000-8000-000000000001";
    Timestamp: SchemaFormat::KnownFormat(KnownFormat::DateTime), "Instant in UTC, RFC 3339 with microseconds.", "2026-03-01T09:30:00.000000Z";
}

macro_rules! word_schema {
    ($($name:ident: $words:expr, $description:literal;)+) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some($words))
                    .description(Some($description))
                    .into()
            }
        }
        impl ToSchema for $name {}
    )+};
}

word_schema! {
    Role: Role::ALL.iter().map(|word| word.as_str()), "What somebody is in their tenant; later ones may do more.";
    Scope: Scope::ALL.iter().map(|word| word.as_str()), "A part of the interface to which a key can be narrowed.";
    PrincipalKind: PrincipalKind::ALL.iter().map(|word| word.as_str()), "Whether a person or a key.";
    Status: Status::ALL.iter().map(|word| word.as_str()),
        "Where an execution stands. `succeeded`, `failed` and `cancelled` never change.";
    ExecutionType: ExecutionType::ALL.iter().map(|word| word.as_str()), "What an execution is a run of.";
    Bound: Bound::ALL.iter().map(|word| word.as_str()),
        "A limit that is reached: one of the execution's budget, or one of its tenant's month.";
    Trigger: Trigger::ALL.iter().map(|word| word.as_str()), "What made an execution start.";
    Verdict: Verdict::ALL.iter().map(|word| word.as_str()),
        "How something that an execution may touch stands now. `unknown` is seen only when one runs.";
    ViewedList: ViewedList::ALL.iter().map(|word| word.as_str()), "A list that views can be saved of.";
    Adapter: [Adapter::Builtin, Adapter::Command, Adapter::Openai].map(Adapter::as_str), "How an agent is reached.";
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn count(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some(description))
}

impl PartialSchema for Failure {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("An error of a task or an execution, with the standard types of the workflow language."))
            .property("type", text("URI of the error type."))
            .property("status", serde_json::Value::schema())
            .property("title", text("What kind of error it is."))
            .property("detail", text("What went wrong this time."))
            .property("instance", text("JSON pointer to the task in the definition."))
            .property(
                "retryable",
                ObjectBuilder::new()
                    .schema_type(Type::Boolean)
                    .description(Some("Whether the same attempt could succeed later.")),
            )
            .property("suggestion", text("What a person can do about it."))
            .property("request", text("The request that was answered with an error: its method and address."))
            .property("output", text("The end of what a command had written to standard output."))
            .required("type")
            .required("status")
            .into()
    }
}

impl ToSchema for Failure {}

impl PartialSchema for Usage {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .description(Some("One model call: disjoint token buckets and what it cost."))
            .property("agent_id", Ref::from_schema_name("AgentId"))
            .property("provider", text("Who answered."))
            .property("model", text("Which model answered."))
            .property("input_tokens", count("Tokens read that were not cached."))
            .property("cached_input_tokens", count("Tokens read from the provider's cache."))
            .property("output_tokens", count("Tokens written that were not reasoning."))
            .property("reasoning_tokens", count("Tokens of reasoning."))
            .property(
                "cost_usd",
                ObjectBuilder::new()
                    .schema_type(Type::Number)
                    .description(Some("US dollars, when the price is known.")),
            )
            .property("prices", prices())
            .property("latency_ms", count("Milliseconds the call took."))
            .property(
                "outcome",
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .enum_values(Some(["used", "wasted"]))
                    .description(Some("Whether anything came of it: wasted calls failed, or their attempt was retried, cancelled or superseded.")),
            )
            .property(
                "is_estimated",
                ObjectBuilder::new()
                    .schema_type(Type::Boolean)
                    .description(Some("The call was broken off, and its tokens were counted here and not by the provider.")),
            )
            .required("provider")
            .required("model")
            .required("input_tokens")
            .required("cached_input_tokens")
            .required("output_tokens")
            .required("reasoning_tokens")
            .required("latency_ms")
            .required("outcome")
            .into()
    }
}

impl ToSchema for Usage {}

/// What a cost was calculated with.
fn prices() -> ObjectBuilder {
    let price = || ObjectBuilder::new().schema_type(Type::Number);
    ["input", "cached_input", "output", "reasoning"].into_iter().fold(
        ObjectBuilder::new().description(Some(
            "The prices used, in US dollars per million tokens; absent when the provider calculated the cost.",
        )),
        |object, name| object.property(name, price()).required(name),
    )
}
