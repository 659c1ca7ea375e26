//! `MultiSampleDropout`: several masks at once in front of the last layer.

use super::dropout::Dropout;
use crate::{config::snake_case, layer::AnyLayer, prelude::*};

/// A layer around the last one of a network. While training, that is called on its input under
/// `samples` dropout masks, with the same weights each time. The output is the mean of what it
/// gives; the loss, where this is the network's output, is the mean of the losses of each, as if
/// each mask were a batch of its own. At inference it is called once, on its input as it is.
///
/// All that comes before is computed once for all masks, and most of a network comes before: an
/// epoch costs little more, and fewer are needed.
///
/// Whatever follows this layer sees the mean, and there the loss is that of what follows: give the
/// last layer its activation, `MultiSampleDropout::new(Dense::new(10).activation("softmax"))`. The
/// layer within is called `samples` times in a step of training, and so are its penalty for
/// activities and the statistics that it keeps.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// calls the layer within once, and asks for no seed, until it is turned up for the first time.
///
/// Keras has no such layer. Inoue, *Multi-sample dropout for accelerated training and better
/// generalization*, 2019, <https://arxiv.org/abs/1905.09788>.
#[derive(Clone, Debug, Config)]
#[config(class = "oxhorn.layers.MultiSampleDropout", shape = "batch .. -> batch ..outputs")]
pub struct MultiSampleDropout {
    /// The layer within, the last of the network.
    pub layer: AnyLayer,
    /// Fraction of the inputs to drop, from 0 to 1.
    #[config(default = 0.5)]
    pub rate: f64,
    /// Number of masks, at least 1.
    #[config(default = 5)]
    pub samples: usize,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for MultiSampleDropout {
    fn check(&self) -> Result<()> {
        self.dropout().check()?;
        ensure!(self.samples > 0, "`samples` must be 1 or more, got 0");
        self.layer.check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let class = snake_case(self.layer.class_name());
        let name = self.layer.name.as_deref().unwrap_or(&class);
        // Sampled predictions have one mask each already.
        let samples = if cx.training() && cx.awake("rate", self.rate) { self.samples } else { 1 };
        let sample = |_| cx.layer(name, &self.layer, self.dropout().call(cx, x));
        cx.ensemble((0..samples).map(sample).collect())
    }
}

impl MultiSampleDropout {
    fn dropout(&self) -> Dropout {
        Dropout { rate: self.rate, noise_shape: None, seed: self.seed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        layers::Dense,
        testing::{layer_error, layer_text},
    };

    #[test]
    fn is_the_layer_within_at_inference_and_at_rate_0() {
        let head = || MultiSampleDropout::new(Dense::new(3));
        for (layer, mode) in [(head(), Mode::Infer), (head().rate(0.0), Mode::Train)] {
            let text = layer_text(layer, mode, &[2, 5]);
            assert!(text.matches("matmul").count() == 1 && !text.contains("random"), "{text}");
        }
        let text = layer_text(head(), Mode::Train, &[2, 5]);
        assert_eq!(text.matches("matmul").count(), 5);
        assert_eq!(text.matches("weight \"layer/dense/kernel\"").count(), 1, "{text}");
    }

    #[test]
    fn rejects_no_samples_and_what_the_layer_within_rejects() {
        let error = layer_error(MultiSampleDropout::new(Dense::new(3)).samples(0), &[2, 5]);
        assert_eq!(error.message, "`samples` must be 1 or more, got 0");
        let error = layer_error(MultiSampleDropout::new(Dense::new(0)), &[2, 5]);
        assert!(error.message.ends_with("Received: units=0"), "{error}");
    }
}
