//! `Muon`: matrices move by what is orthogonal in their momentum, all other weights as by Adam.

use super::{Optimize, Settings, Step, WeightStep, pattern};
use crate::{prelude::*, scope::Variable};

/// Moves matrices along their momentum with all of its singular values brought near 1, so that
/// rare directions count as much as frequent ones.
///
/// Weights that are no matrices, those of embeddings and those of `exclude_layers` move by `AdamW`.
/// The singular values are evened by a few steps of Newton and Schulz' iteration, which takes
/// products of matrices only.
///
/// Jordan et al., *Muon: an optimizer for hidden layers in neural networks*, 2024,
/// <https://kellerjordan.github.io/posts/muon/>; `rms_rate`: Liu et al., *Muon is scalable for LLM
/// training*, 2025, <https://arxiv.org/abs/2502.16982>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.Muon")]
pub struct Muon {
    /// What all optimizers have.
    #[config(flatten = Settings::named("muon").weight_decay(0.004))]
    pub settings: Settings,
    /// How much of the mean of gradients `AdamW` keeps at each step.
    #[config(default = 0.9)]
    pub adam_beta_1: f64,
    /// How much of the mean of their squares `AdamW` keeps at each step.
    #[config(default = 0.999)]
    pub adam_beta_2: f64,
    /// Keeps the quotient of `AdamW` finite.
    #[config(default = 1e-7)]
    pub epsilon: f64,
    /// Regular expressions: weights in whose path one is found move by `AdamW`.
    #[config(default)]
    pub exclude_layers: Vec<String>,
    /// What an iteration takes of the matrix X itself.
    #[config(default = 3.4445)]
    pub muon_a: f64,
    /// What an iteration takes of X·Xᵀ·X.
    #[config(default = -4.775)]
    pub muon_b: f64,
    /// What an iteration takes of (X·Xᵀ)²·X.
    #[config(default = 2.0315)]
    pub muon_c: f64,
    /// The learning rate of `AdamW`, as a multiple of that of matrices.
    #[config(default = 1.0)]
    pub adam_lr_ratio: f64,
    /// How much of the last move of a matrix is kept.
    #[config(default = 0.95)]
    pub momentum: f64,
    /// How many iterations even the singular values.
    #[config(default = 5)]
    pub ns_steps: usize,
    /// Whether the gradient is taken to be that where momentum leads.
    #[config(default = true)]
    pub nesterov: bool,
    /// Whether weights with "embedding" in their path move by `AdamW`.
    #[config(default = true)]
    pub exclude_embeddings: bool,
    /// The `weight_decay` of weights that move by `AdamW`.
    #[config(default = Some(0.004))]
    pub adam_weight_decay: Option<f64>,
    /// What the move of a matrix is multiplied by, beside the root of its longer side; without it,
    /// the move is as large as orthogonality makes it.
    #[config(default = Some(0.2))]
    pub rms_rate: Option<f64>,
}

impl Optimize for Muon {
    fn check(&self) -> Result<()> {
        self.exclude_layers.iter().try_for_each(|it| pattern::check("exclude_layers", it))
    }

    fn decay_of(&self, variable: &Variable) -> Option<f64> {
        match self.moves_by_adam(variable) {
            true => self.adam_weight_decay,
            false => self.settings.weight_decay,
        }
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        let bias = (1.0 - cx.power(self.adam_beta_2)).sqrt() / (1.0 - cx.power(self.adam_beta_1));
        let alpha = cx.learning_rate() * self.adam_lr_ratio * bias;
        for weight in cx.weights() {
            match self.moves_by_adam(weight.variable()) {
                true => self.move_by_adam(weight, alpha),
                false => self.move_matrix(weight, cx.learning_rate()),
            }
        }
    }
}

impl Muon {
    fn moves_by_adam(&self, Variable { path, ty, .. }: &Variable) -> bool {
        ty.rank() != 2
            || self.exclude_embeddings && path.to_lowercase().contains("embedding")
            || self.exclude_layers.iter().any(|it| pattern::is_found(it, path))
    }

    fn move_by_adam<'g>(&self, weight: &WeightStep<'g>, alpha: Tensor<'g>) {
        let (w, g) = (weight.value(), weight.gradient());
        let m = weight.slot("momentum", |m| m + (g - m) * (1.0 - self.adam_beta_1));
        let v = weight.slot("velocity", |v| v + (g * g - v) * (1.0 - self.adam_beta_2));
        weight.set(w - m * alpha / (v.sqrt() + self.epsilon));
    }

    fn move_matrix<'g>(&self, weight: &WeightStep<'g>, lr: Tensor<'g>) {
        let (w, g) = (weight.value(), weight.gradient());
        let m = weight.slot("momentum", |m| m * self.momentum + g);
        let direction = if self.nesterov { g + m * self.momentum } else { m };
        let longer = w.shape().into_iter().max().unwrap_or(1) as f64;
        let scale = self.rms_rate.map_or(1.0, |rate| longer.sqrt() * rate);
        weight.set(w - self.evened(direction) * (lr * scale));
    }

    /// The matrix with its singular values brought near 1.
    fn evened<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        // The product with the transpose is smaller for a wide matrix.
        if x.dim(0) > x.dim(1) {
            return self.evened(x.t()).t();
        }
        let x = x / ((x * x).sum(..).sqrt() + 1e-7); // no singular value is above 1
        (0..self.ns_steps).fold(x, |x, _| {
            let a = x.matmul(x.t());
            let b = a * self.muon_b + (a * self.muon_c).matmul(a);
            x * self.muon_a + b.matmul(x)
        })
    }
}
