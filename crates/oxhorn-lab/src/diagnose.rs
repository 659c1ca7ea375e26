//! `diagnose`: what ails a training, by its curves, and what to try next.

use std::collections::BTreeMap;

use oxhorn::History;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, statistics::mean};

/// An accuracy known no better than this, give or take, says too little.
const VAGUE: f64 = 0.07;

/// What is known of a training besides its curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// How many samples each epoch was validated on.
    pub validation_samples: Option<usize>,
    /// How many classes are told apart, if the loss is a cross-entropy.
    pub classes: Option<usize>,
}

/// What ails a training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Diagnosis {
    /// It gets better at what it has seen, and not at what it has not.
    Overfitting,
    /// It could still get better at both, or has not learnt much of either.
    Underfitting,
    /// It is validated on too few samples to say.
    ValidationTooSmall,
    /// Its own loss jumps so much that nothing can be told.
    Noise,
    /// Its loss grows, or is no number any more.
    Diverging,
    /// Nothing.
    Healthy,
}

/// What ails a training, why one thinks so, and what to try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosed {
    /// In a word.
    pub diagnosis: Diagnosis,
    /// The numbers that say so.
    pub evidence: String,
    /// The one thing to try next.
    pub next_step: String,
}

/// The numbers of every epoch, by name, as [`diagnose`] takes them.
pub fn curves_of(history: &History) -> BTreeMap<String, Vec<f64>> {
    history.history.iter().map(|(name, values)| (name.to_owned(), values.clone())).collect()
}

/// Says what ails a training, by the numbers of its epochs: `loss`, `val_loss`, and where they are
/// there `clean_loss`, `val_accuracy` and `clean_accuracy` or `accuracy`.
///
/// With dropout or other noise, `loss` is measured while units are dropped, as a mean over an
/// epoch in which the network was learning; `val_loss` is measured at its end, with everything
/// there. A `loss` above `val_loss` is what is to be expected then, and no sign of anything:
/// without `clean_loss`, which is measured as `val_loss` is, it is not compared with it.
///
/// What it goes by, in this order: a loss that is no number, or grows (diverging); a training loss
/// that jumps (noise); a `val_loss` that has risen from its best while the training loss fell, or
/// stays far above it (overfitting); too few samples to tell (validation too small); a `val_loss`
/// that is still falling, or losses that hardly fell (underfitting).
///
/// # Errors
///
/// If there is no `loss`, or no `val_loss` of a training that does not diverge.
pub fn diagnose(curves: &BTreeMap<String, Vec<f64>>, facts: &Facts) -> Result<Diagnosed> {
    let curve = |name: &str| curves.get(name).map(Vec::as_slice).filter(|it| !it.is_empty());
    let loss = curve("loss").or(curve("clean_loss")).ok_or_else(|| {
        Error::new("there is no `loss` to diagnose").help("give what `fit` has returned")
    })?;
    let training = curve("clean_loss").unwrap_or(loss);
    if let Some(diverging) = diverging(loss, training, curve("val_loss")) {
        return Ok(diverging);
    }
    let validation = curve("val_loss").ok_or_else(|| {
        Error::new("there is no `val_loss`, without which a training says little")
            .help("fit with `validation_data` or `validation_split`")
    })?;
    let case = Case {
        loss,
        training: Curve::of(training),
        validation: Curve::of(validation),
        clean: curve("clean_loss").is_some(),
        accuracy: curve("val_accuracy"),
        samples: facts.validation_samples.or_else(|| granularity(curve("val_accuracy")?)),
        chance: facts.classes.map(|classes| (classes.max(2) as f64).ln()),
    };
    let found = case
        .noise()
        .or_else(|| case.rise())
        .or_else(|| case.validation_too_small())
        .or_else(|| case.gap())
        .or_else(|| case.still_falling())
        .or_else(|| case.hardly_learnt());
    Ok(case.with_artefact(found.unwrap_or_else(|| case.healthy())))
}

