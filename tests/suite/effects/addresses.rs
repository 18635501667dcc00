//! The address policy, seen from outside: nothing may be sent to where nothing may be sent.

use super::stand_in::{Reply, StandIn};
use super::{Call, fetch, get, kind, open_options};
use callboard::domain::{Authentication, EffectCall, Failure, HttpRequest, OAuth};
use callboard::effects::Effects;

fn confined() -> Effects {
    let mut options = open_options();
    options.http.allow_private = false;
    Effects::new(options).unwrap()
}

fn assert_refused(failure: &Failure, what: &str) {
    assert_eq!(kind(failure), ("authorization", 403), "{what}: {failure:?}");
    assert!(failure.suggestion.as_deref().unwrap().contains("effects.http.allow_private"), "{what}");
    assert_eq!(failure.retryable, Some(false));
}

#[tokio::test]
async fn loopback_is_refused_by_address_and_by_name() {
    let server = StandIn::start(|_| Reply::status(200)).await;
    let port = server.port;
    let effects = confined();
    for host in ["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "[::1]", "localhost"] {
        let failure = fetch(&effects, get(&format!("http://{host}:{port}/"))).await.unwrap_err();
        assert_refused(&failure, host);
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn other_inner_addresses_are_refused_without_a_connection() {
    for host in ["10.0.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "[fd00:ec2::254]", "0.0.0.0"] {
        let failure = fetch(&confined(), get(&format!("http://{host}/latest/meta-data"))).await.unwrap_err();
        assert_refused(&failure, host);
    }
}

#[tokio::test]
async fn token_endpoints_are_confined_too() {
    let server = StandIn::start(|_| Reply::status(200)).await;
    let policy = OAuth {
        authority: server.url.clone(),
        grant: "client_credentials".into(),
        client_id: Some("me".into()),
        ..OAuth::default()
    };
    let authentication = Some(Authentication::OAuth2(Box::new(policy)));
    let request = HttpRequest { authentication, ..get("http://example.com/") };
    let outcome = Call::new().perform(&confined(), EffectCall::Http(Box::new(request))).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!(kind(&failure), ("authentication", 401));
    assert!(failure.suggestion.unwrap().contains("effects.http.allow_private"));
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_redirect_does_not_lead_inside() {
    let inside = StandIn::start(|_| Reply::status(200)).await;
    let port = inside.port;
    let server = StandIn::start(move |request| {
        Reply::redirect(307, format!("http://{}:{port}/", request.target.trim_start_matches('/')))
    })
    .await;
    let mut options = open_options();
    options.http.allow_private = false;
    options.http.permitted_networks = vec!["127.0.0.1/32".parse().unwrap()];
    let effects = Effects::new(options).unwrap();
    let follow = |target: &str| HttpRequest { redirect: true, ..get(&format!("{}/{target}", server.url)) };
    assert!(fetch(&effects, follow("127.0.0.1")).await.is_ok(), "the permitted network is permitted");
    for target in ["127.0.0.2", "[::1]", "169.254.169.254", "10.0.0.1"] {
        let failure = fetch(&effects, follow(target)).await.unwrap_err();
        assert_refused(&failure, target);
    }
    assert_eq!(inside.received().len(), 1);
}
