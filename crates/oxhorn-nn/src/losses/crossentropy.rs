//! `CategoricalCrossentropy` and `SparseCategoricalCrossentropy`: the surprise at the true class.

use super::category::{
    Common, Penalize, check_labels, check_same_shape, clip_probabilities, is_class, squeeze_labels,
};
use crate::{activations::LogSoftmax, prelude::*};

/// `-Σ y_true · ln y_pred` along the classes, for labels given as probabilities, such as one-hot.
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
    /// What all losses have.
    #[config(flatten = Common::named("sparse_categorical_crossentropy"))]
    pub common: Common,
}

impl Penalize for SparseCategoricalCrossentropy {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let labels = squeeze_labels(y_true, y_pred);
        let Some(axis) = y_pred.axis(self.axis) else { return y_true };
        let labels = check_labels(labels, axis, y_pred);
        let log = log_probabilities(y_pred, self.from_logits, self.axis);
        let loss = -is_class(labels, axis, y_pred).select(log, 0.0).sum(self.axis);
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
