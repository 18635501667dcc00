//! Signing in, staying signed in, and what a thief of tokens gets.

use super::{PASSWORD, person, sign_in, tenant};
use crate::on_both_databases;
use crate::service::{Answer, Database, Service, answer};
use reqwest::Method;
use serde_json::json;

on_both_databases!(
    a_stolen_refresh_token_ends_the_session,
    signing_out_ends_access_at_once,
    a_browser_stays_signed_in_with_its_cookie,
    wrong_passwords_have_to_wait_and_tell_nothing,
    somebody_made_inactive_is_out_at_once,
    another_password_ends_every_session,
    one_address_in_two_tenants_needs_the_tenant,
);

async fn me(service: &Service, access_token: &str) -> Answer {
    let request = service.with_key("").request(Method::GET, "/api/v1/auth/me").bearer_auth(access_token);
    answer(request).await
}

async fn refresh(service: &Service, token: &str) -> Answer {
    service.with_key("").post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await
}

fn text(value: &serde_json::Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}")).to_owned()
}

async fn a_stolen_refresh_token_ends_the_session(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let first = sign_in(&service, &ada.email, PASSWORD).await;
    let second = refresh(&service, &text(&first, "refresh_token")).await.expect(200);
    // Two windows at the same moment are no thieves.
    let twin = refresh(&service, &text(&first, "refresh_token")).await.expect(200);
    let third = refresh(&service, &text(&second, "refresh_token")).await.expect(200);
    assert_eq!(me(&service, &text(&third, "access_token")).await.expect(200)["id"], ada.id);
    assert_ne!(text(&twin, "refresh_token"), text(&second, "refresh_token"));
    refresh(&service, "never-given-out").await.problem(401, "invalid_credentials");
}

#[tokio::test]
async fn a_thief_and_the_owner_both_have_to_sign_in_again_on_sqlite() {
    a_thief_and_the_owner_both_have_to_sign_in_again(Database::Sqlite).await;
}

#[tokio::test]
async fn a_thief_and_the_owner_both_have_to_sign_in_again_on_postgres() {
    a_thief_and_the_owner_both_have_to_sign_in_again(Database::Postgres).await;
}

async fn a_thief_and_the_owner_both_have_to_sign_in_again(database: Database) {
    let service = Service::start_with(database, &[("identity.refresh_grace_seconds", "0")]);
    let ada = person(&service, None, "member", "ada").await;
    let elsewhere = sign_in(&service, &ada.email, PASSWORD).await;
    let signed_in = sign_in(&service, &ada.email, PASSWORD).await;
    let stolen = text(&signed_in, "refresh_token");
    // The thief is first, and goes on with what they get.
    let thief = refresh(&service, &stolen).await.expect(200);
    let thief = refresh(&service, &text(&thief, "refresh_token")).await.expect(200);
    me(&service, &text(&thief, "access_token")).await.expect(200);
    let told = refresh(&service, &stolen).await.problem(401, "invalid_credentials");
    assert!(told["detail"].as_str().unwrap().contains("used before"), "{told}");
    for access in [&thief, &signed_in] {
        me(&service, &text(access, "access_token")).await.problem(401, "invalid_credentials");
    }
    refresh(&service, &text(&thief, "refresh_token")).await.problem(401, "invalid_credentials");
    refresh(&service, &stolen).await.problem(401, "invalid_credentials");
    // Other sign-ins have nothing to do with it, and the password is still good.
    me(&service, &text(&elsewhere, "access_token")).await.expect(200);
    sign_in(&service, &ada.email, PASSWORD).await;
    let entries = service.get("/api/v1/audit?action=refresh_token_reused").await.expect(200);
    assert_eq!(entries["total"], 1, "{entries}");
}

async fn signing_out_ends_access_at_once(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let (here, there) = (sign_in(&service, &ada.email, PASSWORD).await, sign_in(&service, &ada.email, PASSWORD).await);
    me(&service, &text(&here, "access_token")).await.expect(200);
    let body = json!({ "refresh_token": text(&here, "refresh_token") });
    service.with_key("").post("/api/v1/auth/logout", &body).await.expect(204);
    me(&service, &text(&here, "access_token")).await.problem(401, "invalid_credentials");
    refresh(&service, &text(&here, "refresh_token")).await.problem(401, "invalid_credentials");
    me(&service, &text(&there, "access_token")).await.expect(200);
    service.with_key("").post("/api/v1/auth/logout", &json!({})).await.expect(204);
}

