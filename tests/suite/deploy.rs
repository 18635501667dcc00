//! The files in `deploy/` do what they are for: nginx passes everything on under the service's own name, alerts look at
//! figures that exist.

use crate::cli::program::{finish, program};
use crate::ports::free_port;
use crate::service::{Database, ENVIRONMENT, Service, answer, definition};
use futures_util::StreamExt;
use regex::Regex;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};

/// Nothing here takes nearly as long, unless a proxy holds something back.
const LIMIT: Duration = Duration::from_secs(30);

fn deployed(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file)).unwrap()
}

/// The name under which people reach the service in these tests: the one that the configuration is delivered with.
const NAME: &str = "callboard.example.com";
const SIGNING_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A service behind an nginx, and the nginx.
fn published(settings: &[(&str, &str)]) -> (Service, Arc<Nginx>) {
    let port = free_port();
    let public = format!("https://{NAME}:{port}");
    let mut all = vec![
        (ENVIRONMENT, "development"),
        ("identity.signing_keys", SIGNING_KEY),
        ("server.public_urls", public.as_str()),
        ("server.trusted_proxies", "127.0.0.1"),
    ];
    all.extend(settings);
    let service = Service::start_with(Database::Sqlite, &all);
    let nginx = Nginx::start(&service, port);
    (service, Arc::new(nginx))
}

/// A real nginx with the configuration that is delivered; only ports and paths are changed.
struct Nginx {
    process: Child,
    folder: TempDir,
    port: u16,
    plain_port: u16,
}

fn replaced(text: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "nginx.conf has no {from}");
        text.replace(from, to)
    })
}

