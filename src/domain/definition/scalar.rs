//! Plain YAML scalars: the YAML 1.2 core schema, so `yes`, `on` and `1_000` are text and `true`, `0x1F` and `1e3` are not.

use serde_json::Number;

/// What a plain scalar means.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Number(Number),
    /// `.inf` and `.nan`: numbers that JSON does not have.
    NotFinite,
    Text,
}

/// Resolves a plain scalar.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => number(text).unwrap_or(Scalar::Text),
    }
}

/// Resolves a scalar with an explicit core tag (`int`, `float`, `bool`, `null`); `None` when the text does not fit it.
pub(super) fn resolve_as(tag: &str, text: &str) -> Option<Scalar> {
    let scalar = resolve(text);
    let fits = match tag {
        "null" => scalar == Scalar::Null,
        "bool" => matches!(scalar, Scalar::Bool(_)),
        "int" => matches!(&scalar, Scalar::Number(number) if !number.is_f64()),
        "float" => matches!(scalar, Scalar::Number(_) | Scalar::NotFinite),
        _ => false,
    };
    fits.then_some(scalar)
}

fn number(text: &str) -> Option<Scalar> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.')) {
        return None;
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return unsigned(octal, 8);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return unsigned(hexadecimal, 16);
    }
    let unsigned_text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned_text, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Scalar::NotFinite);
    }
    if !unsigned_text.is_empty() && unsigned_text.bytes().all(|byte| byte.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        if let Ok(small) = plain.parse::<i64>() {
            return Some(Scalar::Number(small.into()));
        }
        if let Ok(large) = plain.parse::<u64>() {
            return Some(Scalar::Number(large.into()));
        }
    }
    is_decimal(unsigned_text).then(|| text.parse::<f64>().ok())?.map(finite)
}

fn finite(number: f64) -> Scalar {
    Number::from_f64(number).map_or(Scalar::NotFinite, Scalar::Number)
}

fn unsigned(digits: &str, radix: u32) -> Option<Scalar> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    Some(u64::from_str_radix(digits, radix).map_or(Scalar::NotFinite, |number| Scalar::Number(number.into())))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()),
        None => digits(mantissa) && !mantissa.is_empty(),
    };
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    mantissa_fits && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_core_schema_decides() {
        let cases = [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("0", json!(0)),
            ("-12", json!(-12)),
            ("+7", json!(7)),
            ("007", json!(7)),
            ("0o14", json!(12)),
            ("0x1F", json!(31)),
            ("18446744073709551615", json!(18_446_744_073_709_551_615_u64)),
            ("18446744073709551616", json!(18_446_744_073_709_551_616.0)),
            ("1.0", json!(1.0)),
            (".5", json!(0.5)),
            ("5.", json!(5.0)),
            ("-1.5e-3", json!(-0.0015)),
            ("1e3", json!(1000.0)),
        ];
        for (text, wanted) in cases {
            let got = match resolve(text) {
                Scalar::Null => json!(null),
                Scalar::Bool(flag) => json!(flag),
                Scalar::Number(number) => json!(number),
                Scalar::NotFinite | Scalar::Text => panic!("{text} is a value"),
            };
            assert_eq!(got, wanted, "{text}");
        }
        for text in ["yes", "no", "on", "off", "y", "1_000", "1:30", "0b1", "1.0.0", ".", "-", "+", "e5", "1e", "nul"] {
            assert_eq!(resolve(text), Scalar::Text, "{text}");
        }
        for text in [".inf", "-.Inf", ".nan", "1e999"] {
            assert_eq!(resolve(text), Scalar::NotFinite, "{text}");
        }
    }

    #[test]
    fn an_explicit_tag_must_fit_the_text() {
        assert_eq!(resolve_as("int", "7"), Some(Scalar::Number(7.into())));
        assert_eq!(resolve_as("int", "7.5"), None);
        assert_eq!(resolve_as("bool", "yes"), None);
        assert_eq!(resolve_as("null", "~"), Some(Scalar::Null));
    }
}
