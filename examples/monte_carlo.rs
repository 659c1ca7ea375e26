//! How many sampled networks it takes to be as good as all of them at once with scaled weights:
//! Srivastava et al. 2014, figure 11.
//!
//! `cargo run --release --example monte_carlo`; a minute.

mod experiments;

use experiments::{mnist, network};
use ndarray::{ArrayD, Axis, Slice};
use oxhorn::{PredictMc, prelude::*};
use oxhorn_lab::{Dataset, Target};

/// How many networks are averaged.
const SAMPLES: [usize; 8] = [1, 2, 5, 10, 20, 50, 80, 120];
const TRAIN: usize = 5_000;
const SEEDS: u32 = 5;

fn main() -> Result<()> {
    let Dataset { x, y, .. } = mnist(TRAIN, 5_000)?;
    let Target::Classes { labels, .. } = y else { return Err(Error::new("MNIST has classes")) };
    let (x_test, x) = (rows(&x, TRAIN, x.shape()[0]), rows(&x, 0, TRAIN));
    let (labels, test) = labels.split_at(TRAIN);
    // Errors in per cent, for each seed: of scaled weights, then of so many samples.
    let mut errors: Vec<Vec<f64>> = vec![vec![]; 1 + SAMPLES.len()];
    for seed in 0..SEEDS {
        set_random_seed(seed);
        let mut model = network(256, Some([0.2, 0.5, 0.5]))?;
        model.fit(&x, labels, Fit::epochs(40).batch_size(64).verbose(0))?;
        let scaled = model.predict_with(&x_test, Predict::new().verbose(0).batch_size(500))?;
        errors[0].push(error(&scaled, test));
        let most = SAMPLES[SAMPLES.len() - 1];
        let sampled = model.predict_mc(&x_test, PredictMc::samples(most).seed(seed))?;
        for (errors, samples) in errors[1..].iter_mut().zip(SAMPLES) {
            let first = sampled.samples().slice_axis(Axis(0), Slice::from(..samples));
            let mean = first.mean_axis(Axis(0)).ok_or_else(|| Error::new("no samples"))?;
            errors.push(error(&mean, test));
        }
    }
    println!("| averaged | test error, % | minus that of scaled weights |\n|---|---|---|");
    println!("| weights scaled | {} | |", spread(&errors[0]));
    for (errors_of, samples) in errors[1..].iter().zip(SAMPLES) {
        let paired: Vec<f64> = errors_of.iter().zip(&errors[0]).map(|(a, b)| a - b).collect();
        println!("| {samples} | {} | {} |", spread(errors_of), spread(&paired));
    }
    Ok(())
}

fn rows(x: &ArrayD<f32>, from: usize, to: usize) -> ArrayD<f32> {
    x.slice_axis(Axis(0), Slice::from(from..to)).to_owned()
}

/// How many of a hundred samples are put into another class than theirs.
fn error(probabilities: &ArrayD<f32>, labels: &[i64]) -> f64 {
    let wrong = probabilities.outer_iter().zip(labels).filter(|(row, label)| {
        let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
        best.map(|(class, _)| class as i64) != Some(**label)
    });
    100.0 * wrong.count() as f64 / labels.len() as f64
}

/// Mean and standard deviation over the seeds.
fn spread(values: &[f64]) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    format!("{mean:.2} ± {:.2}", variance.sqrt())
}
