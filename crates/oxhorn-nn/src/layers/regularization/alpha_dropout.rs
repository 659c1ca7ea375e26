//! `AlphaDropout`: dropout that keeps mean and variance, for networks of `selu`.

use super::dropout::Dropout;
use crate::prelude::*;

/// While training, sets a random fraction `rate` of its inputs to `α'`, the least value of `selu`,
/// and maps the result to `a · x + b`, which brings inputs of mean 0 and variance 1 back to that
/// mean and variance:
///
/// `a = 1 / √((1 - rate) · (1 + rate · α'²))`, `b = -a · α' · rate`, `α' = -1.7580993408473766`.
///
/// Otherwise does nothing.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// stays out of the graph, and asks for no seed, until it is turned up for the first time. At a
/// rate of 1, where Keras divides by zero, all is 0: the limit that smaller rates approach.
///
/// Klambauer et al., *Self-normalizing neural networks*, 2017, <https://arxiv.org/abs/1706.02515>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.AlphaDropout", shape = ".. -> ..")]
pub struct AlphaDropout {
    /// Fraction of the inputs to drop, from 0 to 1.
    pub rate: f64,
    /// Shape of the mask. An axis given as `None` follows the input; along an axis given as 1,
    /// inputs are dropped together: `[None, 1, None]` drops a feature at all timesteps.
    #[config(default)]
    pub noise_shape: Option<Vec<Option<usize>>>,
    /// Seed of the layer's random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

/// What `selu` tends to at the far left: the product of its scale and its alpha, turned.
const LEAST: f64 = -1.050_700_987_355_480_5 * 1.673_263_242_354_377_2;

impl Layer for AlphaDropout {
    fn check(&self) -> Result<()> {
        self.plain().check()
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
        let shape = self.plain().mask_shape(x);
        let noise = cx.draw(&seeds, x, shape, |key, shape| key.random_uniform(shape));
        let mask = noise.greater_equal(rate.cast(DType::F32));
        // Nothing is kept at rate 1, but the gradient of `x / 0` would not be a number.
        let keep = 1.0 - rate;
        let keep = keep.greater(0.0).select(keep, 1.0);
        let a = (keep * (1.0 + rate * (LEAST * LEAST))).rsqrt();
        let least = a * LEAST;
        let b = -(least * rate);
        let [a, b, dropped] = [a, b, least + b].map(|number| number.cast(DType::F32));
        mask.select(x * a + b, dropped)
    }
}

impl AlphaDropout {
    /// The `Dropout` that drops the same inputs.
    fn plain(&self) -> Dropout {
        let AlphaDropout { rate, noise_shape, seed } = self.clone();
        Dropout { rate, noise_shape, seed }
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, grad, interpret::interpret};

    use super::*;
    use crate::{
        scope::Declarations,
        testing::{f32_input, layer_error, layer_text},
    };

    /// The output and the gradient of its sum.
    fn train(layer: &AlphaDropout, rate: f64, x: Array) -> [Array; 2] {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let input = f32_input(&trace, &x.shape);
        let y = layer.call(&cx, input);
        let wanted = [y.value(), grad(y.sum(..), &[input])[0].value()];
        drop(cx);
        let graph = trace.finish(&wanted).expect("no mistake");
        // In the order of their definition: input, rate, state of the seed generator.
        let leaves = [x, Array::new([], vec![rate]), Array::new([2], vec![7.0, 0.0])];
        interpret(&graph, &leaves).expect("the leaves fit").outputs.try_into().expect("two")
    }

    #[test]
    fn is_absent_from_inference_graphs() {
        let text = layer_text(AlphaDropout::new(0.5), Mode::Infer, &[2, 3]);
        assert!(!text.contains("select"), "{text}");
    }

    #[test]
    fn keeps_mean_and_variance() {
        let x = Array::from_fn(&[100, 101], |ix| if ix[1] % 2 == 0 { 1.0 } else { -1.0 });
        let [y, _] = train(&AlphaDropout::new(0.3), 0.3, x);
        let mean = y.data.iter().sum::<f64>() / 10_100.0;
        let variance = y.data.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 10_100.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
    }

    #[test]
    fn gives_zero_at_rate_1_and_its_input_at_rate_0() {
        let x = || Array::new([3], vec![-2.0, 0.5, 7.0]);
        let [y, dx] = train(&AlphaDropout::new(0.3), 1.0, x());
        assert_eq!((y.data, dx.data), (vec![0.0; 3], vec![0.0; 3]));
        let [y, dx] = train(&AlphaDropout::new(0.3), 0.0, x());
        assert_eq!((y.data, dx.data), (x().data, vec![1.0; 3]));
    }

    #[test]
    fn rejects_what_dropout_rejects() {
        let error = AlphaDropout::new(1.5).check().unwrap_err();
        assert!(error.message.ends_with("between 0 and 1. Received: rate=1.5"), "{error}");
        let layer = AlphaDropout::new(0.5).noise_shape([None, None, None]);
        assert_eq!(layer_error(layer, &[2, 3]).message, "f32[2, 3] has no axis 2");
    }
}
