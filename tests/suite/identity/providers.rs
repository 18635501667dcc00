//! Signing in with an OpenID Connect provider: a real one, in a process of its own, over the forms that it serves.

use super::{PASSWORD, person, sign_in, tenant};
use crate::engine::process::Process;
use crate::ports::free_port;
use crate::service::{Database, Service, answer};
use callboard::domain::TenantId;
use regex::Regex;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const ID: &str = "company";
const SECRET: &str = "a secret of the client";

/// A service that knows a provider, and where that is to be.
struct Company {
    service: Service,
    provider_port: u16,
    _secret: TempDir,
}

impl Company {
    /// With further settings of the provider.
    fn start(database: Database, settings: &[(&str, &str)]) -> Self {
        let (port, provider_port) = (free_port(), free_port());
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        let mut all = vec![
            ("server.port".to_owned(), port.to_string()),
            (key("label"), "Company".to_owned()),
            (key("issuer"), format!("http://127.0.0.1:{provider_port}")),
            (key("client_id"), "callboard".to_owned()),
            (key("client_secret"), format!("file:{}", folder.path().join("secret").display())),
            (key("scopes"), "openid email profile groups".to_owned()),
            (key("roles"), "admins=admin, staff=member".to_owned()),
        ];
        for (name, value) in settings {
            all.retain(|(known, _)| *known != key(name));
            all.push((key(name), (*value).to_owned()));
        }
        let all: Vec<(&str, &str)> = all.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        Self { service: Service::start_with(database, &all), provider_port, _secret: folder }
    }

    fn provider(&self, settings: Value) -> Provider {
        let mut all = json!({
            "port": self.provider_port, "redirect_uri": format!("{}/api/v1/auth/oidc/{ID}/callback", self.service.url),
        });
        all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        Provider::start(self.provider_port, &all)
    }

    fn start_address(&self, next: &str) -> String {
        format!("{}/api/v1/auth/oidc/{ID}/start{next}", self.service.url)
    }

    /// Signs in as somebody and returns where the service sends the browser in the end.
    async fn come_in(&self, browser: &mut Browser, login: &str) -> String {
        let callback = browser.travel(&self.start_address(""), login).await;
        browser.get(&callback).await.location.unwrap()
    }
}

fn key(name: &str) -> String {
    format!("identity.oidc.{ID}.{name}")
}

/// The provider. It ends when it is dropped.
struct Provider {
    process: Child,
    url: String,
    client: reqwest::Client,
}

