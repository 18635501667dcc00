//! The whole service in this process, on a database of its own, and a client that speaks to it over real sockets.

use callboard::actors::Engine;
use callboard::clock::{Clock, SystemClock};
use callboard::domain::{Role, Scopes, TenantId};
use callboard::identity::{self, Identity, NewKey, Writer};
use callboard::settings::{Settings, Sources};
use callboard::startup::Application;
use callboard::store::{self, Store};
use futures_util::StreamExt;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// Which database a test runs on.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Among the settings of a test: the environment, as if somebody had chosen it.
pub const ENVIRONMENT: &str = "CALLBOARD_ENVIRONMENT";

/// Makes one test per database of each function `async fn name(service: Service)`.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::service::Service::start($crate::service::Database::Sqlite)).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name($crate::service::Service::start($crate::service::Database::Postgres)).await;
            })+
        }
    };
}

/// Speaks to a service, whether it runs in this process or in one of its own.
///
/// Requests carry the key of an operator unless another one is chosen with [`Client::with_key`].
#[derive(Clone)]
pub struct Client {
    pub url: String,
    /// The API key; empty for nobody.
    pub key: String,
    client: reqwest::Client,
}

/// A running service. It stops, orderly, when dropped.
pub struct Service {
    client: Client,
    settings: Vec<(String, String)>,
    running: Option<Running>,
    _directory: TempDir,
}

struct Running {
    identity: Credentials,
    engine: Engine,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The body, after checking the status.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    /// The problem, after checking everything that all problems have in common.
    pub fn problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text);
        let request_id = self.header("x-request-id").expect("every answer has a request id").to_owned();
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:callboard:problem:{code}"));
        assert_eq!(problem["request_id"], request_id);
        for field in ["title", "detail", "suggestion", "instance"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field} is missing in {problem}");
        }
        problem
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Service {
    pub fn start(database: Database) -> Self {
        Self::start_with(database, &[])
    }

    /// With settings that differ from those of development.
    pub fn start_with(database: Database, overrides: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let url = match database {
            Database::Sqlite => format!("sqlite:{}", directory.path().join("callboard.db").display()),
            Database::Postgres => crate::postgres::database(),
        };
        let processes = directory.path().join("processes").display().to_string();
        let identity = directory.path().join("identity").display().to_string();
        let mut settings = vec![
            ("server.port".to_owned(), "0".to_owned()),
            ("server.workers".to_owned(), "2".to_owned()),
            ("server.shutdown_grace_seconds".to_owned(), "1".to_owned()),
            ("store.url".to_owned(), url),
            ("secrets.key_file".to_owned(), directory.path().join("keys/secrets.key").display().to_string()),
            ("effects.shell.runtime_directory".to_owned(), processes),
            ("identity.directory".to_owned(), identity),
        ];
        settings.extend(overrides.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let (url, running) = run(&settings);
        let key = running.identity.operator_key();
        Self { client: Client::new(url).with_key(&key), settings, running: Some(running), _directory: directory }
    }

    /// The engine behind the doors, for what has no door.
    pub fn engine(&self) -> &Engine {
        &self.running.as_ref().expect("it runs").engine
    }

    /// Stops it as SIGTERM would.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop.send(());
            running.thread.join().expect("the service ends without a panic");
        }
    }

    /// The value of a setting from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// The address of its database.
    pub fn store_url(&self) -> &str {
        let url = self.settings.iter().find(|(key, _)| key == "store.url");
        url.map_or("", |(_, url)| url)
    }

    /// Stops it and starts it again on the same database.
    pub fn restart(&mut self) {
        self.stop();
        self.resume();
    }

    /// Starts it again after [`Service::stop`].
    pub fn resume(&mut self) {
        let (url, running) = run(&self.settings);
        (self.client.url, self.running) = (url, Some(running));
    }
}

impl Deref for Service {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Client {
    pub fn new(url: String) -> Self {
        // Installed already where a service runs in this process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { url, key: String::new(), client: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    /// The same service, asked with another key; with none when it is empty.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: key.to_owned(), ..self.clone() }
    }

    /// `127.0.0.1:port`.
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if self.key.is_empty() { request } else { request.header("X-API-Key", &self.key) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = self.request(Method::POST, path).json(body);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header");
            request = request.header(name, HeaderValue::from_str(value).expect("a value"));
        }
        answer(request).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// Starts a definition that is not registered, and returns the id of the execution.
    pub async fn start_definition(&self, tasks: Value, input: Value) -> String {
        let body = json!({ "definition": definition("inline", "1.0.0", tasks), "input": input });
        let accepted = self.post("/api/v1/executions", &body).await.expect(201);
        accepted["id"].as_str().expect("an id").to_owned()
    }

    /// Registers a definition and returns the id of the version.
    pub async fn register(&self, name: &str, version: &str, tasks: Value) -> String {
        let registered = self.post("/api/v1/workflows", &definition(name, version, tasks)).await;
        assert!(registered.status.is_success(), "{registered:?}");
        registered.json()["id"].as_str().expect("an id").to_owned()
    }

