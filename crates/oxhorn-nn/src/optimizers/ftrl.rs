//! `Ftrl`: follows the leader among all weights so far, which is kept small.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Chooses the weights that would have served best on the gradients so far, with a penalty that
/// makes many of them 0.
///
/// McMahan et al., *Ad click prediction: a view from the trenches*, KDD 2013,
/// <https://research.google.com/pubs/archive/41159.pdf>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Ftrl")]
pub struct Ftrl {
    /// What all optimizers have.
    #[config(flatten = Settings::named("ftrl"))]
    pub settings: Settings,
    /// The power of the sum of squares by which steps shrink; 0 keeps their size.
    #[config(default = -0.5)]
    pub learning_rate_power: f64,
    /// What the sum of squares begins with.
    #[config(default = 0.1)]
    pub initial_accumulator_value: f64,
    /// What the absolute values of weights cost.
    #[config(default = 0.0)]
    pub l1_regularization_strength: f64,
    /// What the squares of weights cost.
    #[config(default = 0.0)]
    pub l2_regularization_strength: f64,
    /// What the squares of weights add to the loss.
    #[config(default = 0.0)]
    pub l2_shrinkage_regularization_strength: f64,
    /// The paper's β, which makes the first steps smaller.
    #[config(default = 0.0)]
    pub beta: f64,
}

impl Optimize for Ftrl {
    fn check(&self) -> Result<()> {
        let power = self.learning_rate_power;
        ensure!(
            power <= 0.0,
            "`learning_rate_power` needs to be negative or zero. Received: \
             learning_rate_power={power:?}."
        );
        let strengths = [
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("l1_regularization_strength", self.l1_regularization_strength),
            ("l2_regularization_strength", self.l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", self.l2_shrinkage_regularization_strength),
        ];
        for (name, strength) in strengths {
            ensure!(
                strength >= 0.0,
                "`{name}` needs to be positive or zero. Received: {name}={strength:?}."
            );
        }
        Ok(())
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        let (lr, l1) = (cx.learning_rate(), self.l1_regularization_strength);
        let l2 = self.beta / 2.0 * lr.recip() + self.l2_regularization_strength;
        let power = |n: Tensor<'g>| match -self.learning_rate_power {
            0.5 => n.sqrt(), // as most have it, and much faster
            p => n.pow(p),
        };
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let mut before = g;
            let first = self.initial_accumulator_value;
            let n = weight.slot_of("accumulator", w.shape(), first, |n| {
                before = power(n);
                n + g * g
            });
            let sigma = (power(n) - before) / lr;
            let shrinkage = w * (2.0 * self.l2_shrinkage_regularization_strength);
            let z = weight.slot("linear", |z| z + g + shrinkage - sigma * w);
            let pull = z.maximum(-l1).minimum(l1) - z;
            weight.set(pull / (power(n) / lr + l2 * 2.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::Optimizer;

    #[test]
    fn settings_out_of_range_are_refused_in_keras_words() {
        let cases = [
            (
                Ftrl::new().learning_rate_power(0.5),
                "`learning_rate_power` needs to be negative or zero. Received: \
                 learning_rate_power=0.5.",
            ),
            (
                Ftrl::new().initial_accumulator_value(-1.0),
                "`initial_accumulator_value` needs to be positive or zero. Received: \
                 initial_accumulator_value=-1.0.",
            ),
            (
                Ftrl::new().l2_shrinkage_regularization_strength(-0.5),
                "`l2_shrinkage_regularization_strength` needs to be positive or zero. Received: \
                 l2_shrinkage_regularization_strength=-0.5.",
            ),
        ];
        for (optimizer, expected) in cases {
            let error = Optimizer::from(optimizer).check().expect_err("a mistake");
            assert_eq!(error.message, expected);
        }
    }
}
