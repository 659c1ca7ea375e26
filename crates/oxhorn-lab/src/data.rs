//! `Dataset`: samples with their targets, and which of them are learnt from.

mod csv;
pub mod digits;
mod file;
pub mod idx;
pub mod npz;
mod parquet;
mod table;

use ndarray::{ArrayD, Axis, CowArray, Dimension, IxDyn, Slice};
use oxhorn::random::Streams;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::{
    file::{Reading, Scale, Scaling},
    table::Table,
};
use crate::{Error, Result};

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
    /// The handwritten digits of this crate, as many of the 1,797 to learn from, drawn anew for
    /// each seed: pixels from 0 for paper to 1 for ink.
    pub fn digits(train: usize) -> Dataset {
        let digits::Digits { images, labels } = digits::load();
        let names = (0..10).map(|digit| digit.to_string()).collect();
        Dataset {
            name: "digits".to_owned(),
            x: (images / 16.0).into_dyn(),
            y: Target::Classes { labels: labels.to_vec(), names },
            split: Split::Drawn { train },
            source: Source::Digits,
        }
    }

    /// How many samples there are.
    pub fn rows(&self) -> usize {
        self.x.shape().first().copied().unwrap_or(0)
    }

    /// The samples that are learnt from at this seed, and those that validate, as rows.
    pub fn rows_at(&self, seed: u32) -> (Vec<usize>, Vec<usize>) {
        let mut rows = match self.split {
            Split::Drawn { .. } => Streams::seeded(seed).numpy.permutation(self.rows()),
            Split::Fixed { .. } => (0..self.rows()).collect(),
        };
        let validation = rows.split_off(self.split.train().min(rows.len()));
        (rows, validation)
    }

    /// These samples; nothing is copied where they stand together.
    pub(crate) fn x_at(&self, rows: &[usize]) -> CowArray<'_, f32, IxDyn> {
        let first = rows.first().copied().unwrap_or(0);
        let together = rows.iter().enumerate().all(|(i, &row)| row == first + i);
        if together {
            let rows = Slice::from(first..first + rows.len());
            return self.x.slice_axis(Axis(0), rows).into();
        }
        self.x.select(Axis(0), rows).into()
    }

    /// Rejects data that nothing can be learnt from, or validated on.
    pub(crate) fn check(&self) -> Result<()> {
        let (name, rows, train) = (&self.name, self.rows(), self.split.train());
        let targets = match &self.y {
            Target::Classes { labels, .. } => labels.len(),
            Target::Values(values) => values.shape().first().copied().unwrap_or(0),
        };
        if targets != rows {
            return Err(Error::new(format!("`{name}` has {rows} samples and {targets} targets"))
                .help("the first axis of both counts samples"));
        }
        if !(1..rows).contains(&train) {
            return Err(Error::new(format!(
                "of the {rows} samples of `{name}`, {train} are to be learnt from"
            ))
            .help("one must be learnt from at least, and one be left to validate on"));
        }
        if let Target::Classes { labels, names } = &self.y {
            let known = |label: i64| usize::try_from(label).is_ok_and(|it| it < names.len());
            if let Some(row) = labels.iter().position(|&label| !known(label)) {
                let (label, classes) = (labels[row], names.len());
                return Err(Error::new(format!(
                    "label {label} of sample {row} of `{name}` is none of the {classes} classes"
                ))
                .help("classes are numbered from 0"));
            }
        }
        let values = match &self.y {
            Target::Values(values) => Some(values),
            Target::Classes { .. } => None,
        };
        let arrays = [("samples", Some(&self.x)), ("targets", values)];
        for (what, array) in arrays.into_iter().filter_map(|(what, it)| Some((what, it?))) {
            if let Some((at, value)) = array.indexed_iter().find(|(_, value)| !value.is_finite()) {
                let place = at.slice();
                return Err(Error::new(format!(
                    "the {what} of `{name}` hold {value} at {place:?}"
                ))
                .help(
                    "one such number makes NaN of all that it meets: replace it, or leave its \
                     sample out",
                ));
            }
        }
        Ok(())
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
