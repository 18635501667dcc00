//! Appending: what is stored, what is refused, in which order everything becomes visible.

use super::fixture::{Fixture, Run, TENANT, event};
use callboard::clock::new_id;
use callboard::domain::quota::Bound;
use callboard::domain::{AgentId, EventBody, Execution, ExecutionId, Prices, Progress, Status, Usage, UsageOutcome};
use callboard::store::{Append, CommittedAppend, Error, UsageTotals};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

super::on_both_databases!(
    a_row_is_the_projection_of_its_journal,
    a_zombie_is_refused_and_the_others_of_its_batch_are_not,
    a_terminal_status_never_changes,
    an_append_continues_the_sequence_exactly,
    an_execution_is_created_once,
    positions_have_no_gap_and_the_listener_hears_them_in_order,
    large_values_are_stored_once_and_come_back_whole,
    children_are_created_with_their_parent_or_not_at_all,
    usage_is_derived_from_events,
    strange_text_survives,
);

async fn a_row_is_the_projection_of_its_journal(fixture: Fixture) {
    let mut run = fixture.create().await;
    fixture.tick();
    run.at = fixture.now();
    run.start(&fixture).await.unwrap();
    fixture.store().append(run.progress()).await.unwrap();
    run.projection.restarts = 2;
    run.projection.last_crash = Some("panicked".to_owned());
    run.projection.recovered_in_ms = Some(17);
    run.projection.pause_reason = Some("too much".to_owned());
    run.projection.pause_limit = Some(Bound::MaxTokens);
    run.projection.status = Status::Waiting;
    run.projection.wake_at = Some(run.at.plus_millis(90_000));
    let waiting = run.next(vec![EventBody::ExecutionWaiting {}]);
    let committed = fixture.store().append(waiting).await.unwrap();

    let stored = fixture.store().execution(TENANT, run.id).await.unwrap();
    let expected = Execution {
        id: run.id,
        tenant_id: TENANT,
        creation: Arc::new(super::fixture::creation(json!({"question": "why"}))),
        status: Status::Waiting,
        output: None,
        error: None,
        progress: Progress { completed_tasks: 1, known_tasks: 9 },
        attempt: 1,
        restarts: 2,
        last_crash: Some("panicked".to_owned()),
        recovered_in_ms: Some(17),
        pause_reason: Some("too much".to_owned()),
        pause_limit: Some(Bound::MaxTokens),
        continued_by: None,
        last_seq: 5,
        last_position: committed.last_position,
        wake_at: Some(run.at.plus_millis(90_000)),
        created_at: stored.created_at,
        started_at: Some(run.at),
        finished_at: None,
        updated_at: run.at,
    };
    assert_eq!(stored, expected);

    run.projection.wake_at = None;
    run.finish(&fixture, Status::Succeeded).await.unwrap();
    let stored = fixture.store().execution(TENANT, run.id).await.unwrap();
    assert_eq!((stored.status, stored.output, stored.wake_at), (Status::Succeeded, Some(json!({"answer": 42})), None));

    let history = fixture.store().history(TENANT, run.id, 0, 100, Vec::new()).await.unwrap();
    assert_eq!(history.iter().map(|event| event.seq).collect::<Vec<_>>(), vec![1, 2, 3, 4, 5, 6]);
    assert!(history.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(history[5].position, stored.last_position);
    let shape: Value = serde_json::from_str(&history[3].json).unwrap();
    assert_eq!(
        (&shape["seq"], &shape["type"], &shape["data"]["output"]["n"]),
        (&json!(4), &json!("task_completed"), &json!(2))
    );
    let some = fixture.store().history(TENANT, run.id, 2, 1, vec!["task_completed".to_owned()]).await.unwrap();
    assert_eq!(some.iter().map(|event| event.seq).collect::<Vec<_>>(), vec![4]);
}

async fn a_zombie_is_refused_and_the_others_of_its_batch_are_not(fixture: Fixture) {
    let mut runs = Vec::new();
    for _ in 0..20 {
        let mut run = fixture.create().await;
        run.start(&fixture).await.unwrap();
        runs.push(run);
    }
    let mut zombie = runs[7].clone();
    let claimed = fixture.store().claim(TENANT, runs[7].id).await.unwrap();
    assert_eq!(claimed.execution.attempt, 2);
    runs[7].epoch = 2;

    let mut appends: Vec<Append> = runs.iter_mut().map(Run::progress).collect();
    appends.insert(10, zombie.progress());
    let ids: Vec<(ExecutionId, usize)> = appends.iter().map(Append::execution_id).zip(0..).collect();
    let answers =
        futures_util::future::join_all(appends.into_iter().map(|append| fixture.store().append(append))).await;
    for ((_, index), answer) in ids.iter().zip(&answers) {
        match index {
            10 => assert!(matches!(answer, Err(Error::StaleEpoch { given: 1, current: 2 })), "{answer:?}"),
            _ => assert!(answer.is_ok(), "{index}: {answer:?}"),
        }
    }
    for run in &runs {
        assert_eq!(fixture.store().execution(TENANT, run.id).await.unwrap().last_seq, 4);
    }
}

async fn a_terminal_status_never_changes(fixture: Fixture) {
    for status in [Status::Succeeded, Status::Failed, Status::Cancelled] {
        let mut run = fixture.finished(fixture.draft(), status).await;
        let before = fixture.store().execution(TENANT, run.id).await.unwrap();
        run.projection.status = Status::Running;
        assert_eq!(fixture.store().append(run.progress()).await, Err(Error::Terminal { status }));
        assert_eq!(fixture.store().claim(TENANT, run.id).await.unwrap_err(), Error::Terminal { status });
        assert_eq!(fixture.store().execution(TENANT, run.id).await.unwrap(), before);
        let history = fixture.store().history(TENANT, run.id, 0, 100, Vec::new()).await.unwrap();
        assert_eq!(history.len(), 3);
    }
}

async fn an_append_continues_the_sequence_exactly(fixture: Fixture) {
    let mut run = fixture.create().await;
    run.start(&fixture).await.unwrap();
    let again = run.clone().progress();
    fixture.store().append(run.progress()).await.unwrap();
    assert_eq!(fixture.store().append(again).await, Err(Error::OutOfSequence { given: 3, last_seq: 4 }));
    run.seq += 1;
    assert_eq!(fixture.store().append(run.progress()).await, Err(Error::OutOfSequence { given: 6, last_seq: 4 }));
    let mut unknown = run.clone();
    unknown.id = ExecutionId(new_id());
    assert_eq!(fixture.store().append(unknown.progress()).await, Err(Error::NotFound));
    let events = [event(3, run.at, EventBody::ExecutionWaiting {}), event(5, run.at, EventBody::ExecutionWaiting {})];
    let gap = Append::new(TENANT, run.id, 1, run.subject.clone(), Status::Pending, &events, run.projection.clone());
    assert!(matches!(gap, Err(Error::Conflict { .. })), "{gap:?}");
    assert_eq!(fixture.store().writer_stats().refused, 3);
}

async fn an_execution_is_created_once(fixture: Fixture) {
    let draft = fixture.draft();
    let id = draft.id;
    let (first, _) = draft.first();
    fixture.store().append(first).await.unwrap();
    let mut again = fixture.draft();
    again.id = id;
    assert_eq!(fixture.store().append(again.first().0).await, Err(Error::AlreadyExists { id }));
    assert_eq!(fixture.store().history(TENANT, id, 0, 100, Vec::new()).await.unwrap().len(), 1);
}

async fn positions_have_no_gap_and_the_listener_hears_them_in_order(fixture: Fixture) {
    let heard: Arc<Mutex<Vec<CommittedAppend>>> = Arc::default();
    let ear = Arc::clone(&heard);
    fixture.store().on_commit(Box::new(move |batch| ear.lock().unwrap().extend(batch)));
    let runs = (0..64).map(|_| async {
        let mut run = fixture.create().await;
        let mut places = Vec::new();
        places.push(run.start(&fixture).await.unwrap());
        for _ in 0..5 {
            let append = run.progress();
            places.push(fixture.store().append(append).await.unwrap());
        }
        // Refused ones leave no gap.
        let mut zombie = run.clone();
        zombie.epoch = 9;
        assert!(fixture.store().append(zombie.progress()).await.is_err());
        places.push(run.finish(&fixture, Status::Succeeded).await.unwrap());
        assert!(places.windows(2).all(|pair| pair[0].last_position < pair[1].first_position));
        run
    });
    let runs = futures_util::future::join_all(runs).await;
    fixture.store().check().await.unwrap();

    let heard = heard.lock().unwrap().clone();
    let mut next = 1;
    for one in heard.iter() {
        assert_eq!(one.first_position, next);
        next += u64::try_from(one.events.len()).unwrap();
        assert_eq!(one.last_position, next - 1);
    }
    assert_eq!(next, 64 * 13 + 1);
    assert_eq!(fixture.store().position(), 64 * 13);
    assert_eq!(heard.iter().filter(|one| one.created).count(), 64);
    for run in &runs {
        let told: Vec<(u64, String)> = heard
            .iter()
            .filter(|one| one.execution_id == run.id)
            .flat_map(|one| one.events.iter().zip(one.first_position..))
            .map(|(event, position)| (position, event.json.to_string()))
            .collect();
        let stored = fixture.store().history(TENANT, run.id, 0, 100, Vec::new()).await.unwrap();
        assert_eq!(told, stored.into_iter().map(|event| (event.position, event.json)).collect::<Vec<_>>());
    }
}

async fn large_values_are_stored_once_and_come_back_whole(fixture: Fixture) {
    let large = json!({"text": "ü".repeat(60_000)});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let mut draft = fixture.draft();
        draft.creation.input = large.clone();
        let mut run = fixture.create_from(draft).await;
        run.start(&fixture).await.unwrap();
        run.projection.output = Some(large.clone());
        run.projection.status = Status::Succeeded;
        run.projection.finished_at = Some(run.at);
        let append = run.next(vec![EventBody::ExecutionCompleted { output: large.clone() }]);
        fixture.store().append(append).await.unwrap();
        ids.push(run.id);
    }
    for id in &ids {
        let stored = fixture.store().execution(TENANT, *id).await.unwrap();
        assert_eq!(stored.creation.input, large);
        assert_eq!(stored.output.as_ref(), Some(&large));
        let claimed = fixture.store().load(TENANT, *id).await.unwrap();
        assert!(matches!(&claimed.tail[2].body, EventBody::ExecutionCompleted { output } if *output == large));
    }
    // Input and output are the same text; the two journal rows with a creation or completion differ by their times only.
    let references: HashSet<String> =
        super::rows::texts(&fixture, "SELECT input AS text FROM executions").into_iter().collect();
    assert_eq!(references.len(), 1);
    assert!(references.iter().all(|reference| reference.starts_with("sha256:")));
}

