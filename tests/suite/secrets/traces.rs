//! Looking for what is left of a secret, in every form one could read it in. Knows nothing of how the service hides it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use std::collections::BTreeSet;
use std::path::Path;

/// This many characters of a secret in a row are a trace of it.
const TELLING: usize = 8;

/// What must not be found.
pub struct Traces(Vec<String>);

impl Traces {
    pub fn of(secrets: &[&str]) -> Self {
        let mut traces = BTreeSet::new();
        for secret in secrets {
            // As it is, in JSON, in JSON within JSON, in an address.
            for written in [secret.to_string(), json(secret), json(&json(secret)), percent(secret)] {
                let characters: Vec<char> = written.chars().collect();
                traces.extend(characters.windows(TELLING).map(|window| window.iter().collect::<String>()));
            }
            for before in 0..3 {
                let text = ["x".repeat(before).as_bytes(), secret.as_bytes()].concat();
                for encoded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    traces.extend(encoded.get(4..16).map(str::to_owned));
                }
            }
            let digits: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            traces.extend([digits[..16].to_owned(), digits[..16].to_uppercase()]);
        }
        Self(traces.into_iter().collect())
    }

    /// Fails when there is a trace of a secret in a text. `place` says which text it is.
    #[track_caller]
    pub fn assert_none(&self, place: &str, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for trace in &self.0 {
            if let Some(at) = text.find(trace.as_str()) {
                let around: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
                panic!("'{trace}' is in {place}, behind: {around}");
            }
        }
    }

    /// Fails when there is a trace in any file below a folder. The number of files that were searched.
    #[track_caller]
    pub fn assert_none_below(&self, folder: &Path) -> usize {
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                count += self.assert_none_below(&path);
            } else {
                self.assert_none(&path.display().to_string(), &std::fs::read(&path).unwrap());
                count += 1;
            }
        }
        count
    }
}

fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn traces_are_found() {
    let traces = Traces::of(&["tok en/0123+\"9äxyz"]);
    for text in [
        "..tok en/0..",
        "0123+\\\"9äx",
        "+\\\"9äxyz",
        "%2F0123%2B",
        &STANDARD_NO_PAD.encode("user:tok en/0123+\"9äxyz"),
    ] {
        let found = std::panic::catch_unwind(|| traces.assert_none("a test", text.as_bytes()));
        assert!(found.is_err(), "{text}");
    }
    traces.assert_none("a test", b"tok en/ and 0123+");
}
