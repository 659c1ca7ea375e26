//! `Activation`: a function of its input, as a layer.

use crate::prelude::*;

/// Applies a function to its input.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Activation", shape = ".. -> ..")]
pub struct Activation {
    /// The function: an object or its name.
    pub activation: crate::activations::Activation,
}

impl Layer for Activation {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.activation.apply(x.cast(DType::F32))
    }
}
