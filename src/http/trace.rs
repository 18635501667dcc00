//! `traceparent`: the trace that a request belongs to (W3C Trace Context), which the effects of its execution continue.

use actix_web::HttpRequest;

const TRACEPARENT: &str = "traceparent";

/// The trace context of a request. One that is not valid is ignored, as the recommendation asks.
pub fn of(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get(TRACEPARENT)?.to_str().ok()?.trim();
    is_valid(text).then(|| text.to_owned())
}

/// `version-trace-parent-flags` in lower-case hexadecimal; neither id may be all zeros.
fn is_valid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts.as_slice() else { return false };
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let is_id = |part: &str, length: usize| is_hex(part, length) && part.bytes().any(|byte| byte != b'0');
    is_hex(version, 2) && *version != "ff" && is_id(trace, 32) && is_id(parent, 16) && is_hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_well_formed_contexts_are_continued() {
        assert!(is_valid("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for broken in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        ] {
            assert!(!is_valid(broken), "{broken}");
        }
    }
}
