//! `Concatenate`: inputs one after the other.

use super::align::{alike, shapes};
use crate::prelude::*;

/// Puts its inputs one after the other along an axis; along all others their extents are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
#[config(class = "keras.layers.Concatenate", shape = "[..each] -> ..joint")]
pub struct Concatenate {
    /// The axis, counted with that of the samples; a negative one counts from the end.
    #[config(default = -1)]
    pub axis: isize,
}

impl Layer for Concatenate {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.call_all(cx, &[x])
    }

    fn call_all<'g>(&self, cx: &Scope<'g>, inputs: &[Tensor<'g>]) -> Tensor<'g> {
        let shapes = shapes(inputs);
        let Some(first) = inputs.first() else {
            return cx.trace().fail(Error::new(format!(
                "A `Concatenate` layer should be called on a list of at least 1 input. \
                 Received: input_shape={shapes:?}"
            )));
        };
        let axis = first.axis(self.axis);
        let others = |shape: &[usize]| {
            let mut others = shape.to_vec();
            if let Some(extent) = axis.and_then(|axis| others.get_mut(axis)) {
                *extent = 0;
            }
            others
        };
        if !shapes.iter().all(|shape| others(shape) == others(&shapes[0])) {
            return cx.trace().fail(Error::new(format!(
                "A `Concatenate` layer requires inputs with matching shapes except for the \
                 concatenation axis. Received: input_shape={shapes:?}"
            )));
        }
        Tensor::concatenate(&alike(inputs), self.axis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::merged;

    #[test]
    fn rejects_inputs_that_differ_along_another_axis() {
        let message = |axis: isize, shapes: [&[usize]; 2]| {
            let types = shapes.map(Type::f32);
            merged(Concatenate::new().axis(axis), &types).unwrap_err().message
        };
        for (axis, shapes) in [
            (-1, [&[2, 3][..], &[3, 3]]),
            (1, [&[2, 3, 1], &[2, 4, 2]]),
            (-1, [&[2, 3], &[2, 3, 1]]),
            (-1, [&[2, 3, 1], &[2, 3]]),
        ] {
            let expected = format!(
                "A `Concatenate` layer requires inputs with matching shapes except for the \
                 concatenation axis. Received: input_shape={shapes:?}"
            );
            assert_eq!(message(axis, shapes), expected);
        }
        assert_eq!(message(2, [&[2, 3], &[2, 3]]), "f32[2, 3] has no axis 2");
    }

    #[test]
    fn rejects_nothing() {
        assert_eq!(
            merged(Concatenate::new(), &[]).unwrap_err().message,
            "A `Concatenate` layer should be called on a list of at least 1 input. \
             Received: input_shape=[]"
        );
    }
}
