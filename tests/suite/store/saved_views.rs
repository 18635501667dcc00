//! Saved views: one's own, shared ones, and when they go.

use super::fixture::{Fixture, TENANT, all};
use super::people::{entry, key, tenant, user};
use callboard::clock::new_id;
use callboard::domain::saved_view::MAX_PER_OWNER;
use callboard::domain::{Role, SavedView, SavedViewId, TenantId, User, ViewedList};
use callboard::store::{Error, PageRequest, SavedViewFilter};
use std::collections::BTreeMap;

super::on_both_databases!(
    a_view_lives,
    lists_hold_what_somebody_may_see_in_stretches_and_pages,
    an_owner_keeps_a_bounded_number,
    views_go_with_their_person,
    views_go_with_their_tenant,
);

fn view(fixture: &Fixture, tenant_id: TenantId, owner: &User, name: &str) -> SavedView {
    SavedView {
        id: SavedViewId(new_id()),
        tenant_id,
        created_by: owner.id.to_string(),
        created_by_name: Some(owner.display_name.clone()),
        user_id: Some(owner.id),
        list: ViewedList::Executions,
        name: name.to_owned(),
        query: BTreeMap::from([("status".to_owned(), "failed".to_owned()), ("q".to_owned(), "\"a\" 或".to_owned())]),
        is_shared: false,
        created_at: fixture.now(),
        updated_at: fixture.now(),
    }
}

async fn add_person(fixture: &Fixture, tenant_id: TenantId, name: &str) -> User {
    let person = user(fixture, tenant_id, name, Role::Member);
    fixture.store().create_user(person, entry(fixture, tenant_id, "user_created")).await.unwrap()
}

async fn a_view_lives(fixture: Fixture) {
    let store = fixture.store();
    let (ada, bob) = (add_person(&fixture, TENANT, "ada").await, add_person(&fixture, TENANT, "bob").await);
    let mut own = view(&fixture, TENANT, &ada, "failed");
    assert_eq!(store.create_saved_view(own.clone()).await.as_ref(), Ok(&own));
    assert_eq!(store.saved_view(TENANT, own.id).await.as_ref(), Ok(&own));
    let twin = store.create_saved_view(view(&fixture, TENANT, &ada, "failed")).await;
    assert!(matches!(twin, Err(Error::Conflict { .. })), "{twin:?}");
    let of_bob = store.create_saved_view(view(&fixture, TENANT, &bob, "failed")).await;
    assert!(of_bob.is_ok(), "another owner may use the name");
    store.create_saved_view(view(&fixture, TENANT, &ada, "slow")).await.unwrap();

    let read = own.clone();
    own.query = BTreeMap::new();
    own.is_shared = true;
    own.updated_at = fixture.now().plus_millis(1);
    assert_eq!(store.update_saved_view(read.clone(), own.clone()).await.as_ref(), Ok(&own));
    // Another window had read it before, and gives it another name only.
    own.name = "Failed".to_owned();
    let late = SavedView { name: own.name.clone(), ..read.clone() };
    assert_eq!(
        store.update_saved_view(read.clone(), late).await.as_ref(),
        Ok(&own),
        "what was changed meanwhile stays"
    );
    let again = SavedView { name: "failures".to_owned(), ..read.clone() };
    assert!(matches!(store.update_saved_view(read, again).await, Err(Error::Obstacle { .. })), "both named it anew");
    let taken = SavedView { name: "slow".to_owned(), ..own.clone() };
    assert!(matches!(store.update_saved_view(own.clone(), taken).await, Err(Error::Conflict { .. })));
    let renamed = User { display_name: "Countess".to_owned(), ..ada.clone() };
    store.update_user(ada.clone(), renamed, entry(&fixture, TENANT, "user_changed")).await.unwrap();
    assert_eq!(store.saved_view(TENANT, own.id).await.unwrap().created_by_name.as_deref(), Some("Countess"));

    let elsewhere = TenantId(new_id());
    assert_eq!(store.saved_view(elsewhere, own.id).await, Err(Error::NotFound));
    let moved = SavedView { tenant_id: elsewhere, ..own.clone() };
    assert_eq!(store.update_saved_view(own.clone(), moved).await, Err(Error::NotFound));
    assert_eq!(store.delete_saved_view(elsewhere, own.id).await, Err(Error::NotFound));
    store.delete_saved_view(TENANT, own.id).await.unwrap();
    assert_eq!(store.saved_view(TENANT, own.id).await, Err(Error::NotFound));
    assert_eq!(store.delete_saved_view(TENANT, own.id).await, Err(Error::NotFound));
    assert_eq!(store.update_saved_view(own.clone(), own).await, Err(Error::NotFound));
}

