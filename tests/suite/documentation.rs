//! What the documentation shows is what the program accepts: every example and every snippet of a workflow is valid.

use callboard::domain::definition::{render, review};
use callboard::machine::{Compiles, Program};
use std::path::Path;
use std::sync::Arc;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assert_valid(name: &str, text: &str) {
    let found = review(text, &Compiles);
    assert!(found.problems.is_empty(), "\n{}\n{text}", render(name, &found.problems));
    let definition = Arc::new(found.definition.expect("no problems"));
    Program::compile(definition).unwrap_or_else(|problems| panic!("\n{}\n{text}", render(name, &problems)));
}

#[test]
fn every_example_is_valid_and_says_how_to_run_it() {
    let mut count = 0;
    for entry in std::fs::read_dir(root().join("examples")).expect("examples") {
        let path = entry.expect("example").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let name = path.file_name().and_then(|name| name.to_str()).expect("name");
        assert_valid(name, &text);
        let header: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        assert!(
            header.contains(&format!("callboard run examples/{name}")) || header.contains("callboard workflows"),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 5, "only {count} examples");
}

#[test]
fn every_snippet_of_the_guides_is_valid() {
    for guide in ["README.md", "docs/user-guide.md", "docs/effects.md"] {
        let text = std::fs::read_to_string(root().join(guide)).expect(guide);
        for (line, snippet) in yaml_snippets(&text) {
            assert_valid(&format!("{guide}:{line}"), &as_definition(&snippet));
        }
    }
}

/// Fenced blocks of YAML with the line they begin at.
fn yaml_snippets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match &mut open {
            None if line.trim() == "```yaml" => open = Some((number + 2, String::new())),
            None => {}
            Some(_) if line.trim() == "```" => found.extend(open.take()),
            Some((_, snippet)) => {
                snippet.push_str(line);
                snippet.push('\n');
            }
        }
    }
    found
}

/// A snippet that shows only tasks, as a whole definition.
fn as_definition(snippet: &str) -> String {
    if !snippet.starts_with("- ") {
        return snippet.to_owned();
    }
    let document = "document: { dsl: '1.0.3', namespace: guide, name: snippet, version: '1.0.0' }";
    format!("{document}\ndo:\n{snippet}")
}
