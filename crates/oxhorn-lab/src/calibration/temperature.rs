//! Temperature scaling: the one number that makes a classifier as sure as it is right.

use std::{fmt, ops::RangeInclusive};

use ndarray::{Array2, ArrayView1, ArrayView2, Axis, Ix2};
use oxhorn::{Error, Result, Sequential, data::Samples, layer::AnyLayer, layers::Temperature};
use serde::{Deserialize, Serialize};

use super::{Checked, NOT_LOGITS, Real, Scores, check_labels, classes_of};

/// The temperatures that are looked at.
///
/// The likelihood of samples that are all right is the greater the lower the temperature, without
/// end, and of samples that are right no more often than by chance the greater the higher: the
/// answer is then one of these bounds.
pub const TEMPERATURES: RangeInclusive<f64> = 0.01..=100.0;

/// What a classifier gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outputs {
    /// Probabilities: its last layer has a softmax or a sigmoid.
    #[default]
    Probabilities,
    /// Logits, of which these are taken later.
    Logits,
}

/// The temperature at which the negative log-likelihood of these samples is least.
///
/// As a function of `1 / T` that is convex, so that there is no other minimum; it is found to nine
/// digits, among [`TEMPERATURES`], and never worse than at 1. Logits in one column are those of
/// class 1.
///
/// Guo et al., *On calibration of modern neural networks*, ICML 2017,
/// <https://arxiv.org/abs/1706.04599>.
///
/// # Errors
///
/// If there are no samples, labels are not among the classes, or rows are not probabilities, or
/// logits not finite.
pub fn fit_temperature<P: Real>(
    outputs: ArrayView2<'_, P>,
    labels: &[usize],
    kind: Outputs,
) -> Result<f64> {
    let likelihood = Likelihood { logits: logits(outputs, labels, kind)?, labels };
    let (hottest, coldest) = (1.0 / TEMPERATURES.end(), 1.0 / TEMPERATURES.start());
    let slope = |b| likelihood.slopes(b).0;
    let b = match slope(1.0) {
        // Nothing depends on the temperature where all classes are equally probable.
        0.0 => 1.0,
        _ if slope(coldest) <= 0.0 => coldest,
        _ if slope(hottest) >= 0.0 => hottest,
        _ => likelihood.lowest(hottest, coldest),
    };
    Ok(if likelihood.loss(b) < likelihood.loss(1.0) { 1.0 / b } else { 1.0 })
}

/// What fitting a temperature did for a model.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What logits are divided by from now on.
    pub temperature: f64,
    /// How good the probabilities of the validation data are at a temperature of 1.
    pub before: Scores,
    /// How good they are now.
    pub after: Scores,
}

impl fmt::Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Calibration { temperature, before, after } = self;
        let (ece, nll) = (before.expected_calibration_error, before.negative_log_likelihood);
        let (new_ece, new_nll) = (after.expected_calibration_error, after.negative_log_likelihood);
        write!(f, "temperature {temperature:.4}: calibration error {ece:.4} -> {new_ece:.4}")?;
        write!(f, ", negative log-likelihood {nll:.4} -> {new_nll:.4}")?;
        if temperature <= TEMPERATURES.start() {
            write!(
                f,
                " (the lowest temperature: all samples are right, so that no bound is best)"
            )?;
        }
        if temperature >= TEMPERATURES.end() {
            write!(f, " (the highest temperature: being sure tells nothing of being right)")?;
        }
        Ok(())
    }
}

