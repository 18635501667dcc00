//! People, keys, sign-ins and the audit: what the store promises about them, the same on both databases.

use super::fixture::{Fixture, TENANT, all};
use callboard::clock::new_id;
use callboard::domain::{
    ApiKey, ApiKeyId, AuditEntry, AuditId, Creator, Role, Scopes, SessionId, Tenant, TenantId, TenantLimits, User,
    UserId,
};
use callboard::identity::{self, Identity, Writer};
use callboard::store::{AuditFilter, Error, OneTimePurpose, OneTimeToken, Rotation, Session, Store};
use futures_util::FutureExt;
use std::sync::Arc;
use std::time::Duration;

super::on_both_databases!(
    an_address_is_taken_once_in_a_tenant,
    the_last_active_operator_stays,
    the_last_active_operator_keeps_a_tenant_open,
    a_slow_change_brings_nothing_back,
    a_password_of_before_opens_no_session,
    whoever_goes_takes_keys_and_sessions_along,
    a_refresh_token_is_good_once_and_a_little_longer,
    a_link_is_good_once_and_not_forever,
    a_ticket_ends_after_half_a_minute,
    what_has_become_of_a_creator,
    a_change_is_counted_though_nobody_waits_for_it,
    the_audit_has_an_entry_for_what_was_written_and_for_nothing_else,
);

/// An entry of the audit by nobody in particular.
pub fn entry(fixture: &Fixture, tenant_id: TenantId, action: &str) -> AuditEntry {
    AuditEntry {
        id: AuditId(new_id()),
        tenant_id,
        actor_kind: None,
        actor_id: None,
        actor_name: "tests".to_owned(),
        action: action.to_owned(),
        target_kind: "thing".to_owned(),
        target_id: "1".to_owned(),
        request_id: None,
        address: None,
        before_digest: None,
        after_digest: None,
        at: fixture.now(),
        provider: None,
    }
}

/// A token for another password, good for so long.
pub fn reset_token(fixture: &Fixture, hash: String, life_ms: i64) -> OneTimeToken {
    let created_at = fixture.now();
    let expires_at = created_at.plus_millis(life_ms);
    OneTimeToken { purpose: OneTimePurpose::PasswordReset, hash, created_at, expires_at }
}

pub fn user(fixture: &Fixture, tenant_id: TenantId, name: &str, role: Role) -> User {
    User {
        id: UserId(new_id()),
        tenant_id,
        email: format!("{name}@example.org"),
        display_name: name.to_owned(),
        password_hash: None,
        role,
        is_active: true,
        locale: None,
        last_sign_in_at: None,
        created_at: fixture.now(),
        updated_at: fixture.now(),
    }
}

