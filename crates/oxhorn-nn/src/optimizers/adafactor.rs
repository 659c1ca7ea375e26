//! `Adafactor`: steps scaled by the running size of gradients, of which little is kept.

use super::{Optimize, Settings, Step, WeightStep};
use crate::prelude::*;

/// Divides the gradient by the root of a running mean of its square, which for a matrix is kept as
/// the means of its rows and of its columns.
///
/// Steps are measured by the weights they change, and shrink as 1 / √t wherever that is less than
/// the learning rate.
///
/// Shazeer and Stern, *Adafactor: adaptive learning rates with sublinear memory cost*, 2018,
/// <https://arxiv.org/abs/1804.04235>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Adafactor")]
pub struct Adafactor {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adafactor"))]
    pub settings: Settings,
    /// The power of the step's number by which new squares count: 1 for the first step.
    #[config(default = -0.8)]
    pub beta_2_decay: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-30)]
    pub epsilon_1: f64,
    /// The least size of a weight, so that one of zeros can grow.
    #[config(default = 1e-3)]
    pub epsilon_2: f64,
    /// The greatest size of a step before it is measured by the weight.
    #[config(default = 1.0)]
    pub clip_threshold: f64,
    /// Whether the learning rate becomes 1 / √t where that is less. Steps shrink so in any case,
    /// in Keras as here.
    #[config(default = true)]
    pub relative_step: bool,
}

impl Optimize for Adafactor {
    fn step<'g>(&self, cx: &Step<'g>) {
        let t = cx.number();
        let rho = cx.learning_rate().minimum(t.sqrt().recip());
        let share = t.pow(self.beta_2_decay);
        let size = |x: Tensor<'g>| (x * x).mean(..).sqrt();
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let v = self.squares(weight, share);
            // Where a row and a column have no gradients, their product rounds to 0, and 0 / 0
            // would make all of the weight NaN, as it does in Keras.
            let u = g / v.maximum(f64::from(f32::MIN_POSITIVE)).sqrt();
            let excess = (size(u) / self.clip_threshold).maximum(1.0);
            let alpha = size(w).maximum(self.epsilon_2) * rho;
            weight.set(w - u / excess * alpha);
        }
    }
}

impl Adafactor {
    /// The running mean of the gradient's square, of which the newest makes up this share.
    ///
    /// Like Keras, this keeps a scalar in place of rows and of columns where there are none, and
    /// the whole mean too: so the states are those of Keras' files.
    fn squares<'g>(&self, weight: &WeightStep<'g>, share: Tensor<'g>) -> Tensor<'g> {
        let g = weight.gradient();
        let square = g * g + self.epsilon_1;
        let mean = |old: Tensor<'g>, new: Tensor<'g>| old * (1.0 - share) + new * share;
        let along = |name, axis| {
            let squares = square.mean(axis);
            weight.slot_of(name, squares.shape(), 0.0, |old| mean(old, squares))
        };
        if g.rank() < 2 {
            for name in ["row", "column"] {
                weight.slot_of(name, [], 0.0, |none| none);
            }
            return weight.slot("velocity", |v| mean(v, square));
        }
        let (rows, columns) = (along("row", -1), along("column", -2));
        let rows = rows / rows.mean(-1).keep(rows, -1);
        let product = rows.keep(g, -1) * columns.keep(g, -2);
        weight.slot("velocity", |_| product)
    }
}
