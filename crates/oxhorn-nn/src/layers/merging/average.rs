//! `Average`: the mean of several inputs.

use super::align::fold;
use crate::prelude::*;

/// The mean of its inputs, element by element; shapes are as for [`Add`](crate::layers::Add).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
#[config(class = "keras.layers.Average", shape = "[batch ..each] -> batch ..joint")]
pub struct Average;

impl Layer for Average {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.call_all(cx, &[x])
    }

    fn call_all<'g>(&self, cx: &Scope<'g>, inputs: &[Tensor<'g>]) -> Tensor<'g> {
        // The mean of integers is none.
        let sum = fold(cx, inputs, |a, b| a + b).cast(DType::F32);
        sum / inputs.len() as f64
    }
}
