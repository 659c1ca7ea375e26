//! `UnitNormalization`: vectors of length 1.

use crate::prelude::*;

/// Divides the vectors along some axes by their length: `x / √Σ x²`. Vectors shorter than 10⁻¹²
/// are divided by that.
///
/// So is the gradient, even of a vector of zeros, where that of Keras is not a number.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.UnitNormalization", shape = ".. -> ..")]
pub struct UnitNormalization {
    /// The axis, or the axes taken together, along which the vectors lie.
    #[config(default = -1)]
    pub axis: AxisList,
}

/// The length by which shorter vectors are divided.
const SHORTEST: f64 = 1e-12;

impl Layer for UnitNormalization {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let squares = self.axis.reduce(x * x, Tensor::sum);
        // The bound is inside the root, whose slope at 0 is infinite.
        x * squares.maximum(SHORTEST * SHORTEST).rsqrt()
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, grad, interpret::interpret};

    use super::*;
    use crate::{
        scope::Declarations,
        testing::{f32_input, layer_error},
    };

    #[test]
    fn vectors_of_zeros_stay_zero_and_have_a_gradient() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let x = f32_input(&trace, &[1, 2]);
        let y = UnitNormalization::new().call(&cx, x);
        let wanted = [y.value(), grad(y.sum(..), &[x])[0].value()];
        drop(cx);
        let graph = trace.finish(&wanted).expect("no mistake");
        let outputs = interpret(&graph, &[Array::new([1, 2], vec![0.0; 2])]).unwrap().outputs;
        assert_eq!(outputs[0].data, [0.0; 2]);
        assert!(outputs[1].data.iter().all(|dx| (dx * SHORTEST - 1.0).abs() < 1e-6));
    }

    #[test]
    fn rejects_axes_that_the_input_lacks() {
        let error = layer_error(UnitNormalization::new().axis(2), &[4, 3]);
        assert_eq!(error.message, "f32[4, 3] has no axis 2");
    }
}
