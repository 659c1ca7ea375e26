//! Writes the generated files of the Python package, `python/oxhorn/_generated`, or compares them.
//!
//! They follow from the classes and functions of `oxhorn-nn` and from Keras' signatures as they are
//! recorded. `cargo xtask codegen` runs this program after it has written what `oxhorn-nn` itself
//! is compiled from; it is a crate of its own because it needs `oxhorn-nn`, and that may not.

mod classes;
mod docs;
mod fields;
mod functions;
mod keras;
mod layout;
mod module;
mod registry;
mod signature;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use keras::Recorded;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => write(),
        ["--check"] => check(),
        _ => Err("usage: xtask-python [--check]".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Writes every file, and removes what is no longer generated.
fn write() -> Result<(), String> {
    let at = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let files = generated()?;
    let folder = folder();
    fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
    for path in stale(&files)? {
        fs::remove_file(&path).map_err(|error| at(&path, error))?;
    }
    for (path, text) in files {
        // A file that is the same keeps its date, and what is built from it stays fresh.
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            fs::write(&path, text).map_err(|error| at(&path, error))?;
        }
    }
    Ok(())
}

/// Compares every file with what would be written.
fn check() -> Result<(), String> {
    let files = generated()?;
    if let Some(path) = stale(&files)?.first() {
        return Err(format!("{} is not generated: run `cargo xtask codegen`", path.display()));
    }
    for (path, text) in files {
        let found = fs::read_to_string(&path).unwrap_or_default();
        let mut lines = found.lines().zip(text.lines()).enumerate();
        if found != text {
            let difference = lines.find(|(_, (found, wanted))| found != wanted);
            let difference = difference.map_or(String::new(), |(index, (found, wanted))| {
                format!("{:>5} - {found}\n{0:>5} + {wanted}\n", index + 1)
            });
            let path = path.display();
            return Err(format!("{path} is stale:\n{difference}run `cargo xtask codegen`"));
        }
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn folder() -> PathBuf {
    root().join("python/oxhorn/_generated")
}

/// Python files in the folder that nobody generates.
fn stale(files: &[(PathBuf, String)]) -> Result<Vec<PathBuf>, String> {
    let Ok(entries) = fs::read_dir(folder()) else { return Ok(vec![]) };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let paths = paths.collect::<Result<Vec<PathBuf>, _>>().map_err(|error| error.to_string())?;
    let is_stale = |path: &PathBuf| {
        path.extension().is_some_and(|it| it == "py")
            && !files.iter().any(|(known, _)| known == path)
    };
    Ok(paths.into_iter().filter(is_stale).collect())
}

/// Every file with its text.
fn generated() -> Result<Vec<(PathBuf, String)>, String> {
    let recorded = Recorded::read(&root())?;
    let mut modules = vec![
        (
            "__init__",
            "\"\"\"What follows from Rust's objects, written by `cargo xtask codegen`.\"\"\"\n"
                .to_owned(),
        ),
        ("activations", functions::activation_module(&recorded)?),
        ("ops", functions::ops_module(&recorded)?),
        ("random", functions::random_module(&recorded)?),
    ];
    let missing = [
        ("missing_ops", "ops", functions::missing_ops(&recorded)),
        ("missing_image", "ops.image", recorded.names("ops.image")),
        ("missing_random", "random", functions::missing_random(&recorded)),
    ];
    for (name, path, names) in missing {
        modules.push((name, functions::missing_module(&recorded, path, &names)?));
    }
    for category in &registry::CATEGORIES {
        modules.push((category.name, classes::module(category, &recorded)?));
    }
    let path = |name: &str| folder().join(format!("{name}.py"));
    Ok(modules.into_iter().map(|(name, text)| (path(name), text)).collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_files_are_fresh() {
        if let Err(message) = super::check() {
            panic!("{message}");
        }
    }
}
