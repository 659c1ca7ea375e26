//! `EarlySchedule` and `LateSchedule`: a rate for the first steps, or for all but those.

use super::category::{Schedule, check_steps};
use crate::prelude::*;

keyword! {
    /// How a rate goes to 0.
    pub enum Fall {
        /// Along a line.
        Linear "linear",
        /// At once, at the end.
        Constant "constant",
    }
}

/// A rate for the first `steps` steps, and 0 from then on: regularization that helps a network to
/// fit, where it would not fit its data well.
///
/// Along a line it is `rate · (1 - step / (steps - 1))`, which is 0 at step `steps - 1` already, as
/// in the code of the authors. They take the first sixth of the training.
///
/// Liu et al., *Dropout reduces underfitting*, 2023, <https://arxiv.org/abs/2303.01500>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.EarlySchedule")]
pub struct EarlySchedule {
    /// The rate of the first step, 0 or more.
    pub rate: f64,
    /// The number of steps that have a rate, at least 1.
    pub steps: usize,
    /// How the rate goes to 0.
    #[config(default = Fall::Linear)]
    pub fall: Fall,
}

/// 0 for the first `start` steps, and a rate from then on: regularization that sets in where a
/// network begins to overfit, and does not hinder it before.
///
/// Liu et al., *Dropout reduces underfitting*, 2023, <https://arxiv.org/abs/2303.01500>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.LateSchedule")]
pub struct LateSchedule {
    /// The rate, 0 or more.
    pub rate: f64,
    /// The first step that has it.
    pub start: usize,
}

impl Schedule for EarlySchedule {
    fn check(&self) -> Result<()> {
        check_rate(self.rate)?;
        check_steps("steps", self.steps)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let t = step.cast(DType::F32);
        let rate = match self.fall {
            Fall::Constant => t.fill(self.rate),
            // A line of one step has no end to fall to.
            Fall::Linear => self.rate * (1.0 - t / self.steps.saturating_sub(1).max(1) as f64),
        };
        step.less(self.steps as f64).select(rate, 0.0)
    }
}

impl Schedule for LateSchedule {
    fn check(&self) -> Result<()> {
        check_rate(self.rate)
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let rate = step.cast(DType::F32).fill(self.rate);
        step.less(self.start as f64).select(rate.fill(0.0), rate)
    }
}

/// Rejects rates below 0.
pub(super) fn check_rate(rate: f64) -> Result<()> {
    ensure!(rate >= 0.0, "`rate` must be 0 or more, got {rate}");
    Ok(())
}
