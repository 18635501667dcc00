//! `/api/v1/secrets`, keys and their rotation.

use crate::on_both_databases;
use crate::service::{Service, definition};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

on_both_databases!(
    a_secret_is_stored_replaced_listed_and_deleted,
    executions_use_the_value_that_is_there_when_they_go_on,
    keys_are_rotated_and_lost,
);

const PATH: &str = "/api/v1/secrets/api-key";

async fn a_secret_is_stored_replaced_listed_and_deleted(service: Service) {
    let stored = service.put(PATH, &json!({ "value": "first-value" })).await.expect(201);
    assert_eq!(
        (&stored["name"], &stored["is_readable"], &stored["unprotected"]),
        (&json!("api-key"), &json!(true), &json!([]))
    );
    let object = json!({ "value": { "username": "ada", "deep": [{ "password": "second-value" }], "pin": 123 } });
    let replaced = service.put(PATH, &object).await.expect(200);
    assert_eq!(replaced["unprotected"], json!(["/username", "/pin"]));
    assert_eq!(replaced["created_at"], stored["created_at"]);
    assert!(replaced["updated_at"].as_str() > stored["updated_at"].as_str());
    let shown = service.get(PATH).await.expect(200);
    service.put("/api/v1/secrets/other", &json!({ "value": "other-value" })).await.expect(201);
    let list = service.get("/api/v1/secrets").await.expect(200);
    assert_eq!((&list["total"], &list["items"][0]["name"], &list["items"][1]), (&json!(2), &json!("other"), &shown));
    let page = service.get("/api/v1/secrets?limit=1").await.expect(200);
    let next = format!("/api/v1/secrets?limit=1&cursor={}", page["next_cursor"].as_str().unwrap());
    assert_eq!(service.get(&next).await.expect(200)["items"], json!([shown]));
    assert!(!format!("{stored}{replaced}{shown}{list}").contains("-value"));

    for value in [json!("short"), json!({}), json!(null), json!(12_345_678), json!(["a long one"])] {
        let problem = service.put(PATH, &json!({ "value": value })).await.problem(400, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], "/value", "{problem}");
    }
    let refused = service.put(PATH, &json!({ "valeu": "s3cret-value" })).await.problem(400, "invalid_body");
    assert!(!refused.to_string().contains("s3cret"), "{refused}");
    for name in ["1a", "a%20b", "%C3%A4", &"a".repeat(129)] {
        service
            .put(&format!("/api/v1/secrets/{name}"), &json!({ "value": "long enough" }))
            .await
            .problem(400, "invalid_body");
        service.get(&format!("/api/v1/secrets/{name}")).await.problem(404, "not_found");
    }
    assert_eq!(service.delete(PATH).await.status, 204);
    service.delete(PATH).await.problem(404, "not_found");
    service.get(PATH).await.problem(404, "not_found");
}

fn reading(tasks: Value) -> Value {
    let mut definition = definition("reading", "1.0.0", tasks);
    definition["use"] = json!({ "secrets": ["api-key"] });
    json!({ "definition": definition })
}

/// How long the secret is, found out by an expression.
fn measuring() -> Value {
    json!([{ "measure": { "set": { "length": "${ $secrets[\"api-key\"] | length }" } } }])
}

async fn start(service: &Service, tasks: Value) -> String {
    let accepted = service.post("/api/v1/executions", &reading(tasks)).await.expect(201);
    accepted["id"].as_str().unwrap().to_owned()
}

async fn executions_use_the_value_that_is_there_when_they_go_on(mut service: Service) {
    let id = start(&service, measuring()).await;
    let failed = service.ended(&id).await;
    assert_eq!((&failed["error"]["status"], &failed["error"]["instance"]), (&json!(403), &json!("/do/0/measure")));
    assert!(failed["error"]["suggestion"].as_str().unwrap().contains("callboard secrets set api-key"), "{failed}");

    service.put(PATH, &json!({ "value": "12345678" })).await.expect(201);
    let retried = service.post(&format!("/api/v1/executions/{id}/retry"), &json!({})).await;
    let retried = retried.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(service.ended(&retried).await["output"], json!({ "length": 8 }));

    // One that waits, across a restart, sees what is stored when it goes on.
    let nap = json!([{ "nap": { "wait": { "milliseconds": 1_500 } } }, measuring()[0]]);
    let id = start(&service, nap).await;
    service.event(&id, |event| event["type"] == "execution_waiting").await;
    service.put(PATH, &json!({ "value": "1234567890" })).await.expect(200);
    service.restart();
    assert_eq!(service.ended(&id).await["output"], json!({ "length": 10 }));
}

async fn keys_are_rotated_and_lost(mut service: Service) {
    let key = |id: &str, byte: u8| format!("{id}={}", STANDARD.encode([byte; 32]));
    let (old, new) = (key("old", 1), key("new", 2));
    service.set("secrets.keys", &old);
    service.restart();
    assert_eq!(service.put(PATH, &json!({ "value": "12345678" })).await.expect(201)["key_id"], "old");

    service.set("secrets.keys", &format!("{new},{old}"));
    service.restart();
    let rotated = service.post("/api/v1/secret-keys/rotate", &json!({})).await.expect(200);
    assert_eq!(rotated, json!({ "rotated": 1, "unreadable": 0 }));
    assert_eq!(service.get(PATH).await.expect(200)["key_id"], "new");
    service.set("secrets.keys", &new);
    service.restart();
    let id = start(&service, measuring()).await;
    assert_eq!(service.ended(&id).await["output"], json!({ "length": 8 }));

    service.set("secrets.keys", &old);
    service.restart();
    assert_eq!(service.get(PATH).await.expect(200)["is_readable"], false);
    let id = start(&service, measuring()).await;
    let failed = service.ended(&id).await;
    assert!(failed["error"]["detail"].as_str().unwrap().contains("cannot be decrypted"), "{failed}");
    let rotated = service.post("/api/v1/secret-keys/rotate", &json!({})).await.expect(200);
    assert_eq!(rotated, json!({ "rotated": 0, "unreadable": 1 }));
}
