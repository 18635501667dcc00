//! The HTTP client of the commands that talk to a running service.
//!
//! Answers stay JSON values: the commands show what they know and pass the rest on with `--json`, so that an older client
//! can read a newer service. Problems (RFC 9457) become readable text and an exit code here, in one place.

use super::Exit;
use super::credentials;
use super::error::Error;
use serde_json::Value;
use std::fmt::Write;
use std::time::Duration;
use url::{Host, Url};
use uuid::Uuid;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
const BASE_PATH: &str = "/api/v1";
/// Where a service listens that was started without settings.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
/// The most items that one page holds.
const PAGE_SIZE: u32 = 100;
/// The header of API keys.
pub const API_KEY: &str = "x-api-key";

/// Which service to talk to.
#[derive(Clone, clap::Args)]
pub struct Address {
    /// Address of the service [default: that of the last `callboard login`, or http://127.0.0.1:8080]
    #[arg(long, env = "CALLBOARD_URL", value_name = "URL", global = true)]
    pub url: Option<Url>,
    /// API key that opens the service
    #[arg(long, env = "CALLBOARD_API_KEY", value_name = "KEY", hide_env_values = true, global = true)]
    pub api_key: Option<String>,
}

impl std::fmt::Debug for Address {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Address").field("url", &self.url.as_ref().map(Url::as_str)).finish_non_exhaustive()
    }
}

/// The service that is meant: the named one, or that of the last sign-in on this machine, or one without settings here.
///
/// # Errors
/// Never in practice.
pub fn address(named: Option<&Url>) -> Result<Url, Error> {
    let known = named.cloned().or_else(credentials::current);
    known.map_or_else(|| DEFAULT_URL.parse(), Ok).map_err(|error| Error::failure(format!("{DEFAULT_URL}: {error}")))
}

/// A connection to one service.
#[derive(Clone)]
pub struct Client {
    base: Url,
    key: Option<String>,
    http: reqwest::Client,
}