async fn lists_hold_what_somebody_may_see_in_stretches_and_pages(fixture: Fixture) {
    let store = fixture.store();
    let (ada, bob) = (add_person(&fixture, TENANT, "ada").await, add_person(&fixture, TENANT, "bob").await);
    // All at the same instant: the id tells them apart.
    for owner in [&ada, &bob] {
        for name in ["1", "2", "3"] {
            let is_shared = name == "3";
            store.create_saved_view(SavedView { is_shared, ..view(&fixture, TENANT, owner, name) }).await.unwrap();
        }
    }
    let visible = |owner: &User| SavedViewFilter {
        visible_to: Some(owner.id.to_string()),
        list: Some(ViewedList::Executions),
        ..SavedViewFilter::default()
    };
    let names = |views: &[SavedView]| {
        let shown = |view: &SavedView| format!("{}{}", view.created_by_name.as_deref().unwrap(), view.name);
        views.iter().map(shown).collect::<Vec<_>>()
    };
    let seen = store.saved_views(TENANT, visible(&ada), all()).await.unwrap();
    assert_eq!(names(&seen.items), ["bob3", "ada3", "ada2", "ada1"]);
    let mut cursor = None;
    let mut read = Vec::new();
    loop {
        let page = store.saved_views(TENANT, visible(&ada), PageRequest::Cursor { cursor, limit: 3 }).await.unwrap();
        read.extend(names(&page.items));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(read, names(&seen.items));
    let second = PageRequest::Numbered { number: 2, size: 3 };
    let second = store.saved_views(TENANT, visible(&bob), second).await.unwrap();
    assert_eq!((names(&second.items), second.total), (vec!["ada3".to_owned()], Some(4)));
    let of_bob = SavedViewFilter { created_by: Some(bob.id.to_string()), ..visible(&ada) };
    assert_eq!(names(&store.saved_views(TENANT, of_bob, all()).await.unwrap().items), ["bob3"]);
    let private = SavedViewFilter { is_shared: Some(false), ..SavedViewFilter::default() };
    assert_eq!(store.saved_views(TENANT, private, all()).await.unwrap().items.len(), 4);
    let elsewhere = store.saved_views(TenantId(new_id()), visible(&ada), all()).await.unwrap();
    assert!(elsewhere.items.is_empty());
}

async fn an_owner_keeps_a_bounded_number(fixture: Fixture) {
    let store = fixture.store();
    let (ada, bob) = (add_person(&fixture, TENANT, "ada").await, add_person(&fixture, TENANT, "bob").await);
    for number in 0..MAX_PER_OWNER {
        store.create_saved_view(view(&fixture, TENANT, &ada, &number.to_string())).await.unwrap();
    }
    let one_more = || view(&fixture, TENANT, &ada, "one more");
    assert!(matches!(store.create_saved_view(one_more()).await, Err(Error::LimitReached { .. })));
    store.create_saved_view(view(&fixture, TENANT, &bob, "first")).await.unwrap();
    let blue = TenantId(new_id());
    tenant(&fixture, store, blue, "blue").await;
    let elsewhere = SavedView { tenant_id: blue, ..one_more() };
    store.create_saved_view(elsewhere).await.unwrap();
}

async fn views_go_with_their_person(fixture: Fixture) {
    let (store, blue) = (fixture.store(), TenantId(new_id()));
    tenant(&fixture, store, blue, "blue").await;
    let (ada, bob) = (add_person(&fixture, TENANT, "ada").await, add_person(&fixture, TENANT, "bob").await);
    let own = store.create_saved_view(view(&fixture, TENANT, &ada, "own")).await.unwrap();
    let shared = SavedView { is_shared: true, ..view(&fixture, TENANT, &ada, "shared") };
    let shared = store.create_saved_view(shared).await.unwrap();
    // An operator keeps views in other tenants too.
    let elsewhere = store.create_saved_view(view(&fixture, blue, &ada, "elsewhere")).await.unwrap();
    let of_bob = store.create_saved_view(view(&fixture, TENANT, &bob, "his")).await.unwrap();
    let build = store.create_api_key(key(&fixture, TENANT, None), entry(&fixture, TENANT, "key")).await.unwrap();
    let of_key = SavedView { created_by: build.id.to_string(), user_id: None, ..view(&fixture, TENANT, &ada, "own") };
    let of_key = store.create_saved_view(of_key).await.unwrap();
    assert_eq!(of_key.created_by_name.as_deref(), Some("build"));

    store.delete_user(TENANT, ada.id, entry(&fixture, TENANT, "user_removed")).await.unwrap();
    for (tenant_id, gone) in [(TENANT, own), (TENANT, shared), (blue, elsewhere)] {
        assert_eq!(store.saved_view(tenant_id, gone.id).await, Err(Error::NotFound), "{}", gone.name);
    }
    for kept in [of_bob, of_key] {
        assert_eq!(store.saved_view(TENANT, kept.id).await.as_ref(), Ok(&kept));
    }
    let late = store.create_saved_view(view(&fixture, TENANT, &ada, "late")).await;
    assert_eq!(late, Err(Error::NotFound), "a request that was on its way");
}

async fn views_go_with_their_tenant(fixture: Fixture) {
    let (store, blue) = (fixture.store(), TenantId(new_id()));
    tenant(&fixture, store, blue, "blue").await;
    let ada = add_person(&fixture, blue, "ada").await;
    let operator = add_person(&fixture, TENANT, "olga").await;
    let gone = store.create_saved_view(view(&fixture, blue, &ada, "own")).await.unwrap();
    store.create_saved_view(view(&fixture, blue, &operator, "visiting")).await.unwrap();
    let kept = store.create_saved_view(view(&fixture, TENANT, &operator, "home")).await.unwrap();
    let tables = store.tenant_tables().await.unwrap();
    assert!(tables.contains(&"saved_views".to_owned()), "{tables:?}");
    assert_eq!(store.sweep_tenant(blue, "saved_views".to_owned(), 10).await, Ok(2));
    assert_eq!(store.saved_view(blue, gone.id).await, Err(Error::NotFound));
    assert_eq!(store.saved_view(TENANT, kept.id).await.as_ref(), Ok(&kept));
    store.begin_tenant_removal(blue, None).await.unwrap();
    store.create_saved_view(view(&fixture, blue, &operator, "late")).await.unwrap();
    assert_eq!(store.finish_tenant_removal(blue).await, Ok(true));
    let left = store.saved_views(blue, SavedViewFilter::default(), all()).await.unwrap();
    assert!(left.items.is_empty(), "what came late goes with the tenant itself");
    let too_late = store.create_saved_view(view(&fixture, blue, &operator, "too late")).await;
    assert_eq!(too_late, Err(Error::NotFound));
}
