//! `run: shell` with real processes (Serverless Workflow DSL 1.0.3, "Shell Process"), and what is left of them: nothing.

use super::{Call, PATIENCE, kind, open_effects, open_options, run, shell};
use callboard::clock::new_id;
use callboard::domain::{EffectCall, LogLevel, ProcessReturn, ShellRequest};
use callboard::effects::{Effects, Options};
use futures_util::FutureExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

fn returning(command: &str, returns: ProcessReturn) -> ShellRequest {
    ShellRequest { returns, ..shell(command) }
}

/// The living processes that carry the mark of an effect.
fn marked(key: Uuid) -> Vec<i32> {
    let mark = format!("CALLBOARD_EFFECT_KEY={key}");
    let pids =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_alive = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.rsplit_once(") ").is_none_or(|(_, fields)| fields.starts_with(['Z', 'X']))
    };
    let has_mark = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    };
    pids.filter(|pid| is_alive(pid) && has_mark(pid)).collect()
}

fn assert_nothing_left(key: Uuid) {
    assert_eq!(marked(key), Vec::<i32>::new());
}

/// Polls the process table, which cannot be waited for, until nothing is left.
async fn wait_until_nothing_left(key: Uuid) {
    let limit = Instant::now() + PATIENCE;
    while !marked(key).is_empty() {
        assert!(Instant::now() < limit, "still there: {:?}", marked(key));
        tokio::task::yield_now().await;
    }
}

/// Three generations, one of them in a session of its own, all deaf to TERM. Says so when they are ready.
const STUBBORN_TREE: &str = r#"
trap '' TERM
sh -c 'trap "" TERM; sh -c "trap \"\" TERM; echo grandchild; while :; do sleep 1; done" & while :; do sleep 1; done' &
setsid sh -c 'trap "" TERM; echo detached; while :; do sleep 1; done' &
while :; do sleep 1; done
"#;

fn is_ready(text: &str) -> bool {
    text.contains("grandchild") && text.contains("detached")
}

fn impatient_options() -> Options {
    let mut options = open_options();
    options.shell.grace = Duration::from_millis(100);
    options
}

