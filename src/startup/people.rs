//! Wires identity: who may sign in, and how.

use super::{Core, Error, blocking};
use crate::identity::{self, Identity};
use crate::settings::{self, Settings};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often what identity only remembers is stored.
const UPKEEP: Duration = Duration::from_secs(30);

/// Makes identity ready.
///
/// # Errors
/// When the signing key cannot be read or made.
pub async fn start_identity(settings: &Settings, core: &Core) -> Result<Identity, Error> {
    let options = identity_options(&settings.identity);
    let (store, clock, runtime) = (core.store.clone(), Arc::clone(&core.clock), tokio::runtime::Handle::current());
    blocking(move || {
        let _entered = runtime.enter();
        Ok(Identity::start(store, clock, options)?)
    })
    .await
}

/// The settings of identity as identity takes them.
pub fn identity_options(settings: &settings::Identity) -> identity::Options {
    identity::Options {
        signing_keys: settings.each_signing_key().map(str::to_owned).collect(),
        directory: PathBuf::from(&settings.directory),
        access_token_life: Duration::from_secs(settings.access_token_seconds),
        session_life: Duration::from_secs(settings.session_days.saturating_mul(24 * 3_600)),
    }
}

/// Stores what identity only remembers, again and again.
pub async fn keep_tidy(identity: Identity) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        identity.tidy().await;
    }
}
