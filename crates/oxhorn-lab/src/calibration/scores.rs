//! Scores of probabilities: Brier's, the negative log-likelihood, and the accuracy.

use ndarray::ArrayView2;
use oxhorn::Result;
use serde::{Deserialize, Serialize};

use super::{Checked, Real, Reliability, greatest};

/// What the sum of squares of a Brier score is multiplied with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrierScale {
    /// With 1: the sum over all classes, from 0 to 2, as Brier has it.
    Sum,
    /// With a half: from 0 to 1, and with two classes the square of one probability's distance.
    Half,
    /// With a half where there are two classes, with 1 where there are more: scikit-learn's
    /// default.
    #[default]
    Auto,
}

/// The mean over samples of `Σ (p - y)²` over classes, where `y` is 1 for the true class, scaled.
///
/// A single column stands for both its classes. Brier, *Verification of forecasts expressed in
/// terms of probability*, Monthly Weather Review 78, 1950.
///
/// # Errors
///
/// If there are no samples, labels are not among the classes, or rows are not probabilities.
pub fn brier_score<P: Real>(
    probabilities: ArrayView2<'_, P>,
    labels: &[usize],
    scale: BrierScale,
) -> Result<f64> {
    let checked = Checked::new(probabilities, labels)?;
    Ok(checked.brier_sum() * scale.factor(checked.probabilities.ncols()))
}

/// The mean over samples of `-ln p` of the true class, also called log loss and cross-entropy.
///
/// A probability of less than the epsilon of its type, 1.2e-7 or 2.2e-16, counts as that much, as
/// in scikit-learn: what is certain and wrong would be infinite.
///
/// # Errors
///
/// As [`brier_score`].
pub fn negative_log_likelihood<P: Real>(
    probabilities: ArrayView2<'_, P>,
    labels: &[usize],
) -> Result<f64> {
    Ok(Checked::new(probabilities, labels)?.negative_log_likelihood(P::EPSILON))
}

/// The share of samples whose most probable class is the true one; of equals the first counts. A
/// single column means class 1 above a half.
///
/// # Errors
///
/// As [`brier_score`].
pub fn accuracy<P: Real>(probabilities: ArrayView2<'_, P>, labels: &[usize]) -> Result<f64> {
    Ok(Checked::new(probabilities, labels)?.accuracy())
}

/// How good a classifier's probabilities are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// The share of samples whose most probable class is the true one.
    pub accuracy: f64,
    /// [`negative_log_likelihood`].
    pub negative_log_likelihood: f64,
    /// [`brier_score`], scaled as in scikit-learn.
    pub brier_score: f64,
    /// [`Reliability::expected_error`] over 15 bins of equal width.
    pub expected_calibration_error: f64,
}

impl Scores {
    /// The bins of the calibration error.
    pub const BINS: usize = 15;

    /// The scores of these probabilities.
    ///
    /// # Errors
    ///
    /// As [`brier_score`].
    pub fn of<P: Real>(probabilities: ArrayView2<'_, P>, labels: &[usize]) -> Result<Scores> {
        let reliability = Reliability::equal_width(probabilities, labels, Scores::BINS)?;
        let checked = Checked::new(probabilities, labels)?;
        let scale = BrierScale::Auto.factor(checked.probabilities.ncols());
        Ok(Scores {
            accuracy: checked.accuracy(),
            negative_log_likelihood: checked.negative_log_likelihood(P::EPSILON),
            brier_score: checked.brier_sum() * scale,
            expected_calibration_error: reliability.expected_error(),
        })
    }
}

impl BrierScale {
    fn factor(self, columns: usize) -> f64 {
        match self {
            BrierScale::Half => 0.5,
            BrierScale::Auto if columns <= 2 => 0.5,
            BrierScale::Sum | BrierScale::Auto => 1.0,
        }
    }
}

impl Checked<'_> {
    fn brier_sum(&self) -> f64 {
        let rows = self.probabilities.outer_iter().zip(self.of_the_truth());
        let of_row = |(row, truth): (ndarray::ArrayView1<'_, f64>, f64)| match row.len() {
            1 => 2.0 * (1.0 - truth).powi(2),
            // The true class is taken out of the sum of squares, and put in as its distance from 1.
            _ => row.iter().map(|p| p * p).sum::<f64>() - truth * truth + (1.0 - truth).powi(2),
        };
        rows.map(of_row).sum::<f64>() / self.samples() as f64
    }

    fn negative_log_likelihood(&self, least: f64) -> f64 {
        let sum: f64 = self.of_the_truth().map(|p| -p.max(least).ln()).sum();
        sum / self.samples() as f64
    }

    fn accuracy(&self) -> f64 {
        let said = self.probabilities.outer_iter().map(|row| match row.len() {
            1 => usize::from(row[0] > 0.5),
            _ => greatest(row.iter()).0,
        });
        let right = said.zip(self.labels).filter(|(said, label)| said == *label).count();
        right as f64 / self.samples() as f64
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn a_column_scores_as_the_two_columns_that_it_stands_for() {
        let (one, two) = (array![[0.25], [0.75]], array![[0.75, 0.25], [0.25, 0.75]]);
        let labels = [1, 1];
        for scale in [BrierScale::Sum, BrierScale::Half, BrierScale::Auto] {
            let score = |p: &ndarray::Array2<f64>| brier_score(p.view(), &labels, scale);
            assert_eq!(score(&one), score(&two));
        }
        assert_eq!(brier_score(one.view(), &labels, BrierScale::Half), Ok(0.3125));
        assert_eq!(
            negative_log_likelihood(one.view(), &labels),
            negative_log_likelihood(two.view(), &labels)
        );
        assert_eq!(accuracy(one.view(), &labels), Ok(0.5));
    }

    #[test]
    fn certain_and_wrong_is_as_bad_as_the_type_can_tell() {
        let nll = negative_log_likelihood(array![[1.0f32, 0.0]].view(), &[1]).expect("fit");
        assert!((nll - 15.942_385).abs() < 1e-6);
        let nll = negative_log_likelihood(array![[1.0f64, 0.0]].view(), &[1]).expect("fit");
        assert!((nll - 36.043_653_389).abs() < 1e-8);
    }
}
