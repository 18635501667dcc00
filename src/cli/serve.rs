//! `callboard serve`: the service, until SIGTERM or Ctrl-C.

use super::error::{Error, finish};
use super::terminal::print;
use super::{Exit, SettingsFlags};
use crate::settings::Settings;
use crate::startup::{self, Application};
use crate::telemetry;
use clap::Args;

/// Start the service
#[derive(Args, Debug)]
pub struct Arguments {
    /// The address to listen on; 0.0.0.0 for all of the machine's, which needs server.public_urls and identity.signing_keys
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 takes a free one
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    settings: SettingsFlags,
}

/// Serves until it is told to stop.
pub fn execute(arguments: &Arguments) -> Exit {
    finish(settings(arguments).and_then(|settings| {
        telemetry::install(&settings.telemetry).map_err(|error| Error::invalid(error.to_string()))?;
        startup::block_on(serve(&settings))
    }))
}

fn settings(arguments: &Arguments) -> Result<Settings, Error> {
    let host = arguments.host.iter().map(|host| ("server.host".to_owned(), host.clone()));
    let port = arguments.port.iter().map(|port| ("server.port".to_owned(), port.to_string()));
    arguments.settings.load(host.chain(port)).map_err(|invalid| Error::invalid(invalid.to_string()))
}

async fn serve(settings: &Settings) -> Result<Exit, Error> {
    let application = Application::build(settings).await?;
    print(&format!("Callboard {} listens on {}", env!("CARGO_PKG_VERSION"), application.url()));
    let url = application.public_url();
    print(&format!("  store  {}", settings.store.url));
    print(&format!("  API    {url}/api/v1, described at {url}/docs"));
    if let Some(way_in) = application.first_sign_in() {
        print(&format!("  sign in for the first time at {url}/sign-in?token={}", way_in.token));
        print(&format!("          (the token is in {} too)", way_in.file.display()));
    }
    application.run_until_stopped().await?;
    print("Callboard has stopped");
    Ok(Exit::Success)
}
