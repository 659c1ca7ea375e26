//! The command `oxhorn`: studies of what regularizers do, and what a model compiles to.

mod demo;
mod inspect;
mod leaving;
mod network;
mod output;
mod progress;
mod replay;
mod settings;
mod study;
mod table;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use oxhorn::Result;

use crate::{demo::Demo, inspect::Inspect, replay::Replay, study::Settings};

/// Keras, compiled by Rust. Without arguments: the demo.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    demo: Demo,
}

#[derive(Subcommand)]
enum Action {
    /// Train a network on handwritten digits without and with dropout at ten seeds, and compare.
    Demo(Demo),
    /// Compare rates of dropout on data of your own, at several seeds, and write a report.
    Study(Settings),
    /// Repeat the study of a report, and say whether its numbers come again, to the bit.
    Replay(Replay),
    /// Print the summary, the graph and the program of a model from its Keras JSON.
    Inspect(Inspect),
}

fn main() -> ExitCode {
    match run(Command::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = writeln!(io::stderr(), "error: {}", output::plain(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command.action {
        None => command.demo.run()?,
        Some(Action::Demo(demo)) => demo.run()?,
        Some(Action::Inspect(inspect)) => inspect.run()?,
        Some(Action::Study(settings)) => settings.run()?,
        Some(Action::Replay(replay)) => return replay.run(),
    }
    Ok(ExitCode::SUCCESS)
}
