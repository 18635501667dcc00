//! Whether the database takes a write: asked when it has refused one, to tell a refused row from a database in trouble.

use super::statement::{Bind, Statement};
use super::{Error, Store, digest};
use diesel::prelude::*;

/// A trial is not larger than this, in bytes, whatever was refused.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// No event has this position, and no execution this id.
const POSITION: i64 = -1;
const NOBODY: &str = "trial";

impl Store {
    /// Writes about as many bytes as a refused write had to where events are kept, takes them away again, and commits that.
    ///
    /// # Errors
    /// When the database does not take that either.
    pub async fn try_write(&self, size_bytes: usize) -> Result<(), Error> {
        let text = incompressible(size_bytes.min(MOST_BYTES));
        self.writer
            .run(move |connection| {
                Statement::new(
                    "INSERT INTO journal (position, tenant_id, execution_id, first_seq, last_seq, events) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                    vec![
                        Bind::Integer(POSITION),
                        Bind::Text(NOBODY),
                        Bind::Text(NOBODY),
                        Bind::Integer(0),
                        Bind::Integer(0),
                        Bind::Text(&text),
                    ],
                )
                .execute(connection)?;
                Statement::new("DELETE FROM journal WHERE position = ?", vec![Bind::Integer(POSITION)])
                    .execute(connection)?;
                Ok(())
            })
            .await
    }
}

/// A text that a database cannot store in fewer bytes.
fn incompressible(size_bytes: usize) -> String {
    let mut text = String::with_capacity(size_bytes + 64);
    for number in 0_u64.. {
        if text.len() >= size_bytes {
            break;
        }
        text.push_str(&digest(&number.to_le_bytes()));
    }
    text
}
