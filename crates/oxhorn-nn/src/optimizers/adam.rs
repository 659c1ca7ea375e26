//! `Adam` and `AdamW`: steps scaled by the running size of each gradient.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Divides a running mean of the gradient by the root of a running mean of its square.
///
/// Kingma and Ba, *Adam: a method for stochastic optimization*, 2014,
/// <https://arxiv.org/abs/1412.6980>; `epsilon` is the paper's "epsilon hat". `amsgrad`: Reddi,
/// Kale and Kumar, *On the convergence of Adam and beyond*, 2018,
/// <https://arxiv.org/abs/1904.09237>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Adam")]
pub struct Adam {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adam"))]
    pub settings: Settings,
    /// How much of the mean of gradients is kept at each step.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the mean of their squares is kept at each step.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
    /// Whether to divide by the greatest mean of squares so far.
    #[config(default = false)]
    pub amsgrad: bool,
}

impl Optimize for Adam {
    fn step<'g>(&self, cx: &Step<'g>) {
        cx.add_slots(&["momentum", "velocity"], 0.0);
        if self.amsgrad {
            cx.add_slots(&["velocity_hat"], 0.0);
        }
        let bias = (1.0 - cx.power(self.beta_2)).sqrt() / (1.0 - cx.power(self.beta_1));
        let alpha = cx.learning_rate() * bias;
        for weight in cx.weights() {
            let (w, g) = (weight.value(), weight.gradient());
            let m = weight.slot("momentum", |m| m + (g - m) * (1.0 - self.beta_1));
            let v = weight.slot("velocity", |v| v + (g * g - v) * (1.0 - self.beta_2));
            let v = match self.amsgrad {
                true => weight.slot("velocity_hat", |greatest| greatest.maximum(v)),
                false => v,
            };
            weight.set(w - m * alpha / (v.sqrt() + self.epsilon));
        }
    }
}

/// [`Adam`] whose weights decay, apart from their gradients.
///
/// Loshchilov and Hutter, *Decoupled weight decay regularization*, 2017,
/// <https://arxiv.org/abs/1711.05101>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.AdamW")]
pub struct AdamW {
    /// What all optimizers have.
    #[config(flatten = Settings::named("adam_w").weight_decay(0.004))]
    pub settings: Settings,
    /// How much of the mean of gradients is kept at each step.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the mean of their squares is kept at each step.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
    /// Whether to divide by the greatest mean of squares so far.
    #[config(default = false)]
    pub amsgrad: bool,
}

impl Optimize for AdamW {
    fn check(&self) -> Result<()> {
        ensure!(
            self.settings.weight_decay.is_some(),
            "Argument `weight_decay` must be a float. Received: weight_decay=None";
            help: "without weight decay, AdamW is Adam"
        );
        Ok(())
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        let AdamW { beta_1, beta_2, epsilon, amsgrad, ref settings } = *self;
        Adam { settings: settings.clone(), beta_1, beta_2, epsilon, amsgrad }.step(cx);
    }
}
