//! `Dice` and `Tversky`: how far two areas of an image fail to overlap.

use super::category::{Common, EPSILON, Penalize};
use crate::prelude::*;

/// `1 - 2 Σ y_true · y_pred / (Σ y_true + Σ y_pred)`, with sums along `axis`.
///
/// Milletari et al., *V-Net: fully convolutional neural networks for volumetric medical image
/// segmentation*, 2016, <https://arxiv.org/abs/1606.04797>, is where it came to networks; its
/// divisor has squares.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Dice")]
pub struct Dice {
    /// The axes of one area; of none given, the whole batch is one.
    #[config(default)]
    pub axis: Option<AxisList>,
    /// What all losses have.
    #[config(flatten = Common::named("dice"))]
    pub common: Common,
}

impl Penalize for Dice {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let sum = |x: Tensor<'g>| sum(x, self.axis.as_ref());
        1.0 - sum(y_true * y_pred) * 2.0 / (sum(y_true) + sum(y_pred) + EPSILON)
    }
}

/// `1 - tp / (tp + alpha · fn + beta · fp)`, with sums along `axis`: `tp = Σ y_true · y_pred` is
/// found, `fn = Σ y_true · (1 - y_pred)` missed and `fp = Σ (1 - y_true) · y_pred` wrongly found.
///
/// Salehi et al., *Tversky loss function for image segmentation using 3D fully convolutional deep
/// networks*, 2017, <https://arxiv.org/abs/1706.05721>, where `alpha` and `beta` are exchanged.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Tversky")]
pub struct Tversky {
    /// The weight of what is missed. (Keras' manual has it the other way round, its code has not.)
    #[config(default = 0.5)]
    pub alpha: f64,
    /// The weight of what is wrongly found.
    #[config(default = 0.5)]
    pub beta: f64,
    /// The axes of one area; of none given, the whole batch is one.
    #[config(default)]
    pub axis: Option<AxisList>,
    /// What all losses have.
    #[config(flatten = Common::named("tversky"))]
    pub common: Common,
}

impl Penalize for Tversky {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let sum = |x: Tensor<'g>| sum(x, self.axis.as_ref());
        let found = sum(y_true * y_pred);
        let missed = sum(y_true * (1.0 - y_pred));
        let wrong = sum((1.0 - y_true) * y_pred);
        1.0 - found / (found + missed * self.alpha + wrong * self.beta + EPSILON)
    }
}

/// The sum along `axis`, or of everything.
fn sum<'g>(x: Tensor<'g>, axis: Option<&AxisList>) -> Tensor<'g> {
    match axis {
        None => x.sum(..),
        Some(axes) => {
            let axes = axes.as_slice().iter().filter_map(|&axis| x.axis(axis));
            x.sum(axes.collect::<Vec<usize>>())
        }
    }
}
