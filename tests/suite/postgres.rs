//! One PostgreSQL server per run of the suite, a database of its own for every test.
//!
//! The server is started when the first test asks for it, in a temporary directory, reachable through a Unix socket there.
//! It does not run as root, so it gets the user `postgres` when the suite does. A shell script stays between the suite and
//! the server: it ends the server and removes the directory when the pipe from the suite closes, however the suite ends.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const MISSING: &str = "no PostgreSQL server found in /usr/lib/postgresql/*/bin or PATH: `make test` installs it";

/// `$1` is the directory of the server's programs, empty when they are in the path.
const SCRIPT: &str = r#"
PATH="$1:$PATH"
directory=$(mktemp -d "${TMPDIR:-/tmp}/callboard-postgres.XXXXXXXX") || exit 1
finish() { pg_ctl -D "$directory/data" -m immediate stop >/dev/null 2>&1; rm -rf "$directory"; }
trap finish EXIT
cd "$directory" || exit 1
initdb -D data -U callboard -A trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1 \
    || { cat initdb.log; exit 1; }
pg_ctl -D data -w -l server.log -o "-c listen_addresses='' -c fsync=off -c max_connections=400 -k '$directory'" \
    start >start.log 2>&1 || { cat start.log server.log; exit 1; }
echo "ready $directory"
cat >/dev/null
"#;

struct Server {
    directory: PathBuf,
    programs: PathBuf,
    /// Holds the pipe whose end is the server's end.
    _script: Child,
}

static SERVER: OnceLock<Server> = OnceLock::new();
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// The URL of a new, empty database.
pub fn database() -> String {
    let server = SERVER.get_or_init(start);
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    administrate(&format!("CREATE DATABASE {name} TEMPLATE template0"));
    format!("postgres:///{name}?host={}&user=callboard", server.directory.display())
}

/// Makes a database unreachable: its connections end and no new one is let in.
pub fn cut_off(url: &str) {
    let name = name(url);
    administrate(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    administrate(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
}

/// Makes it reachable again.
pub fn let_in(url: &str) {
    administrate(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", name(url)));
}

fn name(url: &str) -> &str {
    url.trim_start_matches("postgres:///").split('?').next().expect("a name")
}

fn administrate(statement: &str) {
    let server = SERVER.get_or_init(start);
    let output = Command::new(program(&server.programs, "psql"))
        .args(["-X", "-q", "-h"])
        .arg(&server.directory)
        .args(["-U", "callboard", "-d", "postgres", "-c", statement])
        .output()
        .expect("psql runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The schema of a database as `pg_dump` writes it, without what differs from run to run.
pub fn dump_schema(url: &str) -> String {
    let server = SERVER.get_or_init(start);
    let output = Command::new(program(&server.programs, "pg_dump"))
        .args(["--schema-only", "--no-owner", "--restrict-key=fixed", url])
        .output()
        .expect("pg_dump runs");
    if output.status.success() {
        return String::from_utf8(output.stdout).expect("a dump is text");
    }
    // Before the minor releases of August 2025 there was no such option, and nothing that differs.
    let output = Command::new(program(&server.programs, "pg_dump"))
        .args(["--schema-only", "--no-owner", url])
        .output()
        .expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a dump is text")
}

/// All rows of a database as `pg_dump` writes them.
pub fn dump(url: &str) -> String {
    let server = SERVER.get_or_init(start);
    let mut command = Command::new(program(&server.programs, "pg_dump"));
    let output = command.args(["--data-only", "--inserts", url]).output().expect("pg_dump runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a dump is text")
}

fn program(programs: &Path, name: &str) -> PathBuf {
    if programs.as_os_str().is_empty() { PathBuf::from(name) } else { programs.join(name) }
}

fn start() -> Server {
    let programs = find_programs();
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    command.arg("-c").arg(SCRIPT).arg("postgres").arg(&programs);
    // A group of its own: Ctrl-C ends the suite, and the closing pipe ends the server.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut script = command.spawn().expect("sh runs");
    let mut said = String::new();
    for line in BufReader::new(script.stdout.take().expect("stdout is a pipe")).lines() {
        let line = line.expect("the script speaks text");
        if let Some(directory) = line.strip_prefix("ready ") {
            return Server { directory: PathBuf::from(directory), programs, _script: script };
        }
        said = format!("{said}{line}\n");
    }
    let _ = script.wait();
    panic!("the PostgreSQL server did not start:\n{said}");
}

/// The directory with `postgres` and `initdb`, of the newest version; empty when they are in the path.
fn find_programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let version = path.file_name()?.to_str()?.parse().ok()?;
            path.join("bin/postgres").exists().then(|| (version, path.join("bin")))
        })
        .collect();
    found.sort();
    if let Some((_, programs)) = found.pop() {
        return programs;
    }
    let in_path = Command::new("postgres").arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(in_path, "{MISSING}");
    PathBuf::new()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.trim_ascii() == b"0"
}
