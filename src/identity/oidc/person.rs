//! Who somebody is, as their provider tells it.

use super::Options;
use super::id_token::Claims;
use crate::identity::{checked_email, checked_name};
use serde_json::Value;

/// The claim that tells about `email`, and about no other claim.
const EMAIL: &str = "email";
const EMAIL_VERIFIED: &str = "email_verified";
const NAME: &str = "name";

/// Somebody who has signed in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub subject: String,
    /// Only one that belongs to them for sure.
    pub email: Option<String>,
    pub name: Option<String>,
    pub groups: Vec<String>,
}

/// Whether claims hold what is read of them; otherwise the provider has to be asked for more.
pub fn is_complete(options: &Options, claims: &Claims) -> bool {
    [&options.email_claim, &options.groups_claim].into_iter().all(|name| find(claims, name).is_some())
}

/// Reads what an ID token says, and what the provider has said beyond it.
pub fn read(options: &Options, claims: &Claims, more: &Claims) -> Person {
    let claim = |name: &str| find(claims, name).or_else(|| find(more, name));
    let text = |name: &str| claim(name).and_then(Value::as_str);
    let is_verified = options.email_claim == EMAIL && claim(EMAIL_VERIFIED).is_some_and(is_true);
    let email = text(&options.email_claim).filter(|_| is_verified || options.trust_email);
    Person {
        subject: claims.get("sub").and_then(Value::as_str).unwrap_or_default().to_owned(),
        email: email.and_then(|email| checked_email(email).ok()),
        name: text(NAME).and_then(|name| checked_name(name).ok()),
        groups: claim(&options.groups_claim).map(texts).unwrap_or_default(),
    }
}

/// A claim by its name, or by the way to it: `realm_access.roles`.
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let inside = || {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    claims.get(name).or_else(inside)
}

/// Some providers write truth as a text.
fn is_true(value: &Value) -> bool {
    value == &Value::Bool(true) || value == "true"
}

/// One text or several.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mapping;
    use super::*;
    use serde_json::json;

    fn options() -> Options {
        Options {
            id: "company".to_owned(),
            label: "Company".to_owned(),
            issuer: "https://login.example.com".parse().unwrap(),
            issuer_text: "https://login.example.com".to_owned(),
            client_id: "callboard".to_owned(),
            client_secret: None,
            scopes: Vec::new(),
            email_claim: "email".to_owned(),
            groups_claim: "groups".to_owned(),
            roles: Mapping(Vec::new()),
            tenants: Mapping(Vec::new()),
            trust_email: false,
            link_by_email: false,
        }
    }

    fn person(options: &Options, claims: &Value, more: &Value) -> Person {
        read(options, claims.as_object().unwrap(), more.as_object().unwrap())
    }

    #[test]
    fn an_address_counts_only_when_it_is_verified() {
        let email = |options: &Options, claims: &Value| person(options, claims, &json!({})).email;
        let ada = Some("ada@example.org".to_owned());
        let strict = options();
        let trusting = Options { trust_email: true, ..options() };
        let named = Options { email_claim: "upn".to_owned(), ..options() };
        assert_eq!(email(&strict, &json!({ "email": "Ada@Example.org", "email_verified": true })), ada);
        assert_eq!(email(&strict, &json!({ "email": "ada@example.org", "email_verified": "true" })), ada);
        for unverified in
            [json!({ "email": "ada@example.org" }), json!({ "email": "ada@example.org", "email_verified": false })]
        {
            assert_eq!(email(&strict, &unverified), None);
            assert_eq!(email(&trusting, &unverified), ada);
        }
        assert_eq!(email(&trusting, &json!({ "email": "not an address" })), None);
        // What is verified is another claim.
        assert_eq!(email(&named, &json!({ "upn": "ada@example.org", "email_verified": true })), None);
        assert_eq!(email(&Options { trust_email: true, ..named }, &json!({ "upn": "ada@example.org" })), ada);
    }

    #[test]
    fn groups_are_found_wherever_the_provider_puts_them() {
        let groups = |claim: &str, claims: &Value, more: &Value| {
            person(&Options { groups_claim: claim.to_owned(), ..options() }, claims, more).groups
        };
        let none = json!({});
        assert_eq!(groups("groups", &json!({ "groups": ["a", 1, "b"] }), &none), ["a", "b"]);
        assert_eq!(groups("groups", &json!({ "groups": "a" }), &none), ["a"]);
        assert_eq!(groups("groups", &none, &json!({ "groups": ["a"] })), ["a"]);
        assert_eq!(groups("realm_access.roles", &json!({ "realm_access": { "roles": ["a"] } }), &none), ["a"]);
        let named = json!({ "https://example.com/groups": ["a"] });
        assert_eq!(groups("https://example.com/groups", &named, &none), ["a"]);
        assert!(groups("groups", &json!({ "groups": null }), &none).is_empty());
    }
}
