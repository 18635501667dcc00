//! Secrets as rows: one per name and tenant, and never moved by a rotation that comes too late.

use super::fixture::{Fixture, TENANT, all};
use super::people;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use callboard::domain::secret::{Sealed, Unavailable};
use callboard::domain::{Secret, TenantId};
use callboard::store::{Error, PageRequest};
use callboard::vault::{Keys, Vault};
use futures_util::FutureExt;
use std::sync::Arc;
use uuid::Uuid;

super::on_both_databases!(
    a_secret_lives_in_its_tenant,
    keys_are_rotated_across_tenants_without_losing_a_change,
    what_was_opened_of_a_secret_ends_with_its_change_though_nobody_waits,
);

fn sealed(key_id: &str, text: &str) -> Sealed {
    Sealed { key_id: key_id.to_owned(), nonce: format!("nonce-{text}"), ciphertext: format!("sealed-{text}") }
}

fn secret(fixture: &Fixture, tenant_id: TenantId, name: &str, sealed: Sealed) -> Secret {
    let (created_at, updated_at) = (fixture.now(), fixture.now());
    Secret { tenant_id, name: name.to_owned(), created_by: Some("ada".to_owned()), created_at, updated_at, sealed }
}

async fn a_secret_lives_in_its_tenant(mut fixture: Fixture) {
    let other = TenantId(Uuid::from_u128(9));
    let first = secret(&fixture, TENANT, "db", sealed("k1", "a"));
    let theirs = secret(&fixture, other, "db", sealed("k1", "b"));
    let store = fixture.store();
    assert_eq!(store.put_secret(first.clone()).await, Ok((first.clone(), true)));
    assert_eq!(store.put_secret(theirs.clone()).await, Ok((theirs.clone(), true)));
    fixture.tick();
    let second = Secret { created_by: Some("bob".to_owned()), ..secret(&fixture, TENANT, "db", sealed("k2", "c")) };
    let expected = Secret { created_by: first.created_by.clone(), created_at: first.created_at, ..second.clone() };
    assert_eq!(store.put_secret(second).await, Ok((expected.clone(), false)));
    let api = secret(&fixture, TENANT, "api", sealed("k2", "d"));
    store.put_secret(api.clone()).await.unwrap();
    fixture.reopen().await;

    let store = fixture.store();
    assert_eq!(store.secret(TENANT, "db".to_owned()).await.as_ref(), Ok(&expected));
    assert_eq!(store.secret(other, "db".to_owned()).await.as_ref(), Ok(&theirs));
    assert_eq!(store.secret(other, "api".to_owned()).await, Err(Error::NotFound));
    let names = ["api", "db", "none"].map(str::to_owned).to_vec();
    let mut found = store.secrets_named(TENANT, names).await.unwrap();
    found.sort_by(|one, two| one.name.cmp(&two.name));
    assert_eq!(found, [api.clone(), expected.clone()]);

    assert_eq!(store.secrets(TENANT, all()).await.unwrap().items, [api.clone(), expected.clone()]);
    let page = store.secrets(TENANT, PageRequest::Numbered { number: 2, size: 1 }).await.unwrap();
    assert_eq!((page.items, page.total), (vec![expected.clone()], Some(2)));
    let page = store.secrets(TENANT, PageRequest::Cursor { cursor: None, limit: 1 }).await.unwrap();
    let next = PageRequest::Cursor { cursor: page.next_cursor, limit: 1 };
    assert_eq!(store.secrets(TENANT, next).await.unwrap().items, [expected]);

    assert_eq!(store.delete_secret(other, "api".to_owned()).await, Err(Error::NotFound));
    assert_eq!(store.delete_secret(TENANT, "db".to_owned()).await, Ok(()));
    assert_eq!(store.delete_secret(TENANT, "db".to_owned()).await, Err(Error::NotFound));
    assert_eq!(store.secret(other, "db".to_owned()).await, Ok(theirs));
}

async fn keys_are_rotated_across_tenants_without_losing_a_change(fixture: Fixture) {
    let store = fixture.store();
    let tenants = [TENANT, TenantId(Uuid::from_u128(9))];
    for tenant in tenants {
        for (name, key) in [("a", "old"), ("b", "new"), ("c", "old"), ("d", "older")] {
            store.put_secret(secret(&fixture, tenant, name, sealed(key, name))).await.unwrap();
        }
    }
    let counts = [("new", 2), ("old", 4), ("older", 2)].map(|(key, count)| (key.to_owned(), count));
    assert_eq!(store.secret_keys().await, Ok(counts.to_vec()));
    let mut seen = Vec::new();
    loop {
        let after = seen.last().map(|last: &Secret| (last.tenant_id, last.name.clone()));
        let found = store.secrets_under_other_keys("new".to_owned(), after, 2).await.unwrap();
        if found.is_empty() {
            break;
        }
        assert!(found.len() <= 2);
        seen.extend(found);
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|secret| secret.sealed.key_id != "new"));

    let stale = seen.iter().find(|secret| secret.tenant_id == TENANT && secret.name == "a").unwrap().clone();
    store.put_secret(secret(&fixture, TENANT, "a", sealed("new", "changed"))).await.unwrap();
    assert_eq!(store.reseal_secret(stale, sealed("new", "too late")).await, Ok(false));
    let fresh = seen.iter().find(|secret| secret.tenant_id == TENANT && secret.name == "c").unwrap().clone();
    fixture.tick();
    assert_eq!(store.reseal_secret(fresh.clone(), sealed("new", "again")).await, Ok(true));
    let stored = store.secret(TENANT, "c".to_owned()).await.unwrap();
    assert_eq!(stored, Secret { sealed: sealed("new", "again"), ..fresh.clone() }, "its times stay");
    assert_eq!(store.secret(TENANT, "a".to_owned()).await.unwrap().sealed, sealed("new", "changed"));
    store.delete_secret(TENANT, "c".to_owned()).await.unwrap();
    assert_eq!(store.reseal_secret(stored, sealed("new", "gone")).await, Ok(false));
}

async fn what_was_opened_of_a_secret_ends_with_its_change_though_nobody_waits(fixture: Fixture) {
    let store = fixture.store();
    let keys = Keys::parse(&format!("a={}", STANDARD.encode([7; 32]))).unwrap();
    let vault = Vault::new(store.clone(), Arc::new(fixture.clock.clone()), keys, Vec::new());
    let note = || people::entry(&fixture, TENANT, "secret_stored");
    vault.put(TENANT, "db".to_owned(), "first-value".into(), None, note()).await.unwrap();
    let names: [Arc<str>; 1] = ["db".into()];
    let held = vault.open(TENANT, &names).await.unwrap();
    assert_eq!(held.get("db").unwrap(), "first-value");
    // Whoever removes it hangs up while the write is in the queue. The next write comes after it.
    let _ = vault.delete(TENANT, "db".to_owned(), note()).now_or_never();
    store.record_audit(vec![note()]).await.unwrap();
    assert_eq!(vault.open(TENANT, &names).await.unwrap().get("db"), Err(Unavailable::Missing));
}
