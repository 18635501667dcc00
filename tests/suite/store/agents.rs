//! Agents: a tenant's own, and those that come with the program.

use super::fixture::{Fixture, TENANT, all};
use callboard::clock::new_id;
use callboard::domain::{Adapter, Agent, AgentId, TenantId};
use callboard::store::{AgentFilter, Error, PageRequest};
use serde_json::{Map, json};
use std::collections::BTreeMap;

super::on_both_databases!(
    an_agent_lives,
    the_agents_of_the_program_are_there_and_stay,
    a_name_finds_the_own_agent_first
);

fn agent(fixture: &Fixture, slug: &str) -> Agent {
    Agent {
        id: AgentId(new_id()),
        tenant_id: TENANT,
        name: format!("The {slug}"),
        slug: slug.to_owned(),
        description: "Reads \"carefully\"".to_owned(),
        adapter: Adapter::Openai,
        model: Some("small".to_owned()),
        system_prompt: None,
        parameters: Map::from_iter([("temperature".to_owned(), json!(0.5))]),
        capabilities: BTreeMap::from([("review".to_owned(), 0.75)]),
        is_active: true,
        is_system: false,
        created_by: None,
        created_at: fixture.now(),
        updated_at: fixture.now(),
    }
}

async fn an_agent_lives(fixture: Fixture) {
    let store = fixture.store();
    let mut own = agent(&fixture, "reviewer");
    assert_eq!(store.create_agent(own.clone()).await.as_ref(), Ok(&own));
    assert_eq!(store.agent(TENANT, own.id).await.as_ref(), Ok(&own));
    let twin = store.create_agent(agent(&fixture, "reviewer")).await;
    assert!(matches!(twin, Err(Error::Conflict { .. })), "{twin:?}");
    let other = store.create_agent(agent(&fixture, "writer")).await.unwrap();

    own.is_active = false;
    own.adapter = Adapter::Command;
    own.model = None;
    own.updated_at = fixture.now().plus_millis(1);
    assert_eq!(store.update_agent(own.clone()).await.as_ref(), Ok(&own));
    own.slug = "writer".to_owned();
    assert!(matches!(store.update_agent(own.clone()).await, Err(Error::Conflict { .. })));
    assert_eq!(store.find_agent(TENANT, "reviewer".to_owned()).await, Err(Error::NotFound), "it is not active");

    let filter = AgentFilter { adapter: Some(Adapter::Command), ..AgentFilter::default() };
    let found = store.agents(TENANT, filter, PageRequest::Numbered { number: 1, size: 10 }).await.unwrap();
    assert_eq!((found.total, found.items[0].id), (Some(1), own.id));
    let filter = AgentFilter { text: Some("THE WR".to_owned()), is_active: Some(true), ..AgentFilter::default() };
    assert_eq!(store.agents(TENANT, filter, all()).await.unwrap().items, vec![other]);

    store.delete_agent(TENANT, own.id).await.unwrap();
    assert_eq!(store.agent(TENANT, own.id).await, Err(Error::NotFound));
    assert_eq!(store.delete_agent(TENANT, own.id).await, Err(Error::NotFound));
}

async fn the_agents_of_the_program_are_there_and_stay(mut fixture: Fixture) {
    let elsewhere = TenantId(new_id());
    fixture.reopen().await;
    let store = fixture.store();
    let mut echo = store.find_agent(elsewhere, "echo".to_owned()).await.unwrap();
    assert_eq!((echo.adapter, &echo.parameters["skill"]), (Adapter::Builtin, &json!("echo")));
    let listed =
        store.agents(elsewhere, AgentFilter::default(), PageRequest::Numbered { number: 1, size: 100 }).await.unwrap();
    assert_eq!((listed.items.len(), listed.total), (5, Some(5)));
    assert!(matches!(store.delete_agent(TENANT, echo.id).await, Err(Error::Conflict { .. })));
    echo.description = "mine".to_owned();
    assert!(matches!(store.update_agent(echo).await, Err(Error::Conflict { .. })));
    assert!(matches!(store.create_agent(agent(&fixture, "echo")).await, Err(Error::Conflict { .. })));
}

async fn a_name_finds_the_own_agent_first(fixture: Fixture) {
    let store = fixture.store();
    let mut own = agent(&fixture, "my-echo");
    own.name = "Echo".to_owned();
    let own = store.create_agent(own).await.unwrap();
    assert_eq!(store.find_agent(TENANT, "Echo".to_owned()).await.map(|agent| agent.id), Ok(own.id));
    assert_eq!(store.find_agent(TENANT, own.id.to_string()).await.map(|agent| agent.id), Ok(own.id));
    assert_eq!(store.find_agent(TENANT, "nobody".to_owned()).await, Err(Error::NotFound));
}