impl Provider {
    fn start(port: u16, settings: &Value) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/provider");
        assert!(folder.exists(), "the provider is missing: `make test` installs it");
        let mut command = Command::new("node");
        command.arg(folder.join("provider.mjs")).arg(settings.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("node runs");
        let mut said = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut said).unwrap();
        assert_eq!(said, "ready\n", "the provider does not start");
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { process, url: format!("http://127.0.0.1:{port}"), client }
    }

    /// Says who somebody is from now on.
    async fn is(&self, login: &str, claims: Value) {
        let request = self.client.put(format!("{}/-/people/{login}", self.url)).body(claims.to_string());
        assert!(request.send().await.unwrap().status().is_success());
    }

    /// Somebody with a verified address.
    async fn knows(&self, login: &str, groups: &[&str]) {
        let email = format!("{login}@example.org");
        self.is(login, json!({ "email": email, "email_verified": true, "name": "Ada Lovelace", "groups": groups }))
            .await;
    }

    /// Signs with fresh keys from now on.
    async fn change_keys(&self) {
        assert!(self.client.post(format!("{}/-/keys", self.url)).send().await.unwrap().status().is_success());
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// As much of a browser as the way takes: cookies, redirects, forms.
#[derive(Clone)]
struct Browser {
    client: reqwest::Client,
    /// By port and name: everything runs on one machine.
    cookies: BTreeMap<(u16, String), String>,
}

struct Page {
    location: Option<String>,
    text: String,
    set_cookies: Vec<String>,
}

impl Browser {
    fn new() -> Self {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { client: client.build().unwrap(), cookies: BTreeMap::new() }
    }

    async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, &[]).await
    }

    async fn send(&mut self, method: Method, url: &str, form: &[(&str, &str)]) -> Page {
        let url: Url = url.parse().unwrap();
        let port = url.port().unwrap();
        let own = self.cookies.iter().filter(|((of, _), _)| *of == port);
        let cookies: Vec<String> = own.map(|((_, name), value)| format!("{name}={value}")).collect();
        let mut request = self.client.request(method, url.clone()).header(COOKIE, cookies.join("; "));
        if !form.is_empty() {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let texts = response.headers().get_all(SET_COOKIE).iter();
        let set_cookies: Vec<String> = texts.map(|value| value.to_str().unwrap().to_owned()).collect();
        for cookie in &set_cookies {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert((port, name.to_owned()), value.to_owned());
        }
        let location = response.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned());
        assert!(location.is_some() || response.status().is_success(), "{url}: {}", response.text().await.unwrap());
        Page { location, set_cookies, text: response.text().await.unwrap() }
    }

    /// Goes from an address through the forms of the provider, and returns the address that leads back to the service.
    async fn travel(&mut self, start: &str, login: &str) -> String {
        let form = Regex::new(r#"<form[^>]* action="([^"]+)""#).unwrap();
        let mut at = start.to_owned();
        let mut page = self.get(start).await;
        loop {
            let Some(location) = page.location else {
                let action =
                    form.captures(&page.text).unwrap_or_else(|| panic!("no form: {}", page.text))[1].to_owned();
                at = Url::parse(&at).unwrap().join(&action).unwrap().to_string();
                let is_login = page.text.contains("name=\"login\"");
                let consent = [("prompt", "consent")];
                let login = [("prompt", "login"), ("login", login), ("password", "any")];
                page = self.send(Method::POST, &at, if is_login { &login } else { &consent }).await;
                continue;
            };
            at = Url::parse(&at).unwrap().join(&location).unwrap().to_string();
            if at.contains("/callback?") {
                return at;
            }
            page = self.get(&at).await;
        }
    }

    /// Who the service says that this browser is.
    async fn me(&mut self, service: &Service) -> Value {
        let page = self.send(Method::POST, &format!("{}/api/v1/auth/refresh", service.url), &[]).await;
        serde_json::from_str::<Value>(&page.text).unwrap()["user"].clone()
    }
}

fn with(address: &str, name: &str, value: &str) -> String {
    let mut url: Url = address.parse().unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let changed =
        pairs.into_iter().map(|(key, known)| if key == name { (key, value.to_owned()) } else { (key, known) });
    let changed: Vec<_> = changed.collect();
    url.query_pairs_mut().clear().extend_pairs(changed);
    url.to_string()
}

