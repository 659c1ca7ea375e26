//! `Subtract`: one input less another.

use super::align::{fold, shapes};
use crate::prelude::*;

/// The first of two inputs less the second, element by element; shapes are as for
/// [`Add`](crate::layers::Add).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Config)]
#[config(class = "keras.layers.Subtract", shape = "[batch ..each] -> batch ..joint")]
pub struct Subtract;

impl Layer for Subtract {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.call_all(cx, &[x])
    }

    fn call_all<'g>(&self, cx: &Scope<'g>, inputs: &[Tensor<'g>]) -> Tensor<'g> {
        if inputs.len() != 2 {
            return cx.trace().fail(Error::new(format!(
                "A `Subtract` layer should be called on exactly 2 inputs. \
                 Received: input_shape={:?}",
                shapes(inputs)
            )));
        }
        fold(cx, inputs, |a, b| a - b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::merged;

    #[test]
    fn rejects_any_other_number_of_inputs() {
        assert_eq!(
            merged(Subtract, &vec![Type::f32([2, 3]); 3]).unwrap_err().message,
            "A `Subtract` layer should be called on exactly 2 inputs. \
             Received: input_shape=[[2, 3], [2, 3], [2, 3]]"
        );
    }
}
