//! `squareplus`: softplus from a square root.

use crate::prelude::*;

/// `(x + √(x² + b)) / 2`
///
/// Barron, *Squareplus: a softplus-like algebraic rectifier*, 2021,
/// <https://arxiv.org/abs/2112.11687>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.squareplus")]
pub struct Squareplus {
    /// How wide the bend around 0 is.
    #[config(default = 4.0)]
    pub b: f64,
}

impl Activate for Squareplus {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        (x + (x * x + self.b).sqrt()) * 0.5
    }
}
