//! Redaction of a text that arrives in pieces, in which a secret may be torn apart.

use super::hide;
use crate::domain::Secrets;
use std::ops::Range;
use std::sync::Arc;

/// Takes pieces and gives them on without secrets. What could be the beginning of one is held back until it is clear.
#[derive(Debug)]
pub struct RedactedStream {
    secrets: Arc<Secrets>,
    held: String,
}

impl RedactedStream {
    pub fn new(secrets: Arc<Secrets>) -> Self {
        Self { secrets, held: String::new() }
    }

    /// What may be shown after this piece; possibly nothing.
    pub fn push(&mut self, piece: &str) -> String {
        let redactor = self.secrets.redactor();
        self.held.push_str(piece);
        if redactor.is_empty() {
            return std::mem::take(&mut self.held);
        }
        let begun = self.held.len() - redactor.begun_at_end(&self.held);
        let spans = redactor.spans(&self.held);
        // A secret that reaches into what is held may be part of a longer one. One that repeats without end is not waited for.
        let reaching = spans.iter().find(|span| span.start < begun && begun < span.end).map(|span| span.start);
        let cut =
            reaching.filter(|start| self.held.len() - start <= redactor.longest.saturating_mul(4)).unwrap_or(begun);
        self.take(before(&spans, cut), cut)
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        self.secrets.redactor().cut_text(&held).unwrap_or(held)
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.held.len()
    }

    fn take(&mut self, spans: Vec<Range<usize>>, cut: usize) -> String {
        let rest = self.held.split_off(cut);
        let shown = std::mem::replace(&mut self.held, rest);
        if spans.is_empty() { shown } else { hide(&shown, &spans) }
    }
}

/// The spans before a cut.
fn before(spans: &[Range<usize>], cut: usize) -> Vec<Range<usize>> {
    spans.iter().filter(|span| span.start < cut).map(|span| span.start..span.end.min(cut)).collect()
}