pub fn key(fixture: &Fixture, tenant_id: TenantId, user_id: Option<UserId>) -> ApiKey {
    let id = new_id();
    ApiKey {
        id: ApiKeyId(id),
        tenant_id,
        user_id,
        name: "build".to_owned(),
        prefix: id.simple().to_string(),
        secret_hash: "0".repeat(64),
        role: Role::Member,
        scopes: Scopes::default(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
        created_by: None,
        created_at: fixture.now(),
        updated_at: fixture.now(),
    }
}

pub fn session(fixture: &Fixture, user: &User) -> Session {
    Session {
        id: SessionId(new_id()),
        tenant_id: user.tenant_id,
        user_id: user.id,
        created_at: fixture.now(),
        expires_at: fixture.now().plus_millis(3_600_000),
        revoked_at: None,
    }
}

/// A further tenant.
pub async fn tenant(fixture: &Fixture, store: &Store, id: TenantId, slug: &str) -> Tenant {
    let (slug, name, at) = (slug.to_owned(), slug.to_owned(), fixture.now());
    let limits = TenantLimits::default();
    let tenant = Tenant { id, slug, name, is_active: true, limits, created_at: at, updated_at: at };
    store.create_tenant(tenant, entry(fixture, TENANT, "tenant_created")).await.unwrap()
}

async fn add(fixture: &Fixture, user: User) -> User {
    let note = entry(fixture, user.tenant_id, "user_created");
    fixture.store().create_user(user, note).await.unwrap()
}

async fn an_address_is_taken_once_in_a_tenant(fixture: Fixture) {
    let (store, blue) = (fixture.store(), TenantId(new_id()));
    tenant(&fixture, store, blue, "blue").await;
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let twin = store.create_user(user(&fixture, TENANT, "ada", Role::Member), entry(&fixture, TENANT, "twin")).await;
    assert!(matches!(twin, Err(Error::Conflict { .. })), "{twin:?}");
    let elsewhere = add(&fixture, user(&fixture, blue, "ada", Role::Admin)).await;
    assert_eq!(store.users_by_email(None, ada.email.clone()).await.unwrap().len(), 2);
    assert_eq!(store.users_by_email(Some(blue), ada.email.clone()).await.unwrap(), std::slice::from_ref(&elsewhere));
    assert_eq!(store.user(TENANT, elsewhere.id).await, Err(Error::NotFound), "the wall between tenants");
    let bob = add(&fixture, user(&fixture, TENANT, "bob", Role::Member)).await;
    let taken = User { email: ada.email.clone(), ..bob.clone() };
    assert!(matches!(store.update_user(bob, taken, entry(&fixture, TENANT, "x")).await, Err(Error::Conflict { .. })));
    let nowhere = user(&fixture, TenantId(new_id()), "eve", Role::Member);
    assert_eq!(store.create_user(nowhere, entry(&fixture, TENANT, "x")).await, Err(Error::NotFound));
}

async fn the_last_active_operator_stays(fixture: Fixture) {
    let store = fixture.store();
    let first = add(&fixture, user(&fixture, TENANT, "first", Role::Operator)).await;
    let note = || entry(&fixture, TENANT, "change");
    for last in [User { is_active: false, ..first.clone() }, User { role: Role::Admin, ..first.clone() }] {
        assert!(matches!(store.update_user(first.clone(), last, note()).await, Err(Error::Obstacle { .. })));
    }
    assert!(matches!(store.delete_user(TENANT, first.id, note()).await, Err(Error::Obstacle { .. })));
    assert_eq!(store.user(TENANT, first.id).await.as_ref(), Ok(&first));
    add(&fixture, user(&fixture, TENANT, "second", Role::Operator)).await;
    store.delete_user(TENANT, first.id, note()).await.unwrap();
}

async fn the_last_active_operator_keeps_a_tenant_open(fixture: Fixture) {
    let (store, blue) = (fixture.store(), TenantId(new_id()));
    let home = tenant(&fixture, store, blue, "blue").await;
    let closed = || (home.clone(), Tenant { is_active: false, ..home.clone() }, entry(&fixture, TENANT, "change"));
    let last = add(&fixture, user(&fixture, blue, "ada", Role::Operator)).await;
    let (known, wanted, note) = closed();
    assert!(matches!(store.update_tenant(known, wanted, note).await, Err(Error::Obstacle { .. })));
    add(&fixture, user(&fixture, TENANT, "bob", Role::Operator)).await;
    let (known, wanted, note) = closed();
    store.update_tenant(known, wanted, note).await.unwrap();
    let note = entry(&fixture, blue, "change");
    assert_eq!(store.delete_user(blue, last.id, note).await, Ok(()), "whoever cannot come in is not the last");
}

/// Somebody is read, somebody else changes them, and then what was to become of the one who was read is written.
async fn a_slow_change_brings_nothing_back(fixture: Fixture) {
    let store = fixture.store();
    let note = || entry(&fixture, TENANT, "change");
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Admin)).await;
    let read = ada.clone();
    store.update_user(ada.clone(), User { is_active: false, role: Role::Viewer, ..ada.clone() }, note()).await.unwrap();
    let renamed = User { display_name: "Lady Ada".to_owned(), ..read.clone() };
    let after = store.update_user(read.clone(), renamed, note()).await.unwrap();
    assert_eq!((after.is_active, after.role, after.display_name.as_str()), (false, Role::Viewer, "Lady Ada"));
    assert_eq!(store.user(TENANT, ada.id).await.unwrap(), after);
    // Two passwords at the same time: the second does not take the place of one that it never saw.
    let with = |password: &str| User { password_hash: Some(password.to_owned()), ..after.clone() };
    store.update_user(after.clone(), with("rescued"), note()).await.unwrap();
    assert!(matches!(store.update_user(after.clone(), with("stolen"), note()).await, Err(Error::Obstacle { .. })));
    assert_eq!(store.user(TENANT, ada.id).await.unwrap().password_hash.as_deref(), Some("rescued"));
    let home = store.tenant(TENANT).await.unwrap();
    let limits = TenantLimits { max_running_executions: Some(1), ..home.limits };
    store.update_tenant(home.clone(), Tenant { limits, ..home.clone() }, note()).await.unwrap();
    let renamed = Tenant { name: "Home".to_owned(), ..home.clone() };
    assert_eq!(store.update_tenant(home, renamed, note()).await.unwrap().limits, limits);
}

