//! `McPrediction`: what samples of a prediction say of its uncertainty.
//!
//! For classes, with p̂ the mean over samples of the probabilities p:
//!
//! - predictive entropy H[p̂] = -Σ p̂ ln p̂: how uncertain the prediction is, for whatever reason;
//! - mutual information H[p̂] - mean H[p] (BALD; Houlsby et al., arXiv 1112.5745): how much the
//!   samples disagree, which more data like these would mend;
//! - variation ratio 1 - share of samples whose class is the most frequent one.
//!
//! All of it is computed in double precision; entropies are in nats.

use ndarray::{Array1, ArrayD, ArrayView1, Axis};
use oxhorn_ir::{Error, Result, ensure};

/// By how much probabilities in single precision may miss a sum of 1.
const TOLERANCE: f64 = 1e-3;

/// Samples of a model's predictions: what [`predict_mc`](crate::Sequential::predict_mc) gives.
#[derive(Clone, Debug, PartialEq)]
pub struct McPrediction {
    samples: ArrayD<f32>,
}

/// What the numbers of one prediction are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// The probabilities of classes, along the last axis.
    Classes,
    /// The probability of one event, along a last axis of extent 1.
    Event,
}

impl McPrediction {
    /// Samples along the first axis, inputs along the second.
    ///
    /// # Errors
    ///
    /// If there is no such axis, or no sample.
    pub fn new(samples: ArrayD<f32>) -> Result<McPrediction> {
        let shape = samples.shape();
        ensure!(
            shape.len() >= 2 && shape[0] > 0,
            "an array of shape {shape:?} holds no samples of predictions";
            help: "its first axis counts samples, at least one, and its second counts inputs"
        );
        Ok(McPrediction { samples })
    }

    /// All samples: `[samples, inputs, ...]`.
    pub fn samples(&self) -> &ArrayD<f32> {
        &self.samples
    }

    /// The mean over the samples: `[inputs, ...]`.
    pub fn mean(&self) -> ArrayD<f64> {
        self.over_samples(|values| values.sum() / values.len() as f64)
    }

    /// The standard deviation of the samples, divided by their number and not by one less: NumPy's
    /// `std` with `ddof=0`. `[inputs, ...]`.
    pub fn std(&self) -> ArrayD<f64> {
        self.over_samples(|values| {
            let mean = values.sum() / values.len() as f64;
            let squares = values.iter().map(|value| (value - mean).powi(2));
            (squares.sum::<f64>() / values.len() as f64).sqrt()
        })
    }

    /// Between which numbers this share of the samples lies, with equally many below and above:
    /// quantiles of the samples, linearly interpolated as by `numpy.quantile`. Twice `[inputs,
    /// ...]`.
    ///
    /// # Errors
    ///
    /// If the level is no share.
    pub fn interval(&self, level: f64) -> Result<(ArrayD<f64>, ArrayD<f64>)> {
        ensure!(
            (0.0..=1.0).contains(&level),
            "`level` must be between 0 and 1, got {level}";
            help: "0.95 leaves out a fortieth of the samples on either side"
        );
        let tail = (1.0 - level) / 2.0;
        Ok((self.quantile(tail), self.quantile(1.0 - tail)))
    }

