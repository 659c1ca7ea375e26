//! `Dense`: an affine map of the last axis.

use crate::prelude::*;

/// Maps the last axis through a matrix of weights: `activation(x · kernel + bias)`.
///
/// # Weights
///
/// - `kernel`: `[input_dim, units]`
/// - `bias`: `[units]`, if `use_bias`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.Dense",
    shape = "batch .. input_dim -> batch .. units",
    unsupported = ["quantization_config", "lora_rank", "lora_alpha"]
)]
pub struct Dense {
    /// Extent of the output's last axis.
    pub units: usize,
    /// Function applied to the result.
    #[config(default)]
    pub activation: Activation,
    /// Whether to add a bias.
    #[config(default = true)]
    pub use_bias: bool,
    /// How the `kernel` is initialised, regularised and constrained.
    #[config(weight = "glorot_uniform")]
    pub kernel: Weight,
    /// The same for the `bias`.
    #[config(weight = "zeros")]
    pub bias: Weight,
}

impl Layer for Dense {
    fn check(&self) -> Result<()> {
        ensure!(
            self.units > 0,
            "Received an invalid value for `units`, expected a positive integer. \
            Received: units={}",
            self.units
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.map(cx, x, |x, kernel| x.dot(kernel))
    }
}

impl Dense {
    /// The layer with another product of its input and its kernel.
    pub(in crate::layers) fn map<'g>(
        &self,
        cx: &Scope<'g>,
        x: Tensor<'g>,
        product: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        if x.rank() < 2 && !x.is_void() {
            let error = Error::new(format!(
                "the input is incompatible with the layer: expected min_ndim=2, found ndim={}",
                x.rank()
            ));
            let help = "the axes are samples and features; samples of one number have shape [n, 1]";
            return cx.trace().fail(error.help(help));
        }
        let x = x.cast(DType::F32);
        let kernel = cx.weight("kernel", [x.dim(-1), self.units], &self.kernel);
        let mut y = product(x, kernel);
        if self.use_bias {
            y = y + cx.weight("bias", [self.units], &self.bias);
        }
        self.activation.apply(y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{layer_error, layer_text};

    #[test]
    fn folds_leading_axes_into_one_product() {
        let text = layer_text(Dense::new(3), Mode::Infer, &[2, 4, 5]);
        let operations: Vec<&str> = text
            .lines()
            .filter_map(|line| line.split(" = ").nth(1)?.split([' ', '\n']).next())
            .collect();
        assert_eq!(
            operations,
            ["input", "weight", "reshape", "matmul", "reshape", "weight", "broadcast", "add"]
        );
    }

    #[test]
    fn rejects_no_units() {
        assert_eq!(
            Dense::new(0).check().unwrap_err().message,
            "Received an invalid value for `units`, expected a positive integer. \
             Received: units=0"
        );
    }

    #[test]
    fn rejects_samples_without_features() {
        let error = layer_error(Dense::new(3), &[4]);
        assert_eq!(
            error.to_string(),
            "the input is incompatible with the layer: expected min_ndim=2, found ndim=1\n    in: \
             layer (Dense)\n  help: the axes are samples and features; samples of one number have \
             shape [n, 1]"
        );
    }
}
