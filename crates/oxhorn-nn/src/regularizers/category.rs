//! What all regularizers have in common.

use oxhorn_ir::{Result, Tensor, ensure};

use super::CLASSES;
use crate::{
    config::Object,
    handle::{Handle, category},
    scope::Scope,
};

/// A penalty for a weight or an output, added to the loss.
pub trait Regularize: Object {
    /// Rejects settings that no input could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// The penalty for `x`: a scalar. Its strengths are numbers that can be turned in training.
    fn penalty<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g>;
}

/// A regularizer, or its name.
pub type Regularizer = Handle<dyn Regularize>;

category!(Regularize, "regularizer", CLASSES);

/// The strength of a penalty, of the type of `x`.
pub(super) fn strength<'g>(cx: &Scope<'g>, name: &str, value: f64, x: Tensor<'g>) -> Tensor<'g> {
    cx.number(name, value).cast(x.dtype())
}

/// The distance from 0, whose slope at 0 is 1 as in JAX: a weight that begins at 0 leaves it.
pub(crate) fn absolute(x: Tensor<'_>) -> Tensor<'_> {
    x.greater_equal(0.0).select(x, -x)
}

/// Rejects penalties that are negative or no numbers.
pub(super) fn check_strength(name: &str, value: f64) -> Result<()> {
    ensure!(
        value >= 0.0 && value.is_finite(),
        "Invalid value for argument {name}: expected a non-negative float. Received: {name}={value}"
    );
    Ok(())
}
