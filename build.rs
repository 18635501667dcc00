//! Notes the commit the program is built from, for the reports of `callboard bench` and `callboard chaos`, and lists the
//! files of the built dashboard, which become part of the program.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    note_commit();
    list_dashboard()
}

fn note_commit() {
    println!("cargo:rerun-if-env-changed=CALLBOARD_COMMIT");
    let commit = std::env::var("CALLBOARD_COMMIT").ok().or_else(|| git(&["rev-parse", "HEAD"]));
    println!("cargo:rustc-env=CALLBOARD_COMMIT={}", commit.as_deref().unwrap_or("unknown"));
    // HEAD names a branch, whose file changes with every commit; packed branches have no file of their own.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        if let Some(path) = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists()) {
            println!("cargo:rerun-if-changed={path}");
        }
    }
}

/// The answer of git, unless there is no git or no repository (a source archive).
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Where `npm run build` puts the dashboard. The folder is always there, and empty until then.
const DASHBOARD: &str = "dashboard/dist";

/// Writes `dashboard.rs`, an array of `http::dashboard::File`.
fn list_dashboard() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed={DASHBOARD}");
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join(DASHBOARD);
    let mut files = Vec::new();
    find_files(&root, &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in files.iter().filter(|file| is_served(file)) {
        let name = file.strip_prefix(&root).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let compressed = |suffix: &str| {
            let path = PathBuf::from(format!("{}.{suffix}", file.display()));
            if path.exists() { format!("Some(include_bytes!({path:?}))") } else { "None".to_owned() }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            list,
            "    File {{ path: {name:?}, bytes: include_bytes!({file:?}), gzip: {}, brotli: {} }},",
            compressed("gz"),
            compressed("br"),
        );
    }
    list.push_str("]\n");
    let target = PathBuf::from(std::env::var("OUT_DIR").unwrap_or_default()).join("dashboard.rs");
    std::fs::write(target, list)
}

fn find_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { find_files(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Not what keeps the folder in git, and not the compressed forms, which go with the files they are made from.
fn is_served(file: &Path) -> bool {
    let is_hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let is_compressed = file.extension().is_some_and(|extension| extension == "gz" || extension == "br");
    !is_hidden && !is_compressed
}
