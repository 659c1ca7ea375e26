//! `SpatialDropout1D`, `2D` and `3D`: dropout of whole channels.

use super::dropout::Dropout;
use crate::{layers::DataFormat, prelude::*};

/// While training, drops a random fraction `rate` of its channels, each at all timesteps, and
/// scales the others as `Dropout` does. Otherwise does nothing.
///
/// Neighbours in time resemble one another, so that dropping one of them hides little.
///
/// The rate is a number that can be turned while a model trains. Keras' dictionary of this layer
/// has no `trainable`, and Keras refuses one; here it is taken, and changes nothing.
///
/// Tompson et al., *Efficient object localization using convolutional networks*, 2014,
/// <https://arxiv.org/abs/1411.4280>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.SpatialDropout1D",
    shape = "batch steps channels -> batch steps channels",
    unsupported = ["noise_shape"]
)]
pub struct SpatialDropout1D {
    /// Fraction of the channels to drop, from 0 to 1.
    pub rate: f64,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
    /// The type of the elements.
    #[config(default)]
    pub dtype: Float32,
}

impl Layer for SpatialDropout1D {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        drop_channels(cx, self.rate, None, self.seed, cx.of_rank(x, 3))
    }
}

/// While training, drops a random fraction `rate` of its channels, each at all positions of an
/// image, and scales the others as `Dropout` does. Otherwise does nothing.
///
/// Neighbours in an image resemble one another, so that dropping one of them hides little.
///
/// The rate is a number that can be turned while a model trains. Keras' dictionary of this layer
/// has no `trainable`, and Keras refuses one; here it is taken, and changes nothing.
///
/// Tompson et al., *Efficient object localization using convolutional networks*, 2014,
/// <https://arxiv.org/abs/1411.4280>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.SpatialDropout2D",
    shape = "batch a b c -> batch a b c",
    unsupported = ["noise_shape"]
)]
pub struct SpatialDropout2D {
    /// Fraction of the channels to drop, from 0 to 1.
    pub rate: f64,
    /// Where the channels are: `channels_last` if nothing else is said.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
    /// The type of the elements.
    #[config(default)]
    pub dtype: Float32,
}

impl Layer for SpatialDropout2D {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        drop_channels(cx, self.rate, self.data_format, self.seed, cx.of_rank(x, 4))
    }
}

/// While training, drops a random fraction `rate` of its channels, each at all positions of a
/// volume, and scales the others as `Dropout` does. Otherwise does nothing.
///
/// Neighbours in a volume resemble one another, so that dropping one of them hides little.
///
/// The rate is a number that can be turned while a model trains. Keras' dictionary of this layer
/// has no `trainable`, and Keras refuses one; here it is taken, and changes nothing.
///
/// Tompson et al., *Efficient object localization using convolutional networks*, 2014,
/// <https://arxiv.org/abs/1411.4280>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.SpatialDropout3D",
    shape = "batch a b c d -> batch a b c d",
    unsupported = ["noise_shape"]
)]
pub struct SpatialDropout3D {
    /// Fraction of the channels to drop, from 0 to 1.
    pub rate: f64,
    /// Where the channels are: `channels_last` if nothing else is said.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
    /// The type of the elements.
    #[config(default)]
    pub dtype: Float32,
}

impl Layer for SpatialDropout3D {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        drop_channels(cx, self.rate, self.data_format, self.seed, cx.of_rank(x, 5))
    }
}

/// `Dropout` with one number of the mask for each sample and channel.
fn drop_channels<'g>(
    cx: &Scope<'g>,
    rate: f64,
    data_format: Option<DataFormat>,
    seed: Option<u32>,
    x: Tensor<'g>,
) -> Tensor<'g> {
    let channels = match data_format {
        Some(DataFormat::ChannelsFirst) => 1,
        Some(DataFormat::ChannelsLast) | None => x.rank().saturating_sub(1),
    };
    let follows = |axis| (axis != 0 && axis != channels).then_some(1);
    let noise_shape = Some((0..x.rank()).map(follows).collect());
    Dropout { rate, noise_shape, seed }.call(cx, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layer::AnyLayer,
        testing::{layer_error, layer_text},
    };

    #[test]
    fn draws_one_number_for_each_sample_and_channel() {
        let text = layer_text(SpatialDropout1D::new(0.5), Mode::Train, &[2, 5, 3]);
        assert!(text.contains("u32[2, 1, 3]"), "{text}");
        let layer = SpatialDropout2D::new(0.5).data_format(DataFormat::ChannelsFirst);
        let text = layer_text(layer, Mode::Train, &[2, 5, 3, 7]);
        assert!(text.contains("u32[2, 5, 1, 1]"), "{text}");
        let text = layer_text(SpatialDropout3D::new(0.5), Mode::Train, &[2, 5, 3, 7, 1]);
        assert!(text.contains("u32[2, 1, 1, 1, 1]"), "{text}");
    }

    #[test]
    fn rejects_inputs_of_another_rank() {
        assert_eq!(
            layer_error(SpatialDropout1D::new(0.5), &[4, 10]).message,
            "the input is incompatible with the layer: expected ndim=3, found ndim=2. Full shape \
             received: [4, 10]"
        );
        assert!(layer_error(SpatialDropout2D::new(0.5), &[4, 10]).message.contains("ndim=4"));
        assert!(layer_error(SpatialDropout3D::new(0.5), &[4, 10]).message.contains("ndim=5"));
    }

    #[test]
    fn dictionaries_of_keras_2_are_understood() {
        let json = serde_json::json!({"class_name": "SpatialDropout1D", "config": {
            "name": "drop", "trainable": true, "dtype": "float32", "rate": 0.5,
            "noise_shape": null, "seed": null}});
        let layer = AnyLayer::open(&json).expect("a layer");
        assert_eq!(layer.envelope()["config"]["rate"], 0.5);
    }
}
