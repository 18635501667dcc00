//! The files of the dashboard, which are part of the program: chosen, compressed as the browser likes it, with how long they
//! may be kept.
//!
//! What they do is not known here. `home` decides which requests are for them.

use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderMap};
use sha2::{Digest, Sha256};

/// One file as the build of the dashboard has left it.
pub struct File {
    /// Below the root, without a leading slash.
    pub path: &'static str,
    pub bytes: &'static [u8],
    /// Absent for what does not become smaller.
    pub gzip: Option<&'static [u8]>,
    pub brotli: Option<&'static [u8]>,
}

/// Everything, or nothing when the program was built without the dashboard.
pub static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The page that every address of the dashboard begins with.
pub const INDEX: &str = "index.html";

/// Files in here carry a hash of their content in their name, so they never change.
const HASHED_FOLDER: &str = "assets/";

/// Styles may stand in the page, since components place what floats; scripts come from files of this service only.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The file with this path.
pub fn find(files: &'static [File], path: &str) -> Option<&'static File> {
    files.iter().find(|file| file.path == path)
}

/// The answer that carries a file.
pub fn answer(file: &File, request: &HeaderMap) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::VARY, "accept-encoding"));
    if file.path == INDEX {
        response
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .insert_header((header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"));
    }
    if file.path.starts_with(HASHED_FOLDER) {
        response.insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"));
    } else {
        let tag = entity_tag(file.bytes);
        let is_known = accepts(request, &header::IF_NONE_MATCH, &tag);
        response.insert_header((header::CACHE_CONTROL, "no-cache")).insert_header((header::ETAG, tag));
        if is_known {
            return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
        }
    }
    let (encoding, bytes) = match (file.brotli, file.gzip) {
        (Some(bytes), _) if accepts(request, &header::ACCEPT_ENCODING, "br") => (Some("br"), bytes),
        (_, Some(bytes)) if accepts(request, &header::ACCEPT_ENCODING, "gzip") => (Some("gzip"), bytes),
        _ => (None, file.bytes),
    };
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    response.content_type(media_type(file.path)).body(bytes)
}

/// Whether a header's list names a word. A quality of zero refuses it.
pub(super) fn accepts(request: &HeaderMap, name: &header::HeaderName, word: &str) -> bool {
    request.get_all(name).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        // A cache in between may have made the tag a weak one.
        let is_named = parts.next().is_some_and(|found| found.strip_prefix("W/").unwrap_or(found) == word);
        is_named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn entity_tag(bytes: &[u8]) -> String {
    use std::fmt::Write;
    let mut tag = String::from("\"");
    for byte in Sha256::digest(bytes).iter().take(16) {
        // Writing to a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::StatusCode;
    use actix_web::test::TestRequest;

    static PAGE: File = File { path: INDEX, bytes: b"page", gzip: Some(b"page, gzip"), brotli: Some(b"page, brotli") };
    static SCRIPT: File = File { path: "assets/app-3f2a.js", bytes: b"script", gzip: Some(b"gzip"), brotli: None };

    fn ask(file: &File, headers: &[(header::HeaderName, &str)]) -> HttpResponse {
        let mut request = TestRequest::default();
        for header in headers {
            request = request.insert_header(header.clone());
        }
        answer(file, request.to_http_request().headers())
    }

    fn text<'a>(response: &'a HttpResponse, name: &header::HeaderName) -> Option<&'a str> {
        response.headers().get(name).map(|value| value.to_str().unwrap())
    }

    #[test]
    fn the_smallest_accepted_form_is_sent() {
        let sent = |file, accepted: &str| {
            let response = ask(file, &[(header::ACCEPT_ENCODING, accepted)]);
            text(&response, &header::CONTENT_ENCODING).map(str::to_owned)
        };
        assert_eq!(sent(&PAGE, "gzip, deflate, br").as_deref(), Some("br"));
        assert_eq!(sent(&PAGE, "gzip, br;q=0").as_deref(), Some("gzip"));
        assert_eq!(sent(&SCRIPT, "gzip, br").as_deref(), Some("gzip"));
        assert_eq!(sent(&PAGE, "identity"), None);
    }

    #[test]
    fn hashed_files_are_kept_and_others_are_asked_for_again() {
        let script = ask(&SCRIPT, &[]);
        assert_eq!(text(&script, &header::CACHE_CONTROL), Some("public, max-age=31536000, immutable"));
        let page = ask(&PAGE, &[]);
        assert_eq!(text(&page, &header::CACHE_CONTROL), Some("no-cache"));
        let tag = text(&page, &header::ETAG).unwrap();
        assert_eq!(ask(&PAGE, &[(header::IF_NONE_MATCH, tag)]).status(), StatusCode::NOT_MODIFIED);
        let weak = format!("W/{tag}");
        assert_eq!(ask(&PAGE, &[(header::IF_NONE_MATCH, &weak)]).status(), StatusCode::NOT_MODIFIED);
        assert_eq!(ask(&PAGE, &[(header::IF_NONE_MATCH, "\"other\"")]).status(), StatusCode::OK);
    }

    #[test]
    fn the_page_runs_scripts_of_this_service_only() {
        let page = ask(&PAGE, &[]);
        let policy = text(&page, &header::CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.starts_with("default-src 'self'"));
        assert!(!policy.contains("script-src"), "scripts fall under default-src");
    }
}
