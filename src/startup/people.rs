//! Wires identity: who may sign in, and how.

use super::{Core, Error, blocking};
use crate::domain::Role;
use crate::identity::oidc::{self, Mapping};
use crate::identity::{self, Identity};
use crate::settings::{self, Invalid, Problem, Settings, Texts};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How often what identity only remembers is stored.
const UPKEEP: Duration = Duration::from_secs(30);
/// What stands before the file that a secret is in.
const FILE: &str = "file:";

/// Makes identity ready.
///
/// # Errors
/// When the signing key or the secret of a provider cannot be read, or a provider's settings make no sense.
pub async fn start_identity(settings: &Settings, core: &Core) -> Result<Identity, Error> {
    let (settings, store, clock) = (settings.clone(), core.store.clone(), Arc::clone(&core.clock));
    let runtime = tokio::runtime::Handle::current();
    blocking(move || {
        let options = identity::Options { providers: providers(&settings)?, ..identity_options(&settings.identity) };
        let _entered = runtime.enter();
        Ok(Identity::start(store, clock, options)?)
    })
    .await
}

/// The settings of identity as identity takes them, without providers.
pub fn identity_options(settings: &settings::Identity) -> identity::Options {
    identity::Options {
        signing_keys: settings.each_signing_key().map(str::to_owned).collect(),
        directory: PathBuf::from(&settings.directory),
        access_token_life: Duration::from_secs(settings.access_token_seconds),
        session_life: Duration::from_secs(settings.session_days.saturating_mul(24 * 3_600)),
        refresh_grace: Duration::from_secs(settings.refresh_grace_seconds),
        providers: Vec::new(),
    }
}

/// The providers of the settings as identity takes them.
///
/// # Errors
/// Everything that is wrong with any of them.
fn providers(settings: &Settings) -> Result<Vec<oidc::Options>, Invalid> {
    let mut problems = Vec::new();
    let options = settings.providers.iter().filter_map(|named| provider(named, &mut problems)).collect();
    if problems.is_empty() { Ok(options) } else { Err(Invalid { problems }) }
}

fn provider(named: &settings::Named, problems: &mut Vec<Problem>) -> Option<oidc::Options> {
    let settings::Provider {
        label,
        issuer,
        client_id,
        client_secret,
        scopes,
        email_claim,
        groups_claim,
        roles,
        tenants,
        trust_email,
        link_by_email,
    } = &named.provider;
    let mut report = |key: &str, message: String| problems.push(Problem { key: named.key(key), message });
    let secret = secret(client_secret.expose()).map_err(|message| report("client_secret", message));
    let to_role = |word: &str| word.parse::<Role>().map_err(|_| "is no role".to_owned());
    let roles = mapping(roles, to_role).map_err(|message| report("roles", message));
    let tenants = mapping(tenants, |slug| Ok(slug.to_owned())).map_err(|message| report("tenants", message));
    let parsed = issuer.parse().map_err(|_| report("issuer", "must be an address".to_owned()));
    Some(oidc::Options {
        id: named.name.clone(),
        label: if label.is_empty() { named.name.clone() } else { label.clone() },
        issuer: parsed.ok()?,
        issuer_text: issuer.clone(),
        client_id: client_id.clone(),
        client_secret: secret.ok()?,
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        email_claim: email_claim.clone(),
        groups_claim: groups_claim.clone(),
        roles: roles.ok()?,
        tenants: tenants.ok()?,
        trust_email: *trust_email,
        link_by_email: *link_by_email,
    })
}

/// A secret as it stands there or in the file that is named there; none when it is empty.
fn secret(text: &str) -> Result<Option<String>, String> {
    let text = match text.strip_prefix(FILE) {
        None => text.to_owned(),
        Some(file) => {
            let read = std::fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
            let read = read.trim();
            if read.is_empty() {
                return Err(format!("{file} is empty"));
            }
            read.to_owned()
        }
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// `group=value`, as often as wanted. Groups may have `=` in their names, values do not.
fn mapping<T>(texts: &Texts, value: impl Fn(&str) -> Result<T, String>) -> Result<Mapping<T>, String> {
    let pair = |text: &String| {
        let (group, word) = text.rsplit_once('=').ok_or_else(|| format!("`{text}` must be written `group=value`"))?;
        let value = value(word.trim()).map_err(|why| format!("`{}` {why}", word.trim()))?;
        Ok((group.trim().to_owned(), value))
    };
    texts.0.iter().map(pair).collect::<Result<_, String>>().map(Mapping)
}

/// Stores what identity only remembers, again and again.
pub async fn keep_tidy(identity: Identity) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        identity.tidy().await;
    }
}
