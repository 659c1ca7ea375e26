//! `Adadelta`: steps scaled by the running sizes of gradients and of moves.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Multiplies the gradient by the root of a running mean of squared moves, and divides it by that
/// of squared gradients, so that moves have the unit of the weight.
///
/// Zeiler, *ADADELTA: an adaptive learning rate method*, 2012, <https://arxiv.org/abs/1212.5701>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Adadelta")]
pub struct Adadelta {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adadelta"))]
    pub settings: Settings,
    /// How much of the means of squares is kept at each step.
    #[config(default = 0.95)]
    pub rho: f64,
    /// Keeps the quotient finite, and the first moves from being none.
    #[config(default = 1e-7)]
    pub epsilon: f64,
}

impl Optimize for Adadelta {
    fn step<'g>(&self, cx: &Step<'g>) {
        cx.add_slots(&["accumulated_grad", "accumulated_delta_var"], 0.0);
        let root = |square: Tensor<'g>| (square + self.epsilon).sqrt();
        let mean = |old: Tensor<'g>, x: Tensor<'g>| old * self.rho + x * x * (1.0 - self.rho);
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let gradients = weight.slot("accumulated_grad", |old| mean(old, g));
            let mut delta = g;
            weight.slot("accumulated_delta_var", |moves| {
                delta = root(moves) * g / root(gradients);
                mean(moves, delta)
            });
            weight.set(w - delta * cx.learning_rate());
        }
    }
}