#[tokio::test]
async fn arguments_stdin_and_environment_arrive() {
    let effects = open_effects();
    let request = ShellRequest {
        arguments: vec!["one two".into(), "$HOME".into()],
        stdin: Some("from stdin".into()),
        environment: vec![("GREETING".into(), "hello".into())],
        ..shell(r#"printf '%s|%s|%s|%s|' "$0" "$1" "$2" "$GREETING"; cat"#)
    };
    assert_eq!(run(&effects, request).await, Ok(json!("sh|one two|$HOME|hello|from stdin")));
    assert_eq!(run(&effects, shell("cat; echo end")).await, Ok(json!("end")), "without stdin there is an end of file");
}

#[tokio::test]
async fn the_returns_have_their_forms() {
    let effects = open_effects();
    let script = r#"printf '{"a":1}\n\n'; printf 'oops\n' >&2; exit 3"#;
    let all = run(&effects, returning(script, ProcessReturn::All)).await;
    assert_eq!(all, Ok(json!({"code": 3, "stdout": "{\"a\":1}\n\n", "stderr": "oops\n"})));
    assert_eq!(run(&effects, returning(script, ProcessReturn::Code)).await, Ok(json!(3)));
    assert_eq!(run(&effects, returning(script, ProcessReturn::Stderr)).await, Ok(json!("oops")));
    assert_eq!(run(&effects, returning("echo x", ProcessReturn::None)).await, Ok(Value::Null));
    assert_eq!(run(&effects, shell("printf '{\"a\":1}\\n\\n'")).await, Ok(json!("{\"a\":1}")), "text stays text");
    for returns in [ProcessReturn::Stdout, ProcessReturn::None] {
        let failure = run(&effects, returning(script, returns)).await.unwrap_err();
        assert_eq!(kind(&failure), ("runtime", 500));
        assert_eq!(failure.title.as_deref(), Some("Command failed with exit code 3"));
        assert_eq!(failure.detail.as_deref(), Some("oops"));
        assert_eq!(failure.output.as_deref(), Some(r#"{"a":1}"#), "what it had printed is kept with the failure");
    }
    let talkative = run(&effects, shell("yes line | head -n 9000; echo end; exit 3")).await.unwrap_err();
    let kept = talkative.output.unwrap();
    assert!(kept.len() <= 4096 && kept.ends_with("line\nend"), "its end, and not all of it: {} bytes", kept.len());
    assert_eq!(run(&effects, returning("kill -9 $$", ProcessReturn::Code)).await, Ok(json!(137)));
    let failure = run(&effects, shell("no-such-command-anywhere")).await.unwrap_err();
    assert!(failure.suggestion.unwrap().contains("not found"));
}

#[tokio::test]
async fn output_is_watched_while_it_is_written() {
    let effects = open_effects();
    let directory = tempfile::tempdir().unwrap();
    let gate = directory.path().join("gate");
    assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
    let call = Call::new();
    let script = format!("echo first; echo careful >&2; read line < '{}'; echo \"$line\"", gate.display());
    let work = call.perform(&effects, EffectCall::Shell(Box::new(shell(&script))));
    let watch = async {
        call.recorder.wait_for(|text| text == "first\n").await;
        tokio::fs::write(&gate, "second\n").await.unwrap();
    };
    let (outcome, ()) = tokio::join!(work, watch);
    assert_eq!(outcome.result, Ok(json!("first\nsecond")));
    assert_eq!(call.recorder.text(), "first\nsecond\n");
    assert_eq!(call.recorder.log_lines(), ["careful"]);
}

#[tokio::test]
async fn the_services_own_settings_are_not_inherited() {
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "effects::shell::the_environment_of_a_command", "--nocapture"])
        .env("CALLBOARD__STORE__URL", "postgres://secret")
        .env("EFFECTS_TEST_INHERITED", "yes")
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(output.contains("inherited=yes settings=[]"), "{output}");
}

/// Says what a command finds in its environment; the test above runs it in a process with a known one.
#[tokio::test]
async fn the_environment_of_a_command() {
    let call = Call::new();
    let script = "echo \"inherited=$EFFECTS_TEST_INHERITED settings=[$CALLBOARD__STORE__URL]\"; \
                  echo \"$CALLBOARD_EFFECT_KEY $CALLBOARD_EXECUTION_ID\"";
    let outcome = call.perform(&open_effects(), EffectCall::Shell(Box::new(shell(script)))).await;
    let output = outcome.result.unwrap();
    println!("{output}");
    let ids = format!("{} {}", call.context.key, call.context.execution_id);
    assert!(output.as_str().unwrap().ends_with(&ids), "{output}");
}

#[tokio::test]
async fn shells_are_refused_unless_enabled() {
    let failure = run(&Effects::new(Options::default()).unwrap(), shell("true")).await.unwrap_err();
    assert_eq!(kind(&failure), ("configuration", 400));
    assert!(failure.suggestion.unwrap().contains("effects.shell.enabled"));
}

#[tokio::test]
async fn a_result_over_the_limit_fails_and_anything_else_is_cut() {
    let mut options = open_options();
    options.shell.output_limit_bytes = 1_000;
    let effects = Effects::new(options).unwrap();
    let call = Call::new();
    let outcome = call.perform(&effects, EffectCall::Shell(Box::new(shell("yes")))).await;
    let failure = outcome.result.unwrap_err();
    assert_eq!((kind(&failure), failure.title.as_deref()), (("runtime", 500), Some("Output too large")));
    assert!(failure.suggestion.unwrap().contains("effects.shell.output_limit_bytes"));
    assert_nothing_left(call.context.key);

    let call = Call::new();
    let script =
        "head -c 5000 /dev/zero | tr '\\0' x; (head -c 5000 /dev/zero | tr '\\0' y; echo; echo the end) >&2; exit 1";
    let request = returning(script, ProcessReturn::None);
    let failure = call.perform(&effects, EffectCall::Shell(Box::new(request))).await.result.unwrap_err();
    assert!(failure.detail.unwrap().ends_with("the end"), "the end of standard error is what tells");
    let request = returning(script, ProcessReturn::Code);
    assert_eq!(call.perform(&effects, EffectCall::Shell(Box::new(request))).await.result, Ok(json!(1)));
    let logs = call.recorder.logs.lock().unwrap();
    assert!(logs.contains(&(LogLevel::Warn, "4000 bytes of standard output were over the limit and dropped".into())));
}

#[tokio::test]
async fn a_cancelled_command_leaves_no_process_behind() {
    let effects = Effects::new(impatient_options()).unwrap();
    let call = Call::new();
    let work = call.perform(&effects, EffectCall::Shell(Box::new(shell(STUBBORN_TREE))));
    let cancel = async {
        call.recorder.wait_for(is_ready).await;
        assert!(marked(call.context.key).len() >= 4);
        call.context.cancellation.cancel();
    };
    let (outcome, ()) = tokio::join!(work, cancel);
    assert_eq!(outcome.result.unwrap_err().title.as_deref(), Some("Cancelled"));
    assert_nothing_left(call.context.key);
}

#[tokio::test]
async fn a_command_gets_the_chance_to_clean_up() {
    let mut options = open_options();
    // Longer than this test waits, so that it only ends in time when TERM was enough.
    options.shell.grace = PATIENCE * 2;
    let effects = Effects::new(options).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cleaned");
    let script = "trap 'echo cleaned > \"$1\"; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
    let request = ShellRequest { arguments: vec![file.display().to_string()], ..shell(script) };
    let call = Call::new();
    let work = call.perform(&effects, EffectCall::Shell(Box::new(request)));
    let cancel = async {
        call.recorder.wait_for(|text| text.contains("ready")).await;
        call.context.cancellation.cancel();
    };
    tokio::join!(work, cancel);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "cleaned\n");
    assert_nothing_left(call.context.key);
}

