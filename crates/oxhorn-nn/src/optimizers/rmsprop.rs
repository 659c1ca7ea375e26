//! `RMSprop`: steps scaled by the running size of each gradient, without looking back further.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Divides the gradient by the root of a running mean of its square.
///
/// Hinton, *Neural networks for machine learning*, lecture 6, 2012,
/// <https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.RMSprop")]
pub struct RMSprop {
    /// What all optimizers have.
    #[config(flatten = Settings::named("rm_sprop"))]
    pub settings: Settings,
    /// How much of the mean of squares is kept at each step.
    #[config(default = 0.9)]
    pub rho: f64,
    /// How much of the last move is kept.
    #[config(default = 0.0)]
    pub momentum: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
    /// Whether to divide by the deviation from the mean gradient instead.
    #[config(default = false)]
    pub centered: bool,
}

impl Optimize for RMSprop {
    fn step<'g>(&self, cx: &Step<'g>) {
        let has_momentum = self.momentum > 0.0;
        cx.add_slots(&["velocity"], 0.0);
        if has_momentum {
            cx.add_slots(&["momentum"], 0.0);
        }
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let mean = |old: Tensor<'g>, x: Tensor<'g>| old * self.rho + x * (1.0 - self.rho);
            let v = weight.slot("velocity", |v| mean(v, g * g));
            let variance = match self.centered {
                true => {
                    let centre = weight.slot("average_gradient", |centre| mean(centre, g));
                    v - centre * centre
                }
                false => v,
            };
            let move_by = g * cx.learning_rate() / (variance + self.epsilon).sqrt();
            weight.set(match has_momentum {
                true => w - weight.slot("momentum", |m| m * self.momentum + move_by),
                false => w - move_by,
            });
        }
    }
}
