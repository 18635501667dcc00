//! What a service needs beyond valid settings, depending on who can reach it.
//!
//! On the own machine with development settings everything may stay as it is. As soon as others can reach the service, because
//! it listens on more than loopback or has a public address, somebody has to have chosen the keys that sign-ins rest on,
//! the addresses it answers under, and the environment.

use super::{Environment, Invalid, Problem, Settings, is_loopback};
use std::collections::BTreeSet;

impl Settings {
    /// Checks what a service needs.
    ///
    /// # Errors
    /// [`Invalid`] with everything that is missing.
    pub fn check_service(&self) -> Result<(), Invalid> {
        let is_development = self.environment == Environment::Development;
        let host = &self.server.host;
        let public = &self.server.public_urls.0;
        let listens_to_others = !is_loopback(host);
        let is_reachable = listens_to_others || public.iter().any(|url| !url.is_loopback());
        let mut problems = Vec::new();
        let mut require = |holds: bool, key: &str, message: String| {
            if !holds {
                problems.push(Problem { key: key.to_owned(), message });
            }
        };
        require(
            self.is_environment_chosen || !is_reachable,
            "CALLBOARD_ENVIRONMENT",
            "must be set where others can reach the service: to `production`, or to `development` if everybody who signs \
             in may start processes on this machine"
                .to_owned(),
        );
        require(
            self.identity.each_signing_key().next().is_some() || (is_development && !is_reachable),
            "identity.signing_keys",
            "must be set outside development and where others can reach the service, as in \
             `CALLBOARD__IDENTITY__SIGNING_KEYS=$(openssl rand -hex 32)`"
                .to_owned(),
        );
        require(
            self.identity.each_signing_key().all(looks_random) || (is_development && !is_reachable),
            "identity.signing_keys",
            "must be random, as from `openssl rand -hex 32`: whoever knows an example, a word or a command that no shell has \
             run could be anybody"
                .to_owned(),
        );
        require(
            !listens_to_others || !public.is_empty(),
            "server.public_urls",
            format!(
                "must name the addresses under which people reach the service, since it listens on `{host}`, as in \
                 `CALLBOARD__SERVER__PUBLIC_URLS=https://callboard.example.com`"
            ),
        );
        for url in public.iter().filter(|url| !url.is_secure() && !url.is_loopback()) {
            require(
                is_development && self.is_environment_chosen,
                "server.public_urls",
                format!(
                    "`{url}` must begin with `https://` outside development: passwords and tokens would travel in the \
                     open. A proxy such as nginx in front of the service speaks TLS"
                ),
            );
        }
        if problems.is_empty() { Ok(()) } else { Err(Invalid { problems }) }
    }
}

/// What a key has at least that was drawn and not made up: 32 hexadecimal digits miss it a few times in a million.
const MIN_DISTINCT_CHARACTERS: usize = 9;

/// Whether nothing speaks against a key having been drawn at random.
fn looks_random(key: &str) -> bool {
    let is_of_a_key = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
    let distinct: BTreeSet<char> = key.chars().collect();
    key.chars().all(is_of_a_key) && distinct.len() >= MIN_DISTINCT_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::looks_random;
    use crate::settings::{Settings, Sources};

    /// The keys that are reported for settings `key=value` in an environment.
    fn reported(environment: Option<&str>, settings: &[&str]) -> Vec<String> {
        let overrides = settings.iter().filter_map(|setting| setting.split_once('='));
        let sources = Sources {
            environment: environment.map(str::to_owned),
            overrides: overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            ..Sources::default()
        };
        let checked = Settings::load(&sources).expect("valid").check_service();
        checked.err().map(|invalid| invalid.problems).into_iter().flatten().map(|problem| problem.key).collect()
    }

    const KEYS: &str = "identity.signing_keys=0123456789abcdef0123456789abcdef";
    const ANYWHERE: &str = "server.host=0.0.0.0";
    const PUBLIC: &str = "server.public_urls=https://callboard.example.com";

    #[test]
    fn on_the_own_machine_development_needs_nothing() {
        assert!(reported(None, &[]).is_empty());
        assert!(reported(Some("development"), &["server.host=::1"]).is_empty());
        assert!(reported(None, &["server.public_urls=http://localhost:8080"]).is_empty());
        assert_eq!(reported(Some("production"), &[]), ["identity.signing_keys"]);
        assert!(reported(Some("production"), &[KEYS]).is_empty());
    }

    #[test]
    fn where_others_can_reach_it_everything_that_is_missing_is_reported_at_once() {
        let all = ["CALLBOARD_ENVIRONMENT", "identity.signing_keys", "server.public_urls"];
        for host in [ANYWHERE, "server.host=::", "server.host=10.0.0.1", "server.host=callboard.example.com"] {
            assert_eq!(reported(None, &[host]), all, "{host}");
        }
        assert_eq!(reported(Some("production"), &[ANYWHERE]), all[1..]);
        assert_eq!(reported(Some("production"), &[ANYWHERE, KEYS]), all[2..]);
        assert!(reported(Some("production"), &[ANYWHERE, KEYS, PUBLIC]).is_empty());
        // A proxy in front makes it no less reachable.
        assert_eq!(reported(None, &[PUBLIC]), all[..2]);
        assert!(reported(Some("production"), &[KEYS, PUBLIC]).is_empty());
    }

    #[test]
    fn plain_text_is_for_development_on_purpose() {
        let plain = "server.public_urls=http://callboard.example.com,http://localhost:1";
        assert_eq!(reported(Some("production"), &[KEYS, plain]), ["server.public_urls"]);
        assert_eq!(reported(None, &[KEYS, plain]), ["CALLBOARD_ENVIRONMENT", "server.public_urls"]);
        assert!(reported(Some("development"), &[KEYS, plain]).is_empty());
    }

    #[test]
    fn placeholders_are_no_keys() {
        for key in [
            "3b1f0c7e5a9d42688e0f4b6c1d7a2953c4e8f0a1b2d3657f9081726354ac9bde",
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
            "0123456789abcdef0123456789abcdef",
        ] {
            assert!(looks_random(key), "{key}");
        }
        for key in [
            "the output of: openssl rand -hex 32",
            "$(openssl rand -hex 32)$(openssl rand -hex 32)",
            "changemechangemechangemechangeme",
            "00000000000000000000000000000000",
            "<put a long random secret in here, please>",
        ] {
            assert!(!looks_random(key), "{key}");
        }
    }
}
