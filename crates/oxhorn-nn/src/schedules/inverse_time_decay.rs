//! `InverseTimeDecay`: slower and slower.

use super::category::{Schedule, check_steps, fraction};
use crate::prelude::*;

/// `initial_learning_rate / (1 + decay_rate · step / decay_steps)`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.InverseTimeDecay")]
pub struct InverseTimeDecay {
    /// The learning rate of the first step.
    pub initial_learning_rate: f64,
    /// The number of steps in which the divisor grows by `decay_rate`.
    pub decay_steps: usize,
    /// By how much the divisor grows.
    pub decay_rate: f64,
    /// Whether the learning rate stays as it is for `decay_steps` steps at a time.
    #[config(default = false)]
    pub staircase: bool,
    /// The name of the schedule.
    #[config(default = "InverseTimeDecay")]
    pub name: String,
}

impl Schedule for InverseTimeDecay {
    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let p = fraction(step, self.decay_steps, self.staircase);
        self.initial_learning_rate / (1.0 + self.decay_rate * p)
    }
}
