//! The page at `/`: what runs here, and where to read on.

use actix_web::HttpResponse;
use actix_web::http::header;

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
<p>The execution service for agents and workflows is running. This version has no dashboard; it is used over HTTP and with
the <code>callboard</code> command.</p>
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

/// A small page for people who open the address in a browser.
#[utoipa::path(get, path = "/", tag = "service", responses(
    (status = 200, body = String, content_type = "text/html", description = "What runs here."),
))]
pub async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .body(PAGE)
}
