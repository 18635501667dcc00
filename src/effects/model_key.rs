//! Keys of model endpoints: which of them an agent sends, and how.
//!
//! Which environment variable of the service may be sent to which endpoint is said by the operator; who edits agents only
//! chooses among them, so that nobody has a key sent to an address of their own. A secret of a tenant is given with the call,
//! opened by the actors, who have asked whether it may be used.

use super::agent::{Parameters, invalid};
use crate::domain::agent_key::{HEADER, SECRET, VARIABLE, check_header};
use crate::domain::{Failure, StandardType};
use reqwest::header::{self, HeaderName, HeaderValue};
use std::str::FromStr;
use url::{Origin, Url};

/// The keys of one call.
#[derive(Clone, Copy)]
pub struct Keys<'a> {
    /// What the operator has permitted.
    pub permitted: &'a [ModelKey],
    /// The opened secret that the agent names.
    pub secret: Option<&'a str>,
}

/// A header with a key, as it is sent.
pub type Credential = (HeaderName, HeaderValue);

impl Keys<'_> {
    /// What an agent sends to its endpoint; `None` when it has no key. `usual` is the variable that is meant when none is named.
    ///
    /// # Errors
    /// `validation` for parameters that make no sense, `authorization` for a variable that may not be sent there,
    /// `authentication` for a key that is missing or cannot be sent in a header.
    pub fn credential(
        self,
        parameters: Parameters<'_>,
        usual: Option<&str>,
        endpoint: &Url,
    ) -> Result<Option<Credential>, Failure> {
        let header = parameters.text(HEADER)?;
        if let Some(header) = header {
            check_header(header).map_err(|why| invalid(format!("the parameter `{HEADER}` {why}")))?;
        }
        let key = match (parameters.text(SECRET)?, parameters.text(VARIABLE)?) {
            (Some(_), Some(_)) => return Err(invalid(format!("an agent has one key: `{SECRET}` or `{VARIABLE}`"))),
            (Some(name), None) => {
                self.secret.ok_or_else(|| unusable(format!("the secret {name} was not given")))?.trim().to_owned()
            }
            (None, Some(variable)) => self.variable(variable, endpoint)?,
            (None, None) => match usual {
                Some(variable) => self.variable(variable, endpoint)?,
                None => return Ok(None),
            },
        };
        let (name, text) = match header {
            Some(header) if !header.eq_ignore_ascii_case(header::AUTHORIZATION.as_str()) => (
                HeaderName::from_bytes(header.as_bytes()).map_err(|error| invalid(format!("`{HEADER}`: {error}")))?,
                key,
            ),
            Some(_) | None => (header::AUTHORIZATION, format!("Bearer {key}")),
        };
        let value = HeaderValue::from_str(&text);
        let mut value = value.map_err(|_| unusable("the key has characters that no header can carry".to_owned()))?;
        value.set_sensitive(true);
        Ok(Some((name, value)))
    }

    fn variable(self, variable: &str, endpoint: &Url) -> Result<String, Failure> {
        if !self.permitted.iter().any(|key| key.permits(variable, endpoint)) {
            let origin = endpoint.origin().ascii_serialization();
            let detail = format!("the value of {variable} may not be sent to {origin}");
            let permit = format!("the operator permits it with {variable}={origin} in effects.http.model_keys");
            return Err(Failure::new(StandardType::Authorization, "Key not for this endpoint", detail)
                .retryable(false)
                .with_suggestion(format!("name a secret of your own in `{SECRET}`, or {permit}")));
        }
        let key = std::env::var(variable).unwrap_or_default();
        if !key.is_empty() && HeaderValue::from_str(&key).is_ok() {
            return Ok(key);
        }
        let detail = format!("the environment variable {variable} of the service holds no usable key");
        let start = format!("start the service with {variable} set");
        Err(Failure::new(StandardType::Authentication, "No API key", detail)
            .retryable(false)
            .with_suggestion(format!("name a secret of your own in `{SECRET}`, or {start}")))
    }
}

fn unusable(why: String) -> Failure {
    Failure::new(StandardType::Authentication, "No API key", why)
        .retryable(false)
        .with_suggestion("store the key again as a secret: one line of visible characters")
}

/// A variable, and the scheme, host and port that its value may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelKey {
    variable: String,
    origin: Origin,
}

/// A text that is no such pair.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` does not say which key goes where: write VARIABLE=ORIGIN, such as OPENAI_API_KEY=https://api.openai.com"
)]
pub struct InvalidModelKey(String);

impl ModelKey {
    /// Whether the value of a variable may be sent to an endpoint.
    pub fn permits(&self, variable: &str, endpoint: &Url) -> bool {
        self.variable == variable && self.origin == endpoint.origin()
    }
}

impl FromStr for ModelKey {
    type Err = InvalidModelKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidModelKey(text.to_owned());
        let (variable, address) = text.split_once('=').ok_or_else(invalid)?;
        let address: Url = address.trim().parse().map_err(|_| invalid())?;
        let is_origin =
            matches!(address.scheme(), "http" | "https") && address.path() == "/" && address.query().is_none();
        if variable.trim().is_empty() || !is_origin {
            return Err(invalid());
        }
        Ok(Self { variable: variable.trim().to_owned(), origin: address.origin() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_to_its_own_origin_alone() {
        let key: ModelKey = "OPENAI_API_KEY = https://api.openai.com".parse().unwrap();
        let permits = |variable: &str, endpoint: &str| key.permits(variable, &endpoint.parse().unwrap());
        assert!(permits("OPENAI_API_KEY", "https://api.openai.com:443/v1/chat/completions"));
        assert!(!permits("OTHER_API_KEY", "https://api.openai.com/v1"));
        for endpoint in
            ["http://api.openai.com/v1", "https://api.openai.com.example/v1", "https://api.openai.com:8443/"]
        {
            assert!(!permits("OPENAI_API_KEY", endpoint), "{endpoint}");
        }
    }

    #[test]
    fn anything_else_than_a_variable_and_an_origin_is_refused() {
        for text in ["", "KEY", "=https://a.example", "KEY=a.example", "KEY=https://a.example/v1", "KEY=file:///etc"] {
            assert!(text.parse::<ModelKey>().is_err(), "{text}");
        }
    }
}
