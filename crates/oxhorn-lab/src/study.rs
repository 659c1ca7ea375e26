//! `Study`: what was varied, what came of it, and how sure that is. Reports hold it as JSON.

#[cfg(test)]
pub(crate) mod fixture;

use std::collections::{BTreeMap, BTreeSet};

use oxhorn::Sequential;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result, calibration::Bin, data::Card, exact};

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
    /// The measure that the verdict is about: `val_loss`. If it is empty when a study begins, the
    /// study takes the first of `val_loss`, `val_nll` and `val_mse` that means the same of all
    /// variants.
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
    #[serde(with = "exact::map")]
    pub measures: BTreeMap<String, f64>,
    /// A number for each epoch, by name: `loss`, `clean_loss`, `val_loss`.
    #[serde(with = "exact::curves")]
    pub curves: BTreeMap<String, Vec<f64>>,
    /// Of classifiers, how often they are right by how sure they are, on the validation data:
    /// bins of equal width.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<Bin>,
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
    #[serde(with = "exact::one")]
    pub baseline: f64,
    /// The mean of this variant.
    #[serde(with = "exact::one")]
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
    #[serde(with = "exact::one")]
    pub mean: f64,
    /// The lower end.
    #[serde(with = "exact::one")]
    pub low: f64,
    /// The upper end.
    #[serde(with = "exact::one")]
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

impl Plan {
    /// So many epochs at each of the seeds 0 to 9, in steps of 32 samples, with intervals of 95 %,
    /// to the last seed.
    pub fn new(epochs: usize) -> Plan {
        Plan {
            seeds: (0..10).collect(),
            epochs,
            batch_size: 32,
            primary: String::new(),
            confidence: 0.95,
            stopping: Stopping::AfterAll,
        }
    }

    /// The seeds from 0 on, so many.
    #[must_use]
    pub fn seeds(self, count: u32) -> Plan {
        self.with_seeds(0..count)
    }

    /// These seeds.
    #[must_use]
    pub fn with_seeds(self, seeds: impl IntoIterator<Item = u32>) -> Plan {
        Plan { seeds: seeds.into_iter().collect(), ..self }
    }

    /// Samples in a step.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Plan {
        Plan { batch_size, ..self }
    }

    /// The measure that the verdict is about.
    #[must_use]
    pub fn primary(self, measure: impl Into<String>) -> Plan {
        Plan { primary: measure.into(), ..self }
    }

    /// The probability with which an interval covers what it is for.
    #[must_use]
    pub fn confidence(self, confidence: f64) -> Plan {
        Plan { confidence, ..self }
    }

    /// Whether the study ends before the last seed when it has been decided.
    #[must_use]
    pub fn stopping(self, stopping: Stopping) -> Plan {
        Plan { stopping, ..self }
    }

    /// Rejects what cannot be done.
    pub(crate) fn check(&self) -> Result<()> {
        let Plan { seeds, epochs, batch_size, confidence, .. } = self;
        for (name, value) in [("epochs", *epochs), ("batch_size", *batch_size)] {
            if value == 0 {
                return Err(Error::new(format!("`{name}` of a study must be at least 1, got 0")));
            }
        }
        if seeds.is_empty() {
            return Err(Error::new("a study without seeds has no runs")
                .help("give three seeds at least: with fewer there is no interval"));
        }
        if let Some(twice) = (1..seeds.len()).find(|&i| seeds[..i].contains(&seeds[i])) {
            let message = format!("the seed {} is in the plan twice", seeds[twice]);
            return Err(Error::new(message).help("the same run again is no further evidence"));
        }
        if !(0.5..1.0).contains(confidence) {
            let message =
                format!("`confidence` must be at least 0.5 and less than 1, got {confidence}");
            return Err(Error::new(message).help("0.95 is usual"));
        }
        match self.stopping {
            Stopping::WhenDecided { first } if !(3..=seeds.len()).contains(&first) => {
                let most = seeds.len();
                let message = format!(
                    "the first look must follow at least 3 seeds and at most all {most}, got \
                     {first}"
                );
                Err(Error::new(message).help("with fewer than three seeds there is no interval"))
            }
            _ => Ok(()),
        }
    }
}

impl Variant {
    /// A compiled model, as something to compare.
    ///
    /// # Errors
    ///
    /// If the model was not compiled.
    pub fn new(name: impl Into<String>, model: &Sequential) -> Result<Variant> {
        let name = name.into();
        let Some(config) = model.compile_config() else {
            return Err(uncompiled(&name));
        };
        let mut model = model.to_json();
        model["compile_config"] = config;
        Ok(Variant { name, model, numbers: BTreeMap::new() })
    }

    /// Turns a number before training: `dropout/rate`.
    #[must_use]
    pub fn number(mut self, path: impl Into<String>, value: f64) -> Variant {
        self.numbers.insert(path.into(), value);
        self
    }
}

/// The error of a variant that was not told what to be trained for.
pub(crate) fn uncompiled(name: &str) -> Error {
    Error::new(format!("the model of variant `{name}` is not compiled")).help(
        "model.compile(Adam::default(), \"sparse_categorical_crossentropy\", [\"accuracy\"])?",
    )
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

    /// The runs of a variant that diverged: at which seed, and in which epoch, counted from 1.
    pub fn diverged(&self, variant: usize) -> impl Iterator<Item = (u32, usize)> {
        self.runs.iter().filter_map(move |run| match run.outcome {
            Outcome::Diverged { epoch } if run.variant == variant => Some((run.seed, epoch)),
            _ => None,
        })
    }

    /// How a variant compares with the first in a measure; `None` if there is no seed at which both
    /// finished, or the measure does not mean the same of both.
    pub fn comparison(&self, variant: usize, measure: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|it| it.variant == variant && it.measure == measure)
    }

    /// How many seeds there are runs of: fewer than planned if the study ended early.
    pub fn seeds(&self) -> usize {
        self.runs.iter().map(|run| run.seed).collect::<BTreeSet<u32>>().len()
    }

    /// A measure of this variant minus that of the first, at each seed at which both have it.
    pub fn differences(&self, variant: usize, measure: &str) -> Vec<(u32, f64)> {
        let first: BTreeMap<u32, f64> = self.measured(0, measure).collect();
        let other = self.measured(variant, measure);
        other.filter_map(|(seed, value)| Some((seed, value - first.get(&seed)?))).collect()
    }

    /// A curve of a variant at each seed that has it, a number for each epoch.
    pub fn curves(&self, variant: usize, name: &str) -> Vec<&[f64]> {
        let finished = self.finished(variant);
        finished.filter_map(|(_, it)| it.curves.get(name)).map(Vec::as_slice).collect()
    }

    /// The mean of a curve over the seeds, epoch by epoch.
    pub fn mean_curve(&self, variant: usize, name: &str) -> Vec<f64> {
        let curves = self.curves(variant, name);
        let epochs = curves.iter().map(|curve| curve.len()).max().unwrap_or(0);
        let mean = |epoch: usize| {
            let values: Vec<f64> = curves.iter().filter_map(|it| it.get(epoch).copied()).collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        (0..epochs).map(mean).collect()
    }

    /// A measure of a variant at each seed that has it.
    pub fn measured(&self, variant: usize, measure: &str) -> impl Iterator<Item = (u32, f64)> {
        let finished = self.finished(variant);
        finished.filter_map(move |(seed, it)| Some((seed, *it.measures.get(measure)?)))
    }
}