async fn a_browser_stays_signed_in_with_its_cookie(service: Service) {
    let ada = person(&service, None, "viewer", "ada").await;
    let body = json!({ "email": ada.email, "password": PASSWORD });
    let signed_in = service.with_key("").post("/api/v1/auth/login", &body).await;
    let cookie = signed_in.header("set-cookie").unwrap().to_owned();
    for part in ["callboard_refresh=", "Path=/api/v1/auth", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "a browser on this machine talks plain text: {cookie}");
    let pair = cookie.split(';').next().unwrap();
    let request = service.with_key("").request(Method::POST, "/api/v1/auth/refresh").header("Cookie", pair);
    let renewed = answer(request).await;
    assert_ne!(renewed.header("set-cookie").unwrap().split(';').next(), Some(pair));
    me(&service, &text(&renewed.expect(200), "access_token")).await.expect(200);
    // What a header claims makes no difference: the address that the browser uses does (see `deploy`).
    let request = service.with_key("").request(Method::POST, "/api/v1/auth/login").json(&body);
    let request = request.header("X-Forwarded-Proto", "https");
    assert!(!answer(request).await.header("set-cookie").unwrap().contains("Secure"));
}

async fn wrong_passwords_have_to_wait_and_tell_nothing(service: Service) {
    let ada = person(&service, None, "viewer", "ada").await;
    let attempt = async |email: &str| {
        let body = json!({ "email": email, "password": "not the password" });
        service.with_key("").post("/api/v1/auth/login", &body).await
    };
    let known = attempt(&ada.email).await.problem(401, "invalid_credentials");
    let unknown = attempt("nobody@example.org").await.problem(401, "invalid_credentials");
    assert_eq!(known["detail"], unknown["detail"]);
    let mut throttled = attempt(&ada.email).await;
    for _ in 0..10 {
        if throttled.status.as_u16() == 429 {
            break;
        }
        throttled = attempt(&ada.email).await;
    }
    let seconds: u64 = throttled.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=4).contains(&seconds), "{seconds}");
    throttled.problem(429, "too_many_attempts");
    // The right password has to wait as well.
    let body = json!({ "email": ada.email, "password": PASSWORD });
    service.with_key("").post("/api/v1/auth/login", &body).await.problem(429, "too_many_attempts");
}

async fn somebody_made_inactive_is_out_at_once(service: Service) {
    let ada = person(&service, None, "admin", "ada").await;
    let tokens = sign_in(&service, &ada.email, PASSWORD).await;
    me(&service, &text(&tokens, "access_token")).await.expect(200);
    ada.client.get("/api/v1/auth/me").await.expect(200);
    let path = format!("/api/v1/users/{}", ada.id);
    service.put(&path, &json!({ "role": "viewer" })).await.expect(200);
    assert_eq!(ada.client.get("/api/v1/auth/me").await.expect(200)["role"], "viewer", "a key is not above its person");
    service.put(&path, &json!({ "is_active": false })).await.expect(200);
    me(&service, &text(&tokens, "access_token")).await.problem(401, "invalid_credentials");
    ada.client.get("/api/v1/auth/me").await.problem(401, "invalid_credentials");
    let body = json!({ "email": ada.email, "password": PASSWORD });
    service.with_key("").post("/api/v1/auth/login", &body).await.problem(401, "invalid_credentials");
}

async fn another_password_ends_every_session(service: Service) {
    let ada = person(&service, None, "member", "ada").await;
    let tokens = sign_in(&service, &ada.email, PASSWORD).await;
    let change = async |body: serde_json::Value| {
        let request = service.with_key("").request(Method::PUT, "/api/v1/auth/me").json(&body);
        answer(request.bearer_auth(text(&tokens, "access_token"))).await
    };
    change(json!({ "password": "another good one" })).await.problem(400, "invalid_body");
    change(json!({ "password": "another good one", "current_password": "wrong" })).await.problem(400, "invalid_body");
    change(json!({ "password": "short", "current_password": PASSWORD })).await.problem(400, "invalid_body");
    change(json!({ "password": "another good one", "current_password": PASSWORD })).await.expect(200);
    me(&service, &text(&tokens, "access_token")).await.problem(401, "invalid_credentials");
    sign_in(&service, &ada.email, "another good one").await;
}

async fn one_address_in_two_tenants_needs_the_tenant(service: Service) {
    let blue = tenant(&service, "blue").await;
    person(&service, None, "member", "ada").await;
    let body = json!({ "email": "ada@example.org", "display_name": "Ada", "role": "admin", "password": PASSWORD });
    service.post_with("/api/v1/users", &[("X-Tenant-Id", &blue)], &body).await.expect(201);
    let login = async |tenant: Option<&str>| {
        let body = json!({ "email": "ada@example.org", "password": PASSWORD, "tenant": tenant });
        service.with_key("").post("/api/v1/auth/login", &body).await
    };
    login(None).await.problem(401, "invalid_credentials");
    login(Some("green")).await.problem(401, "invalid_credentials");
    assert_eq!(login(Some("blue")).await.expect(200)["user"]["role"], "admin");
    assert_eq!(login(Some("default")).await.expect(200)["user"]["role"], "member");
}
