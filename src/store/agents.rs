//! Agents: a tenant's own and the ones that come with the program, which every tenant sees and none can change.

use super::column_types::{json, natural, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Page, PageRequest};
use super::schema::agents;
use super::statement::{Bind, Statement, findable};
use super::text_search::{contains_pattern, lower};
use super::{Error, Store, append};
use crate::domain::{Adapter, Agent, AgentId, TenantId, Timestamp};
use diesel::prelude::*;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The agents that come with the program: number, slug, name, description, skill. The number makes the id.
const SYSTEM_AGENTS: [(u128, &str, &str, &str, &str); 5] = [
    (1, "echo", "Echo", "Answers with what it was asked.", "echo"),
    (2, "summarizer", "Summarizer", "Picks the most telling sentences of a text.", "summarize"),
    (3, "extractor", "Extractor", "Finds addresses, links, dates and numbers in a text.", "extract"),
    (4, "classifier", "Classifier", "Sorts a text under one of the given labels.", "classify"),
    (5, "scorer", "Scorer", "Rates a text against a rubric.", "score"),
];
const FIRST_SYSTEM_AGENT_ID: u128 = 0x0190_0000_0000_7000_8000_0000_0001_0000;

/// Which agents a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentFilter {
    pub adapter: Option<Adapter>,
    pub is_active: Option<bool>,
    /// Contained in name, slug or description, without regard to case.
    pub text: Option<String>,
}

