//! `GaussianDropout`: dropout whose noise is normal instead of all or nothing.

use crate::prelude::*;

/// While training, multiplies its inputs by normal noise of mean 1 and standard deviation
/// `√(rate / (1 - rate))`, which is that of the noise of `Dropout`. Otherwise does nothing.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// stays out of the graph, and asks for no seed, until it is turned up for the first time.
///
/// At a rate of 1 the noise would be infinite. Keras takes it and fails in the first step of
/// training; here it is refused at once.
///
/// Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
/// JMLR 2014, section 10, <https://jmlr.org/papers/v15/srivastava14a.html>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.GaussianDropout", shape = ".. -> ..")]
pub struct GaussianDropout {
    /// The rate of the `Dropout` with noise of this variance, from 0 to less than 1.
    pub rate: f64,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for GaussianDropout {
    fn check(&self) -> Result<()> {
        ensure!(
            (0.0..1.0).contains(&self.rate),
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. \
            Received: rate={}", self.rate;
            help: "it has to be less than 1, where the noise would be infinite"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        if !cx.awake("rate", self.rate) {
            return x;
        }
        let seeds = cx.seed_generator("seed_generator", self.seed);
        if !cx.drops() {
            return x;
        }
        let rate = cx.number("rate", self.rate);
        let stddev = (rate / (1.0 - rate)).sqrt().cast(DType::F32);
        let noise = cx.draw(&seeds, x, x.shape(), |key, shape| key.random_normal(shape));
        x * (noise * stddev + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_text;

    #[test]
    fn is_absent_from_inference_graphs() {
        let text = layer_text(GaussianDropout::new(0.5), Mode::Infer, &[2, 3]);
        assert!(!text.contains("mul") && !text.contains("random_bits"), "{text}");
    }

    #[test]
    fn is_absent_at_rate_0_until_it_is_turned_up() {
        let text = layer_text(GaussianDropout::new(0.0), Mode::Train, &[2, 3]);
        assert!(!text.contains("random_bits"), "{text}");
        let text = layer_text(GaussianDropout::new(0.1), Mode::Train, &[2, 3]);
        assert!(text.contains("random_bits") && text.contains("layer/rate"), "{text}");
    }

    #[test]
    fn rejects_rates_whose_noise_is_infinite_or_no_noise() {
        for (rate, text) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            let error = GaussianDropout::new(rate).check().unwrap_err();
            let expected = "Invalid value received for argument `rate`. \
                            Expected a float value between 0 and 1. Received: rate=";
            assert_eq!(error.message, format!("{expected}{text}"));
        }
    }
}
