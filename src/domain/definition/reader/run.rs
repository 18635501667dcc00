//! `run`: a shell command or another workflow.

use super::value::{Leaves, Place};
use super::{Fields, Reader, Scope, Site};
use crate::domain::ProcessReturn;
use crate::domain::definition::model::{ShellRun, TaskKind, UnknownOutcome, WorkflowRun};
use crate::domain::definition::suggestion::listed;
use serde_json::Value;

const PROCESSES: [&str; 4] = ["container", "script", "shell", "workflow"];

impl<'d> Reader<'d> {
    pub(super) fn run(&mut self, task: &Fields<'d>, site: &Site<'d>, scope: &Scope) -> Option<TaskKind> {
        let known: Vec<&str> = PROCESSES.into_iter().chain(["await", "return"]).collect();
        let fields = self.fields(site, "run", &known)?;
        let wait_for_end = fields.get("await").and_then(|site| self.boolean(&site, "run.await")).unwrap_or(true);
        let returns = match fields.get("return") {
            Some(site) => self.choice(&site, "run.return", &RETURNS),
            None => Some(ProcessReturn::Stdout),
        };
        let given: Vec<&str> = PROCESSES.into_iter().filter(|process| fields.has(process)).collect();
        let [process] = given.as_slice() else {
            let found = if given.is_empty() { "none".to_owned() } else { listed(&given) };
            let message = format!("'run' needs exactly one of {}; here: {found}", listed(&PROCESSES));
            self.problem(site.error("invalid_run", message));
            return None;
        };
        let process_site = fields.get(process)?;
        match *process {
            "shell" => {
                let on_unknown_outcome = self.on_unknown_outcome(task);
                let shell = self.shell(&process_site, scope)?;
                let shell = ShellRun { wait_for_end, returns: returns?, on_unknown_outcome, ..shell };
                Some(TaskKind::RunShell(Box::new(shell)))
            }
            "workflow" => {
                let returns_nothing = returns? == ProcessReturn::None;
                let workflow = self.workflow_run(&process_site, scope)?;
                let workflow = WorkflowRun { wait_for_end, returns_nothing, ..workflow };
                Some(TaskKind::RunWorkflow(Box::new(workflow)))
            }
            other => {
                self.unsupported(&process_site, &format!("'run: {other}'"));
                None
            }
        }
    }

    /// `metadata.on_unknown_outcome`: what happens to a command whose outcome a crash has swallowed.
    fn on_unknown_outcome(&mut self, task: &Fields<'d>) -> UnknownOutcome {
        let policies = [("rerun", UnknownOutcome::Rerun), ("fault", UnknownOutcome::Fault)];
        let metadata = task.get("metadata");
        let policy =
            metadata.and_then(|site| Some(site.child(site.node.get("on_unknown_outcome")?, "on_unknown_outcome")));
        policy.and_then(|site| self.choice(&site, "metadata.on_unknown_outcome", &policies)).unwrap_or_default()
    }

    fn shell(&mut self, site: &Site<'d>, scope: &Scope) -> Option<ShellRun> {
        let fields = self.fields(site, "run.shell", &["command", "arguments", "stdin", "environment"])?;
        let command = self
            .required(&fields, "run.shell", "command")
            .and_then(|site| self.text_template(&site, "shell.command", scope, Leaves::Shell));
        let arguments = fields.get("arguments").map(|site| self.shell_arguments(&site, scope)).unwrap_or_default();
        let stdin = fields.get("stdin").map(|site| {
            self.check_leaves(&site, scope, Place::TaskDefinition, Leaves::Program);
            site.node.to_value()
        });
        let environment = fields.get("environment").and_then(|site| self.environment(&site, scope));
        Some(ShellRun {
            command: command?,
            arguments,
            stdin,
            environment,
            wait_for_end: true,
            returns: ProcessReturn::Stdout,
            on_unknown_outcome: UnknownOutcome::Rerun,
        })
    }

    fn shell_arguments(&mut self, site: &Site<'d>, scope: &Scope) -> Vec<Value> {
        let items = self.items(site, "shell.arguments").unwrap_or_default();
        let mut arguments = Vec::new();
        for (index, node) in items.iter().enumerate() {
            let site = site.item(index, node);
            arguments.extend(self.scalar_template(&site, "an argument", scope, Leaves::Shell));
        }
        arguments
    }

    fn environment(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Value> {
        if site.node.text().is_some() {
            return self.object_template(site, "shell.environment", scope);
        }
        for entry in self.entries(site, "shell.environment")? {
            let site = site.child(&entry.value, &entry.key);
            let what = format!("the variable '{}'", entry.key);
            if entry.key.is_empty() || entry.key.contains(['=', '\0']) {
                self.problem(
                    site.error("invalid_name", format!("{what} is not a name of an environment variable"))
                        .at(entry.mark),
                );
            }
            self.scalar_template(&site, &what, scope, Leaves::Shell);
        }
        Some(site.node.to_value())
    }

    fn workflow_run(&mut self, site: &Site<'d>, scope: &Scope) -> Option<WorkflowRun> {
        let fields = self.fields(site, "run.workflow", &["namespace", "name", "version", "input"])?;
        let namespace = self
            .required(&fields, "run.workflow", "namespace")
            .and_then(|site| self.workflow_name(&site, "workflow.namespace", scope));
        let name = self
            .required(&fields, "run.workflow", "name")
            .and_then(|site| self.workflow_name(&site, "workflow.name", scope));
        let version = match fields.get("version") {
            Some(site) => self.workflow_version(&site, scope),
            None => Some(Value::from("latest")),
        };
        let input = self.optional_template(fields.get("input"), scope);
        Some(WorkflowRun {
            namespace: namespace?,
            name: name?,
            version: version?,
            input,
            wait_for_end: true,
            returns_nothing: false,
        })
    }

    fn workflow_name(&mut self, site: &Site<'d>, what: &str, scope: &Scope) -> Option<Value> {
        if site.node.text().is_some_and(|text| self.may_be_expression(text)) {
            return Some(self.template(site, scope, Place::TaskDefinition));
        }
        self.name(site, what).map(Value::from)
    }

    fn workflow_version(&mut self, site: &Site<'d>, scope: &Scope) -> Option<Value> {
        match site.node.text() {
            Some("latest") => Some(Value::from("latest")),
            Some(text) if self.may_be_expression(text) => Some(self.template(site, scope, Place::TaskDefinition)),
            Some(_) | None => self.version(site, "workflow.version").map(|version| Value::from(version.to_string())),
        }
    }
}

const RETURNS: [(&str, ProcessReturn); 5] = [
    ("stdout", ProcessReturn::Stdout),
    ("stderr", ProcessReturn::Stderr),
    ("code", ProcessReturn::Code),
    ("all", ProcessReturn::All),
    ("none", ProcessReturn::None),
];
