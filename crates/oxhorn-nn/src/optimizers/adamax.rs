//! `Adamax`: steps scaled by the greatest of the last gradients.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Divides a running mean of the gradient by the greatest absolute value it had, which fades.
///
/// Kingma and Ba, *Adam: a method for stochastic optimization*, 2014, section 7,
/// <https://arxiv.org/abs/1412.6980>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Adamax")]
pub struct Adamax {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adamax"))]
    pub settings: Settings,
    /// How much of the mean of gradients is kept at each step.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the greatest value is kept at each step.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
}

impl Optimize for Adamax {
    fn step<'g>(&self, cx: &Step<'g>) {
        cx.add_slots(&["momentum", "norm"], 0.0);
        let bias = 1.0 - cx.power(self.beta_1);
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let m = weight.slot("momentum", |m| m + (g - m) * (1.0 - self.beta_1));
            let u = weight.slot("norm", |u| (u * self.beta_2).maximum(g.abs()));
            weight.set(w - m * cx.learning_rate() / ((u + self.epsilon) * bias));
        }
    }
}
