//! `Flatten`: one axis for all features.

use crate::prelude::*;

keyword! {
    /// Where an image has its channels.
    pub enum DataFormat {
        /// `[batch, .., channels]`
        ChannelsLast "channels_last",
        /// `[batch, channels, ..]`
        ChannelsFirst "channels_first",
    }
}

/// Lays the features of each sample out along one axis.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Flatten", shape = "batch .. -> batch features")]
pub struct Flatten {
    /// Where the channels are; those that come first are moved to the end before flattening.
    #[config(default)]
    pub data_format: Option<DataFormat>,
}

impl Layer for Flatten {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let rank = x.rank();
        let moves = self.data_format == Some(DataFormat::ChannelsFirst) && rank > 2;
        let x = if moves {
            x.transpose([0].into_iter().chain(2..rank).chain([1]).collect::<Vec<_>>())
        } else {
            x
        };
        let samples = x.dim(0);
        let features = x.shape().iter().skip(1).product();
        x.reshape([samples, features])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_text;

    #[test]
    fn gives_numbers_a_feature_axis() {
        let text = layer_text(Flatten::new(), Mode::Infer, &[3]);
        assert!(text.contains("reshape %0") && text.contains("f32[3, 1]"), "{text}");
    }
}
