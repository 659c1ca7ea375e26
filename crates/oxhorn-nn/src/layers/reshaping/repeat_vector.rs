//! `RepeatVector`: one vector as a sequence.

use crate::prelude::*;

/// Repeats the features of each sample `n` times, along a new axis of steps.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.RepeatVector", shape = "batch features -> batch n features")]
pub struct RepeatVector {
    /// The number of steps.
    pub n: usize,
}

impl Layer for RepeatVector {
    fn check(&self) -> Result<()> {
        let n = self.n;
        ensure!(n > 0, "Argument `n` should be a positive integer. Received: n={n}");
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        if let Err(error) = expect_rank(x, 2) {
            return cx.trace().fail(error);
        }
        let (samples, features) = (x.dim(0), x.dim(1));
        x.reshape([samples, 1, features]).broadcast([samples, self.n, features])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_no_steps() {
        assert_eq!(
            RepeatVector::new(0).check().unwrap_err().message,
            "Argument `n` should be a positive integer. Received: n=0"
        );
    }

    #[test]
    fn rejects_what_is_no_vector() {
        let error = layer_error(RepeatVector::new(2), &[2, 3, 4]);
        assert!(error.message.contains("expected ndim=2, found ndim=3"), "{error}");
    }
}
