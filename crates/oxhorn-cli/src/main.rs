//! The command `oxhorn`: shows what dropout does, and what a model compiles to.

mod curves;
mod demo;
mod inspect;
mod output;
mod table;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use oxhorn::Result;

use crate::{demo::Demo, inspect::Inspect};

/// Keras, compiled by Rust. Without arguments: the demo.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Command {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    demo: Demo,
}

#[derive(Subcommand)]
enum Action {
    /// Train a network on handwritten digits without and with dropout, and compare.
    Demo(Demo),
    /// Print the summary, the graph and the program of a model from its Keras JSON.
    Inspect(Inspect),
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command.action {
        None => command.demo.run(),
        Some(Action::Demo(demo)) => demo.run(),
        Some(Action::Inspect(inspect)) => inspect.run(),
    }
}
