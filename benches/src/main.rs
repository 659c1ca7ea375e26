//! How long a step of training takes, measured as `fit` runs it; and ten runs side by side.

mod disk;
mod seeds;

use std::{
    cell::Cell,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use ndarray::Array2;
use oxhorn::{inspect::Isa, prelude::*};

/// Measures the time of a training step: forward, loss, accuracy, backward and Adam's update; or
/// that of several runs.
#[derive(Parser)]
#[command(version)]
struct Bench {
    /// What to measure.
    what: What,
    /// Numbers of threads, which take turns; of `seeds` the number of runs at once [default: 1 for
    /// `tutorial`, 1,2 for `mlp`, 2 for `seeds`]
    #[arg(long, value_name = "N", value_delimiter = ',', value_parser = thread_count)]
    threads: Vec<usize>,
    /// How often each variant takes its turn [default: 150 for `tutorial`, 10 for `mlp`, 5 for
    /// `seeds`, 7 for `disk`]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// A Python that has Keras, which `disk` measures as well
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// A step of 25-64-64-5 with dropout of 0.4 after both hidden layers, batches of 32.
    Tutorial,
    /// A step of 784-1024-1024-1024-10 with dropout of 0.2 on the input and 0.5 behind it, batches
    /// of 128.
    Mlp,
    /// Ten paired runs of a network on the digits, against one.
    Seeds,
    /// Saving and loading a model of 100 MB.
    Disk,
}

/// A network to train.
#[derive(Clone, Copy)]
enum Network {
    /// 25-64-64-5 with dropout of 0.4 after both hidden layers, batches of 32.
    Tutorial,
    /// 784-1024-1024-1024-10 with dropout of 0.2 on the input and 0.5 behind it, batches of 128.
    Mlp,
}

fn thread_count(text: &str) -> Result<usize, String> {
    let threads = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (1..=256).contains(&threads) { Ok(threads) } else { Err("it must be 1 to 256".to_owned()) }
}

impl Network {
    fn build(self) -> Sequential {
        let dense = |units| Dense::new(units).activation("relu");
        match self {
            Network::Tutorial => Sequential::new()
                .add(dense(64).input_dim(25))
                .add(Dropout::new(0.4))
                .add(dense(64))
                .add(Dropout::new(0.4))
                .add(Dense::new(5).activation("softmax")),
            Network::Mlp => Sequential::new()
                .add(Dropout::new(0.2).input_shape([784]))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(dense(1024))
                .add(Dropout::new(0.5))
                .add(Dense::new(10).activation("softmax")),
        }
    }

    /// Numbers in a sample, and classes.
    fn extents(self) -> (usize, usize) {
        match self {
            Network::Tutorial => (25, 5),
            Network::Mlp => (784, 10),
        }
    }

    fn batch(self) -> usize {
        match self {
            Network::Tutorial => 32,
            Network::Mlp => 128,
        }
    }

    /// Steps in a turn: enough that what happens once in an epoch does not count.
    fn steps(self) -> usize {
        match self {
            Network::Tutorial => 250,
            Network::Mlp => 8,
        }
    }

    fn rounds(self) -> u32 {
        match self {
            Network::Tutorial => 150,
            Network::Mlp => 10,
        }
    }

    fn threads(self) -> &'static [usize] {
        match self {
            Network::Tutorial => &[1],
            Network::Mlp => &[1, 2],
        }
    }
}

/// A way of training, and how long an epoch took in each of its turns.
struct Variant {
    threads: usize,
    shuffle: Shuffle,
    model: Sequential,
    turns: Vec<Duration>,
}

impl Variant {
    fn new(network: Network, threads: usize, shuffle: Shuffle) -> Result<Variant> {
        let mut model = network.build().threads(threads);
        model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"])?;
        Ok(Variant { threads, shuffle, model, turns: vec![] })
    }

    /// Trains an epoch, of which neither compiling nor the checks of the data are measured.
    fn turn(&mut self, batch: usize, (x, y): &(Array2<f32>, Array2<f32>)) -> Result<()> {
        let begun = Cell::new(Instant::now());
        let clock = LambdaCallback::new()
            .on_epoch_begin(|_, _| {
                begun.set(Instant::now());
                Ok(())
            })
            .on_epoch_end(|_, _, _| {
                self.turns.push(begun.get().elapsed());
                Ok(())
            });
        let fit = Fit::epochs(1).batch_size(batch).shuffle(self.shuffle).verbose(0).callback(clock);
        self.model.fit(x, y, fit).map(drop)
    }

    /// Microseconds a step: of the median turn, and of the fastest.
    fn microseconds(&mut self, steps: usize) -> (f64, f64) {
        self.turns.sort_unstable();
        let of = |turn: Duration| turn.as_secs_f64() * 1e6 / steps as f64;
        (of(self.turns[self.turns.len() / 2]), of(self.turns[0]))
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
    let network = match bench.what {
        What::Tutorial => Network::Tutorial,
        What::Mlp => Network::Mlp,
        What::Seeds => {
            let cores = bench.threads.first().copied().unwrap_or(2);
            return seeds::measure(cores, bench.rounds.unwrap_or(5));
        }
        What::Disk => return disk::measure(bench.rounds.unwrap_or(7), bench.python.as_deref()),
    };
    let (batch, steps, (inputs, classes)) = (network.batch(), network.steps(), network.extents());
    set_random_seed(812);
    let samples = batch * steps;
    let x = random((samples, inputs)).mapv(|x| x as f32);
    let y = to_categorical(&randint(classes as i64, samples), classes).mapv(|y| y as f32);
    let data = (x, y);
    let threads = if bench.threads.is_empty() { network.threads() } else { &bench.threads };
    let mut variants = vec![];
    for &threads in threads {
        for shuffle in [Shuffle::Samples, Shuffle::Off] {
            variants.push(Variant::new(network, threads, shuffle)?);
        }
    }
    // The first turn compiles and warms up.
    let rounds = bench.rounds.unwrap_or(network.rounds());
    for round in 0..=rounds {
        for variant in &mut variants {
            variant.turn(batch, &data)?;
            if round == 0 {
                variant.turns.clear();
            }
        }
    }
    report(network, rounds, &mut variants)
        .map_err(|error| Error::new(format!("cannot print: {error}")))
}

fn report(network: Network, rounds: u32, variants: &mut [Variant]) -> io::Result<()> {
    let (batch, steps) = (network.batch(), network.steps());
    let name = match network {
        Network::Tutorial => "tutorial: 25-64-64-5, dropout 0.4",
        Network::Mlp => "mlp: 784-1024-1024-1024-10, dropout 0.2 and 0.5",
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{name}, Adam, cross-entropy, accuracy, batches of {batch}")?;
    writeln!(out, "{}, {rounds} turns of {steps} steps\n", Isa::best())?;
    writeln!(
        out,
        "{:>7}   {:<8}   {:>14}   {:>12}",
        "threads", "order", "median µs/step", "best µs/step"
    )?;
    for variant in variants {
        let (median, best) = variant.microseconds(steps);
        let order = if variant.shuffle == Shuffle::Off { "fixed" } else { "shuffled" };
        writeln!(out, "{:>7}   {order:<8}   {median:>14.1}   {best:>12.1}", variant.threads)?;
    }
    Ok(())
}
