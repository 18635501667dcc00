//! Who reaches the service: beyond the own machine only under its own names, and only after somebody has chosen its keys.

use crate::cli::program::{finish, folder, pid_of, program, read_until, run};
use crate::service::{Client, answer};
use nix::sys::signal::{Signal, kill};
use reqwest::Method;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;

const PUBLIC: &str = "server.public_urls=https://callboard.example.com, https://board.example.com:8443";
const KEYS: &str = "identity.signing_keys=0123456789abcdef0123456789abcdef";

#[test]
fn a_service_for_others_is_refused_until_it_is_told_everything() {
    let directory = folder(&[]);
    let serve = ["serve", "--host", "0.0.0.0", "--set", "server.port=0"];
    let refused = run(directory.path(), &serve).expect_code(2);
    for key in ["3 problems", "CALLBOARD_ENVIRONMENT:", "identity.signing_keys:", "server.public_urls:"] {
        assert!(refused.stderr.contains(key), "{key} in {}", refused.stderr);
    }
    assert_eq!(refused.stdout, "", "it does not say that it listens");
    assert!(!directory.path().join("data").exists(), "nothing was made yet");
    let production = [&serve[..], &["--environment", "production", "--set", KEYS, "--set"]].concat();
    let example = [
        "--environment",
        "production",
        "--set",
        PUBLIC,
        "--set",
        "identity.signing_keys=the output of: openssl rand -hex 32",
    ];
    let refused = run(directory.path(), &[&serve[..], &example].concat()).expect_code(2);
    assert!(refused.stderr.contains("must be random"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("the output of"), "a key stands in what is printed: {}", refused.stderr);
    let plain = [&production[..], &["server.public_urls=http://callboard.example.com"]].concat();
    let refused = run(directory.path(), &plain).expect_code(2);
    assert!(refused.stderr.contains("must begin with `https://`"), "{}", refused.stderr);
}

#[tokio::test]
async fn it_answers_on_every_address_of_the_machine_under_its_own_names() {
    let directory = folder(&[]);
    let mut command = program(directory.path());
    command.args(["serve", "--environment", "production", "--host", "0.0.0.0", "--set", "server.port=0"]);
    let mut child = command.args(["--set", KEYS, "--set", PUBLIC]).spawn().unwrap();
    let mut log = child.stderr.take().unwrap();
    let logged = std::thread::spawn(move || {
        let mut text = String::new();
        log.read_to_string(&mut text).map(|_| text)
    });
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let first = read_until(&mut said, |line| line.contains("listens on"));
    let port = first.trim().rsplit(':').next().unwrap().to_owned();
    let link = read_until(&mut said, |line| line.contains("sign in for the first time"));
    assert!(link.contains(" https://callboard.example.com/sign-in?token="), "{link}");

    // An address that a service on 127.0.0.1 does not have.
    let client = Client::new(format!("http://127.0.0.2:{port}"));
    let ask = async |path: &str, host: &str| answer(client.request(Method::GET, path).header("host", host)).await;
    for host in ["callboard.example.com", "Callboard.Example.com.:443", "board.example.com:8443", "localhost:1"] {
        assert_eq!(ask("/api/v1/openapi.json", host).await.status, 200, "{host}");
    }
    for host in ["example.com", "callboard.example.com:8443", "board.example.com", "192.0.2.1", "a@localhost"] {
        let problem = ask("/api/v1/openapi.json", host).await.problem(403, "host_not_allowed");
        assert!(problem["suggestion"].as_str().unwrap().contains("server.public_urls"), "{problem}");
    }
    assert_eq!(ask("/readyz", "192.0.2.1:8080").await.status, 200, "a probe asks a machine");
    ask("/readyz", "rebound.example").await.problem(403, "host_not_allowed");

    // Anybody can send this, so it is nothing that an operator has to be woken up for.
    let mut stranger = TcpStream::connect(format!("127.0.0.2:{port}")).unwrap();
    stranger.write_all(b"\x16\x03\x01 no request at all\r\n\r\n").unwrap();
    stranger.read_to_end(&mut Vec::new()).unwrap();

    kill(pid_of(&child), Signal::SIGTERM).unwrap();
    finish(child).expect_code(0);
    let log = logged.join().unwrap().unwrap();
    assert!(!log.contains("ERROR"), "{log}");
    let token = link.trim().rsplit('=').next().unwrap();
    assert!(!log.contains(token), "the token stands in the log: {log}");
}