/// A training whose loss is no number, or has grown beyond what it began with.
fn diverging(loss: &[f64], training: &[f64], validation: Option<&[f64]>) -> Option<Diagnosed> {
    let next_step = "lower the learning rate to a tenth, and clip gradients (`clipnorm=1.0`) if \
                     that is not enough";
    let told = |evidence: String| {
        let (diagnosis, next_step) = (Diagnosis::Diverging, next_step.to_owned());
        Some(Diagnosed { diagnosis, evidence, next_step })
    };
    let all = [("loss", loss), ("val_loss", validation.unwrap_or_default())];
    for (name, values) in all {
        if let Some(epoch) = values.iter().position(|value| !value.is_finite()) {
            let (value, epoch) = (values[epoch], epoch + 1);
            return told(format!("`{name}` is {value} after epoch {epoch}"));
        }
    }
    let curve = Curve::of(training);
    let (best, least) = curve.best();
    let grown = curve.last > 1.5 * least.abs().max(1e-12) && curve.last > 1.2 * training[0];
    if grown && training.len() >= 3 && curve.last - least > 3.0 * curve.jitter {
        return told(format!(
            "the training loss has grown, from {} after epoch {} to {} in the end",
            brief(least),
            best + 1,
            brief(curve.last)
        ));
    }
    None
}

/// A curve, and what it does on the whole.
struct Curve<'a> {
    values: &'a [f64],
    /// The mean of three neighbours at each epoch.
    smooth: Vec<f64>,
    /// The mean of the last few epochs.
    last: f64,
    /// The standard deviation of an epoch about its neighbours.
    jitter: f64,
}

impl Curve<'_> {
    fn of(values: &[f64]) -> Curve<'_> {
        let n = values.len();
        let around = |i: usize| mean(&values[i.saturating_sub(1)..(i + 2).min(n)]);
        let smooth: Vec<f64> = (0..n).map(around).collect();
        let tail = n.div_ceil(10).clamp(1, 5);
        // x₁ - (x₀ + x₂) / 2 has the variance 1.5 σ², and is 0 of a straight line. The median of
        // its size, 0.6745 of its deviation, is not moved by a few steep epochs at the beginning.
        let mut bends: Vec<f64> =
            values.windows(3).map(|it| (it[1] - (it[0] + it[2]) / 2.0).abs()).collect();
        bends.sort_unstable_by(f64::total_cmp);
        let median = bends.get(bends.len() / 2).copied().unwrap_or(0.0);
        let jitter = median / 0.6745 / 1.5_f64.sqrt();
        Curve { values, smooth, last: mean(&values[n - tail..]), jitter }
    }

    /// Where the curve is lowest, and how low, neighbours taken together.
    fn best(&self) -> (usize, f64) {
        let smooth = self.smooth.iter().copied().enumerate();
        smooth.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, self.last))
    }

    /// By how much it fell in the last third.
    fn fell_lately(&self) -> f64 {
        let third = self.values.len() / 3;
        self.smooth[self.values.len() - 1 - third] - self.last
    }

    /// By how much it fell on the whole.
    fn fell(&self) -> f64 {
        self.values[0] - self.last
    }
}

/// A training that is looked at.
struct Case<'a> {
    loss: &'a [f64],
    /// The training loss: `clean_loss`, or `loss` where there is none.
    training: Curve<'a>,
    validation: Curve<'a>,
    /// Whether the training loss may be compared with that of the validation.
    clean: bool,
    accuracy: Option<&'a [f64]>,
    /// How many samples validate.
    samples: Option<usize>,
    /// The loss of one who guesses.
    chance: Option<f64>,
}

