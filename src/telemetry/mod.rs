//! What the service says about itself: log lines with spans, and metrics.
//!
//! Names of spans and fields are constants here, so that a search for `execution_id` finds the same thing everywhere.
//! What never goes into a line or a label: inputs, outputs, headers, credentials, and addresses with passwords
//! ([`crate::settings::ConnectionUrl`] hides its own).

pub mod field;
mod hiding;
mod metrics;
mod upkeep;

pub use hiding::{hidden, hide};
pub use metrics::{Connected, Journal, Metrics};

use crate::domain::ExecutionId;
use crate::settings::{self, LogFormat};
use std::io::{self, IsTerminal};
use tracing::Span;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

/// Why log lines cannot be written as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("telemetry.level: {0}")]
    Level(#[from] tracing_subscriber::filter::ParseError),
    #[error("log lines are already going somewhere else: {0}")]
    Installed(#[from] tracing_subscriber::util::TryInitError),
}

/// Sends the log lines of this process to standard error. Once per process.
///
/// # Errors
/// When the level cannot be parsed, or a subscriber has been installed before.
pub fn install(settings: &settings::Telemetry) -> Result<(), Error> {
    let colors = io::stderr().is_terminal();
    Ok(tracing_subscriber::registry().with(layer(settings, colors, io::stderr)?).try_init()?)
}

/// Lines in the form of the settings, written to `writer`.
fn layer<W>(settings: &settings::Telemetry, colors: bool, writer: W) -> Result<impl Layer<Registry>, Error>
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let filter = EnvFilter::try_new(&settings.level)?;
    let lines = tracing_subscriber::fmt::layer().with_writer(hiding::Hiding(writer));
    let lines = match settings.format {
        LogFormat::Human => lines.with_ansi(colors).with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed(),
    };
    Ok(lines.with_filter(filter))
}

/// The span of everything that is done for one execution.
pub fn execution_span(id: ExecutionId) -> Span {
    tracing::info_span!("execution", { field::EXECUTION_ID } = %id)
}

/// The span of one request. The path is logged without its query, which may carry a token.
pub fn request_span(request_id: &str, method: &str, path: &str) -> Span {
    tracing::info_span!(
        "request",
        { field::REQUEST_ID } = request_id,
        { field::METHOD } = method,
        { field::PATH } = path,
        { field::STATUS } = tracing::field::Empty,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use uuid::Uuid;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn written(format: LogFormat, level: &str, say: impl FnOnce()) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let settings = settings::Telemetry { format, level: level.to_owned(), reports: String::new() };
        let layer = layer(&settings, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        lines.text()
    }

    #[test]
    fn a_json_line_carries_the_execution_it_belongs_to() {
        let id = ExecutionId(Uuid::from_u128(7));
        let text = written(LogFormat::Json, "info", || {
            let _span = execution_span(id).entered();
            tracing::info!({ field::TASK } = "/do/0/greet", "task started");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "task started");
        assert_eq!(line[field::TASK], "/do/0/greet");
        assert_eq!(line["spans"][0][field::EXECUTION_ID], id.to_string());
    }

    #[test]
    fn a_line_holds_no_secret_that_is_opened() {
        use crate::domain::secret::{Opened, Secrets};
        let opened = Arc::new(Opened::new(serde_json::json!("log-me-\"not\"-42")));
        let secrets = Arc::new(Secrets::new(vec![("key".into(), Ok(opened))]));
        hide(&secrets);
        for format in [LogFormat::Json, LogFormat::Human] {
            let text = written(format, "info", || {
                let _span = tracing::info_span!("request", path = "/a?k=log-me-%22not%22-42").entered();
                tracing::error!(panic = "log-me-\"not\"-42", "got log-me-\"not\"-42 here");
            });
            assert!(!text.contains("log-me") && text.contains("got *** here"), "{text}");
        }
        drop(secrets);
        assert!(written(LogFormat::Human, "info", || tracing::info!("log-me-\"not\"-42")).contains("log-me"));
    }

    #[test]
    fn the_level_decides_what_is_written() {
        let say = || {
            tracing::debug!("quiet");
            tracing::warn!("loud");
        };
        let text = written(LogFormat::Human, "warn", say);
        assert!(text.contains("loud") && !text.contains("quiet"), "{text}");
    }
}
