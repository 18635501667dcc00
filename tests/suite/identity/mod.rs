//! Who may do what: every route, every role, own things, those of others, those of another tenant; and how people and
//! programs show who they are.

mod attacks;
mod audit;
mod authority;
mod first_start;
mod keys;
mod live;
mod providers;
mod queue;
mod sessions;
mod takeover;
mod walk;

use crate::service::{Client, Service};
use serde_json::{Value, json};

/// Somebody with a role in a tenant, and a key of theirs.
pub struct Person {
    pub client: Client,
    pub id: String,
    pub email: String,
    /// Of a sign-in.
    pub access_token: String,
}

pub const PASSWORD: &str = "correct horse battery";

/// Adds somebody to a tenant (the default one when absent) and makes them a key.
pub async fn person(service: &Service, tenant: Option<&str>, role: &str, name: &str) -> Person {
    let email = format!("{name}@example.org");
    let body = json!({ "email": email, "display_name": name, "role": role, "password": PASSWORD });
    let headers: Vec<(&str, &str)> = tenant.iter().map(|tenant| ("X-Tenant-Id", *tenant)).collect();
    let created = service.post_with("/api/v1/users", &headers, &body).await.expect(201);
    let id = created["id"].as_str().unwrap().to_owned();
    let tokens = sign_in(service, &email, PASSWORD).await;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let nobody = service.with_key("");
    let made = nobody.post_with("/api/v1/api-keys", &[("Authorization", &bearer)], &json!({ "name": name })).await;
    let key = made.expect(201)["key"].as_str().unwrap().to_owned();
    let access_token = tokens["access_token"].as_str().unwrap().to_owned();
    Person { client: service.with_key(&key), id, email, access_token }
}

/// A fresh tenant; its id.
pub async fn tenant(service: &Service, slug: &str) -> String {
    let made = service.post("/api/v1/tenants", &json!({ "name": slug, "slug": slug })).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

pub async fn sign_in(service: &Service, email: &str, password: &str) -> Value {
    let body = json!({ "email": email, "password": password });
    service.with_key("").post("/api/v1/auth/login", &body).await.expect(200)
}
