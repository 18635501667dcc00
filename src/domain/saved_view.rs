//! Saved views: what somebody wants to see of a list, under a name.
//!
//! A view says the same as the address of the page that shows the list, word by word: a link and a view can be made of each
//! other. Which words a list knows is fixed here, so nothing of unbounded size is ever kept. What a view finds is the
//! business of whoever opens it: it lets nobody see more.

use super::words::words;
use super::{AgentId, ExecutionId, ExecutionType, SavedViewId, Status, TenantId, Timestamp, UserId};
use std::collections::BTreeMap;

/// How many views one owner keeps in a tenant, of all lists together.
pub const MAX_PER_OWNER: u32 = 100;
/// The longest name.
pub const MAX_NAME_CHARACTERS: usize = 80;
/// The longest value in a query, as long as that of a query parameter.
pub const MAX_VALUE_CHARACTERS: usize = 1_000;

/// A list that views can be saved of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewedList {
    Executions,
}

words!(ViewedList { Executions = "executions" });

/// One saved view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedView {
    pub id: SavedViewId,
    pub tenant_id: TenantId,
    /// Whose it is: the id of a person, or of a key that belongs to nobody.
    pub created_by: String,
    /// Their name as it is now, when they are still there. The store fills it in.
    pub created_by_name: Option<String>,
    /// The person, with whom it goes.
    pub user_id: Option<UserId>,
    pub list: ViewedList,
    /// Unique among the owner's views of the list.
    pub name: String,
    /// Filters and columns, as the address of the page says them.
    pub query: BTreeMap<String, String>,
    /// Whether everybody of the tenant sees it.
    pub is_shared: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Something in a query that its list does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Which entry.
    pub name: String,
    /// What is wrong with it, in words for people.
    pub detail: String,
}

/// Checks a name.
///
/// # Errors
/// A phrase for people.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if !(1..=MAX_NAME_CHARACTERS).contains(&length) || name.trim() != name {
        return Err(format!("must be 1 to {MAX_NAME_CHARACTERS} characters without spaces around them"));
    }
    if name.chars().any(char::is_control) {
        return Err("contains a control character".to_owned());
    }
    Ok(())
}

/// Checks a query: it holds what its list knows, and nothing else.
///
/// # Errors
/// Every entry that is wrong.
pub fn check_query(list: ViewedList, query: &BTreeMap<String, String>) -> Result<(), Vec<Mistake>> {
    let fields = list.fields();
    let mistakes: Vec<Mistake> = query
        .iter()
        .filter_map(|(name, value)| {
            let detail = match fields.iter().find(|field| field.name == name) {
                None => format!("is none of {}", names(fields)),
                Some(_) if value.chars().count() > MAX_VALUE_CHARACTERS => {
                    format!("is longer than {MAX_VALUE_CHARACTERS} characters")
                }
                Some(_) if value.chars().any(char::is_control) => "contains a control character".to_owned(),
                Some(field) if value.is_empty() || !(field.is_valid)(value) => format!("must be {}", field.expected),
                Some(_) => return None,
            };
            Some(Mistake { name: name.clone(), detail })
        })
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// An entry that the query of a list may hold.
struct Field {
    name: &'static str,
    /// What it looks like, in words for people.
    expected: &'static str,
    is_valid: fn(&str) -> bool,
}

/// How far back `since` looks.
const SPANS: [&str; 4] = ["1h", "24h", "7d", "30d"];
/// Those that can be chosen; name and status are always there.
const COLUMNS: [&str; 7] = ["version", "owner", "progress", "duration", "priority", "labels", "created"];
/// What `columns` says when none is chosen.
const NO_COLUMNS: &str = "none";

const EXECUTIONS: &[Field] = &[
    Field {
        name: "status",
        expected: "statuses separated by commas, such as 'failed,cancelled'",
        is_valid: |value| each(value, |word| Status::ALL.iter().any(|status| status.as_str() == word)),
    },
    Field {
        name: "type",
        expected: "a type of execution, such as 'agent_test'",
        is_valid: |value| ExecutionType::ALL.iter().any(|kind| kind.as_str() == value),
    },
    Field {
        name: "workflow",
        expected: "the name of a workflow, 'namespace/name'",
        is_valid: |value| value.split_once('/').is_some_and(|(space, name)| !space.is_empty() && !name.is_empty()),
    },
    Field { name: "agent", expected: "the id of an agent", is_valid: |value| value.parse::<AgentId>().is_ok() },
    Field {
        name: "parent",
        expected: "the id of an execution",
        is_valid: |value| value.parse::<ExecutionId>().is_ok(),
    },
    Field { name: "continued", expected: "true or false", is_valid: |value| value.parse::<bool>().is_ok() },
    Field {
        name: "label",
        expected: "labels separated by commas, such as 'team=blue,stage=test'",
        is_valid: |value| each(value, |pair| pair.split_once('=').is_some_and(|(name, _)| !name.trim().is_empty())),
    },
    Field { name: "since", expected: "one of 1h, 24h, 7d, 30d", is_valid: |value| SPANS.contains(&value) },
    Field { name: "q", expected: "a text", is_valid: |value| !value.trim().is_empty() },
    Field {
        name: "columns",
        expected: "'none', or of version, owner, progress, duration, priority, labels, created some that commas separate",
        is_valid: |value| value == NO_COLUMNS || each(value, |column| COLUMNS.contains(&column)),
    },
];

impl ViewedList {
    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Executions => EXECUTIONS,
        }
    }
}

