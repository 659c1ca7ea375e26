//! `Hinge`, `SquaredHinge` and `CategoricalHinge`: no loss for what is right by a margin.

use super::category::{Common, Penalize};
use crate::prelude::*;

/// The mean of `max(1 - y_true · y_pred, 0)`, for labels -1 and 1; labels 0 and 1 are made that.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Hinge")]
pub struct Hinge {
    /// What all losses have.
    #[config(flatten = Common::named("hinge"))]
    pub common: Common,
}

impl Penalize for Hinge {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        margin(y_true, y_pred).mean(-1)
    }
}

/// The mean of the square of what `Hinge` takes the mean of.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.SquaredHinge")]
pub struct SquaredHinge {
    /// What all losses have.
    #[config(flatten = Common::named("squared_hinge"))]
    pub common: Common,
}

impl Penalize for SquaredHinge {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let margin = margin(y_true, y_pred);
        (margin * margin).mean(-1)
    }
}

/// How far the greatest prediction of a wrong class comes up to one less than that of the true
/// class; labels are one-hot.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.CategoricalHinge")]
pub struct CategoricalHinge {
    /// What all losses have.
    #[config(flatten = Common::named("categorical_hinge"))]
    pub common: Common,
}

impl Penalize for CategoricalHinge {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let right = (y_true * y_pred).sum(-1);
        let wrong = ((1.0 - y_true) * y_pred).reduce_max(-1);
        (wrong - right + 1.0).maximum(0.0)
    }
}

/// `max(1 - y_true · y_pred, 0)`, after labels 0 and 1 have been made -1 and 1.
fn margin<'g>(y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
    let is_label = y_true.equal(0.0).or(y_true.equal(1.0)).cast(DType::F32);
    let binary = is_label.reduce_min(..).greater(0.0);
    let labels = binary.select(y_true * 2.0 - 1.0, y_true);
    (1.0 - labels * y_pred).maximum(0.0)
}
