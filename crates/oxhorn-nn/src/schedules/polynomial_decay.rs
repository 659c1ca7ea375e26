//! `PolynomialDecay`: down to an end, along a power of the steps that are left.

use super::category::{Schedule, check_steps};
use crate::prelude::*;

/// `(initial - end) · (1 - step / decay_steps)^power + end`, of the two learning rates.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.PolynomialDecay")]
pub struct PolynomialDecay {
    /// The learning rate of the first step.
    pub initial_learning_rate: f64,
    /// The number of steps after which the end is reached.
    pub decay_steps: usize,
    /// The learning rate at the end.
    #[config(default = 0.0001)]
    pub end_learning_rate: f64,
    /// The power: 1 goes down in a straight line.
    #[config(default = 1.0)]
    pub power: f64,
    /// Whether the decay is stretched by another `decay_steps` steps whenever its end is passed,
    /// instead of staying there.
    #[config(default = false)]
    pub cycle: bool,
    /// The name of the schedule.
    #[config(default = "PolynomialDecay")]
    pub name: String,
}

impl Schedule for PolynomialDecay {
    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let (step, steps) = (step.cast(DType::F32), self.decay_steps as f64);
        let p = match self.cycle {
            true => step / ((step / steps).ceil().maximum(1.0) * steps),
            false => step.minimum(steps) / steps,
        };
        let range = self.initial_learning_rate - self.end_learning_rate;
        range * (1.0 - p).pow(self.power) + self.end_learning_rate
    }
}
