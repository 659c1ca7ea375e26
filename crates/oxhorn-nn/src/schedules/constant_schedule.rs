//! `ConstantSchedule`: one number at all steps.

use super::category::Schedule;
use crate::prelude::*;

/// `value`, at every step: what a schedule is compared with.
///
/// Like every schedule, it can stand for a learning rate or for any other number that is turned
/// while a model trains.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.optimizers.schedules.ConstantSchedule")]
pub struct ConstantSchedule {
    /// The number.
    pub value: f64,
}

impl Schedule for ConstantSchedule {
    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        step.cast(DType::F32).fill(self.value)
    }
}
