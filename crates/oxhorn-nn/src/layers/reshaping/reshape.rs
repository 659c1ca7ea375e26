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
        let samples = x.dim(0);
        let features: usize = x.shape().iter().skip(1).product();
        let known: usize =
            self.target_shape.iter().filter(|extent| **extent >= 0).map(|&n| n as usize).product();
        let left = features.checked_div(known).unwrap_or(0);
        let sample = self.target_shape.iter().map(|&n| if n < 0 { left } else { n as usize });
        let shape: Vec<usize> = [samples].into_iter().chain(sample).collect();
        if !x.is_void() && shape.iter().product::<usize>() != samples * features {
            let message = format!(
                "The total size of the tensor must be unchanged. Received: input_shape={:?}, \
                 target_shape={:?}",
                &x.shape()[1..],
                self.target_shape
            );
            return cx.trace().fail(Error::new(message));
        }
        x.reshape(shape)
    }
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
        assert!(Reshape::new([-1, -1]).check().is_err());
        assert!(Reshape::new([-2]).check().is_err());
    }
}