impl Nginx {
    fn start(service: &Service, port: u16) -> Self {
        let folder = TempDir::new().unwrap();
        let plain_port = free_port();
        let path = |name: &str| folder.path().join(name).display().to_string();
        certify(&folder);
        let site = replaced(
            &deployed("nginx.conf"),
            &[
                ("server 127.0.0.1:8080", &format!("server {}", service.authority())),
                ("    listen [::]:80;\n", ""),
                ("    listen [::]:443 ssl http2;\n", ""),
                ("listen 80;", &format!("listen 127.0.0.1:{plain_port};")),
                ("listen 443 ssl", &format!("listen 127.0.0.1:{port} ssl")),
                ("/etc/letsencrypt/live/callboard.example.com/fullchain.pem", &path("certificate.pem")),
                ("/etc/letsencrypt/live/callboard.example.com/privkey.pem", &path("key.pem")),
                ("/var/log/nginx/callboard.log", &path("access.log")),
            ],
        );
        fs::write(folder.path().join("site.conf"), site).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {}; ", path(kind)))
            .collect();
        let main = format!(
            "daemon off; master_process off; pid {}; error_log {}; events {{}} http {{ {temporary} include {}; }}",
            path("pid"),
            path("error.log"),
            path("site.conf"),
        );
        fs::write(folder.path().join("nginx.conf"), main).unwrap();
        let mut command = Command::new(nginx());
        command.arg("-p").arg(folder.path()).arg("-e").arg(path("error.log")).arg("-c").arg(path("nginx.conf"));
        let process = command.stdin(Stdio::null()).spawn().expect("nginx runs: `make test` installs it");
        let mut nginx = Self { process, folder, port, plain_port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(nginx.process.try_wait().unwrap().is_none(), "nginx has ended: {}", nginx.read("error.log"));
            std::thread::yield_now();
        }
        nginx
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.folder.path().join(file)).unwrap_or_default()
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// A client that trusts this nginx alone, finds it under its name, and has an address of its own: 127.0.0.`host`.
    fn client(&self, key: &str, host: u8) -> reqwest::Client {
        let headers = [("x-api-key".parse().unwrap(), key.parse().unwrap())].into_iter().collect();
        let certificate = reqwest::Certificate::from_pem(&fs::read(self.certificate()).unwrap()).unwrap();
        let client = reqwest::Client::builder().default_headers(headers).no_proxy().tls_certs_only([certificate]);
        let client = client.resolve(NAME, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let client = client.local_address(IpAddr::from([127, 0, 0, host]));
        client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("https://{NAME}:{}{path}", self.port)
    }

    /// The texts of a WebSocket, until one is wanted.
    fn listen(&self, path: &str, is_wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.certificate()).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(NAME).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        tcp.set_read_timeout(Some(LIMIT)).unwrap();
        let url = format!("wss://{NAME}:{}{path}", self.port);
        let mut request = url.into_client_request().unwrap();
        // As a page of the dashboard would.
        let origin = self.url("");
        request.headers_mut().insert("origin", origin.parse().unwrap());
        let (mut socket, _) = tungstenite::client(request, StreamOwned::new(connection, tcp)).expect("an upgrade");
        let mut heard = Vec::new();
        loop {
            if let Message::Text(text) = socket.read().expect("a frame") {
                let frame: Value = serde_json::from_str(&text).unwrap();
                heard.push(frame.clone());
                if is_wanted(&frame) {
                    return heard;
                }
            }
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian keeps it out of the path of ordinary users.
fn nginx() -> &'static str {
    if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" }
}

/// A certificate for the name that signs itself.
fn certify(folder: &TempDir) {
    let request = format!(
        "[req]\ndistinguished_name = name\nx509_extensions = use\nprompt = no\n[name]\nCN = {NAME}\n\
         [use]\nsubjectAltName = DNS:{NAME}\nbasicConstraints = critical, CA:FALSE\n"
    );
    fs::write(folder.path().join("request.conf"), request).unwrap();
    let mut command = Command::new("openssl");
    command.current_dir(folder.path()).args(["req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"]);
    command.args(["-pkeyopt", "ec_paramgen_curve:prime256v1", "-config", "request.conf"]);
    let output = command.args(["-keyout", "key.pem", "-out", "certificate.pem"]).output().expect("openssl runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nginx_passes_requests_sockets_and_streams_on() {
    let (service, nginx) = published(&[]);
    let test = through(Arc::clone(&nginx), service.key.clone());
    tokio::time::timeout(LIMIT, test).await.unwrap_or_else(|_| panic!("held back: {}", nginx.read("error.log")));
}

async fn through(nginx: Arc<Nginx>, key: String) {
    let client = nginx.client(&key, 1);
    let ready = answer(client.get(nginx.url("/readyz"))).await;
    assert_eq!(ready.header("strict-transport-security"), Some("max-age=31536000"));
    assert_eq!(ready.expect(200)["status"], "ready");
    let plain = format!("http://{NAME}:{}/docs/?a=b", nginx.plain_port);
    let moved = answer(client.get(plain)).await;
    let secure = format!("https://{NAME}/docs/?a=b");
    assert_eq!((moved.status.as_u16(), moved.header("location")), (301, Some(secure.as_str())));
    // What is too large is refused by the service, in its own words.
    let large = json!({ "text": "x".repeat(2_000_000) });
    let origin = nginx.url("");
    answer(client.post(nginx.url("/api/v1/executions")).json(&large)).await.problem(413, "body_too_large");
    let foreign = client.post(nginx.url("/api/v1/executions")).header("origin", "https://example.com").json(&json!({}));
    answer(foreign).await.problem(403, "origin_not_allowed");

    let nap = definition("nap", "1.0.0", json!([{ "nap": { "wait": { "hours": 1 } } }]));
    let start =
        client.post(nginx.url("/api/v1/executions")).header("origin", origin).json(&json!({ "definition": nap }));
    let id = answer(start).await.expect(201)["id"].as_str().unwrap().to_owned();
    let stream = client.get(nginx.url(&format!("/api/v1/executions/{id}/stream"))).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut chunks = stream.bytes_stream();
    let mut heard = String::new();
    // The stream is open and goes on: a proxy that gathers would give nothing yet.
    while !heard.contains("\"execution_waiting\"") {
        heard.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
    }
    let ticket = answer(client.post(nginx.url("/api/v1/auth/ticket"))).await.expect(201);
    let ticket = ticket["ticket"].as_str().unwrap().to_owned();
    let (listener, path) = (Arc::clone(&nginx), format!("/ws/executions/{id}?ticket={ticket}"));
    let socket = tokio::task::spawn_blocking(move || {
        listener.listen(&path, |frame| frame["data"]["type"] == "execution_cancelled")
    });
    answer(client.post(nginx.url(&format!("/api/v1/executions/{id}/cancel")))).await.expect(202);
    while !heard.contains("\"execution_cancelled\"") {
        heard.push_str(std::str::from_utf8(&chunks.next().await.unwrap().unwrap()).unwrap());
    }
    let frames = socket.await.unwrap();
    assert_eq!(frames[0]["type"], "hello");
    assert!(frames.iter().any(|frame| frame["data"]["type"] == "execution_created"), "{frames:?}");
    let log = nginx.read("access.log");
    assert!(log.contains(&format!("/api/v1/executions/{id}/cancel")), "{log}");
    assert!(!log.contains(&ticket), "a credential stands in the log: {log}");
}

/// Somebody with a password, who may sign in.
async fn add_ada(service: &Service) -> Value {
    let password = "correct horse battery";
    let ada = json!({ "email": "ada@example.org", "display_name": "Ada", "role": "member", "password": password });
    service.post("/api/v1/users", &ada).await.expect(201);
    json!({ "email": "ada@example.org", "password": password })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_behind_the_proxy_is_counted_by_its_own_address() {
    let (service, nginx) = published(&[("rate_limits.per_address", "3")]);
    let body = json!({ "name": "Blue", "slug": "blue" });
    let (ada, grace) = (nginx.client(&service.key, 2), nginx.client(&service.key, 3));
    answer(ada.post(nginx.url("/api/v1/tenants")).json(&body)).await.expect(201);
    for _ in 0..2 {
        answer(ada.get(nginx.url("/api/v1/agents"))).await.expect(200);
    }
    // Neither a fourth request nor a lie about the address helps.
    for claimed in ["", "192.0.2.1"] {
        let request = ada.get(nginx.url("/api/v1/agents")).header("x-forwarded-for", claimed);
        answer(request.header("forwarded", "for=192.0.2.1")).await.problem(429, "rate_limited");
    }
    let audit = answer(grace.get(nginx.url("/api/v1/audit?action=tenant_created"))).await.expect(200);
    assert_eq!(audit["items"][0]["address"], "127.0.0.2", "{audit}");
    // Past the proxy, only the connection counts.
    let direct = reqwest::Client::builder().no_proxy().local_address(IpAddr::from([127, 0, 0, 4])).build().unwrap();
    for n in 0..4 {
        let request = direct.get(format!("{}/api/v1/agents", service.url)).header("x-api-key", &service.key);
        let answered = answer(request.header("x-forwarded-for", format!("192.0.2.{n}"))).await;
        assert_eq!(answered.status.as_u16(), if n < 3 { 200 } else { 429 }, "request {n}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_sign_in_under_the_public_name() {
    let (service, nginx) = published(&[]);
    let login = add_ada(&service).await;
    let browser = nginx.client("", 1);
    let sign_in = browser.post(nginx.url("/api/v1/auth/login")).header("origin", nginx.url("")).json(&login);
    let cookie = answer(sign_in).await.header("set-cookie").unwrap().to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    // On the machine itself the same service is asked in plain HTTP.
    let local = service.with_key("").post("/api/v1/auth/login", &login).await;
    assert!(!local.header("set-cookie").unwrap().contains("Secure"));
    let host = format!("{NAME}:{}", free_port());
    service.post_with("/api/v1/auth/login", &[("host", &host)], &login).await.problem(403, "host_not_allowed");

    // The command line, which asks a proxy of its own where that name is.
    let directory = TempDir::new().unwrap();
    let (names, certificate) = (resolver(nginx.port), nginx.certificate());
    let callboard = |arguments: &[&str], input: &str| {
        let mut command = program(directory.path());
        command.args(arguments).env("XDG_CONFIG_HOME", directory.path()).env("HTTPS_PROXY", &names);
        let mut child = command.env("SSL_CERT_FILE", &certificate).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        finish(child).expect_code(0)
    };
    let url = nginx.url("");
    let signed_in = callboard(&["login", &url, "--email", "ada@example.org"], "correct horse battery\n");
    assert!(signed_in.stdout.contains(&format!("signed in to {url}")), "{signed_in:?}");
    callboard(&["executions", "list", "--url", &url], "");
    assert!(nginx.read("access.log").contains("/api/v1/executions"), "{}", nginx.read("access.log"));
}

/// A proxy that knows where a name is: it connects whatever is asked for to one port of this machine. Its address.
fn resolver(port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let carry = |mut from: TcpStream, mut to: TcpStream| {
        std::thread::spawn(move || {
            // Either side may end it at any time.
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(std::net::Shutdown::Write);
        });
    };
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
            assert!(lines.next().unwrap().unwrap().starts_with(&format!("CONNECT {NAME}:{port} ")));
            while !lines.next().unwrap().unwrap().is_empty() {}
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            carry(client.try_clone().unwrap(), server.try_clone().unwrap());
            carry(server, client);
        }
    });
    address
}

/// What a scrape of the service would store, by the types it announces.
fn stored_names(metrics: &str) -> Vec<String> {
    let announced = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let names = announced.flat_map(|(name, kind)| {
        let endings: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_sum", "_count"],
            "info" => &["_info"],
            _ => &[""],
        };
        endings.iter().map(move |ending| format!("{name}{ending}"))
    });
    names.collect()
}

#[tokio::test]
async fn alerts_look_at_figures_that_exist() {
    let rules: Value = serde_saphyr::from_str(&deployed("alerts.yaml")).unwrap();
    let service = Service::start(Database::Sqlite);
    // Figures by label are there from the first time on.
    let failing = json!([{ "effect": { "run": { "shell": { "command": "true" } } } }, { "a": { "raise": { "error": { "type": "https://example.org/e", "status": 500 } } } }]);
    let failed = service.start_definition(failing, json!({})).await;
    assert_eq!(service.ended(&failed).await["status"], "failed");
    let stored = stored_names(&service.get("/metrics").await.text);
    let name = Regex::new("callboard_[a-z_]+").unwrap();
    let mut count = 0;
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            let (alert, expression) = (rule["alert"].as_str().unwrap(), rule["expr"].as_str().unwrap());
            for text in ["/annotations/summary", "/annotations/action", "/labels/severity"] {
                assert!(rule.pointer(text).is_some_and(Value::is_string), "{alert} has no {text}");
            }
            for found in name.find_iter(expression) {
                assert!(stored.iter().any(|name| name == found.as_str()), "{alert}: there is no {}", found.as_str());
                count += 1;
            }
        }
    }
    assert!(count >= 15, "{count}");
    // The guide speaks of figures as well.
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operator-guide.md")).unwrap();
    for found in name.find_iter(&guide) {
        let is_there = stored.iter().any(|name| name.starts_with(found.as_str()));
        assert!(is_there, "the operator guide: there is no {}", found.as_str());
    }
}
