//! What all learning rate schedules have in common.

use oxhorn_ir::{DType, Result, Tensor, ensure};

use super::CLASSES;
use crate::{
    config::Object,
    handle::{Handle, category},
};

/// A learning rate that follows from the number of steps taken so far.
pub trait Schedule: Object {
    /// Rejects settings that no step could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The learning rate, an `f32` scalar, after `step` steps, an `i64` scalar.
    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g>;
}

/// A schedule.
pub type LearningRateSchedule = Handle<dyn Schedule>;

category!(Schedule, "learning rate schedule", CLASSES);

impl LearningRateSchedule {
    /// The learning rate after `step` steps; a schedule that cannot be is the trace's mistake.
    pub fn apply<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        match self.get().and_then(|schedule| schedule.check().map(|()| schedule)) {
            Ok(schedule) => schedule.call(step),
            Err(error) => step.trace().fail(error),
        }
    }
}

/// The fraction of `steps` that has been taken; `staircase` counts whole ones only.
pub(super) fn fraction<'g>(step: Tensor<'g>, steps: usize, staircase: bool) -> Tensor<'g> {
    let fraction = step.cast(DType::F32) / steps as f64;
    if staircase { fraction.floor() } else { fraction }
}

/// From 1, at `fraction` 0, to 0, at 1, along a cosine.
pub(super) fn cosine(fraction: Tensor<'_>) -> Tensor<'_> {
    0.5 * (1.0 + (fraction * std::f64::consts::PI).cos())
}

/// Rejects a decay that takes no steps.
pub(super) fn check_steps(name: &str, steps: usize) -> Result<()> {
    ensure!(steps > 0, "Argument `{name}` must be > 0. Received: {name}={steps}");
    Ok(())
}
