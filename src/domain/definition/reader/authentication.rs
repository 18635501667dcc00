//! Authentication policies: `basic`, `bearer`, `digest`, `oauth2`, `oidc`. Only their structure is checked here.

use super::value::{Leaves, Place};
use super::{Fields, Reader, Scope, Site};
use crate::domain::definition::suggestion::{listed, nearest};
use serde_json::{Map, Value};

const SUPPORTED_SCHEMES: [&str; 5] = ["basic", "bearer", "digest", "oauth2", "oidc"];
const SCHEMES: [&str; 6] = ["basic", "bearer", "digest", "oauth2", "oidc", "certificate"];
const GRANTS: [&str; 5] = [
    "authorization_code",
    "client_credentials",
    "password",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:token-exchange",
];
const CLIENT_AUTHENTICATIONS: [&str; 5] =
    ["client_secret_post", "client_secret_basic", "client_secret_jwt", "private_key_jwt", "none"];
const ENCODINGS: [&str; 2] = ["application/x-www-form-urlencoded", "application/json"];

impl<'d> Reader<'d> {
    /// One scheme with its properties, as a template. Two spellings are unified: `bearer: text` becomes
    /// `bearer: {token: text}`, and the grant `client-credentials` becomes `client_credentials`.
    pub(super) fn authentication_policy(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Value> {
        let fields = self.fields(site, "an authentication policy", &SCHEMES)?;
        let given: Vec<&str> = SCHEMES.into_iter().filter(|scheme| fields.has(scheme)).collect();
        let [scheme] = given.as_slice() else {
            let message = format!("an authentication policy has exactly one of {}", listed(&SUPPORTED_SCHEMES));
            self.problem(site.error("invalid_authentication", message));
            return None;
        };
        let body_site = fields.get(scheme)?;
        if *scheme == "certificate" {
            self.unsupported(&body_site, "authentication by certificate");
            return None;
        }
        let body = self.scheme(&body_site, scheme, scope)?;
        Some(Value::Object(Map::from_iter([((*scheme).to_owned(), body)])))
    }

    fn scheme(&mut self, site: &Site<'d>, scheme: &str, scope: &Scope) -> Option<Value> {
        if site.node.get("use").is_some() {
            return self.secret_reference(site, scheme);
        }
        match scheme {
            "bearer" if site.node.text().is_some() => {
                let token = self.template(site, scope, Place::TaskDefinition);
                Some(Value::Object(Map::from_iter([("token".to_owned(), token)])))
            }
            "bearer" => self.credentials(site, scheme, &["token"], scope),
            "oauth2" | "oidc" => self.oauth(site, scheme, scope),
            _ => self.credentials(site, scheme, &["username", "password"], scope),
        }
    }

    /// `{use: secret}`: the properties are those of the secret.
    fn secret_reference(&mut self, site: &Site<'d>, scheme: &str) -> Option<Value> {
        let fields = self.fields(site, scheme, &["use"])?;
        let secret = self.required(&fields, scheme, "use")?;
        let name = self.text(&secret, "the name of a secret")?;
        let declared = self.names.secrets.clone();
        self.reference(&secret, name, "secrets", &declared).then(|| site.node.to_value())
    }

    fn credentials(&mut self, site: &Site<'d>, scheme: &str, keys: &[&str], scope: &Scope) -> Option<Value> {
        let fields = self.fields(site, scheme, keys)?;
        let mut is_complete = true;
        for key in keys {
            let value = self.required(&fields, scheme, key);
            is_complete &= value.is_some_and(|site| self.credential(&site, scheme, key, scope));
        }
        is_complete.then(|| site.node.to_value())
    }

    fn credential(&mut self, site: &Site<'d>, scheme: &str, key: &str, scope: &Scope) -> bool {
        self.text_template(site, &format!("{scheme}.{key}"), scope, Leaves::Data).is_some()
    }

    fn oauth(&mut self, site: &Site<'d>, scheme: &str, scope: &Scope) -> Option<Value> {
        let mut known = vec![
            "authority",
            "grant",
            "client",
            "request",
            "issuers",
            "scopes",
            "audiences",
            "username",
            "password",
            "subject",
            "actor",
        ];
        if scheme == "oauth2" {
            known.push("endpoints");
        }
        let fields = self.fields(site, scheme, &known)?;
        if let Some(authority) = self.required(&fields, scheme, "authority") {
            self.credential(&authority, scheme, "authority", scope);
        }
        let grant = self.required(&fields, scheme, "grant").and_then(|site| self.grant(&site, scope));
        for key in ["username", "password"] {
            match fields.get(key) {
                Some(site) => {
                    self.credential(&site, scheme, key, scope);
                }
                None if grant.as_deref() == Some("password") => {
                    let message = format!("the grant 'password' needs the property '{key}'");
                    self.problem(fields.site.error("missing_property", message));
                }
                None => {}
            }
        }
        if grant.as_deref().is_some_and(|grant| grant.ends_with("token-exchange")) && !fields.has("subject") {
            let message = "the grant of a token exchange needs the property 'subject'";
            self.problem(fields.site.error("missing_property", message));
        }
        self.oauth_client(&fields, scope);
        self.oauth_lists(&fields, scheme, scope);
        for (key, inner) in [("subject", &["token", "type"]), ("actor", &["token", "type"])] {
            if let Some(site) = fields.get(key) {
                self.credentials(&site, key, inner, scope);
            }
        }
        self.oauth_words(&fields, scope);
        let mut value = site.node.to_value();
        if let (Value::Object(map), Some(grant)) = (&mut value, grant) {
            map.insert("grant".to_owned(), Value::from(grant));
        }
        Some(value)
    }

    fn grant(&mut self, site: &Site<'d>, scope: &Scope) -> Option<String> {
        let text = self.text(site, "the grant")?;
        if self.may_be_expression(text) {
            self.check_leaves(site, scope, Place::TaskDefinition, Leaves::Data);
            return Some(text.to_owned());
        }
        let unified = text.replace("client-credentials", "client_credentials");
        self.one_of(site, "the grant", &unified, &GRANTS).then_some(unified)
    }

    fn one_of(&mut self, site: &Site<'d>, what: &str, text: &str, words: &[&str]) -> bool {
        let is_known = words.contains(&text);
        if !is_known {
            let mut problem =
                site.error("invalid_value", format!("{what} cannot be '{text}'; it is one of {}", listed(words)));
            problem.suggestion = nearest(text, words.iter().copied()).map(|word| format!("did you mean '{word}'?"));
            self.problem(problem);
        }
        is_known
    }

    fn word(&mut self, site: &Site<'d>, what: &str, words: &[&str], scope: &Scope) {
        let Some(text) = self.text(site, what) else { return };
        if self.may_be_expression(text) {
            self.check_leaves(site, scope, Place::TaskDefinition, Leaves::Data);
        } else {
            self.one_of(site, what, text, words);
        }
    }

    fn oauth_client(&mut self, fields: &Fields<'d>, scope: &Scope) {
        let Some(site) = fields.get("client") else { return };
        let Some(client) = self.fields(&site, "client", &["id", "secret", "assertion", "authentication"]) else {
            return;
        };
        for key in ["id", "secret", "assertion"] {
            if let Some(site) = client.get(key) {
                self.credential(&site, "client", key, scope);
            }
        }
        let authentication = client.get("authentication");
        let method = authentication.as_ref().and_then(|site| site.node.text()).unwrap_or("client_secret_post");
        if let Some(site) = &authentication {
            self.word(site, "client.authentication", &CLIENT_AUTHENTICATIONS, scope);
        }
        if method != "none" && !client.has("id") {
            self.problem(site.error("missing_property", "client needs the property 'id'"));
        }
        if method.ends_with("_jwt") && !client.has("assertion") {
            let message = format!("the client authentication '{method}' needs the property 'assertion'");
            self.problem(site.error("missing_property", message));
        }
    }

    fn oauth_lists(&mut self, fields: &Fields<'d>, scheme: &str, scope: &Scope) {
        for key in ["issuers", "scopes", "audiences"] {
            let Some(site) = fields.get(key) else { continue };
            for (index, node) in self.items(&site, &format!("{scheme}.{key}")).unwrap_or_default().iter().enumerate() {
                self.credential(&site.item(index, node), scheme, key, scope);
            }
        }
    }

    fn oauth_words(&mut self, fields: &Fields<'d>, scope: &Scope) {
        if let Some(request) = fields.get("request").and_then(|site| self.fields(&site, "request", &["encoding"]))
            && let Some(site) = request.get("encoding")
        {
            self.word(&site, "request.encoding", &ENCODINGS, scope);
        }
        let keys = ["token", "revocation", "introspection"];
        if let Some(endpoints) = fields.get("endpoints").and_then(|site| self.fields(&site, "endpoints", &keys)) {
            for (key, site) in keys.iter().filter_map(|key| Some((key, endpoints.get(key)?))) {
                self.credential(&site, "endpoints", key, scope);
            }
        }
    }
}