impl std::fmt::Debug for Client {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the address is not HTTP or HTTPS.
    pub fn new(address: &Address) -> Result<Self, Error> {
        let url = self::address(address.url.as_ref())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            let shown = without_credentials(&url);
            return Err(Error::invalid(format!("'{shown}' is no http:// or https:// address of a service")));
        }
        // Installing a second time is refused, which is as good as having done it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = reqwest::header::HeaderMap::new();
        let key = address.api_key.clone().or_else(|| credentials::stored(&url));
        if let Some(key) = &key {
            let value = reqwest::header::HeaderValue::from_str(key.trim());
            let mut value = value.map_err(|_| Error::invalid("the API key contains characters that no key has"))?;
            value.set_sensitive(true);
            headers.insert(API_KEY, value);
        }
        let mut http = reqwest::Client::builder()
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A key or a password would be sent along.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("callboard/", env!("CARGO_PKG_VERSION")));
        if is_this_machine(&url) {
            // A proxy from the environment would look for the service on its own machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| Error::failure(format!("cannot prepare the HTTP client: {error}")))?;
        Ok(Self { base: url, key, http })
    }

    /// A client with an access token in place of a key.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn with_bearer(url: &Url, token: &str) -> Result<Self, Error> {
        // The service takes a token wherever it takes a key.
        Self::new(&Address { url: Some(url.clone()), api_key: Some(token.to_owned()) })
    }

    /// The API key that requests carry.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref().map(str::trim)
    }

    /// The address of `path` below the API's base path.
    pub fn address(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{BASE_PATH}{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// The address of a WebSocket of the live protocol: `/ws/executions…`.
    pub fn live_address(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        // Both are special schemes, so the change is always allowed.
        let _ = url.set_scheme(if self.base.scheme() == "https" { "wss" } else { "ws" });
        url
    }

    /// GET; the decoded body.
    ///
    /// # Errors
    /// When the service cannot be reached or answers with a problem.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Error> {
        self.send(self.http.get(self.address(path)).query(query)).await
    }

    /// All items of a list, page by page.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn all(&self, path: &str) -> Result<Vec<Value>, Error> {
        let mut items = Vec::new();
        for page in 1_u32.. {
            let query = [("page", page.to_string()), ("size", PAGE_SIZE.to_string())];
            let answer = self.get(path, &query).await?;
            items.extend_from_slice(items_at(&answer, "/items"));
            let pages = answer.get("pages").and_then(Value::as_u64).unwrap_or(1);
            if u64::from(page) >= pages {
                break;
            }
        }
        Ok(items)
    }

    /// POST of a JSON body, or of none.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let request = self.http.post(self.address(path));
        self.send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// PUT of a JSON body.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(self.http.put(self.address(path)).json(body)).await
    }

    /// DELETE.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn delete(&self, path: &str) -> Result<Value, Error> {
        self.send(self.http.delete(self.address(path))).await
    }

    /// POST of text in a given media type.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post_text(&self, path: &str, media_type: &str, body: String) -> Result<Value, Error> {
        self.send(self.http.post(self.address(path)).header("content-type", media_type).body(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, Error> {
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let elsewhere = answer.headers().get(reqwest::header::LOCATION).filter(|_| answer.status().is_redirection());
        if let Some(elsewhere) = elsewhere {
            let (here, there) = (without_credentials(&self.base), String::from_utf8_lossy(elsewhere.as_bytes()));
            return Err(Error::failure(format!(
                "{here} answers that the service is at {there}; nothing was sent there: name the right address with --url"
            )));
        }
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        if !(200..300).contains(&status) {
            return Err(problem(status, &body));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| Error {
            exit: Exit::Failure,
            text: format!(
                "{} answered with something that is not JSON ({error}); is it a Callboard service?",
                without_credentials(&self.base)
            ),
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        unreachable(&self.base, &cause.to_string())
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An address as it may be shown: without the name and the password in it.
fn without_credentials(url: &Url) -> Url {
    let mut shown = url.clone();
    // Both only fail for addresses that cannot have either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown
}

/// The error of a service that cannot be reached, with what to do about it.
pub fn unreachable(url: &Url, reason: &str) -> Error {
    let url = without_credentials(url);
    Error {
        exit: Exit::Unreachable,
        text: format!(
            "cannot reach the service at {url}: {reason}\n  Start it with `callboard serve`, or name another one with --url or CALLBOARD_URL."
        ),
    }
}

/// A problem document as an error for people.
pub fn problem(status: u16, body: &[u8]) -> Error {
    let exit = match status {
        400 | 413 | 415 | 422 => Exit::Invalid,
        503 => Exit::Unreachable,
        _ => Exit::Failure,
    };
    let Ok(Value::Object(problem)) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        return Error { exit, text: format!("the service answered {status}: {}", text.trim()) };
    };
    let field = |name: &str| problem.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let mut text = format!("{} ({status})", field("title").or(field("code")).unwrap_or("the service refused"));
    if let Some(detail) = field("detail") {
        let _ = write!(text, "\n  {detail}");
    }
    let errors = problem.get("errors").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for error in errors {
        // The detail of a problem with parts of a request often consists of theirs.
        let is_said = field("detail").zip(error.get("detail").and_then(Value::as_str));
        if is_said.is_none_or(|(all, own)| !all.contains(own)) {
            let _ = write!(text, "\n  {}", problem_line(error));
        }
    }
    // What the service suggests is meant for programs; a person at the command line signs in.
    let is_sign_in = field("instance").is_some_and(|path| path.contains("/auth/"));
    let sign_in =
        (status == 401 && !is_sign_in).then_some("Sign in with `callboard login`, or give a key in CALLBOARD_API_KEY.");
    if let Some(suggestion) = sign_in.or(field("suggestion")) {
        let _ = write!(text, "\n  {suggestion}");
    }
    if let Some(id) = field("request_id") {
        let _ = write!(text, "\n  Request {id}");
    }
    Error { exit, text }
}

/// One entry of a problem's `errors`: place, message, suggestion.
fn problem_line(error: &Value) -> String {
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let number = |name: &str| error.get(name).and_then(Value::as_u64);
    let mut line = match (number("line"), number("column")) {
        (Some(line), Some(column)) => format!("line {line}, column {column}: "),
        _ => String::new(),
    };
    if let Some(pointer) = text("pointer") {
        let _ = write!(line, "{pointer}: ");
    }
    line.push_str(text("message").or(text("detail")).unwrap_or("not valid"));
    if let Some(suggestion) = text("suggestion") {
        let _ = write!(line, " ({suggestion})");
    }
    line
}

/// Parses the id of an execution.
///
/// # Errors
/// When it is no UUID.
pub fn id(text: &str) -> Result<Uuid, String> {
    text.parse()
        .map_err(|_| "an id looks like 0198c5a0-7c1e-7000-8000-000000000001; `executions list` shows them".into())
}

/// Parses a `NAME=VALUE` argument.
///
/// # Errors
/// When there is no `=` or no name.
pub fn label(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("write NAME=VALUE".to_owned()),
    }
}

/// The text at a JSON pointer; empty when there is none. Numbers and booleans are written out.
pub fn text_at(value: &Value, pointer: &str) -> String {
    match value.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}

/// The array at a JSON pointer; empty when there is none.
pub fn items_at<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Client {
        Client::new(&Address { url: Some(url.parse().unwrap()), api_key: None }).unwrap()
    }

    #[test]
    fn addresses_keep_a_prefix_of_a_proxy() {
        let client = client("https://work.example/callboard/");
        assert_eq!(client.address("/queue").as_str(), "https://work.example/callboard/api/v1/queue");
        assert_eq!(client.live_address("/ws/executions").as_str(), "wss://work.example/callboard/ws/executions");
    }

    #[test]
    fn a_problem_tells_what_where_and_what_to_do() {
        let body = br#"{"title":"Definition is not valid","status":422,"detail":"2 problems","suggestion":"Run `callboard validate`.",
            "request_id":"r-1","errors":[{"line":3,"column":5,"pointer":"/do/0","message":"unknown task kind","suggestion":"did you mean `set`?"}]}"#;
        let error = problem(422, body);
        assert_eq!(error.exit, Exit::Invalid);
        assert_eq!(
            error.text,
            "Definition is not valid (422)\n  2 problems\n  line 3, column 5: /do/0: unknown task kind (did you mean `set`?)\n  Run `callboard validate`.\n  Request r-1"
        );
    }

    #[test]
    fn what_the_detail_says_already_is_not_said_again() {
        let body = br#"{"title":"A query parameter is not valid","detail":"'a' is wrong; 'b' is wrong",
            "errors":[{"detail":"'a' is wrong","parameter":"a"},{"detail":"'b' is wrong","parameter":"b"}]}"#;
        assert_eq!(problem(400, body).text, "A query parameter is not valid (400)\n  'a' is wrong; 'b' is wrong");
    }

    #[test]
    fn the_password_in_an_address_is_never_shown() {
        let url: Url = "http://somebody:hunter2@127.0.0.1:1/".parse().unwrap();
        for error in [
            unreachable(&url, "refused"),
            Client::new(&Address { url: "ftp://a:hunter2@b".parse().ok(), api_key: None }).unwrap_err(),
        ] {
            assert!(!error.text.contains("hunter2") && !error.text.contains("somebody"), "{}", error.text);
        }
    }

    #[test]
    fn an_answer_that_is_no_problem_document_is_shown_as_it_is() {
        let error = problem(502, b"Bad Gateway\n");
        assert_eq!((error.exit, error.text.as_str()), (Exit::Failure, "the service answered 502: Bad Gateway"));
    }

    #[test]
    fn an_address_that_is_not_http_is_refused() {
        let error =
            Client::new(&Address { url: Some("ftp://example.org".parse().unwrap()), api_key: None }).unwrap_err();
        assert_eq!(error.exit, Exit::Invalid);
    }
}