async fn a_password_of_before_opens_no_session(fixture: Fixture) {
    let store = fixture.store();
    let note = || entry(&fixture, TENANT, "change");
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    // Checked while it was right, and written when it is not any more.
    store
        .update_user(ada.clone(), User { password_hash: Some("new".to_owned()), ..ada.clone() }, note())
        .await
        .unwrap();
    let late = store.open_session(ada.clone(), session(&fixture, &ada), "digest".to_owned(), note()).await;
    assert_eq!(late, Err(Error::NotFound));
    assert!(matches!(store.session_of_refresh_token("digest".to_owned()).await, Err(Error::NotFound)));
}

async fn whoever_goes_takes_keys_and_sessions_along(fixture: Fixture) {
    let store = fixture.store();
    let note = || entry(&fixture, TENANT, "change");
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let own = store.create_api_key(key(&fixture, TENANT, Some(ada.id)), note()).await.unwrap();
    let shared = store.create_api_key(key(&fixture, TENANT, None), note()).await.unwrap();
    let opened = session(&fixture, &ada);
    store.open_session(ada.clone(), opened, "digest".to_owned(), note()).await.unwrap();
    store.update_user(ada.clone(), User { is_active: false, ..ada.clone() }, note()).await.unwrap();
    assert!(store.session(opened.id).await.unwrap().revoked_at.is_some(), "inactive people are signed out");
    store.delete_user(TENANT, ada.id, note()).await.unwrap();
    assert_eq!(store.session(opened.id).await, Err(Error::NotFound));
    assert_eq!(store.api_key_by_prefix(own.prefix).await, Err(Error::NotFound));
    assert_eq!(store.api_key_by_prefix(shared.prefix.clone()).await, Ok(shared));
}

async fn a_refresh_token_is_good_once_and_a_little_longer(fixture: Fixture) {
    let store = fixture.store();
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let opened = session(&fixture, &ada);
    store.open_session(ada.clone(), opened, "one".to_owned(), entry(&fixture, TENANT, "signed_in")).await.unwrap();
    let rotate = async |old: &str, new: &str| {
        let reused = entry(&fixture, TENANT, "reused");
        let (old, new) = (old.to_owned(), new.to_owned());
        store.rotate_refresh_token(old, new, fixture.now(), 10_000_000, move |_| reused).await.unwrap()
    };
    assert!(matches!(rotate("one", "two").await, Rotation::Rotated(_)));
    fixture.clock.advance(Duration::from_secs(9));
    assert!(matches!(rotate("one", "twin").await, Rotation::Rotated(_)), "another window of the same browser");
    assert!(matches!(rotate("unknown", "x").await, Rotation::Invalid));
    let generation = store.people_generation();
    fixture.clock.advance(Duration::from_secs(2));
    assert!(matches!(rotate("one", "three").await, Rotation::Reused(_)));
    assert!(store.people_generation() > generation);
    for descendant in ["two", "twin"] {
        assert!(!matches!(rotate(descendant, "x").await, Rotation::Rotated(_)), "{descendant}");
    }
    let audit = AuditFilter { action: Some("reused".to_owned()), ..AuditFilter::default() };
    assert!(!store.audit_entries(TENANT, audit, all()).await.unwrap().items.is_empty());
}

