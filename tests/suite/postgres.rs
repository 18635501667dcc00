//! One PostgreSQL server per run of the suite, a database of its own for every test.
//!
//! The server is started when the first test asks for it, in a temporary directory, reachable through a Unix socket there.
//! It does not run as root, so it gets the user `postgres` when the suite does. A shell script stays between the suite and
//! the server: it ends the server and removes the directory when the pipe from the suite closes, however the suite ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
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
cat >>data/postgresql.conf <<SETTINGS
listen_addresses = ''
fsync = off
max_connections = 400
unix_socket_directories = '$directory'
SETTINGS
pg_ctl -D data -w -l server.log start >start.log 2>&1 || { cat start.log server.log; exit 1; }
echo "ready $directory"
while read -r word; do
    case "$word" in
        stop) pg_ctl -D data -w -m immediate stop >/dev/null 2>&1 ;;
        start) pg_ctl -D data -w -l server.log start >start.log 2>&1 ;;
    esac
    echo "done $word"
done
"#;

/// A server that belongs to one test, which may stop it and start it again.
pub struct Server {
    directory: PathBuf,
    programs: PathBuf,
    /// Holds the pipe whose end is the server's end.
    script: Child,
    said: BufReader<ChildStdout>,
}

impl Server {
    pub fn new() -> Self {
        start()
    }

    pub fn url(&self) -> String {
        format!("postgres:///postgres?host={}&user=callboard", self.directory.display())
    }

    /// Ends the server at once, as a power failure would.
    pub fn stop(&mut self) {
        self.tell("stop");
    }

    pub fn start(&mut self) {
        self.tell("start");
    }

    fn tell(&mut self, word: &str) {
        writeln!(self.script.stdin.as_mut().expect("a pipe"), "{word}").expect("the script listens");
        let mut line = String::new();
        self.said.read_line(&mut line).expect("the script answers");
        assert_eq!(line.trim(), format!("done {word}"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.script.stdin.take());
        let _ = self.script.wait();
    }
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

/// Lets nobody write any more: connections end, new ones only read.
pub fn forbid_writing(url: &str) {
    let name = name(url);
    administrate(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    administrate(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));
}

/// Lets everybody write again.
pub fn allow_writing(url: &str) {
    administrate(&format!("ALTER DATABASE {} RESET default_transaction_read_only", name(url)));
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
    let mut lines = BufReader::new(script.stdout.take().expect("stdout is a pipe"));
    let mut line = String::new();
    while lines.read_line(&mut line).expect("the script speaks text") > 0 {
        if let Some(directory) = line.trim().strip_prefix("ready ") {
            return Server { directory: PathBuf::from(directory), programs, script, said: lines };
        }
        said.push_str(&std::mem::take(&mut line));
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
