//! The page at `/` and what belongs to it, with and without the dashboard in the program.

use crate::service::{Answer, Database, Service, answer};
use reqwest::Method;

async fn open(service: &Service, path: &str) -> Answer {
    let accepted = "text/html,application/xhtml+xml,*/*;q=0.8";
    answer(service.request(Method::GET, path).header("accept", accepted)).await
}

#[tokio::test]
async fn a_browser_gets_a_page_whose_parts_are_all_there() {
    let service = Service::start(Database::Sqlite);
    let home = open(&service, "/").await;
    assert_eq!((home.status.as_u16(), home.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = home.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src '") && !policy.contains("script-src"), "{policy}");
    assert!(!home.text.contains("<script>"), "scripts in the page are refused by the browser");
    for link in home.text.split("src=\"").chain(home.text.split("href=\"")).skip(1) {
        let link = link.split('"').next().unwrap();
        if link.starts_with('/') {
            assert_eq!(service.get(link).await.status, 200, "{link}");
        }
    }
    let is_embedded = home.text.contains("/assets/");
    let deep = open(&service, "/executions/some-id?tab=logs").await;
    if is_embedded {
        assert_eq!((deep.status.as_u16(), &deep.text), (200, &home.text), "every page begins with the same file");
        let tag = home.header("etag").unwrap();
        let again = answer(service.request(Method::GET, "/").header("if-none-match", tag)).await;
        assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    } else {
        assert!(home.text.contains("make build"), "it says how to get the dashboard");
        deep.problem(404, "route_not_found");
    }
}

#[tokio::test]
async fn programs_are_told_that_an_address_is_wrong() {
    let service = Service::start(Database::Sqlite);
    service.get("/executions").await.problem(404, "route_not_found");
    open(&service, "/api/v1/nothing").await.problem(404, "route_not_found");
    open(&service, "/assets/app-00000000.js").await.problem(404, "route_not_found");
}
