//! `Lamb`: Adam whose steps are measured by the weights they change.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Takes the direction of `Adam` for each weight, and as its length that of the weight times the
/// learning rate. Large batches then need no learning rates of their own.
///
/// You et al., *Large batch optimization for deep learning: training BERT in 76 minutes*, 2019,
/// <https://arxiv.org/abs/1904.00962>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Lamb")]
pub struct Lamb {
    /// What all optimizers have.
    #[config(flatten = Settings::named("lamb"))]
    pub settings: Settings,
    /// How much of the mean of gradients is kept at each step.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the mean of their squares is kept at each step.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
}

impl Optimize for Lamb {
    fn step<'g>(&self, cx: &Step<'g>) {
        let of_mean = 1.0 - cx.power(self.beta_1);
        let of_squares = 1.0 - cx.power(self.beta_2);
        let length = |x: Tensor<'g>| (x * x).sum(..).sqrt();
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let m = weight.slot("momentum", |m| m + (g - m) * (1.0 - self.beta_1));
            let v = weight.slot("velocity", |v| v + (g * g - v) * (1.0 - self.beta_2));
            let direction = (m / of_mean) / ((v / of_squares).sqrt() + self.epsilon);
            let lengths = (length(w), length(direction));
            let both = lengths.0.greater(0.0).and(lengths.1.greater(0.0));
            let ratio = both.select(lengths.0 / lengths.1, 1.0);
            weight.set(w - direction * (ratio * cx.learning_rate()));
        }
    }
}
