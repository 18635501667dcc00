//! `callboard login`: who the command line is, from now on. It stores an API key of the person who signs in.

use super::Exit;
use super::client::{Address, Client, address, text_at};
use super::credentials;
use super::error::{Error, block_on};
use super::terminal::{print, tell};
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};
use url::Url;

/// Sign in to a service, and stay signed in on this machine
#[derive(clap::Args)]
pub struct Arguments {
    /// The link that the first start of the service prints, or its address [default: that of the last sign-in, or
    /// http://127.0.0.1:8080]
    #[arg(value_name = "LINK_OR_URL")]
    target: Option<Url>,
    /// Your e-mail address; asked for when absent
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Your name, when a link is used for the first time
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The slug of your tenant, when your address is known in several
    #[arg(long, value_name = "SLUG")]
    tenant: Option<String>,
    /// Forget the stored key, and revoke it
    #[arg(long)]
    out: bool,
    /// Print the stored key, for other programs on this machine
    #[arg(long, conflicts_with = "out")]
    show_key: bool,
}

impl std::fmt::Debug for Arguments {
    /// Without the token of a link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arguments").field("out", &self.out).finish_non_exhaustive()
    }
}

/// Does what the command line says.
pub fn execute(arguments: &Arguments) -> Exit {
    block_on(async {
        let (service, token) = parts(&address(arguments.target.as_ref())?);
        if arguments.out {
            return sign_out(&service).await;
        }
        if arguments.show_key {
            let key = credentials::stored(&service).ok_or_else(|| nobody(&service))?;
            print(&key);
            return Ok(Exit::Success);
        }
        let client = Client::new(&Address { url: Some(service.clone()), api_key: None })?;
        let tokens = match token {
            Some(token) => first_sign_in(&client, arguments, &token).await?,
            None => sign_in(&client, arguments).await?,
        };
        let key = make_key(&service, &tokens).await?;
        let path = credentials::store(&service, Some(&key))?;
        let who = text_at(&tokens, "/user/email");
        print(&format!("signed in to {service} as {who} ({})", text_at(&tokens, "/user/role")));
        tell(&format!("the key of this machine is in {}", path.display()));
        Ok(Exit::Success)
    })
}

/// The address of the service, and the token of a link `…/sign-in?token=…`.
fn parts(target: &Url) -> (Url, Option<String>) {
    let token = target.query_pairs().find(|(name, _)| name == "token").map(|(_, value)| value.into_owned());
    let mut service = target.clone();
    service.set_query(None);
    service.set_fragment(None);
    let path = target.path().trim_end_matches('/').trim_end_matches("/sign-in").to_owned();
    service.set_path(&path);
    (service, token)
}

async fn first_sign_in(client: &Client, arguments: &Arguments, token: &str) -> Result<Value, Error> {
    let email = asked("e-mail address", arguments.email.clone())?;
    let name = asked("name", arguments.name.clone())?;
    let password = password("choose a password of at least 10 characters")?;
    if std::io::stdin().is_terminal() && rpassword::prompt_password("once more: ").map_err(unreadable)? != password {
        return Err(Error::invalid("the two passwords differ"));
    }
    let body = json!({ "token": token, "email": email, "display_name": name, "password": password });
    client.post("/auth/first-sign-in", Some(&body)).await
}

async fn sign_in(client: &Client, arguments: &Arguments) -> Result<Value, Error> {
    let email = asked("e-mail address", arguments.email.clone())?;
    let mut body = json!({ "email": email, "password": password("password")? });
    if let (Some(tenant), Some(fields)) = (&arguments.tenant, body.as_object_mut()) {
        fields.insert("tenant".to_owned(), Value::from(tenant.as_str()));
    }
    client.post("/auth/login", Some(&body)).await
}

/// A key for this machine; the session that made it is not needed any more.
async fn make_key(service: &Url, tokens: &Value) -> Result<String, Error> {
    let access = text_at(tokens, "/access_token");
    let client = Client::with_bearer(service, &access)?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("this machine");
    let name = format!("callboard login on {host}");
    let made = client.post("/api-keys", Some(&json!({ "name": name }))).await?;
    let body = json!({ "refresh_token": text_at(tokens, "/refresh_token") });
    client.post("/auth/logout", Some(&body)).await?;
    Ok(text_at(&made, "/key"))
}

async fn sign_out(service: &Url) -> Result<Exit, Error> {
    let Some(key) = credentials::stored(service) else {
        return Err(nobody(service));
    };
    let client = Client::new(&Address { url: Some(service.clone()), api_key: Some(key) })?;
    let me = client.get("/auth/me", &[]).await;
    credentials::store(service, None)?;
    client.delete(&format!("/api-keys/{}", text_at(&me?, "/id"))).await?;
    print(&format!("signed out of {service}"));
    Ok(Exit::Success)
}

fn nobody(service: &Url) -> Error {
    Error::failure(format!("nobody is signed in to {service} on this machine; 'callboard login {service}' signs in"))
}

/// A line of standard input, unless the value is known.
fn asked(what: &str, known: Option<String>) -> Result<String, Error> {
    if let Some(known) = known {
        return Ok(known);
    }
    eprint!("{what}: ");
    std::io::stderr().flush().map_err(unreadable)?;
    line()
}

/// From the terminal without showing it, or the next line of standard input.
fn password(prompt: &str) -> Result<String, Error> {
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(format!("{prompt}: ")).map_err(unreadable);
    }
    line()
}

fn line() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).map_err(unreadable)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn unreadable(error: std::io::Error) -> Error {
    Error::invalid(format!("cannot read the answer: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_an_address_and_a_token() {
        let of = |text: &str| {
            let (service, token) = parts(&text.parse().unwrap());
            (service.to_string(), token)
        };
        assert_eq!(
            of("http://127.0.0.1:8080/sign-in?token=ab-c_d"),
            ("http://127.0.0.1:8080/".into(), Some("ab-c_d".into()))
        );
        assert_eq!(of("https://work.example/callboard/"), ("https://work.example/callboard".into(), None));
    }
}
