//! `gelu`: the input, weighed by how rarely a normal number exceeds it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use crate::prelude::*;

/// `x · Φ(x)`, where Φ is the distribution function of the standard normal law.
///
/// Hendrycks and Gimpel, *Gaussian error linear units*, 2016, <https://arxiv.org/abs/1606.08415>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.gelu")]
pub struct Gelu {
    /// Whether to take Φ by its approximation with `tanh`.
    #[config(default = false)]
    pub approximate: bool,
}

impl Activate for Gelu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let twice = match self.approximate {
            true => ((x + x * x * x * 0.044715) * (2.0 / PI).sqrt()).tanh(),
            false => (x * FRAC_1_SQRT_2).erf(),
        };
        x * ((twice + 1.0) * 0.5)
    }
}
