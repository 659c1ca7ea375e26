//! `celu` and `elu`: exponential below zero, linear above.

use crate::prelude::*;

/// `x` above 0, `alpha · (e^(x / alpha) - 1)` below: smooth for every `alpha`.
///
/// Barron, *Continuously differentiable exponential linear units*, 2017,
/// <https://arxiv.org/abs/1704.07483>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.celu")]
pub struct Celu {
    /// The value towards which it falls is `-alpha`.
    #[config(default = 1.0)]
    pub alpha: f64,
}

impl Activate for Celu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.maximum(0.0) + (x.minimum(0.0) / self.alpha).expm1() * self.alpha
    }
}

/// `x` above 0, `alpha · (eˣ - 1)` below.
///
/// Clevert et al., *Fast and accurate deep network learning by exponential linear units*, 2015,
/// <https://arxiv.org/abs/1511.07289>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.elu")]
pub struct Elu {
    /// The value towards which it falls is `-alpha`.
    #[config(default = 1.0)]
    pub alpha: f64,
}

impl Activate for Elu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        // Where x is large, its exponential would be infinite and the gradient not a number.
        let below = x.greater(0.0).select(x.fill(0.0), x);
        x.greater(0.0).select(x, below.expm1() * self.alpha)
    }
}
