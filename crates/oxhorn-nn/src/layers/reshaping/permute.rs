//! `Permute`: the axes of a sample in another order.

use crate::prelude::*;

/// Puts the axes of each sample into another order.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Permute", shape = "batch .. -> batch ..dims")]
pub struct Permute {
    /// The axes in their new order, counted from 1: `[2, 1]` swaps the two of a matrix.
    pub dims: Vec<usize>,
}

impl Layer for Permute {
    fn check(&self) -> Result<()> {
        let mut dims = self.dims.clone();
        dims.sort_unstable();
        ensure!(
            dims.iter().copied().eq(1..=dims.len()),
            "Invalid permutation argument `dims` for Permute Layer. The set of indices in `dims` \
            must be consecutive and start from 1. Received dims={:?}",
            self.dims
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match expect_rank(x, self.dims.len() + 1) {
            Ok(()) => x.transpose([&[0], &self.dims[..]].concat()),
            Err(error) => cx.trace().fail(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_what_is_no_permutation() {
        for dims in [vec![1, 3], vec![0, 1], vec![1, 1]] {
            let expected = format!(
                "Invalid permutation argument `dims` for Permute Layer. The set of indices in \
                 `dims` must be consecutive and start from 1. Received dims={dims:?}"
            );
            assert_eq!(Permute::new(dims).check().unwrap_err().message, expected);
        }
    }

    #[test]
    fn rejects_samples_with_another_number_of_axes() {
        assert_eq!(
            layer_error(Permute::new([2, 1]), &[2, 3]).message,
            "the input is incompatible with the layer: expected ndim=3, found ndim=2. \
             Full shape received: [2, 3]"
        );
    }
}
