//! What the tests share: small data that can be learnt, and small networks that learn it.

#![allow(dead_code, reason = "each file of tests takes what it needs")]

use ndarray::{Array2, ArrayD};
use oxhorn::{prelude::*, random::Streams};
use oxhorn_lab::{Dataset, Source, Split, Target, Variant, study::Study};

/// Numbers in a sample.
pub(crate) const INPUTS: usize = 5;

/// Samples of three classes, each about a corner of its own, so noisy that some cannot be told
/// apart; so many of them are learnt from.
pub(crate) fn blobs(samples: usize, train: usize) -> Dataset {
    let mut streams = Streams::seeded(41);
    let labels: Vec<i64> = (0..samples).map(|_| streams.numpy.randint(3).unwrap()).collect();
    let x = Array2::from_shape_fn((samples, INPUTS), |(row, column)| {
        let corner = if column as i64 == labels[row] { 1.5 } else { 0.0 };
        (corner + streams.numpy.standard_normal()) as f32
    });
    let names = ["red", "green", "blue"].map(str::to_owned).to_vec();
    dataset("blobs", x.into_dyn(), Target::Classes { labels, names }, train)
}

/// A noisy function of the samples.
pub(crate) fn curve(samples: usize, train: usize) -> Dataset {
    let mut streams = Streams::seeded(43);
    let x = Array2::from_shape_fn((samples, INPUTS), |_| streams.numpy.standard_normal() as f32);
    let y = x.rows().into_iter().map(|row| {
        let noise = streams.numpy.standard_normal() as f32;
        row[0] - 2.0 * row[1] + 0.3 * noise
    });
    let y = Array2::from_shape_vec((samples, 1), y.collect()).unwrap();
    dataset("curve", x.into_dyn(), Target::Values(y.into_dyn()), train)
}

fn dataset(name: &str, x: ArrayD<f32>, y: Target, train: usize) -> Dataset {
    let (split, source) = (Split::Drawn { train }, Source::Memory);
    Dataset { name: name.to_owned(), x, y, split, source }
}

/// A network for `blobs` with these layers between its own two.
pub(crate) fn network(between: impl FnOnce(Sequential) -> Sequential) -> Sequential {
    let first = Sequential::new().add(Dense::new(8).activation("relu").input_dim(INPUTS));
    let mut model = between(first).add(Dense::new(3).activation("softmax"));
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"]).unwrap();
    model
}

/// A variant without noise, and one with dropout.
pub(crate) fn without_and_with() -> Vec<Variant> {
    let without = network(|model| model);
    let with = network(|model| model.add(Dropout::new(0.5)));
    vec![Variant::new("without", &without).unwrap(), Variant::new("with", &with).unwrap()]
}

/// A study without what differs when it is repeated.
pub(crate) fn timeless(mut study: Study) -> Study {
    study.runs.iter_mut().for_each(|run| run.seconds = 0.0);
    study
}
