//! What failed or was cancelled knows which execution goes on with it.

use super::fixture::{Draft, Fixture, TENANT, all};
use super::rows;
use callboard::clock::new_id;
use callboard::domain::{ExecutionId, ForkedFrom, ParentLink, Status, TenantId, Trigger};
use callboard::store::{Error, Filter, PageRequest, migrate_down, migrate_up};

super::on_both_databases!(
    the_newest_retry_is_noted_on_what_it_goes_on_with,
    parts_that_are_started_anew_are_gone_on_with_too,
    a_note_outlives_the_retry_and_goes_with_the_failure,
    lists_tell_what_is_gone_on_with_from_what_is_not,
    what_was_retried_before_the_migration_is_noted_by_it,
);

fn retry_of(fixture: &Fixture, origin: ExecutionId) -> Draft {
    let mut draft = fixture.draft();
    draft.creation.trigger = Trigger::Retry;
    draft.creation.forked_from = Some(ForkedFrom { execution_id: origin, seq: 1, path: None });
    draft
}

fn child_of(fixture: &Fixture, parent: ExecutionId, awaited: bool) -> Draft {
    let mut draft = fixture.draft();
    draft.creation.parent =
        Some(ParentLink { execution_id: parent, path: "s0:run".to_owned(), awaited, depth: 1, root: None });
    draft
}

async fn ended(fixture: &Fixture, draft: Draft, status: Status) -> ExecutionId {
    fixture.finished(draft, status).await.id
}

async fn continued_by(fixture: &Fixture, id: ExecutionId) -> Option<ExecutionId> {
    fixture.store().execution(TENANT, id).await.unwrap().continued_by
}

async fn found(fixture: &Fixture, filter: Filter) -> Vec<ExecutionId> {
    let page = fixture.store().executions(TENANT, filter, all()).await.unwrap();
    page.items.iter().map(|execution| execution.id).collect()
}

async fn the_newest_retry_is_noted_on_what_it_goes_on_with(fixture: Fixture) {
    let first = ended(&fixture, fixture.draft(), Status::Failed).await;
    assert_eq!(continued_by(&fixture, first).await, None);
    let second = ended(&fixture, retry_of(&fixture, first), Status::Cancelled).await;
    assert_eq!(continued_by(&fixture, first).await, Some(second));
    let third = ended(&fixture, retry_of(&fixture, second), Status::Succeeded).await;
    assert_eq!(
        (continued_by(&fixture, first).await, continued_by(&fixture, second).await),
        (Some(second), Some(third))
    );

    // Two people at once: the older of the two is stored last.
    let (older, newer) = (retry_of(&fixture, first), retry_of(&fixture, first));
    let newest = newer.id;
    fixture.create_from(newer).await;
    fixture.create_from(older).await;
    assert_eq!(continued_by(&fixture, first).await, Some(newest));

    // What has succeeded is not gone on with, and nobody goes on with what belongs to another tenant.
    fixture.create_from(retry_of(&fixture, third)).await;
    assert_eq!(continued_by(&fixture, third).await, None);
    let mut foreign = retry_of(&fixture, second);
    foreign.tenant_id = TenantId(new_id());
    fixture.create_from(foreign).await;
    assert_eq!(continued_by(&fixture, second).await, Some(third));
    // A fork is another way to go, and a rerun begins anew.
    let failed = ended(&fixture, fixture.draft(), Status::Failed).await;
    let mut fork = retry_of(&fixture, failed);
    fork.creation.trigger = Trigger::Fork;
    fixture.create_from(fork).await;
    assert_eq!(continued_by(&fixture, failed).await, None);
}

