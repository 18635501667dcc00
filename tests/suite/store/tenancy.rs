//! The wall between tenants: nothing of one is found, changed or counted by another.

use super::fixture::{Fixture, Run, TENANT, all};
use callboard::clock::new_id;
use callboard::domain::{LogLevel, LogLine, Status, TenantId, Timestamp};
use callboard::store::{AgentFilter, Begun, Error, Filter, Idempotency, LogQuery, SpendingSince, WorkflowFilter};
use serde_json::Value;

super::on_both_databases!(another_tenant_sees_nothing_and_changes_nothing, the_same_names_do_not_collide);

async fn another_tenant_sees_nothing_and_changes_nothing(fixture: Fixture) {
    let store = fixture.store();
    let other = TenantId(new_id());
    let mut run = fixture.create().await;
    run.start(&fixture).await.unwrap();
    let line = LogLine {
        n: 1,
        task: None,
        agent_id: None,
        level: LogLevel::Info,
        message: "secret".to_owned(),
        metadata: Value::Null,
        source: "engine".to_owned(),
        at: fixture.now(),
    };
    fixture.log(run.id, vec![line]).await;
    let before = store.execution(TENANT, run.id).await.unwrap();

    assert_eq!(store.execution(other, run.id).await.unwrap_err(), Error::NotFound);
    assert!(store.executions(other, Filter::default(), all()).await.unwrap().items.is_empty());
    assert!(store.active_executions(other, None, 10).await.unwrap().is_empty());
    assert_eq!(store.history(other, run.id, 0, 10, Vec::new()).await.unwrap_err(), Error::NotFound);
    assert!(store.changed_since(other, 0, 10).await.unwrap().executions.is_empty());
    assert!(store.events(other, run.id, 0).await.unwrap().is_empty());
    assert_eq!(store.claim(other, run.id).await.unwrap_err(), Error::NotFound);
    assert_eq!(store.load(other, run.id).await.unwrap_err(), Error::NotFound);
    assert_eq!(store.update_execution(other, run.id, Some(0), None).await.unwrap_err(), Error::NotFound);
    assert!(store.logs(other, run.id, LogQuery { limit: 10, ..LogQuery::default() }).await.unwrap().is_empty());
    assert_eq!(store.last_log_number(other, run.id).await, Ok(0));
    assert!(store.usage(other, run.id).await.unwrap().is_empty());
    assert_eq!(store.statistics(other, Timestamp::from_micros(0)).await.unwrap().total, 0);
    assert_eq!(store.spending_since(other, Timestamp::from_micros(0)).await.unwrap(), SpendingSince::default());
    assert!(store.queue_depth(other).await.unwrap().is_empty());
    let foreign = Run { tenant_id: other, ..run.clone() }.progress();
    assert_eq!(store.append(foreign).await, Err(Error::NotFound));

    assert_eq!(store.execution(TENANT, run.id).await.unwrap(), before);
    assert!(store.workflows(other, WorkflowFilter::default(), all()).await.unwrap().items.is_empty());
    let agents = store.agents(other, AgentFilter::default(), all()).await.unwrap().items;
    assert!(!agents.is_empty() && agents.iter().all(|agent| agent.is_system));
}

async fn the_same_names_do_not_collide(fixture: Fixture) {
    let other = TenantId(new_id());
    for tenant_id in [TENANT, other] {
        let mut draft = fixture.draft();
        draft.tenant_id = tenant_id;
        draft.new.idempotency = Some(Idempotency { key: "k".to_owned(), request_digest: "d".to_owned() });
        fixture.finished(draft, Status::Succeeded).await;
        let request = Idempotency { key: "r".to_owned(), request_digest: "d".to_owned() };
        assert_eq!(fixture.store().begin_request(tenant_id, request).await, Ok(Begun::New));
    }
    assert_eq!(fixture.store().executions(other, Filter::default(), all()).await.unwrap().items.len(), 1);
}
