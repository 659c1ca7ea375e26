//! `DropPath`: whole branches of a residual network left out at random.

use super::dropout::Dropout;
use crate::prelude::*;

keyword! {
    /// What is dropped together.
    pub enum Per {
        /// Each sample is kept or dropped by itself.
        Sample "sample",
        /// All samples of a batch are kept, or all are dropped.
        Batch "batch",
    }
}

/// Stochastic depth: while training, sets whole samples to zero, each with probability `rate`, and
/// scales the others by `1 / (1 - rate)`, which keeps their expectation. Otherwise does nothing.
///
/// It stands at the end of a branch, before the branch is added to what goes around it:
/// `x + drop_path(branch(x))` is `x` alone for the samples that are dropped. The paper draws once
/// for a batch (`per="batch"`) and scales at inference instead, which has the same expectation;
/// drawing for each sample is what later networks do. In the paper the rate grows with depth: the
/// `l`-th of `L` branches has the rate `l / L · rate`.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// stays out of the graph, and asks for no seed, until it is turned up for the first time. At a
/// rate of 1 all is 0.
///
/// Keras has no such layer. Huang et al., *Deep networks with stochastic depth*, 2016,
/// <https://arxiv.org/abs/1603.09382>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.layers.DropPath", shape = "batch .. -> batch ..")]
pub struct DropPath {
    /// Probability that a sample is dropped, from 0 to 1.
    pub rate: f64,
    /// What is dropped together: each sample by itself, or the whole batch.
    #[config(default = Per::Sample)]
    pub per: Per,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for DropPath {
    fn check(&self) -> Result<()> {
        Dropout::new(self.rate).check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let DropPath { rate, per, seed } = self.clone();
        let follows = |axis| (axis != 0 || per == Per::Batch).then_some(1);
        let noise_shape = Some((0..x.rank()).map(follows).collect());
        Dropout { rate, noise_shape, seed }.call(cx, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{layer_text, read_error};

    #[test]
    fn draws_one_number_for_each_sample_or_one_for_all() {
        let text = |layer| layer_text(layer, Mode::Train, &[3, 5, 2]);
        assert!(text(DropPath::new(0.5)).contains("f32[3, 1, 1]"));
        assert!(text(DropPath::new(0.5).per(Per::Batch)).contains("f32[1, 1, 1]"));
    }

    #[test]
    fn is_absent_from_inference_graphs_and_at_rate_0() {
        for (rate, mode) in [(0.5, Mode::Infer), (0.0, Mode::Train)] {
            let text = layer_text(DropPath::new(rate), mode, &[3, 5]);
            assert!(!text.contains("select") && !text.contains("random"), "{text}");
        }
    }

    #[test]
    fn rejects_rates_outside_the_unit_interval_and_other_words() {
        let error = DropPath::new(1.5).check().unwrap_err();
        assert!(error.message.ends_with("between 0 and 1. Received: rate=1.5"), "{error}");
        let error = read_error::<DropPath>(serde_json::json!({"rate": 0.5, "per": "row"}));
        assert_eq!(
            error.message,
            "`per` of `DropPath`: expected one of \"sample\", \"batch\", got \"row\""
        );
    }
}
