//! No line of the log holds a secret that is in memory: the last net behind all others, also for panics and the texts of
//! libraries.

use crate::domain::Secrets;
use std::borrow::Cow;
use std::io;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use tracing_subscriber::fmt::MakeWriter;

/// The secrets that are opened at present.
static OPENED: RwLock<Vec<Weak<Secrets>>> = RwLock::new(Vec::new());

/// Keeps secrets out of log lines for as long as they are held.
pub fn hide(secrets: &Arc<Secrets>) {
    if secrets.redactor().is_empty() {
        return;
    }
    let mut opened = OPENED.write().unwrap_or_else(PoisonError::into_inner);
    opened.retain(|known| known.strong_count() > 0);
    opened.push(Arc::downgrade(secrets));
}

/// A text without the secrets that are opened at present.
pub fn hidden(text: &str) -> Cow<'_, str> {
    let opened = OPENED.read().unwrap_or_else(PoisonError::into_inner);
    let secrets = opened.iter().filter_map(Weak::upgrade);
    secrets.fold(Cow::Borrowed(text), |text, secrets| match secrets.redactor().cut_text(&text) {
        Some(hidden) => Cow::Owned(hidden),
        None => text,
    })
}

/// Writes lines without secrets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hiding<W>(pub(super) W);

impl<'writer, W: MakeWriter<'writer>> MakeWriter<'writer> for Hiding<W> {
    type Writer = HidingWriter<W::Writer>;

    fn make_writer(&'writer self) -> Self::Writer {
        HidingWriter(self.0.make_writer())
    }
}

/// A line is written at once, so that no secret is torn apart.
#[derive(Debug)]
pub(super) struct HidingWriter<W>(W);

impl<W: io::Write> io::Write for HidingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(hidden(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
