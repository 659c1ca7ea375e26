//! `cargo xtask tidy`: what every file of the repository must be like, checked by `cargo test`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{cargo, root, source::Source};

/// Columns of a line, for rustfmt and for reading.
const COLUMNS_MAX: usize = 100;
/// Lines of a function, its signature included.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a file.
const FILE_LINES_MAX: usize = 1_000;

/// Which of our crates each of our crates may depend on; tests may depend on more.
const LAYERS: [(&str, &[&str]); 13] = [
    ("oxhorn-ir", &[]),
    ("oxhorn-macros", &[]),
    ("oxhorn-io", &["oxhorn-ir"]),
    ("oxhorn-plan", &["oxhorn-ir"]),
    ("oxhorn-cpu", &["oxhorn-ir", "oxhorn-plan"]),
    ("oxhorn-nn", &["oxhorn-ir", "oxhorn-macros"]),
    ("oxhorn", &["oxhorn-cpu", "oxhorn-io", "oxhorn-ir", "oxhorn-nn", "oxhorn-plan"]),
    ("oxhorn-lab", &["oxhorn"]),
    ("oxhorn-cli", &["oxhorn", "oxhorn-io", "oxhorn-lab"]),
    (
        "oxhorn-bench",
        &["oxhorn", "oxhorn-cpu", "oxhorn-io", "oxhorn-ir", "oxhorn-lab", "oxhorn-nn"],
    ),
    ("oxhorn-py", &["oxhorn", "oxhorn-io", "oxhorn-ir", "oxhorn-lab", "oxhorn-nn"]),
    ("xtask", &[]),
    ("xtask-python", &["oxhorn-nn"]),
];

/// Where `unsafe` may stand: in the executor, at the border to Python, and in the test that counts
/// allocations.
const UNSAFE_HOMES: [&str; 3] =
    ["crates/oxhorn-cpu/", "crates/oxhorn-py/", "crates/oxhorn/tests/allocation.rs"];

/// What must not be left in code.
const BANNED_CODE: [&str; 3] = ["dbg!", "todo!", "unimplemented!"];
/// What must not be left in comments.
const BANNED_WORDS: [&str; 4] = ["FIXME", "XXX", "TODO", "Placeholder"];

/// Checks everything, and says where what is wrong.
pub(crate) fn check() -> Result<(), String> {
    let mut found = layering()?;
    for path in files(&root(), "rs")? {
        let text = read(&path)?;
        found.extend(rust(&name(&path), &text));
    }
    for path in files(&root(), "md")? {
        let text = read(&path)?;
        found.extend(dead_links(&path, &text));
    }
    found.extend(unformatted()?);
    match found.is_empty() {
        true => Ok(()),
        false => Err(found.join("\n")),
    }
}

/// Crates that depend on a crate above or beside them.
fn layering() -> Result<Vec<String>, String> {
    let arguments = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let output = cargo().args(arguments).output().map_err(|error| error.to_string())?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let mut found = vec![];
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let crate_name = package["name"].as_str().unwrap_or_default();
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        // The kind of a dependency of the crate itself is null; that of its tests is "dev".
        let own = dependencies.filter(|it| it["kind"].is_null() && !it["path"].is_null());
        let own: Vec<&str> = own.filter_map(|it| it["name"].as_str()).collect();
        found.extend(forbidden(crate_name, &own));
    }
    Ok(found)
}

/// What a crate must not depend on, of what it depends on.
fn forbidden(crate_name: &str, dependencies: &[&str]) -> Vec<String> {
    let Some((_, allowed)) = LAYERS.iter().find(|(known, _)| *known == crate_name) else {
        return vec![format!("{crate_name}: give the crate its place in `LAYERS` of xtask")];
    };
    let above = dependencies.iter().filter(|it| !allowed.contains(it));
    above.map(|it| format!("{crate_name}: must not depend on {it}, see ARCHITECTURE.md")).collect()
}

