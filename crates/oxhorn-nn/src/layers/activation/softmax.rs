//! `Softmax`: numbers as probabilities, as a layer.

use crate::{activations, prelude::*};

/// `eˣ / Σ eˣ` along some axes: positive numbers whose sum is 1.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Softmax", shape = ".. -> ..")]
pub struct Softmax {
    /// The axis, or the axes taken together, along which the sum is 1.
    #[config(default = -1)]
    pub axis: AxisList,
}

impl Layer for Softmax {
    fn check(&self) -> Result<()> {
        ensure!(
            !self.axis.as_slice().is_empty(),
            "`axis` of `Softmax` needs one axis or more, got []"
        );
        Ok(())
    }

    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        activations::Softmax { axis: self.axis.clone() }.call(x.cast(DType::F32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_axes_that_are_not_there() {
        let error = layer_error(Softmax::new().axis(2), &[2, 3]);
        assert_eq!(error.message, "f32[2, 3] has no axis 2");
        let error = layer_error(Softmax::new().axis([]), &[2, 3]);
        assert_eq!(error.message, "`axis` of `Softmax` needs one axis or more, got []");
    }
}
