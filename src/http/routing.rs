//! How the route table is written: `at("/executions").get(list).post(start)`.
//!
//! An address that exists answers a method it does not take with 405 and `Allow`, and `OPTIONS` with `Allow`.

use super::error::Error;
use crate::wire::catalog::Code;
use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, guard, web};

/// The pattern of the address that answers a request, `/executions/{id}`: what figures are counted by.
#[derive(Clone, Debug)]
pub struct Pattern(pub &'static str);

/// One address and the methods it takes.
pub struct Address {
    #[cfg(test)]
    pattern: &'static str,
    resource: Resource,
    allowed: Vec<&'static str>,
}

/// Begins the row of an address.
pub fn at(pattern: &'static str) -> Address {
    let resource = web::resource(pattern).app_data(Pattern(pattern));
    Address {
        #[cfg(test)]
        pattern,
        resource,
        allowed: vec!["OPTIONS"],
    }
}

impl Address {
    #[cfg(test)]
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The methods it takes.
    #[cfg(test)]
    pub fn methods(&self) -> &[&'static str] {
        &self.allowed
    }

    /// `HEAD` is answered like `GET`, without the body.
    pub fn get<F, A>(mut self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let is_read = guard::Any(guard::Get()).or(guard::Head());
        self.resource = self.resource.route(web::route().guard(is_read).to(handler));
        self.allowed.extend(["GET", "HEAD"]);
        self
    }

    pub fn post<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::POST, "POST", handler)
    }

    pub fn put<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::PUT, "PUT", handler)
    }

    pub fn delete<F, A>(self, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.method(Method::DELETE, "DELETE", handler)
    }

    fn method<F, A>(mut self, method: Method, name: &'static str, handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.resource = self.resource.route(web::method(method).to(handler));
        self.allowed.push(name);
        self
    }
}

impl HttpServiceFactory for Address {
    fn register(self, service: &mut AppService) {
        let allowed = self.allowed.join(", ");
        let other_methods = move |request: HttpRequest| std::future::ready(answer_other_method(&request, &allowed));
        self.resource.default_service(web::to(other_methods)).register(service);
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
