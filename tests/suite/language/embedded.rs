//! Runs cases in the real engine of this process, on a database in a temporary folder.

use super::case::{Case, Run, with_document};
use super::virtual_time::line;
use callboard::actors::{Runnable, Scope, Submission};
use callboard::clock::SystemClock;
use callboard::domain::definition::{Definition, parse};
use callboard::domain::{ExecutionId, TenantId};
use callboard::settings::{Settings, Sources};
use callboard::startup::Core;
use futures_util::StreamExt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long one case may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Embedded {
    core: Core,
    _folder: TempDir,
}

impl Embedded {
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let settings = settings(&folder);
        let core = Core::start(&settings, Arc::new(SystemClock), Instant::now()).await.unwrap();
        Self { core, _folder: folder }
    }

    pub async fn stop(self) {
        self.core.stop(Duration::from_secs(5)).await;
    }

    /// Registers the children of a case, submits its definition and waits for the end.
    pub async fn run(&self, case: &Case, definition: Arc<Definition>) -> Run {
        for child in &case.children {
            let text = with_document(child.clone());
            let child = parse(&text).unwrap_or_else(|problems| panic!("{}: {problems:#?}", case.rule));
            self.core.engine.store().register_workflow(TenantId::DEFAULT, &child, text, None).await.unwrap();
        }
        let submission = Submission::new(TenantId::DEFAULT, Runnable::Inline(definition), case.input());
        let id = self.core.engine.submit(submission).await.unwrap_or_else(|why| panic!("{}: {why}", case.rule)).id;
        let ended = tokio::time::timeout(PATIENCE, self.until_ended(id)).await;
        ended.unwrap_or_else(|_| panic!("{} does not end", case.rule))
    }

    async fn until_ended(&self, id: ExecutionId) -> Run {
        let mut feed = self.core.engine.feed(TenantId::DEFAULT, Scope::Execution { id, after_seq: 0 });
        loop {
            let execution = self.core.engine.store().execution(TenantId::DEFAULT, id).await.unwrap();
            if execution.status.is_terminal() {
                return Run {
                    status: execution.status.to_string(),
                    output: execution.output,
                    error: execution.error.map(|failure| failure.to_expression_value()),
                    timers: Vec::new(),
                    took_ms: 0,
                    journal: self.journal(id).await,
                };
            }
            feed.next().await.unwrap();
        }
    }

    async fn journal(&self, id: ExecutionId) -> Vec<String> {
        let history = self.core.engine.store().history(TenantId::DEFAULT, id, 0, 500, Vec::new()).await.unwrap();
        history.iter().map(|row| line(&serde_json::from_str(&row.json).unwrap())).collect()
    }
}

fn settings(folder: &TempDir) -> Settings {
    let database = format!("sqlite:{}", folder.path().join("callboard.db").display());
    let overrides =
        [("store.url", database.as_str()), ("effects.shell.enabled", "true"), ("effects.http.allow_private", "true")];
    let overrides = overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
    Settings::load(&Sources { overrides, ..Sources::default() }).unwrap()
}
