//! Idempotency keys: one request, one effect, for 24 hours.

use super::fixture::{Draft, Fixture, TENANT, all};
use super::people;
use callboard::domain::secret::Sealed;
use callboard::domain::{Role, TenantId};
use callboard::store::{Begun, Error, Filter, Idempotency, Kept, KeptAnswer};
use futures_util::FutureExt;
use std::time::Duration;

super::on_both_databases!(
    of_many_concurrent_submissions_one_creates,
    another_request_under_the_key_is_told_apart,
    a_key_is_free_again_after_a_day,
    an_answer_is_kept_for_the_next_asking,
    a_sealed_answer_is_kept_with_the_write_it_is_about_or_not_at_all,
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn keyed(key: &str, request_digest: &str) -> Idempotency {
    Idempotency { key: key.to_owned(), request_digest: request_digest.to_owned() }
}

fn draft(fixture: &Fixture, idempotency: Idempotency) -> Draft {
    let mut draft = fixture.draft();
    draft.new.idempotency = Some(idempotency);
    draft
}

async fn of_many_concurrent_submissions_one_creates(fixture: Fixture) {
    let drafts: Vec<Draft> = (0..16).map(|_| draft(&fixture, keyed("k", "a"))).collect();
    let ids: Vec<_> = drafts.iter().map(|draft| draft.id).collect();
    let submissions = drafts.into_iter().map(|draft| fixture.store().append(draft.first().0));
    let answers = futures_util::future::join_all(submissions).await;
    let winners: Vec<_> = ids.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let refusal = Err(Error::IdempotencyKeyUsed { execution_id: *winners[0].0, same_request: true });
    assert!(answers.iter().filter(|answer| answer.is_err()).all(|answer| *answer == refusal), "{answers:?}");
    assert_eq!(fixture.store().executions(TENANT, Filter::default(), all()).await.unwrap().items.len(), 1);
    assert_eq!(fixture.store().position(), 1);
}

async fn another_request_under_the_key_is_told_apart(fixture: Fixture) {
    let run = fixture.create_from(draft(&fixture, keyed("k", "a"))).await;
    let other = fixture.store().append(draft(&fixture, keyed("k", "b")).first().0).await;
    assert_eq!(other, Err(Error::IdempotencyKeyUsed { execution_id: run.id, same_request: false }));
    let begun = fixture.store().begin_request(TENANT, keyed("k", "b")).await;
    assert_eq!(begun, Ok(Begun::Execution { execution_id: run.id, same_request: false }));
}

async fn a_key_is_free_again_after_a_day(fixture: Fixture) {
    fixture.create_from(draft(&fixture, keyed("k", "a"))).await;
    fixture.store().begin_request(TENANT, keyed("r", "a")).await.unwrap();
    fixture.clock.advance(DAY - Duration::from_secs(1));
    assert!(fixture.store().append(draft(&fixture, keyed("k", "a")).first().0).await.is_err());
    fixture.clock.advance(Duration::from_secs(1));
    fixture.create_from(draft(&fixture, keyed("k", "b"))).await;
    assert_eq!(fixture.store().known_request(TENANT, keyed("r", "a")).await, Ok(None));
    assert_eq!(fixture.store().forget_expired_requests(10).await, Ok(1));
}

async fn an_answer_is_kept_for_the_next_asking(fixture: Fixture) {
    let store = fixture.store();
    assert_eq!(store.begin_request(TENANT, keyed("k", "a")).await, Ok(Begun::New));
    assert_eq!(store.begin_request(TENANT, keyed("k", "a")).await, Ok(Begun::InProgress));
    assert_eq!(store.begin_request(TENANT, keyed("k", "b")).await, Ok(Begun::OtherRequest { body: None }));
    store.finish_request(TENANT, "k".to_owned(), 201, "{\"id\":1}".to_owned()).await.unwrap();
    let answered = Begun::Answered { status: 201, body: "{\"id\":1}".to_owned() };
    assert_eq!(store.begin_request(TENANT, keyed("k", "a")).await, Ok(answered.clone()));
    store.abandon_request(TENANT, "k".to_owned()).await.unwrap();
    assert_eq!(store.known_request(TENANT, keyed("k", "a")).await, Ok(Some(answered)), "an answer is not given back");

    assert_eq!(store.begin_request(TENANT, keyed("l", "a")).await, Ok(Begun::New));
    store.abandon_request(TENANT, "l".to_owned()).await.unwrap();
    assert_eq!(store.begin_request(TENANT, keyed("l", "b")).await, Ok(Begun::New));
    // An execution cannot take a key that another kind of request holds.
    let mut taken = fixture.draft();
    taken.new.idempotency = Some(keyed("l", "b"));
    assert!(matches!(store.append(taken.first().0).await, Err(Error::Conflict { .. })));
}

async fn a_sealed_answer_is_kept_with_the_write_it_is_about_or_not_at_all(fixture: Fixture) {
    let store = fixture.store();
    let sealed = |text: &str| Sealed { key_id: "a".to_owned(), nonce: "n".to_owned(), ciphertext: text.to_owned() };
    let answer = |key: &str, text: &str| KeptAnswer {
        tenant_id: TENANT,
        key: key.to_owned(),
        status: 201,
        made_id: None,
        sealed: sealed(text),
    };
    let kept = async |key: &str| store.kept_answer(TENANT, key.to_owned()).await.unwrap();
    let known = |key: &str, text: &str| Some(Kept::Answer(Box::new(answer(key, text))));
    let user = |name: &str| people::user(&fixture, TENANT, name, Role::Member);
    let note = || people::entry(&fixture, TENANT, "user_created");
    assert_eq!(kept("k").await, None);
    store.keeping(Some(answer("k", "ada"))).create_user(user("ada"), note()).await.unwrap();
    assert_eq!(kept("k").await, known("k", "ada"));
    assert_eq!(store.kept_answer(TenantId(callboard::clock::new_id()), "k".to_owned()).await, Ok(None));
    // What is not written is not answered.
    let taken = store.keeping(Some(answer("l", "ada"))).create_user(user("ada"), note()).await;
    assert!(matches!(taken, Err(Error::Conflict { .. })));
    assert_eq!(kept("l").await, None);
    // And nothing is written under a key that is taken, by whatever.
    fixture.create_from(draft(&fixture, keyed("m", "a"))).await;
    for key in ["k", "m"] {
        let refused = store.keeping(Some(answer(key, "bob"))).create_user(user("bob"), note()).await;
        assert!(matches!(refused, Err(Error::Conflict { .. })));
    }
    assert!(matches!(kept("m").await, Some(Kept::Other { execution_id: Some(_) })));
    assert_eq!(store.begin_request(TENANT, keyed("k", "a")).await, Ok(Begun::OtherRequest { body: None }));
    // Whoever asked hangs up while the write is in the queue: the next asking comes after it.
    let _ = store.keeping(Some(answer("n", "bob"))).create_user(user("bob"), note()).now_or_never();
    assert_eq!(kept("n").await, known("n", "bob"));

    store.reseal_answer(answer("k", "another"), sealed("stale")).await.unwrap();
    store.reseal_answer(answer("n", "bob"), sealed("fresh")).await.unwrap();
    assert_eq!((kept("k").await, kept("n").await), (known("k", "ada"), known("n", "fresh")));
    fixture.clock.advance(DAY);
    assert_eq!(kept("k").await, None);
    store.keeping(Some(answer("k", "eve"))).create_user(user("eve"), note()).await.unwrap();
    assert_eq!(kept("k").await, known("k", "eve"));
    // What another kind of request takes over keeps nothing of it.
    assert_eq!(store.begin_request(TENANT, keyed("n", "a")).await, Ok(Begun::New));
    assert_eq!(kept("n").await, Some(Kept::Other { execution_id: None }));
}
