//! `GaussianNoise`: normal noise on every number.

use crate::prelude::*;

/// While training, adds normal noise of mean 0 to its inputs. Otherwise does nothing.
///
/// The standard deviation is a number that can be turned while a model trains. A layer made with
/// one of 0 stays out of the graph, and asks for no seed, until it is turned up for the first time.
///
/// Keras refuses standard deviations above 1, though there is nothing wrong with them where inputs
/// are large; here they are taken.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.GaussianNoise", shape = ".. -> ..")]
pub struct GaussianNoise {
    /// Standard deviation of the noise, 0 or more.
    pub stddev: f64,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Layer for GaussianNoise {
    fn check(&self) -> Result<()> {
        ensure!(
            self.stddev >= 0.0 && self.stddev.is_finite(),
            "Invalid value received for argument `stddev`. Expected a float value of 0 or more. \
            Received: stddev={}",
            self.stddev
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        if !cx.awake("stddev", self.stddev) {
            return x;
        }
        let seeds = cx.seed_generator("seed_generator", self.seed);
        if !cx.training() {
            return x;
        }
        let stddev = cx.number("stddev", self.stddev).cast(DType::F32);
        x + seeds.next().random_normal(x.shape()) * stddev
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_text;

    #[test]
    fn is_absent_from_inference_graphs() {
        let text = layer_text(GaussianNoise::new(0.5), Mode::Infer, &[2, 3]);
        assert!(!text.contains("add") && !text.contains("random_bits"), "{text}");
    }

    #[test]
    fn is_absent_without_deviation_until_it_is_turned_up() {
        let text = layer_text(GaussianNoise::new(0.0), Mode::Train, &[2, 3]);
        assert!(!text.contains("random_bits"), "{text}");
        let text = layer_text(GaussianNoise::new(0.1), Mode::Train, &[2, 3]);
        assert!(text.contains("random_bits") && text.contains("layer/stddev"), "{text}");
    }

    #[test]
    fn rejects_what_is_no_deviation() {
        assert!(GaussianNoise::new(2.5).check().is_ok());
        for (stddev, text) in [(-0.1, "-0.1"), (f64::INFINITY, "inf"), (f64::NAN, "NaN")] {
            let error = GaussianNoise::new(stddev).check().unwrap_err();
            let expected = "Invalid value received for argument `stddev`. \
                            Expected a float value of 0 or more. Received: stddev=";
            assert_eq!(error.message, format!("{expected}{text}"));
        }
    }
}
