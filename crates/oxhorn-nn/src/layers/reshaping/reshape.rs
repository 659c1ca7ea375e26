//! `Reshape`: the same features under another shape.

use crate::prelude::*;

/// Gives each sample another shape, keeping the order of its elements.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Reshape", shape = "batch .. -> batch ..target_shape")]
pub struct Reshape {
    /// The shape of a sample; one extent may be -1, which stands for what is left over.
    pub target_shape: Vec<i64>,
}

impl Layer for Reshape {
    fn check(&self) -> Result<()> {
        let shape = &self.target_shape;
        let unknown = shape.iter().filter(|extent| **extent == -1).count();
        ensure!(
            unknown <= 1,
            "`target_shape` may contain -1 only once. Received: target_shape={shape:?}"
        );
        ensure!(
            shape.iter().all(|extent| *extent >= -1),
            "`target_shape` holds extents, or -1. Received: target_shape={shape:?}"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (samples, input) = (x.dim(0), x.shape().split_off(x.rank().min(1)));
        let features: usize = input.iter().product();
        let known = size(self.target_shape.iter().filter(|n| **n >= 0).map(|&n| n as usize));
        let left = features.checked_div(known).unwrap_or(0);
        let sample = self.target_shape.iter().map(|&n| if n < 0 { left } else { n as usize });
        let sample: Vec<usize> = sample.collect();
        if !x.is_void() && size(sample.iter().copied()) != features {
            let message = format!(
                "The total size of the tensor must be unchanged. Received: input_shape={input:?}, \
                 target_shape={:?}",
                self.target_shape
            );
            let help = format!("a sample has {features} numbers, neither more nor fewer");
            return cx.trace().fail(Error::new(message).help(help));
        }
        x.reshape([&[samples], &sample[..]].concat())
    }
}

/// The number of elements, or the greatest number if it is beyond that.
fn size(extents: impl Iterator<Item = usize>) -> usize {
    extents.fold(1, usize::saturating_mul)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_what_it_cannot_fill() {
        let error = layer_error(Reshape::new([-1, 4]), &[2, 3, 2]);
        assert_eq!(
            error.message,
            "The total size of the tensor must be unchanged. Received: input_shape=[3, 2], \
             target_shape=[-1, 4]"
        );
        let error = layer_error(Reshape::new([i64::MAX, i64::MAX]), &[2, 3, 2]);
        assert!(error.message.contains("must be unchanged"), "{error}");
        assert!(Reshape::new([-1, -1]).check().is_err());
        assert!(Reshape::new([-2]).check().is_err());
    }
}
