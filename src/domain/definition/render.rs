//! Problems as text for a terminal.

use super::problem::{Problem, Severity};
use std::fmt::Write;

/// One line per problem, `file:line:column: error[code]: message`, with its suggestion and the pointer below. `file` is
/// what the reader calls the text.
pub fn render(file: &str, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        let place = match (problem.line, problem.column) {
            (Some(line), Some(column)) => format!("{file}:{line}:{column}"),
            (Some(line), None) => format!("{file}:{line}"),
            (None, _) => file.to_owned(),
        };
        let severity = match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{place}: {severity}[{}]: {}", problem.code, problem.message);
        if !problem.pointer.is_empty() {
            let _ = writeln!(text, "  at {}", problem.pointer);
        }
        if let Some(suggestion) = &problem.suggestion {
            let _ = writeln!(text, "  help: {suggestion}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::definition::problem::Mark;

    #[test]
    fn each_problem_is_a_line_with_its_help_below() {
        let first = Problem::error("unknown_property", "/do/0/a/cach", "a 'try' task has no property 'cach'")
            .at(Some(Mark { line: 7, column: 5 }))
            .suggest("did you mean 'catch'?");
        let second = Problem::warning("empty", "", "nothing here");
        let wanted = "flow.yaml:7:5: error[unknown_property]: a 'try' task has no property 'cach'\n  \
                      at /do/0/a/cach\n  help: did you mean 'catch'?\n\
                      flow.yaml: warning[empty]: nothing here\n";
        assert_eq!(render("flow.yaml", &[first, second]), wanted);
    }
}
