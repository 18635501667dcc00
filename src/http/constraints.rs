//! What holds for the parameters of every operation, put into the description in one place: how long texts may be, what an
//! `Idempotency-Key` looks like, how large numbers may be. The reading itself is in `query.rs` and `idempotency.rs`.

use super::query::{MAX_NUMBER, MAX_TEXT_CHARACTERS};
use utoipa::Modify;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{Object, SchemaType, Type};
use utoipa::openapi::{PathItem, RefOr, Required, Schema};

/// No control characters, no bytes that are no text.
const PLAIN_TEXT: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";
/// Visible ASCII characters.
const VISIBLE: &str = "^[!-~]+$";

/// Adds the constraints to every parameter.
pub struct Constraints;

impl Modify for Constraints {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        for item in description.paths.paths.values_mut() {
            for operation in operations(item) {
                relax(operation);
                let parameters = operation.parameters.iter_mut().flatten();
                parameters.for_each(|parameter| {
                    if let RefOr::T(parameter) = parameter {
                        constrain(parameter);
                    }
                });
            }
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, .. } = item;
    [get, put, post, delete].into_iter().filter_map(Option::as_mut)
}

/// A body whose description begins with these words is not required.
const OPTIONAL: &str = "May be left out";

fn relax(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && body.description.as_deref().is_some_and(|text| text.starts_with(OPTIONAL))
    {
        body.required = Some(Required::False);
    }
}

fn constrain(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(object))) = &mut parameter.schema else { return };
    match parameter.parameter_in {
        ParameterIn::Header => constrain_header(&parameter.name, object),
        ParameterIn::Query => constrain_query(object),
        ParameterIn::Path | ParameterIn::Cookie | ParameterIn::QueryString => {}
    }
}

fn constrain_header(name: &str, object: &mut Object) {
    if is_text(object) {
        // A header is there or not; it is never null.
        object.schema_type = SchemaType::Type(Type::String);
        if name == super::idempotency::KEY {
            object.min_length = Some(1);
            object.max_length = Some(super::idempotency::MAX_KEY_CHARACTERS);
            object.pattern = Some(VISIBLE.to_owned());
        }
    }
}

fn constrain_query(object: &mut Object) {
    if is_text(object) && object.pattern.is_none() && object.format.is_none() && object.enum_values.is_none() {
        object.max_length = Some(MAX_TEXT_CHARACTERS);
        object.pattern = Some(PLAIN_TEXT.to_owned());
    }
    if matches!(object.schema_type, SchemaType::Type(Type::Integer)) && object.maximum.is_none() {
        object.maximum = Some(utoipa::Number::from(MAX_NUMBER));
    }
}

fn is_text(object: &Object) -> bool {
    match &object.schema_type {
        SchemaType::Type(only) => *only == Type::String,
        SchemaType::Array(several) => several.contains(&Type::String),
        SchemaType::AnyValue => false,
    }
}
