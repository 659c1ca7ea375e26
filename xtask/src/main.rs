//! Chores of the repository: `cargo xtask`, then what to do.

mod codegen;
mod data;
mod golden;
mod sanitize;
mod source;
mod tidy;

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

const USAGE: &str = "\
usage: cargo xtask <chore>

  codegen [--check]     write, or compare, what follows from oxhorn-nn and its files
  tidy                  check layering, formatting and house rules
  golden [kind ...]     record golden vectors from Keras (needs python3.11 and a network)
  data                  bring MNIST and Fashion-MNIST, which some tests and examples use
  sanitize              run the kernels' tests under the address sanitizer (Linux, macOS)
  test                  run everything that must pass";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        ["tidy"] => tidy::check(),
        ["golden", kinds @ ..] => golden::record(kinds),
        ["data"] => data::bring(),
        ["sanitize"] => sanitize::run(),
        ["test"] => run(cargo().args(["test", "--workspace"])),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the repository.
fn root() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map_or(own.clone(), PathBuf::from)
}

/// The cargo that runs us, at the root of the repository.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root());
    cargo
}

/// Runs a command whose output is for the reader.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(error) => Err(format!("{name}: {error}")),
    }
}
