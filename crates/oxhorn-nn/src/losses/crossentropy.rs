//! `CategoricalCrossentropy` and `SparseCategoricalCrossentropy`: the surprise at the true class.

use super::category::{
    Common, Penalize, check_labels, check_same_shape, check_smoothing, clip_probabilities,
    is_class, squeeze_labels,
};
use crate::{activations::LogSoftmax, prelude::*};

/// `-Σ y_true · ln y_pred` along the classes, for labels given as probabilities, such as one-hot.
///
/// Labels are smoothed as in Keras: of `K` classes and a smoothing of `ε`, they become
/// `(1 - ε) · y_true + ε / K`. Elsewhere `ε` is spread over the `K - 1` other classes; that is a
/// smoothing of `ε · K / (K - 1)` here.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.CategoricalCrossentropy")]
pub struct CategoricalCrossentropy {
    /// Whether predictions are logits; else they are probabilities, whose sum is made 1.
    #[config(default = false)]
    pub from_logits: bool,
    /// How much of the labels is spread evenly over all classes.
    #[config(default = 0.0)]
    pub label_smoothing: f64,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all losses have.
    #[config(flatten = Common::named("categorical_crossentropy"))]
    pub common: Common,
}

impl Penalize for CategoricalCrossentropy {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let y_pred = check_same_shape(y_true, y_pred);
        let mut labels = y_true;
        if self.label_smoothing != 0.0 {
            // Keras counts the last axis, even where the classes are along another.
            let classes = y_true.dim(-1) as f64;
            labels = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / classes;
        }
        -(labels * log_probabilities(y_pred, self.from_logits, self.axis)).sum(self.axis)
    }

    fn log_probabilities<'g>(&self, y_pred: Tensor<'g>) -> Option<(Tensor<'g>, isize)> {
        Some((log_probabilities(y_pred, self.from_logits, self.axis), self.axis))
    }
}

/// `-ln y_pred` of the true class, for labels given as the classes' numbers.
///
/// Labels can be smoothed, which Keras 3.15 does for one-hot labels only: of `K` classes and a
/// smoothing of `ε`, the loss is `(1 - ε)` times that of the true class and `ε / K` times those of
/// all classes, as of `CategoricalCrossentropy` with one-hot labels. Elsewhere `ε` is spread over
/// the `K - 1` other classes; that is a smoothing of `ε · K / (K - 1)` here.
///
/// Szegedy et al., *Rethinking the Inception architecture for computer vision*, 2016,
/// <https://arxiv.org/abs/1512.00567>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.SparseCategoricalCrossentropy")]
pub struct SparseCategoricalCrossentropy {
    /// Whether predictions are logits; else they are probabilities, whose sum is made 1.
    #[config(default = false)]
    pub from_logits: bool,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// How much of the labels is spread evenly over all classes, from 0 to 1.
    #[config(added = 0.0)]
    pub label_smoothing: f64,
    /// What all losses have.
    #[config(flatten = Common::named("sparse_categorical_crossentropy"))]
    pub common: Common,
}

impl Penalize for SparseCategoricalCrossentropy {
    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }

    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let labels = squeeze_labels(y_true, y_pred);
        let Some(axis) = y_pred.axis(self.axis) else { return y_true };
        let labels = check_labels(labels, axis, y_pred);
        let log = log_probabilities(y_pred, self.from_logits, self.axis);
        let mut loss = -is_class(labels, axis, y_pred).select(log, 0.0).sum(self.axis);
        if self.label_smoothing != 0.0 {
            let everywhere = -log.sum(self.axis) / y_pred.dim(self.axis) as f64;
            loss = loss * (1.0 - self.label_smoothing) + everywhere * self.label_smoothing;
        }
        self.counts(labels).map_or(loss, |mask| mask.select(loss, 0.0))
    }

    fn log_probabilities<'g>(&self, y_pred: Tensor<'g>) -> Option<(Tensor<'g>, isize)> {
        Some((log_probabilities(y_pred, self.from_logits, self.axis), self.axis))
    }

    fn mask<'g>(&self, y_true: Tensor<'g>, _: Tensor<'g>) -> Option<Tensor<'g>> {
        self.counts(y_true)
    }
}

impl SparseCategoricalCrossentropy {
    /// Which labels count, if not all do.
    fn counts<'g>(&self, labels: Tensor<'g>) -> Option<Tensor<'g>> {
        self.ignore_class.map(|class| labels.not_equal(class as f64))
    }
}

