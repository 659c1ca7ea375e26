//! `CurriculumSchedule`: a rate that grows from 0 while a network learns.

use super::{category::Schedule, early_schedule::check_rate};
use crate::prelude::*;

/// `rate · (1 - exp(-gamma · step))`: from 0, where all is easy, towards the rate, which is reached
/// to 1 % after `4.6 / gamma` steps.
///
/// Morerio et al., *Curriculum dropout*, 2017, <https://arxiv.org/abs/1703.06229>, where it is the
/// share that is kept, `(1 - θ) · exp(-γ · t) + θ` with `θ = 1 - rate`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.CurriculumSchedule")]
pub struct CurriculumSchedule {
    /// The rate in the end, 0 or more.
    pub rate: f64,
    /// How fast it gets there, more than 0; by default as in the experiments of the paper.
    #[config(default = 1e-4)]
    pub gamma: f64,
}

impl Schedule for CurriculumSchedule {
    fn check(&self) -> Result<()> {
        check_rate(self.rate)?;
        ensure!(self.gamma > 0.0, "`gamma` must be more than 0, got {}", self.gamma);
        Ok(())
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        self.rate * (1.0 - (step.cast(DType::F32) * -self.gamma).exp())
    }
}