    fn quantile(&self, share: f64) -> ArrayD<f64> {
        self.over_samples(|values| {
            let mut sorted = values.to_vec();
            sorted.sort_by(f64::total_cmp);
            if values.iter().any(|value| value.is_nan()) {
                return f64::NAN;
            }
            let place = share * (sorted.len() - 1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            sorted[below] + (sorted[above] - sorted[below]) * place.fract()
        })
    }

    /// The entropy of the mean prediction, in nats: from 0 to the logarithm of the number of
    /// classes. `[inputs, ...]`, without the axis of classes.
    ///
    /// # Errors
    ///
    /// If the predictions are no probabilities: neither classes' along the last axis, whose sum is
    /// 1, nor an event's, alone on an axis of extent 1.
    pub fn predictive_entropy(&self) -> Result<ArrayD<f64>> {
        let outcome = self.outcome("predictive_entropy")?;
        Ok(entropies(&self.mean(), outcome))
    }

    /// The predictive entropy less the mean entropy of the samples, in nats (BALD): 0 where all
    /// samples agree. What rounding makes negative is 0. `[inputs, ...]`, without the axis of
    /// classes.
    ///
    /// # Errors
    ///
    /// As [`McPrediction::predictive_entropy`].
    pub fn mutual_information(&self) -> Result<ArrayD<f64>> {
        let outcome = self.outcome("mutual_information")?;
        let each = entropies(&self.samples.mapv(f64::from), outcome);
        let samples = each.len_of(Axis(0)) as f64;
        let mean = each.sum_axis(Axis(0)) / samples;
        let information = entropies(&self.mean(), outcome) - mean;
        // `f64::max` would make 0 of what is not a number.
        Ok(information.mapv(|nats| if nats < 0.0 { 0.0 } else { nats }))
    }

    /// One minus the share of the samples that predict the class which most of them predict: 0
    /// where all agree. `[inputs, ...]`, without the axis of classes.
    ///
    /// An event is predicted where its probability is above a half.
    ///
    /// # Errors
    ///
    /// As [`McPrediction::predictive_entropy`].
    pub fn variation_ratio(&self) -> Result<ArrayD<f64>> {
        let outcome = self.outcome("variation_ratio")?;
        let classes = match outcome {
            Outcome::Classes => self.samples.len_of(last(&self.samples)),
            Outcome::Event => 2,
        };
        let predicted = self.samples.map_axis(last(&self.samples), |p| match outcome {
            Outcome::Classes => largest(p),
            Outcome::Event => usize::from(p[0] > 0.5),
        });
        Ok(predicted.map_axis(Axis(0), |predicted| {
            let mut votes = vec![0_usize; classes];
            predicted.iter().for_each(|&class| votes[class] += 1);
            let most = votes.into_iter().max().unwrap_or(0);
            1.0 - most as f64 / predicted.len() as f64
        }))
    }

    /// A number of each prediction's samples.
    fn over_samples(&self, of: impl Fn(&Array1<f64>) -> f64) -> ArrayD<f64> {
        self.samples.map_axis(Axis(0), |values| of(&values.mapv(f64::from)))
    }

    /// What the predictions are, if they are probabilities.
    fn outcome(&self, asked: &str) -> Result<Outcome> {
        let help = "it is for models that end with probabilities, such as those of `softmax` or \
                    `sigmoid`; for any other there are the mean, the deviation and the interval";
        let refuse = |why: String| Err(Error::new(format!("`{asked}` {why}")).help(help));
        let shape = self.samples.shape();
        let classes = if shape.len() > 2 { shape[shape.len() - 1] } else { 0 };
        if classes == 0 {
            return refuse(format!("needs an axis of classes, but samples have shape {shape:?}"));
        }
        let is_probability = |p: f64| (-TOLERANCE..=1.0 + TOLERANCE).contains(&p);
        for p in self.samples.lanes(last(&self.samples)) {
            if let Some(number) = p.iter().find(|p| !is_probability(f64::from(**p))) {
                return refuse(format!("needs probabilities, but a prediction holds {number}"));
            }
            let sum: f64 = p.iter().map(|&p| f64::from(p)).sum();
            if classes > 1 && (sum - 1.0).abs() > TOLERANCE {
                return refuse(format!(
                    "needs probabilities, but those of a prediction add up to {sum:.4}"
                ));
            }
        }
        Ok(if classes == 1 { Outcome::Event } else { Outcome::Classes })
    }
}

/// The axis of classes.
fn last<T>(array: &ArrayD<T>) -> Axis {
    Axis(array.ndim() - 1)
}

/// Entropies in nats, along the last axis.
fn entropies(p: &ArrayD<f64>, outcome: Outcome) -> ArrayD<f64> {
    let nats = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    p.map_axis(last(p), |p| match outcome {
        Outcome::Classes => p.iter().map(|&p| nats(p)).sum(),
        Outcome::Event => nats(p[0]) + nats(1.0 - p[0]),
    })
}

/// Where the largest value is, the first of several.
fn largest(values: ArrayView1<'_, f32>) -> usize {
    (1..values.len()).fold(0, |best, i| if values[i] > values[best] { i } else { best })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, IxDyn, Zip};

