//! Databases for measurements: a fresh SQLite file, a given PostgreSQL database, or a PostgreSQL server of our own.

use super::error::Error;
use super::service::free_port;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, geteuid};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const START_TIMEOUT: Duration = Duration::from_secs(30);
const START_POLL: Duration = Duration::from_millis(20);
/// The line of `postmaster.pid` that says `ready`.
const STATUS_LINE: usize = 7;

/// A database that a measurement may fill, and the folder that belongs to the measurement.
#[derive(Debug)]
pub struct Database {
    pub url: String,
    /// `sqlite` or `postgres`.
    pub kind: &'static str,
    // Dropped in this order: first the server, then its folder.
    _server: Option<PostgresServer>,
    directory: TempDir,
}

impl Database {
    /// Opens what `--store` names: `sqlite` (a fresh file), `postgres` (a server of our own), or a URL.
    ///
    /// # Errors
    /// When the choice is unknown, or the server cannot be started.
    pub fn open(choice: &str) -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("callboard-").tempdir();
        let directory =
            directory.map_err(|error| Error::failure(format!("cannot make a temporary folder: {error}")))?;
        let (url, kind, server) = match choice {
            "sqlite" => {
                let file = directory.path().join("callboard.db");
                (format!("sqlite:{}", file.display()), "sqlite", None)
            }
            "postgres" => {
                let server = PostgresServer::start(directory.path())?;
                (server.url(), "postgres", Some(server))
            }
            url if url.starts_with("sqlite:") => (absolute(url)?, "sqlite", None),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                (url.to_owned(), "postgres", None)
            }
            other => {
                return Err(Error::invalid(format!(
                    "--store {other}: write sqlite, postgres, sqlite:FILE or postgres://user:password@host/database"
                )));
            }
        };
        Ok(Self { url, kind, _server: server, directory })
    }

    /// A folder that is deleted with this.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }
}

/// The address of a SQLite file from wherever: the service is started in another folder than this process.
fn absolute(url: &str) -> Result<String, Error> {
    let file = url.trim_start_matches("sqlite:").trim_start_matches("//");
    let path = std::path::absolute(file)
        .map_err(|error| Error::invalid(format!("--store {url}: no file can have this name ({error})")))?;
    Ok(format!("sqlite:{}", path.display()))
}

/// A PostgreSQL server with the defaults of its version, on a free port of this machine.
#[derive(Debug)]
struct PostgresServer {
    child: Child,
    port: u16,
}

impl PostgresServer {
    fn start(directory: &Path) -> Result<Self, Error> {
        let binaries = binaries().ok_or_else(|| {
            Error::failure(
                "no PostgreSQL server is installed (looked for initdb in PATH and /usr/lib/postgresql)\n  \
                 Install the package postgresql, or name a database: --store postgres://user:password@host/database",
            )
        })?;
        let account = Account::find()?;
        let data = directory.join("postgres");
        account.own(directory, &data)?;
        let mut initialize = Command::new(binaries.join("initdb"));
        initialize.args(["--username=callboard", "--auth=trust", "--encoding=UTF8", "--no-sync", "--pgdata"]);
        let output = account.run_as(initialize.arg(&data)).output();
        let output = output.map_err(|error| Error::failure(format!("cannot run initdb: {error}")))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(Error::failure(format!("initdb failed: {}", reason.trim())));
        }
        let port = free_port()?;
        let mut serve = Command::new(binaries.join("postgres"));
        serve.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        serve.args(["-c", "unix_socket_directories=", "-c", "logging_collector=off"]);
        let child = account.run_as(&mut serve).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| Error::failure(format!("cannot start PostgreSQL: {error}")))?;
        let mut server = Self { child, port };
        server.wait_until_ready(&data)?;
        Ok(server)
    }

    fn wait_until_ready(&mut self, data: &Path) -> Result<(), Error> {
        let begin = Instant::now();
        while begin.elapsed() < START_TIMEOUT {
            let lock = std::fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
            if lock.lines().nth(STATUS_LINE).is_some_and(|status| status.trim() == "ready") {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::failure(format!("PostgreSQL ended with {status}")));
            }
            std::thread::sleep(START_POLL);
        }
        Err(Error::failure("PostgreSQL was not ready in time"))
    }

    fn url(&self) -> String {
        format!("postgres://callboard@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            // INT is PostgreSQL's fast shutdown: sessions are ended, data is written.
            let _ = kill(Pid::from_raw(pid), Signal::SIGINT);
        }
        let _ = self.child.wait();
    }
}

/// Where `initdb` and `postgres` are: in `PATH`, or where Debian keeps them (the newest version).
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").is_file());
    if let Some(initdb) = in_path.and_then(|folder| std::fs::canonicalize(folder.join("initdb")).ok()) {
        return initdb.parent().map(Path::to_owned);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin"));
    versions.filter(|folder| folder.join("initdb").is_file()).max()
}

/// Who the server runs as: it refuses to run as root.
#[derive(Debug)]
struct Account {
    other: Option<User>,
}

impl Account {
    fn find() -> Result<Self, Error> {
        if !geteuid().is_root() {
            return Ok(Self { other: None });
        }
        let named = |name| User::from_name(name).ok().flatten();
        match named("postgres").or_else(|| named("nobody")) {
            Some(user) => Ok(Self { other: Some(user) }),
            None => Err(Error::failure("PostgreSQL does not run as root, and there is no user postgres or nobody")),
        }
    }

    /// Makes the folder of the server's data, owned by the account and reachable for it.
    fn own(&self, parent: &Path, data: &Path) -> Result<(), Error> {
        let Some(user) = &self.other else { return Ok(()) };
        let passable = std::fs::Permissions::from_mode(0o711);
        std::fs::set_permissions(parent, passable)
            .and_then(|()| std::fs::create_dir(data))
            .and_then(|()| chown(data, Some(user.uid.as_raw()), Some(user.gid.as_raw())))
            .map_err(|error| Error::file("prepare", data, &error))
    }

    fn run_as<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.current_dir("/").stdin(Stdio::null());
        if let Some(user) = &self.other {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }
}
