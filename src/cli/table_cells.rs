//! Cells of tables that several commands show.

use super::client::text_at;
use super::terminal::duration;
use crate::domain::Timestamp;
use serde_json::Value;

/// The instant at a JSON pointer, to the second; empty when there is none.
pub fn instant(value: &Value, pointer: &str) -> String {
    let text = text_at(value, pointer);
    match text.parse::<Timestamp>() {
        Ok(instant) => instant.to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => text,
    }
}

/// The time between two instants; empty unless both are there.
pub fn between(value: &Value, earlier: &str, later: &str) -> String {
    let parse = |pointer| text_at(value, pointer).parse::<Timestamp>().ok();
    match (parse(earlier), parse(later)) {
        (Some(earlier), Some(later)) => duration(later.millis_since(earlier)),
        _ => String::new(),
    }
}
