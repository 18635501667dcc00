//! Lists: numbered pages, and cursors that stay stable while rows are inserted.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One numbered page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// 1 is the first.
    pub page: u64,
    /// Items per page.
    pub size: u64,
    /// Items on all pages.
    pub total: u64,
    /// Whether `total` is exact. Otherwise there are at least as many items: long filtered lists are not counted to their end,
    /// and a search (`q`, or other filters beside a label or an open status) looks at the newest executions only; lists by cursor go on.
    pub total_is_exact: bool,
    /// Number of pages; 0 when there is nothing.
    pub pages: u64,
}

impl<T> Page<T> {
    pub fn new(items: Vec<T>, page: u64, size: u64, total: u64) -> Self {
        Self { items, page, size, total, total_is_exact: true, pages: total.div_ceil(size.max(1)) }
    }
}

/// One stretch of a list, and where the next begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Stretch<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` to continue; `null` at the end.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A list: a [`Page`] when `page` and `size` were asked for or nothing, a [`Stretch`] with `cursor` or `limit`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum List<T> {
    Page(Page<T>),
    Stretch(Stretch<T>),
}
