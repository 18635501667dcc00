//! Pages of lists: numbered ones with a total, and ones by cursor that stay stable while rows are added.

use super::Error;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The largest page.
pub const MAX_PAGE_SIZE: u32 = 100;

/// Which part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageRequest {
    /// `number` counts from 1.
    Numbered { number: u32, size: u32 },
    /// From the start when `cursor` is absent, else from where the page that gave it ended.
    Cursor { cursor: Option<String>, limit: u32 },
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Continues after the last item; absent when there is no more. Only for requests by cursor.
    pub next_cursor: Option<String>,
    /// Length of the whole list. Only for numbered requests.
    pub total: Option<u64>,
    /// Whether `total` is the length; otherwise the list has at least as many items.
    pub total_is_exact: bool,
}

/// What orders a list: an instant in microseconds, and what tells rows of the same instant apart.
pub(super) type Key = (i64, String);

impl PageRequest {
    /// How many rows to ask the database for, and how many to leave out. By cursor one more than wanted is read: it tells
    /// whether there is a next page.
    pub(super) fn window(&self) -> (i64, i64) {
        match self {
            Self::Numbered { number, size } => {
                let size = i64::from((*size).clamp(1, MAX_PAGE_SIZE));
                (size, i64::from(number.saturating_sub(1)).saturating_mul(size))
            }
            Self::Cursor { limit, .. } => (i64::from((*limit).clamp(1, MAX_PAGE_SIZE)) + 1, 0),
        }
    }

    /// The key after which a page by cursor starts.
    pub(super) fn after(&self) -> Result<Option<Key>, Error> {
        match self {
            Self::Cursor { cursor: Some(cursor), .. } => decode(cursor).map(Some),
            Self::Cursor { cursor: None, .. } | Self::Numbered { .. } => Ok(None),
        }
    }

    /// Cuts the extra row of [`PageRequest::window`] off and makes the cursor from the last row that stays.
    pub(super) fn page<T>(&self, mut items: Vec<T>, total: Option<u64>, key: impl Fn(&T) -> Key) -> Page<T> {
        let Self::Cursor { limit, .. } = self else {
            return Page { items, next_cursor: None, total, total_is_exact: true };
        };
        let limit = usize::try_from((*limit).clamp(1, MAX_PAGE_SIZE)).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| encode(&key(item)));
        Page { items, next_cursor, total: None, total_is_exact: true }
    }
}

pub(super) fn encode((at, tie): &Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{at}.{tie}"))
}

fn decode(cursor: &str) -> Result<Key, Error> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::InvalidCursor)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::InvalidCursor)?;
    let (at, tie) = text.split_once('.').ok_or(Error::InvalidCursor)?;
    Ok((at.parse().map_err(|_| Error::InvalidCursor)?, tie.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_anything_else_is_refused() {
        for key in [(0, String::new()), (i64::MIN, "a.b".to_owned()), (1_700_000_000_000_000, "42".to_owned())] {
            assert_eq!(decode(&encode(&key)), Ok(key));
        }
        for text in ["", "x", "AAAA", "not base64!", &"A".repeat(40)] {
            assert_eq!(decode(text), Err(Error::InvalidCursor), "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let key = |item: &i64| (*item, String::new());
        let request = PageRequest::Cursor { cursor: None, limit: 2 };
        assert_eq!(request.window(), (3, 0));
        assert_eq!(request.page(vec![1, 2], None, key).next_cursor, None);
        let page = request.page(vec![1, 2, 3], None, key);
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], Some(encode(&key(&2)))));
    }
}
