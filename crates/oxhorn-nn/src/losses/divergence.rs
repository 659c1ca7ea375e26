//! `KLDivergence` and `Poisson`: how badly a predicted law explains what is true.

use super::category::{Common, EPSILON, Penalize};
use crate::prelude::*;

/// `Σ y_true · ln(y_true / y_pred)`, of probabilities.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.losses.KLDivergence",
    aliases = ["kld", "KLD", "kullback_leibler_divergence"]
)]
pub struct KLDivergence {
    /// What all losses have.
    #[config(flatten = Common::named("kl_divergence"))]
    pub common: Common,
}

impl Penalize for KLDivergence {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let clip = |p: Tensor<'g>| p.maximum(EPSILON).minimum(1.0);
        let (p, q) = (clip(y_true), clip(y_pred));
        (p * (p / q).log()).sum(-1)
    }
}

/// The mean of `y_pred - y_true · ln y_pred`, of counts and their predicted rates.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Poisson")]
pub struct Poisson {
    /// What all losses have.
    #[config(flatten = Common::named("poisson"))]
    pub common: Common,
}

impl Penalize for Poisson {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        (y_pred - y_true * (y_pred + EPSILON).log()).mean(-1)
    }
}
