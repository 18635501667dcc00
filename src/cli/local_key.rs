//! An API key made on the database itself, without a service: whoever may write the database may make keys.

use super::error::Error;
use crate::clock::SystemClock;
use crate::domain::{Role, Scopes, TenantId};
use crate::identity::{self, Identity, NewKey, Writer};
use crate::store::{self, Store};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Makes a key for an operator, on a database that no service works on, which is brought up to date first. `directory` is
/// where identity keeps its files.
///
/// # Errors
/// When the database cannot be opened or written.
pub fn make(store_url: &str, directory: &Path, name: &str) -> Result<String, Error> {
    let (url, directory, name) = (store_url.to_owned(), directory.to_owned(), name.to_owned());
    // On a thread of its own: the caller may be inside a runtime.
    let made = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Error::failure(format!("cannot start the event loop: {error}")))?;
        runtime.block_on(issue(url, &directory, name))
    });
    made.join().unwrap_or_else(|_| Err(Error::failure("making an API key failed")))
}

async fn issue(url: String, directory: &Path, name: String) -> Result<String, Error> {
    let clock = Arc::new(SystemClock);
    let store = Store::open(&store::Options::new(url), clock.clone()).map_err(failed)?;
    let options = identity::Options {
        signing_keys: Vec::new(),
        directory: directory.to_owned(),
        access_token_life: Duration::from_secs(900),
        session_life: Duration::from_secs(3_600),
        providers: Vec::new(),
        refresh_grace: Duration::from_secs(10),
    };
    let identity = Identity::start(store.clone(), clock, options).map_err(failed)?;
    let new = NewKey {
        tenant_id: TenantId::DEFAULT,
        user_id: None,
        name,
        role: Role::Operator,
        scopes: Scopes::default(),
        expires_at: None,
    };
    let issued = identity.issue_key(new, &Writer::command_line()).await;
    identity.close().await;
    store.close().await;
    Ok(issued.map_err(failed)?.text)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::failure(format!("cannot make an API key: {error}"))
}
