//! How the route table is written: `at("/executions").get(Action::ExecutionRead, list).post(Action::ExecutionStart, start)`.
//!
//! Each method of an address says what it asks of whoever comes; `authorization` holds it to that before the handler runs.
//! An address that exists answers a method it does not take with 405 and `Allow`, and `OPTIONS` with `Allow`.

use super::authorization::{self, Access, Accesses};
use super::error::Error;
use crate::wire::catalog::Code;
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, guard, middleware, web};
use std::sync::Arc;

/// The pattern of the address that answers a request, `/executions/{id}`: what figures are counted by.
#[derive(Clone, Debug)]
pub struct Pattern(pub &'static str);

/// One address and the methods it takes.
pub struct Address {
    pattern: &'static str,
    resource: Resource,
    allowed: Vec<&'static str>,
    accesses: Accesses,
}

/// Begins the row of an address.
pub fn at(pattern: &'static str) -> Address {
    let resource = web::resource(pattern).app_data(Pattern(pattern));
    Address { pattern, resource, allowed: vec!["OPTIONS"], accesses: Vec::new() }
}

impl Address {
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The methods it takes.
    #[cfg(test)]
    pub fn methods(&self) -> &[&'static str] {
        &self.allowed
    }

    /// What each method asks of whoever comes.
    pub fn accesses(&self) -> &Accesses {
        &self.accesses
    }

    /// `HEAD` is answered like `GET`, without the body.
    pub fn get<F, A>(mut self, access: impl Into<Access>, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let is_read = guard::Any(guard::Get()).or(guard::Head());
        self.resource = self.resource.route(web::route().guard(is_read).to(handler));
        self.allowed.extend(["GET", "HEAD"]);
        self.accesses.push((Method::GET, access.into()));
        self
    }

    pub fn post<F, A>(self, access: impl Into<Access>, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::POST, "POST", access.into(), handler)
    }

    pub fn put<F, A>(self, access: impl Into<Access>, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::PUT, "PUT", access.into(), handler)
    }

    pub fn delete<F, A>(self, access: impl Into<Access>, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::DELETE, "DELETE", access.into(), handler)
    }

    fn method<F, A>(mut self, method: Method, name: &'static str, access: Access, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.accesses.push((method.clone(), access));
        self.resource = self.resource.route(web::method(method).to(handler));
        self.allowed.push(name);
        self
    }
}

impl HttpServiceFactory for Address {
    fn register(self, service: &mut AppService) {
        let allowed = self.allowed.join(", ");
        let other_methods = move |request: HttpRequest| std::future::ready(answer_other_method(&request, &allowed));
        let accesses = Arc::new(self.accesses);
        let guard = middleware::from_fn(move |request, next| {
            let accesses = Arc::clone(&accesses);
            async move { authorization::pass(&accesses, request, next).await }
        });
        self.resource.default_service(web::to(other_methods)).wrap(guard).register(service);
    }
}

fn answer_other_method(request: &HttpRequest, allowed: &str) -> Result<HttpResponse, Error> {
    let allow = header::HeaderValue::from_str(allowed).unwrap_or(header::HeaderValue::from_static(""));
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((header::ALLOW, allow)).finish());
    }
    let detail = format!("{} takes {allowed}, not {}.", request.path(), request.method());
    Err(Error::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, allow))
}

/// The answer to an address that does not exist.
pub async fn no_such_address(request: HttpRequest) -> Result<HttpResponse, Error> {
    Err(Error::new(Code::RouteNotFound, format!("There is nothing at {}.", request.path())))
}
