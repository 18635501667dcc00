//! Log lines: in order, found by level, task and text.

use super::fixture::{Fixture, TENANT};
use callboard::domain::{LogLevel, LogLine};
use callboard::store::LogQuery;
use serde_json::{Value, json};

super::on_both_databases!(lines_are_found_by_level_task_text_and_number, a_line_sent_twice_is_stored_once);

fn line(fixture: &Fixture, n: u64, level: LogLevel, task: Option<&str>, message: &str) -> LogLine {
    LogLine {
        n,
        task: task.map(str::to_owned),
        agent_id: None,
        level,
        message: message.to_owned(),
        metadata: if n == 1 { json!({"pid": 7}) } else { Value::Null },
        source: "shell".to_owned(),
        at: fixture.now(),
    }
}

async fn lines_are_found_by_level_task_text_and_number(fixture: Fixture) {
    let run = fixture.create().await;
    let lines = vec![
        line(&fixture, 1, LogLevel::Debug, Some("/do/0/load"), "GET 100% done"),
        line(&fixture, 2, LogLevel::Info, Some("/do/0/load/try/0/fetch"), "fetched"),
        line(&fixture, 3, LogLevel::Warn, Some("/do/0/loader"), "slow\nanswer"),
        line(&fixture, 4, LogLevel::Error, None, "Broken pipe"),
    ];
    fixture.log(run.id, lines[..2].to_vec()).await;
    fixture.log(run.id, lines[2..].to_vec()).await;
    let query = LogQuery { limit: 100, ..LogQuery::default() };
    assert_eq!(fixture.store().logs(TENANT, run.id, query.clone()).await.unwrap(), lines);
    let cases = [
        (LogQuery { level: Some(LogLevel::Warn), ..query.clone() }, vec![3, 4]),
        (LogQuery { task: Some("/do/0/load".to_owned()), ..query.clone() }, vec![1, 2]),
        (LogQuery { text: Some("broken".to_owned()), ..query.clone() }, vec![4]),
        (LogQuery { text: Some("0%".to_owned()), ..query.clone() }, vec![1]),
        (LogQuery { text: Some("0_".to_owned()), ..query.clone() }, vec![]),
        (LogQuery { after: 1, limit: 2, ..query }, vec![2, 3]),
    ];
    for (query, expected) in cases {
        let found = fixture.store().logs(TENANT, run.id, query.clone()).await.unwrap();
        assert_eq!(found.iter().map(|line| line.n).collect::<Vec<_>>(), expected, "{query:?}");
    }
    assert_eq!(fixture.store().last_log_number(TENANT, run.id).await, Ok(4));
}

async fn a_line_sent_twice_is_stored_once(fixture: Fixture) {
    let run = fixture.create().await;
    let first = line(&fixture, 1, LogLevel::Info, None, "a\u{0}b");
    fixture.log(run.id, vec![first.clone()]).await;
    fixture.log(run.id, vec![first, line(&fixture, 2, LogLevel::Info, None, "c")]).await;
    let found = fixture.store().logs(TENANT, run.id, LogQuery { limit: 9, ..LogQuery::default() }).await.unwrap();
    assert_eq!(found.iter().map(|line| line.message.as_str()).collect::<Vec<_>>(), vec!["a\u{fffd}b", "c"]);
}
