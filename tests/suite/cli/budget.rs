//! Budgets on the command line.

use super::program::Service;

const ASKING: &str = r"
document: { dsl: '1.0.3', namespace: tests, name: asking, version: '1.0.0' }
do:
  - ask: { call: agent, with: { agent: echo, prompt: Hello } }
";

#[test]
fn a_budget_is_given_at_the_start_shown_and_raised() {
    let service = Service::start(&[("asking.yaml", ASKING)]);
    service.run(&["workflows", "register", "asking.yaml"]).expect_code(0);
    let flags = ["--budget-calls", "0", "--budget-cost", "1.5", "--detach"];
    let workflow = service.run(&[["workflows", "run", "tests/asking"].as_slice(), &flags].concat());
    let test = service.run(&[["agents", "test", "echo", "Hello"].as_slice(), &flags].concat());
    for started in [workflow, test] {
        let id = started.expect_code(0).stdout.trim().to_owned();
        let shown = loop {
            let shown = service.run(&["executions", "budget", &id]).expect_code(0).stdout;
            if shown.starts_with("paused: ") {
                break shown;
            }
        };
        for part in ["0 of 0 calls", "calls of agents", "US dollars", "1.5"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        let raised = service.run(&["executions", "budget", &id, "--budget-calls", "1", "--json"]).expect_code(0);
        let raised: serde_json::Value = serde_json::from_str(&raised.stdout).unwrap();
        assert_eq!(raised["budget"]["limits"]["max_model_calls"], 1, "{raised}");
        assert_eq!(raised["budget"]["limits"]["max_cost_usd"], 1.5, "what is not named stays");
        service.run(&["executions", "watch", &id]).expect_code(0);
    }
    let free = service.run(&["workflows", "run", "tests/asking", "--detach"]).expect_code(0).stdout;
    let shown = service.run(&["executions", "budget", free.trim()]).expect_code(0).stdout;
    assert!(shown.contains("no limits"), "{shown}");
    service.run(&["workflows", "run", "tests/asking", "--budget-cost", "-1", "--detach"]).expect_code(2);
}
