//! `callboard openapi`: the description of the HTTP interface, as the service serves it.

use super::Exit;
use crate::http::openapi_text;
use clap::Args;

/// Print the description of the HTTP interface (OpenAPI 3.1, JSON)
#[derive(Args, Debug)]
pub struct Arguments {}

#[expect(clippy::print_stdout, reason = "the answer of the command")]
pub fn execute(_arguments: &Arguments) -> Exit {
    println!("{}", openapi_text());
    Exit::Success
}