/// Fits a temperature to validation data, and keeps it in the model as its last layer.
///
/// A [`Temperature`] that is there already is fitted anew. Weights stay, and so does what the model
/// was compiled for. `y` are classes' numbers or one-hot. The data must be other than those that
/// the model was trained on, of which it is surer than of any others. A model of logits gives
/// probabilities from then on: to evaluate it, compile it with a loss of probabilities.
///
/// # Errors
///
/// If the data do not fit the model, or its outputs are not what `outputs` says. The model is then
/// as it was.
pub fn calibrate<'a>(
    model: &mut Sequential,
    x: impl Into<Samples<'a>>,
    y: impl Into<Samples<'a>>,
    outputs: Outputs,
) -> Result<Calibration> {
    let is_temperature = |layer: &AnyLayer| layer.layer.class() == TEMPERATURE;
    let known = model.layers().last().is_some_and(|(_, layer)| is_temperature(layer));
    let earlier = if known { model.pop() } else { None };
    let fitted = fit(model, x.into(), &y.into(), outputs);
    let layer = match (&fitted, &earlier) {
        (Ok(calibration), _) => {
            let layer = Temperature::new()
                .temperature(calibration.temperature)
                .from_logits(outputs == Outputs::Logits);
            let name = earlier.as_ref().and_then(|layer| layer.name.clone());
            Some(AnyLayer { name, ..layer.into() })
        }
        (Err(_), _) => earlier,
    };
    if let Some(layer) = layer {
        *model = std::mem::take(model).add(layer);
    }
    fitted
}

/// The class of the layer.
const TEMPERATURE: &str = "oxhorn.layers.Temperature";

/// The best temperature of a model without one.
fn fit(
    model: &mut Sequential,
    x: Samples<'_>,
    y: &Samples<'_>,
    outputs: Outputs,
) -> Result<Calibration> {
    let predicted = model.predict(x)?;
    let shape = predicted.shape().to_vec();
    let predicted = predicted.into_dimensionality::<Ix2>().map_err(|_| {
        Error::new(format!("a model whose output has shape {shape:?} cannot be calibrated"))
            .help("its output must be one row of classes for each sample")
    })?;
    let labels = classes_of(y, predicted.ncols())?;
    let temperature = fit_temperature(predicted.view(), &labels, outputs)?;
    let likelihood =
        Likelihood { logits: logits(predicted.view(), &labels, outputs)?, labels: &labels };
    let scores = |t: f64| Scores::of(likelihood.probabilities(1.0 / t).view(), &labels);
    Ok(Calibration { temperature, before: scores(1.0)?, after: scores(temperature)? })
}

/// The logits of two classes or more: those given, or the logarithms of probabilities, with no
/// probability less than the layer takes.
fn logits<P: Real>(
    outputs: ArrayView2<'_, P>,
    labels: &[usize],
    kind: Outputs,
) -> Result<Array2<f64>> {
    let logits = match kind {
        Outputs::Logits => {
            let logits = outputs.mapv(Into::into);
            check_labels(&logits, labels)?;
            if let Some(logit) = logits.iter().find(|it| !it.is_finite()) {
                return Err(Error::new(format!("the logit {logit} is not a finite number")));
            }
            logits
        }
        Outputs::Probabilities => {
            let p = Checked::new(outputs, labels)
                .map_err(|error| match error.help.as_deref() {
                    Some(NOT_LOGITS) => error.help("say that these are logits, if they are"),
                    _ => error,
                })?
                .probabilities;
            match p.ncols() {
                1 => p.mapv(|p| {
                    p.max(Temperature::LEAST).ln() - (1.0 - p).max(Temperature::LEAST_OF_NO).ln()
                }),
                _ => p.mapv(|p| p.max(Temperature::LEAST).ln()),
            }
        }
    };
    // A logit of yes is that of two classes of which the other has 0.
    Ok(match logits.ncols() {
        1 => ndarray::concatenate![Axis(1), Array2::zeros(logits.raw_dim()), logits],
        _ => logits,
    })
}

/// Samples whose likelihood depends on `b`, what their logits are multiplied with: `1 / T`.
struct Likelihood<'a> {
    logits: Array2<f64>,
    labels: &'a [usize],
}

