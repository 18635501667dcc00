//! The page at `/` and every address of the dashboard, which is part of the program. A program that was built without it
//! says what runs here and how to get the dashboard.

use super::dashboard::{self, FILES, File};
use super::error::Error;
use super::routing;
use actix_web::http::{Method, header};
use actix_web::{HttpRequest, HttpResponse};

const PAGE: &str = concat!(
    r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Callboard</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color-scheme: light dark }
  code { font-family: ui-monospace, monospace }
</style>
<h1>Callboard "#,
    env!("CARGO_PKG_VERSION"),
    r#"</h1>
<p>The execution service for agents and workflows is running. This program was built without the dashboard: install Node
20.19 or newer and build it with <code>make build</code>. Until then it is used over HTTP and with the
<code>callboard</code> command.</p>
<ul>
  <li><a href="/docs/">The interface, browsable</a> and <a href="/api/v1/openapi.json">as OpenAPI</a></li>
  <li><a href="/api/v1/executions">Executions</a>, <a href="/api/v1/executions/stats">figures about them</a> and
      <a href="/api/v1/queue">the queue</a></li>
  <li><a href="/api/v1/workflows">Workflows</a> and <a href="/api/v1/agents">agents</a></li>
  <li><a href="/readyz">The state of the service</a> and <a href="/metrics">its metrics</a></li>
</ul>
</html>
"#
);

/// The dashboard, or a small page for people who open the address of a program that was built without it.
#[utoipa::path(get, path = "/", tag = "service", responses(
    (status = 200, body = String, content_type = "text/html", description = "The dashboard."),
    (status = 304, description = "The browser's copy is still good."),
))]
pub async fn page(request: HttpRequest) -> HttpResponse {
    if let Some(index) = dashboard::find(FILES, dashboard::INDEX) {
        return dashboard::answer(index, request.headers());
    }
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(PAGE)
}

/// What no address of the service takes: a file of the dashboard, or one of its pages, which all begin with the same file.
///
/// # Errors
/// 404 for everything else.
pub async fn other(request: HttpRequest) -> Result<HttpResponse, Error> {
    match choose(FILES, &request) {
        Some(file) => Ok(dashboard::answer(file, request.headers())),
        None => routing::no_such_address(request).await,
    }
}

/// Addresses that never belong to the dashboard, so that a program that asks for a wrong one learns it.
const NOT_PAGES: [&str; 7] = ["/api", "/ws", "/docs", "/assets", "/livez", "/readyz", "/metrics"];

fn choose(files: &'static [File], request: &HttpRequest) -> Option<&'static File> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.path();
    if let Some(file) = dashboard::find(files, path.trim_start_matches('/')) {
        return Some(file);
    }
    let is_below = |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let wants_page = request
        .headers()
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    if !wants_page || NOT_PAGES.iter().any(is_below) {
        return None;
    }
    dashboard::find(files, dashboard::INDEX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    static FILES: &[File] = &[
        File { path: "assets/app-3f2a.js", bytes: b"script", gzip: None, brotli: None },
        File { path: "index.html", bytes: b"page", gzip: None, brotli: None },
    ];

    fn chosen(method: Method, path: &str, accept: &'static str) -> Option<&'static str> {
        let request = TestRequest::with_uri(path).method(method).insert_header((header::ACCEPT, accept));
        choose(FILES, &request.to_http_request()).map(|file| file.path)
    }

    #[test]
    fn browsers_get_the_page_at_every_address_that_is_not_the_service_s() {
        let html = "text/html,application/xhtml+xml,*/*;q=0.8";
        assert_eq!(chosen(Method::GET, "/executions/1?tab=logs", html), Some("index.html"));
        assert_eq!(chosen(Method::GET, "/apiary", html), Some("index.html"));
        assert_eq!(chosen(Method::GET, "/assets/app-3f2a.js", "*/*"), Some("assets/app-3f2a.js"));
        assert_eq!(chosen(Method::GET, "/assets/app-0000.js", html), None);
        assert_eq!(chosen(Method::GET, "/api/v1/nothing", html), None);
        assert_eq!(chosen(Method::GET, "/executions", "application/json"), None);
        assert_eq!(chosen(Method::POST, "/executions", html), None);
    }
}