impl Case<'_> {
    /// A training loss whose jumps are large beside what it has learnt.
    fn noise(&self) -> Option<Diagnosed> {
        let Curve { values, jitter, last, .. } = &self.training;
        let learnt = self.training.fell().abs().max(0.1 * last.abs());
        if values.len() < 6 || *jitter < 0.15 * last.abs() || *jitter < 0.1 * learnt {
            return None;
        }
        told(
            Diagnosis::Noise,
            format!(
                "the training loss jumps by {} from epoch to epoch, where it is {}",
                brief(*jitter),
                brief(*last)
            ),
            "halve the learning rate, or double the batch size",
        )
    }

    /// A `val_loss` that has risen from its best while the training loss fell.
    fn rise(&self) -> Option<Diagnosed> {
        let (best, least) = self.validation.best();
        let last = self.validation.last;
        let scale = 0.03 * least.abs();
        let clear = last - least > scale.max(3.0 * self.validation.jitter);
        let learnt_on =
            self.training.last <= self.training.smooth[best.min(self.training.smooth.len() - 1)];
        if !(clear && learnt_on && best + 1 < self.validation.values.len()) {
            return None;
        }
        told(
            Diagnosis::Overfitting,
            format!(
                "`val_loss` was least after epoch {}, at {}, and has risen to {} while the \
                 training loss fell to {}",
                best + 1,
                brief(self.validation.values[best]),
                brief(last),
                brief(self.training.last)
            ),
            "drop units: add `Dropout(0.5)` behind the hidden layers, or raise its rate, and \
             `compare`; until then stop at the best epoch (`EarlyStopping`)",
        )
    }

    /// A validation on too few samples, or one whose jumps hide what is looked for.
    fn validation_too_small(&self) -> Option<Diagnosed> {
        let next_step = "validate on more samples, or on several splits: `compare` draws another \
                         for each seed";
        let last = self.validation.last;
        if let (Some(samples), Some(accuracy)) = (self.samples, self.accuracy) {
            let p = Curve::of(accuracy).last.clamp(0.0, 1.0);
            // One sample more or less must not matter even if all are right.
            let error = (p * (1.0 - p) / samples as f64).sqrt().max(0.5 / samples as f64);
            if 1.96 * error > VAGUE {
                let (low, high) = (p - 1.96 * error, (p + 1.96 * error).min(1.0));
                let evidence = format!(
                    "`val_accuracy` is {p:.3} on {samples} samples, which is anything from {:.3} \
                     to {high:.3}",
                    low.max(0.0)
                );
                return told(Diagnosis::ValidationTooSmall, evidence, next_step);
            }
        } else if let Some(samples) = self.samples.filter(|&samples| samples < 100) {
            // The losses of samples differ about as much as they are large.
            let error = last.abs() / (samples as f64).sqrt();
            let evidence = format!(
                "`val_loss` is {} on {samples} samples, give or take {}",
                brief(last),
                brief(error)
            );
            return told(Diagnosis::ValidationTooSmall, evidence, next_step);
        }
        let jitter = self.validation.jitter;
        let steady = self.training.jitter < jitter / 3.0;
        if self.validation.values.len() < 6 || jitter < 0.08 * last.abs() || !steady {
            return None;
        }
        let evidence = format!(
            "`val_loss` jumps by {} from epoch to epoch, where it is {}, and the training loss by \
             {}",
            brief(jitter),
            brief(last),
            brief(self.training.jitter)
        );
        told(Diagnosis::ValidationTooSmall, evidence, next_step)
    }

    /// A `val_loss` that stays far above the training loss.
    fn gap(&self) -> Option<Diagnosed> {
        let (training, last) = (self.training.last, self.validation.last);
        let gap = last - training;
        let improves = self.validation.fell_lately() > 0.02 * last.abs();
        if gap < 0.4 * last.abs() || gap < 3.0 * self.validation.jitter || improves {
            return None;
        }
        told(
            Diagnosis::Overfitting,
            format!(
                "`val_loss` stays at {} while the training loss is {}",
                brief(last),
                brief(training)
            ),
            "drop units: add `Dropout(0.5)` behind the hidden layers, or raise its rate, and \
             `compare`",
        )
    }

    /// A training that ended too early.
    fn still_falling(&self) -> Option<Diagnosed> {
        let lately = self.validation.fell_lately();
        let share = lately / self.validation.fell().max(f64::MIN_POSITIVE);
        let clear =
            lately > 3.0 * self.validation.jitter && lately > 0.01 * self.validation.last.abs();
        if self.validation.values.len() < 3 || share < 0.08 || !clear {
            return None;
        }
        let third = self.validation.values.len() / 3;
        told(
            Diagnosis::Underfitting,
            format!(
                "`val_loss` was still falling, from {} to {} in the last {third} epochs",
                brief(self.validation.last + lately),
                brief(self.validation.last)
            ),
            "train for twice as many epochs",
        )
    }

    /// Losses that hardly fell.
    fn hardly_learnt(&self) -> Option<Diagnosed> {
        let last = self.validation.last;
        let accurate = self.accuracy.is_some_and(|it| Curve::of(it).last > 0.85);
        let (evidence, high) = match self.chance {
            Some(chance) => {
                let evidence = format!(
                    "`val_loss` is {}, and that of guessing is {}",
                    brief(last),
                    brief(chance)
                );
                (evidence, last > 0.7 * chance)
            }
            None => {
                let first = self.loss[0];
                let evidence = format!(
                    "in {} epochs the training loss fell from {} to {}, and `val_loss` is {}",
                    self.loss.len(),
                    brief(first),
                    brief(self.training.last),
                    brief(last)
                );
                // Where the training loss was measured with noise on, it alone says nothing.
                let high = self.training.last > 0.75 * first && last > 0.75 * first;
                (evidence, high)
            }
        };
        if !high || accurate {
            return None;
        }
        told(
            Diagnosis::Underfitting,
            evidence,
            "make the network larger, or regularize it less: lower its rates and penalties",
        )
    }

    fn healthy(&self) -> Diagnosed {
        let training = match self.clean {
            true => format!(", and the training loss without noise {}", brief(self.training.last)),
            false => String::new(),
        };
        Diagnosed {
            diagnosis: Diagnosis::Healthy,
            evidence: format!(
                "`val_loss` has settled at {}{training}",
                brief(self.validation.last)
            ),
            next_step: "nothing needs mending; whether a change would help, `compare` tells at \
                        several seeds"
                .to_owned(),
        }
    }

    /// The same, with a word on a `loss` above `val_loss` where there is nothing to compare.
    fn with_artefact(&self, mut found: Diagnosed) -> Diagnosed {
        let loss = Curve::of(self.loss).last;
        if loss > self.validation.last {
            found.evidence.push_str(&format!(
                "; that `loss`, {}, is above it says nothing, for it is measured with noise on and \
                 while the network learns",
                brief(loss)
            ));
        }
        found
    }
}

fn told(diagnosis: Diagnosis, evidence: String, next_step: &str) -> Option<Diagnosed> {
    Some(Diagnosed { diagnosis, evidence, next_step: next_step.to_owned() })
}

/// The least number of samples, up to 200, of which all these accuracies are shares; `None` if
/// there are too few different ones to tell.
fn granularity(accuracies: &[f64]) -> Option<usize> {
    let mut different = accuracies.to_vec();
    different.sort_unstable_by(f64::total_cmp);
    different.dedup();
    if different.len() < 4 {
        return None;
    }
    // Accuracies come in single precision.
    let is_whole = |count: f64| (count - count.round()).abs() < 1e-4;
    (1..=200).find(|&samples| different.iter().all(|it| is_whole(it * samples as f64)))
}

/// A number with the digits that matter.
fn brief(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size @ 1e-3..1e5 => {
            let decimals = (2.0 - size.log10().floor()).clamp(0.0, 5.0);
            format!("{value:.*}", decimals as usize)
        }
        _ => format!("{value:.2e}"),
    }
}
