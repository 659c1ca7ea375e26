//! `Study`: what was varied, what came of it, and how sure that is. Reports hold it as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::Card;

/// A study: what is needed to repeat it, every run, and what the runs say together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// The version of Oxhorn that made it.
    pub oxhorn: String,
    /// What it is called.
    pub title: String,
    /// On which data.
    pub data: Card,
    /// How it was done.
    pub plan: Plan,
    /// What was compared; the first is what the others are compared with.
    pub variants: Vec<Variant>,
    /// Every run, by seed and then by variant.
    pub runs: Vec<Run>,
    /// Every variant but the first against the first, for each measure.
    pub comparisons: Vec<Comparison>,
}

/// How a study is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// One run of each variant for each of these, in this order.
    pub seeds: Vec<u32>,
    /// How often each network sees its training data.
    pub epochs: usize,
    /// Samples in a step.
    pub batch_size: usize,
    /// The measure that the verdict is about: `val_loss`.
    pub primary: String,
    /// The probability with which an interval covers what it is for: 0.95.
    pub confidence: f64,
    /// Whether the study ends before the last seed when it has been decided.
    pub stopping: Stopping,
}

/// When a study ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// After the last seed.
    #[default]
    AfterAll,
    /// As soon as the primary measure is decided, looking after each seed from this many on. The
    /// looks share the probability of an error among them.
    WhenDecided {
        /// The seeds before the first look.
        first: usize,
    },
}

/// One of the networks that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What it is called: `dropout 0.5`.
    pub name: String,
    /// The model as Keras writes it, with its `compile_config`.
    pub model: Value,
    /// Numbers that are turned before training, by path: `dropout/rate`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

/// One network, trained once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The position of its variant.
    pub variant: usize,
    /// What weights, noise and order were drawn from.
    pub seed: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// What it took; the one thing that is not the same when a study is repeated.
    pub seconds: f64,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was trained to the end.
    Finished(Measured),
    /// Its loss was no finite number any more.
    Diverged {
        /// In this epoch, counted from 1.
        epoch: usize,
    },
}

/// What was measured of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// What it was worth in the end, by name: `val_loss`, `val_accuracy`, `clean_loss`, `val_nll`,
    /// `val_ece`, `val_brier`.
    pub measures: BTreeMap<String, f64>,
    /// A number for each epoch, by name: `loss`, `clean_loss`, `val_loss`.
    pub curves: BTreeMap<String, Vec<f64>>,
    /// Of classifiers, how often they are right by how sure they are, on the validation data:
    /// bins of equal width.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<Bin>,
}

/// The predictions whose confidence lies in one range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// How many.
    pub count: usize,
    /// How sure they are in the mean; 0 if there are none.
    pub confidence: f64,
    /// Which fraction is right; 0 if there are none.
    pub accuracy: f64,
}

/// A variant against the first, for one measure, over all seeds at which both were trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The position of the variant.
    pub variant: usize,
    /// The measure.
    pub measure: String,
    /// How many seeds.
    pub seeds: usize,
    /// The mean of the first variant at these seeds.
    pub baseline: f64,
    /// The mean of this variant.
    pub mean: f64,
    /// The mean of the differences at each seed, this variant minus the first, with an interval;
    /// `None` if there are too few seeds for one.
    pub difference: Option<Interval>,
    /// The mean difference in units of the differences' standard deviation (Cohen's *d* of pairs);
    /// `None` with too few seeds, or where all differences are the same.
    pub effect_size: Option<f64>,
    /// How many seeds would find a difference of this size, if it is real, in 80 of 100 studies.
    pub seeds_needed: Option<usize>,
    /// What that says.
    pub finding: Finding,
}

/// A mean, and where the true one is to be expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What a comparison says of the variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It is better: the interval excludes no difference.
    Better,
    /// It is worse.
    Worse,
    /// The interval includes no difference.
    NoDifference,
    /// There are too few seeds to say.
    TooFewSeeds,
    /// It diverged at one seed at least.
    Diverged,
}

impl Interval {
    /// Whether zero lies outside.
    pub fn excludes_zero(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }
}

impl Study {
    /// The finished runs of a variant, in the order of the seeds.
    pub fn finished(&self, variant: usize) -> impl Iterator<Item = (u32, &Measured)> {
        self.runs.iter().filter_map(move |run| match &run.outcome {
            Outcome::Finished(measured) if run.variant == variant => Some((run.seed, measured)),
            _ => None,
        })
    }

    /// How a variant compares with the first in a measure.
    pub fn comparison(&self, variant: usize, measure: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|it| it.variant == variant && it.measure == measure)
    }
}
