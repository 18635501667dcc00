//! The forms in which a text is looked for.

use super::MIN_SECRET_BYTES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::fmt::Write;

/// Lines of a secret of several lines (a private key) are looked for one by one when they have this many bytes.
const MIN_LINE_BYTES: usize = 16;
/// Where tools break base64 into lines (RFC 2045).
const BASE64_LINE: usize = 76;

/// Adds the forms of a text that are long enough.
pub fn add(text: &str, all: &mut Vec<String>) {
    if text.trim().len() < MIN_SECRET_BYTES {
        return;
    }
    let lines =
        text.lines().map(str::trim).filter(|line| line.len() >= MIN_LINE_BYTES && line.len() < text.trim().len());
    for part in [text, text.trim()].into_iter().chain(lines) {
        all.push(part.to_owned());
        all.extend(json(part));
        all.extend(percent(part));
        all.push(html(part));
        all.extend(hexadecimal(part));
        all.extend(base64(part));
    }
    all.retain(|form| form.len() >= MIN_SECRET_BYTES);
}

/// Inside a JSON text: as most write it, with escaped slashes, and in ASCII only.
fn json(text: &str) -> Vec<String> {
    let quoted = serde_json::Value::from(text).to_string();
    let plain = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned();
    let [lower, upper] = [false, true].map(|is_upper| {
        plain.chars().fold(String::new(), |mut ascii, character| {
            if character.is_ascii() {
                ascii.push(character);
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = if is_upper { write!(ascii, "\\u{unit:04X}") } else { write!(ascii, "\\u{unit:04x}") };
                }
            }
            ascii
        })
    });
    vec![plain.replace('/', "\\/"), lower.replace('/', "\\/"), lower, upper, plain]
}

/// In addresses and forms. What is left as it is differs: the strictest set (RFC 3986), that of `encodeURIComponent`, those of
/// paths and queries in the URL standard.
fn percent(text: &str) -> Vec<String> {
    const KEPT: [&str; 5] = ["-._~", "-._~!*'()", "-._*", "-._~!*'()$&+,/:;=@%|[]^", "-._~!*()$&+,/:;=?@%|[]^`{}\\"];
    let mut forms = Vec::new();
    for kept in KEPT {
        for is_upper in [true, false] {
            let encoded = text.bytes().fold(String::new(), |mut encoded, byte| {
                let character = char::from(byte);
                if byte.is_ascii_alphanumeric() || kept.contains(character) {
                    encoded.push(character);
                } else {
                    let _ = if is_upper { write!(encoded, "%{byte:02X}") } else { write!(encoded, "%{byte:02x}") };
                }
                encoded
            });
            forms.push(encoded.replace("%20", "+"));
            forms.push(encoded);
        }
    }
    forms
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

fn hexadecimal(text: &str) -> [String; 2] {
    let lower = text.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    [lower.to_ascii_uppercase(), lower]
}

/// The characters of a base64 text that depend on nothing but this text, for each of the three positions that it can have in
/// whatever is encoded; in both alphabets, percent-encoded, and line by line.
fn base64(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for (before, skipped) in [("", 0_usize), ("x", 2), ("xx", 3)] {
        let bytes = [before.as_bytes(), text.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let complete = bytes.len().saturating_mul(8) / 6;
        let certain = encoded.get(skipped..complete).unwrap_or_default();
        forms.push(certain.replace('+', "-").replace('/', "_"));
        forms.push(certain.replace('+', "%2B").replace('/', "%2F"));
        forms.push(certain.replace('+', "%2b").replace('/', "%2f"));
        forms.push(certain.to_owned());
        if before.is_empty() && certain.len() > BASE64_LINE {
            let lines = certain.as_bytes().chunks(BASE64_LINE).filter(|line| line.len() >= MIN_LINE_BYTES);
            forms.extend(lines.map(|line| String::from_utf8_lossy(line).into_owned()));
        }
    }
    forms
}