async fn a_link_is_good_once_and_not_forever(fixture: Fixture) {
    let store = fixture.store();
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let put = async |hash: &str| {
        store.put_one_time_token(&ada, reset_token(&fixture, hash.to_owned(), 1_000)).await.unwrap();
    };
    let owner = async |hash: &str| store.user_of_one_time_token(hash.to_owned(), fixture.now()).await;
    put("first").await;
    put("second").await;
    assert_eq!(owner("first").await, Err(Error::NotFound), "a later one takes its place");
    assert_eq!(owner("second").await.as_ref(), Ok(&ada));
    let redeem = async |hash: &str| {
        let user = User { password_hash: Some("phc".to_owned()), ..ada.clone() };
        let note = entry(&fixture, TENANT, "password_set");
        let changed = (ada.clone(), user);
        store.redeem_one_time_token(hash.to_owned(), changed, session(&fixture, &ada), new_id().to_string(), note).await
    };
    redeem("second").await.unwrap();
    assert_eq!(redeem("second").await, Err(Error::NotFound));
    put("third").await;
    fixture.clock.advance(Duration::from_secs(1));
    assert_eq!(owner("third").await, Err(Error::NotFound));
    assert_eq!(redeem("third").await, Err(Error::NotFound));
}

fn identity(fixture: &Fixture) -> Identity {
    let options = identity::Options {
        signing_keys: vec!["a signing key of at least 32 characters".to_owned()],
        directory: std::env::temp_dir(),
        access_token_life: Duration::from_secs(900),
        session_life: Duration::from_secs(3_600),
        refresh_grace: Duration::from_secs(10),
        providers: Vec::new(),
    };
    Identity::start(fixture.store().clone(), Arc::new(fixture.clock.clone()), options).unwrap()
}

async fn a_ticket_ends_after_half_a_minute(fixture: Fixture) {
    let identity = identity(&fixture);
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let signed_in = identity.begin_session(ada.clone(), "signed_in", &Writer::service()).await.unwrap();
    let standing = identity.authenticate(&signed_in.access_token).await.unwrap();
    let ticket = || identity.ticket(&standing).unwrap().0;
    let (early, late) = (ticket(), ticket());
    fixture.clock.advance(Duration::from_secs(29));
    assert_eq!(identity.redeem_ticket(&early).await.unwrap(), standing);
    assert!(matches!(identity.redeem_ticket(&early).await, Err(identity::Error::InvalidCredential)), "it is used");
    fixture.clock.advance(Duration::from_secs(1));
    assert!(matches!(identity.redeem_ticket(&late).await, Err(identity::Error::InvalidCredential)), "it has expired");
    let given = ticket();
    let gone = User { is_active: false, ..ada.clone() };
    fixture.store().update_user(ada, gone, entry(&fixture, TENANT, "user_changed")).await.unwrap();
    assert!(
        matches!(identity.redeem_ticket(&given).await, Err(identity::Error::InvalidCredential)),
        "its holder is gone"
    );
}

async fn what_has_become_of_a_creator(fixture: Fixture) {
    let (store, blue) = (fixture.store(), TenantId(new_id()));
    let home = tenant(&fixture, store, blue, "blue").await;
    let note = || entry(&fixture, blue, "change");
    let ada = add(&fixture, user(&fixture, blue, "ada", Role::Admin)).await;
    let own = store.create_api_key(key(&fixture, blue, Some(ada.id)), note()).await.unwrap();
    let shared = store.create_api_key(key(&fixture, blue, None), note()).await.unwrap();
    let (person, machine) = (ada.id.to_string(), shared.id.to_string());
    let creator = async |owner: &str, key: Option<ApiKeyId>| store.creator(owner.to_owned(), key).await.unwrap();
    let present = |role| Creator::Present { tenant_id: blue, role };
    assert_eq!(creator(&person, None).await, present(Role::Admin));
    assert_eq!(creator(&person, Some(own.id)).await, present(Role::Member), "a key is at most what it is for");
    assert_eq!(creator(&machine, Some(shared.id)).await, present(Role::Member));
    assert_eq!(creator(&person, Some(shared.id)).await, Creator::KeyRevoked, "it is not a key of theirs");
    assert_eq!(creator(&own.id.to_string(), None).await, Creator::Removed, "a key of a person owns nothing");
    store.update_user(ada.clone(), User { role: Role::Viewer, ..ada.clone() }, note()).await.unwrap();
    assert_eq!(creator(&person, Some(own.id)).await, present(Role::Viewer));
    store.revoke_api_key(blue, own.id, note()).await.unwrap();
    store.revoke_api_key(blue, shared.id, note()).await.unwrap();
    assert_eq!(creator(&person, Some(own.id)).await, Creator::KeyRevoked);
    assert_eq!(creator(&person, None).await, present(Role::Viewer));
    assert_eq!(creator(&machine, Some(shared.id)).await, Creator::KeyRevoked);
    store.update_tenant(home.clone(), Tenant { is_active: false, ..home }, note()).await.unwrap();
    assert_eq!(creator(&person, None).await, Creator::TenantInactive);
    store.update_user(ada.clone(), User { is_active: false, ..ada.clone() }, note()).await.unwrap();
    assert_eq!(creator(&person, None).await, Creator::Inactive);
    store.delete_user(blue, ada.id, note()).await.unwrap();
    assert_eq!(creator(&person, None).await, Creator::Removed);
    assert_eq!(creator("no id at all", None).await, Creator::Removed);
}

