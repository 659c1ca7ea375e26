//! `LinearSchedule` and `CosineSchedule`: from one number to another, and no further.

use super::category::{Schedule, check_steps, cosine};
use crate::prelude::*;

/// Along a line from `initial` to `target`: `initial + (target - initial) · f`, where
/// `f = (step - start) / steps`, brought between 0 and 1.
///
/// The authors of `DropBlock` raise its rate from 0 in this way.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.LinearSchedule")]
pub struct LinearSchedule {
    /// The number up to step `start`.
    pub initial: f64,
    /// The number from step `start + steps` on.
    pub target: f64,
    /// The number of steps from one to the other, at least 1.
    pub steps: usize,
    /// The step where the line begins.
    #[config(default = 0)]
    pub start: usize,
}

/// Along half a wave of a cosine from `initial` to `target`:
/// `target + (initial - target) · (1 + cos(π · f)) / 2`, where `f = (step - start) / steps`,
/// brought between 0 and 1.
///
/// Unlike `CosineDecay`, which is for learning rates, it can rise as well as fall.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.CosineSchedule")]
pub struct CosineSchedule {
    /// The number up to step `start`.
    pub initial: f64,
    /// The number from step `start + steps` on.
    pub target: f64,
    /// The number of steps from one to the other, at least 1.
    pub steps: usize,
    /// The step where the wave begins.
    #[config(default = 0)]
    pub start: usize,
}

impl Schedule for LinearSchedule {
    fn check(&self) -> Result<()> {
        check_steps("steps", self.steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let passed = passed(step, self.start, self.steps);
        self.initial + passed * (self.target - self.initial)
    }
}

impl Schedule for CosineSchedule {
    fn check(&self) -> Result<()> {
        check_steps("steps", self.steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let remaining = cosine(passed(step, self.start, self.steps));
        self.target + remaining * (self.initial - self.target)
    }
}

/// How much of the way has been passed, from 0 to 1.
fn passed(step: Tensor<'_>, start: usize, steps: usize) -> Tensor<'_> {
    let passed = (step - start as f64).cast(DType::F32) / steps as f64;
    passed.maximum(0.0).minimum(1.0)
}
