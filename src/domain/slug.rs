//! Slugs: short names that stand in addresses, settings and sign-ins.

/// The longest slug.
pub const MAX_SLUG_CHARACTERS: usize = 63;

/// Whether a text is a slug: lower-case letters, digits and hyphens, no hyphen first or last.
pub fn is_slug(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_SLUG_CHARACTERS).contains(&text.len())
        && text.bytes().all(is_plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert!(is_slug("a-1") && is_slug(&"a".repeat(MAX_SLUG_CHARACTERS)));
        for text in ["", "-a", "a-", "A", "a_b", "a b", &"a".repeat(MAX_SLUG_CHARACTERS + 1)] {
            assert!(!is_slug(text), "{text}");
        }
    }
}