    /// Waits for an event of an execution on its live feed.
    pub async fn event(&self, id: &str, is_wanted: impl Fn(&Value) -> bool) -> Value {
        let mut events = self.events(&format!("/api/v1/executions/{id}/stream"), None).await;
        loop {
            let event = events.next().await.expect("the feed goes on");
            if event.name == "execution_event" && is_wanted(&event.data["data"]) {
                return event.data["data"].clone();
            }
        }
    }

    /// Waits until an execution has ended and returns it.
    pub async fn ended(&self, id: &str) -> Value {
        let ends = ["execution_completed", "execution_failed", "execution_cancelled"];
        self.event(id, |event| ends.iter().any(|end| event["type"] == *end)).await;
        self.get(&format!("/api/v1/executions/{id}")).await.expect(200)
    }

    /// Opens a stream of server-sent events.
    pub async fn events(&self, path: &str, last_event_id: Option<u64>) -> Events {
        let mut request = self.request(Method::GET, path);
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Events { chunks: Box::pin(response.bytes_stream()), buffer: String::new() }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

/// A minimal definition around tasks.
pub fn definition(name: &str, version: &str, tasks: Value) -> Value {
    json!({
        "document": { "dsl": "1.0.3", "namespace": "tests", "name": name, "version": version },
        "do": tasks,
    })
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a text") }
}

fn run(settings: &[(String, String)]) -> (String, Running) {
    let (chosen, overrides): (Vec<_>, Vec<_>) = settings.iter().cloned().partition(|(key, _)| key == ENVIRONMENT);
    let environment = chosen.into_iter().next().map(|(_, environment)| environment);
    let sources = Sources { environment, overrides, ..Sources::default() };
    let settings = Settings::load(&sources).unwrap_or_else(|error| panic!("{error}"));
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let application = Application::build(&settings).await.unwrap_or_else(|error| panic!("{error}"));
            let identity = Credentials(application.identity().clone(), tokio::runtime::Handle::current());
            ready.send((application.url(), identity, application.engine().clone())).expect("the test waits");
            let stop = async {
                let _ = stopped.await;
            };
            application.run_until(stop).await.unwrap_or_else(|error| panic!("{error}"));
        });
    });
    let (url, identity, engine) = started.recv().expect("the service starts");
    (url, Running { identity, engine, stop, thread })
}

/// Makes keys inside a running service, without a request.
struct Credentials(Identity, tokio::runtime::Handle);

impl Credentials {
    fn operator_key(&self) -> String {
        let (identity, (send, receive)) = (self.0.clone(), mpsc::channel());
        self.1.spawn(async move { send.send(operator_key(&identity).await).expect("the test waits") });
        receive.recv().expect("a key")
    }
}

async fn operator_key(identity: &Identity) -> String {
    let new = NewKey {
        tenant_id: TenantId::DEFAULT,
        user_id: None,
        name: "tests".to_owned(),
        role: Role::Operator,
        scopes: Scopes::default(),
        expires_at: None,
    };
    identity.issue_key(new, &Writer::command_line()).await.expect("a key").text
}

/// Makes the key of an operator on a database that no service works on yet.
pub fn operator_key_on(url: &str, directory: &Path) -> String {
    let (url, directory) = (url.to_owned(), directory.to_owned());
    let made = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let store = Store::open(&store::Options::new(url), Arc::clone(&clock)).expect("a database");
            let options = identity::Options {
                signing_keys: vec!["a signing key of at least 32 characters".to_owned()],
                directory,
                access_token_life: Duration::from_secs(900),
                session_life: Duration::from_secs(3_600),
                providers: Vec::new(),
                refresh_grace: Duration::from_secs(10),
            };
            let identity = Identity::start(store.clone(), clock, options).expect("an identity");
            let key = operator_key(&identity).await;
            identity.close().await;
            store.close().await;
            key
        })
    });
    made.join().expect("a key")
}

/// Server-sent events as they arrive.
pub struct Events {
    chunks: std::pin::Pin<Box<dyn futures_util::Stream<Item = reqwest::Result<bytes::Bytes>> + Send>>,
    buffer: String,
}

/// One server-sent event.
#[derive(Clone, Debug)]
pub struct ServerEvent {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

impl Events {
    /// The next event; `None` when the stream has ended. Comments and `retry` are passed over.
    pub async fn next(&mut self) -> Option<ServerEvent> {
        loop {
            while let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                if let Some(event) = parse(&block) {
                    return Some(event);
                }
            }
            let chunk = self.chunks.next().await?.ok()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
    }
}

fn parse(block: &str) -> Option<ServerEvent> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let data = serde_json::from_str(field("data")?).expect("a frame is JSON");
    Some(ServerEvent {
        id: field("id").map(|id| id.parse().expect("a cursor")),
        name: field("event")?.to_owned(),
        data,
    })
}
