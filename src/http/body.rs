//! Bodies: read up to the limit, refused with the place where they are wrong.

use super::Service;
use super::error::{Error, Result};
use crate::wire::catalog::Code;
use crate::wire::problem::{FieldError, Problem};
use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

/// How deeply JSON may be nested.
pub const MAX_DEPTH: usize = 64;

/// A JSON body.
#[derive(Debug)]
pub struct Json<T> {
    pub value: T,
    /// As it was sent: what an `Idempotency-Key` is compared by.
    pub bytes: Bytes,
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let media_type = media_type(&request);
            if !media_type.as_deref().is_some_and(is_json) {
                return Err(unsupported(media_type.as_deref(), "application/json"));
            }
            let bytes = read(&request, payload).await?;
            Ok(Self { value: parse(&bytes)?, bytes })
        })
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub struct OptionalJson<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let bytes = read(&request, payload).await?;
            if bytes.is_empty() {
                return Ok(Self { value: T::default(), bytes });
            }
            let media_type = media_type(&request);
            if !media_type.as_deref().is_some_and(is_json) {
                return Err(unsupported(media_type.as_deref(), "application/json"));
            }
            Ok(Self { value: parse(&bytes)?, bytes })
        })
    }
}

/// A workflow definition as a body: YAML or JSON, told apart by the media type only for the sake of the sender, since every
/// JSON document is a YAML document.
#[derive(Debug)]
pub struct DefinitionText {
    pub text: String,
}

impl FromRequest for DefinitionText {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let media_type = media_type(&request);
            if !media_type.as_deref().is_some_and(|media_type| is_json(media_type) || is_yaml(media_type)) {
                return Err(unsupported(media_type.as_deref(), "application/yaml or application/json"));
            }
            let bytes = read(&request, payload).await?;
            let text = String::from_utf8(bytes.into()).map_err(|error| {
                let at = error.utf8_error().valid_up_to();
                Error::new(Code::InvalidBody, format!("The definition is not UTF-8 from byte {at} on."))
            })?;
            Ok(Self { text })
        })
    }
}

/// Reads JSON, with the place and the pointer of what is wrong.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if is_deeper_than(bytes, MAX_DEPTH) {
        return Err(Error::new(Code::BodyTooDeep, format!("The body is nested more than {MAX_DEPTH} levels deep.")));
    }
    match bytes.trim_ascii_start().first() {
        None => return Err(Error::new(Code::InvalidJson, "The body is empty.")),
        // Every body is an object. The library would also take the fields as a list, without their names.
        Some(b'[') => return Err(Error::invalid_field("", "must be an object with named fields, not a list")),
        Some(_) => {}
    }
    // Most bodies are fine; only for the others the path to the mistake is tracked.
    serde_json::from_slice(bytes).or_else(|_| explain(bytes))
}

fn explain<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let (error, pointer) = match serde_path_to_error::deserialize(&mut deserializer) {
        Ok(value) => match deserializer.end() {
            Ok(()) => return Ok(value),
            Err(error) => (error, String::new()),
        },
        Err(error) => {
            let pointer = pointer(error.path());
            (error.into_inner(), pointer)
        }
    };
    let (line, column) = (u32::try_from(error.line()).ok(), u32::try_from(error.column()).ok());
    let text = error.to_string();
    let reason = plain(text.split_once(" at line ").map_or(text.as_str(), |(reason, _)| reason));
    let is_wrong_form = error.is_data();
    let field = FieldError {
        detail: reason.clone(),
        pointer: is_wrong_form.then_some(pointer.clone()),
        line,
        column,
        ..FieldError::default()
    };
    let code = if is_wrong_form { Code::InvalidBody } else { Code::InvalidJson };
    let place = if is_wrong_form && !pointer.is_empty() {
        format!("{pointer} (line {}, column {})", error.line(), error.column())
    } else {
        format!("line {}, column {}", error.line(), error.column())
    };
    Err(Error::from(Problem::new(code, format!("{place}: {reason}.")).with_errors(vec![field])))
}

/// What the library finds wrong, in words for people who do not know what it is written in.
fn plain(reason: &str) -> String {
    if reason.starts_with("UUID parsing failed") {
        return "must be a UUID such as 0198c5a0-7c1e-7000-8000-000000000001".to_owned();
    }
    let mismatch = reason.strip_prefix("invalid type: ").or_else(|| reason.strip_prefix("invalid value: "));
    match mismatch.and_then(|mismatch| mismatch.split_once(", expected ")) {
        Some((found, expected)) => format!("must be {}, not {}", words_for(expected), words_for(found)),
        None => reason.to_owned(),
    }
}

fn words_for(kind: &str) -> &str {
    match kind {
        "a formatted UUID string" => "a UUID",
        "a map" | "map" => "an object",
        "a sequence" | "sequence" => "a list",
        "a string" | "a borrowed string" => "a text",
        "a boolean" => "true or false",
        "u8" => "a small whole number",
        "u16" | "u32" | "u64" | "usize" => "a whole number from 0",
        "i16" | "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        structure if structure.starts_with("struct ") => "an object",
        other => other,
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use std::fmt::Write;
    let mut pointer = String::new();
    for segment in path {
        // Writing to a String cannot fail.
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } => write!(pointer, "/{}", escape(key)),
            Segment::Enum { variant } => write!(pointer, "/{}", escape(variant)),
            Segment::Unknown => Ok(()),
        };
    }
    pointer
}

