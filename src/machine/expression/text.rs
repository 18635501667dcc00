//! The JSON text of a value as jq writes it: `tojson`, `tostring`, interpolation, `@csv` and the others.
//!
//! A number that is handed on as it was written keeps its fraction (`1.0`), one that was computed has none (`1`); beyond 64 bits
//! and below 0.0001 the digits are laid out as in jq (`1e+23`, `1e-05`).

use super::value::Data;

/// Whole numbers of jq are written out up to this many zeros behind their digits.
const MAX_ZEROS: usize = 15;
/// Numbers with this many zeros behind the point get an exponent.
const MAX_LEADING_ZEROS: usize = 3;

/// Appends the text of a value. What is nested too deeply, which has none, is left out.
pub(super) fn write_json(value: &Data, text: &mut String) {
    match value {
        Data::Null => text.push_str("null"),
        Data::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        Data::Integer(number) => push(text, format_args!("{number}")),
        Data::Float(number) => write_float(*number, text),
        Data::Text(inner) => write_text(inner, text),
        Data::Array(array) => {
            text.push('[');
            for (at, item) in array.items().iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_json(item, text);
            }
            text.push(']');
        }
        Data::Object(object) => {
            text.push('{');
            for (at, (key, item)) in object.entries().iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_text(key, text);
                text.push(':');
                write_json(item, text);
            }
            text.push('}');
        }
        Data::TooDeep => {}
    }
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.push_str(&arguments.to_string());
}

fn write_text(inner: &str, text: &mut String) {
    text.push('"');
    for character in inner.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{7f}' => push(text, format_args!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text.push('"');
}

fn write_float(number: f64, text: &mut String) {
    if !number.is_finite() {
        return text.push_str("null");
    }
    // Of the computed numbers only those beyond 64 bits are whole and no integers.
    if number.fract() == 0.0 && number.abs() < 9_223_372_036_854_775_808.0 {
        return push(text, format_args!("{number:.1}"));
    }
    let scientific = format!("{:e}", number.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number < 0.0 {
        text.push('-');
    }
    let places = usize::try_from(exponent.unsigned_abs()).unwrap_or(usize::MAX);
    let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
    if exponent < 0 && places <= MAX_LEADING_ZEROS.saturating_add(1) {
        push(text, format_args!("0.{}{digits}", "0".repeat(places.saturating_sub(1))));
    } else if exponent < 0 || places >= digits.len().saturating_add(MAX_ZEROS) {
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        push(text, format_args!("{first}{point}{rest}e{sign}{places:02}"));
    } else if let Some((whole, fraction)) = digits.split_at_checked(places.saturating_add(1)) {
        let point = if fraction.is_empty() { "" } else { "." };
        push(text, format_args!("{whole}{point}{fraction}"));
    } else {
        let zeros = places.saturating_add(1).saturating_sub(digits.len());
        push(text, format_args!("{digits}{}", "0".repeat(zeros)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: &Data) -> String {
        let mut text = String::new();
        write_json(value, &mut text);
        text
    }

    #[test]
    fn numbers_are_laid_out_as_in_jq() {
        let rows = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (333.333_333_333_333_3, "333.3333333333333"),
            (1e15 + 0.5, "1000000000000000.5"),
            (0.000_1, "0.0001"),
            (0.000_015, "1.5e-05"),
            (1.25e-7, "1.25e-07"),
            (-1e-300, "-1e-300"),
            (1e23, "1e+23"),
            (1.500_000_000_000_000_2e25, "15000000000000002000000000"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "null"),
        ];
        for (number, wanted) in rows {
            assert_eq!(text_of(&Data::Float(number)), wanted);
        }
        assert_eq!(text_of(&Data::number(1e17)), "100000000000000000");
    }

    #[test]
    fn control_characters_are_escaped_as_in_jq() {
        let text = Data::text("a\"\\\u{8}\u{c}\n\r\t\u{1}\u{7f}\u{80}ü\u{2028}");
        assert_eq!(text_of(&text), "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u007f\u{80}ü\u{2028}\"");
    }
}