async fn the_whole_way(database: Database) {
    let company = Company::start(database, &[]);
    let service = &company.service;
    let listed = service.with_key("").get("/api/v1/auth/oidc").await.expect(200);
    assert_eq!(listed, json!({ "items": [{ "id": ID, "label": "Company" }] }));
    service.with_key("").get("/api/v1/auth/oidc/other/start").await.problem(404, "not_found");
    // The service does not need the provider to start, only to sign in with it.
    let mut browser = Browser::new();
    let away = browser.get(&company.start_address("?next=/queue")).await;
    assert_eq!(away.location.as_deref(), Some("/sign-in?problem=provider_unavailable&next=%2Fqueue"));

    let provider = company.provider(json!({}));
    provider.knows("ada", &["staff", "choir"]).await;
    let callback = browser.travel(&company.start_address("?next=/executions?status=failed"), "ada").await;
    let arrived = browser.get(&callback).await;
    assert_eq!(arrived.location.as_deref(), Some("/executions?status=failed"));
    let stays = arrived.set_cookies.iter().find(|cookie| cookie.starts_with("callboard_refresh=")).unwrap();
    assert!(stays.contains("; HttpOnly; SameSite=Strict"), "{stays}");
    let ada = browser.me(service).await;
    assert_eq!(ada["email"], "ada@example.org");
    assert_eq!((&ada["display_name"], &ada["role"]), (&json!("Ada Lovelace"), &json!("member")));
    assert_eq!(ada["has_password"], false);

    // The next time she has been promoted, and the provider has other keys.
    provider.knows("ada", &["admins", "staff"]).await;
    provider.change_keys().await;
    let mut elsewhere = Browser::new();
    assert_eq!(company.come_in(&mut elsewhere, "ada").await, "/");
    let promoted = elsewhere.me(service).await;
    assert_eq!((&promoted["id"], &promoted["role"]), (&ada["id"], &json!("admin")));

    let audit = service.get("/api/v1/audit?size=100").await.expect(200);
    let of_ada = audit["items"].as_array().unwrap().iter().filter(|entry| entry["actor_id"] == ada["id"]);
    let actions: Vec<&Value> = of_ada.map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["signed_in_with_provider", "user_changed", "signed_in_with_provider", "user_created"]);
    // With which provider somebody came in is said of these entries and of no others, and can be asked for.
    let found = service.get(&format!("/api/v1/audit?provider={ID}&size=100")).await.expect(200);
    let found = found["items"].as_array().unwrap().clone();
    assert_eq!(found.iter().map(|entry| &entry["action"]).collect::<Vec<_>>(), actions);
    assert!(found.iter().all(|entry| entry["provider"] == ID && entry["actor_id"] == ada["id"]), "{found:?}");
    let others = audit["items"].as_array().unwrap().iter().filter(|entry| entry["provider"].is_null()).count();
    assert_eq!(others + found.len(), audit["items"].as_array().unwrap().len());
    assert_eq!(service.get("/api/v1/audit?provider=other").await.expect(200)["total"], 0);
    let exported = service.get(&format!("/api/v1/audit/export?provider={ID}")).await;
    assert_eq!(exported.text.lines().count(), actions.len());
}

#[tokio::test]
async fn somebody_comes_in_with_a_provider_on_sqlite() {
    the_whole_way(Database::Sqlite).await;
}

#[tokio::test]
async fn somebody_comes_in_with_a_provider_on_postgres() {
    the_whole_way(Database::Postgres).await;
}

#[tokio::test]
async fn providers_differ_in_how_they_sign_and_where_they_tell() {
    for (settings, provider) in [
        (vec![("client_secret", "")], json!({ "secret": "", "algorithm": "ES256", "claims_in_token": true })),
        (vec![("client_secret", SECRET)], json!({ "method": "client_secret_post", "algorithm": "EdDSA" })),
        (vec![], json!({ "algorithm": "PS384", "claims_in_token": true })),
    ] {
        let company = Company::start(Database::Sqlite, &settings);
        let provider = company.provider(provider);
        provider.knows("ada", &["staff"]).await;
        assert_eq!(company.come_in(&mut Browser::new(), "ada").await, "/", "{settings:?}");
    }
}

#[tokio::test]
async fn only_the_browser_that_began_comes_in_and_only_once() {
    let company = Company::start(Database::Sqlite, &[]);
    let provider = company.provider(json!({}));
    provider.knows("ada", &["staff"]).await;
    provider.knows("eve", &["staff"]).await;
    let begin = company.start_address("?next=//evil.example/");
    let mut victim = Browser::new();
    let callback = victim.travel(&begin, "ada").await;

    // Eve's answer of the provider, pushed into a browser that has begun nothing, or something else.
    let mut eve = Browser::new();
    let of_eve = eve.travel(&begin, "eve").await;
    let refused = "/sign-in?problem=not_begun";
    assert_eq!(Browser::new().get(&of_eve).await.location.as_deref(), Some(refused));
    assert_eq!(victim.clone().get(&of_eve).await.location.as_deref(), Some(refused));
    let guessed = with(&callback, "state", "guessed");
    assert_eq!(victim.clone().get(&guessed).await.location.as_deref(), Some(refused));

    // Eve's code in her own sign-in's place: the code is bound to hers by its challenge.
    let failed = "/sign-in?problem=provider_failed";
    let code = Url::parse(&of_eve).unwrap().query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    assert_eq!(victim.clone().get(&with(&callback, "code", &code)).await.location.as_deref(), Some(failed));
    let other = with(&callback, "iss", "https://login.example.com");
    assert_eq!(victim.clone().get(&other).await.location.as_deref(), Some(failed));

    // An ID token of another sign-in: the provider is told another nonce than the browser keeps.
    let mut tampered = Browser::new();
    let away = tampered.get(&begin).await.location.unwrap();
    let callback_of_tampered = tampered.travel(&with(&away, "nonce", "another"), "ada").await;
    assert_eq!(tampered.get(&callback_of_tampered).await.location.as_deref(), Some(failed));

    // What the browser began it finishes, once, and is led nowhere else.
    let kept = victim.clone();
    assert_eq!(victim.get(&callback).await.location.as_deref(), Some("/"));
    assert_eq!(victim.me(&company.service).await["email"], "ada@example.org");
    assert_eq!(kept.clone().get(&callback).await.location.as_deref(), Some(failed), "the code is spent");
    assert_eq!(victim.get(&callback).await.location.as_deref(), Some(refused), "the cookie is gone");
}