#[tokio::test]
async fn the_deadline_ends_the_tree() {
    let effects = Effects::new(impatient_options()).unwrap();
    let call = Call::new().with_deadline(Duration::from_millis(300));
    let outcome = call.perform(&effects, EffectCall::Shell(Box::new(shell(STUBBORN_TREE)))).await;
    assert_eq!(kind(&outcome.result.unwrap_err()), ("timeout", 408));
    assert_nothing_left(call.context.key);
}

#[tokio::test]
async fn dropping_the_effect_ends_the_tree() {
    let effects = Effects::new(impatient_options()).unwrap();
    let call = Call::new();
    {
        let work = call.perform(&effects, EffectCall::Shell(Box::new(shell(STUBBORN_TREE))));
        tokio::select! {
            _ = work => panic!("it cannot end by itself"),
            _ = call.recorder.wait_for(is_ready) => {}
        }
    }
    wait_until_nothing_left(call.context.key).await;
}

#[tokio::test]
async fn closing_ends_every_tree_and_refuses_new_ones() {
    let effects = Effects::new(impatient_options()).unwrap();
    let call = Call::new();
    let work = call.perform(&effects, EffectCall::Shell(Box::new(shell(STUBBORN_TREE))));
    let close = async {
        call.recorder.wait_for(is_ready).await;
        effects.close().await;
        assert_nothing_left(call.context.key);
    };
    tokio::select! {
        _ = work => panic!("what the end of the service has cut off has no outcome"),
        () = close => {}
    }
    assert!(run(&effects, shell("true")).now_or_never().is_none());
}

#[tokio::test]
async fn what_a_finished_command_leaves_in_the_background_is_ended() {
    let effects = Effects::new(impatient_options()).unwrap();
    let call = Call::new();
    let script = "sh -c 'trap \"\" TERM; echo trapped > \"$0\"; while :; do sleep 1; done' \"$1\" & \
                  while [ ! -s \"$1\" ]; do sleep 0.01; done; echo done";
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trapped");
    let request = ShellRequest { arguments: vec![file.display().to_string()], ..shell(script) };
    let outcome = call.perform(&effects, EffectCall::Shell(Box::new(request))).await;
    assert_eq!(outcome.result, Ok(json!("done")));
    assert_nothing_left(call.context.key);
}

#[tokio::test]
async fn the_next_start_ends_what_a_killed_service_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = open_options();
    options.shell.runtime_directory = Some(directory.path().to_owned());
    let (left_over, unrelated) = (new_id(), new_id());
    let start = |key: Uuid| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "setsid sleep 1000 & sleep 1000"]);
        command.env("CALLBOARD_PROCESS_MARK", key.to_string()).env("CALLBOARD_EFFECT_KEY", key.to_string());
        command.spawn().unwrap()
    };
    let mut children = [start(left_over), start(unrelated)];
    // The record of a service that is gone: no process has that id and that start time.
    std::fs::write(directory.path().join(left_over.to_string()), "1 0").unwrap();

    let effects = Effects::new(options.clone()).unwrap();
    assert_nothing_left(left_over);
    assert!(!marked(unrelated).is_empty(), "what is not recorded is not touched");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the record is used up");

    // A second service on the same directory leaves the trees of a living one alone.
    let call = Call::new();
    let request = shell("echo ready; sleep 1000");
    let work = call.perform(&effects, EffectCall::Shell(Box::new(request)));
    let second = async {
        call.recorder.wait_for(|text| text.contains("ready")).await;
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        Effects::new(options.clone()).unwrap();
        assert!(!marked(call.context.key).is_empty());
        call.context.cancellation.cancel();
    };
    tokio::join!(work, second);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);

    for pid in marked(unrelated) {
        let _already_gone = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
    children.iter_mut().for_each(|child| drop(child.wait()));
}
