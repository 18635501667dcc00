//! The request of `call: http`.

use super::decide::Task;
use super::expression::{Template, expand_uri};
use super::program::{HttpRule, UriRule};
use super::scope::{Scope, View};
use super::state::Shared;
use super::texts::{pairs, text};
use crate::domain::{Authentication, Failure, HttpRequest, OAuth, StandardType};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(super) fn request(task: &Task<'_>, rule: &HttpRule) -> Result<HttpRequest, Failure> {
    let authentication = authentication(task, rule)?;
    let authorization = authentication.as_ref().and_then(descriptor);
    let view = View { authorization: authorization.as_ref(), ..task.view() };
    let evaluate = |template: &Template| task.scope.template(template, &task.frame.input, Some(&view));
    let optional = |template: &Option<Template>| template.as_ref().map(evaluate).transpose();
    let uri = match &rule.uri {
        UriRule::Expression(expression) => {
            text(task.scope.evaluate(expression, &task.frame.input, Some(&view))?, "endpoint")?
        }
        UriRule::Template(template) => expand_uri(template, &task.frame.input)?,
    };
    Ok(HttpRequest {
        method: rule.method.clone(),
        uri,
        headers: pairs(optional(&rule.headers)?.unwrap_or_default(), "headers")?,
        query: pairs(optional(&rule.query)?.unwrap_or_default(), "query")?,
        body: optional(&rule.body)?.filter(|body| !body.is_null()),
        output: rule.output,
        redirect: rule.redirect,
        authentication,
    })
}

/// `$authorization` behind the call. It is known for `basic` and `bearer`; the other schemes get their parameter from elsewhere
/// while the request is made, so it is `null` for them.
pub(super) fn authorization(task: &Task<'_>, rule: &HttpRule) -> Result<Option<Shared>, Failure> {
    Ok(authentication(task, rule)?.as_ref().and_then(descriptor))
}

fn descriptor(authentication: &Authentication) -> Option<Shared> {
    let (scheme, parameter) = match authentication {
        Authentication::Basic { username, password } => ("Basic", BASE64.encode(format!("{username}:{password}"))),
        Authentication::Bearer { token } => ("Bearer", token.clone()),
        Authentication::Digest { .. } | Authentication::OAuth2(_) | Authentication::Oidc(_) => return None,
    };
    Some(Arc::new(json!({"scheme": scheme, "parameter": parameter})))
}

fn authentication(task: &Task<'_>, rule: &HttpRule) -> Result<Option<Authentication>, Failure> {
    rule.authentication.as_ref().map(|template| policy(&task.scope, task.template(template)?)).transpose()
}

/// An evaluated policy.
pub(super) fn policy(scope: &Scope<'_>, policy: Value) -> Result<Authentication, Failure> {
    let Value::Object(policy) = policy else { return Err(invalid("it is not an object")) };
    let Some((scheme, body)) = policy.into_iter().next() else { return Err(invalid("it names no scheme")) };
    let body = match body.get("use") {
        Some(name) => named_secret(scope, name)?,
        None => body,
    };
    let fields = match body {
        Value::Object(fields) => Fields(fields),
        Value::String(token) if scheme == "bearer" => return Ok(Authentication::Bearer { token }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return Err(invalid("its scheme has no properties"));
        }
    };
    Ok(match scheme.as_str() {
        "basic" => {
            Authentication::Basic { username: fields.required("username")?, password: fields.required("password")? }
        }
        "bearer" => Authentication::Bearer { token: fields.required("token")? },
        "digest" => {
            Authentication::Digest { username: fields.required("username")?, password: fields.required("password")? }
        }
        "oauth2" => Authentication::OAuth2(Box::new(fields.oauth()?)),
        "oidc" => Authentication::Oidc(Box::new(fields.oauth()?)),
        other => return Err(invalid(&format!("the scheme '{other}' is not known"))),
    })
}

/// `{use: name}`: the properties of the scheme are those of the secret, taken as they are.
fn named_secret(scope: &Scope<'_>, name: &Value) -> Result<Value, Failure> {
    let name = name.as_str().ok_or_else(|| invalid("'use' names no secret"))?;
    Ok(scope.secret(name)?.clone())
}

fn invalid(why: &str) -> Failure {
    let detail = format!("The authentication policy is invalid: {why}");
    Failure::new(StandardType::Configuration, "Invalid authentication", detail)
}

/// The evaluated properties of a policy.
struct Fields(Map<String, Value>);

impl Fields {
    fn optional(&self, name: &str) -> Result<Option<String>, Failure> {
        self.0.get(name).filter(|value| !value.is_null()).map(|value| text(value.clone(), name)).transpose()
    }

    fn required(&self, name: &str) -> Result<String, Failure> {
        self.optional(name)?.ok_or_else(|| invalid(&format!("'{name}' is missing")))
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| text(item.clone(), name)).collect(),
            Some(_) => Err(invalid(&format!("'{name}' is not a list"))),
        }
    }

    fn inner(&self, name: &str) -> Result<Fields, Failure> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(Fields(Map::new())),
            Some(Value::Object(fields)) => Ok(Fields(fields.clone())),
            Some(_) => Err(invalid(&format!("'{name}' is not an object"))),
        }
    }

    /// A token with its type.
    fn token(&self, name: &str) -> Result<Option<(String, String)>, Failure> {
        let fields = self.inner(name)?;
        if fields.0.is_empty() {
            return Ok(None);
        }
        Ok(Some((fields.required("token")?, fields.required("type")?)))
    }

    fn oauth(&self) -> Result<OAuth, Failure> {
        let client = self.inner("client")?;
        Ok(OAuth {
            authority: self.required("authority")?,
            grant: self.required("grant")?,
            client_id: client.optional("id")?,
            client_secret: client.optional("secret")?,
            client_assertion: client.optional("assertion")?,
            client_authentication: client.optional("authentication")?,
            request_encoding: self.inner("request")?.optional("encoding")?,
            issuers: self.texts("issuers")?,
            scopes: self.texts("scopes")?,
            audiences: self.texts("audiences")?,
            username: self.optional("username")?,
            password: self.optional("password")?,
            subject: self.token("subject")?,
            actor: self.token("actor")?,
            token_endpoint: self.inner("endpoints")?.optional("token")?,
        })
    }
}
