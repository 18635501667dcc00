//! Large values: content-addressed, stored once, transparent to readers.
//!
//! A text column of the other tables holds either JSON or, for a value above [`INLINE_LIMIT_BYTES`], `sha256:<digest>`.
//! No JSON text starts like that.

use super::Error;
use super::connection::AnyConnection;
use super::schema::blobs;
use super::statement::{Bind, Statement};
use diesel::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write;

/// Values above this many bytes leave their row.
pub const INLINE_LIMIT_BYTES: usize = 64 * 1024;

const REFERENCE_PREFIX: &str = "sha256:";

/// How many blobs one query fetches.
const FETCH_CHUNK: usize = 100;

/// A text with the place where it is stored.
#[derive(Debug)]
pub(super) enum Stored {
    Inline(String),
    Blob { reference: String, text: String },
}

impl Stored {
    /// What the row's column holds.
    pub fn column(&self) -> &str {
        match self {
            Self::Inline(text) => text,
            Self::Blob { reference, .. } => reference,
        }
    }

    pub fn size_bytes(&self) -> usize {
        match self {
            Self::Inline(text) | Self::Blob { text, .. } => text.len(),
        }
    }
}

/// Decides where a text goes.
pub(super) fn place(text: String) -> Stored {
    if text.len() <= INLINE_LIMIT_BYTES {
        return Stored::Inline(text);
    }
    Stored::Blob { reference: format!("{REFERENCE_PREFIX}{}", digest(text.as_bytes())), text }
}

/// Lower-case hex SHA-256.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The statement that stores a blob unless it is there already.
pub(super) fn insert<'a>(reference: &'a str, text: &'a str, created_at: i64) -> Statement<'a> {
    Statement::new(
        "INSERT INTO blobs (digest, content, size_bytes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        vec![
            Bind::Text(reference),
            Bind::Text(text),
            Bind::Integer(i64::try_from(text.len()).unwrap_or(i64::MAX)),
            Bind::Integer(created_at),
        ],
    )
}

/// Replaces the references among `columns` by the texts they stand for.
pub(super) fn resolve<'a>(
    connection: &mut AnyConnection,
    columns: impl IntoIterator<Item = &'a mut String>,
) -> Result<(), Error> {
    let mut wanted: Vec<&mut String> =
        columns.into_iter().filter(|column| column.starts_with(REFERENCE_PREFIX)).collect();
    for chunk in wanted.chunks_mut(FETCH_CHUNK) {
        let references: Vec<&str> = chunk.iter().map(|column| column.as_str()).collect();
        let found: HashMap<String, String> = blobs::table
            .filter(blobs::digest.eq_any(references))
            .select((blobs::digest, blobs::content))
            .load::<(String, String)>(connection)?
            .into_iter()
            .collect();
        for column in chunk {
            let Some(text) = found.get(column.as_str()) else {
                return Err(Error::corrupt("value", format!("{column} is missing")));
            };
            text.clone_into(column);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_leaves_its_row_only_above_the_limit() {
        assert_eq!(place("x".repeat(INLINE_LIMIT_BYTES)).column().len(), INLINE_LIMIT_BYTES);
        let large = place("x".repeat(INLINE_LIMIT_BYTES + 1));
        assert_eq!(large.column().len(), REFERENCE_PREFIX.len() + 64);
        assert_eq!(large.size_bytes(), INLINE_LIMIT_BYTES + 1);
    }

    #[test]
    fn the_digest_is_the_known_one() {
        assert_eq!(digest(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
