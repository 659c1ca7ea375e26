//! `DropConnect`: a dense layer that drops its weights instead of its inputs.

use super::dropout::Dropout;
use crate::{layers::Dense, prelude::*};

/// A `Dense` layer of which, while training, a random fraction `rate` of the kernel is set to zero
/// and the rest scaled by `1 / (1 - rate)`: `activation(x · (mask ∘ kernel) / (1 - rate) + bias)`.
/// Otherwise it is that `Dense` layer, the mean of all those networks.
///
/// Each step of training has one mask for its whole batch, which costs no more memory than the
/// kernel; the paper draws one for each sample. The bias is always there. At inference the paper
/// averages the activation over draws from a normal law of the sum's mean and variance; here, as
/// usual, it is taken at the mean. Where predictions are sampled, each sample has a mask of its
/// own, in common for its inputs. Penalties and constraints are for the whole kernel.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// draws nothing, and asks for no seed, until it is turned up for the first time. At a rate of 1
/// the bias is all there is.
///
/// Keras has no such layer. Wan et al., *Regularization of neural networks using DropConnect*,
/// ICML 2013, <https://proceedings.mlr.press/v28/wan13.html>.
///
/// # Weights
///
/// - `kernel`: `[input_dim, units]`
/// - `bias`: `[units]`, if `use_bias`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.layers.DropConnect", shape = "batch .. input_dim -> batch .. units")]
pub struct DropConnect {
    /// Extent of the output's last axis.
    pub units: usize,
    /// Fraction of the kernel to drop, from 0 to 1.
    pub rate: f64,
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
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for DropConnect {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()?;
        self.plain().check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        self.plain().map(cx, x, |x, kernel| self.product(cx, x, kernel))
    }
}

impl DropConnect {
    /// The same layer without noise.
    fn plain(&self) -> Dense {
        let DropConnect { units, activation, use_bias, kernel, bias, .. } = self.clone();
        Dense { units, activation, use_bias, kernel, bias }
    }

    /// The product of `x` with what is left of the kernel.
    fn product<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>, kernel: Tensor<'g>) -> Tensor<'g> {
        if !cx.awake("rate", self.rate) || x.is_void() || kernel.is_void() {
            return x.dot(kernel);
        }
        let seeds = cx.seed_generator("seed_generator", self.seed);
        if !cx.drops() {
            return x.dot(kernel);
        }
        let [input_dim, units] = [kernel.dim(0), kernel.dim(1)];
        let keep = (1.0 - cx.number("rate", self.rate)).cast(DType::F32);
        // Nothing is kept at rate 1, but the gradient of `x / 0` would not be a number.
        let scale = keep.greater(0.0).select(keep, 1.0);
        let masked = |mask: Tensor<'g>, kernel| mask.less(keep).select(kernel / scale, 0.0);
        let Some(Sampling { samples, .. }) = cx.sampling() else {
            let noise = seeds.next().random_uniform([input_dim, units]);
            return x.dot(masked(noise, kernel));
        };
        let (samples, mut shape) = (samples.max(1), x.shape());
        shape.pop();
        let rows = shape.iter().product::<usize>() / samples;
        shape.push(units);
        let each = [samples, input_dim, units];
        let kernels = kernel.reshape([1, input_dim, units]).broadcast(each);
        x.reshape([samples, rows, input_dim])
            .matmul(masked(seeds.next().random_uniform(each), kernels))
            .reshape(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{scope::Masks, testing::layer_text};

    #[test]
    fn is_a_dense_layer_at_inference_and_at_rate_0() {
        let dense = layer_text(Dense::new(3).activation("relu"), Mode::Train, &[2, 4, 5]);
        for (rate, mode) in [(0.5, Mode::Infer), (0.0, Mode::Train)] {
            let text = layer_text(DropConnect::new(3, rate).activation("relu"), mode, &[2, 4, 5]);
            assert_eq!(text.replace("DropConnect", "Dense"), dense);
        }
    }

    #[test]
    fn samples_of_predictions_have_a_mask_each() {
        let mode = Mode::Sample(Sampling { samples: 3, masks: Masks::Own });
        let text = layer_text(DropConnect::new(2, 0.5), mode, &[12, 7, 5]);
        assert!(text.contains("f32[3, 5, 2]") && text.contains("f32[3, 28, 2]"), "{text}");
    }

    #[test]
    fn rejects_what_dense_and_dropout_reject() {
        let message = |layer: DropConnect| layer.check().unwrap_err().message;
        assert!(
            message(DropConnect::new(3, -0.5)).ends_with("between 0 and 1. Received: rate=-0.5")
        );
        assert!(message(DropConnect::new(0, 0.5)).ends_with("Received: units=0"));
    }
}
