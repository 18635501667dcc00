//! Rate limits: every answer says how much is left, and one request too many is refused until it may come again.

use crate::on_both_databases;
use crate::service::{Database, Service, answer};
use reqwest::Method;
use serde_json::json;

on_both_databases!(without_limits_nothing_is_said_about_them);

async fn without_limits_nothing_is_said_about_them(service: Service) {
    let response = service.get("/api/v1/queue").await;
    assert!(response.header("ratelimit").is_none() && response.header("ratelimit-policy").is_none());
}

#[tokio::test]
async fn one_request_too_many_is_refused_and_health_is_not_counted() {
    let limits = [("rate_limits.per_principal", "3"), ("rate_limits.per_address", "100")];
    let service = Service::start_with(Database::Sqlite, &limits);
    for left in ["\"principal\";r=2;t=20", "\"principal\";r=1;t=40", "\"principal\";r=0;t=60"] {
        let response = service.get("/api/v1/executions").await;
        assert_eq!(response.status, 200);
        assert_eq!(response.header("ratelimit"), Some(left));
        assert_eq!(response.header("ratelimit-policy"), Some("\"principal\";q=3;w=60, \"address\";q=100;w=60"));
    }
    let refused = service.post("/api/v1/workflows", &json!({})).await;
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(refused.header("ratelimit"), Some("\"principal\";r=0;t=60"));
    refused.problem(429, "rate_limited");
    for path in ["/livez", "/readyz", "/metrics"] {
        let response = answer(service.request(Method::GET, path)).await;
        assert_eq!(response.status, 200, "{path}");
        assert!(response.header("ratelimit").is_none());
    }
}

#[tokio::test]
async fn an_address_is_limited_whoever_it_speaks_for() {
    let limits = [("rate_limits.per_address", "1")];
    let service = Service::start_with(Database::Sqlite, &limits);
    assert_eq!(service.get("/api/v1/agents").await.header("ratelimit"), Some("\"address\";r=0;t=60"));
    service.get("/api/v1/agents").await.problem(429, "rate_limited");
}
