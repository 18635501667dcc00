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
/// When the signing key cannot be read or made.
pub async fn start_identity(
    settings: &Settings,
    core: &Core,
    providers: Vec<oidc::Options>,
) -> Result<Identity, Error> {
    let options = identity::Options { providers, ..identity_options(&settings.identity) };
    let (store, clock, runtime) = (core.store.clone(), Arc::clone(&core.clock), tokio::runtime::Handle::current());
    blocking(move || {
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
/// Everything that is wrong with any of them, also secrets that cannot be read.
pub fn providers(settings: &Settings) -> Result<Vec<oidc::Options>, Invalid> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    /// Of a provider with further settings `key=value`.
    fn options(settings: &[(&str, &str)]) -> Result<Vec<oidc::Options>, Vec<String>> {
        let basics = [("issuer", "https://login.example.com"), ("client_id", "callboard"), ("roles", "*=viewer")];
        let all =
            basics.iter().chain(settings).map(|(key, value)| (format!("identity.oidc.lab.{key}"), (*value).to_owned()));
        let settings = Settings::load(&Sources { overrides: all.collect(), ..Sources::default() }).unwrap();
        providers(&settings).map_err(|invalid| invalid.problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn groups_may_be_called_anything() {
        let found = options(&[("roles", "CN=Ops=operator, staff = member"), ("tenants", "a=b=blue")]).unwrap();
        let entry = |group: &str, role| (group.to_owned(), role);
        assert_eq!(found[0].roles.0, [entry("CN=Ops", Role::Operator), entry("staff", Role::Member)]);
        assert_eq!(found[0].tenants.0, [("a=b".to_owned(), "blue".to_owned())]);
        assert_eq!((found[0].label.as_str(), found[0].client_secret.as_deref()), ("lab", None));
    }

    #[test]
    fn everything_wrong_is_reported_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        std::fs::write(&empty, "\n").unwrap();
        let secret = format!("file:{}", empty.display());
        let wrong = [("roles", "staff=boss"), ("tenants", "blue"), ("client_secret", secret.as_str())];
        let found = options(&wrong).unwrap_err();
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found[0].starts_with("identity.oidc.lab.client_secret: ") && found[0].ends_with("is empty"),
            "{found:?}"
        );
        assert_eq!(found[1], "identity.oidc.lab.roles: `boss` is no role");
        assert_eq!(found[2], "identity.oidc.lab.tenants: `blue` must be written `group=value`");
        std::fs::write(&empty, "hunter2\n").unwrap();
        let read = options(&[("client_secret", secret.as_str())]).unwrap();
        assert_eq!(read[0].client_secret.as_deref(), Some("hunter2"));
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
