//! `Adagrad`: steps that shrink with every gradient there was.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Divides the gradient by the root of the sum of all its squares.
///
/// Duchi et al., *Adaptive subgradient methods for online learning and stochastic optimization*,
/// JMLR 2011, <https://jmlr.org/papers/v12/duchi11a.html>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Adagrad")]
pub struct Adagrad {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adagrad"))]
    pub settings: Settings,
    /// What the sum of squares begins with.
    #[config(default = 0.1)]
    pub initial_accumulator_value: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
}

impl Optimize for Adagrad {
    fn step<'g>(&self, cx: &Step<'g>) {
        cx.add_slots(&["accumulator"], self.initial_accumulator_value);
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let sum = weight.slot("accumulator", |sum| sum + g * g);
            weight.set(w - g * cx.learning_rate() / (sum + self.epsilon).sqrt());
        }
    }
}
