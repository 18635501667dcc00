//! Task lists, what all tasks have in common, and which kind of task one is.

use super::value::Place;
use super::{Reader, Scope, Site};
use crate::domain::definition::document::{Content, Node};
use crate::domain::definition::model::{Directive, Task, TaskKind, TaskList};
use crate::domain::definition::suggestion::{did_you_mean, listed, nearest};
use std::sync::Arc;

const COMMON: [&str; 7] = ["if", "input", "output", "export", "timeout", "then", "metadata"];
const KINDS: [&str; 12] =
    ["call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait"];
const DIRECTIVES: [&str; 3] = ["continue", "exit", "end"];

/// Where a `then` may lead.
#[derive(Clone, Debug)]
pub(super) enum Targets<'d> {
    /// To a task of the list that is being read; filled in by [`Reader::task_list`].
    List,
    Names(Vec<&'d str>),
    /// A branch of a fork is a scope of its own.
    Branch,
    /// A function is not part of a list.
    Function,
}

impl<'d> Reader<'d> {
    /// A list of tasks. `targets` is [`Targets::Branch`] for the branches of a fork and [`Targets::List`] otherwise.
    pub(super) fn task_list(
        &mut self,
        site: &Site<'d>,
        what: &str,
        scope: &Scope,
        targets: Targets<'d>,
    ) -> Option<TaskList> {
        let items = self.named_items(site, what)?;
        let targets = match targets {
            Targets::List => Targets::Names(names_in(site.node)),
            Targets::Names(_) | Targets::Branch | Targets::Function => targets,
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut tasks = TaskList::new();
        for (site, name, mark) in &items {
            if DIRECTIVES.contains(name) {
                let message = format!("a task cannot be named '{name}': it is a flow directive");
                self.problem(site.error("reserved_task_name", message).at(*mark));
            }
            if name.is_empty() {
                self.problem(site.error("invalid_name", "a task needs a name that is not empty").at(*mark));
            }
            if seen.contains(name) {
                let problem = site.error("duplicate_task", format!("there are two tasks '{name}' in this list"));
                self.problem(problem.at(*mark).suggest("give each task of a list a name of its own"));
            }
            seen.push(name);
            tasks.extend(self.task(site, name, scope, &targets));
        }
        Some(tasks)
    }

    pub(super) fn task(&mut self, site: &Site<'d>, name: &str, scope: &Scope, targets: &Targets<'d>) -> Option<Task> {
        let entries = self.entries(site, &format!("the task '{name}'"))?;
        let fields = super::Fields { site: site.clone(), entries };
        let what = self.task_kind(&fields, name);
        if let Some(what) = what {
            self.unknown_task_properties(&fields, what);
        }
        let condition = self.optional_expression(fields.get("if"), "the condition 'if'", scope, Place::TaskInput);
        let input =
            fields.get("input").and_then(|site| self.data_spec(&site, "input", "from", scope, Place::TaskInput));
        let kind = what.and_then(|what| self.kind(&fields, what, scope, targets));
        let output =
            fields.get("output").and_then(|site| self.data_spec(&site, "output", "as", scope, Place::TaskOutput));
        let export =
            fields.get("export").and_then(|site| self.data_spec(&site, "export", "as", scope, Place::TaskExport));
        let timeout = fields.get("timeout").and_then(|site| self.timeout(&site, scope, Place::TaskDefinition));
        let then = match fields.get("then") {
            Some(then) => self.directive(&then, targets),
            None => Some(Directive::Continue),
        };
        let metadata = fields.get("metadata").map(|site| self.free_object(&site, "metadata")).unwrap_or_default();
        Some(Task {
            name: name.into(),
            pointer: site.pointer.as_str().into(),
            condition,
            input,
            output,
            export,
            timeout,
            then: then?,
            metadata,
            source: Arc::new(site.node.to_value()),
            kind: kind?,
        })
    }

    /// The property that says what a task does.
    fn task_kind(&mut self, fields: &super::Fields<'d>, name: &str) -> Option<&'static str> {
        let (site, entries) = (&fields.site, fields.entries);
        let has = |key: &str| fields.has(key);
        // `do` is the body of a `for`.
        let kinds: Vec<&'static str> =
            KINDS.into_iter().filter(|kind| has(kind) && !(*kind == "do" && has("for"))).collect();
        if let [kind] = kinds.as_slice() {
            return Some(kind);
        }
        if !kinds.is_empty() {
            let message = format!("the task '{name}' does several things at once: {}", listed(&kinds));
            self.problem(site.error("several_task_kinds", message).suggest("make it one task each"));
            return None;
        }
        let message = format!("the task '{name}' does not say what to do");
        let mut problem = site.error("no_task_kind", message);
        let misspelled = entries
            .iter()
            .filter(|entry| !COMMON.contains(&entry.key.as_str()))
            .find_map(|entry| nearest(&entry.key, KINDS).map(|kind| (entry, kind)));
        problem = match misspelled {
            Some((entry, kind)) => {
                problem.at(entry.mark).suggest(format!("did you mean '{kind}' instead of '{}'?", entry.key))
            }
            None if has("catch") => problem.suggest("a 'catch' belongs to a 'try'"),
            None if has("while") => problem.suggest("a 'while' belongs to a 'for'"),
            None if has("with") => problem.suggest("a 'with' belongs to a 'call'"),
            None => problem.suggest(format!("add one of {}", listed(&KINDS))),
        };
        self.problem(problem);
        None
    }

    fn unknown_task_properties(&mut self, fields: &super::Fields<'d>, what: &'static str) {
        let own: &[&str] = match what {
            "for" => &["for", "while", "do"],
            "try" => &["try", "catch"],
            "listen" => &["listen", "foreach"],
            "call" => &["call", "with"],
            _ => &[what],
        };
        let known: Vec<&str> = own.iter().copied().chain(COMMON).collect();
        for entry in fields.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let problem = self.unknown_property(&fields.site, &format!("a '{what}' task"), entry, &known);
            self.problem(problem);
        }
    }

    fn kind(
        &mut self,
        fields: &super::Fields<'d>,
        what: &'static str,
        scope: &Scope,
        targets: &Targets<'d>,
    ) -> Option<TaskKind> {
        let site = fields.get(what)?;
        match what {
            "do" => self.task_list(&site, "do", scope, Targets::List).map(TaskKind::Do),
            "set" => self.set(&site, scope),
            "switch" => self.switch(&site, scope, targets),
            "for" => self.for_loop(fields, &site, scope),
            "fork" => self.fork(&site, scope),
            "try" => self.try_block(fields, &site, scope, targets),
            "raise" => self.raise(&site, scope),
            "wait" => self.duration(&site, "wait", scope, Place::TaskDefinition).map(TaskKind::Wait),
            "call" => self.call(fields, &site, scope),
            "run" => self.run(fields, &site, scope),
            other => {
                self.unsupported(&site, &format!("the task kind '{other}'"));
                None
            }
        }
    }

    /// `then`, of a task or of a case.
    pub(super) fn directive(&mut self, site: &Site<'d>, targets: &Targets<'d>) -> Option<Directive> {
        let text = self.text(site, "then")?;
        match text {
            "continue" => return Some(Directive::Continue),
            "exit" => return Some(Directive::Exit),
            "end" => return Some(Directive::End),
            _ => {}
        }
        let names: &[&str] = match targets {
            Targets::Names(names) if names.contains(&text) => return Some(Directive::Task(text.into())),
            Targets::Names(names) => names,
            Targets::List | Targets::Branch | Targets::Function => &[],
        };
        let message = match targets {
            Targets::Branch => {
                format!("'then' of a fork branch cannot lead to '{text}': each branch is a scope of its own")
            }
            Targets::Function => {
                format!("'then' of a function cannot lead to '{text}': a function is not part of a list")
            }
            Targets::List | Targets::Names(_) => {
                format!("'then' leads to '{text}', but there is no such task in the same list")
            }
        };
        let possible: Vec<&str> = DIRECTIVES.into_iter().chain(names.iter().copied()).collect();
        let mut problem = site.error("unknown_target", message);
        problem.suggestion = did_you_mean(text, &possible);
        self.problem(problem);
        None
    }
}

/// All names in a list of tasks, also those of items that are not as they should be.
fn names_in(list: &Node) -> Vec<&str> {
    let mut names = Vec::new();
    if let Content::List(items) = &list.content {
        for item in items {
            if let Content::Object(entries) = &item.content {
                names.extend(entries.iter().map(|entry| entry.key.as_str()));
            }
        }
    }
    names
}
