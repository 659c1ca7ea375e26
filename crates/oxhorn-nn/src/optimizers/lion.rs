//! `Lion`: steps of one size, whose direction alone is learnt.

use super::{Optimize, Settings, Step, step::single};
use crate::prelude::*;

/// Moves every element by the learning rate, up or down as a mean of gradients says.
///
/// Chen et al., *Symbolic discovery of optimization algorithms*, 2023,
/// <https://arxiv.org/abs/2302.06675>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Lion")]
pub struct Lion {
    /// What all optimizers have.
    #[config(flatten = Settings::named("lion"))]
    pub settings: Settings,
    /// How much the mean counts against the gradient when the direction is chosen.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the mean of gradients is kept at each step.
    #[config(default = 0.99)]
    pub beta_2: f64,
}

impl Optimize for Lion {
    fn check(&self) -> Result<()> {
        let beta_1 = self.beta_1;
        ensure!(
            beta_1 > 0.0 && beta_1 <= 1.0,
            "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer degenerates \
             to SignSGD. Received: beta_1={beta_1:?}."
        );
        Ok(())
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let mix = |m: Tensor<'g>, beta: f64| m * beta + g * (1.0 - single(beta));
            let mut direction = g;
            weight.slot("momentum", |m| {
                direction = mix(m, self.beta_1).sign();
                mix(m, self.beta_2)
            });
            weight.set(w - direction * cx.learning_rate());
        }
    }
}
