//! Changes of things that somebody has looked at first: only what they changed is written. What somebody else has changed
//! meanwhile stays, and what both have changed is refused, so that no slow request brings back what was.
//!
//! Called by what replaces whole rows: of people, tenants and saved views.

use super::Error;

/// What one field becomes, of what it was when it was looked at, what it should be, and what it is by now.
///
/// # Errors
/// [`Error::Obstacle`] when it has become something else meanwhile.
pub(super) fn merge<T: PartialEq>(known: T, wanted: T, current: T) -> Result<T, Error> {
    if wanted == known || wanted == current {
        return Ok(current);
    }
    if current == known {
        return Ok(wanted);
    }
    Err(Error::Obstacle { message: "it has been changed meanwhile: look at it again".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_changed_stays() {
        assert_eq!(merge("a", "b", "a").ok(), Some("b"));
        assert_eq!(merge("a", "a", "c").ok(), Some("c"));
        assert_eq!(merge("a", "b", "b").ok(), Some("b"));
        assert!(matches!(merge("a", "b", "c"), Err(Error::Obstacle { .. })));
    }
}
