//! `GlobalAveragePooling1D` and `2D`: the mean of each channel over all positions.

use super::global::pool;
use crate::{layers::DataFormat, prelude::*};

/// The mean of each channel over all timesteps.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.GlobalAveragePooling1D",
    aliases = ["GlobalAvgPool1D"],
    shape = "batch ..series -> batch ..pooled"
)]
pub struct GlobalAveragePooling1D {
    /// Where the channels are: `channels_last` if nothing else is said.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Whether the axis of timesteps stays, at extent 1.
    #[config(default = false)]
    pub keepdims: bool,
}

impl Layer for GlobalAveragePooling1D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        pool(cx.of_rank(x, 3), self.data_format, self.keepdims, Tensor::mean)
    }
}

/// The mean of each channel over all positions of an image.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.GlobalAveragePooling2D",
    aliases = ["GlobalAvgPool2D"],
    shape = "batch ..image -> batch ..pooled"
)]
pub struct GlobalAveragePooling2D {
    /// Where the channels are: `channels_last` if nothing else is said.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// Whether the axes of positions stay, at extent 1.
    #[config(default = false)]
    pub keepdims: bool,
}

impl Layer for GlobalAveragePooling2D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        pool(cx.of_rank(x, 4), self.data_format, self.keepdims, Tensor::mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_inputs_of_another_rank() {
        assert_eq!(
            layer_error(GlobalAveragePooling1D::new(), &[4, 10]).message,
            "the input is incompatible with the layer: expected ndim=3, found ndim=2. Full shape \
             received: [4, 10]"
        );
        let error = layer_error(GlobalAveragePooling2D::new(), &[4, 10, 2]);
        assert!(error.message.contains("expected ndim=4, found ndim=3"), "{error}");
    }
}
