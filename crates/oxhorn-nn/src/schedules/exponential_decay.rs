//! `ExponentialDecay`: the same factor every so many steps.

use super::category::{Schedule, check_steps, fraction};
use crate::prelude::*;

/// `initial_learning_rate · decay_rate^(step / decay_steps)`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.ExponentialDecay")]
pub struct ExponentialDecay {
    /// The learning rate of the first step.
    pub initial_learning_rate: f64,
    /// The number of steps in which the learning rate is multiplied by `decay_rate` once.
    pub decay_steps: usize,
    /// The factor.
    pub decay_rate: f64,
    /// Whether the learning rate stays as it is for `decay_steps` steps at a time.
    #[config(default = false)]
    pub staircase: bool,
    /// The name of the schedule.
    #[config(default = "ExponentialDecay")]
    pub name: String,
}

impl Schedule for ExponentialDecay {
    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let p = fraction(step, self.decay_steps, self.staircase);
        self.initial_learning_rate * p.fill(self.decay_rate).pow(p)
    }
}
