//! `Dataset`: samples with their targets, and which of them are learnt from.

pub mod digits;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Samples with their targets, and which of them are learnt from; the others validate.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// What it is called in reports.
    pub name: String,
    /// All samples; the first axis counts them.
    pub x: ArrayD<f32>,
    /// What the network is to say of each.
    pub y: Target,
    /// Which are learnt from.
    pub split: Split,
    /// Where it can be had again.
    pub source: Source,
}

/// What a network is to say of each sample.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The number of its class.
    Classes {
        /// One for each sample, from 0.
        labels: Vec<i64>,
        /// What the classes are called, in the order of their numbers.
        names: Vec<String>,
    },
    /// Numbers; the first axis counts samples.
    Values(ArrayD<f32>),
}

/// Which samples are learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// So many, drawn anew for each seed.
    Drawn {
        /// How many are learnt from.
        train: usize,
    },
    /// The first so many, whatever the seed.
    Fixed {
        /// How many are learnt from.
        train: usize,
    },
}

/// Where a data set can be had again, by whoever repeats a study.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The handwritten digits that this crate contains.
    Digits,
    /// A file.
    File {
        /// Its path, as it was given.
        path: String,
        /// The column or array of targets, where one was named.
        target: Option<String>,
    },
    /// Arrays that a program handed over, which alone has them.
    Memory,
}

/// What a report says of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// What it is called.
    pub name: String,
    /// The shape of all samples, the first axis counting them.
    pub shape: Vec<usize>,
    /// How many classes there are, if the targets are such.
    pub classes: Option<usize>,
    /// Which samples are learnt from.
    pub split: Split,
    /// Where it can be had again.
    pub source: Source,
    /// The SHA-256 of samples and targets, in hexadecimal digits.
    pub digest: String,
}

impl Split {
    /// How many samples are learnt from.
    pub fn train(self) -> usize {
        match self {
            Split::Drawn { train } | Split::Fixed { train } => train,
        }
    }
}

impl Dataset {
    /// How many samples there are.
    pub fn rows(&self) -> usize {
        self.x.shape().first().copied().unwrap_or(0)
    }

    /// What a report says of it.
    pub fn card(&self) -> Card {
        let classes = match &self.y {
            Target::Classes { names, .. } => Some(names.len()),
            Target::Values(_) => None,
        };
        Card {
            name: self.name.clone(),
            shape: self.x.shape().to_vec(),
            classes,
            split: self.split,
            source: self.source.clone(),
            digest: self.digest(),
        }
    }

    /// The SHA-256 of shapes, samples and targets, in hexadecimal digits.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut shape = |shape: &[usize]| {
            let extents = shape.iter().map(|&extent| extent as u64);
            [shape.len() as u64]
                .into_iter()
                .chain(extents)
                .for_each(|n| hash.update(n.to_le_bytes()));
        };
        shape(self.x.shape());
        match &self.y {
            Target::Classes { labels, .. } => shape(&[labels.len()]),
            Target::Values(values) => shape(values.shape()),
        }
        self.x.iter().for_each(|x| hash.update(x.to_le_bytes()));
        match &self.y {
            Target::Classes { labels, .. } => {
                labels.iter().for_each(|label| hash.update(label.to_le_bytes()));
            }
            Target::Values(values) => values.iter().for_each(|y| hash.update(y.to_le_bytes())),
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
