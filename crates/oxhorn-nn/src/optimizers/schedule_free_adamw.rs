//! `ScheduleFreeAdamW`: Adam that averages where it has been, in place of a schedule.

use super::{Optimize, Settings, Step, step::single};
use crate::prelude::*;

/// Takes the steps of `Adam` from one point, keeps the mean of all these points, and asks for
/// gradients between the two. The weights are that place between.
///
/// Defazio et al., *The road less scheduled*, 2024, <https://arxiv.org/abs/2405.15682>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.ScheduleFreeAdamW")]
pub struct ScheduleFreeAdamW {
    /// What all optimizers have.
    #[config(flatten = Settings::named("schedule_free_adam_w").learning_rate(0.0025))]
    pub settings: Settings,
    /// How near the weights are to the mean: 1 is there.
    #[config(default = 0.9)]
    pub beta_1: f64,
    /// How much of the mean of squared gradients is kept at each step.
    #[config(default = 0.999)]
    pub beta_2: f64,
    /// Keeps the quotient finite.
    #[config(default = 1e-8)]
    pub epsilon: f64,
    /// For how many steps the learning rate grows from 0 to its size.
    #[config(default = 0)]
    pub warmup_steps: usize,
}

impl Optimize for ScheduleFreeAdamW {
    fn check(&self) -> Result<()> {
        let beta_1 = self.beta_1;
        ensure!(
            beta_1 != 0.0,
            "`beta_1` must not be 0"; help: "the mean could not be told from the weights"
        );
        Ok(())
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        let (t, is_first) = (cx.number(), cx.is_first());
        let (beta_1, beta_2) = (single(self.beta_1), single(self.beta_2));
        let lr = match self.warmup_steps {
            0 => cx.learning_rate(),
            steps => cx.learning_rate() * (t / steps as f64).minimum(1.0),
        };
        let of_squares = 1.0 - cx.power(self.beta_2);
        for weight in cx.weights() {
            let (y, g) = (weight.value(), weight.gradient());
            let mut before = y;
            let z = weight.slot("momentum", |z| {
                // The point begins as the weight was before it decayed.
                before = is_first.select(weight.before(), z);
                let v = weight.slot("velocity", |v| v + (g * g - v) * (1.0 - beta_2));
                before - g * lr / ((v / of_squares).sqrt() + self.epsilon)
            });
            let mean = (y - before * (1.0 - beta_1)) / beta_1;
            let mean = mean * (1.0 - t.recip()) + z * t.recip();
            weight.set(z * (1.0 - beta_1) + mean * beta_1);
        }
    }
}
