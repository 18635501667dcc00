//! Copies of the whole database: made while the service works, brought back while it does not.
//!
//! SQLite copies itself (`VACUUM INTO`: one consistent moment, writers do not wait). For PostgreSQL its own programs do the
//! work; they get the password in their environment, where other users of the machine cannot read it. A copy appears under
//! its name when it is complete and on disk, never before.

use super::connection::{AnyConnection, Location, Purpose, without_credentials};
use super::statement::Statement;
use super::{Error, lock, migrations, watermark};
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How a copy of a SQLite database begins, and one of PostgreSQL.
const SQLITE_HEAD: &[u8] = b"SQLite format 3\0";
const POSTGRES_HEAD: &[u8] = b"PGDMP";

/// Where Debian keeps the programs of PostgreSQL, a folder per version.
const POSTGRES_FOLDER: &str = "/usr/lib/postgresql";

/// A copy that has been made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backup {
    pub size_bytes: u64,
    /// Everything up to this position is in it for certain.
    pub position: u64,
}

/// A database that has been brought back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The newest position in it.
    pub position: u64,
    /// Where the database that was there before is now.
    pub replaced: Option<PathBuf>,
}

/// Copies a database into a new file that only its owner can read. The service may be running.
///
/// # Errors
/// [`Error::Conflict`] when the file is there already, [`Error::Unavailable`] when the copy cannot be made.
pub fn back_up(url: &str, file: &Path) -> Result<Backup, Error> {
    if file.exists() {
        return Err(Error::Conflict { message: format!("{} is there already", file.display()) });
    }
    let location = Location::parse(url)?;
    location.must_exist()?;
    let mut connection = location.connect(Purpose::Read)?;
    let position = watermark::last_position(&mut connection)?;
    let partial = with_suffix(file, ".partial");
    // What a copy left that was broken off.
    let _ = std::fs::remove_file(&partial);
    let copied = copy(&location, &mut connection, &partial).and_then(|()| publish(&partial, file));
    match copied {
        Ok(size_bytes) => Ok(Backup { size_bytes, position }),
        Err(error) => {
            let _ = std::fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// Makes a database from a copy. The service must not be running. A SQLite file that is there already is kept beside the new
/// one when `replace` says so; a PostgreSQL database must be empty.
///
/// # Errors
/// [`Error::Conflict`] when there is a database already, or the copy is not one of this kind of database;
/// [`Error::Occupied`] while a service works on it; [`Error::Migration`] for a copy of a newer version.
pub fn restore(url: &str, file: &Path, replace: bool) -> Result<Restored, Error> {
    let location = Location::parse(url)?;
    match (&location, head(file)?) {
        (Location::Sqlite(path), Kind::Sqlite) => restore_sqlite(&location, path, file, replace),
        (Location::Postgres(url), Kind::Postgres) => restore_postgres(&location, url, file),
        (Location::Sqlite(_), Kind::Postgres) => Err(wrong_kind(file, "of a PostgreSQL database", "sqlite:<file>")),
        (Location::Postgres(_), Kind::Sqlite) => Err(wrong_kind(file, "of a SQLite database", "postgres://…")),
        (_, Kind::Other) => Err(wrong_kind(file, "no backup", &without_credentials(url))),
    }
}

enum Kind {
    Sqlite,
    Postgres,
    Other,
}

fn head(file: &Path) -> Result<Kind, Error> {
    let mut head = Vec::new();
    let open = File::open(file).and_then(|file| file.take(16).read_to_end(&mut head));
    open.map_err(|error| failed("read", file, &error))?;
    Ok(if head.starts_with(SQLITE_HEAD) {
        Kind::Sqlite
    } else if head.starts_with(POSTGRES_HEAD) {
        Kind::Postgres
    } else {
        Kind::Other
    })
}

fn copy(location: &Location, connection: &mut AnyConnection, partial: &Path) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let empty = options.write(true).create_new(true).mode(0o600).open(partial);
    empty.map_err(|error| failed("create", partial, &error))?;
    match location {
        Location::Sqlite(_) => {
            let target = partial.to_string_lossy().replace('\'', "''");
            connection.run(&format!("PRAGMA query_only = OFF; VACUUM INTO '{target}'"))?;
            check(partial)
        }
        Location::Postgres(url) => {
            let arguments = ["--format=custom", "--no-owner", "--no-privileges", "--file"];
            run_program("pg_dump", url, &arguments, partial)
        }
    }
}

/// Whether a SQLite file is sound.
fn check(file: &Path) -> Result<(), Error> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Text)]
        quick_check: String,
    }
    let mut connection = SqliteConnection::establish(&file.to_string_lossy()).map_err(Error::unavailable)?;
    let answers: Vec<Answer> = Statement::new("PRAGMA quick_check(1)", Vec::new()).load(&mut connection)?;
    match answers.first() {
        Some(Answer { quick_check }) if quick_check == "ok" => Ok(()),
        Some(Answer { quick_check }) => Err(Error::corrupt("database", format!("{}: {quick_check}", file.display()))),
        None => Err(Error::corrupt("database", file.display())),
    }
}

/// Gives a complete file its name, for good. Returns its size.
fn publish(partial: &Path, file: &Path) -> Result<u64, Error> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let sync = || {
        let opened = File::open(partial)?;
        opened.sync_all()?;
        std::fs::rename(partial, file)?;
        File::open(folder)?.sync_all()?;
        Ok(opened.metadata()?.len())
    };
    sync().map_err(|error| failed("write", file, &error))
}

