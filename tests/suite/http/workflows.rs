//! Registering workflows and checking definitions.

use crate::on_both_databases;
use crate::service::{Service, answer, definition};
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases!(a_version_is_registered_once, versions_are_listed_and_archived, a_check_names_every_problem);

fn tasks(n: u32) -> Value {
    json!([{"a": {"set": {"n": n}}}])
}

async fn a_version_is_registered_once(service: Service) {
    let yaml = "# kept as written\ndocument:\n  dsl: 1.0.3\n  namespace: tests\n  name: yaml\n  version: 1.0.0\n  \
                title: From YAML\ndo:\n  - a:\n      set: {n: 1}\n";
    for media_type in ["application/yaml", "text/yaml; charset=utf-8", "application/x-yaml"] {
        let request = service.request(Method::POST, "/api/v1/workflows").header("content-type", media_type);
        let registered = answer(request.body(yaml)).await;
        assert!(registered.status == 201 || registered.status == 200, "{registered:?}");
        let location = registered.header("location").unwrap().to_owned();
        let detail = service.get(&location).await.expect(200);
        assert_eq!((&detail["name"], &detail["title"]), (&json!("yaml"), &json!("From YAML")));
        assert_eq!((detail["source"].as_str(), &detail["definition"]["do"]), (Some(yaml), &tasks(1)));
    }
    assert_eq!(service.get("/api/v1/workflows").await.expect(200)["total"], 1);
    let json_form = definition("json", "1.0.0", tasks(1));
    let first = service.post("/api/v1/workflows", &json_form).await.expect(201);
    let again = service.post("/api/v1/workflows", &json_form).await.expect(200);
    assert_eq!(again["id"], first["id"]);
    let other = definition("json", "1.0.0", tasks(2));
    service.post("/api/v1/workflows", &other).await.problem(409, "already_exists");
    let bad = json!({"document": {"dsl": "1.0.3", "namespace": "tests", "name": "bad", "version": "1.0.0"}, "do": [{"a": {"sett": {}}}]});
    let problem = service.post("/api/v1/workflows", &bad).await.problem(422, "invalid_definition");
    assert!(problem["errors"].as_array().unwrap().iter().any(|error| error["pointer"] != ""), "{problem}");
}

async fn versions_are_listed_and_archived(service: Service) {
    for version in ["1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"] {
        service.register("many", version, tasks(1)).await;
    }
    let id = service.register("other", "0.1.0", tasks(1)).await;
    let list = service.get("/api/v1/workflows?q=man").await.expect(200);
    assert_eq!((&list["total"], &list["items"][0]["version"]), (&json!(1), &json!("1.10.0")), "{list}");
    let latest = list["items"][0]["id"].as_str().unwrap().to_owned();
    let all = service.get("/api/v1/workflows?namespace=tests&name=many&all_versions=true").await.expect(200);
    assert_eq!(all["total"], 4);
    let versions = service.get(&format!("/api/v1/workflows/{latest}/versions")).await.expect(200);
    let order: Vec<&str> =
        versions["items"].as_array().unwrap().iter().map(|item| item["version"].as_str().unwrap()).collect();
    assert_eq!(order, ["2.0.0-rc.1", "1.10.0", "1.9.0", "1.0.0"]);

    assert_eq!(service.delete(&format!("/api/v1/workflows/{latest}")).await.status, 204);
    let list = service.get("/api/v1/workflows?q=many").await.expect(200);
    assert_eq!(list["items"][0]["version"], "1.9.0");
    let body = json!({"workflow": {"namespace": "tests", "name": "many"}});
    let started = service.post("/api/v1/executions", &body).await.expect(201);
    assert_eq!(started["workflow"]["version"], "1.9.0");
    let back = service.put(&format!("/api/v1/workflows/{latest}"), &json!({"is_archived": false})).await.expect(200);
    assert_eq!(back["is_latest"], true);

    let mut walked = Vec::new();
    let mut path = "/api/v1/workflows?limit=1".to_owned();
    loop {
        let stretch = service.get(&path).await.expect(200);
        walked.extend(stretch["items"].as_array().unwrap().iter().map(|item| item["name"].clone()));
        let Some(cursor) = stretch["next_cursor"].as_str() else { break };
        path = format!("/api/v1/workflows?limit=1&cursor={cursor}");
    }
    walked.sort_by_key(ToString::to_string);
    assert_eq!(walked, ["many", "other"]);
    assert_eq!(service.get(&format!("/api/v1/workflows/{id}")).await.expect(200)["is_latest"], true);
}

async fn a_check_names_every_problem(service: Service) {
    let text = "document: {dsl: 1.0.3, namespace: tests, name: bad, version: 1.0.0}\ndo:\n  - a:\n      set: ${ .x + }\n  \
                - b:\n      then: nowhere\n      wait: PT1S\n  - c:\n      emit: {}\n";
    let request =
        service.request(Method::POST, "/api/v1/workflows/validate").header("content-type", "application/yaml");
    let found = answer(request.body(text)).await.expect(200);
    assert_eq!(found["is_valid"], false);
    let lines: Vec<u64> =
        found["problems"].as_array().unwrap().iter().filter_map(|problem| problem["line"].as_u64()).collect();
    assert!([4, 6].iter().all(|line| lines.contains(line)) && lines.iter().any(|line| *line >= 8), "{found}");
    let fine = service.post("/api/v1/workflows/validate", &definition("fine", "1.0.0", tasks(1))).await.expect(200);
    assert_eq!(fine, json!({"is_valid": true, "problems": []}));
    assert_eq!(service.get("/api/v1/workflows").await.expect(200)["total"], 0);
}
