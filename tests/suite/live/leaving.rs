//! Watchers that go away leave nothing behind.

use crate::service::definition;
use callboard::actors::{Runnable, Scope, Submission};
use callboard::domain::TenantId;
use callboard::domain::definition::parse;
use callboard::settings::{Settings, Sources};
use callboard::startup::{Application, block_on};
use futures_util::{FutureExt, StreamExt};
use serde_json::json;
use std::sync::Arc;

#[test]
fn a_feed_that_is_given_up_while_it_joins_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("callboard.db").display());
    let overrides = [("server.port", "0"), ("store.url", &url), ("effects.shell.enabled", "false")];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    let settings = Settings::load(&Sources { overrides, ..Sources::default() }).unwrap();
    block_on(async {
        let application = Application::build(&settings).await.unwrap();
        let engine = application.engine().clone();
        let tasks = definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }]));
        let runnable = Runnable::Inline(Arc::new(parse(&tasks.to_string()).unwrap()));
        let id = engine.submit(Submission::new(TenantId::DEFAULT, runnable, json!({}))).await.unwrap().id;
        for _ in 0..100 {
            let mut feed = engine.feed(TenantId::DEFAULT, Scope::Global { after: None, owner: None });
            assert!(feed.next().now_or_never().is_none(), "it waits for the answer of the hub");
        }
        // The hub answers in turn: when this one has its first frame, those before have come and gone.
        let mut feed = engine.feed(TenantId::DEFAULT, Scope::Execution { id, after_seq: 0 });
        assert!(feed.next().await.is_some());
        assert_eq!(engine.services().hub_state.watchers(), 1);
        drop(feed);
        application.run_until(std::future::ready(())).await.unwrap();
    });
}
