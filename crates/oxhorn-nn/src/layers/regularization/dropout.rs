//! `Dropout`: noise that keeps units from relying on one another.

use crate::prelude::*;

/// While training, sets a random fraction `rate` of its inputs to zero and scales the others by
/// `1 / (1 - rate)`, which keeps their expected sum. Otherwise does nothing.
///
/// The rate is a number that can be turned while a model trains. A layer made with a rate of 0
/// stays out of the graph, and asks for no seed, until it is turned up for the first time.
///
/// Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
/// JMLR 2014, <https://jmlr.org/papers/v15/srivastava14a.html>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Dropout", shape = ".. -> ..")]
pub struct Dropout {
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

impl Layer for Dropout {
    fn check(&self) -> Result<()> {
        ensure!(
            (0.0..=1.0).contains(&self.rate),
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. \
            Received: rate={}", self.rate;
            help: "the rate is the fraction of inputs that is dropped"
        );
        let shape = self.noise_shape.iter().flatten();
        if let Some((index, _)) = shape.enumerate().find(|(_, extent)| **extent == Some(0)) {
            return Err(Error::new(format!(
                "Invalid value received for argument `noise_shape`. Expected all dimensions to be \
                 positive integers or None. Received negative or zero value at index {index}: 0"
            )));
        }
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
        // One minus the rate is taken in `f64`, as in Keras: the masks depend on its last bit.
        let keep = (1.0 - cx.number("rate", self.rate)).cast(DType::F32);
        let shape = self.mask_shape(x);
        let mask = cx.draw(&seeds, x, shape, |key, shape| key.random_uniform(shape)).less(keep);
        // Nothing is kept at rate 1, but the gradient of `x / 0` would not be a number.
        let scale = keep.greater(0.0).select(keep, 1.0);
        mask.select(x / scale, 0.0)
    }
}

impl Dropout {
    /// The shape of the mask for `x`.
    pub(super) fn mask_shape(&self, x: Tensor<'_>) -> Vec<usize> {
        match &self.noise_shape {
            None => x.shape(),
            Some(extents) => (0..)
                .zip(extents)
                .map(|(axis, extent)| extent.unwrap_or_else(|| x.dim(axis)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, grad, interpret::interpret};

    use super::*;
    use crate::{
        scope::Declarations,
        testing::{f32_input, layer_error},
    };

    /// The output and the gradient of its sum, for an input of ones.
    fn train(layer: &Dropout, rate: f64, shape: &[usize]) -> [Array; 2] {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let x = f32_input(&trace, shape);
        let y = layer.call(&cx, x);
        let wanted = [y.value(), grad(y.sum(..), &[x])[0].value()];
        drop(cx);
        let graph = trace.finish(&wanted).expect("no mistake");
        let seed = Array::new([2], vec![7.0, 0.0]);
        // In the order of their definition: input, rate, state of the seed generator.
        let leaves = [Array::from_fn(shape, |_| 1.0), Array::new([], vec![rate]), seed];
        interpret(&graph, &leaves).expect("the leaves fit").outputs.try_into().expect("two")
    }

    #[test]
    fn is_absent_from_inference_graphs() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let x = f32_input(&trace, &[2, 3]);
        let y = Dropout::new(0.5).call(&Scope::new(&trace, &declared, Mode::Infer), x);
        assert_eq!(x.value(), y.value());
    }

    #[test]
    fn is_absent_at_rate_0_until_it_is_turned_up() {
        let declared = Declarations::new();
        let noise = || {
            let trace = Trace::new("test");
            let x = f32_input(&trace, &[2, 3]);
            let cx = Scope::new(&trace, &declared, Mode::Train).child("dropout");
            let y = Dropout::new(0.0).call(&cx, x);
            y.value() != x.value()
        };
        assert!(!noise() && declared.variables().is_empty());
        assert_eq!(declared.numbers()[0].path, "dropout/rate");
        assert!(declared.wake("dropout/rate") && !declared.wake("dropout/rate"));
        assert!(noise() && declared.variables()[0].needs_seed());
    }

    #[test]
    fn keeps_the_mean() {
        let [y, _] = train(&Dropout::new(0.2), 0.2, &[100, 100]);
        assert!(y.data.iter().all(|&y| y == 0.0 || (y - 1.25).abs() < 1e-6));
        assert!((y.data.iter().sum::<f64>() / 1e4 - 1.0).abs() < 0.01);
    }

    #[test]
    fn shares_its_mask_along_axes_of_one() {
        let layer = Dropout::new(0.5).noise_shape([None, Some(1), None]);
        let [y, _] = train(&layer, 0.5, &[2, 5, 3]);
        for ix in [[0, 0, 0], [1, 0, 2], [1, 0, 1]] {
            assert!((0..5).all(|step| y[[ix[0], step, ix[2]]] == y[ix]));
        }
    }

    #[test]
    fn its_rate_can_be_turned_to_either_end() {
        let layer = Dropout::new(0.3);
        let [y, dx] = train(&layer, 1.0, &[4]);
        assert_eq!((y.data, dx.data), (vec![0.0; 4], vec![0.0; 4]));
        let [y, dx] = train(&layer, 0.0, &[4]);
        assert_eq!((y.data, dx.data), (vec![1.0; 4], vec![1.0; 4]));
    }

    #[test]
    fn rejects_masks_of_another_rank() {
        let layer = Dropout::new(0.5).noise_shape([None, None, None]);
        assert_eq!(layer_error(layer, &[2, 3]).message, "f32[2, 3] has no axis 2");
    }

    #[test]
    fn rejects_rates_outside_the_unit_interval() {
        for (rate, text) in [(1.5, "1.5"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
            let error = Dropout::new(rate).check().unwrap_err();
            let expected = "Invalid value received for argument `rate`. \
                            Expected a float value between 0 and 1. Received: rate=";
            assert_eq!(error.message, format!("{expected}{text}"));
        }
    }

    #[test]
    fn rejects_masks_without_extent() {
        let error = Dropout::new(0.5).noise_shape([None, Some(0)]).check().unwrap_err();
        assert!(error.message.ends_with("Received negative or zero value at index 1: 0"));
    }
}
