//! How long Oxhorn takes: for a step of training as `fit` runs it, and for the parts of it that
//! have a bar of their own.

mod adam;
mod compile;
mod disk;
mod memory;
mod network;
mod predict;
mod profile;
mod seeds;
mod turns;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, ValueEnum};
use oxhorn::{inspect::Isa, prelude::*};

use crate::{
    network::Network,
    turns::{Rival, print},
};

/// Measures how long something takes, all rivals in turn.
#[derive(Parser)]
#[command(version)]
struct Bench {
    /// What to measure.
    what: What,
    /// Numbers of threads, which take turns; of `seeds` the number of runs at once [default: 1;
    /// 1,2 for `mlp`; 2 for `dropout`, `adam` and `seeds`]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = thread_count)]
    threads: Vec<usize>,
    /// How often each takes its turn [default: 150 for `tutorial`, 5 for `seeds`, 7 for
    /// `disk`, 10 for the rest]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Print how long each step of the program takes, in place of the whole (`tutorial` and `mlp`)
    #[arg(long, conflicts_with = "serve")]
    profile: bool,
    /// Let all take a turn for each line of standard input, and answer it with the seconds of each
    /// as a line of JSON
    #[arg(long, conflicts_with = "rounds")]
    serve: bool,
    /// A Python that has Keras, which `disk` measures as well
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum What {
    /// A step of 25-64-64-5 with dropout of 0.4 after both hidden layers, batches of 32.
    Tutorial,
    /// A step of 784-1024-1024-1024-10 with dropout of 0.2 on the input and 0.5 behind it, batches
    /// of 128.
    Mlp,
    /// The same step with and without dropout.
    Dropout,
    /// The memory of that step with and without dropout.
    Memory,
    /// Adam's update of three million weights, and a plain stream of the same bytes.
    Adam,
    /// A prediction of one sample by the tutorial's network.
    Predict,
    /// A step of 1, 10 and 100 layers of 64 units, batches of 32.
    Depth,
    /// From `compile` to a program that can run, of the tutorial's network and of 100 layers.
    Compile,
    /// Ten paired runs of a network on the digits, against one.
    Seeds,
    /// Saving and loading a model of 100 MB.
    Disk,
}

fn thread_count(text: &str) -> Result<usize, String> {
    let threads = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (1..=256).contains(&threads) { Ok(threads) } else { Err("it must be 1 to 256".to_owned()) }
}

impl What {
    /// What is measured, in a line.
    fn title(self) -> &'static str {
        match self {
            What::Tutorial => "tutorial: a step of 25-64-64-5, dropout 0.4, batches of 32",
            What::Mlp => {
                "mlp: a step of 784-1024-1024-1024-10, dropout 0.2 and 0.5, batches of 128"
            }
            What::Dropout => "dropout: a step of the same with it and without",
            What::Memory => "memory: of the same",
            What::Adam => "adam: an update of 3,000,000 weights, and the same bytes as a stream",
            What::Predict => "predict: one sample, 25-64-64-5",
            What::Depth => "depth: a step of dense layers of 64 units, batches of 32",
            What::Compile => "compile: until a model can train",
            What::Seeds => "seeds: ten paired runs",
            What::Disk => "disk: a model of 100 MB",
        }
    }

    fn threads(self) -> &'static [usize] {
        match self {
            What::Mlp => &[1, 2],
            What::Dropout | What::Adam | What::Seeds => &[2],
            _ => &[1],
        }
    }

    fn rounds(self) -> u32 {
        match self {
            What::Tutorial => 150,
            What::Seeds => 5,
            What::Disk => 7,
            _ => 10,
        }
    }
}

impl Bench {
    fn threads(&self) -> &[usize] {
        if self.threads.is_empty() { self.what.threads() } else { &self.threads }
    }

    /// All that take turns.
    fn rivals(&self) -> Result<Vec<Rival>> {
        let mut rivals = vec![];
        for &threads in self.threads() {
            let count = if threads == 1 { "1 thread".into() } else { format!("{threads} threads") };
            let mut step = |name: String, network: Network, shuffle| -> Result<()> {
                rivals.push(Rival::new(name, network.training(threads, shuffle)?));
                Ok(())
            };
            match self.what {
                What::Tutorial | What::Mlp => {
                    let tutorial = self.what == What::Tutorial;
                    let network = if tutorial { Network::Tutorial } else { Network::Mlp };
                    step(count.clone(), network, Shuffle::Samples)?;
                    // Peers shuffle, so that they are asked for no other order.
                    if !self.serve {
                        step(format!("{count}, fixed order"), network, Shuffle::Off)?;
                    }
                }
                What::Dropout => {
                    step("with".into(), Network::Mlp, Shuffle::Samples)?;
                    step("without".into(), Network::MlpPlain, Shuffle::Samples)?;
                }
                What::Depth => {
                    for layers in [1, 10, 100] {
                        step(layers.to_string(), Network::Deep(layers), Shuffle::Samples)?;
                    }
                }
                What::Adam => rivals.extend(adam::rivals(threads)?),
                What::Predict => rivals.extend(predict::rivals(threads)?),
                What::Compile => rivals.extend(compile::rivals(threads)?),
                What::Memory | What::Seeds | What::Disk => {}
            }
        }
        Ok(rivals)
    }
}

fn main() -> ExitCode {
    match run(&Bench::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell if this fails.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(bench: &Bench) -> Result<()> {
    set_random_seed(812);
    let rounds = bench.rounds.unwrap_or(bench.what.rounds());
    if bench.profile {
        return profile(bench, rounds);
    }
    match bench.what {
        What::Memory | What::Seeds | What::Disk if bench.serve => {
            let help = "not `memory`, `seeds` or `disk`";
            return Err(Error::new("`--serve` is for what takes turns").help(help));
        }
        What::Memory => return memory::measure(),
        What::Seeds => return seeds::measure(bench.threads()[0], rounds),
        What::Disk => return disk::measure(rounds, bench.python.as_deref()),
        _ => {}
    }
    let mut rivals = bench.rivals()?;
    if bench.serve {
        return turns::serve(&mut rivals);
    }
    let title = bench.what.title();
    print(|out| writeln!(out, "{title}\n{}, {rounds} turns\n", Isa::best()))?;
    turns::report(&mut rivals, rounds)
}

fn profile(bench: &Bench, rounds: u32) -> Result<()> {
    let network = match bench.what {
        What::Tutorial => Network::Tutorial,
        What::Mlp => Network::Mlp,
        _ => return Err(Error::new("`--profile` is for `tutorial` and `mlp`")),
    };
    let extents = (network.batch(), network.extents().1);
    profile::profile(&mut network.model(1)?, extents, (bench.threads()[0], rounds))
}
