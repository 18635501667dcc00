//! `call: http`, as the workflow language describes it (Serverless Workflow DSL 1.0.3, "HTTP Call").
//!
//! Builds the request, follows redirects hop by hop when asked to, answers challenges, and gives the response the form
//! that the definition wants.

use super::client::{Answer, Client, Outgoing, address, without_user};
use super::{EffectContext, digest, oauth};
use crate::domain::{Authentication, Failure, HttpOutput, HttpRequest, Redactor, StandardType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

/// How many redirects are followed.
const MAX_REDIRECTS: u32 = 10;
/// How much of an error response's body goes into `detail`, in characters.
const DETAIL_CHARACTERS: usize = 2_000;
/// What is not passed on to another origin, and never shown.
const CREDENTIAL_HEADERS: [&str; 5] = ["authorization", "cookie", "cookie2", "proxy-authorization", "x-api-key"];
/// What the client writes itself, from the body that is really sent.
const FRAMING_HEADERS: [&str; 2] = ["content-length", "transfer-encoding"];

/// Performs one `call: http`.
pub async fn perform(client: &Client, request: HttpRequest, context: &EffectContext) -> Result<Value, Failure> {
    let mut outgoing = build(&request, client.options().send_idempotency_key, context)?;
    let Some(authentication) = &request.authentication else { return exchange(client, outgoing, &request).await };
    let token = authenticate(client, authentication, &mut outgoing).await?.map(Value::from);
    let mut result = exchange(client, outgoing, &request).await;
    // A token that was acquired on the way is nobody's secret by name, and yet must not be journaled when it is echoed.
    let redactor = Redactor::new(&token);
    match &mut result {
        Ok(value) => redactor.value(value),
        Err(failure) => redactor.failure(failure),
    }
    result
}

async fn exchange(client: &Client, outgoing: Outgoing, request: &HttpRequest) -> Result<Value, Failure> {
    let (answer, last) = follow(client, outgoing, request).await?;
    let acceptable = if request.redirect { 200..400 } else { 200..300 };
    if !acceptable.contains(&answer.status.as_u16()) {
        if let (StatusCode::UNAUTHORIZED, Some(authentication)) = (answer.status, &request.authentication) {
            forget_token(client, authentication);
        }
        return Err(status_failure(&answer, &last));
    }
    present(request.output, &answer, &last)
}

fn build(request: &HttpRequest, idempotency: bool, context: &EffectContext) -> Result<Outgoing, Failure> {
    let method = Method::from_bytes(request.method.to_ascii_uppercase().as_bytes())
        .map_err(|_| invalid(format!("`{}` is not an HTTP method", request.method)))?;
    let mut url = parse_url(&request.uri)?;
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    let mut headers = HeaderMap::new();
    if let Some(password_in_url) = user_information(&url) {
        headers.insert(header::AUTHORIZATION, password_in_url);
        without_user(&mut url);
    }
    for (name, value) in &request.headers {
        if FRAMING_HEADERS.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
            continue;
        }
        let parsed = HeaderName::from_bytes(name.trim().as_bytes());
        let name = parsed.map_err(|_| invalid(format!("`{name}` is not a header name")))?;
        let parsed = HeaderValue::from_bytes(value.as_bytes());
        let mut value =
            parsed.map_err(|_| invalid(format!("the value of header `{name}` has forbidden characters")))?;
        value.set_sensitive(CREDENTIAL_HEADERS.contains(&name.as_str()));
        headers.append(name, value);
    }
    let body = request.body.as_ref().and_then(|body| encode_body(body, &mut headers));
    let is_safe = [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(&method);
    if idempotency && !is_safe {
        insert_absent(&mut headers, HeaderName::from_static("idempotency-key"), &context.key.to_string());
    }
    if let Some(traceparent) = &context.traceparent {
        insert_absent(&mut headers, HeaderName::from_static("traceparent"), traceparent);
    }
    Ok(Outgoing { method, url, headers, body })
}

fn insert_absent(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (headers.contains_key(&name), HeaderValue::from_str(value)) {
        headers.insert(name, value);
    }
}

/// An absolute `http` or `https` URL.
pub fn parse_url(text: &str) -> Result<Url, Failure> {
    let url = Url::parse(text).map_err(|error| {
        Failure::new(
            StandardType::Configuration,
            "Invalid URI",
            format!("the endpoint is not an absolute URI: {error}"),
        )
        .retryable(false)
    })?;
    if matches!(url.scheme(), "http" | "https") {
        return Ok(url);
    }
    Err(Failure::new(
        StandardType::Configuration,
        "Unsupported URI scheme",
        format!("an endpoint needs the scheme http or https, not `{}`", url.scheme()),
    )
    .retryable(false))
}

fn invalid(detail: String) -> Failure {
    Failure::new(StandardType::Validation, "Invalid request", detail).retryable(false)
}

/// `https://user:password@host` means basic authentication.
fn user_information(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    basic(&decode(url.username()), &decode(url.password().unwrap_or_default()))
}

/// The value of `Authorization` for a name and a password (RFC 7617, UTF-8).
pub fn basic(username: &str, password: &str) -> Option<HeaderValue> {
    sensitive(&format!("Basic {}", BASE64.encode(format!("{username}:{password}"))))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The bytes of a body; sets `content-type` unless the author did. `null` is no body.
fn encode_body(body: &Value, headers: &mut HeaderMap) -> Option<Bytes> {
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|value| {
        let essence = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
    });
    let (bytes, media_type) = match body {
        Value::Null => return None,
        Value::String(text) => (Bytes::from(text.clone()), "text/plain; charset=utf-8"),
        Value::Object(fields) if is_form => (encode_form(fields), "application/x-www-form-urlencoded"),
        Value::Object(_) | Value::Array(_) | Value::Number(_) | Value::Bool(_) => {
            (Bytes::from(body.to_string()), "application/json")
        }
    };
    insert_absent(headers, header::CONTENT_TYPE, media_type);
    Some(bytes)
}

/// Arrays repeat their key, `null` leaves it out, other values that are not text become JSON.
fn encode_form(fields: &Map<String, Value>) -> Bytes {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in fields {
        let values = match value {
            Value::Array(items) => items.as_slice(),
            Value::Null => &[],
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => std::slice::from_ref(value),
        };
        for value in values {
            match value {
                Value::String(text) => form.append_pair(key, text),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    form.append_pair(key, &value.to_string())
                }
            };
        }
    }
    Bytes::from(form.finish())
}

