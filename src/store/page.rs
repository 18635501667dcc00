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
}

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
    pub(super) fn after(&self) -> Result<Option<[i64; 2]>, Error> {
        match self {
            Self::Cursor { cursor: Some(cursor), .. } => decode(cursor).map(Some),
            Self::Cursor { cursor: None, .. } | Self::Numbered { .. } => Ok(None),
        }
    }

    /// Cuts the extra row of [`PageRequest::window`] off and makes the cursor from the last row that stays.
    pub(super) fn page<T>(&self, mut items: Vec<T>, total: Option<u64>, key: impl Fn(&T) -> [i64; 2]) -> Page<T> {
        let Self::Cursor { limit, .. } = self else {
            return Page { items, next_cursor: None, total };
        };
        let limit = usize::try_from((*limit).clamp(1, MAX_PAGE_SIZE)).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|item| encode(key(item)));
        Page { items, next_cursor, total: None }
    }
}

fn encode(key: [i64; 2]) -> String {
    let bytes: Vec<u8> = key.iter().flat_map(|part| part.to_be_bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(cursor: &str) -> Result<[i64; 2], Error> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| Error::InvalidCursor)?;
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| Error::InvalidCursor)?;
    let both = u128::from_be_bytes(bytes);
    let part = |shift: u32| u64::try_from((both >> shift) & u128::from(u64::MAX)).map(u64::cast_signed);
    match (part(64), part(0)) {
        (Ok(first), Ok(second)) => Ok([first, second]),
        _ => Err(Error::InvalidCursor),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_and_anything_else_is_refused() {
        for key in [[0, 0], [i64::MAX, i64::MIN], [-1, 1_700_000_000_000_000]] {
            assert_eq!(decode(&encode(key)), Ok(key));
        }
        for text in ["", "x", "AAAA", "not base64!", &"A".repeat(40)] {
            assert_eq!(decode(text), Err(Error::InvalidCursor), "{text}");
        }
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let request = PageRequest::Cursor { cursor: None, limit: 2 };
        assert_eq!(request.window(), (3, 0));
        assert_eq!(request.page(vec![1, 2], None, |item| [*item, 0]).next_cursor, None);
        let page = request.page(vec![1, 2, 3], None, |item| [*item, 0]);
        assert_eq!((page.items, page.next_cursor), (vec![1, 2], Some(encode([2, 0]))));
    }
}
