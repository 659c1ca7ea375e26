//! `RMSNormalization`: a mean square of 1 within each sample.

use super::affine::weight_along;
use crate::prelude::*;

/// Divides the numbers along some axes by the root of their mean square, and multiplies them by a
/// scale that is learnt: `scale · x / √(mean(x²) + epsilon)`.
///
/// The scale lies along the axes. In Keras it lies along the last ones, whatever `axis` says, so
/// that a layer with `axis=1` of three either fails or scales another axis.
///
/// # Weights
///
/// - `scale`: one element for every index along the axes
///
/// Zhang and Sennrich, *Root mean square layer normalization*, 2019,
/// <https://arxiv.org/abs/1910.07467>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.RMSNormalization", shape = ".. -> ..")]
pub struct RMSNormalization {
    /// The axis, or the axes taken together, along which the mean is taken.
    #[config(default = -1)]
    pub axis: AxisList,
    /// What is added to the mean square, lest a sample of zeros be divided by zero.
    #[config(default = 1e-6)]
    pub epsilon: f64,
}

impl Layer for RMSNormalization {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let scale = weight_along(cx, "scale", x, &self.axis, &Weight::new("ones"));
        let mean_square = self.axis.reduce(x * x, Tensor::mean);
        x * (mean_square + self.epsilon).rsqrt() * scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{layer_error, layer_text};

    #[test]
    fn its_scale_lies_along_its_axis() {
        let text = layer_text(RMSNormalization::new().axis(1), Mode::Infer, &[2, 3, 5]);
        assert!(text.contains("f32[3]") && text.contains("f32[1, 3, 1]"), "{text}");
    }

    #[test]
    fn rejects_axes_that_the_input_lacks() {
        let error = layer_error(RMSNormalization::new().axis(2), &[4, 3]);
        assert_eq!(error.message, "f32[4, 3] has no axis 2");
    }
}