    use super::*;
    use crate::random::Numpy;

    fn of(shape: &[usize], values: &[f32]) -> McPrediction {
        let array = ArrayD::from_shape_vec(IxDyn(shape), values.to_vec()).expect("as many");
        McPrediction::new(array).expect("samples")
    }

    fn close(found: &ArrayD<f64>, shape: &[usize], expected: &[f64]) {
        assert_eq!(found.shape(), shape);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    /// Two inputs, three samples, of numbers that single precision holds exactly.
    fn regression() -> McPrediction {
        of(&[3, 2, 1], &[1.0, -2.0, 4.0, -2.0, 2.5, -2.0])
    }

    #[test]
    fn mean_deviation_and_interval_are_those_that_numpy_gives() {
        // np.array([1, 4, 2.5]): mean, std, quantile(.., [0.25, 0.75]), quantile(.., [0.025, ..]).
        let samples = regression();
        close(&samples.mean(), &[2, 1], &[2.5, -2.0]);
        close(&samples.std(), &[2, 1], &[1.224_744_871_391_589, 0.0]);
        let (low, high) = samples.interval(0.5).expect("a level");
        close(&low, &[2, 1], &[1.75, -2.0]);
        close(&high, &[2, 1], &[3.25, -2.0]);
        let (low, high) = samples.interval(0.95).expect("a level");
        close(&low, &[2, 1], &[1.075, -2.0]);
        close(&high, &[2, 1], &[3.925, -2.0]);
        let (low, high) = samples.interval(1.0).expect("a level");
        close(&low, &[2, 1], &[1.0, -2.0]);
        close(&high, &[2, 1], &[4.0, -2.0]);
    }

    #[test]
    fn classes_have_the_entropies_that_follow_by_hand() {
        // Two inputs of which the first is sure in each sample, of another class each; the second
        // is as uncertain as can be in each sample.
        let samples = of(&[2, 2, 2], &[1.0, 0.0, 0.5, 0.5, 0.0, 1.0, 0.5, 0.5]);
        let ln2 = std::f64::consts::LN_2;
        close(&samples.predictive_entropy().expect("classes"), &[2], &[ln2, ln2]);
        close(&samples.mutual_information().expect("classes"), &[2], &[ln2, 0.0]);
        close(&samples.variation_ratio().expect("classes"), &[2], &[0.5, 0.0]);
        // H(0.25, 0.5, 0.25) = 1.5 ln 2; the mean of (.5, .5, 0) and (0, .5, .5) is that.
        let samples = of(&[2, 1, 3], &[0.5, 0.5, 0.0, 0.0, 0.5, 0.5]);
        close(&samples.predictive_entropy().expect("classes"), &[1], &[1.5 * ln2]);
        close(&samples.mutual_information().expect("classes"), &[1], &[0.5 * ln2]);
    }

    #[test]
    fn one_probability_is_that_of_an_event() {
        let samples = of(&[4, 1, 1], &[1.0, 0.0, 0.0, 0.0]);
        // H(1/4) = 2 ln 2 - 0.75 ln 3.
        let entropy = 2.0 * std::f64::consts::LN_2 - 0.75 * 3_f64.ln();
        close(&samples.predictive_entropy().expect("an event"), &[1], &[entropy]);
        close(&samples.mutual_information().expect("an event"), &[1], &[entropy]);
        close(&samples.variation_ratio().expect("an event"), &[1], &[0.25]);
        let two = of(&[2, 1, 2], &[0.75, 0.25, 0.5, 0.5]);
        let event = of(&[2, 1, 1], &[0.25, 0.5]);
        for of in [McPrediction::predictive_entropy, McPrediction::mutual_information] {
            close(
                &of(&event).expect("an event"),
                &[1],
                of(&two).expect("classes").as_slice().unwrap(),
            );
        }
    }

    #[test]
    fn information_is_never_negative_and_never_more_than_the_entropy() {
        let mut numpy = Numpy::seeded(5);
        for (samples, inputs, classes) in [(1, 7, 3), (2, 1, 2), (17, 5, 11)] {
            let mut p = Array::from_shape_simple_fn(IxDyn(&[samples, inputs, classes]), || {
                (numpy.random() as f32).powi(9)
            });
            for mut p in p.lanes_mut(Axis(2)) {
                let sum = p.sum();
                p.mapv_inplace(|p| p / sum);
            }
            let p = McPrediction::new(p).expect("samples");
            let (all, shared) = (p.predictive_entropy().unwrap(), p.mutual_information().unwrap());
            let ratio = p.variation_ratio().unwrap();
            Zip::from(&all).and(&shared).and(&ratio).for_each(|&all, &shared, &ratio| {
                assert!(all <= (classes as f64).ln() + 1e-9 && (0.0..=all).contains(&shared));
                assert!((0.0..1.0).contains(&ratio));
                assert!(samples > 1 || (shared < 1e-9 && ratio == 0.0));
            });
        }
    }

    #[test]
    fn sequences_have_one_entropy_for_each_step() {
        let samples = of(&[1, 2, 3, 2], &[0.5; 12]);
        assert_eq!(samples.predictive_entropy().expect("classes").shape(), [2, 3]);
        assert_eq!(samples.mean().shape(), [2, 3, 2]);
    }

    #[test]
    fn no_inputs_have_no_uncertainty() {
        let samples = of(&[3, 0, 2], &[]);
        assert_eq!(samples.mean().shape(), [0, 2]);
        assert_eq!(samples.mutual_information().expect("classes").shape(), [0]);
        assert_eq!(samples.interval(0.5).expect("a level").0.shape(), [0, 2]);
    }

    #[test]
    fn what_is_no_probability_has_no_entropy() {
        let message = |samples: &McPrediction| samples.variation_ratio().unwrap_err().message;
        assert_eq!(
            message(&regression()),
            "`variation_ratio` needs probabilities, but a prediction holds -2"
        );
        assert_eq!(
            message(&of(&[1, 1, 2], &[0.75, 0.75])),
            "`variation_ratio` needs probabilities, but those of a prediction add up to 1.5000"
        );
        assert_eq!(
            message(&of(&[1, 2], &[0.5, 0.5])),
            "`variation_ratio` needs an axis of classes, but samples have shape [1, 2]"
        );
        assert_eq!(
            message(&of(&[1, 1, 2], &[f32::NAN, 0.5])),
            "`variation_ratio` needs probabilities, but a prediction holds NaN"
        );
    }

    #[test]
    fn refuses_levels_that_are_no_shares_and_arrays_without_samples() {
        for level in [-0.1, 1.5, f64::NAN] {
            let message = regression().interval(level).unwrap_err().message;
            assert_eq!(message, format!("`level` must be between 0 and 1, got {level}"));
        }
        for shape in [&[0, 3][..], &[3]] {
            let error = McPrediction::new(ArrayD::zeros(IxDyn(shape))).unwrap_err();
            let expected = format!("an array of shape {shape:?} holds no samples of predictions");
            assert_eq!(error.message, expected);
        }
        let nan = of(&[2, 1, 1], &[f32::NAN, 1.0]).interval(0.5).expect("a level");
        assert!(nan.0[[0, 0]].is_nan() && nan.1[[0, 0]].is_nan());
    }
}
