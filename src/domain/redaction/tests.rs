use super::*;
use crate::domain::secret::Opened;
use crate::domain::{Secrets, StandardType};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;
use std::sync::Arc;

const SECRET: &str = "pa/ss+w\"örd&<42>?";

fn redactor(values: &[Value]) -> Redactor {
    Redactor::new(values)
}

fn stream(values: &[Value]) -> RedactedStream {
    let opened = values.iter().map(|value| ("name".into(), Ok(Arc::new(Opened::new(value.clone())))));
    RedactedStream::new(Arc::new(Secrets::new(opened.collect())))
}

#[test]
fn a_secret_is_found_in_the_forms_in_which_programs_write_it() {
    let redactor = redactor(&[json!(SECRET)]);
    let form = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>();
    let mut url = url::Url::parse("http://h/").unwrap();
    url.set_path(SECRET);
    url.set_query(Some(SECRET));
    let (path, query) = (url.path().trim_start_matches('/').to_owned(), url.query().unwrap().to_owned());
    let strict = percent_encoding::utf8_percent_encode(SECRET, percent_encoding::NON_ALPHANUMERIC).to_string();
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        SECRET.to_owned(),
        json!({ "k": SECRET }).to_string(),
        "pa\\/ss+w\\\"\\u00f6rd&<42>?".to_owned(),
        "pa/ss+w\\\"\\u00F6rd&<42>?".to_owned(),
        "pa/ss+w&quot;örd&amp;&lt;42&gt;?".to_owned(),
        form,
        path,
        query,
        hex.to_uppercase(),
        hex,
    ];
    assert!(redactor.finds(&strict) || strict.contains("%2D") || strict.contains("%5F"), "{strict}");
    for before in ["", "u", "us", "user:"] {
        for after in ["", ":", "::x"] {
            let text = format!("{before}{SECRET}{after}");
            forms.extend([STANDARD.encode(&text), URL_SAFE.encode(&text)]);
        }
    }
    for form in forms {
        let hidden = redactor.text(&form).unwrap_or_else(|| panic!("not found in {form}"));
        assert!(hidden.contains(HIDDEN) && hidden.len() <= form.len(), "{form} became {hidden}");
    }
}

#[test]
fn base64_in_lines_and_the_lines_of_a_key_are_found() {
    let key =
        (0..6).map(|n| format!("{n}{}", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2))).collect::<Vec<_>>().join("\n");
    let redactor = redactor(&[json!(key)]);
    let wrapped: Vec<String> =
        STANDARD.encode(&key).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let hidden = redactor.text(&wrapped.join("\n")).unwrap();
    assert!(wrapped.iter().all(|line| !hidden.contains(line.trim_end_matches('='))), "{hidden}");
    let quoted: String = key.lines().map(|line| format!("> {line}\n")).collect();
    assert_eq!(redactor.text(&quoted).unwrap(), "> ***\n".repeat(6));
}

#[test]
fn overlapping_secrets_leave_nothing() {
    let redactor = redactor(&[json!("abcdefgh"), json!("efghijkl"), json!("abcdef")]);
    assert_eq!(redactor.text("xabcdefghijklx").unwrap(), "x***x");
    assert_eq!(redactor.text("abcdef abcdefgh").unwrap(), "*** ***");
    assert_eq!(redactor.text("nothing here"), None);
}

#[test]
fn values_keys_and_numbers_are_hidden_and_the_rest_is_untouched() {
    let redactor = redactor(&[json!({"pin": 12_345_678, "deep": [{"token": "tok-en-tok"}], "short": "ab"})]);
    let mut value = json!({"a": [1, "xtok-en-tokx", 12_345_678, 2.5], "tok-en-tok": {"k": null}, "ab": "ab"});
    redactor.value(&mut value);
    assert_eq!(value, json!({"a": [1, "x***x", "***", 2.5], "***": {"k": null}, "ab": "ab"}));
    assert_eq!(too_short(&json!({"a": "12345", "b/c": [1], "d": "123456", "e": ""})), ["/a", "/b~1c/0"]);
}

#[test]
fn what_is_left_of_a_secret_at_a_cut_end_is_hidden() {
    let redactor = redactor(&[json!("0123456789abcdef")]);
    assert_eq!(redactor.cut_text("answer: 0123456789").unwrap(), "answer: ***");
    assert_eq!(redactor.cut_text("answer: 0123456789…").unwrap(), "answer: ***…");
    assert_eq!(redactor.cut_text("… 89abcdef was wrong").unwrap(), "… *** was wrong");
    assert_eq!(redactor.cut_text("it ends in 01234"), None);
    let mut failure = crate::domain::Failure::new(StandardType::Communication, "Bad", "got 0123456789abc");
    redactor.failure(&mut failure);
    assert_eq!(failure.detail.as_deref(), Some("got ***"));

    let redactor = self::redactor(&[json!("runtime"), json!("timeout-of-mine")]);
    let mut failure =
        crate::domain::Failure::new(StandardType::Runtime, "runtime", "it ends in timeout").at("/do/0/timeout");
    redactor.failure(&mut failure);
    assert_eq!(failure.error_type, StandardType::Runtime.uri());
    assert_eq!((failure.title.as_deref(), failure.instance.as_deref()), (Some("***"), Some("/do/0/timeout")));
}

#[test]
fn a_secret_torn_into_pieces_is_hidden_and_everything_else_arrives() {
    let text = "before 0123456789abcdef between 0123456789abcdeX after 0123456789abcdef0123456789abcdef 012345";
    let expected = "before *** between 0123456789abcdeX after *** ***";
    for size in 1..40 {
        let mut stream = stream(&[json!("0123456789abcdef"), json!("89abcdef")]);
        let mut shown = String::new();
        for piece in text.as_bytes().chunks(size) {
            let piece = stream.push(std::str::from_utf8(piece).unwrap());
            assert!(!piece.contains("89abcdef"), "{piece}");
            shown.push_str(&piece);
        }
        shown.push_str(&stream.finish());
        // Two in a row may be hidden once or twice, depending on where they are torn.
        assert_eq!(shown.replace("******", "***"), expected, "in pieces of {size}");
    }
}

#[test]
fn a_secret_that_repeats_without_end_is_not_waited_for() {
    let mut stream = stream(&[json!("aaaaaaaa")]);
    let mut shown = String::new();
    for _ in 0..1_000 {
        shown.push_str(&stream.push("aaaaa"));
        assert!(stream.held_bytes() < 100);
    }
    shown.push_str(&stream.finish());
    assert!(!shown.contains("aaaaaa"), "{shown}");
}

#[test]
fn without_secrets_nothing_is_held_back() {
    let mut stream = stream(&[]);
    assert_eq!((stream.push("piece"), stream.finish()), ("piece".to_owned(), String::new()));
}

proptest::proptest! {
    /// However a text is torn, no form of the secret is shown.
    #[test]
    fn no_tear_shows_a_secret(cuts in proptest::collection::vec(0_usize..200, 0..12), secret in "[ -~]{6,40}") {
        let basic = STANDARD.encode(format!("user:{secret}"));
        let text = format!("a {secret} b {} c {basic} d", json!({"x": secret}));
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.sort_unstable();
        let mut stream = stream(&[json!(secret)]);
        let (mut shown, mut at) = (String::new(), 0);
        for cut in cuts.into_iter().chain([text.len()]) {
            shown.push_str(&stream.push(&text[at..cut]));
            at = cut;
        }
        shown.push_str(&stream.finish());
        proptest::prop_assert!(secret.trim().len() < MIN_SECRET_BYTES || !shown.contains(secret.trim()), "{}", shown);
    }
}
