//! Finding text without regard to case, the same on both databases.

use diesel::sql_types::{Nullable, Text};

diesel::define_sql_function! {
    fn lower(text: Text) -> Text;
}

diesel::define_sql_function! {
    #[sql_name = "lower"]
    fn lower_or_null(text: Nullable<Text>) -> Nullable<Text>;
}

/// A `LIKE` pattern for "contains", to be compared with lower-case text and `\` as the escape.
pub(super) fn contains_pattern(text: &str) -> String {
    let escaped = text.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
