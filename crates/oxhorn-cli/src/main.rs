//! The command `oxhorn`: models trained, used and converted, and studies of what regularizers do.

mod columns;
mod convert;
mod data;
mod demo;
mod evaluate;
mod held;
mod inspect;
mod leaving;
mod model;
mod network;
mod output;
mod predict;
mod progress;
mod replay;
mod settings;
mod study;
mod table;
mod train;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use oxhorn::Result;

use crate::{
    convert::Convert, demo::Demo, evaluate::Evaluate, inspect::Inspect, predict::Predict,
    replay::Replay, study::Settings, train::Train,
};

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
    /// Train a model on data of your own, and write it to a file that Keras loads as well.
    Train(Train),
    /// Measure the loss and the metrics of a trained model on data.
    Evaluate(Evaluate),
    /// Write what a trained model predicts to a CSV file, with its uncertainty if wanted.
    Predict(Predict),
    /// Write a model or weights in another format: .keras, .h5, .npz, .safetensors, .onnx
    Convert(Convert),
    /// Print what a file of a model or of weights holds; of Keras JSON, the graph and the program.
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
        Some(Action::Train(train)) => train.run()?,
        Some(Action::Evaluate(evaluate)) => evaluate.run()?,
        Some(Action::Predict(predict)) => predict.run()?,
        Some(Action::Convert(convert)) => convert.run()?,
        Some(Action::Inspect(inspect)) => inspect.run()?,
        Some(Action::Study(settings)) => settings.run()?,
        Some(Action::Replay(replay)) => return replay.run(),
    }
    Ok(ExitCode::SUCCESS)
}
