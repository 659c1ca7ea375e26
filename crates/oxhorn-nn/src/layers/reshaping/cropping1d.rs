//! `Cropping1D`: a sequence without its ends.

use super::margins::{Pair, crop};
use crate::prelude::*;

/// Leaves out steps at both ends of each sequence.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Cropping1D", shape = "batch steps features -> batch left features")]
pub struct Cropping1D {
    /// How many steps go at the start and at the end; one number stands for both.
    #[config(default = 1)]
    pub cropping: Pair,
}

impl Layer for Cropping1D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        if let Err(error) = expect_rank(x, 3) {
            return cx.trace().fail(error);
        }
        let Pair(cropping) = self.cropping;
        crop(x, 1, &[cropping]).unwrap_or_else(|| {
            cx.trace().fail(Error::new(format!(
                "`cropping` parameter of `Cropping1D` layer must be smaller than the input length. \
                 Received: inputs.shape={:?}, cropping={cropping:?}",
                x.shape()
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_to_leave_nothing() {
        for cropping in [[1, 2], [3, 0], [0, 4], [usize::MAX, 1]] {
            assert_eq!(
                layer_error(Cropping1D::new().cropping(cropping), &[2, 3, 4]).message,
                format!(
                    "`cropping` parameter of `Cropping1D` layer must be smaller than the input \
                     length. Received: inputs.shape=[2, 3, 4], cropping={cropping:?}"
                )
            );
        }
    }

    #[test]
    fn rejects_what_is_no_sequence() {
        let error = layer_error(Cropping1D::new(), &[2, 3]);
        assert!(error.message.contains("expected ndim=3, found ndim=2"), "{error}");
    }
}