/// The logarithms of probabilities, clipped as Keras clips them, or of the softmax of logits.
pub(super) fn log_probabilities(y_pred: Tensor<'_>, from_logits: bool, axis: isize) -> Tensor<'_> {
    if from_logits {
        return LogSoftmax::new().axis(axis).call(y_pred);
    }
    let sum = y_pred.sum(axis).keep(y_pred, axis);
    clip_probabilities(y_pred / sum).log()
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, testing::run};

    use super::*;
    use crate::{
        config::Object,
        losses::{Loss, LossSettings, Reduction},
    };

    /// The loss of each sample, for labels and predictions of these shapes.
    fn each(loss: impl Into<Loss>, y_true: (&[usize], Vec<f64>), y_pred: &Array) -> Vec<f64> {
        let loss = loss.into();
        let (shape, labels) = y_true;
        let inputs = [
            (Type::f32(shape), Array::new(shape, labels)),
            (Type::f32(&y_pred.shape[..]), y_pred.clone()),
        ];
        run(&inputs, |_, x| loss.apply(x[0], x[1], None)).data
    }

    fn sparse(label_smoothing: f64) -> SparseCategoricalCrossentropy {
        let loss = SparseCategoricalCrossentropy::new().reduction(Reduction::None);
        loss.label_smoothing(label_smoothing)
    }

    fn one_hot(label_smoothing: f64) -> CategoricalCrossentropy {
        let loss = CategoricalCrossentropy::new().reduction(Reduction::None);
        loss.label_smoothing(label_smoothing)
    }

    #[test]
    fn smooth_labels_are_those_of_keras_given_as_one_hot() {
        // Measured with Keras: CategoricalCrossentropy(label_smoothing=0.1).
        let y_pred = Array::new([1, 3], vec![0.8, 0.1, 0.1]);
        let found = each(sparse(0.1), (&[1], vec![0.0]), &y_pred);
        assert!((found[0] - 0.361773).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn smooth_labels_are_those_of_the_categorical_loss() {
        let y_pred = Array::from_fn(&[5, 3], |ix| ((ix[0] * 3 + ix[1] * 7) % 11) as f64 + 0.25);
        let labels = vec![0.0, 2.0, 1.0, 1.0, 0.0];
        let hot = Array::from_fn(&[5, 3], |ix| f64::from(labels[ix[0]] == ix[1] as f64));
        for smoothing in [0.0, 0.1, 0.5, 1.0] {
            for from_logits in [false, true] {
                let found = sparse(smoothing).from_logits(from_logits);
                let found = each(found, (&[5], labels.clone()), &y_pred);
                let expected = one_hot(smoothing).from_logits(from_logits);
                let expected = each(expected, (&[5, 3], hot.data.clone()), &y_pred);
                for (a, b) in found.iter().zip(&expected) {
                    assert!((a - b).abs() < 1e-5, "{smoothing}: {found:?} {expected:?}");
                }
            }
        }
    }

    #[test]
    fn smoothing_counts_the_classes_along_their_axis() {
        // Two samples of three classes at five places; along axis 1, as along the last.
        let last = Array::from_fn(&[2, 5, 3], |ix| ((ix[0] + ix[1] * 5 + ix[2] * 3) % 7) as f64);
        let middle = Array::from_fn(&[2, 3, 5], |ix| last[[ix[0], ix[2], ix[1]]]);
        let labels: Vec<f64> = (0..10).map(|i| f64::from(i % 3)).collect();
        let loss = || sparse(0.3).from_logits(true);
        let expected = each(loss(), (&[2, 5], labels.clone()), &last);
        let found = each(loss().axis(1), (&[2, 5], labels), &middle);
        for (a, b) in found.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-5, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn labels_to_ignore_are_not_smoothed_either() {
        let y_pred = Array::new([3, 2], vec![0.5, 0.5, 0.9, 0.1, 0.2, 0.8]);
        for ignored in [-1.0, 7.0, 1.0] {
            let loss = sparse(0.2).ignore_class(ignored as i64);
            let found = each(loss, (&[3], vec![0.0, ignored, 0.0]), &y_pred);
            let (right, wrong) = (0.2_f64.ln(), 0.8_f64.ln());
            let last = -(0.8 * right + 0.1 * (right + wrong));
            for (a, b) in found.iter().zip([2.0_f64.ln(), 0.0, last]) {
                assert!((a - b).abs() < 1e-6, "{ignored}: {found:?}");
            }
        }
    }

    #[test]
    fn is_written_as_in_keras_unless_its_labels_are_smoothed() {
        assert!(!sparse(0.0).envelope()["config"].to_string().contains("smoothing"));
        assert_eq!(sparse(0.5).envelope()["config"]["label_smoothing"], 0.5);
        for smoothing in [0.0, 0.5] {
            let loss = Loss::from(sparse(smoothing));
            assert_eq!(Loss::open(&loss.envelope()), Ok(loss));
        }
    }

    #[test]
    fn rejects_a_smoothing_that_is_no_share() {
        for smoothing in [-0.1, 1.5] {
            let error = sparse(smoothing).check().unwrap_err();
            let expected = format!("`label_smoothing` must be from 0 to 1, got {smoothing}");
            assert_eq!(error.message, expected);
        }
    }
}
