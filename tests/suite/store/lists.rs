//! Lists of executions: every filter, both paginations, both orders, and what has changed since a position.

use super::fixture::{Draft, Fixture, TENANT, all};
use callboard::clock::new_id;
use callboard::domain::{AgentId, ExecutionId, ExecutionType, ParentLink, Status, Timestamp, WorkflowId};
use callboard::store::{Error, Filter, PageRequest, Sort};
use futures_util::future::join_all;
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeMap;

super::on_both_databases!(
    each_filter_finds_what_it_names_and_nothing_else,
    pages_by_cursor_are_stable_under_inserts,
    pages_of_several_statuses_are_merged_in_order,
    numbered_pages_know_the_total,
    executions_of_the_same_microsecond_are_paged_without_loss,
    a_foreign_cursor_is_refused,
    active_ones_are_running_or_waiting,
    changes_since_a_position_lead_to_the_present,
    changes_that_are_read_while_others_write_leave_nothing_out,
    priority_and_labels_can_be_changed,
    a_search_goes_on_where_it_has_ended,
);

async fn found(fixture: &Fixture, filter: Filter) -> Vec<ExecutionId> {
    let page = fixture.store().executions(TENANT, filter, all()).await.unwrap();
    page.items.iter().map(|execution| execution.id).collect()
}