/// A name as a segment of a JSON pointer.
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether brackets outside of texts are nested deeper than `limit`.
fn is_deeper_than(bytes: &[u8], limit: usize) -> bool {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in bytes {
        if is_text {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => is_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The essence of the `Content-Type`, lower case, without parameters.
fn media_type(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or(value).trim().to_ascii_lowercase())
}

fn is_json(media_type: &str) -> bool {
    media_type == "application/json" || media_type.ends_with("+json")
}

fn is_yaml(media_type: &str) -> bool {
    matches!(media_type, "application/yaml" | "application/x-yaml" | "text/yaml" | "text/x-yaml" | "text/vnd.yaml")
        || media_type.ends_with("+yaml")
}

fn unsupported(found: Option<&str>, wanted: &str) -> Error {
    let found = found.map_or("no media type".to_owned(), |found| format!("'{found}'"));
    let problem = Problem::new(Code::UnsupportedMediaType, format!("The body has {found}."));
    Error::from(problem.with_suggestion(format!("Send the header Content-Type: {wanted}.")))
}

/// The whole body, up to the limits of the settings in size and in time.
async fn read(request: &HttpRequest, payload: Payload) -> Result<Bytes> {
    let service = request.app_data::<web::Data<Service>>();
    let (limit, patience) = service.map_or_else(Default::default, |it| (it.body_limit_bytes, it.body_timeout));
    if let Some(encoding) = request.headers().get(header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        let problem = Problem::new(Code::UnsupportedMediaType, "The body is compressed.");
        return Err(Error::from(problem.with_suggestion("Send the body without Content-Encoding.")));
    }
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: usize| length > limit) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(patience, collect(payload, limit)).await {
        Ok(body) => body,
        Err(_) => {
            let detail = format!("The body was not complete after {} ms.", patience.as_millis());
            let close = header::HeaderValue::from_static("close");
            Err(Error::new(Code::RequestTimeout, detail).with_header(header::CONNECTION, close))
        }
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes> {
    let mut first: Option<Bytes> = None;
    let mut all = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Error::new(Code::InvalidBody, format!("The body broke off: {error}.")))?;
        let length = all.len() + first.as_ref().map_or(0, Bytes::len) + chunk.len();
        if length > limit {
            return Err(too_large(limit));
        }
        // A body that arrives in one piece, as most do, is not copied.
        match (first.take(), all.is_empty()) {
            (None, true) => first = Some(chunk),
            (begun, _) => {
                all.extend_from_slice(&begun.unwrap_or_default());
                all.extend_from_slice(&chunk);
            }
        }
    }
    Ok(first.unwrap_or_else(|| all.freeze()))
}

fn too_large(limit: usize) -> Error {
    Error::new(Code::BodyTooLarge, format!("The body is larger than {limit} bytes."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::execution::StartExecution;

    fn refusal(text: &str) -> serde_json::Value {
        use actix_web::ResponseError;
        use actix_web::body::MessageBody;
        let error = parse::<StartExecution>(text.as_bytes()).unwrap_err();
        let bytes = error.error_response().into_body().try_into_bytes().unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let problem = refusal("{\n  \"input\": {,}\n}");
        assert_eq!(problem["code"], "invalid_json");
        assert_eq!((&problem["errors"][0]["line"], &problem["errors"][0]["column"]), (&2.into(), &13.into()));
        assert_eq!(refusal("{} x")["code"], "invalid_json");
        assert_eq!(refusal("")["code"], "invalid_json");
    }

    #[test]
    fn a_wrong_type_and_an_unknown_field_have_a_pointer() {
        let problem = refusal(r#"{"labels": {"a/b": 7}}"#);
        assert_eq!(problem["code"], "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/labels/a~1b");
        let problem = refusal(r#"{"workflow": {"namespace": "a", "name": "b", "versoin": "1.0.0"}}"#);
        assert_eq!(problem["errors"][0]["pointer"], "/workflow/versoin", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("expected"), "{problem}");
    }

    #[test]
    fn mistakes_are_told_in_words_for_everybody() {
        for (body, said) in [
            ("", "The body is empty."),
            (r#"["0198c5a0-7c1e-7000-8000-000000000001"]"#, "must be an object with named fields, not a list"),
            ("null", "must be an object, not null"),
            (r#"{"workflow_id": 5}"#, "must be a UUID, not integer `5`"),
            (r#"{"workflow_id": "hello"}"#, "must be a UUID such as 0198"),
            (r#"{"priority": -1}"#, "must be a small whole number, not integer `-1`"),
            (r#"{"labels": []}"#, "must be an object, not a list"),
            (r#"{"start_at": "tomorrow"}"#, "'tomorrow' is not an instant such as 2026-03-01T09:30:00Z"),
        ] {
            let detail = refusal(body)["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(said), "{body}: {detail}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_before_it_is_parsed() {
        let deep = format!("{{\"input\":{}1{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(refusal(&deep)["code"], "body_too_deep");
        let fits = format!("{{\"input\":{}1{}}}", "[".repeat(63), "]".repeat(63));
        assert!(parse::<StartExecution>(fits.as_bytes()).is_ok());
        let in_text = format!("{{\"input\":\"\\\"{}\"}}", "[".repeat(500));
        assert!(parse::<StartExecution>(in_text.as_bytes()).is_ok());
    }

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(refusal(" [null, null]")["code"], "invalid_body");
        assert_eq!(refusal(r#"{"workflow": ["a", "b"]}"#)["errors"][0]["pointer"], "/workflow");
    }

    #[test]
    fn a_definition_keeps_its_text() {
        let body: StartExecution = parse(br#"{"definition": {"do": [ ]}}"#).unwrap();
        assert_eq!(body.definition.unwrap().get(), r#"{"do": [ ]}"#);
    }
}