async fn a_change_is_counted_though_nobody_waits_for_it(fixture: Fixture) {
    let store = fixture.store();
    let ada = add(&fixture, user(&fixture, TENANT, "ada", Role::Member)).await;
    let identity = identity(&fixture);
    let signed_in = identity.begin_session(ada.clone(), "signed_in", &Writer::service()).await.unwrap();
    identity.authenticate(&signed_in.access_token).await.unwrap();
    // Whoever asked hangs up while the write is in the queue.
    let change = store.update_user(
        ada.clone(),
        User { is_active: false, ..ada.clone() },
        entry(&fixture, TENANT, "user_changed"),
    );
    let _ = change.now_or_never();
    // The next write comes after it.
    let later = entry(&fixture, TENANT, "later");
    store.record_audit(vec![later]).await.unwrap();
    assert!(!store.user(TENANT, ada.id).await.unwrap().is_active);
    let refused = identity.authenticate(&signed_in.access_token).await;
    assert!(matches!(refused, Err(identity::Error::InvalidCredential)), "what was remembered does not hold");
}

async fn the_audit_has_an_entry_for_what_was_written_and_for_nothing_else(fixture: Fixture) {
    let store = fixture.store();
    let actions = async || {
        let page = store.audit_entries(TENANT, AuditFilter::default(), all()).await.unwrap();
        page.items.into_iter().map(|entry| (entry.action, entry.target_id)).collect::<Vec<_>>()
    };
    let text = crate::service::definition("noted", "1.0.0", serde_json::json!([{ "a": { "set": { "x": 1 } } }]));
    let definition = callboard::domain::definition::parse(&text.to_string()).unwrap();
    let noting = store.noting(entry(&fixture, TENANT, "workflow_registered"));
    let registered = noting.register_workflow(TENANT, &definition, text.to_string(), None).await.unwrap();
    let expected = ("workflow_registered".to_owned(), registered.workflow.id.to_string());
    assert_eq!(actions().await, std::slice::from_ref(&expected));
    let again = store.noting(entry(&fixture, TENANT, "workflow_registered"));
    assert!(!again.register_workflow(TENANT, &definition, text.to_string(), None).await.unwrap().is_new);
    let failing = store.noting(entry(&fixture, TENANT, "agent_removed"));
    failing.delete_agent(TENANT, callboard::domain::AgentId(new_id())).await.unwrap_err();
    assert_eq!(actions().await, std::slice::from_ref(&expected), "nothing was written");
    // An execution comes with its entry, or not at all.
    let mut draft = fixture.draft();
    draft.new.audit = Some(entry(&fixture, TENANT, "execution_started"));
    let twin = draft.clone();
    fixture.tick();
    let mut run = fixture.create_from(draft).await;
    let (append, _) = twin.first();
    store.append(append).await.unwrap_err();
    run.start(&fixture).await.unwrap();
    let noted = actions().await;
    assert_eq!(noted.iter().filter(|(action, _)| action == "execution_started").count(), 1, "{noted:?}");
}