/// Adds the credentials that can be sent unasked, and answers a token that had to be acquired. Digest waits for the challenge.
async fn authenticate(
    client: &Client,
    policy: &Authentication,
    outgoing: &mut Outgoing,
) -> Result<Option<String>, Failure> {
    let mut acquired = None;
    let value = match policy {
        Authentication::Basic { username, password } => basic(username, password),
        Authentication::Bearer { token } => sensitive(&format!("Bearer {token}")),
        Authentication::OAuth2(policy) => {
            let token = client.tokens().bearer(client, policy, oauth::Kind::OAuth2).await?;
            sensitive(&format!("Bearer {}", acquired.insert(token)))
        }
        Authentication::Oidc(policy) => {
            let token = client.tokens().bearer(client, policy, oauth::Kind::Oidc).await?;
            sensitive(&format!("Bearer {}", acquired.insert(token)))
        }
        Authentication::Digest { .. } => return Ok(None),
    };
    let value = value.ok_or_else(|| {
        let detail = "the credentials contain characters that no header can carry";
        Failure::new(StandardType::Authentication, "Invalid credentials", detail).retryable(false)
    })?;
    outgoing.headers.insert(header::AUTHORIZATION, value);
    Ok(acquired)
}

/// The target did not accept the token: the next attempt gets a fresh one.
fn forget_token(client: &Client, policy: &Authentication) {
    match policy {
        Authentication::OAuth2(policy) => client.tokens().forget(policy, oauth::Kind::OAuth2),
        Authentication::Oidc(policy) => client.tokens().forget(policy, oauth::Kind::Oidc),
        Authentication::Basic { .. } | Authentication::Bearer { .. } | Authentication::Digest { .. } => {}
    }
}

/// Sends, answers a digest challenge once per hop, follows redirects. Returns the last answer and what it answers.
async fn follow(client: &Client, mut outgoing: Outgoing, request: &HttpRequest) -> Result<(Answer, Outgoing), Failure> {
    let origin = outgoing.url.origin();
    let mut redirects = 0;
    loop {
        let mut answer = client.exchange(&outgoing).await?;
        if let Some(Authentication::Digest { username, password }) = &request.authentication
            && answer.status == StatusCode::UNAUTHORIZED
            && outgoing.url.origin() == origin
            && let Some(value) = digest::respond(&answer.headers, &outgoing, username, password)
        {
            let mut again = outgoing.clone();
            again.headers.insert(header::AUTHORIZATION, value);
            answer = client.exchange(&again).await?;
        }
        let location = if request.redirect { redirect_target(&answer, &outgoing)? } else { None };
        let Some(location) = location else { return Ok((answer, outgoing)) };
        redirects += 1;
        if redirects > MAX_REDIRECTS {
            let detail = format!("more than {MAX_REDIRECTS} redirects, the last one to {}", address(&location));
            return Err(Failure::new(StandardType::Communication, "Too many redirects", detail)
                .with_status(answer.status.as_u16())
                .retryable(false));
        }
        redirect(&mut outgoing, answer.status, location);
    }
}

