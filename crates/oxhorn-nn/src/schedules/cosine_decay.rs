//! `CosineDecay` and `CosineDecayRestarts`: half a wave, down to an end.

use super::category::{Schedule, check_steps, cosine};
use crate::prelude::*;

/// Half a wave of a cosine, from the initial learning rate to `alpha` times that, perhaps after a
/// straight climb to `warmup_target`.
///
/// Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2016,
/// <https://arxiv.org/abs/1608.03983>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.CosineDecay")]
pub struct CosineDecay {
    /// The learning rate of the first step.
    pub initial_learning_rate: f64,
    /// The number of steps from the top to the end.
    pub decay_steps: usize,
    /// The learning rate at the end, as a fraction of that at the top.
    #[config(default = 0.0)]
    pub alpha: f64,
    /// The name of the schedule.
    #[config(default = "CosineDecay")]
    pub name: String,
    /// The learning rate at the top; without it, there is no climb.
    #[config(default)]
    pub warmup_target: Option<f64>,
    /// The number of steps to the top.
    #[config(default = 0)]
    pub warmup_steps: usize,
}

impl Schedule for CosineDecay {
    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let (step, steps) = (step.cast(DType::F32), self.decay_steps as f64);
        let (bottom, climb) = (self.initial_learning_rate, self.warmup_steps as f64);
        let decay = |step: Tensor<'g>, top: f64| {
            let decayed = (1.0 - self.alpha) * cosine(step.minimum(steps) / steps) + self.alpha;
            top * decayed
        };
        match self.warmup_target {
            None => decay(step, bottom),
            Some(top) => {
                let climbing = (top - bottom) * (step / climb) + bottom;
                step.less(climb).select(climbing, decay(step - climb, top))
            }
        }
    }
}

/// [`CosineDecay`] again and again, each time over `t_mul` times as many steps and from `m_mul`
/// times the learning rate.
///
/// Loshchilov and Hutter, *SGDR: stochastic gradient descent with warm restarts*, 2016,
/// <https://arxiv.org/abs/1608.03983>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.CosineDecayRestarts")]
pub struct CosineDecayRestarts {
    /// The learning rate of the first step.
    pub initial_learning_rate: f64,
    /// The number of steps of the first decay.
    pub first_decay_steps: usize,
    /// How many times as many steps each decay takes as the one before.
    #[config(default = 2.0)]
    pub t_mul: f64,
    /// How many times as high each decay starts as the one before.
    #[config(default = 1.0)]
    pub m_mul: f64,
    /// The learning rate at the end, as a fraction of the initial one.
    #[config(default = 0.0)]
    pub alpha: f64,
    /// The name of the schedule.
    #[config(default = "SGDRDecay")]
    pub name: String,
}

impl CosineDecayRestarts {
    /// How many decays have ended, and the fraction of the running one that has passed.
    fn position<'g>(&self, passed: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
        if self.t_mul == 1.0 {
            let restarts = passed.floor();
            return (restarts, passed - restarts);
        }
        // The n-th decay begins after 1 + t + .. + tⁿ⁻¹ = (1 - tⁿ) / (1 - t) of the first. There
        // the logarithm is n, but for rounding, which must not leave it in the decay before.
        const ROUNDING: f64 = 1e-5;
        let t = passed.fill(self.t_mul);
        let power = (1.0 - passed * (1.0 - self.t_mul)).log() / t.log();
        let restarts = (power + ROUNDING).floor();
        let begin = (1.0 - t.pow(restarts)) / (1.0 - self.t_mul);
        (restarts, (passed - begin) / t.pow(restarts))
    }
}

impl Schedule for CosineDecayRestarts {
    fn check(&self) -> Result<()> {
        check_steps("first_decay_steps", self.first_decay_steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let passed = step.cast(DType::F32) / self.first_decay_steps as f64;
        let (restarts, fraction) = self.position(passed);
        let top = fraction.fill(self.m_mul).pow(restarts);
        let decayed = (1.0 - self.alpha) * (top * cosine(fraction)) + self.alpha;
        self.initial_learning_rate * decayed
    }
}
