//! `BinaryFocalCrossentropy` and `CategoricalFocalCrossentropy`: crossentropy that looks away from
//! what is learnt already.

use super::{
    category::{Common, Penalize, check_same_shape, clip_probabilities},
    crossentropy::log_probabilities,
};
use crate::{activations::Softmax, prelude::*};

/// The mean of `-(1 - p)^gamma · (y_true · ln y_pred + (1 - y_true) · ln(1 - y_pred))`, where `p`
/// is the probability that was given to the right answer.
///
/// Lin et al., *Focal loss for dense object detection*, 2017, <https://arxiv.org/abs/1708.02002>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.BinaryFocalCrossentropy")]
pub struct BinaryFocalCrossentropy {
    /// Whether answers yes are weighted by `alpha` and answers no by `1 - alpha`.
    #[config(default = false)]
    pub apply_class_balancing: bool,
    /// The weight of answers yes, if classes are balanced.
    #[config(default = 0.25)]
    pub alpha: f64,
    /// How much less the loss is of what is nearly right; with 0 it is `BinaryCrossentropy`.
    #[config(default = 2.0)]
    pub gamma: f64,
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
    #[config(flatten = Common::named("binary_focal_crossentropy"))]
    pub common: Common,
}

impl Penalize for BinaryFocalCrossentropy {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let y_pred = check_same_shape(y_true, y_pred);
        let mut labels = y_true;
        if self.label_smoothing != 0.0 {
            labels = y_true * (1.0 - self.label_smoothing) + 0.5 * self.label_smoothing;
        }
        let y_pred = if self.from_logits { y_pred.sigmoid() } else { y_pred };
        let either = |yes: Tensor<'g>, no: Tensor<'g>| labels * yes + (1.0 - labels) * no;
        let clipped = clip_probabilities(y_pred);
        let surprise = -either(clipped.log(), (1.0 - clipped).log());
        let p = either(y_pred, 1.0 - y_pred);
        let mut focal = (1.0 - p).pow(self.gamma) * surprise;
        if self.apply_class_balancing {
            focal = focal * (labels * self.alpha + (1.0 - labels) * (1.0 - self.alpha));
        }
        focal.mean(self.axis)
    }
}

/// `-Σ alpha · (1 - y_pred)^gamma · y_true · ln y_pred` along the classes, for labels given as
/// probabilities, such as one-hot.
///
/// Lin et al., *Focal loss for dense object detection*, 2017, <https://arxiv.org/abs/1708.02002>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.CategoricalFocalCrossentropy")]
pub struct CategoricalFocalCrossentropy {
    /// The weight of all classes.
    #[config(default = 0.25)]
    pub alpha: f64,
    /// How much less the loss is of what is nearly right; with 0 and `alpha` 1 it is
    /// `CategoricalCrossentropy`.
    #[config(default = 2.0)]
    pub gamma: f64,
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
    #[config(flatten = Common::named("categorical_focal_crossentropy"))]
    pub common: Common,
}

impl Penalize for CategoricalFocalCrossentropy {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let y_pred = check_same_shape(y_true, y_pred);
        let mut labels = y_true;
        if self.label_smoothing != 0.0 {
            // Keras counts the last axis, even where the classes are along another.
            let classes = y_true.dim(-1) as f64;
            labels = y_true * (1.0 - self.label_smoothing) + self.label_smoothing / classes;
        }
        let y_pred = match self.from_logits {
            true => Softmax::new().axis(self.axis).call(y_pred),
            false => y_pred / y_pred.sum(self.axis).keep(y_pred, self.axis),
        };
        let p = clip_probabilities(y_pred);
        let focal = labels * p.log() * (1.0 - p).pow(self.gamma) * -self.alpha;
        focal.sum(self.axis)
    }

    fn log_probabilities<'g>(&self, y_pred: Tensor<'g>) -> Option<(Tensor<'g>, isize)> {
        Some((log_probabilities(y_pred, self.from_logits, self.axis), self.axis))
    }
}
