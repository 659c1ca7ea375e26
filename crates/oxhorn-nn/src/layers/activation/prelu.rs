//! `PReLU`: a slope below zero that is learnt.

use crate::{activations::Relu, prelude::*};

/// `x` above 0, `alpha · x` below.
///
/// He et al., *Delving deep into rectifiers*, ICCV 2015, <https://arxiv.org/abs/1502.01852>.
///
/// # Weights
///
/// - `alpha`: the shape of a sample, with extent 1 along `shared_axes`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.PReLU", shape = ".. -> ..")]
pub struct PReLU {
    /// How `alpha` is initialised, regularised and constrained.
    #[config(weight = "zeros")]
    pub alpha: Weight,
    /// The axes along which there is one `alpha` for all, counted from 1: axis 0 is that of the
    /// samples. After a convolution over images, `[1, 2]` leaves one for each channel.
    #[config(default)]
    pub shared_axes: Option<Vec<usize>>,
}

impl Layer for PReLU {
    fn check(&self) -> Result<()> {
        ensure!(
            !self.shared_axes.iter().flatten().any(|axis| *axis == 0),
            "`shared_axes` of `PReLU` counts from 1, got {:?}",
            self.shared_axes.as_deref().unwrap_or_default();
            help: "axis 0 is that of the samples, which share every `alpha`"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let mut shape = x.shape();
        for &axis in self.shared_axes.iter().flatten() {
            if let Some(axis) = x.axis(axis as isize) {
                shape[axis] = 1;
            }
        }
        let alpha = cx.weight("alpha", shape.split_off(x.rank().min(1)), &self.alpha);
        let positive_part = Relu::new();
        positive_part.call(x) - alpha * positive_part.call(-x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_axes_that_it_cannot_share() {
        let error = PReLU::new().shared_axes([1, 0]).check().unwrap_err();
        assert_eq!(error.message, "`shared_axes` of `PReLU` counts from 1, got [1, 0]");
        let error = layer_error(PReLU::new().shared_axes([3]), &[2, 3]);
        assert_eq!(error.message, "f32[2, 3] has no axis 3");
    }
}
