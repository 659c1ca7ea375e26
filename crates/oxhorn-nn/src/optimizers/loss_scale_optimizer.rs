//! `LossScaleOptimizer`: another optimizer, for losses too small to have gradients.

use super::{LearningRate, Minimize, Optimizer, Settings};
use crate::{
    prelude::*,
    scope::{Initial, Variable},
};

/// Multiplies the loss by a factor as large as its gradients allow, divides them by it, and hands
/// them to another optimizer.
///
/// Where an element of a gradient is infinite or no number, the step is left out and the factor
/// halved; after so many steps without one, it is doubled. The other optimizer is the owner of all
/// further settings.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.optimizers.LossScaleOptimizer",
    unsupported = [
        "weight_decay", "clipnorm", "global_clipnorm", "clipvalue", "ema_overwrite_frequency",
        "loss_scale_factor", "gradient_accumulation_steps"
    ]
)]
pub struct LossScaleOptimizer {
    /// The optimizer's name.
    #[config(default = "loss_scale_optimizer")]
    pub name: String,
    /// The optimizer that takes the steps.
    pub inner_optimizer: Optimizer,
    /// The first factor.
    #[config(default = 32_768.0)]
    pub initial_scale: f64,
    /// After how many steps the factor is doubled.
    #[config(default = 2000)]
    pub dynamic_growth_steps: usize,
}

impl LossScaleOptimizer {
    /// How many steps there were since the factor changed, and the factor.
    fn states<'g>(&self, scope: &Scope<'g>) -> (Tensor<'g>, Tensor<'g>) {
        let count = Type::new(DType::I64, []);
        let steps = scope.state("step_counter", count, Initial::Filled(0.0));
        let initial = Initial::Filled(self.initial_scale);
        (steps, scope.state("dynamic_scale", Type::f32([]), initial))
    }
}

impl Minimize for LossScaleOptimizer {
    fn settings(&self) -> Option<&Settings> {
        None
    }

    fn verify(&self) -> Result<()> {
        let (scale, inner) = (self.initial_scale, self.inner_optimizer.get()?);
        ensure!(
            scale.is_normal() && scale > 0.0,
            "`initial_scale` must be a finite number above 0, got {scale}"
        );
        ensure!(
            inner.class() != Self::CLASS,
            "LossScaleOptimizer cannot be used inside a LossScaleOptimizer.";
            help: "gradients would be scaled back twice"
        );
        let factor = inner.settings().and_then(|settings| settings.loss_scale_factor);
        ensure!(
            factor.is_none(),
            "LossScaleOptimizer scales the loss itself, but its `inner_optimizer` has \
             `loss_scale_factor` {}", factor.unwrap_or_default();
            help: "leave it to one of the two"
        );
        inner.verify()
    }

    fn rate(&self) -> Result<&LearningRate> {
        self.inner_optimizer.learning_rate()
    }

    fn scale<'g>(&self, scope: &Scope<'g>) -> Option<Tensor<'g>> {
        Some(self.states(scope).1)
    }

    fn update<'g>(
        &self,
        at: &str,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    ) {
        let Ok(inner) = self.inner_optimizer.get() else { return };
        let finite = gradients.iter().map(|g| g.is_finite().cast(DType::F32).reduce_min(..));
        let Some(finite) = finite.reduce(|a, b| a.minimum(b)) else { return };
        let finite = finite.greater(0.0);
        cx.only_if(finite, || inner.update(at, cx, weights, gradients));

        let scope = cx.child(at);
        let (steps, scale) = self.states(&scope);
        let grows = (steps + 1.0).equal(self.dynamic_growth_steps as f64);
        let grown = grows.select(scale * 2.0, scale);
        scope.update("dynamic_scale", finite.select(grown, scale * 0.5));
        let counts = finite.and(grows.not());
        scope.update("step_counter", counts.select(steps + 1.0, 0.0));
    }

    fn average(&self, at: &str, variable: &Variable) -> Option<String> {
        self.inner_optimizer.get().ok()?.average(at, variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{Adam, OptimizerSettings};

    fn message(optimizer: LossScaleOptimizer) -> String {
        Optimizer::from(optimizer).check().expect_err("a mistake").message
    }

    #[test]
    fn a_loss_is_scaled_by_one_optimizer_only() {
        assert_eq!(
            message(LossScaleOptimizer::new(LossScaleOptimizer::new("adam"))),
            "LossScaleOptimizer cannot be used inside a LossScaleOptimizer."
        );
        assert_eq!(
            message(LossScaleOptimizer::new(Adam::new().loss_scale_factor(4.0))),
            "LossScaleOptimizer scales the loss itself, but its `inner_optimizer` has \
             `loss_scale_factor` 4"
        );
    }

    #[test]
    fn what_is_wrong_within_is_found() {
        assert_eq!(
            message(LossScaleOptimizer::new("eve")),
            "Could not interpret optimizer identifier: eve"
        );
        assert_eq!(
            message(LossScaleOptimizer::new("adam").initial_scale(0.0)),
            "`initial_scale` must be a finite number above 0, got 0"
        );
    }

    #[test]
    fn settings_of_the_inner_optimizer_are_refused() {
        let json = serde_json::json!({
            "class_name": "LossScaleOptimizer",
            "config": {"inner_optimizer": "adam", "clipnorm": 1.0},
        });
        assert_eq!(
            Optimizer::read(&json).expect_err("a mistake").message,
            "`clipnorm` of `LossScaleOptimizer` is not supported, got 1.0"
        );
    }
}
