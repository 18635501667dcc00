//! Registered workflows: a version never changes once it is there. And the definitions' bodies, stored once per digest.

use super::column_types::{json, natural, word};
use super::connection::{AnyConnection, MultiBackend};
use super::page::{Page, PageRequest};
use super::schema::{definitions, workflows};
use super::statement::{Bind, Statement, findable};
use super::text_search::{contains_pattern, lower, lower_or_null};
use super::{DefinitionText, Error, Store, append};
use crate::clock::new_id;
use crate::domain::definition::Definition;
use crate::domain::{AuditEntry, TenantId, Timestamp, WorkflowId};
use diesel::prelude::*;
use semver::Version;
use serde_json::{Map, Value};

/// One version of a workflow.
#[derive(Clone, Debug, PartialEq)]
pub struct Workflow {
    pub id: WorkflowId,
    pub tenant_id: TenantId,
    pub namespace: String,
    pub name: String,
    pub version: String,
    /// Of its definition, see [`Store::definition`].
    pub digest: String,
    pub title: Option<String>,
    pub summary: Option<String>,
    pub tags: Map<String, Value>,
    /// Hidden from lists and from `latest`.
    pub is_archived: bool,
    /// The highest version that is not archived; a pre-release only when there is no other.
    pub is_latest: bool,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The answer to a registration.
#[derive(Clone, Debug, PartialEq)]
pub struct Registered {
    pub workflow: Workflow,
    /// False when the very same definition was registered before.
    pub is_new: bool,
}

/// Which workflows a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkflowFilter {
    pub namespace: Option<String>,
    pub name: Option<String>,
    /// Contained in namespace, name, title or summary, without regard to case.
    pub text: Option<String>,
    pub include_archived: bool,
    /// Not only the latest version of each.
    pub all_versions: bool,
}

impl Store {
    /// Registers a version. `source` is the text as authored. An entry of the audit gets the new id as its target; none is
    /// noted for what is registered already.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the version is registered with another definition.
    pub async fn register_workflow(
        &self,
        tenant_id: TenantId,
        definition: &Definition,
        source: String,
        created_by: Option<String>,
    ) -> Result<Registered, Error> {
        let text = DefinitionText {
            digest: definition.digest.clone(),
            json: append::to_json(definition.source.as_ref())?,
            source,
        };
        let (document, now) = (&definition.document, self.clock.now());
        let workflow = Workflow {
            id: WorkflowId(new_id()),
            tenant_id,
            namespace: document.namespace.to_string(),
            name: document.name.to_string(),
            version: document.version.to_string(),
            digest: definition.digest.to_string(),
            title: document.title.clone(),
            summary: document.summary.clone(),
            tags: document.tags.clone(),
            is_archived: false,
            is_latest: false,
            created_by,
            created_at: now,
            updated_at: now,
        };
        let store = match &self.note {
            Some(entry) => self.noting(AuditEntry { target_id: workflow.id.to_string(), ..entry.as_ref().clone() }),
            None => self.clone(),
        };
        store.write_if(move |connection| register(connection, workflow, &text), |registered| registered.is_new).await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn workflow(&self, tenant_id: TenantId, id: WorkflowId) -> Result<Workflow, Error> {
        self.read(move |connection| get(connection, &tenant_id.to_string(), &id.to_string())).await
    }

    /// Newest first; the latest version of each unless the filter asks for all.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn workflows(
        &self,
        tenant_id: TenantId,
        filter: WorkflowFilter,
        page: PageRequest,
    ) -> Result<Page<Workflow>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// All versions, archived ones included, highest first. Empty when there is no such workflow.
    pub async fn workflow_versions(
        &self,
        tenant_id: TenantId,
        namespace: String,
        name: String,
    ) -> Result<Vec<Workflow>, Error> {
        self.read(move |connection| {
            let mut versions = versions(connection, &tenant_id.to_string(), &namespace, &name)?;
            versions.reverse();
            Ok(versions)
        })
        .await
    }

