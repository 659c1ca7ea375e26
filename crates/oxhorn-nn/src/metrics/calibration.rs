//! `ExpectedCalibrationError` and `BrierScore`: whether probabilities mean what they say.

use super::{
    category::{Common, Direction, Measure, add_all, known_totals},
    confusion::constants,
};
use crate::{
    activations,
    losses::{Labels, check_labels, check_same_shape, divide_no_nan, is_class, squeeze_labels},
    prelude::*,
};

/// How far a classifier's confidence is from how often it is right, known as ECE:
/// `Σ count / samples · |accuracy - confidence|` over bins of one width, from 0 to 1.
///
/// The confidence of a sample is its greatest probability; where there is but one, of class 1, it
/// is that, and how often class 1 is true is compared with it. Bins are without their upper edges,
/// so that a confidence of exactly 1 is in a bin of its own. Labels are the numbers of classes, or
/// one-hot. It equals torchmetrics' `MulticlassCalibrationError`, or `BinaryCalibrationError`, with
/// the norm "l1".
///
/// Keras has no such metric. Naeini, Cooper & Hauskrecht, *Obtaining well calibrated probabilities
/// using Bayesian binning*, AAAI 2015; Guo et al., *On calibration of modern neural networks*,
/// ICML 2017, <https://arxiv.org/abs/1706.04599>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.metrics.ExpectedCalibrationError", aliases = ["ece", "ECE"])]
pub struct ExpectedCalibrationError {
    /// How many bins there are.
    #[config(default = 15)]
    pub bins: usize,
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// What all metrics have.
    #[config(flatten = Common::named("ece"))]
    pub common: Common,
}

impl ExpectedCalibrationError {
    /// The edges of bins of one width, one more than there are bins, from 0 to 1.
    ///
    /// They are rounded as in PyTorch's `linspace`: what is in which bin is then the same as in
    /// torchmetrics, down to the last bit of an edge.
    pub fn edges(bins: usize) -> Vec<f32> {
        let step = 1.0 / bins as f32;
        let edge = |i: usize| match i < bins.div_ceil(2) {
            true => i as f32 * step,
            false => (-step).mul_add((bins - i) as f32, 1.0),
        };
        (0..=bins).map(edge).collect()
    }
}

impl Measure for ExpectedCalibrationError {
    fn check(&self) -> Result<()> {
        ensure!(
            (1..=MOST_BINS).contains(&self.bins),
            "`bins` must be from 1 to {MOST_BINS}, got {}", self.bins;
            help: "15 is what papers use as a rule"
        );
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn is_mean(&self) -> bool {
        false
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        let (p, y) = aligned(y_true, y_pred, self.from_logits);
        if p.is_void() || y.is_void() {
            return;
        }
        let (confidence, right) = match p.dim(-1) {
            1 => (p.sum(-1), y.sum(-1)),
            _ => {
                let axis = p.rank() - 1;
                let said = is_class(p.argmax(-1), axis, p).cast(DType::F32);
                (p.reduce_max(-1), (said * y).sum(-1))
            }
        };
        let rows = confidence.shape();
        let beside = |x: Tensor<'g>| x.reshape([&rows[..], &[1]].concat());
        let edges: Vec<f64> = Self::edges(self.bins).into_iter().map(f64::from).collect();
        let uppers: Vec<f64> = edges[1..].iter().copied().chain([f64::INFINITY]).collect();
        let bounds = |edges: &[f64]| {
            let shape: Vec<usize> = rows.iter().map(|_| 1).chain([edges.len()]).collect();
            constants(cx.trace(), edges, DType::F32).reshape(shape)
        };
        let column = beside(confidence);
        let within = column.greater_equal(bounds(&edges)).and(column.less(bounds(&uppers)));
        let mut share = within.cast(DType::F32);
        if let Some(weight) = sample_weight {
            let weight = weight.cast(DType::F32);
            let beyond = (weight.rank()..=rows.len()).map(|_| 1);
            share = share * weight.reshape([weight.shape(), beyond.collect()].concat());
        }
        let sum = |x: Tensor<'g>| x.sum((0..rows.len()).collect::<Vec<_>>());
        add_all(cx, "count", sum(share));
        add_all(cx, "confidence", sum(share * column));
        add_all(cx, "right", sum(share * beside(right)));
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let total = |name| known_totals(cx, name);
        let gaps = (total("right") - total("confidence")).abs();
        divide_no_nan(gaps.sum(..), total("count").sum(..))
    }
}

/// The mean of Brier's score, `Σ (p - y)²` over the classes, of which one half is taken where there
/// are two; of a single probability, of class 1, it is `(p - y)²`. So it has scikit-learn's scale:
/// 0 is best, and at worst it is 1 with two classes, 2 with more.
///
/// Labels are the numbers of classes, or one-hot.
///
/// Keras has no such metric. Brier, *Verification of forecasts expressed in terms of probability*,
/// Monthly Weather Review 78, 1950.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.metrics.BrierScore", aliases = ["brier"])]
pub struct BrierScore {
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// What all metrics have.
    #[config(flatten = Common::named("brier_score"))]
    pub common: Common,
}

impl Measure for BrierScore {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let (p, y) = aligned(y_true, y_pred, self.from_logits);
        let squares = ((p - y) * (p - y)).sum(-1);
        if p.dim(-1) == 2 { squares * 0.5 } else { squares }
    }
}

