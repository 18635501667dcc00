//! Authentication policies (Serverless Workflow DSL 1.0.3, "Authentication"; RFC 7616, RFC 6749, RFC 7523, RFC 8693).

use super::stand_in::{Received, Reply, StandIn};
use super::{fetch, get, kind, open_effects, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callboard::domain::{Authentication, HttpRequest, OAuth};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

fn with(authentication: Authentication, request: HttpRequest) -> HttpRequest {
    HttpRequest { authentication: Some(authentication), ..request }
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[tokio::test]
async fn basic_and_bearer_are_sent_unasked() {
    let server = StandIn::start(|_| Reply::status(200)).await;
    let effects = open_effects();
    let basic = Authentication::Basic { username: "jürgen".into(), password: "a:b".into() };
    fetch(&effects, with(basic, get(&server.url))).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Basic asO8cmdlbjphOmI="));
    let bearer = Authentication::Bearer { token: "t.o.k".into() };
    fetch(&effects, with(bearer, get(&server.url))).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Bearer t.o.k"));
    let impossible = Authentication::Bearer { token: "a\nb".into() };
    let failure = fetch(&effects, with(impossible, get(&server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("authentication", 401));
}

#[tokio::test]
async fn the_target_refusing_stays_a_communication_failure() {
    let server = StandIn::start(|_| Reply::status(403)).await;
    let policy = Authentication::Basic { username: "u".into(), password: "topsecret".into() };
    let failure = fetch(&open_effects(), with(policy, get(&server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 403));
    assert!(!format!("{failure:?}").contains("topsecret"));
}

/// The parameters of a digest answer.
fn digest_parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let start = header.find(&format!(" {name}=")).unwrap() + name.len() + 2;
    header[start..].trim_start_matches('"').split(['"', ',']).next().unwrap()
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks a digest answer the way a server does: by calculating it again.
fn digest_is_right(request: &Received) -> bool {
    let Some(header) = request.header("authorization") else { return false };
    let key = sha256("Mufasa:the realm:Circle of Life");
    let action = sha256(&format!("{}:{}", request.method, request.target));
    let client_nonce = digest_parameter(header, "cnonce");
    let expected = sha256(&format!("{key}:abc:00000001:{client_nonce}:auth:{action}"));
    digest_parameter(header, "response") == expected && digest_parameter(header, "uri") == request.target
}

#[tokio::test]
async fn digest_answers_the_challenge_once_with_the_same_body() {
    let server = StandIn::start(|request| {
        if digest_is_right(request) {
            return Reply::body("text/plain", request.body.clone());
        }
        Reply::status(401)
            .with_header("www-authenticate", "Digest realm=\"the realm\", nonce=\"abc\", qop=\"auth\", algorithm=MD5")
            .with_header(
                "www-authenticate",
                "Digest realm=\"the realm\", nonce=\"abc\", qop=\"auth\", algorithm=SHA-256",
            )
    })
    .await;
    let effects = open_effects();
    let policy = |password: &str| Authentication::Digest { username: "Mufasa".into(), password: password.into() };
    let uri = format!("{}/dir/index.html?a=1", server.url);
    let answer = fetch(&effects, with(policy("Circle of Life"), post(&uri, json!("body")))).await;
    assert_eq!(answer, Ok(json!("body")));
    assert_eq!(server.received().len(), 2);

    let failure = fetch(&effects, with(policy("wrong"), get(&uri))).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 401));
    assert_eq!(server.received().len(), 4, "one re-send, not more");
}

/// A server that is the authority and the target at once.
async fn authority() -> StandIn {
    let issued = AtomicU32::new(0);
    StandIn::start(move |request| match request.target.as_str() {
        "/oauth2/token" | "/tokens/here" => {
            let number = issued.fetch_add(1, Ordering::SeqCst) + 1;
            Reply::json(&json!({
                "access_token": format!("token-{number}"), "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": format!("refresh-{number}"),
            }))
        }
        "/.well-known/openid-configuration" => {
            let host = request.header("host").unwrap();
            Reply::json(&json!({"issuer": "us", "token_endpoint": format!("http://{host}/tokens/here")}))
        }
        "/refused" => {
            let error = json!({"error": "invalid_client", "error_description": "who are you?"});
            Reply::json(&error).with_status(401)
        }
        "/expired" => Reply::status(401),
        _ => Reply::status(200),
    })
    .await
}

fn client_credentials(server: &StandIn) -> OAuth {
    OAuth {
        authority: format!("{}/", server.url),
        grant: "client_credentials".into(),
        client_id: text("me"),
        client_secret: text("s&cret"),
        scopes: vec!["read".into(), "write".into()],
        audiences: vec!["api".into()],
        ..OAuth::default()
    }
}

fn oauth2(policy: OAuth) -> Authentication {
    Authentication::OAuth2(Box::new(policy))
}

/// What the token endpoint received for a policy.
async fn token_request(server: &StandIn, policy: OAuth) -> Received {
    let before = server.received().len();
    fetch(&open_effects(), with(oauth2(policy), get(&server.url))).await.unwrap();
    server.received()[before].clone()
}

fn fields(request: &Received) -> Vec<String> {
    request.form().into_iter().map(|(key, value)| format!("{key}={value}")).collect()
}

#[tokio::test]
async fn client_credentials_fetch_a_token_and_keep_it() {
    let server = authority().await;
    let effects = open_effects();
    let policy = || oauth2(client_credentials(&server));
    fetch(&effects, with(policy(), get(&server.url))).await.unwrap();
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!((received[0].method.as_str(), received[0].target.as_str()), ("POST", "/oauth2/token"));
    assert_eq!(
        fields(&received[0]),
        ["grant_type=client_credentials", "scope=read write", "audience=api", "client_id=me", "client_secret=s&cret"]
    );
    assert_eq!(received[1].header("authorization"), Some("Bearer token-1"));

    fetch(&effects, with(policy(), get(&server.url))).await.unwrap();
    assert_eq!(server.received().len(), 3, "the token is kept");
    let other = OAuth { scopes: vec!["admin".into()], ..client_credentials(&server) };
    fetch(&effects, with(oauth2(other), get(&server.url))).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Bearer token-2"), "another policy, another token");
}

#[tokio::test]
async fn executions_that_start_together_share_one_token_request() {
    let server = authority().await;
    let effects = open_effects();
    let calls = (0..8).map(|_| fetch(&effects, with(oauth2(client_credentials(&server)), get(&server.url))));
    for answer in futures_util::future::join_all(calls).await {
        answer.unwrap();
    }
    let token_requests = server.received().iter().filter(|request| request.target == "/oauth2/token").count();
    assert_eq!(token_requests, 1);
}

#[tokio::test]
async fn a_token_that_the_target_rejects_is_not_used_again() {
    let server = authority().await;
    let effects = open_effects();
    let expired = format!("{}/expired", server.url);
    let failure = fetch(&effects, with(oauth2(client_credentials(&server)), get(&expired))).await.unwrap_err();
    assert_eq!(kind(&failure), ("communication", 401));
    fetch(&effects, with(oauth2(client_credentials(&server)), get(&server.url))).await.unwrap();
    assert_eq!(server.last().header("authorization"), Some("Bearer token-2"));
}

#[tokio::test]
async fn every_client_authentication_is_spoken() {
    let server = authority().await;
    let base = || OAuth { scopes: Vec::new(), audiences: Vec::new(), ..client_credentials(&server) };
    let method = |name: &str| OAuth { client_authentication: text(name), ..base() };

    let request = token_request(&server, method("client_secret_basic")).await;
    assert_eq!(request.header("authorization"), Some("Basic bWU6cyUyNmNyZXQ="), "form-encoded before base64");
    assert_eq!(fields(&request), ["grant_type=client_credentials"]);

    for name in ["client_secret_jwt", "private_key_jwt"] {
        let request = token_request(&server, OAuth { client_assertion: text("jwt"), ..method(name) }).await;
        let expected = [
            "grant_type=client_credentials",
            "client_id=me",
            "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion=jwt",
        ];
        assert_eq!(fields(&request), expected);
    }

    let anonymous = OAuth { client_id: None, client_secret: None, ..method("none") };
    assert_eq!(fields(&token_request(&server, anonymous).await), ["grant_type=client_credentials"]);

    let json_encoded = OAuth { request_encoding: text("application/json"), ..base() };
    let request = token_request(&server, json_encoded).await;
    assert_eq!(request.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body, json!({"grant_type": "client_credentials", "client_id": "me", "client_secret": "s&cret"}));
}

#[tokio::test]
async fn every_grant_is_spoken() {
    let server = authority().await;
    let grant = |name: &str| OAuth {
        grant: name.into(),
        client_authentication: text("none"),
        client_id: None,
        scopes: Vec::new(),
        audiences: Vec::new(),
        ..client_credentials(&server)
    };
    let pair = |token: &str, kind: &str| Some((token.to_owned(), kind.to_owned()));

    let request = token_request(&server, grant("client-credentials")).await;
    assert_eq!(fields(&request), ["grant_type=client_credentials"]);

    let password = OAuth { username: text("jo"), password: text("pw"), ..grant("password") };
    let request = token_request(&server, password).await;
    assert_eq!(fields(&request), ["grant_type=password", "username=jo", "password=pw"]);

    let code = OAuth { subject: pair("the-code", ""), ..grant("authorization_code") };
    assert_eq!(fields(&token_request(&server, code).await), ["grant_type=authorization_code", "code=the-code"]);

    let exchange = OAuth {
        subject: pair("theirs", "urn:x:jwt"),
        actor: pair("ours", ""),
        ..grant("urn:ietf:params:oauth:grant-type:token-exchange")
    };
    let expected = [
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token=theirs",
        "subject_token_type=urn:x:jwt",
        "actor_token=ours",
        "actor_token_type=urn:ietf:params:oauth:token-type:access_token",
    ];
    assert_eq!(fields(&token_request(&server, exchange).await), expected);

    for incomplete in ["password", "refresh_token", "authorization_code", "device_code"] {
        let failure = fetch(&open_effects(), with(oauth2(grant(incomplete)), get(&server.url))).await.unwrap_err();
        assert_eq!(kind(&failure), ("configuration", 400), "{incomplete}");
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_replaces_the_first_one() {
    let server = authority().await;
    let effects = open_effects();
    let policy = || {
        let policy = OAuth { grant: "refresh_token".into(), ..client_credentials(&server) };
        oauth2(OAuth { subject: Some(("first".into(), String::new())), ..policy })
    };
    let expired = format!("{}/expired", server.url);
    fetch(&effects, with(policy(), get(&expired))).await.unwrap_err();
    fetch(&effects, with(policy(), get(&server.url))).await.unwrap();
    let used: Vec<_> = server
        .received()
        .iter()
        .flat_map(Received::form)
        .filter_map(|(key, value)| (key == "refresh_token").then_some(value))
        .collect();
    assert_eq!(used, ["first", "refresh-1"]);
}

#[tokio::test]
async fn openid_connect_discovers_its_endpoint() {
    let server = authority().await;
    let effects = open_effects();
    let policy = |issuers: &[&str]| {
        let issuers = issuers.iter().map(|issuer| (*issuer).to_owned()).collect();
        Authentication::Oidc(Box::new(OAuth { issuers, ..client_credentials(&server) }))
    };
    fetch(&effects, with(policy(&["us"]), get(&server.url))).await.unwrap();
    let received = server.received();
    let targets: Vec<_> = received.iter().map(|request| request.target.as_str()).collect();
    assert_eq!(targets, ["/.well-known/openid-configuration", "/tokens/here", "/"]);
    assert!(fields(&received[1]).contains(&"scope=openid read write".to_owned()));

    let failure = fetch(&effects, with(policy(&["them"]), get(&server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("authentication", 401));
}

#[tokio::test]
async fn the_issuer_inside_the_token_is_checked() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://issuer"}"#);
    let server = StandIn::start(move |_| Reply::json(&json!({"access_token": format!("e30.{claims}.c2ln")}))).await;
    let policy = |issuer: &str| oauth2(OAuth { issuers: vec![issuer.to_owned()], ..client_credentials(&server) });
    fetch(&open_effects(), with(policy("https://issuer"), get(&server.url))).await.unwrap();
    let failure = fetch(&open_effects(), with(policy("https://other"), get(&server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("authentication", 401));
}

#[tokio::test]
async fn no_token_is_an_authentication_failure_that_tells_why_but_no_secret() {
    let server = authority().await;
    let policy = OAuth { token_endpoint: text("/refused"), ..client_credentials(&server) };
    let failure = fetch(&open_effects(), with(oauth2(policy), get(&server.url))).await.unwrap_err();
    assert_eq!(kind(&failure), ("authentication", 401));
    let detail = failure.detail.unwrap();
    assert!(detail.contains("invalid_client: who are you?") && !detail.contains("s&cret"), "{detail}");

    let unreachable = OAuth { authority: "http://127.0.0.1:9".into(), ..client_credentials(&server) };
    let failure = fetch(&open_effects(), with(oauth2(unreachable), get(&server.url))).await.unwrap_err();
    assert_eq!((kind(&failure), failure.retryable), (("authentication", 401), Some(true)));
}

#[tokio::test]
async fn a_token_without_an_announced_life_is_used_once() {
    let issued = Mutex::new(0);
    let server = StandIn::start(move |request| {
        let mut issued = issued.lock().unwrap();
        *issued += u32::from(request.target == "/oauth2/token");
        Reply::json(&json!({"access_token": format!("token-{issued}")}))
    })
    .await;
    let effects = open_effects();
    for expected in ["Bearer token-1", "Bearer token-2"] {
        fetch(&effects, with(oauth2(client_credentials(&server)), get(&server.url))).await.unwrap();
        assert_eq!(server.last().header("authorization"), Some(expected));
    }
}