impl Likelihood<'_> {
    /// The negative log-likelihood: the mean of `ln Σ exp(b z) - b z_y`.
    fn loss(&self, b: f64) -> f64 {
        let of_row = |(z, &y): (ArrayView1<'_, f64>, &usize)| {
            let most = greatest(z);
            (z.mapv(|z| (b * (z - most)).exp()).sum()).ln() - b * (z[y] - most)
        };
        self.mean(of_row)
    }

    /// Its first derivative, the mean of `E[z] - z_y`, and its second, the mean of the variance of
    /// `z`, where `z` is drawn by the probabilities at `b`.
    fn slopes(&self, b: f64) -> (f64, f64) {
        let moments = |z: ArrayView1<'_, f64>| {
            let p = softmax(z, b);
            let mean = p.dot(&z);
            (mean, z.iter().zip(&p).map(|(z, p)| p * (z - mean).powi(2)).sum::<f64>())
        };
        let first = self.mean(|(z, &y)| moments(z).0 - z[y]);
        (first, self.mean(|(z, _)| moments(z).1))
    }

    /// Where the loss is least between two places, at the first of which it falls and at the last
    /// of which it rises: Newton's method, held between them.
    fn lowest(&self, mut falls: f64, mut rises: f64) -> f64 {
        let mut b = 1.0_f64.clamp(falls, rises);
        for _ in 0..MOST_STEPS {
            let (first, second) = self.slopes(b);
            if first < 0.0 {
                falls = b;
            } else {
                rises = b;
            }
            let newton = b - first / second;
            let within = newton > falls && newton < rises;
            // The places differ by orders of magnitude: their middle is that of their logarithms.
            let next = if within { newton } else { (falls * rises).sqrt() };
            if (next - b).abs() <= PRECISION * b {
                return next;
            }
            b = next;
        }
        b
    }

    /// The probabilities at `b`.
    fn probabilities(&self, b: f64) -> Array2<f64> {
        let mut p = self.logits.clone();
        p.outer_iter_mut().for_each(|mut row| {
            let softmax = softmax(row.view(), b);
            row.assign(&softmax);
        });
        p
    }

    fn mean(&self, of_row: impl Fn((ArrayView1<'_, f64>, &usize)) -> f64) -> f64 {
        let sum: f64 = self.logits.outer_iter().zip(self.labels).map(of_row).sum();
        sum / self.labels.len() as f64
    }
}

/// How near to the minimum, as a share of it.
const PRECISION: f64 = 1e-10;

/// More steps than halving needs to get there.
const MOST_STEPS: usize = 100;

fn softmax(z: ArrayView1<'_, f64>, b: f64) -> ndarray::Array1<f64> {
    let most = greatest(z);
    let e = z.mapv(|z| (b * (z - most)).exp());
    let sum = e.sum();
    e / sum
}

fn greatest(z: ArrayView1<'_, f64>) -> f64 {
    z.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;

    /// Numbers from 0 to 1 that have nothing to do with one another, as far as tests can tell.
    fn uniform(index: usize) -> f64 {
        let mut x = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) as f64 / u64::MAX as f64
    }

    /// Logits of samples whose labels are drawn by their softmax: calibrated by construction.
    fn drawn(samples: usize, classes: usize) -> (Array2<f64>, Vec<usize>) {
        let logit = |index| 6.0 * uniform(index) - 3.0;
        let z = Array::from_shape_fn((samples, classes), |(i, j)| logit(i * classes + j));
        let label = |(i, z): (usize, ArrayView1<'_, f64>)| {
            let mut left = uniform(samples * classes + i);
            let within = softmax(z, 1.0).iter().position(|p| {
                left -= p;
                left < 0.0
            });
            within.unwrap_or(classes - 1)
        };
        let labels = z.outer_iter().enumerate().map(label).collect();
        (z, labels)
    }

    #[test]
    fn a_planted_temperature_is_found() {
        let (z, labels) = drawn(10_007, 5);
        let own = fit_temperature(z.view(), &labels, Outputs::Logits).expect("fit");
        assert!((own - 1.0).abs() < 0.05, "{own}");
        for factor in [0.25, 1.0, 3.0, 7.5] {
            let scaled = &z * factor;
            let t = fit_temperature(scaled.view(), &labels, Outputs::Logits).expect("fit");
            // Whatever logits are multiplied with, the temperature takes away.
            assert!((t / factor - own).abs() < 1e-7, "{t} for {factor}");
            let p = Likelihood { logits: scaled, labels: &labels }.probabilities(1.0);
            let of_p = fit_temperature(p.view(), &labels, Outputs::Probabilities).expect("fit");
            assert!((of_p - t).abs() < 1e-4, "{of_p} for {t}");
        }
    }

    #[test]
    fn no_other_temperature_is_better() {
        let (z, labels) = drawn(101, 3);
        let z = z * 3.0;
        let t = fit_temperature(z.view(), &labels, Outputs::Logits).expect("fit");
        let likelihood = Likelihood { logits: z, labels: &labels };
        let best = likelihood.loss(1.0 / t);
        for step in -100..=100 {
            let other = t * (f64::from(step) / 50.0).exp();
            assert!(likelihood.loss(1.0 / other) >= best - 1e-12, "{other} beats {t}");
        }
        assert!(best < likelihood.loss(1.0));
    }

    #[test]
    fn one_logit_is_that_of_two_classes() {
        let z = array![[1.5], [-0.5], [2.0], [0.3], [-3.0]];
        let labels = [1, 1, 1, 0, 0];
        let two = ndarray::concatenate![Axis(1), Array::zeros((5, 1)), z];
        let t = fit_temperature(z.view(), &labels, Outputs::Logits).expect("fit");
        assert_eq!(fit_temperature(two.view(), &labels, Outputs::Logits), Ok(t));
        let p = z.mapv(|z: f64| 1.0 / (1.0 + (-z).exp()));
        let of_p = fit_temperature(p.view(), &labels, Outputs::Probabilities).expect("fit");
        assert!((of_p - t).abs() < 1e-8);
    }

    #[test]
    fn where_no_temperature_is_best_the_answer_is_a_bound_or_1() {
        let fit = |p: Array2<f32>, labels: &[usize]| {
            fit_temperature(p.view(), labels, Outputs::Probabilities)
        };
        let sure = array![[0.9, 0.1], [0.2, 0.8]];
        assert_eq!(fit(sure.clone(), &[0, 1]), Ok(*TEMPERATURES.start()));
        assert_eq!(fit(sure, &[1, 0]), Ok(*TEMPERATURES.end()));
        assert_eq!(fit(array![[0.5, 0.5], [0.5, 0.5]], &[1, 0]), Ok(1.0));
        // Certain already: nothing is gained.
        assert_eq!(fit(array![[1.0, 0.0], [0.0, 1.0]], &[0, 1]), Ok(1.0));
        assert_eq!(fit(array![[0.75, 0.25]], &[0]), Ok(*TEMPERATURES.start()));
    }

    #[test]
    fn logits_are_not_taken_for_probabilities() {
        let error = |p: Array2<f64>, kind| fit_temperature(p.view(), &[0], kind).unwrap_err();
        assert_eq!(
            error(array![[2.0, -1.0]], Outputs::Probabilities).to_string(),
            "the probability 2 of sample 0 is not from 0 to 1\n  help: say that these are logits, \
             if they are"
        );
        assert_eq!(
            error(array![[f64::NAN, 0.0]], Outputs::Logits).message,
            "the logit NaN is not a finite number"
        );
    }

    #[test]
    fn a_bound_is_told() {
        let scores = Scores {
            accuracy: 1.0,
            negative_log_likelihood: 0.25,
            brier_score: 0.125,
            expected_calibration_error: 0.0625,
        };
        let told =
            |temperature| Calibration { temperature, before: scores, after: scores }.to_string();
        assert_eq!(
            told(1.5),
            "temperature 1.5000: calibration error 0.0625 -> 0.0625, negative log-likelihood \
             0.2500 -> 0.2500"
        );
        assert!(told(0.01).ends_with(
            "(the lowest temperature: all samples are right, so that no bound is best)"
        ));
        assert!(told(100.0).contains("(the highest temperature"));
    }
}
