//! Lists: every filter, and both paginations while things are added.

use crate::on_both_databases;
use crate::service::{Service, definition};
use serde_json::{Value, json};

on_both_databases!(filters_restrict, pages_and_cursors_walk_the_list);

fn ids(list: &Value) -> Vec<String> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

async fn start(service: &Service, extra: Value) -> String {
    let mut body = json!({"definition": definition("listed", "1.0.0", json!([{"a": {"set": {"x": 1}}}]))});
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let accepted = service.post("/api/v1/executions", &body).await.expect(201);
    let id = accepted["id"].as_str().unwrap().to_owned();
    service.ended(&id).await;
    id
}

async fn filters_restrict(service: Service) {
    let red =
        start(&service, json!({"labels": {"team": "red", "area": "north"}, "input": {"note": "Needle_10%"}})).await;
    let blue = start(&service, json!({"labels": {"team": "blue"}})).await;
    let workflow_id = service.register("registered", "2.0.0", json!([{"a": {"set": {"x": 1}}}])).await;
    let run = format!("/api/v1/workflows/{workflow_id}/execute");
    let third = service.post(&run, &json!({})).await.expect(202)["execution_id"].as_str().unwrap().to_owned();
    let created_at = service.ended(&third).await["created_at"].as_str().unwrap().to_owned();
    let cases = [
        ("".to_owned(), vec![&third, &blue, &red]),
        ("sort=created_at".to_owned(), vec![&red, &blue, &third]),
        ("label.team=red".to_owned(), vec![&red]),
        ("label.team=red&label.area=south".to_owned(), vec![]),
        ("q=needle_10%25".to_owned(), vec![&red]),
        ("q=needleX10".to_owned(), vec![]),
        (format!("workflow_id={workflow_id}"), vec![&third]),
        ("workflow=tests/listed".to_owned(), vec![&blue, &red]),
        ("status=succeeded&status=failed".to_owned(), vec![&third, &blue, &red]),
        ("status=completed".to_owned(), vec![&third, &blue, &red]),
        ("status=running,waiting".to_owned(), vec![]),
        ("execution_type=workflow".to_owned(), vec![&third, &blue, &red]),
        ("execution_type=agent_test".to_owned(), vec![]),
        (format!("created_before={created_at}"), vec![&blue, &red]),
        (format!("created_after={created_at}"), vec![]),
        ("created_after=2020-01-01T00:00:00Z&label.team=blue".to_owned(), vec![&blue]),
        ("created_by=somebody".to_owned(), vec![]),
        (format!("parent_execution_id={red}"), vec![]),
    ];
    for (query, expected) in cases {
        let list = service.get(&format!("/api/v1/executions?{query}")).await.expect(200);
        assert_eq!(ids(&list), expected.iter().map(|id| (*id).clone()).collect::<Vec<_>>(), "{query}");
        assert_eq!(list["total"], expected.len(), "{query}");
    }
}

async fn pages_and_cursors_walk_the_list(service: Service) {
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, start(&service, json!({})).await);
    }
    let first = service.get("/api/v1/executions?page=1&size=3").await.expect(200);
    assert_eq!(
        (&first["page"], &first["size"], &first["total"], &first["pages"]),
        (&json!(1), &json!(3), &json!(7), &json!(3))
    );
    assert_eq!(ids(&first), expected[..3]);
    let last = service.get("/api/v1/executions?page=3&size=3").await.expect(200);
    assert_eq!(ids(&last), expected[6..]);
    assert_eq!(ids(&service.get("/api/v1/executions?page=4&size=3").await.expect(200)), Vec::<String>::new());

    let mut walked = Vec::new();
    let mut path = "/api/v1/executions?limit=2".to_owned();
    loop {
        let stretch = service.get(&path).await.expect(200);
        walked.extend(ids(&stretch));
        // What is added while somebody walks neither repeats nor hides anything.
        start(&service, json!({})).await;
        let Some(cursor) = stretch["next_cursor"].as_str() else { break };
        path = format!("/api/v1/executions?limit=2&cursor={cursor}");
    }
    assert_eq!(walked, expected);
}
