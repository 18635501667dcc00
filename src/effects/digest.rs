//! Digest access authentication (RFC 7616): the answer to a challenge. One re-send with `qop=auth`; MD5, SHA-256 and
//! SHA-512/256, with and without session keys; the form without `qop` of older servers.

use super::client::Outgoing;
use md5::Md5;
use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use sha2::{Digest as _, Sha256, Sha512_256};
use std::fmt::Write as _;

/// The hash functions, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha512_256,
    Sha256,
}

impl Algorithm {
    /// The function and whether the key is a session key; `None` for what we do not know.
    fn parse(name: &str) -> Option<(Self, bool)> {
        let name = name.to_ascii_uppercase();
        let (function, is_session) = match name.strip_suffix("-SESS") {
            Some(function) => (function, true),
            None => (name.as_str(), false),
        };
        let algorithm = match function {
            "MD5" => Self::Md5,
            "SHA-256" => Self::Sha256,
            "SHA-512-256" => Self::Sha512_256,
            _ => return None,
        };
        Some((algorithm, is_session))
    }

    /// Lower-case hexadecimal digest.
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hexadecimal(&Md5::digest(text)),
            Self::Sha256 => hexadecimal(&Sha256::digest(text)),
            Self::Sha512_256 => hexadecimal(&Sha512_256::digest(text)),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

/// The value of `Authorization` that answers the best challenge of a 401 response; `None` when there is none we can
/// answer.
pub fn respond(headers: &HeaderMap, outgoing: &Outgoing, username: &str, password: &str) -> Option<HeaderValue> {
    let challenges = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .flat_map(|value| parse_challenges(&String::from_utf8_lossy(value.as_bytes())));
    let (algorithm, is_session, challenge) = challenges
        .filter(|challenge| challenge.scheme.eq_ignore_ascii_case("digest") && challenge.is_answerable())
        .filter_map(|challenge| {
            let (algorithm, is_session) = Algorithm::parse(challenge.get("algorithm").unwrap_or("MD5"))?;
            Some((algorithm, is_session, challenge))
        })
        .max_by_key(|(algorithm, _, _)| *algorithm)?;
    let uri = match outgoing.url.query() {
        Some(query) => format!("{}?{query}", outgoing.url.path()),
        None => outgoing.url.path().to_owned(),
    };
    let client_nonce = crate::clock::new_id().simple().to_string();
    let credentials = Credentials { username, password, method: outgoing.method.as_str(), uri: &uri };
    let text = challenge.answer(algorithm, is_session, &credentials, &client_nonce)?;
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

struct Credentials<'a> {
    username: &'a str,
    password: &'a str,
    method: &'a str,
    uri: &'a str,
}

/// One challenge of a `WWW-Authenticate` header.
#[derive(Debug, PartialEq)]
struct Challenge {
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl Challenge {
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Protection of the message body (`auth-int` alone) is not offered.
    fn is_answerable(&self) -> bool {
        self.get("qop").is_none_or(|list| list.split(',').any(|qop| qop.trim().eq_ignore_ascii_case("auth")))
    }

    fn answer(&self, algorithm: Algorithm, is_session: bool, who: &Credentials, client_nonce: &str) -> Option<String> {
        let (realm, nonce) = (self.get("realm").unwrap_or_default(), self.get("nonce")?);
        let has_qop = self.get("qop").is_some();
        let mut key = algorithm.hash(&format!("{}:{realm}:{}", who.username, who.password));
        if is_session {
            key = algorithm.hash(&format!("{key}:{nonce}:{client_nonce}"));
        }
        let action = algorithm.hash(&format!("{}:{}", who.method, who.uri));
        let response = if has_qop {
            algorithm.hash(&format!("{key}:{nonce}:00000001:{client_nonce}:auth:{action}"))
        } else {
            algorithm.hash(&format!("{key}:{nonce}:{action}"))
        };
        let hides_name = self.get("userhash").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let mut text = String::from("Digest ");
        if hides_name {
            text += &format!("username=\"{}\"", algorithm.hash(&format!("{}:{realm}", who.username)));
        } else if who.username.is_ascii() {
            text += &format!("username={}", quoted(who.username));
        } else {
            let encoded = percent_encoding::utf8_percent_encode(who.username, percent_encoding::NON_ALPHANUMERIC);
            text += &format!("username*=UTF-8''{encoded}");
        }
        text += &format!(", realm={}, nonce={}, uri={}", quoted(realm), quoted(nonce), quoted(who.uri));
        text += &format!(", response=\"{response}\"");
        if let Some(name) = self.get("algorithm") {
            text += &format!(", algorithm={name}");
        }
        if let Some(opaque) = self.get("opaque") {
            text += &format!(", opaque={}", quoted(opaque));
        }
        if has_qop {
            text += &format!(", qop=auth, nc=00000001, cnonce=\"{client_nonce}\"");
        } else if is_session {
            text += &format!(", cnonce=\"{client_nonce}\"");
        }
        if hides_name {
            text += ", userhash=true";
        }
        Some(text)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Takes a header value with any number of challenges apart. What it cannot make sense of ends the list.
fn parse_challenges(text: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (token, after) = take_token(rest);
        if token.is_empty() {
            return challenges;
        }
        let after_token = after.trim_start_matches([' ', '\t']);
        match (after_token.strip_prefix('='), challenges.last_mut()) {
            (Some(value), Some(challenge)) => {
                let (value, after) = take_value(value.trim_start_matches([' ', '\t']));
                challenge.parameters.push((token.to_ascii_lowercase(), value));
                rest = after;
            }
            (_, _) => {
                challenges.push(Challenge { scheme: token.to_owned(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

fn take_token(text: &str) -> (&str, &str) {
    let is_token = |character: char| character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character);
    let end = text.find(|character| !is_token(character)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// A token or a quoted string with its escapes undone.
fn take_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = take_token(text);
        return (token.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => value.extend(characters.next()),
            _ => value.push(character),
        }
    }
    (value, characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGES: &str = concat!(
        r#"Basic realm="old, \"quoted\"", Digest realm="http-auth@example.org", qop="auth, auth-int", "#,
        r#"algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "#,
        r#"opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS""#
    );

    #[test]
    fn the_examples_of_rfc_7616_come_out() {
        let challenge = parse_challenges(CHALLENGES).pop().unwrap();
        let who = Credentials { username: "Mufasa", password: "Circle of Life", method: "GET", uri: "/dir/index.html" };
        let client_nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let sha = challenge.answer(Algorithm::Sha256, false, &who, client_nonce).unwrap();
        assert!(
            sha.contains(r#"response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1""#),
            "{sha}"
        );
        let md5 = challenge.answer(Algorithm::Md5, false, &who, client_nonce).unwrap();
        assert!(md5.contains(r#"response="8ca523f5e9506fed4657c9700eebdbec""#), "{md5}");
    }

    #[test]
    fn several_challenges_in_one_header_are_told_apart() {
        let challenges = parse_challenges(CHALLENGES);
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0].get("realm"), Some("old, \"quoted\""));
        assert_eq!(challenges[1].get("qop"), Some("auth, auth-int"));
        assert!(challenges[1].is_answerable());
    }

    #[test]
    fn a_challenge_that_wants_the_body_protected_is_not_answered() {
        let challenge = parse_challenges(r#"Digest realm="r", nonce="n", qop="auth-int""#).pop().unwrap();
        assert!(!challenge.is_answerable());
    }
}