impl Store {
    /// Adds an agent.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the slug is taken, in the tenant or by an agent that comes with the program.
    pub async fn create_agent(&self, agent: Agent) -> Result<Agent, Error> {
        self.write_counted(&self.agents, move |connection| {
            if find(connection, &agent.tenant_id.to_string(), &agent.slug, true)?.is_some() {
                return Err(slug_taken(&agent.slug));
            }
            insert(connection, &agent)?;
            Ok(agent)
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn agent(&self, tenant_id: TenantId, id: AgentId) -> Result<Agent, Error> {
        self.read(move |connection| get(connection, &tenant_id.to_string(), &id.to_string())).await
    }

    /// The active agent that a definition names, by id, slug or name, in this order; the tenant's own before others.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find_agent(&self, tenant_id: TenantId, name: String) -> Result<Agent, Error> {
        findable(&[&name])?;
        self.read(move |connection| find(connection, &tenant_id.to_string(), &name, false)?.ok_or(Error::NotFound))
            .await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn agents(
        &self,
        tenant_id: TenantId,
        filter: AgentFilter,
        page: PageRequest,
    ) -> Result<Page<Agent>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// Replaces everything but id, tenant and time of creation.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for a taken slug and for an agent that comes with the program.
    pub async fn update_agent(&self, agent: Agent) -> Result<Agent, Error> {
        self.write_counted(&self.agents, move |connection| update(connection, &agent)).await
    }

    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] for an agent that comes with the program.
    pub async fn delete_agent(&self, tenant_id: TenantId, id: AgentId) -> Result<(), Error> {
        self.write_counted(&self.agents, move |connection| {
            let (tenant_id, id) = (tenant_id.to_string(), id.to_string());
            refuse_system_agent(&get(connection, &tenant_id, &id)?)?;
            let own = agents::tenant_id.eq(&tenant_id).and(agents::id.eq(&id));
            diesel::delete(agents::table.filter(own)).execute(connection)?;
            Ok(())
        })
        .await
    }
}

/// Adds the agents that come with the program and are not there yet.
pub(super) fn seed(connection: &mut AnyConnection, now: Timestamp) -> Result<(), Error> {
    for (number, slug, name, description, skill) in SYSTEM_AGENTS {
        let id = AgentId(Uuid::from_u128(FIRST_SYSTEM_AGENT_ID + number));
        if agents::table.find(id.to_string()).select(agents::id).first::<String>(connection).optional()?.is_some() {
            continue;
        }
        let agent = Agent {
            id,
            tenant_id: TenantId::DEFAULT,
            name: name.to_owned(),
            slug: slug.to_owned(),
            description: description.to_owned(),
            adapter: Adapter::Builtin,
            model: None,
            system_prompt: None,
            parameters: Map::from_iter([("skill".to_owned(), Value::from(skill))]),
            capabilities: BTreeMap::from([(skill.to_owned(), 1.0)]),
            is_active: true,
            is_system: true,
            created_by: None,
            created_at: now,
            updated_at: now,
        };
        insert(connection, &agent)?;
    }
    Ok(())
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    name: String,
    slug: String,
    description: String,
    adapter: String,
    model: Option<String>,
    system_prompt: Option<String>,
    parameters: String,
    capabilities: String,
    is_active: bool,
    is_system: bool,
    created_at: i64,
    updated_at: i64,
    created_by: Option<String>,
}

impl Row {
    fn into_agent(self) -> Result<Agent, Error> {
        Ok(Agent {
            id: word("agent id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            name: self.name,
            slug: self.slug,
            description: self.description,
            adapter: json("adapter", &format!("\"{}\"", self.adapter))?,
            model: self.model,
            system_prompt: self.system_prompt,
            parameters: json("parameters", &self.parameters)?,
            capabilities: json("capabilities", &self.capabilities)?,
            is_active: self.is_active,
            is_system: self.is_system,
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

fn visible(tenant_id: &str) -> agents::BoxedQuery<'_, MultiBackend> {
    agents::table.filter(agents::tenant_id.eq(tenant_id).or(agents::is_system.eq(true))).into_boxed::<MultiBackend>()
}

fn get(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<Agent, Error> {
    visible(tenant_id).filter(agents::id.eq(id)).first::<Row>(connection)?.into_agent()
}

/// `by_slug` looks at slugs only, inactive ones included: whether it is taken.
fn find(connection: &mut AnyConnection, tenant_id: &str, name: &str, by_slug: bool) -> Result<Option<Agent>, Error> {
    let query = visible(tenant_id);
    let query = if by_slug {
        query.filter(agents::slug.eq(name))
    } else {
        query
            .filter(agents::is_active.eq(true))
            .filter(agents::id.eq(name).or(agents::slug.eq(name)).or(agents::name.eq(name)))
    };
    let rows = query.order(agents::created_at).load::<Row>(connection)?;
    let rank = |row: &Row| (row.id != name, row.slug != name, row.is_system);
    rows.into_iter().min_by_key(rank).map(Row::into_agent).transpose()
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &AgentFilter,
    page: &PageRequest,
) -> Result<Page<Agent>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            let count = filtered(tenant_id, filter).count().get_result::<i64>(connection)?;
            Some(natural("count", count)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query =
        filtered(tenant_id, filter).order((agents::created_at.desc(), agents::id.desc())).limit(limit).offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query.filter(agents::created_at.le(at)).filter(agents::created_at.lt(at).or(agents::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_agent).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |agent| (agent.created_at.as_micros(), agent.id.to_string())))
}

fn filtered<'a>(tenant_id: &'a str, filter: &'a AgentFilter) -> agents::BoxedQuery<'a, MultiBackend> {
    let mut query = visible(tenant_id);
    if let Some(adapter) = filter.adapter {
        query = query.filter(agents::adapter.eq(adapter.as_str()));
    }
    if let Some(is_active) = filter.is_active {
        query = query.filter(agents::is_active.eq(is_active));
    }
    if let Some(text) = &filter.text {
        let pattern = contains_pattern(text);
        query = query.filter(
            lower(agents::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(agents::slug).like(pattern.clone()).escape('\\'))
                .or(lower(agents::description).like(pattern).escape('\\')),
        );
    }
    query
}

fn insert(connection: &mut AnyConnection, agent: &Agent) -> Result<(), Error> {
    let (id, tenant_id) = (agent.id.to_string(), agent.tenant_id.to_string());
    let (parameters, capabilities) = (append::to_json(&agent.parameters)?, append::to_json(&agent.capabilities)?);
    Statement::new(
        "INSERT INTO agents (id, tenant_id, name, slug, description, adapter, model, system_prompt, parameters, \
         capabilities, is_active, is_system, created_at, updated_at, created_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::Text(&agent.name),
            Bind::Text(&agent.slug),
            Bind::Text(&agent.description),
            Bind::Text(agent.adapter.as_str()),
            Bind::OptionalText(agent.model.as_deref()),
            Bind::OptionalText(agent.system_prompt.as_deref()),
            Bind::Text(&parameters),
            Bind::Text(&capabilities),
            Bind::Bool(agent.is_active),
            Bind::Bool(agent.is_system),
            Bind::Integer(agent.created_at.as_micros()),
            Bind::Integer(agent.updated_at.as_micros()),
            Bind::OptionalText(agent.created_by.as_deref()),
        ],
    )
    .execute(connection)?;
    Ok(())
}

fn update(connection: &mut AnyConnection, agent: &Agent) -> Result<Agent, Error> {
    let (id, tenant_id) = (agent.id.to_string(), agent.tenant_id.to_string());
    refuse_system_agent(&get(connection, &tenant_id, &id)?)?;
    if find(connection, &tenant_id, &agent.slug, true)?.is_some_and(|other| other.id != agent.id) {
        return Err(slug_taken(&agent.slug));
    }
    let (parameters, capabilities) = (append::to_json(&agent.parameters)?, append::to_json(&agent.capabilities)?);
    Statement::new(
        "UPDATE agents SET name = ?, slug = ?, description = ?, adapter = ?, model = ?, system_prompt = ?, \
         parameters = ?, capabilities = ?, is_active = ?, updated_at = ? WHERE id = ? AND tenant_id = ?",
        vec![
            Bind::Text(&agent.name),
            Bind::Text(&agent.slug),
            Bind::Text(&agent.description),
            Bind::Text(agent.adapter.as_str()),
            Bind::OptionalText(agent.model.as_deref()),
            Bind::OptionalText(agent.system_prompt.as_deref()),
            Bind::Text(&parameters),
            Bind::Text(&capabilities),
            Bind::Bool(agent.is_active),
            Bind::Integer(agent.updated_at.as_micros()),
            Bind::Text(&id),
            Bind::Text(&tenant_id),
        ],
    )
    .execute(connection)?;
    get(connection, &tenant_id, &id)
}

fn refuse_system_agent(agent: &Agent) -> Result<(), Error> {
    if agent.is_system {
        let message = format!("the agent '{}' comes with the program and cannot be changed", agent.slug);
        return Err(Error::Conflict { message });
    }
    Ok(())
}

fn slug_taken(slug: &str) -> Error {
    Error::Conflict { message: format!("there is an agent '{slug}' already") }
}
