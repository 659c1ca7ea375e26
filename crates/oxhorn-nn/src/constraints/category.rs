//! What all constraints have in common.

use oxhorn_ir::{Result, Tensor};

use super::CLASSES;
use crate::{
    config::{AxisList, Object},
    handle::{Handle, category},
};

/// A rule that brings a weight back after each step.
pub trait Constrain: Object {
    /// Rejects settings that no weight could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// What the weight `w` becomes.
    fn call<'g>(&self, w: Tensor<'g>) -> Tensor<'g>;
}

/// A constraint, or its name.
pub type Constraint = Handle<dyn Constrain>;

category!(Constrain, "constraint", CLASSES);

impl Constraint {
    /// What the weight `w` becomes; an unknown name becomes the trace's mistake.
    pub fn apply<'g>(&self, w: Tensor<'g>) -> Tensor<'g> {
        match self.get() {
            Ok(constraint) => constraint.call(w),
            Err(error) => w.trace().fail(error),
        }
    }
}

/// What keeps quotients by norms finite: Keras' epsilon.
pub(super) const EPSILON: f64 = 1e-7;

/// The lengths of `w` along these axes, which stay at extent 1.
pub(super) fn norm<'g>(w: Tensor<'g>, axes: &AxisList) -> Tensor<'g> {
    axes.reduce(w * w, Tensor::sum).sqrt()
}
