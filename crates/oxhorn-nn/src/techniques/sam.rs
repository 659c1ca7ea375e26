//! `SAM`: gradients from the worst place nearby.

use super::category::{Intervene, Strength};
use crate::prelude::*;

/// Sharpness-aware minimization: takes the gradients not at the weights `w` but where, at a
/// distance of `rho`, the loss is greatest to first order:
///
/// `∇L(w + rho · g / ‖g‖)`, with `g = ∇L(w)` over all trainable weights together
///
/// So minima are found around which the loss stays small. A step costs two passes. Both have the
/// same samples, the same penalties and the same units dropped; losses, metrics and what layers
/// keep, such as moving means, are those of the first.
///
/// `rho` is a number that can be turned while a model trains; at 0, it is a plain step.
///
/// Foret et al., *Sharpness-aware minimization for efficiently improving generalization*, 2021,
/// <https://arxiv.org/abs/2010.01412>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.SAM")]
pub struct SAM {
    /// How far the place is, 0 or more.
    #[config(default = 0.05)]
    pub rho: f64,
}

/// What keeps a gradient of 0 from being divided by 0: the paper's code.
const EPSILON: f64 = 1e-12;

impl Intervene for SAM {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("rho", self.rho)]
    }

    fn detour<'g>(
        &self,
        cx: &Scope<'g>,
        weights: &[Tensor<'g>],
        gradients: &[Tensor<'g>],
    ) -> Option<Vec<Tensor<'g>>> {
        let squares = gradients.iter().map(|g| (*g * *g).sum(..));
        let norm = squares.reduce(|sum, square| sum + square)?.sqrt();
        let scale = cx.number("rho", self.rho).cast(DType::F32) / (norm + EPSILON);
        Some(weights.iter().zip(gradients).map(|(w, g)| *w + *g * scale).collect())
    }
}