/// So many bins still make a small table for each batch.
const MOST_BINS: usize = 10_000;

/// Probabilities, and for each how true it is: 1 for the class that is true, else 0.
fn aligned<'g>(
    y_true: Tensor<'g>,
    y_pred: Tensor<'g>,
    from_logits: bool,
) -> (Tensor<'g>, Tensor<'g>) {
    if y_true.is_void() || y_pred.is_void() {
        return (y_true, y_pred);
    }
    let y_pred = y_pred.cast(DType::F32);
    // A prediction for each sample and no axis of classes is one of yes and no.
    let y_pred = match y_pred.rank() {
        1 => y_pred.reshape([y_pred.dim(0), 1]),
        _ => y_pred,
    };
    let axis = y_pred.rank() - 1;
    let p = match (from_logits, y_pred.dim(-1)) {
        (false, _) => y_pred,
        (true, 1) => y_pred.sigmoid(),
        (true, _) => activations::Softmax::new().call(y_pred),
    };
    let y = match Labels::of(&y_true.shape(), &p.shape()) {
        Labels::Binary if y_true.shape() == p.shape()[..axis] => y_true.reshape(p.shape()),
        Labels::Binary | Labels::OneHot => y_true,
        Labels::Sparse => {
            let labels = check_labels(squeeze_labels(y_true, p), axis, p);
            if labels.is_void() { labels } else { is_class(labels, axis, p) }
        }
    };
    let y = y.cast(DType::F32);
    (check_same_shape(y, p), y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metrics::Metric, testing::metric_error};

    #[test]
    fn edges_are_those_of_pytorch() {
        // torch.linspace(0, 1, 16) of PyTorch 2.15; 9/15 and 10/15 are not the nearest numbers.
        let edges = ExpectedCalibrationError::edges(15);
        assert_eq!(edges.len(), 16);
        assert_eq!(
            (edges[0], edges[9], edges[10], edges[15]),
            (0.0, 0.599_999_96, 0.666_666_6, 1.0)
        );
        assert_eq!(ExpectedCalibrationError::edges(1), [0.0, 1.0]);
        assert_eq!(ExpectedCalibrationError::edges(4), [0.0, 0.25, 0.5, 0.75, 1.0]);
    }

    #[test]
    fn there_is_one_bin_or_more() {
        assert_eq!(
            ExpectedCalibrationError::new().bins(0).check().unwrap_err().message,
            "`bins` must be from 1 to 10000, got 0"
        );
    }

    #[test]
    fn labels_must_fit() {
        for metric in ["ece", "brier"] {
            let error = metric_error(&Metric::from(metric), &[5, 2], &[5, 3]);
            assert!(
                error.message.contains("[5, 2]") && error.message.contains("[5, 3]"),
                "{error}"
            );
        }
    }
}
