//! Reading Rust source just well enough: without comments and literals, with the extent of tests and functions.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// One file of Rust.
pub struct Source {
    /// Relative to the project, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments and the content of literals blanked out; same length, same lines.
    pub code: String,
    /// The whole file is only compiled for tests.
    pub is_test: bool,
    /// The parts of `code` that are only compiled for tests.
    test_parts: Vec<Range<usize>>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = blank_out(text);
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_test = path.starts_with("tests/") || name == "tests.rs" || path.contains("/tests/");
        let test_parts = test_parts(&code);
        Self { path: path.to_owned(), text: text.to_owned(), code, is_test, test_parts }
    }

    /// The code that ships: what is only there for tests is blanked out.
    pub fn shipped(&self) -> String {
        if self.is_test {
            return blank(&self.code, 0..self.code.len());
        }
        self.test_parts.iter().fold(self.code.clone(), |code, part| blank(&code, part.clone()))
    }

    /// The code that is only there for tests.
    pub fn tests(&self) -> String {
        if self.is_test {
            return self.code.clone();
        }
        let mut rest = self.code.clone();
        let mut from = 0;
        for part in self.test_parts.iter().chain([&(self.code.len()..self.code.len())]) {
            rest = blank(&rest, from..part.start);
            from = part.end;
        }
        rest
    }

    /// Lines of the file that are not only there for tests, comments and empty lines included.
    pub fn shipped_lines(&self) -> usize {
        let in_tests: usize = self.test_parts.iter().map(|part| self.code[part.clone()].lines().count()).sum();
        self.text.lines().count() - in_tests
    }

    /// The line number (from 1) of an offset.
    pub fn line(&self, offset: usize) -> usize {
        self.code[..offset].matches('\n').count() + 1
    }

    /// Modules that this file declares for tests only, as in `#[cfg(test)] mod driver;`.
    pub fn test_modules(&self) -> Vec<String> {
        let declarations = self.test_parts.iter().filter_map(|part| {
            let declaration = self.code[part.clone()].rsplit("mod ").next()?.strip_suffix(';')?;
            Some(declaration.trim().to_owned())
        });
        declarations.collect()
    }
}

/// All Rust files below a folder of the project, with files of test-only modules marked.
pub fn read_all(root: &Path, folder: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = files(&root.join(folder), "rs")
        .iter()
        .map(|path| Source::new(&relative(root, path), &std::fs::read_to_string(path).expect("readable source")))
        .collect();
    let test_only: Vec<String> = sources
        .iter()
        .flat_map(|source| source.test_modules().into_iter().map(|name| format!("{}/{name}", own_folder(&source.path))))
        .collect();
    for source in &mut sources {
        source.is_test |= test_only.iter().any(|module| {
            source.path.strip_prefix(module.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
    sources
}

/// The folder in which the modules of a file are looked for.
fn own_folder(path: &str) -> &str {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let is_root = ["mod.rs", "lib.rs", "main.rs"].iter().any(|name| path.ends_with(&format!("/{name}")));
    if is_root { folder } else { path.trim_end_matches(".rs") }
}

/// All files with this extension below a folder, sorted.
pub fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.expect("readable folder").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

pub fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// Functions with a body: name, offset of `fn`, number of lines from there to the closing brace.
pub fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for offset in words(code, "fn") {
        let name: String = code[offset + 2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
        let Some(length) = code[offset..].find(['{', ';']) else { continue };
        if name.is_empty() || code[offset + length..].starts_with(';') {
            continue;
        }
        let end = closing_brace(code, offset + length);
        found.push((name, offset, code[offset..end].lines().count()));
    }
    found
}

/// Offsets at which `word` stands alone, not as a part of a longer identifier.
pub fn words(code: &str, word: &str) -> Vec<usize> {
    let alone = |offset: &usize| {
        let before = code[..*offset].chars().next_back();
        let after = code[offset + word.len()..].chars().next();
        !(before.is_some_and(is_word) || word.ends_with(is_word) && after.is_some_and(is_word))
    };
    code.match_indices(word).map(|(offset, _)| offset).filter(alone).collect()
}

pub fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// From each `#[cfg(test)]` to the end of the item below it.
fn test_parts(code: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if parts.last().is_some_and(|part| part.contains(&start)) {
            continue;
        }
        let item = start + attribute.len();
        let Some(length) = code[item..].find(['{', ';']) else { continue };
        let at = item + length;
        let end = if code[at..].starts_with(';') { at + 1 } else { closing_brace(code, at) };
        parts.push(start..end);
    }
    parts
}

/// The offset behind the brace that closes the one at `open`.
fn closing_brace(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (offset, c) in code[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + offset + 1;
        }
    }
    code.len()
}

/// The text with a range replaced by spaces; lines stay.
fn blank(text: &str, range: Range<usize>) -> String {
    let blanked: String = text[range.clone()].chars().flat_map(blanked).collect();
    format!("{}{blanked}{}", &text[..range.start], &text[range.end..])
}

/// As many spaces as the character has bytes, so that offsets stay.
fn blanked(c: char) -> std::iter::RepeatN<char> {
    if c == '\n' { std::iter::repeat_n('\n', 1) } else { std::iter::repeat_n(' ', c.len_utf8()) }
}

/// Blanks out comments and the content of string and character literals.
fn blank_out(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let previous = code.chars().next_back();
        let literal = literal_length(rest, previous.is_some_and(is_word));
        let keep = if literal == 0 { c.len_utf8() } else { 0 };
        code.push_str(&rest[..keep]);
        code.extend(rest[keep..literal.max(keep)].chars().flat_map(blanked));
        rest = &rest[literal.max(keep)..];
    }
    code
}

/// The length of the comment or literal at the beginning of `rest`, 0 when there is none.
fn literal_length(rest: &str, within_word: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment_length(rest);
    }
    if rest.starts_with('"') {
        return quoted_length(rest, 1, '"');
    }
    if rest.starts_with('\'') {
        return character_length(rest);
    }
    if within_word {
        return 0;
    }
    let prefix = ["br", "cr", "r", "b", "c"].iter().find(|prefix| rest.starts_with(**prefix)).map_or(0, |p| p.len());
    let hashes = rest[prefix..].chars().take_while(|c| *c == '#').count();
    let quote = prefix + hashes;
    if prefix == 0 || !rest[quote..].starts_with('"') {
        return 0;
    }
    if rest[..prefix].ends_with('r') {
        let end = format!("\"{}", "#".repeat(hashes));
        return rest[quote + 1..].find(&end).map_or(rest.len(), |length| quote + 1 + length + end.len());
    }
    if hashes == 0 { quoted_length(rest, quote + 1, '"') } else { 0 }
}

fn block_comment_length(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let tail = &rest[at..];
        let step = if tail.starts_with("/*") {
            depth += 1;
            2
        } else if tail.starts_with("*/") {
            depth -= 1;
            2
        } else {
            tail.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// From the beginning of `rest` to behind the closing quote; the content begins at `start`.
fn quoted_length(rest: &str, start: usize, quote: char) -> usize {
    let mut escaped = false;
    for (offset, c) in rest[start..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return start + offset + 1,
            _ => {}
        }
    }
    rest.len()
}

/// A character literal; 0 for a lifetime.
fn character_length(rest: &str) -> usize {
    let mut characters = rest.chars().skip(1);
    match (characters.next(), characters.next()) {
        (Some('\\'), _) => quoted_length(rest, 1, '\''),
        (Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}