async fn each_filter_finds_what_it_names_and_nothing_else(fixture: Fixture) {
    let draft = |change: &dyn Fn(&mut Draft)| {
        fixture.tick();
        let mut draft = fixture.draft();
        change(&mut draft);
        draft
    };
    let (workflow_id, agent_id) = (WorkflowId(new_id()), AgentId(new_id()));
    let plain = fixture.create_from(draft(&|_| {})).await.id;
    let by_workflow = draft(&|draft| draft.creation.definition.workflow_id = Some(workflow_id));
    let by_workflow = fixture.finished(by_workflow, Status::Succeeded).await.id;
    let by_agent = draft(&|draft| {
        draft.creation.agent_id = Some(agent_id);
        draft.creation.execution_type = ExecutionType::AgentTest;
        draft.creation.input = json!({"text": "Is 100%_sure \\ ok?"});
    });
    let by_agent = fixture.finished(by_agent, Status::Failed).await.id;
    let child = draft(&|draft| {
        draft.creation.parent =
            Some(ParentLink { execution_id: plain, path: "s0:run".to_owned(), awaited: true, depth: 1, root: None });
        draft.creation.definition.name = "Other".into();
        draft.creation.labels =
            BTreeMap::from([("team".to_owned(), "red".to_owned()), ("env".to_owned(), "prod".to_owned())]);
    });
    let child_at = child.at;
    let child = fixture.create_from(child).await.id;
    let bob = draft(&|draft| {
        draft.creation.created_by = Some("Bob".to_owned());
        draft.creation.labels = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
    });
    let bob = fixture.create_from(bob).await.id;

    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    let cases: Vec<(Filter, Vec<ExecutionId>)> = vec![
        (Filter::default(), vec![bob, child, by_agent, by_workflow, plain]),
        (Filter { sort: Sort::OldestFirst, ..Filter::default() }, vec![plain, by_workflow, by_agent, child, bob]),
        (Filter { workflow_id: Some(workflow_id), ..Filter::default() }, vec![by_workflow]),
        (Filter { workflow: Some(label("default", "Other")), ..Filter::default() }, vec![child]),
        (Filter { agent_id: Some(agent_id), ..Filter::default() }, vec![by_agent]),
        (Filter { execution_type: Some(ExecutionType::AgentTest), ..Filter::default() }, vec![by_agent]),
        (Filter { parent_execution_id: Some(plain), ..Filter::default() }, vec![child]),
        (Filter { project_id: Some("p".to_owned()), ..Filter::default() }, vec![]),
        (Filter { statuses: vec![Status::Failed], ..Filter::default() }, vec![by_agent]),
        (
            Filter { statuses: vec![Status::Failed, Status::Succeeded], ..Filter::default() },
            vec![by_agent, by_workflow],
        ),
        (Filter { created_by: Some("Bob".to_owned()), ..Filter::default() }, vec![bob]),
        (Filter { created_after: Some(child_at), ..Filter::default() }, vec![bob]),
        (Filter { created_before: Some(child_at), statuses: vec![Status::Pending], ..Filter::default() }, vec![plain]),
        (Filter { labels: vec![label("team", "red")], ..Filter::default() }, vec![bob, child]),
        (Filter { labels: vec![label("team", "red"), label("env", "prod")], ..Filter::default() }, vec![child]),
        (Filter { labels: vec![label("team", "blue")], ..Filter::default() }, vec![]),
        (text("oTHer"), vec![child]),
        (text("bob"), vec![bob]),
        (text("upstream said"), vec![by_agent]),
        (text("100%_SURE"), vec![by_agent]),
        (text("100__sure"), vec![]),
        (text("\\"), vec![by_agent]),
        (text(&plain.to_string()), vec![plain]),
        (text("' OR 1=1 --"), vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(found(&fixture, filter.clone()).await, expected, "{filter:?}");
    }
}

async fn pages_by_cursor_are_stable_under_inserts(fixture: Fixture) {
    let mut expected = Vec::new();
    for _ in 0..25 {
        fixture.tick();
        expected.push(fixture.create().await.id);
    }
    for sort in [Sort::NewestFirst, Sort::OldestFirst] {
        expected.reverse();
        let filter = Filter { sort, created_before: Some(fixture.now().plus_millis(1)), ..Filter::default() };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let request = PageRequest::Cursor { cursor, limit: 10 };
            let page = fixture.store().executions(TENANT, filter.clone(), request).await.unwrap();
            assert_eq!(page.total, None);
            seen.extend(page.items.iter().map(|execution| execution.id));
            let mut newcomer = fixture.draft();
            newcomer.at = fixture.now().plus_millis(5);
            fixture.create_from(newcomer).await;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

async fn pages_of_several_statuses_are_merged_in_order(fixture: Fixture) {
    let mut expected = Vec::new();
    for status in
        [Status::Failed, Status::Succeeded, Status::Cancelled, Status::Failed, Status::Succeeded, Status::Failed]
    {
        fixture.tick();
        let run = fixture.finished(fixture.draft(), status).await;
        if status != Status::Cancelled {
            expected.push(run.id);
        }
    }
    for sort in [Sort::NewestFirst, Sort::OldestFirst] {
        expected.reverse();
        let filter =
            Filter { sort, statuses: vec![Status::Succeeded, Status::Failed, Status::Failed], ..Filter::default() };
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let request = PageRequest::Cursor { cursor, limit: 2 };
            let page = fixture.store().executions(TENANT, filter.clone(), request).await.unwrap();
            seen.extend(page.items.iter().map(|execution| execution.id));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected);
    }
}

async fn numbered_pages_know_the_total(fixture: Fixture) {
    for _ in 0..7 {
        fixture.tick();
        fixture.create().await;
    }
    let page =
        |number, size| fixture.store().executions(TENANT, Filter::default(), PageRequest::Numbered { number, size });
    let (first, third, beyond) = (page(1, 3).await.unwrap(), page(3, 3).await.unwrap(), page(9, 3).await.unwrap());
    assert_eq!((first.items.len(), third.items.len(), beyond.items.len()), (3, 1, 0));
    assert_eq!((first.total, third.total, beyond.total), (Some(7), Some(7), Some(7)));
    assert!(first.items[0].created_at > third.items[0].created_at);
    let filter = Filter { statuses: vec![Status::Failed], ..Filter::default() };
    let none = fixture.store().executions(TENANT, filter, PageRequest::Numbered { number: 1, size: 3 }).await.unwrap();
    assert_eq!((none.items.len(), none.total), (0, Some(0)));
}

async fn executions_of_the_same_microsecond_are_paged_without_loss(fixture: Fixture) {
    for _ in 0..9 {
        fixture.create().await;
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let request = PageRequest::Cursor { cursor, limit: 2 };
        let page = fixture.store().executions(TENANT, Filter::default(), request).await.unwrap();
        seen.extend(page.items.iter().map(|execution| execution.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let everything = found(&fixture, Filter::default()).await;
    assert_eq!((seen.len(), &seen), (9, &everything));
}

async fn a_foreign_cursor_is_refused(fixture: Fixture) {
    for cursor in ["", "zzz", "MTIzLng", "' OR 1=1"] {
        let request = PageRequest::Cursor { cursor: Some(cursor.to_owned()), limit: 2 };
        let answer = fixture.store().executions(TENANT, Filter::default(), request).await;
        assert_eq!(answer, Err(Error::InvalidCursor), "{cursor}");
    }
}

async fn active_ones_are_running_or_waiting(fixture: Fixture) {
    fixture.create().await;
    fixture.finished(fixture.draft(), Status::Succeeded).await;
    let mut running = fixture.create().await;
    running.start(&fixture).await.unwrap();
    let mut waiting = fixture.create().await;
    waiting.start(&fixture).await.unwrap();
    waiting.projection.status = Status::Waiting;
    waiting.projection.wake_at = Some(Timestamp::from_micros(5));
    fixture.store().append(waiting.progress()).await.unwrap();
    let active = fixture.store().active_executions(TENANT, None, 10).await.unwrap();
    assert_eq!(active.iter().map(|execution| execution.id).collect::<Vec<_>>(), vec![waiting.id, running.id]);
    assert_eq!(fixture.store().active_executions(TENANT, None, 1).await.unwrap().len(), 1);
}

async fn changes_since_a_position_lead_to_the_present(fixture: Fixture) {
    let mut first = fixture.create().await;
    let second = fixture.create().await;
    let start = fixture.store().changed_since(TENANT, 0, 100).await.unwrap();
    assert_eq!(start.executions.iter().map(|execution| execution.id).collect::<Vec<_>>(), vec![first.id, second.id]);
    assert_eq!((start.position, start.more), (2, false));
    first.start(&fixture).await.unwrap();
    fixture.store().append(first.progress()).await.unwrap();
    let third = fixture.create().await;
    let (mut position, mut seen) = (start.position, Vec::new());
    loop {
        let changes = fixture.store().changed_since(TENANT, position, 1).await.unwrap();
        position = changes.position;
        seen.extend(changes.executions.iter().map(|execution| (execution.id, execution.last_seq)));
        if !changes.more {
            break;
        }
    }
    // Only the latest state: what the first of two appends led to is past.
    assert_eq!(seen, vec![(first.id, 4), (third.id, 1)]);
    assert_eq!(position, fixture.store().position());
}

/// Whoever goes on from the position of one read sees what was committed during it with the next one.
async fn changes_that_are_read_while_others_write_leave_nothing_out(fixture: Fixture) {
    let mut runs = Vec::new();
    for _ in 0..6 {
        let mut run = fixture.create().await;
        run.start(&fixture).await.unwrap();
        runs.push(run);
    }
    let is_over = Cell::new(false);
    let write = async {
        for _ in 0..150 {
            join_all(runs.iter_mut().map(|run| fixture.store().append(run.progress()))).await;
        }
        is_over.set(true);
    };
    let (mut position, mut seen) = (0, BTreeMap::new());
    let read = async {
        let mut is_last = false;
        while !is_last {
            is_last = is_over.get();
            let changes = fixture.store().changed_since(TENANT, position, 10_000).await.unwrap();
            for execution in &changes.executions {
                assert!(execution.last_position <= changes.position, "{} is behind {}", execution.id, changes.position);
                seen.insert(execution.id, execution.last_seq);
            }
            position = changes.position;
        }
    };
    tokio::join!(write, read);
    for run in runs {
        let stored = fixture.store().execution(TENANT, run.id).await.unwrap();
        assert_eq!(seen.get(&run.id), Some(&stored.last_seq));
    }
    assert_eq!(position, fixture.store().position());
}

async fn priority_and_labels_can_be_changed(fixture: Fixture) {
    let run = fixture.create().await;
    let labels = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
    fixture.store().update_execution(TENANT, run.id, None, Some(labels.clone())).await.unwrap();
    let answer = fixture.store().update_execution(TENANT, run.id, Some(9), None).await.unwrap();
    let stored = fixture.store().execution(TENANT, run.id).await.unwrap();
    assert_eq!(answer, stored);
    assert_eq!((stored.creation.priority, &stored.creation.labels), (9, &labels));
    assert_eq!(stored.creation.input, json!({"question": "why"}));
    let red = Filter { labels: vec![("team".to_owned(), "red".to_owned())], ..Filter::default() };
    assert_eq!(found(&fixture, red.clone()).await, vec![run.id]);
    fixture.store().update_execution(TENANT, run.id, None, Some(BTreeMap::new())).await.unwrap();
    assert!(found(&fixture, red).await.is_empty());
    let unknown = fixture.store().update_execution(TENANT, ExecutionId(new_id()), Some(1), None).await;
    assert_eq!(unknown, Err(Error::NotFound));
}

async fn a_search_goes_on_where_it_has_ended(fixture: Fixture) {
    let team = || BTreeMap::from([("team".to_owned(), "red".to_owned())]);
    let mut needle = fixture.draft();
    needle.creation.input = json!({"text": "needle"});
    needle.creation.labels = team();
    let needle = fixture.create_from(needle).await.id;
    fixture.tick();
    let drafts = (0..5_200).map(|number| {
        let mut draft = fixture.draft();
        draft.at = draft.at.plus_micros(number);
        draft.creation.labels = team();
        draft.first().0
    });
    let stored = futures_util::future::join_all(drafts.map(|append| fixture.store().append(append))).await;
    assert!(stored.iter().all(Result::is_ok));

    let text = Filter { text: Some("NEEDLE".to_owned()), ..Filter::default() };
    let labels = vec![("team".to_owned(), "red".to_owned())];
    let labeled = Filter { labels: labels.clone(), ..text.clone() };
    for filter in [text.clone(), labeled] {
        let (mut seen, mut cursor, mut answers) = (Vec::new(), None, 0);
        loop {
            let request = PageRequest::Cursor { cursor, limit: 10 };
            let page = fixture.store().executions(TENANT, filter.clone(), request).await.unwrap();
            seen.extend(page.items.iter().map(|execution| execution.id));
            answers += 1;
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!((seen, answers), (vec![needle], 2), "{filter:?}");
        let request = PageRequest::Numbered { number: 1, size: 10 };
        let page = fixture.store().executions(TENANT, filter.clone(), request).await.unwrap();
        assert_eq!((page.items.len(), page.total, page.total_is_exact), (0, Some(0), false), "{filter:?}");
    }
    let (number, size) = (2, 100);
    let all_labeled = Filter { labels, ..Filter::default() };
    let page = fixture.store().executions(TENANT, all_labeled, PageRequest::Numbered { number, size }).await.unwrap();
    assert_eq!((page.items.len(), page.total, page.total_is_exact), (100, Some(1_000), false));
}
