//! Registered workflows: versions that never change, and which one is the latest.

use super::fixture::{Fixture, TENANT, all};
use callboard::clock::new_id;
use callboard::domain::WorkflowId;
use callboard::domain::definition::Definition;
use callboard::store::{Error, PageRequest, Registered, WorkflowFilter};

super::on_both_databases!(
    a_version_is_registered_once_and_never_changes,
    latest_is_the_highest_stable_version,
    lists_show_the_latest_versions,
);

fn source(name: &str, version: &str, greeting: &str) -> String {
    format!(
        "document: {{dsl: 1.0.3, namespace: team, name: {name}, version: {version}, title: The {name} flow}}\n\
         do:\n  - greet: {{set: {{text: {greeting}}}}}\n"
    )
}

fn definition(text: &str) -> Definition {
    callboard::domain::definition::parse(text).unwrap()
}

async fn register(fixture: &Fixture, name: &str, version: &str) -> Registered {
    fixture.tick();
    let text = source(name, version, "hello");
    fixture.store().register_workflow(TENANT, &definition(&text), text, Some("ada".to_owned())).await.unwrap()
}

async fn resolve(fixture: &Fixture, version: Option<&str>) -> Result<String, Error> {
    let version = version.map(str::to_owned);
    let found = fixture.store().resolve_workflow(TENANT, "team".to_owned(), "hello".to_owned(), version).await;
    found.map(|workflow| workflow.version)
}

async fn a_version_is_registered_once_and_never_changes(fixture: Fixture) {
    let first = register(&fixture, "hello", "1.0.0").await;
    assert!(first.is_new && first.workflow.is_latest);
    let again = register(&fixture, "hello", "1.0.0").await;
    assert_eq!((again.is_new, &again.workflow), (false, &first.workflow));

    let text = source("hello", "1.0.0", "good-bye");
    let changed = fixture.store().register_workflow(TENANT, &definition(&text), text, None).await;
    let Err(Error::Conflict { message }) = changed else { panic!("{changed:?}") };
    assert!(message.contains("team/hello 1.0.0"), "{message}");

    let stored = fixture.store().workflow(TENANT, first.workflow.id).await.unwrap();
    assert_eq!(stored, first.workflow);
    assert_eq!((stored.title.as_deref(), stored.created_by.as_deref()), (Some("The hello flow"), Some("ada")));
    let body = fixture.store().definition(TENANT, stored.digest.clone()).await.unwrap();
    assert_eq!(body.source, source("hello", "1.0.0", "hello"));
    assert_eq!(*definition(&body.json).digest, *stored.digest);
    assert_eq!(fixture.store().workflow(TENANT, WorkflowId(new_id())).await, Err(Error::NotFound));
    assert_eq!(fixture.store().definition(TENANT, "0".repeat(64)).await, Err(Error::NotFound));
}

async fn latest_is_the_highest_stable_version(fixture: Fixture) {
    assert_eq!(resolve(&fixture, None).await, Err(Error::NotFound));
    register(&fixture, "hello", "2.0.0-beta.1").await;
    assert_eq!(resolve(&fixture, None).await.as_deref(), Ok("2.0.0-beta.1"));
    register(&fixture, "hello", "1.9.0").await;
    let ten = register(&fixture, "hello", "1.10.0").await.workflow;
    register(&fixture, "hello", "1.2.0").await;
    assert_eq!(resolve(&fixture, None).await.as_deref(), Ok("1.10.0"));
    assert_eq!(resolve(&fixture, Some("latest")).await.as_deref(), Ok("1.10.0"));
    assert_eq!(resolve(&fixture, Some("1.2.0")).await.as_deref(), Ok("1.2.0"));
    assert_eq!(resolve(&fixture, Some("7.0.0")).await, Err(Error::NotFound));

    let archived = fixture.store().archive_workflow(TENANT, ten.id, true).await.unwrap();
    assert!(archived.is_archived && !archived.is_latest);
    assert_eq!(resolve(&fixture, None).await.as_deref(), Ok("1.9.0"));
    assert_eq!(resolve(&fixture, Some("1.10.0")).await.as_deref(), Ok("1.10.0"), "running executions need it");
    fixture.store().archive_workflow(TENANT, ten.id, false).await.unwrap();
    assert_eq!(resolve(&fixture, None).await.as_deref(), Ok("1.10.0"));

    let versions = fixture.store().workflow_versions(TENANT, "team".to_owned(), "hello".to_owned()).await.unwrap();
    let versions: Vec<&str> = versions.iter().map(|workflow| workflow.version.as_str()).collect();
    assert_eq!(versions, vec!["2.0.0-beta.1", "1.10.0", "1.9.0", "1.2.0"]);
}

async fn lists_show_the_latest_versions(fixture: Fixture) {
    for (name, version) in [("a", "1.0.0"), ("a", "1.1.0"), ("b", "1.0.0"), ("c", "1.0.0")] {
        register(&fixture, name, version).await;
    }
    let list = |filter: WorkflowFilter, page: PageRequest| async {
        let page = fixture.store().workflows(TENANT, filter, page).await.unwrap();
        let names = page.items.iter().map(|workflow| format!("{} {}", workflow.name, workflow.version)).collect();
        (names, page.next_cursor, page.total)
    };
    let latest = ["c 1.0.0", "b 1.0.0", "a 1.1.0"].map(str::to_owned).to_vec();
    assert_eq!(list(WorkflowFilter::default(), all()).await, (latest.clone(), None, None));
    let numbered = list(WorkflowFilter::default(), PageRequest::Numbered { number: 2, size: 2 }).await;
    assert_eq!(numbered, (latest[2..].to_vec(), None, Some(3)));
    let (first, cursor, _) = list(WorkflowFilter::default(), PageRequest::Cursor { cursor: None, limit: 2 }).await;
    let (rest, end, _): (Vec<String>, _, _) =
        list(WorkflowFilter::default(), PageRequest::Cursor { cursor, limit: 2 }).await;
    assert_eq!(([first, rest].concat(), end), (latest, None));
    let every = list(WorkflowFilter { all_versions: true, ..WorkflowFilter::default() }, all()).await.0;
    assert_eq!(every.len(), 4);
    let text = list(WorkflowFilter { text: Some("THE B".to_owned()), ..WorkflowFilter::default() }, all()).await.0;
    assert_eq!(text, vec!["b 1.0.0".to_owned()]);
    let named =
        WorkflowFilter { name: Some("a".to_owned()), namespace: Some("team".to_owned()), ..WorkflowFilter::default() };
    assert_eq!(list(named, all()).await.0, vec!["a 1.1.0".to_owned()]);
}
