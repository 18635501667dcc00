//! One process owns the database: what happens to a service whose connections are cut, whose place another one takes, or whose
//! own vital parts have ended.

use super::gate::Gates;
use super::process::Process;
use super::{journal, nothing_is_left};
use crate::service::{Client, Database, Service, definition};
use crate::with_both_databases;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

with_both_databases!(a_service_whose_vital_part_has_ended_ends_and_goes_on_with_its_next_start);

async fn a_service_whose_vital_part_has_ended_ends_and_goes_on_with_its_next_start(database: Database) {
    let gates = Gates::new();
    let mut service = Process::start(database, &["store.failure_points=supervisor_before_submit@2=panic"]);
    for (name, next) in [("alpha", "store.failure_points=hub_before_publish=panic"), ("beta", "store.failure_points=")]
    {
        let id = service.start_definition(json!([gates.task(name), gates.mark("after")]), json!({})).await;
        let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
        // The hub is told of what is committed while somebody watches.
        let _watching = service.request(reqwest::Method::GET, "/api/v1/executions/stream").send().await;
        let _ = service.request(reqwest::Method::POST, "/api/v1/executions").json(&body).send().await;
        assert!(!service.wait().success());
        assert!(service.log().contains("a fault has ended a vital part of the service"), "{}", service.log());
        service.resume(&[next]);
        if next.ends_with('=') {
            gates.open("beta").await;
            let ended = service.ended(&id).await;
            assert_eq!(ended["status"], "succeeded", "{ended}");
            journal(&service, &id).await;
        }
    }
    gates.open("alpha").await;
    nothing_is_left(&service).await;
    assert_eq!(gates.runs("after"), 2);
}

/// Wires to a PostgreSQL server that a test can cut.
struct Wires {
    url: String,
    cuts: watch::Sender<Cut>,
    ghosts: Arc<Mutex<Vec<UnixStream>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Nothing is cut.
    Open,
    /// The server does not notice, and new connections come about.
    OneEnd,
    /// Nobody gets through.
    Both,
}

impl Wires {
    /// To the database with this address, which names the directory of the server's socket.
    async fn to(url: &str) -> Self {
        let (name, parameters) = url.trim_start_matches("postgres:///").split_once('?').expect("parameters");
        let directory = parameters.split('&').find_map(|parameter| parameter.strip_prefix("host=")).expect("a host");
        let socket = Path::new(directory).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (cuts, cut) = watch::channel(Cut::Open);
        let ghosts = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept(listener, socket, cut, Arc::clone(&ghosts)));
        Self { url: format!("postgres://callboard@127.0.0.1:{port}/{name}"), cuts, ghosts }
    }

    fn cut(&self, cut: Cut) {
        self.cuts.send_replace(cut);
    }

    /// Lets the server notice what was cut.
    fn lay_ghosts(&self) {
        self.cuts.send_replace(Cut::Open);
        self.ghosts.lock().unwrap().clear();
    }
}

async fn accept(
    listener: TcpListener,
    socket: PathBuf,
    cut: watch::Receiver<Cut>,
    ghosts: Arc<Mutex<Vec<UnixStream>>>,
) {
    while let Ok((client, _)) = listener.accept().await {
        if *cut.borrow() != Cut::Both {
            tokio::spawn(carry(client, socket.clone(), cut.clone(), Arc::clone(&ghosts)));
        }
    }
}

async fn carry(
    mut client: TcpStream,
    socket: PathBuf,
    mut cut: watch::Receiver<Cut>,
    ghosts: Arc<Mutex<Vec<UnixStream>>>,
) {
    let mut server = UnixStream::connect(socket).await.expect("the server");
    cut.mark_unchanged();
    let ends = async {
        loop {
            cut.changed().await.expect("the test goes on");
            let cut = *cut.borrow_and_update();
            if cut != Cut::Open {
                return cut;
            }
        }
    };
    tokio::select! {
        // Whoever closes says so to the other end.
        _ = copy_bidirectional(&mut client, &mut server) => {}
        cut = ends => {
            if cut == Cut::OneEnd {
                ghosts.lock().unwrap().push(server);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_cut_off_waits_until_the_server_has_noticed() {
    super::limited(async {
        let gates = Gates::new();
        let wires = Wires::to(&crate::postgres::database()).await;
        let service = Service::start_with(Database::Sqlite, &[("store.url", &wires.url), ("engine.max_running", "4")]);
        let running = service.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
        wires.cut(Cut::OneEnd);
        gates.open("alpha").await;
        let body = json!({ "definition": definition("inline", "1.0.0", json!([{ "a": { "set": { "x": 1 } } }])) });
        for _ in 0..2 {
            service.post("/api/v1/executions", &body).await.problem(503, "store_unavailable");
        }
        service.get("/readyz").await.expect(503);
        wires.lay_ghosts();
        let ended = service.ended(&running).await;
        assert_eq!((&ended["status"], &ended["restarts"]), (&json!("succeeded"), &json!(0)), "{ended}");
        assert_eq!((gates.runs("alpha"), gates.runs("beta")), (1, 1));
        journal(&service, &running).await;
        nothing_is_left(&service).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_place_another_one_has_taken_ends() {
    super::limited(async {
        let gates = Gates::new();
        let url = crate::postgres::database();
        let wires = Wires::to(&url).await;
        let folder = || tempfile::TempDir::new().expect("a folder");
        let mut first = Process::on(folder(), wires.url.clone(), &[]);
        let id = first.start_definition(json!([gates.task("alpha"), gates.mark("beta")]), json!({})).await;
        first.event(&id, |event| event["type"] == "effect_scheduled").await;
        wires.cut(Cut::Both);

        let second = Process::on(folder(), url, &[]);
        assert_eq!(second.get(&super::path(&id)).await.expect(200)["restarts"], 1);
        wires.cut(Cut::Open);
        let body = json!({ "definition": definition("inline", "1.0.0", json!([gates.mark("gamma")])) });
        let client: &Client = &first;
        // Its next write finds out.
        let _ = client.request(reqwest::Method::POST, "/api/v1/executions").json(&body).send().await;
        assert!(!first.wait().success());
        assert!(first.log().contains("has lost its database to another process"), "{}", first.log());

        gates.open("alpha").await;
        assert_eq!(second.ended(&id).await["status"], "succeeded");
        journal(&second, &id).await;
        assert_eq!((gates.runs("beta"), gates.runs("gamma")), (1, 0));
        nothing_is_left(&second).await;
    })
    .await;
}
