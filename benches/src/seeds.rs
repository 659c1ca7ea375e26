//! What paired runs cost: ten seeds side by side, against one alone.

use std::{
    io::{self, Write},
    time::Instant,
};

use oxhorn::prelude::*;
use oxhorn_lab::{Dataset, Lab, Plan, Source, Split, Target, Variant, compare, data::digits};

use crate::turns::{median, print};

/// Seeds that are run side by side.
const SEEDS: u32 = 10;
/// Images to learn from, as in `oxhorn demo`.
const TRAIN: usize = 500;
/// Neurons in each of the two hidden layers.
const UNITS: usize = 256;
const EPOCHS: usize = 30;

/// Measures both, in turns, on this many cores.
///
/// # Errors
///
/// If a run fails, or the result cannot be printed.
pub(crate) fn measure(cores: usize, rounds: u32) -> Result<()> {
    let digits::Digits { images, labels } = digits::load();
    let names = (0..10).map(|digit| digit.to_string()).collect();
    let data = Dataset {
        name: "digits".to_owned(),
        x: (images / 16.0).into_dyn(),
        y: Target::Classes { labels: labels.to_vec(), names },
        split: Split::Drawn { train: TRAIN },
        source: Source::Digits,
    };
    let variants = [network()?];
    let seconds = |seeds: u32, workers: usize| -> Result<f64> {
        let plan = Plan::new(EPOCHS).seeds(seeds);
        let clock = Instant::now();
        compare("seeds", &variants, &data, &plan, Lab::new().workers(workers))?;
        Ok(clock.elapsed().as_secs_f64())
    };
    let (mut one, mut all) = (vec![], vec![]);
    for _ in 0..rounds {
        one.push(seconds(1, 1)?);
        all.push(seconds(SEEDS, cores)?);
    }
    let (one, all) = (median(one), median(all));
    print(|out| report(out, cores, one, all))
}

/// The network of `oxhorn demo`, with dropout.
fn network() -> Result<Variant> {
    let dense = || Dense::new(UNITS).activation("relu");
    let mut model = Sequential::new()
        .add(dense().input_dim(64))
        .add(Dropout::new(0.5))
        .add(dense())
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation("softmax"));
    model.compile(Adam::default(), "categorical_crossentropy", ["accuracy"])?;
    Variant::new("dropout", &model)
}

fn report(out: &mut dyn Write, cores: usize, one: f64, all: f64) -> io::Result<()> {
    writeln!(out, "digits: 64-{UNITS}-{UNITS}-10, dropout 0.5, {TRAIN} images, {EPOCHS} epochs")?;
    writeln!(out, "one run, compiled and measured: {one:.2} s")?;
    writeln!(out, "{SEEDS} runs on {cores} cores: {all:.2} s, {:.2} times as long", all / one)
}
