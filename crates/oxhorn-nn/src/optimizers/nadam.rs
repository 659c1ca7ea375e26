//! `Nadam`: Adam that looks ahead.

use super::{Optimize, Settings, Step, step::single};
use crate::prelude::*;

/// `Adam` with Nesterov's momentum, which grows from half of `beta_1` to all of it.
///
/// Dozat, *Incorporating Nesterov momentum into Adam*, 2016,
/// <https://openreview.net/pdf?id=OM0jvwB8jIp57ZJjtNEZ>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Nadam")]
pub struct Nadam {
    /// What all optimizers have.
    #[config(flatten = Settings::named("nadam"))]
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

impl Optimize for Nadam {
    fn step<'g>(&self, cx: &Step<'g>) {
        cx.add_slots(&["momentum", "velocity"], 0.0);
        let (beta_1, beta_2) = (single(self.beta_1), single(self.beta_2));
        let t = cx.number();
        let momentum = |t: Tensor<'g>| beta_1 * (1.0 - 0.5 * t.fill(0.96).pow(t));
        let (now, next) = (momentum(t), momentum(t + 1.0));
        let product = cx.state("u_product", 1.0, |product| product * now);

        let of_mean = next / (1.0 - product * next);
        let of_gradient = (1.0 - now) / (1.0 - product);
        let of_squares = 1.0 - cx.power(self.beta_2);
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let m = weight.slot("momentum", |m| m + (g - m) * (1.0 - beta_1));
            let v = weight.slot("velocity", |v| v + (g * g - v) * (1.0 - beta_2));
            let ahead = m * of_mean + g * of_gradient;
            let size = (v / of_squares).sqrt() + self.epsilon;
            weight.set(w - ahead * cx.learning_rate() / size);
        }
    }
}