/// What is wrong with a Rust file.
fn rust(path: &str, text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut found = vec![];
    if !text.starts_with("//!") {
        found.push(format!("{path}:1: open with `//!` and what the file is"));
    }
    let count = text.lines().count();
    if count > FILE_LINES_MAX {
        found.push(format!("{path}: {count} lines, more than {FILE_LINES_MAX}"));
    }
    for (index, line) in text.lines().enumerate() {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX && !line.contains("https://") {
            found.push(format!("{path}:{}: {columns} columns", index + 1));
        }
    }
    for (index, line) in source.code.lines().enumerate() {
        let at = index + 1;
        for word in BANNED_CODE.iter().filter(|word| line.contains(*word)) {
            found.push(format!("{path}:{at}: `{word}`"));
        }
        let at_home = UNSAFE_HOMES.iter().any(|home| path.starts_with(home));
        if contains_word(line, "unsafe") && !at_home {
            found.push(format!("{path}:{at}: `unsafe` stands in {} only", UNSAFE_HOMES[0]));
        }
    }
    for (index, line) in source.comments.lines().enumerate() {
        for word in BANNED_WORDS.iter().filter(|word| contains_word(line, word)) {
            found.push(format!("{path}:{}: `{word}`", index + 1));
        }
    }
    for (line, function, lines) in source.functions() {
        if lines > FUNCTION_LINES_MAX {
            found.push(format!("{path}:{line}: `{function}` has {lines} lines"));
        }
    }
    found
}

fn contains_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').any(|it| it == word)
}

/// Relative links of a page that lead nowhere.
fn dead_links(page: &Path, text: &str) -> Vec<String> {
    let folder = page.parent().unwrap_or(page);
    let mut found = vec![];
    for (index, line) in text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains(':') && !folder.join(file).exists() {
                found.push(format!("{}:{}: no file `{file}`", name(page), index + 1));
            }
        }
    }
    found
}

/// Files that rustfmt would change; without rustfmt, nothing is known.
fn unformatted() -> Result<Vec<String>, String> {
    let known = cargo().args(["fmt", "--version"]).output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("rustfmt is not installed: formatting is not checked");
        return Ok(vec![]);
    }
    let output = cargo().args(["fmt", "--all", "--", "--check", "-l"]).output();
    let output = output.map_err(|error| format!("cargo fmt: {error}"))?;
    let files = String::from_utf8_lossy(&output.stdout);
    let line = |file: &str| format!("{}: run `cargo fmt --all`", name(Path::new(file)));
    let mut found: Vec<String> = files.lines().map(line).collect();
    if found.is_empty() && !output.status.success() {
        found.push(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    found.dedup();
    Ok(found)
}

/// The files under a folder that end like this, hidden folders and build outputs aside.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = vec![];
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", name(folder)))?;
    for entry in entries {
        let path = entry.map_err(|error| error.to_string())?.path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !file.starts_with('.') && file != "target" {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|it| it == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", name(path)))
}

/// The path as it is written in the repository: relative to its root, with slashes.
fn name(path: &Path) -> String {
    let inside = path.strip_prefix(root()).unwrap_or(path);
    inside.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        if let Err(message) = check() {
            panic!("\n{message}");
        }
    }

    #[test]
    fn crates_depend_only_on_those_below() {
        assert_eq!(forbidden("oxhorn-nn", &["oxhorn-ir"]), [""; 0]);
        let message = "oxhorn-nn: must not depend on oxhorn-plan, see ARCHITECTURE.md";
        assert_eq!(forbidden("oxhorn-nn", &["oxhorn-plan"]), [message]);
        assert_eq!(forbidden("oxhorn-new", &[]).len(), 1);
    }

    #[test]
    fn finds_what_does_not_belong() {
        let long = "x".repeat(101);
        let text = format!("fn f() {{ todo!() }}\n// TODO: {long}\nunsafe fn g() {{}}\n");
        let expected = [
            "a.rs:1: open with `//!` and what the file is",
            "a.rs:2: 110 columns",
            "a.rs:1: `todo!`",
            "a.rs:3: `unsafe` stands in crates/oxhorn-cpu/ only",
            "a.rs:2: `TODO`",
        ];
        assert_eq!(rust("a.rs", &text), expected);
    }

    #[test]
    fn words_in_strings_and_parts_of_words_are_none() {
        assert_eq!(
            rust("a.rs", "//! Is.\nconst A: &str = \"unsafe todo!\"; // unsafely\n"),
            [""; 0]
        );
    }

    #[test]
    fn counts_the_lines_of_functions_and_files() {
        let long = format!("//! Is.\nfn f() {{\n{}}}\n", "g();\n".repeat(69));
        assert_eq!(rust("a.rs", &long), ["a.rs:2: `f` has 71 lines"]);
        let lines = "//! Is.\n".repeat(1001);
        assert_eq!(rust("a.rs", &lines), ["a.rs: 1001 lines, more than 1000"]);
    }

    #[test]
    fn links_lead_somewhere() {
        let page = root().join("README.md");
        let text = "[a](Cargo.toml#x) [b](https://example.org) [c](#d)\n![e](no/such.png)";
        assert_eq!(dead_links(&page, text), ["README.md:2: no file `no/such.png`"]);
    }
}
