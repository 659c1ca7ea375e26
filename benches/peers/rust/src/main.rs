//! Burn and Candle training a network, a turn for each line of standard input.
//!
//! `oxhorn-peers burn 25 64,64 5 0 0.4 32 250`: the framework; inputs, hidden layers and classes;
//! dropout of the inputs and behind hidden layers; samples in a batch and steps in a turn. The
//! protocol is that of `serve.py`.

mod with_burn;
mod with_candle;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
    time::Instant,
};

/// The answer of whatever can fail here.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Dense layers with relu, dropout behind each and before the first; softmax over classes.
struct Network {
    inputs: usize,
    hidden: Vec<usize>,
    classes: usize,
    dropout_of_inputs: f64,
    dropout: f64,
    batch: usize,
    steps: usize,
}

impl Network {
    fn parse(arguments: &[String]) -> Result<Network> {
        let [inputs, hidden, classes, dropout_of_inputs, dropout, batch, steps] = arguments else {
            return Err("give a framework and seven numbers: see `networks.py`".into());
        };
        let hidden = hidden.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
        Ok(Network {
            inputs: inputs.parse()?,
            hidden,
            classes: classes.parse()?,
            dropout_of_inputs: dropout_of_inputs.parse()?,
            dropout: dropout.parse()?,
            batch: batch.parse()?,
            steps: steps.parse()?,
        })
    }

    /// Samples of an epoch, which is a turn.
    fn samples(&self) -> usize {
        self.batch * self.steps
    }

    /// A class for each sample.
    fn labels(&self, random: &mut Random) -> Vec<u32> {
        (0..self.samples()).map(|_| random.below(self.classes) as u32).collect()
    }
}

/// Numbers that look random, for data and orders of samples: xorshift, by Marsaglia.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    /// The numbers below `len`, shuffled.
    fn order(&mut self, len: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..len as u32).collect();
        for last in (1..len).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((framework, numbers)) = arguments.split_first() else {
        return Err("give a framework: burn or candle".into());
    };
    let network = Network::parse(numbers)?;
    match framework.as_str() {
        "burn" => serve("Burn", "burn", &network, with_burn::training(&network)),
        "candle" => serve("Candle", "candle-core", &network, with_candle::training(&network)?),
        other => Err(format!("no framework `{other}` here: burn or candle").into()),
    }
}

/// Answers a line with the seconds of a step, until there is no line any more.
fn serve(
    framework: &str,
    package: &str,
    network: &Network,
    mut epoch: impl FnMut() -> Result<()>,
) -> Result<()> {
    epoch()?;
    println!("{{\"{framework}\": \"{}\"}}", version(package));
    for line in io::stdin().lines() {
        line?;
        // The first epoch fills the caches.
        epoch()?;
        let begun = Instant::now();
        epoch()?;
        println!("{{\"step\": {:e}}}", begun.elapsed().as_secs_f64() / network.steps as f64);
        io::stdout().flush()?;
    }
    Ok(())
}

/// The version of a package, as it was locked.
fn version(package: &str) -> &'static str {
    let locked = include_str!("../Cargo.lock");
    let after = locked.split_once(&format!("name = \"{package}\"\nversion = \""));
    after.and_then(|(_, rest)| rest.split('"').next()).unwrap_or("of unknown version")
}