fn each(value: &str, is_valid: impl Fn(&str) -> bool) -> bool {
    value.split(',').all(is_valid)
}

fn names(fields: &[Field]) -> String {
    fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(entries: &[(&str, &str)]) -> Vec<String> {
        let query = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mistakes = check_query(ViewedList::Executions, &query).err().unwrap_or_default();
        mistakes.into_iter().map(|mistake| mistake.name).collect()
    }

    #[test]
    fn what_the_page_can_say_can_be_saved() {
        let said = [
            ("status", "failed,running"),
            ("type", "agent_test"),
            ("workflow", "examples/hello"),
            ("agent", "0198c5a0-7c1e-7000-8000-000000000003"),
            ("parent", "0198c5a0-7c1e-7000-8000-000000000004"),
            ("continued", "false"),
            ("label", "team=blue,formula=a=b,empty="),
            ("since", "24h"),
            ("q", "out of memory"),
            ("columns", "owner,created"),
        ];
        assert_eq!(said.len(), EXECUTIONS.len(), "every entry is tried");
        assert_eq!(checked(&said), Vec::<String>::new());
        assert_eq!(checked(&[("columns", "none")]), Vec::<String>::new());
        assert_eq!(checked(&[]), Vec::<String>::new());
    }

    #[test]
    fn what_the_page_does_not_know_is_named() {
        let long = "x".repeat(MAX_VALUE_CHARACTERS + 1);
        for (name, value) in [
            ("status", "failed,lost"),
            ("status", "completed"),
            ("status", ""),
            ("type", "dream"),
            ("workflow", "hello"),
            ("workflow", "/hello"),
            ("agent", "echo"),
            ("parent", "hello"),
            ("continued", "no"),
            ("label", "team"),
            ("label", "=blue"),
            ("since", "2y"),
            ("q", " "),
            ("q", "a\u{0}b"),
            ("q", &long),
            ("columns", "owner,none"),
            ("view", "1"),
        ] {
            assert_eq!(checked(&[(name, value), ("since", "1h")][..1]), [name], "{name}={value}");
        }
        assert_eq!(checked(&[("a", "1"), ("since", "1h"), ("z", "1")]), ["a", "z"], "all of them at once");
    }

    #[test]
    fn names_are_for_people() {
        for name in ["a", "Nightly: failed", "夜间失败", &"x".repeat(MAX_NAME_CHARACTERS)] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", " ", " a", "a ", "a\nb", &"x".repeat(MAX_NAME_CHARACTERS + 1)] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
