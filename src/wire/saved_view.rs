//! Saved views as callers see them, and the bodies that make and change them.

use crate::domain::{SavedView, SavedViewId, TenantId, Timestamp, ViewedList};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// One saved view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SavedViewDetail {
    pub id: SavedViewId,
    pub tenant_id: TenantId,
    /// Whose it is: a person, or a key that belongs to nobody.
    pub created_by: String,
    /// Their name; null when they are not there any more.
    #[schema(required)]
    pub created_by_name: Option<String>,
    pub list: ViewedList,
    /// Unique among the owner's views of the list.
    pub name: String,
    /// Filters and columns, as the address of the dashboard's page says them.
    pub query: BTreeMap<String, String>,
    /// Whether everybody of the tenant sees it.
    pub is_shared: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl From<SavedView> for SavedViewDetail {
    fn from(view: SavedView) -> Self {
        Self {
            id: view.id,
            tenant_id: view.tenant_id,
            created_by: view.created_by,
            created_by_name: view.created_by_name,
            list: view.list,
            name: view.name,
            query: view.query,
            is_shared: view.is_shared,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}

/// The body that saves a view.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSavedView {
    pub list: ViewedList,
    /// 1 to 80 characters, not all spaces; unique among the own views of the list.
    #[schema(min_length = 1, max_length = 80, pattern = r"\S")]
    pub name: String,
    /// Of executions: `status` (several separated by commas), `type`, `workflow` (`namespace/name`), `agent` (an id), `label`
    /// (`name=value`, several separated by commas), `since` (`1h`, `24h`, `7d`, `30d`), `q`, `columns` (`none`, or several
    /// separated by commas). Values have at most 1 000 characters.
    pub query: BTreeMap<String, String>,
    /// Whether everybody of the tenant sees it; `false` when absent.
    #[serde(default)]
    pub is_shared: Option<bool>,
}

/// The body that changes a view. What is left out stays; a query is replaced as a whole.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSavedView {
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80, pattern = r"\S")]
    pub name: Option<String>,
    #[serde(default)]
    pub query: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub is_shared: Option<bool>,
}
