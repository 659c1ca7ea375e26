//! `BinaryCrossentropy`: the surprise at each of many yes-or-no answers.

use super::category::{Common, Penalize, check_same_shape, clip_probabilities};
use crate::{activations::LogSigmoid, prelude::*};

/// The mean of `-(y_true · ln y_pred + (1 - y_true) · ln(1 - y_pred))`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.BinaryCrossentropy", aliases = ["bce", "BCE"])]
pub struct BinaryCrossentropy {
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// How much of the labels is spread evenly over both answers.
    #[config(default = 0.0)]
    pub label_smoothing: f64,
    /// The axis along which the mean is taken.
    #[config(default = -1)]
    pub axis: isize,
    /// What all losses have.
    #[config(flatten = Common::named("binary_crossentropy"))]
    pub common: Common,
}

impl Penalize for BinaryCrossentropy {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let y_pred = check_same_shape(y_true, y_pred);
        let mut labels = y_true;
        if self.label_smoothing != 0.0 {
            labels = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing;
        }
        let (log_yes, log_no) = match self.from_logits {
            true => (LogSigmoid.call(y_pred), LogSigmoid.call(-y_pred)),
            false => {
                let p = clip_probabilities(y_pred);
                (p.log(), (1.0 - p).log())
            }
        };
        (-(labels * log_yes + (1.0 - labels) * log_no)).mean(self.axis)
    }
}