#[tokio::test]
async fn the_settings_say_who_comes_in() {
    let mut company = Company::start(Database::Sqlite, &[("tenants", "blue=blue, *=default")]);
    let blue = tenant(&company.service, "blue").await;
    let provider = company.provider(json!({}));
    let refused = |word: &str| format!("/sign-in?problem={word}");
    let arrives = async |company: &Company, login: &str| company.come_in(&mut Browser::new(), login).await;

    provider.knows("guest", &["choir"]).await;
    assert_eq!(arrives(&company, "guest").await, refused("no_role"));
    provider.is("nameless", json!({ "groups": ["staff"] })).await;
    assert_eq!(arrives(&company, "nameless").await, refused("no_email"));
    let unverified = json!({ "email": "mallory@example.org", "email_verified": false, "groups": ["admins"] });
    provider.is("mallory", unverified).await;
    assert_eq!(arrives(&company, "mallory").await, refused("no_email"));

    // A tenant by group, and no way from one to another.
    provider.knows("bea", &["staff", "blue"]).await;
    let mut bea = Browser::new();
    assert_eq!(company.come_in(&mut bea, "bea").await, "/");
    assert_eq!(bea.me(&company.service).await["tenant_id"], blue);
    provider.knows("bea", &["admins"]).await;
    assert_eq!(arrives(&company, "bea").await, refused("other_tenant"));
    // What the guide says to do about it: she is removed where she is, and comes in anew where she belongs.
    let old = bea.me(&company.service).await["id"].as_str().unwrap().to_owned();
    let remove = company.service.request(Method::DELETE, &format!("/api/v1/users/{old}"));
    answer(remove.header("X-Tenant-Id", &blue)).await.expect(204);
    assert_eq!(company.come_in(&mut bea, "bea").await, "/");
    let anew = bea.me(&company.service).await;
    assert_eq!((&anew["tenant_id"], &anew["role"]), (&json!(TenantId::DEFAULT), &json!("admin")));
    assert_ne!(anew["id"], old);

    // Somebody who is made inactive here is out, whatever the provider says.
    provider.knows("carl", &["staff"]).await;
    let mut carl = Browser::new();
    assert_eq!(company.come_in(&mut carl, "carl").await, "/");
    let id = carl.me(&company.service).await["id"].as_str().unwrap().to_owned();
    company.service.put(&format!("/api/v1/users/{id}"), &json!({ "is_active": false })).await.expect(200);
    assert_eq!(arrives(&company, "carl").await, refused("inactive"));

    // Somebody with a password is taken over by nobody, unless the settings trust the provider's addresses.
    let ada = person(&company.service, None, "member", "ada").await;
    provider.knows("ada", &["staff"]).await;
    assert_eq!(arrives(&company, "ada").await, refused("address_taken"));
    company.service.set(&key("link_by_email"), "true");
    company.service.restart();
    let mut linked = Browser::new();
    assert_eq!(company.come_in(&mut linked, "ada").await, "/");
    let known = linked.me(&company.service).await;
    assert_eq!((&known["id"], &known["role"]), (&json!(ada.id), &json!("member")));
    sign_in(&company.service, &ada.email, PASSWORD).await;
    // Whoever becomes more than they were here is nobody's whose password somebody else may know.
    let vera = person(&company.service, None, "viewer", "vera").await;
    let reset = company.service.post(&format!("/api/v1/users/{}/reset", vera.id), &json!({})).await.expect(201);
    provider.knows("vera", &["staff"]).await;
    let mut linked = Browser::new();
    assert_eq!(company.come_in(&mut linked, "vera").await, "/");
    let known = linked.me(&company.service).await;
    assert_eq!((&known["id"], &known["role"]), (&json!(vera.id), &json!("member")));
    let nobody = company.service.with_key("");
    let body = json!({ "email": vera.email, "password": PASSWORD });
    nobody.post("/api/v1/auth/login", &body).await.problem(401, "invalid_credentials");
    let body = json!({ "token": reset["sign_in_token"], "password": PASSWORD });
    nobody.post("/api/v1/auth/first-sign-in", &body).await.problem(401, "invalid_credentials");
    // Even so, an address that is not verified opens nobody's door.
    assert_eq!(arrives(&company, "mallory").await, refused("no_email"));
}

