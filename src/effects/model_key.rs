//! Keys of model endpoints: which environment variable of the service may be sent to which of them. The operator says so; who
//! edits agents only chooses among them, so that nobody has a key sent to an address of their own.

use std::str::FromStr;
use url::{Origin, Url};

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