async fn children_are_created_with_their_parent_or_not_at_all(fixture: Fixture) {
    let mut parent = fixture.create().await;
    parent.start(&fixture).await.unwrap();
    let (child, child_run) = fixture.draft().first();
    let before = fixture.store().position();
    let committed = fixture.store().append(parent.progress().with_children(vec![child])).await.unwrap();
    assert_eq!((committed.first_position, committed.last_position), (before + 1, before + 2));
    assert_eq!(fixture.store().execution(TENANT, child_run.id).await.unwrap().last_position, before + 3);

    let mut again = fixture.draft();
    again.id = child_run.id;
    let (new_child, new_run) = fixture.draft().first();
    let refused = parent.clone().progress().with_children(vec![new_child, again.first().0]);
    let answer = fixture.store().append(refused).await;
    assert_eq!(answer, Err(Error::AlreadyExists { id: child_run.id }));
    assert_eq!(fixture.store().execution(TENANT, new_run.id).await, Err(Error::NotFound));
    assert_eq!(fixture.store().execution(TENANT, parent.id).await.unwrap().last_seq, 4);
    assert_eq!(fixture.store().position(), before + 3);
}

async fn usage_is_derived_from_events(fixture: Fixture) {
    let mut run = fixture.create().await;
    run.start(&fixture).await.unwrap();
    let usage = |cost_usd| Usage {
        agent_id: Some(AgentId(new_id())),
        provider: "openai".to_owned(),
        model: "small".to_owned(),
        input_tokens: 100,
        cached_input_tokens: 20,
        output_tokens: 7,
        reasoning_tokens: 3,
        cost_usd,
        prices: Some(Prices { input: 1.0, cached_input: 0.1, output: 8.0, reasoning: 8.0 }),
        latency_ms: 250,
        outcome: UsageOutcome::Used,
        is_estimated: false,
    };
    let (priced, free) = (usage(Some(0.25)), usage(None));
    let bodies = vec![EventBody::UsageRecorded(Box::new(priced.clone())), EventBody::UsageRecorded(Box::new(free))];
    fixture.store().append(run.next(bodies)).await.unwrap();
    let lines = fixture.store().usage(TENANT, run.id).await.unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].seq, &lines[0].usage), (3, &priced));
    let totals = UsageTotals::of(&lines);
    assert_eq!((totals.calls, totals.input_tokens, totals.cost_usd), (2, 200, Some(0.25)));
}

async fn strange_text_survives(fixture: Fixture) {
    let strange = json!({"nul": "\u{0}", "quote": "'\"\\", "emoji": "🎛", "question": "? ?? $1", "like": "%_"});
    let mut draft = fixture.draft();
    draft.creation.input = strange.clone();
    draft.creation.created_by = Some("O'Brien ? $1".to_owned());
    let run = fixture.create_from(draft).await;
    let stored = fixture.store().execution(TENANT, run.id).await.unwrap();
    assert_eq!(stored.creation.input, strange);
    assert_eq!(stored.creation.created_by.as_deref(), Some("O'Brien ? $1"));
}
