//! `LayerNormalization`: mean 0 and variance 1 within each sample.

use super::affine::{Affine, moments};
use crate::prelude::*;

/// Brings the numbers along some axes to mean 0 and variance 1, then to a scale and an offset that
/// are learnt: `gamma · (x - mean) / √(variance + epsilon) + beta`.
///
/// # Weights
///
/// One element each for every index along the axes:
///
/// - `gamma`, if `scale`
/// - `beta`, if `center`
///
/// Ba et al., *Layer normalization*, 2016, <https://arxiv.org/abs/1607.06450>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.LayerNormalization", shape = ".. -> ..")]
pub struct LayerNormalization {
    /// The axis, or the axes taken together, along which mean and variance are taken.
    #[config(default = -1)]
    pub axis: AxisList,
    /// What is added to the variance, lest a constant sample be divided by zero.
    #[config(default = 1e-3)]
    pub epsilon: f64,
    /// Whether to add `beta`.
    #[config(default = true)]
    pub center: bool,
    /// Whether to multiply by `gamma`.
    #[config(default = true)]
    pub scale: bool,
    /// Whether to leave the mean where it is, add no `beta`, and multiply by `gamma` in any case:
    /// `gamma · x / √(variance + epsilon)`. Despite its name this divides by the standard
    /// deviation, not by the root of the mean square, and Keras discourages it:
    /// `RMSNormalization` keeps what it promises.
    #[config(default = false)]
    pub rms_scaling: bool,
    /// How the `beta` is initialised, regularised and constrained.
    #[config(weight = "zeros")]
    pub beta: Weight,
    /// The same for the `gamma`.
    #[config(weight = "ones")]
    pub gamma: Weight,
}

impl Layer for LayerNormalization {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let (has_gamma, has_beta) =
            (self.scale || self.rms_scaling, self.center && !self.rms_scaling);
        let (gamma, beta) = (has_gamma.then_some(&self.gamma), has_beta.then_some(&self.beta));
        let affine = Affine::new(cx, x, &self.axis, gamma, beta);
        let (mean, variance) = moments(x, &self.axis);
        let distance = if self.rms_scaling { x } else { x - mean };
        affine.apply(distance * (variance + self.epsilon).rsqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_axes_that_the_input_lacks() {
        let error = layer_error(LayerNormalization::new().axis([1, 2]), &[4, 3]);
        assert_eq!(error.message, "f32[4, 3] has no axis 2");
    }
}