fn redirect_target(answer: &Answer, outgoing: &Outgoing) -> Result<Option<Url>, Failure> {
    if !matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let Some(location) = answer.headers.get(header::LOCATION) else { return Ok(None) };
    let text = String::from_utf8_lossy(location.as_bytes());
    let target = outgoing.url.join(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    target.map(Some).ok_or_else(|| {
        let detail = format!("{} redirects to something that is not an http or https URI", address(&outgoing.url));
        Failure::new(StandardType::Communication, "Invalid redirect", detail).with_status(502).retryable(false)
    })
}

/// Rewrites the request for the next hop: 303 always, 301 and 302 after a POST become a GET without body (RFC 9110, 15.4);
/// credentials do not travel to another origin.
fn redirect(outgoing: &mut Outgoing, status: StatusCode, mut location: Url) {
    let to_get = match status.as_u16() {
        303 => outgoing.method != Method::HEAD,
        301 | 302 => outgoing.method == Method::POST,
        _ => false,
    };
    if to_get {
        outgoing.method = Method::GET;
        outgoing.body = None;
        let of_the_body = outgoing.headers.keys().filter(|name| name.as_str().starts_with("content-")).cloned();
        for name in of_the_body.collect::<Vec<_>>() {
            outgoing.headers.remove(name);
        }
        outgoing.headers.remove("idempotency-key");
    }
    if location.origin() != outgoing.url.origin() {
        for name in CREDENTIAL_HEADERS {
            outgoing.headers.remove(name);
        }
    }
    without_user(&mut location);
    if location.fragment().is_none() {
        location.set_fragment(outgoing.url.fragment());
    }
    outgoing.url = location;
}

/// A `communication` failure with the status, the reason phrase and the beginning of the body.
fn status_failure(answer: &Answer, outgoing: &Outgoing) -> Failure {
    let status = answer.status.as_u16();
    let title = match answer.status.canonical_reason() {
        Some(reason) => reason.to_owned(),
        None => format!("HTTP {status}"),
    };
    let body = String::from_utf8_lossy(&answer.body);
    let detail = match body.trim() {
        "" => format!("{} {} answered {status} {title}", outgoing.method, address(&outgoing.url)),
        text => text.chars().take(DETAIL_CHARACTERS).collect(),
    };
    let retryable = matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504);
    let failure = Failure::new(StandardType::Communication, title, detail)
        .with_status(status)
        .retryable(retryable)
        .of_request(format!("{} {}", outgoing.method, address(&outgoing.url)));
    match status {
        300..=399 => failure.with_suggestion("set `redirect: true` to follow redirects"),
        401 | 403 => failure.with_suggestion("check the `authentication` of the endpoint"),
        404 | 410 => failure.with_suggestion("check the path of the `endpoint`"),
        408 | 425 | 429 | 500..=599 => {
            failure.with_suggestion("the endpoint may answer later: `try` with `catch.retry` asks again")
        }
        400..=499 => {
            failure.with_suggestion("the endpoint refuses the request: compare method, headers, query and body")
        }
        _ => failure,
    }
}

fn present(output: HttpOutput, answer: &Answer, outgoing: &Outgoing) -> Result<Value, Failure> {
    match output {
        HttpOutput::Raw => Ok(Value::String(BASE64.encode(&answer.body))),
        HttpOutput::Content => content(answer, outgoing),
        HttpOutput::Response => Ok(json!({
            "request": {
                "method": outgoing.method.as_str(),
                "uri": outgoing.url.as_str(),
                "headers": header_map(&outgoing.headers),
            },
            "statusCode": answer.status.as_u16(),
            "headers": header_map(&answer.headers),
            "content": content(answer, outgoing)?,
        })),
    }
}

/// The decoded body: JSON parsed, text and XML as text, anything else in base64, nothing as `null`.
fn content(answer: &Answer, outgoing: &Outgoing) -> Result<Value, Failure> {
    if answer.body.is_empty() {
        return Ok(Value::Null);
    }
    let media_type = answer.headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
    let (essence, parameters) = media_type.split_once(';').unwrap_or((&media_type, ""));
    let essence = essence.trim();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    if subtype == "json" || subtype.ends_with("+json") {
        return serde_json::from_slice(&answer.body).map_err(|error| {
            let detail = format!("{} answered with invalid JSON: {error}", address(&outgoing.url));
            Failure::new(StandardType::Communication, "Response unreadable", detail).with_status(502)
        });
    }
    if essence.starts_with("text/") || subtype == "xml" || subtype.ends_with("+xml") {
        let charset = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("charset="));
        let label = charset.unwrap_or("utf-8").trim_matches('"');
        let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap_or(encoding_rs::UTF_8);
        return Ok(Value::String(encoding.decode(&answer.body).0.into_owned()));
    }
    Ok(Value::String(BASE64.encode(&answer.body)))
}

/// Names to values; repeated headers are joined. Credentials are left out: this is journaled.
fn header_map(headers: &HeaderMap) -> Map<String, Value> {
    let mut map = Map::new();
    for name in headers.keys().filter(|name| !CREDENTIAL_HEADERS.contains(&name.as_str())) {
        let values: Vec<_> =
            headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        map.insert(name.as_str().to_owned(), Value::String(values.join(", ")));
    }
    map
}
