//! Server-sent events: complete, in order, and resumed with one cursor.

use crate::on_both_databases;
use crate::service::Service;
use serde_json::json;

on_both_databases!(a_stream_of_one_execution_is_complete_and_resumes, the_global_stream_resumes_after_a_position);

async fn a_stream_of_one_execution_is_complete_and_resumes(service: Service) {
    let tasks =
        json!([{"a": {"set": {"x": 1}}}, {"ask": {"call": "agent", "with": {"agent": "echo", "prompt": "hi"}}}]);
    let id = service.start_definition(tasks, json!({})).await;
    let last_seq = service.ended(&id).await["last_seq"].as_u64().unwrap();
    let path = format!("/api/v1/executions/{id}/stream");
    let history = service.get(&format!("/api/v1/executions/{id}/history")).await.expect(200);
    for (path, last_event_id, after) in [
        (path.clone(), None, 0),
        (format!("{path}?after_seq=2"), None, 2),
        (path.clone(), Some(3), 3),
        (format!("{path}?after_seq=1"), Some(4), 4),
    ] {
        let mut events = service.events(&path, last_event_id).await;
        for seq in after + 1..=last_seq {
            let event = loop {
                let event = events.next().await.expect("the stream goes on");
                if event.name == "execution_event" {
                    break event;
                }
            };
            assert_eq!((event.id, &event.data["seq"]), (Some(seq), &json!(seq)), "{path}");
            assert_eq!(event.data["type"], "execution_event");
            let mut expected = history["items"][usize::try_from(seq - 1).unwrap()].clone();
            assert_eq!(event.data["position"], expected["position"]);
            expected.as_object_mut().unwrap().remove("position");
            assert_eq!(event.data["data"], expected);
        }
    }
}

async fn the_global_stream_resumes_after_a_position(mut service: Service) {
    let first = service.start_definition(json!([{"a": {"set": {"x": 1}}}]), json!({})).await;
    service.ended(&first).await;
    let mut live = service.events("/api/v1/executions/stream?after=0", None).await;
    let update = loop {
        let event = live.next().await.expect("the stream goes on");
        if event.name == "execution_update" && event.data["data"]["status"] == "succeeded" {
            break event;
        }
    };
    assert_eq!(update.data["data"]["id"], first.as_str());
    assert_eq!(update.data["data"]["output"], json!({"x": 1}));
    let cursor = update.data["position"].as_u64().expect("a position");

    let second = service.start_definition(json!([{"a": {"set": {"x": 2}}}]), json!({})).await;
    service.ended(&second).await;
    service.restart();
    let mut resumed = service.events("/api/v1/executions/stream", Some(cursor)).await;
    let update = loop {
        let event = resumed.next().await.expect("the stream goes on");
        if event.name == "execution_update" {
            break event;
        }
    };
    assert_eq!(update.data["data"]["id"], second.as_str());
    assert!(update.id.is_none_or(|id| id > cursor), "{update:?}");
}
