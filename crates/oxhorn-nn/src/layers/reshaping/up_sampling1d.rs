//! `UpSampling1D`: a sequence, slower.

use super::margins::repeat;
use crate::prelude::*;

/// Repeats each step of a sequence `size` times.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.UpSampling1D",
    shape = "batch steps features -> batch repeated features"
)]
pub struct UpSampling1D {
    /// How often a step is repeated.
    #[config(default = 2)]
    pub size: usize,
}

impl Layer for UpSampling1D {
    fn check(&self) -> Result<()> {
        let size = self.size;
        ensure!(size > 0, "Argument `size` should be a positive integer. Received: size={size}");
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match expect_rank(x, 3) {
            Ok(()) => repeat(x, 1, self.size),
            Err(error) => cx.trace().fail(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_no_repetition() {
        assert_eq!(
            UpSampling1D::new().size(0_usize).check().unwrap_err().message,
            "Argument `size` should be a positive integer. Received: size=0"
        );
    }

    #[test]
    fn rejects_what_is_no_sequence() {
        let error = layer_error(UpSampling1D::new(), &[2, 3]);
        assert!(error.message.contains("expected ndim=3, found ndim=2"), "{error}");
    }
}
