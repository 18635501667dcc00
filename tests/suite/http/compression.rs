//! Long answers are short on the wire, for whoever accepts that.

use crate::on_both_databases;
use crate::service::Service;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};

on_both_databases!(long_answers_are_compressed_for_whoever_accepts_it,);

async fn ask(service: &Service, path: &str, accepted: &str) -> Response {
    service.request(Method::GET, path).header("Accept-Encoding", accepted).send().await.unwrap()
}

fn encoding(response: &Response) -> Option<&str> {
    response.headers().get("content-encoding").map(|value| value.to_str().unwrap())
}

/// By the tool that everybody has.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = gzip.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}

async fn long_answers_are_compressed_for_whoever_accepts_it(service: Service) {
    let tasks = json!([{"say": {"set": {"text": "${ \"the same again and again, \" * 200 }"}}}]);
    let id = service.start_definition(tasks, json!({})).await;
    service.ended(&id).await;
    let path = format!("/api/v1/executions/{id}");
    let packed = ask(&service, &path, "br, gzip;q=0.8").await;
    assert_eq!(encoding(&packed), Some("gzip"));
    assert!(packed.headers().get_all("vary").iter().any(|value| value.to_str().unwrap().contains("accept-encoding")));
    let bytes = packed.bytes().await.unwrap();
    assert!(bytes.len() < 1_500, "{}", bytes.len());
    let shown: Value = serde_json::from_slice(&unpacked(&bytes)).unwrap();
    assert_eq!(shown["output"]["text"].as_str().unwrap().len(), 26 * 200);
    for accepted in ["identity", "br", "gzip;q=0"] {
        assert_eq!(encoding(&ask(&service, &path, accepted).await), None, "{accepted}");
    }
    let short = ask(&service, "/api/v1/executions/active", "gzip").await;
    assert_eq!(encoding(&short), None);
    assert_eq!(encoding(&ask(&service, &format!("{path}/stream"), "gzip").await), None, "frames arrive at once");
    for _ in 0..12 {
        service.post("/api/v1/api-keys", &json!({"name": "one of many"})).await.expect(201);
    }
    let keys = ask(&service, "/api/v1/api-keys?size=100", "gzip").await;
    assert_eq!(encoding(&keys), None, "lengths tell nothing about credentials");
}
