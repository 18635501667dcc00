//! Saved views: an owner's own, and those that others of the tenant share.

use super::column_types::{json, natural, optional_word, word};
use super::connection::{AnyConnection, MultiBackend};
use super::merge::merge;
use super::page::{Page, PageRequest};
use super::schema::{api_keys, saved_views, users};
use super::statement::{Bind, Statement};
use super::{Error, Store, append, tenants};
use crate::domain::saved_view::MAX_PER_OWNER;
use crate::domain::{SavedView, SavedViewId, TenantId, Timestamp, ViewedList};
use diesel::prelude::*;
use std::collections::HashMap;

/// Which views a list holds. An absent part does not restrict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedViewFilter {
    pub list: Option<ViewedList>,
    pub created_by: Option<String>,
    pub is_shared: Option<bool>,
    /// Those of this owner and the shared ones.
    pub visible_to: Option<String>,
}

impl Store {
    /// Adds a view.
    ///
    /// # Errors
    /// [`Error::Conflict`] when its owner has one of this name; [`Error::LimitReached`] when they have as many as there may
    /// be; [`Error::NotFound`] when the tenant or the person is not there any more.
    pub async fn create_saved_view(&self, view: SavedView) -> Result<SavedView, Error> {
        self.write(move |connection| {
            check_owner(connection, &view)?;
            refuse_taken(connection, &view)?;
            refuse_more(connection, &view)?;
            insert(connection, &view)?;
            get(connection, &view.tenant_id.to_string(), &view.id.to_string())
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn saved_view(&self, tenant_id: TenantId, id: SavedViewId) -> Result<SavedView, Error> {
        self.read(move |connection| get(connection, &tenant_id.to_string(), &id.to_string())).await
    }

    /// Newest first.
    ///
    /// # Errors
    /// [`Error::InvalidCursor`].
    pub async fn saved_views(
        &self,
        tenant_id: TenantId,
        filter: SavedViewFilter,
        page: PageRequest,
    ) -> Result<Page<SavedView>, Error> {
        self.read(move |connection| list(connection, &tenant_id.to_string(), &filter, &page)).await
    }

    /// Writes what differs between a view as it was read and as it should be, of name, query and whether it is shared; what
    /// somebody else has changed meanwhile stays.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when its owner has another one of this name; [`Error::Obstacle`] when somebody
    /// else has made something else of the same part.
    pub async fn update_saved_view(&self, known: SavedView, wanted: SavedView) -> Result<SavedView, Error> {
        self.write(move |connection| {
            let (id, tenant_id) = (wanted.id.to_string(), wanted.tenant_id.to_string());
            let current = get(connection, &tenant_id, &id)?;
            let view = SavedView {
                name: merge(known.name, wanted.name, current.name)?,
                query: merge(known.query, wanted.query, current.query)?,
                is_shared: merge(known.is_shared, wanted.is_shared, current.is_shared)?,
                updated_at: wanted.updated_at.max(current.updated_at),
                ..current
            };
            refuse_taken(connection, &view)?;
            update(connection, &view)?;
            get(connection, &tenant_id, &id)
        })
        .await
    }

    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_saved_view(&self, tenant_id: TenantId, id: SavedViewId) -> Result<(), Error> {
        self.write(move |connection| {
            let own = saved_views::tenant_id.eq(tenant_id.to_string()).and(saved_views::id.eq(id.to_string()));
            match diesel::delete(saved_views::table.filter(own)).execute(connection)? {
                0 => Err(Error::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }
}

#[derive(Queryable)]
struct Row {
    id: String,
    tenant_id: String,
    created_by: String,
    user_id: Option<String>,
    list: String,
    name: String,
    query: String,
    is_shared: bool,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn into_view(self, names: &HashMap<String, String>) -> Result<SavedView, Error> {
        Ok(SavedView {
            id: word("view id", &self.id)?,
            tenant_id: word("tenant id", &self.tenant_id)?,
            created_by_name: names.get(&self.created_by).cloned(),
            created_by: self.created_by,
            user_id: optional_word("user id", self.user_id.as_deref())?,
            list: word("viewed list", &self.list)?,
            name: self.name,
            query: json("query", &self.query)?,
            is_shared: self.is_shared,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

/// Views with the names that their owners have now.
fn named(connection: &mut AnyConnection, rows: Vec<Row>) -> Result<Vec<SavedView>, Error> {
    let owners: Vec<&str> = rows.iter().map(|row| row.created_by.as_str()).collect();
    let people = users::table.filter(users::id.eq_any(&owners)).select((users::id, users::display_name));
    let keys = api_keys::table.filter(api_keys::id.eq_any(&owners)).select((api_keys::id, api_keys::name));
    let mut names: HashMap<String, String> = people.load(connection)?.into_iter().collect();
    names.extend(keys.load::<(String, String)>(connection)?);
    rows.into_iter().map(|row| row.into_view(&names)).collect()
}

fn get(connection: &mut AnyConnection, tenant_id: &str, id: &str) -> Result<SavedView, Error> {
    let own = saved_views::tenant_id.eq(tenant_id).and(saved_views::id.eq(id));
    let row = saved_views::table.filter(own).first::<Row>(connection)?;
    named(connection, vec![row])?.pop().ok_or(Error::NotFound)
}

fn list(
    connection: &mut AnyConnection,
    tenant_id: &str,
    filter: &SavedViewFilter,
    page: &PageRequest,
) -> Result<Page<SavedView>, Error> {
    let total = match page {
        PageRequest::Numbered { .. } => {
            Some(natural("count", filtered(tenant_id, filter).count().get_result::<i64>(connection)?)?)
        }
        PageRequest::Cursor { .. } => None,
    };
    let (limit, offset) = page.window();
    let mut query = filtered(tenant_id, filter)
        .order((saved_views::created_at.desc(), saved_views::id.desc()))
        .limit(limit)
        .offset(offset);
    if let Some((at, id)) = page.after()? {
        query = query
            .filter(saved_views::created_at.le(at))
            .filter(saved_views::created_at.lt(at).or(saved_views::id.lt(id)));
    }
    let rows = query.load::<Row>(connection)?;
    let items = named(connection, rows)?;
    Ok(page.page(items, total, |view| (view.created_at.as_micros(), view.id.to_string())))
}

fn filtered<'a>(tenant_id: &'a str, filter: &'a SavedViewFilter) -> saved_views::BoxedQuery<'a, MultiBackend> {
    let mut query = saved_views::table.filter(saved_views::tenant_id.eq(tenant_id)).into_boxed::<MultiBackend>();
    if let Some(list) = filter.list {
        query = query.filter(saved_views::list.eq(list.as_str()));
    }
    if let Some(created_by) = &filter.created_by {
        query = query.filter(saved_views::created_by.eq(created_by));
    }
    if let Some(is_shared) = filter.is_shared {
        query = query.filter(saved_views::is_shared.eq(is_shared));
    }
    if let Some(owner) = &filter.visible_to {
        query = query.filter(saved_views::created_by.eq(owner).or(saved_views::is_shared.eq(true)));
    }
    query
}

/// The request may have been on its way when its tenant or its person went.
fn check_owner(connection: &mut AnyConnection, view: &SavedView) -> Result<(), Error> {
    if tenants::is_missing(connection, &view.tenant_id.to_string())? {
        return Err(Error::NotFound);
    }
    if let Some(user_id) = view.user_id {
        users::table.find(user_id.to_string()).select(users::id).first::<String>(connection)?;
    }
    Ok(())
}

fn refuse_taken(connection: &mut AnyConnection, view: &SavedView) -> Result<(), Error> {
    let (id, tenant_id) = (view.id.to_string(), view.tenant_id.to_string());
    let taken = saved_views::table
        .filter(saved_views::tenant_id.eq(tenant_id))
        .filter(saved_views::created_by.eq(&view.created_by))
        .filter(saved_views::list.eq(view.list.as_str()))
        .filter(saved_views::name.eq(&view.name))
        .filter(saved_views::id.ne(id));
    match taken.select(saved_views::id).first::<String>(connection).optional()? {
        Some(_) => Err(Error::Conflict { message: format!("there is a view '{}' already", view.name) }),
        None => Ok(()),
    }
}

fn refuse_more(connection: &mut AnyConnection, view: &SavedView) -> Result<(), Error> {
    let own = saved_views::table
        .filter(saved_views::tenant_id.eq(view.tenant_id.to_string()))
        .filter(saved_views::created_by.eq(&view.created_by));
    if own.count().get_result::<i64>(connection)? < i64::from(MAX_PER_OWNER) {
        return Ok(());
    }
    Err(Error::LimitReached { message: format!("nobody keeps more than {MAX_PER_OWNER} views") })
}

fn update(connection: &mut AnyConnection, view: &SavedView) -> Result<(), Error> {
    let own = saved_views::tenant_id.eq(view.tenant_id.to_string()).and(saved_views::id.eq(view.id.to_string()));
    diesel::update(saved_views::table.filter(own))
        .set((
            saved_views::name.eq(&view.name),
            saved_views::query.eq(append::to_json(&view.query)?),
            saved_views::is_shared.eq(view.is_shared),
            saved_views::updated_at.eq(view.updated_at.as_micros()),
        ))
        .execute(connection)?;
    Ok(())
}

fn insert(connection: &mut AnyConnection, view: &SavedView) -> Result<(), Error> {
    let (id, tenant_id) = (view.id.to_string(), view.tenant_id.to_string());
    let user_id = view.user_id.map(|id| id.to_string());
    let query = append::to_json(&view.query)?;
    Statement::new(
        "INSERT INTO saved_views (id, tenant_id, created_by, user_id, list, name, query, is_shared, created_at, \
         updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        vec![
            Bind::Text(&id),
            Bind::Text(&tenant_id),
            Bind::Text(&view.created_by),
            Bind::OptionalText(user_id.as_deref()),
            Bind::Text(view.list.as_str()),
            Bind::Text(&view.name),
            Bind::Text(&query),
            Bind::Bool(view.is_shared),
            Bind::Integer(view.created_at.as_micros()),
            Bind::Integer(view.updated_at.as_micros()),
        ],
    )
    .execute(connection)?;
    Ok(())
}