    /// The given version, archived or not; the latest one for `None` and for `latest`.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn resolve_workflow(
        &self,
        tenant_id: TenantId,
        namespace: String,
        name: String,
        version: Option<String>,
    ) -> Result<Workflow, Error> {
        findable(&[&namespace, &name, version.as_deref().unwrap_or_default()])?;
        self.read(move |connection| {
            let mut query = workflows::table
                .filter(workflows::tenant_id.eq(tenant_id.to_string()))
                .filter(workflows::namespace.eq(namespace).and(workflows::name.eq(name)))
                .into_boxed::<MultiBackend>();
            query = match version.filter(|version| version != "latest") {
                Some(version) => query.filter(workflows::version.eq(version)),
                None => query.filter(workflows::is_latest.eq(true)),
            };
            query.first::<Row>(connection)?.into_workflow()
        })
        .await
    }

    /// Hides a version from lists and from `latest`, or shows it again. Running executions do not notice.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn archive_workflow(
        &self,
        tenant_id: TenantId,
        id: WorkflowId,
        is_archived: bool,
    ) -> Result<Workflow, Error> {
        let now = self.clock.now();
        self.write(move |connection| {
            let (tenant_id, id) = (tenant_id.to_string(), id.to_string());
            let workflow = get(connection, &tenant_id, &id)?;
            Statement::new(
                "UPDATE workflows SET is_archived = ?, updated_at = ? WHERE tenant_id = ? AND id = ?",
                vec![Bind::Bool(is_archived), Bind::Integer(now.as_micros()), Bind::Text(&tenant_id), Bind::Text(&id)],
            )
            .execute(connection)?;
            mark_latest(connection, &tenant_id, &workflow.namespace, &workflow.name)?;
            get(connection, &tenant_id, &id)
        })
        .await
    }

    /// The body of a definition.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn definition(&self, tenant_id: TenantId, digest: String) -> Result<DefinitionText, Error> {
        self.read(move |connection| {
            let (json, source) = definitions::table
                .find((tenant_id.to_string(), &digest))
                .select((definitions::json, definitions::source))
                .first::<(String, String)>(connection)?;
            Ok(DefinitionText { digest: digest.into(), json, source })
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    namespace: String,
    name: String,
    version: String,
    digest: String,
    title: Option<String>,
    summary: Option<String>,
    tags: String,
    is_archived: bool,
    is_latest: bool,
    created_by: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_workflow(self) -> Result<Workflow, Error> {
        Ok(Workflow {
            id: word("workflow id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            namespace: self.namespace,
            name: self.name,
            version: self.version,
            digest: self.digest,
            title: self.title,
            summary: self.summary,
            tags: json("tags", &self.tags)?,
            is_archived: self.is_archived,
            is_latest: self.is_latest,
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

fn get(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<Workflow, Error> {
    workflows::table
        .filter(workflows::tenant_id.eq(tenant_id).and(workflows::id.eq(id)))
        .first::<Row>(connection)?
        .into_workflow()
}

/// Lowest first. A version that is no semantic version (none can be registered) would come first of all.
fn versions(
    connection: &mut AnyConnection,
    tenant_id: &str,
    namespace: &str,
    name: &str,
) -> Result<Vec<Workflow>, Error> {
    let rows = workflows::table
        .filter(workflows::tenant_id.eq(tenant_id))
        .filter(workflows::namespace.eq(namespace).and(workflows::name.eq(name)))
        .load::<Row>(connection)?;
    let mut found = rows.into_iter().map(Row::into_workflow).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_cached_key(|workflow| Version::parse(&workflow.version).ok());
    Ok(found)
}

fn register(connection: &mut AnyConnection, workflow: Workflow, text: &DefinitionText) -> Result<Registered, Error> {
    let tenant_id = workflow.tenant_id.to_string();
    let known = versions(connection, &tenant_id, &workflow.namespace, &workflow.name)?;
    if let Some(same) = known.into_iter().find(|known| known.version == workflow.version) {
        if same.digest == workflow.digest {
            return Ok(Registered { workflow: same, is_new: false });
        }
        let Workflow { namespace, name, version, .. } = &workflow;
        let message =
            format!("{namespace}/{name} {version} is registered with another definition; give this one a new version");
        return Err(Error::Conflict { message });
    }
    let (id, tags, now) = (workflow.id.to_string(), append::to_json(&workflow.tags)?, workflow.created_at.as_micros());
    Statement::new(
        "INSERT INTO definitions (tenant_id, digest, json, source, created_at) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (tenant_id, digest) DO UPDATE SET source = excluded.source",
        vec![
            Bind::Text(&tenant_id),
            Bind::Text(&text.digest),
            Bind::Text(&text.json),
            Bind::Text(&text.source),
            Bind::Integer(now),
        ],
    )
    .execute(connection)?;
    Statement::new(
        "INSERT INTO workflows (id, tenant_id, namespace, name, version, digest, title, summary, tags, is_archived, \
         is_latest, created_by, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::Text(&workflow.namespace),
            Bind::Text(&workflow.name),
            Bind::Text(&workflow.version),
            Bind::Text(&workflow.digest),
            Bind::OptionalText(workflow.title.as_deref()),
            Bind::OptionalText(workflow.summary.as_deref()),
            Bind::Text(&tags),
            Bind::Bool(false),
            Bind::Bool(false),
            Bind::OptionalText(workflow.created_by.as_deref()),
            Bind::Integer(now),
            Bind::Integer(now),
        ],
    )
    .execute(connection)?;
    mark_latest(connection, &tenant_id, &workflow.namespace, &workflow.name)?;
    Ok(Registered { workflow: get(connection, &tenant_id, &id)?, is_new: true })
}

/// Moves the mark to the highest version: stable before pre-release, archived never.
fn mark_latest(connection: &mut AnyConnection, tenant_id: &str, namespace: &str, name: &str) -> Result<(), Error> {
    let candidates = versions(connection, tenant_id, namespace, name)?;
    let is_stable =
        |workflow: &&Workflow| Version::parse(&workflow.version).is_ok_and(|version| version.pre.is_empty());
    let shown: Vec<&Workflow> = candidates.iter().filter(|workflow| !workflow.is_archived).collect();
    let latest = shown.iter().copied().rfind(is_stable).or(shown.last().copied());
    let id = latest.map(|workflow| workflow.id.to_string()).unwrap_or_default();
    Statement::new(
        "UPDATE workflows SET is_latest = (id = ?) WHERE tenant_id = ? AND namespace = ? AND name = ?",
        vec![Bind::Text(&id), Bind::Text(tenant_id), Bind::Text(namespace), Bind::Text(name)],
    )
    .execute(connection)?;
    Ok(())
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &WorkflowFilter,
    page: &PageRequest,
) -> Result<Page<Workflow>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            let count = filtered(tenant_id, filter).count().get_result::<i64>(connection)?;
            Some(natural("count", count)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query = filtered(tenant_id, filter)
        .order((workflows::created_at.desc(), workflows::id.desc()))
        .limit(limit)
        .offset(offset);
    if let Some((at, id)) = page.after()? {
        query =
            query.filter(workflows::created_at.le(at)).filter(workflows::created_at.lt(at).or(workflows::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = rows.into_iter().map(Row::into_workflow).collect::<Result<Vec<_>, _>>()?;
    Ok(page.page(items, total, |workflow| (workflow.created_at.as_micros(), workflow.id.to_string())))
}

fn filtered<'a>(tenant_id: &'a str, filter: &'a WorkflowFilter) -> workflows::BoxedQuery<'a, MultiBackend> {
    let mut query = workflows::table.filter(workflows::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
    query = match (filter.all_versions, filter.include_archived) {
        (false, false) => query.filter(workflows::is_latest.eq(true)),
        (false, true) => query.filter(workflows::is_latest.eq(true).or(workflows::is_archived.eq(true))),
        (true, false) => query.filter(workflows::is_archived.eq(false)),
        (true, true) => query,
    };
    if let Some(namespace) = &filter.namespace {
        query = query.filter(workflows::namespace.eq(namespace));
    }
    if let Some(name) = &filter.name {
        query = query.filter(workflows::name.eq(name));
    }
    if let Some(text) = &filter.text {
        let pattern = contains_pattern(text);
        query = query.filter(
            lower(workflows::name)
                .like(pattern.clone())
                .escape('\\')
                .or(lower(workflows::namespace).like(pattern.clone()).escape('\\'))
                .or(workflows::title
                    .is_not_null()
                    .and(lower_or_null(workflows::title).assume_not_null().like(pattern.clone()).escape('\\')))
                .or(workflows::summary
                    .is_not_null()
                    .and(lower_or_null(workflows::summary).assume_not_null().like(pattern).escape('\\'))),
        );
    }
    query
}
