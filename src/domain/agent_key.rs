//! How an agent comes to its key: which of its parameters say so, and what they may be. Whether the secret is there, and who
//! may use it, is asked by whoever stores the agent and, at every call, by the actors. Why it is so: ADR 0042.

use super::secret::check_name;
use super::{Adapter, Agent};
use serde_json::{Map, Value};

/// The parameter that names a secret of the tenant for which the agent is asked.
pub const SECRET: &str = "api_key_secret";
/// The parameter that names an environment variable of the service.
pub const VARIABLE: &str = "api_key_env";
/// The parameter that names the header that carries the key as it is; `Authorization: Bearer …` without it.
pub const HEADER: &str = "api_key_header";

/// The longest name of a header, in bytes.
const MAX_HEADER_BYTES: usize = 64;
/// Parameters that no adapter has, and whose names say that they are a credential. Parameters are shown to everybody who may
/// see the agent.
const CREDENTIALS: [&str; 10] = [
    "api_key",
    "apikey",
    "apiKey",
    "api-key",
    "access_token",
    "authorization",
    "Authorization",
    "password",
    "secret",
    "token",
];
/// Headers that mean something else, or that the client writes itself.
const OTHER_HEADERS: [&str; 17] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "traceparent",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl Agent {
    /// The secret that is its key. It is always one of the tenant for which the agent is asked, also when the agent belongs to
    /// the system.
    pub fn key_secret(&self) -> Option<&str> {
        match self.adapter {
            Adapter::Openai => self.parameters.get(SECRET).and_then(Value::as_str),
            Adapter::Builtin | Adapter::Command => None,
        }
    }
}

/// Says what is wrong with the parameters that are about the key: the parameter, and a phrase for people.
pub fn check(adapter: Adapter, parameters: &Map<String, Value>) -> Vec<(&'static str, String)> {
    let given = |name: &str| parameters.get(name).filter(|value| !value.is_null());
    let mut problems = Vec::new();
    for name in [SECRET, HEADER] {
        let Some(value) = given(name) else { continue };
        let checked = match (adapter, value.as_str()) {
            (Adapter::Builtin | Adapter::Command, _) => Err("is for the adapter openai alone".to_owned()),
            (Adapter::Openai, Some(text)) if name == SECRET => check_secret(text),
            (Adapter::Openai, Some(text)) => check_header(text),
            (Adapter::Openai, None) => Err("must be a text".to_owned()),
        };
        problems.extend(checked.err().map(|why| (name, why)));
    }
    problems.extend(CREDENTIALS.into_iter().filter(|name| given(name).is_some()).map(|name| {
        (
            name,
            format!(
                "would be readable by everybody who sees the agent: store it as a secret and name that in {SECRET}"
            ),
        )
    }));
    if given(SECRET).is_some() && given(VARIABLE).is_some() {
        problems.push((SECRET, format!("cannot be given together with {VARIABLE}: an agent has one key")));
    }
    problems
}

fn check_secret(name: &str) -> Result<(), String> {
    check_name(name).map_err(|why| format!("is the name of a secret, which {why}"))
}

/// Checks the name of a header that is to carry a key.
///
/// # Errors
/// A phrase for people.
pub fn check_header(name: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if name.is_empty() || name.len() > MAX_HEADER_BYTES || !name.bytes().all(is_plain) {
        return Err(format!("must be the name of a header: 1 to {MAX_HEADER_BYTES} letters, digits, '-' or '_'"));
    }
    if OTHER_HEADERS.iter().any(|other| name.eq_ignore_ascii_case(other)) {
        return Err(format!("must not be {}: that header is not for keys", name.to_ascii_lowercase()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(adapter: Adapter, parameters: &Value) -> Vec<&'static str> {
        check(adapter, parameters.as_object().unwrap()).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn one_key_with_a_proper_name_in_a_proper_header() {
        for fine in [
            json!({}),
            json!({SECRET: null, VARIABLE: "KEY"}),
            json!({SECRET: "gateway.key", HEADER: "api-key"}),
            json!({VARIABLE: "KEY", HEADER: "X-API-Key"}),
        ] {
            assert!(wrong(Adapter::Openai, &fine).is_empty(), "{fine}");
        }
        for (bad, names) in [
            (json!({SECRET: "not a name"}), vec![SECRET]),
            (json!({SECRET: 7, HEADER: ["a"]}), vec![SECRET, HEADER]),
            (json!({SECRET: "key", VARIABLE: "KEY"}), vec![SECRET]),
            (json!({HEADER: "Content-Length"}), vec![HEADER]),
            (json!({HEADER: "a b"}), vec![HEADER]),
            (json!({HEADER: "a\r\nb"}), vec![HEADER]),
        ] {
            assert_eq!(wrong(Adapter::Openai, &bad), names, "{bad}");
        }
        assert_eq!(wrong(Adapter::Command, &json!({SECRET: "key"})), [SECRET], "it would not be used");
        assert_eq!(wrong(Adapter::Openai, &json!({"api_key": "sk-1"})), ["api_key"], "everybody could read it");
    }
}