async fn parts_that_are_started_anew_are_gone_on_with_too(fixture: Fixture) {
    let parent = ended(&fixture, fixture.draft(), Status::Failed).await;
    let lost = ended(&fixture, child_of(&fixture, parent, true), Status::Failed).await;
    let below = ended(&fixture, child_of(&fixture, lost, true), Status::Cancelled).await;
    let done = ended(&fixture, child_of(&fixture, lost, true), Status::Succeeded).await;
    let caught = ended(&fixture, child_of(&fixture, parent, true), Status::Failed).await;
    let retry = retry_of(&fixture, parent);
    let id = retry.id;
    let (append, _) = retry.first();
    fixture.store().append(append.doing_again([lost])).await.unwrap();
    for (execution, expected) in [(parent, Some(id)), (lost, Some(id)), (below, Some(id)), (done, None), (caught, None)]
    {
        assert_eq!(continued_by(&fixture, execution).await, expected, "{execution}");
    }
}

async fn a_note_outlives_the_retry_and_goes_with_the_failure(fixture: Fixture) {
    let failed = ended(&fixture, fixture.draft(), Status::Failed).await;
    let retry = ended(&fixture, retry_of(&fixture, failed), Status::Succeeded).await;
    assert_eq!(fixture.store().remove_executions(TENANT, vec![retry]).await, Ok(1));
    assert_eq!(continued_by(&fixture, failed).await, Some(retry));
    assert_eq!(fixture.store().remove_executions(TENANT, vec![failed]).await, Ok(1));
    assert_eq!(fixture.store().execution(TENANT, failed).await.unwrap_err(), Error::NotFound);
    assert_eq!(rows::texts(&fixture, "SELECT execution_id AS text FROM continued_executions"), Vec::<String>::new());
}

async fn lists_tell_what_is_gone_on_with_from_what_is_not(fixture: Fixture) {
    let mut expected = (Vec::new(), Vec::new());
    for _ in 0..3 {
        fixture.tick();
        let mut draft = fixture.draft();
        draft.creation.labels.insert("team".to_owned(), "red".to_owned());
        let failed = ended(&fixture, draft, Status::Failed).await;
        fixture.tick();
        let retry = ended(&fixture, retry_of(&fixture, failed), Status::Failed).await;
        expected.0.insert(0, failed);
        expected.1.insert(0, retry);
    }
    let of = |is_continued| Filter { is_continued: Some(is_continued), ..Filter::default() };
    let failed = |is_continued| Filter { statuses: vec![Status::Failed, Status::Cancelled], ..of(is_continued) };
    assert_eq!(found(&fixture, of(true)).await, expected.0);
    assert_eq!(found(&fixture, failed(true)).await, expected.0);
    assert_eq!(found(&fixture, failed(false)).await, expected.1);
    let labels = vec![("team".to_owned(), "red".to_owned())];
    assert_eq!(found(&fixture, Filter { labels: labels.clone(), ..of(true) }).await, expected.0);
    assert_eq!(found(&fixture, Filter { labels, ..of(false) }).await, []);
    let numbered = PageRequest::Numbered { number: 2, size: 2 };
    let page = fixture.store().executions(TENANT, failed(false), numbered).await.unwrap();
    assert_eq!((page.total, page.total_is_exact, page.items.len()), (Some(3), true, 1));
    assert_eq!(page.items[0].id, expected.1[2]);
}

async fn what_was_retried_before_the_migration_is_noted_by_it(mut fixture: Fixture) {
    let parent = ended(&fixture, fixture.draft(), Status::Failed).await;
    let child = ended(&fixture, child_of(&fixture, parent, true), Status::Failed).await;
    let apart = ended(&fixture, child_of(&fixture, parent, false), Status::Failed).await;
    let first = ended(&fixture, retry_of(&fixture, parent), Status::Failed).await;
    let second = ended(&fixture, retry_of(&fixture, parent), Status::Succeeded).await;
    let plain = ended(&fixture, fixture.draft(), Status::Failed).await;
    fixture.close().await;
    assert_eq!(migrate_down(&fixture.url, 1).unwrap(), ["2026-11-21-000046_continued_executions"]);
    migrate_up(&fixture.url).unwrap();
    fixture.reopen().await;
    for (execution, expected) in
        [(parent, Some(second)), (child, Some(second)), (apart, None), (first, None), (second, None), (plain, None)]
    {
        assert_eq!(continued_by(&fixture, execution).await, expected, "{execution}");
    }
}