#[tokio::test]
async fn what_goes_wrong_stands_in_the_log_without_secrets() {
    let (port, provider_port) = (free_port(), free_port());
    let mut settings = vec![format!("server.port={port}")];
    let ours = [
        ("issuer", format!("http://127.0.0.1:{provider_port}")),
        ("client_id", "callboard".to_owned()),
        ("client_secret", "not the provider's".to_owned()),
        ("roles", "*=viewer".to_owned()),
    ];
    settings.extend(ours.iter().map(|(name, value)| format!("{}={value}", key(name))));
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let service = Process::start(Database::Sqlite, &settings);
    let way = format!("http://127.0.0.1:{port}/api/v1/auth/oidc/{ID}");
    let redirect_uri = format!("{way}/callback");
    let provider = Provider::start(provider_port, &json!({ "port": provider_port, "redirect_uri": redirect_uri }));
    provider.knows("ada", &[]).await;

    let mut browser = Browser::new();
    let callback = browser.travel(&format!("{way}/start"), "ada").await;
    let kept = browser.cookies[&(port, "callboard_sign_in".to_owned())].clone();
    assert_eq!(browser.get(&callback).await.location.as_deref(), Some("/sign-in?problem=provider_failed"));
    let log = service.log();
    assert!(log.contains("a sign-in with a provider failed") && log.contains("invalid_client"), "{log}");
    let callback = Url::parse(&callback).unwrap();
    let values: Vec<String> = callback.query_pairs().map(|(_, value)| value.into_owned()).collect();
    let issuer = format!("http://127.0.0.1:{provider_port}");
    let secrets = values.into_iter().filter(|value| *value != issuer).chain([kept, "not the provider's".to_owned()]);
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
}

#[tokio::test]
async fn somebody_who_cancels_is_told_so() {
    let company = Company::start(Database::Sqlite, &[]);
    let _provider = company.provider(json!({}));
    let mut browser = Browser::new();
    let to_provider = browser.get(&company.start_address("")).await.location.unwrap();
    let form = browser.get(&to_provider).await.location.unwrap();
    let form = Url::parse(&to_provider).unwrap().join(&form).unwrap();
    let mut at = format!("{form}/abort");
    while !at.contains("/callback?") {
        let next = browser.get(&at).await.location.unwrap();
        at = Url::parse(&at).unwrap().join(&next).unwrap().to_string();
    }
    let told = browser.get(&at).await.location;
    assert_eq!(told.as_deref(), Some("/sign-in?problem=cancelled"));
    // Nobody has come in.
    let refresh = company.service.with_key("").request(Method::POST, "/api/v1/auth/refresh");
    answer(refresh).await.problem(401, "unauthenticated");
}