fn restore_sqlite(location: &Location, path: &Path, file: &Path, replace: bool) -> Result<Restored, Error> {
    let _file_lock = lock::lock_file(location)?;
    if path.exists() && !replace {
        let message = format!("{} is there already; with --replace it is kept under another name", path.display());
        return Err(Error::Conflict { message });
    }
    let partial = with_suffix(path, ".restoring");
    // Whatever has become of the permissions of the backup on its way here.
    let copied = std::fs::copy(file, &partial)
        .and_then(|_| std::fs::set_permissions(&partial, std::fs::Permissions::from_mode(0o600)))
        .map_err(|error| failed("write", &partial, &error));
    let checked = copied.and_then(|()| check(&partial)).and_then(|()| {
        let mut connection = Location::Sqlite(partial.clone()).connect(Purpose::Read)?;
        migrations::refuse_newer(&mut connection)?;
        watermark::last_position(&mut connection)
    });
    let position = match checked {
        Ok(position) => position,
        Err(error) => {
            let _ = std::fs::remove_file(&partial);
            return Err(error);
        }
    };
    let replaced = path.exists().then(|| set_aside(path)).transpose()?;
    // The log of another database would be replayed into this one.
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(with_suffix(path, suffix));
    }
    publish(&partial, path)?;
    Ok(Restored { position, replaced })
}

/// Renames a SQLite database together with its log.
fn set_aside(path: &Path) -> Result<PathBuf, Error> {
    let aside = (1_u32..).map(|number| with_suffix(path, &format!(".replaced-{number}"))).find(|path| !path.exists());
    let aside = aside.unwrap_or_else(|| with_suffix(path, ".replaced"));
    for suffix in ["", "-wal"] {
        let from = with_suffix(path, suffix);
        if from.exists() {
            std::fs::rename(&from, with_suffix(&aside, suffix)).map_err(|error| failed("rename", &from, &error))?;
        }
    }
    Ok(aside)
}

fn restore_postgres(location: &Location, url: &str, file: &Path) -> Result<Restored, Error> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let mut connection = location.connect(Purpose::Write)?;
    lock::lock_connection(&mut connection, location)?;
    let tables = "SELECT table_name::text AS name FROM information_schema.tables \
                  WHERE table_schema = current_schema() LIMIT 1";
    let table: Option<Name> = Statement::new(tables, Vec::new()).get_result(&mut connection).optional()?;
    if let Some(Name { name }) = table {
        let message = format!("{location:?} is not empty (it has a table {name}); restore into a new database");
        return Err(Error::Conflict { message });
    }
    run_program(
        "pg_restore",
        url,
        &["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"],
        file,
    )?;
    migrations::refuse_newer(&mut connection)?;
    Ok(Restored { position: watermark::last_position(&mut connection)?, replaced: None })
}

/// Runs a program of PostgreSQL on a database, with a file as its last argument.
fn run_program(name: &str, url: &str, arguments: &[&str], file: &Path) -> Result<(), Error> {
    let (url, password) = without_password(url);
    let spawn = |program: PathBuf| {
        let mut command = Command::new(program);
        command.arg("--dbname").arg(&url).args(arguments).arg(file).stdin(Stdio::null());
        if let Some(password) = &password {
            command.env("PGPASSWORD", password);
        }
        command.output()
    };
    let output = match spawn(PathBuf::from(name)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => match newest(name) {
            Some(program) => spawn(program),
            None => Err(error),
        },
        output => output,
    };
    let output = output.map_err(|error| {
        Error::unavailable(format!("cannot run {name} ({error}); it comes with PostgreSQL's client programs"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let reason = String::from_utf8_lossy(&output.stderr);
    Err(Error::unavailable(format!("{name} failed: {}", reason.trim())))
}

/// The program of the newest version that is installed.
fn newest(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir(POSTGRES_FOLDER).ok()?.flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.map(|entry| entry.path()).filter(|path| number(path).is_some()).max_by_key(number)?;
    Some(newest.join("bin").join(name))
}

/// A connection URL without its password, and the password.
fn without_password(url: &str) -> (String, Option<String>) {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut password = None;
    let mut address = address.to_owned();
    if let Some((scheme, rest)) = address.split_once("://")
        && let Some((user, host)) = rest.rsplit_once('@')
        && let Some((name, secret)) = user.split_once(':')
    {
        password = Some(decoded(secret));
        address = format!("{scheme}://{name}@{host}");
    }
    let mut kept = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.strip_prefix("password=") {
            Some(secret) => password = Some(decoded(secret)),
            None => kept.push(pair),
        }
    }
    let separator = if kept.is_empty() { "" } else { "?" };
    (format!("{address}{separator}{}", kept.join("&")), password)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

fn wrong_kind(file: &Path, what: &str, wanted: &str) -> Error {
    Error::Conflict { message: format!("{} is {what}; store.url is {wanted}", file.display()) }
}

fn failed(what: &str, file: &Path, error: &std::io::Error) -> Error {
    Error::unavailable(format!("cannot {what} {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_never_stands_in_a_command_line() {
        for (url, shown, password) in [
            ("postgres://ada:s%3Acret@db:5432/jobs?a=b", "postgres://ada@db:5432/jobs?a=b", Some("s:cret")),
            ("postgres:///jobs?host=/tmp&password=p%26w&user=ada", "postgres:///jobs?host=/tmp&user=ada", Some("p&w")),
            ("postgres://ada@db/jobs", "postgres://ada@db/jobs", None),
        ] {
            assert_eq!(without_password(url), (shown.to_owned(), password.map(str::to_owned)));
        }
    }
}
