//! `callboard openapi`: the description of the HTTP interface, as the service serves it.

use super::Exit;
use super::terminal::print;
use crate::http::openapi_text;
use clap::Args;

/// Print the description of the HTTP interface (OpenAPI 3.1, JSON)
#[derive(Args, Debug)]
pub struct Arguments {}

pub fn execute(_arguments: &Arguments) -> Exit {
    print(&openapi_text());
    Exit::Success
}
