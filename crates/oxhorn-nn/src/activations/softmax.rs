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
        let e = (x - reduced(x, &self.axis, Tensor::reduce_max)).exp();
        e / reduced(e, &self.axis, Tensor::sum)
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
        let x = x - reduced(x, &self.axis, Tensor::reduce_max);
        x - reduced(x.exp(), &self.axis, Tensor::sum).log()
    }
}

/// A reduction along these axes, which stay at extent 1.
fn reduced<'g>(
    x: Tensor<'g>,
    axes: &AxisList,
    reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> Tensor<'g> {
    let found: Vec<usize> = axes.as_slice().iter().filter_map(|&axis| x.axis(axis)).collect();
    let mut shape = x.shape();
    found.iter().for_each(|&axis| shape[axis] = 1);
    reduce(x, found).reshape(shape)
}
