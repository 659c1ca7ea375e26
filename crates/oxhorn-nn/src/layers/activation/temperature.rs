//! `Temperature`: a classifier's probabilities made more or less sure, by one number.

use crate::{activations, prelude::*};

/// `softmax(z / T)`: the probabilities of logits `z` that are divided by a temperature. Above 1 it
/// makes a classifier less sure, below 1 surer; which class is the most probable stays as it is.
///
/// What comes in are probabilities, whose logarithms are taken for `z`, or with `from_logits` the
/// logits themselves. The last axis is that of the classes. Where it has one element, that is the
/// probability of yes, or its logit, and what comes out is `sigmoid(z / T)`. At a temperature of 1
/// probabilities come out as they came in, up to rounding.
///
/// The layer stands at the end of a trained classifier, with the temperature at which the
/// likelihood of data that it was not trained on is greatest; `calibrate` finds it and adds the
/// layer. The temperature is a number that can be turned, and no weight that training changes.
///
/// Keras has no such layer. Guo, Pleiss, Sun & Weinberger, *On calibration of modern neural
/// networks*, ICML 2017, <https://arxiv.org/abs/1706.04599>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.layers.Temperature", shape = ".. -> ..")]
pub struct Temperature {
    /// What logits are divided by, which is more than 0.
    #[config(default = 1.0)]
    pub temperature: f64,
    /// Whether logits come in; else probabilities do.
    #[config(default = false)]
    pub from_logits: bool,
}

impl Temperature {
    /// Probabilities below this count as this: their logarithms must be finite. It is the least
    /// number that `f32` holds with all its digits.
    pub const LEAST: f64 = f32::MIN_POSITIVE as f64;

    /// The same for the probability of no, which is one minus that of yes: half the distance from 1
    /// to the number before it, for the rest is lost in rounding.
    pub const LEAST_OF_NO: f64 = f32::EPSILON as f64 / 4.0;
}

impl Layer for Temperature {
    fn check(&self) -> Result<()> {
        ensure!(
            self.temperature > 0.0 && self.temperature.is_finite(),
            "`temperature` must be a finite number greater than 0, got {:?}", self.temperature;
            help: "at 1 the probabilities stay as they are"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let temperature = cx.number("temperature", self.temperature).cast(DType::F32);
        let log = |p: Tensor<'g>, least| p.maximum(least).log();
        match (x.dim(-1), self.from_logits) {
            (1, true) => (x / temperature).sigmoid(),
            (1, false) => {
                let logit = log(x, Self::LEAST) - log(1.0 - x, Self::LEAST_OF_NO);
                (logit / temperature).sigmoid()
            }
            (_, true) => activations::Softmax::new().call(x / temperature),
            (_, false) => activations::Softmax::new().call(log(x, Self::LEAST) / temperature),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_temperatures_that_are_not_above_0() {
        for (temperature, text) in
            [(0.0, "0.0"), (-1.0, "-1.0"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")]
        {
            let error = Temperature::new().temperature(temperature).check().unwrap_err();
            let expected = "`temperature` must be a finite number greater than 0, got ";
            assert_eq!(error.message, format!("{expected}{text}"));
        }
    }
}
