//! `GradientNoise`: normal noise on gradients, less and less of it.

use super::category::{Intervene, Strength};
use crate::{prelude::*, scope::Initial};

/// Adds normal noise to each gradient, of mean 0 and variance `eta / (1 + t)^gamma` after `t`
/// steps with noise.
///
/// It is added before the optimizer clips gradients or adds them up over several batches. The
/// number of steps is kept with the model, and begins anew when the model is compiled.
///
/// `eta` is a number that can be turned while a model trains; at 0, nothing is added.
///
/// Neelakantan et al., *Adding gradient noise improves learning for very deep networks*, 2015,
/// <https://arxiv.org/abs/1511.06807>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.GradientNoise")]
pub struct GradientNoise {
    /// The variance of the first step, 0 or more; the paper takes 0.01, 0.3 or 1.
    #[config(default = 0.01)]
    pub eta: f64,
    /// How fast the variance falls, 0 or more.
    #[config(default = 0.55)]
    pub gamma: f64,
    /// Seed of the random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Intervene for GradientNoise {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("eta", self.eta)]
    }

    fn check(&self) -> Result<()> {
        let gamma = self.gamma;
        ensure!(
            gamma.is_finite() && gamma >= 0.0,
            "`gamma` of `GradientNoise` must be a number of 0 or more, got {gamma}"
        );
        Ok(())
    }

    fn noise<'g>(&self, cx: &Scope<'g>, gradients: &[Tensor<'g>]) -> Option<Vec<Tensor<'g>>> {
        let seeds = cx.seed_generator("seed_generator", self.seed);
        let steps = Type::new(DType::I64, []);
        let taken = cx.state("iteration", steps, Initial::Filled(0.0));
        cx.update("iteration", taken + 1.0);
        let eta = cx.number("eta", self.eta).cast(DType::F32);
        let number = (taken + 1.0).cast(DType::F32);
        let deviation = (eta / number.pow(self.gamma)).sqrt();
        Some(gradients.iter().map(|g| seeds.next().random_normal(g.shape()) * deviation).collect())
    }
}
