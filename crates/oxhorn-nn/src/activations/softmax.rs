//! `softmax` and `log_softmax`: numbers as probabilities.

use crate::prelude::*;

/// `eˣ / Σ eˣ` along some axes: positive numbers whose sum is 1.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.softmax")]
pub struct Softmax {
    /// The axis, or the axes taken together, along which the sum is 1.
    #[config(default = -1)]
    pub axis: AxisList,
}

impl Activate for Softmax {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let e = (x - self.axis.reduce(x, Tensor::reduce_max)).exp();
        e / self.axis.reduce(e, Tensor::sum)
    }
}

/// The logarithm of `softmax`, without underflow.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.log_softmax")]
pub struct LogSoftmax {
    /// The axis, or the axes taken together, along which the probabilities' sum is 1.
    #[config(default = -1)]
    pub axis: AxisList,
}

impl Activate for LogSoftmax {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let x = x - self.axis.reduce(x, Tensor::reduce_max);
        x - self.axis.reduce(x.exp(), Tensor::sum).log()
    }
}
