//! Rounds of upkeep in a whole engine: executions go when their time has come, and a tenant goes with everything it had.

use super::fixture::{Fixture, TENANT};
use super::people;
use super::retention::tables_with;
use super::rows;
use callboard::actors::{Command, Engine, MaintenanceView, Refusal, Runnable, Submission};
use callboard::clock::{Clock, ManualClock, new_id};
use callboard::domain::{Agent, AgentId, Execution, RetentionPolicy, Role, Status, TenantId};
use callboard::settings::{Settings, Sources};
use callboard::startup::{Core, block_on};
use callboard::store::{AgentFilter, EXECUTION_TABLES, Idempotency, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A test of an engine whose clock stands still, with a number of seconds between two rounds.
fn with_engine<T>(
    fixture: impl FnOnce() -> Fixture,
    interval: u32,
    test: impl AsyncFnOnce(&Fixture, &Engine, &ManualClock) -> T,
) -> T {
    block_on(async {
        let mut fixture = fixture();
        fixture.close().await;
        let folder = tempfile::tempdir().unwrap();
        let processes = folder.path().join("processes").display().to_string();
        let settings = vec![
            ("store.url".to_owned(), fixture.url.clone()),
            ("effects.shell.runtime_directory".to_owned(), processes),
            ("secrets.generate_key".to_owned(), "false".to_owned()),
            ("retention.interval_seconds".to_owned(), interval.to_string()),
        ];
        let settings = Settings::load(&Sources { overrides: settings, ..Sources::default() }).unwrap();
        let clock = fixture.clock.clone();
        let core = Core::start(&settings, Arc::new(clock.clone()), Instant::now()).await.unwrap();
        let outcome = test(&fixture, &core.engine, &clock).await;
        core.stop(Duration::from_secs(5)).await;
        outcome
    })
}

async fn submit(engine: &Engine, tenant: TenantId, tasks: Value, key: Option<&str>) -> Result<Execution, Refusal> {
    let text = crate::service::definition("upkeep", "1.0.0", tasks).to_string();
    let definition = engine.review(text).await.definition.unwrap();
    let mut submission =
        Submission::new(tenant, Runnable::Inline(Arc::new(definition)), json!({ "large": "x".repeat(70_000) }));
    submission.labels.insert("team".to_owned(), "red".to_owned());
    let digest = "d".to_owned();
    submission.idempotency = key.map(|key| Idempotency { key: key.to_owned(), request_digest: digest });
    engine.submit(submission).await
}

/// Looks until an execution has a status.
async fn until(engine: &Engine, execution: &Execution, status: Status) {
    while engine.store().execution(execution.tenant_id, execution.id).await.unwrap().status != status {
        tokio::task::yield_now().await;
    }
}

/// Runs one round of upkeep to its end.
async fn round(engine: &Engine) {
    engine.maintain().await.unwrap();
    while engine.maintenance().await.unwrap().running_since.is_some() {
        tokio::task::yield_now().await;
    }
    let view = engine.maintenance().await.unwrap();
    assert_eq!(view.last.unwrap().failure, None);
}

fn ask() -> Value {
    json!([{ "ask": { "call": "agent", "with": { "agent": "echo", "prompt": "hi" } } }])
}

fn nap() -> Value {
    json!([{ "nap": { "wait": { "days": 100 } } }])
}

fn rounds_delete_what_is_past_its_time(fixture: impl FnOnce() -> Fixture) {
    with_engine(fixture, 0, async |_, engine, clock| {
        let other = TenantId(new_id());
        let mine = submit(engine, TENANT, ask(), None).await.unwrap();
        let theirs = submit(engine, other, ask(), None).await.unwrap();
        let open = submit(engine, TENANT, nap(), None).await.unwrap();
        until(engine, &mine, Status::Succeeded).await;
        until(engine, &theirs, Status::Succeeded).await;
        until(engine, &open, Status::Waiting).await;
        let mut policy = RetentionPolicy::default();
        policy.succeeded.days = Some(60);
        engine.store().set_retention_policy(other, policy, None).await.unwrap();
        round(engine).await;
        assert_eq!(engine.maintenance().await.unwrap().deleted_of(TENANT), 0);

        // 31 days: past the default, not past what the other tenant has decided.
        clock.advance(DAY * 31);
        let (_, in_force) = engine.retention(TENANT).await.unwrap();
        let preview = engine.preview_retention(TENANT, in_force).await.unwrap();
        assert_eq!(preview.executions.into_iter().collect::<Vec<_>>(), [(Status::Succeeded, 1)]);
        let store = engine.store();
        assert!(store.execution(TENANT, mine.id).await.is_ok(), "a preview deletes nothing");
        round(engine).await;
        assert_eq!(engine.maintenance().await.unwrap().deleted_of(TENANT), 1);
        assert!(store.execution(TENANT, mine.id).await.is_err());
        assert_eq!(store.execution(TENANT, open.id).await.unwrap().status, Status::Waiting);
        assert!(store.execution(other, theirs.id).await.is_ok());
        assert!(store.definition(other, theirs.creation.definition.digest.to_string()).await.is_ok());

        let cancel = Command::Cancel { by: None, reason: None };
        engine.command(TENANT, open.id, cancel, None).await.unwrap();
        until(engine, &open, Status::Cancelled).await;
    });
}

fn rounds_begin_by_themselves(fixture: impl FnOnce() -> Fixture) {
    with_engine(fixture, 3_600, async |_, engine, clock| {
        let ended = submit(engine, TENANT, ask(), None).await.unwrap();
        until(engine, &ended, Status::Succeeded).await;
        for days in [29, 2] {
            assert!(engine.store().execution(TENANT, ended.id).await.is_ok());
            let begun = clock.now();
            clock.advance(DAY * days);
            let is_over = |view: MaintenanceView| view.last.is_some_and(|round| round.started_at > begun);
            while !is_over(engine.maintenance().await.unwrap()) {
                tokio::task::yield_now().await;
            }
        }
        assert!(engine.store().execution(TENANT, ended.id).await.is_err());
    });
}

fn a_deleted_tenant_leaves_nothing(fixture: impl FnOnce() -> Fixture) {
    with_engine(fixture, 0, async |fixture, engine, _| {
        let leaving = TenantId(new_id());
        let store = engine.store();
        people::tenant(fixture, store, leaving, "leaving").await;
        for tenant in [TENANT, leaving] {
            furnish(fixture, store, tenant).await;
            let ended = submit(engine, tenant, ask(), Some("k")).await.unwrap();
            until(engine, &ended, Status::Succeeded).await;
            let parked = submit(engine, tenant, nap(), None).await.unwrap();
            until(engine, &parked, Status::Waiting).await;
            submit(engine, tenant, json!([{ "nap": { "wait": { "days": 1 } } }]), None).await.unwrap();
            let review = engine.review(crate::service::definition("kept", "1.0.0", ask()).to_string()).await;
            store.register_workflow(tenant, &review.definition.unwrap(), String::new(), None).await.unwrap();
            store.set_retention_policy(tenant, RetentionPolicy::default(), None).await.unwrap();
            let request = Idempotency { key: "r".to_owned(), request_digest: "d".to_owned() };
            store.begin_request(tenant, request).await.unwrap();
        }
        let mut agent =
            store.agents(TENANT, AgentFilter::default(), super::fixture::all()).await.unwrap().items.remove(0);
        (agent.id, agent.tenant_id, agent.is_system) = (AgentId(new_id()), leaving, false);
        agent.slug = "own".to_owned();
        store.create_agent(agent.clone()).await.unwrap();
        let remaining = count(fixture, "executions", TENANT);
        assert_eq!(remaining, 3);

        engine.remove_tenant(leaving, Some("root".to_owned())).await.unwrap();
        assert!(matches!(submit(engine, leaving, ask(), None).await, Err(Refusal::UnknownReference { .. })));
        assert!(matches!(engine.remove_tenant(TENANT, None).await, Err(Refusal::Store(_))), "the default tenant stays");
        let late = async |mut agent: Agent, slug: &str| {
            (agent.id, agent.slug) = (AgentId(new_id()), slug.to_owned());
            store.noting(people::entry(fixture, leaving, "agent_created")).create_agent(agent).await
        };
        // A request that was let in before may take longer than all of this.
        assert_eq!(late(agent.clone(), "late").await, Err(callboard::store::Error::TenantGone));
        while !store.tenant_removals().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(late(agent.clone(), "later").await, Err(callboard::store::Error::TenantGone));
        store.record_audit(vec![people::entry(fixture, leaving, "signed_out")]).await.unwrap();
        let tables = tables_with(fixture, "tenant_id");
        assert!(tables.len() >= 17, "{tables:?}");
        for table in ["users", "api_keys", "sessions", "one_time_tokens", "audit_entries"] {
            assert!(count(fixture, table, TENANT) > 0, "{table} of the others");
        }
        assert_eq!(rows::texts(fixture, "SELECT token_hash AS text FROM refresh_tokens"), [TENANT.to_string()]);
        for table in &tables {
            assert_eq!(count(fixture, table, leaving), 0, "{table} still holds rows of the tenant");
        }
        for table in EXECUTION_TABLES {
            assert!(tables.iter().any(|name| name == table), "{table} does not bear a tenant");
        }
        assert_eq!(count(fixture, "executions", TENANT), remaining, "the others keep what they have");
        // The large input is the same for all: it stays for those who are left.
        assert_eq!(rows::texts(fixture, "SELECT digest AS text FROM blobs").len(), blobs_in_use(fixture));
    });
}

/// Somebody with a key, a session and a link, and an entry about each.
async fn furnish(fixture: &Fixture, store: &Store, tenant: TenantId) {
    let note = || people::entry(fixture, tenant, "added");
    let ada = store.create_user(people::user(fixture, tenant, "ada", Role::Member), note()).await.unwrap();
    store.create_api_key(people::key(fixture, tenant, Some(ada.id)), note()).await.unwrap();
    store.create_api_key(people::key(fixture, tenant, None), note()).await.unwrap();
    store.open_session(ada.clone(), people::session(fixture, &ada), tenant.to_string(), note()).await.unwrap();
    store.put_one_time_token(&ada, people::reset_token(fixture, tenant.to_string(), 60_000)).await.unwrap();
}

fn count(fixture: &Fixture, table: &str, tenant: TenantId) -> usize {
    rows::texts(fixture, &format!("SELECT tenant_id AS text FROM {table} WHERE tenant_id = '{tenant}'")).len()
}

fn blobs_in_use(fixture: &Fixture) -> usize {
    let sql = "SELECT events AS text FROM journal WHERE events LIKE 'sha256:%' \
               UNION SELECT input FROM executions WHERE input LIKE 'sha256:%' \
               UNION SELECT output FROM executions WHERE output LIKE 'sha256:%'";
    rows::texts(fixture, sql).len()
}

mod sqlite {
    use super::super::fixture::Fixture;

    #[test]
    fn rounds_delete_what_is_past_its_time() {
        super::rounds_delete_what_is_past_its_time(Fixture::sqlite);
    }

    #[test]
    fn rounds_begin_by_themselves() {
        super::rounds_begin_by_themselves(Fixture::sqlite);
    }

    #[test]
    fn a_deleted_tenant_leaves_nothing() {
        super::a_deleted_tenant_leaves_nothing(Fixture::sqlite);
    }
}

mod postgres {
    use super::super::fixture::Fixture;

    #[test]
    fn rounds_delete_what_is_past_its_time() {
        super::rounds_delete_what_is_past_its_time(Fixture::postgres);
    }

    #[test]
    fn rounds_begin_by_themselves() {
        super::rounds_begin_by_themselves(Fixture::postgres);
    }

    #[test]
    fn a_deleted_tenant_leaves_nothing() {
        super::a_deleted_tenant_leaves_nothing(Fixture::postgres);
    }
}
