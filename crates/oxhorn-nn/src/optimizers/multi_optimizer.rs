//! `MultiOptimizer`: several optimizers, each for some of the weights.

use super::{LearningRate, Minimize, Optimizer, OptimizerMap, Settings};
use crate::{
    prelude::*,
    scope::{Initial, Variable},
};

/// Hands each weight to the optimizer that a map has for its path.
///
/// Each optimizer keeps its states, its count of steps and its learning rate in a scope of its own
/// name: `optimizer/adam/learning_rate`. What it does to all gradients together, it does to those
/// of its weights.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.MultiOptimizer")]
pub struct MultiOptimizer {
    /// Which optimizer is for which weights.
    pub optimizer_map: OptimizerMap,
    /// The factor by which the loss is scaled, and gradients are scaled back.
    #[config(default)]
    pub loss_scale_factor: Option<f64>,
    /// The optimizer's name.
    #[config(default = "multi_optimizer")]
    pub name: String,
}

impl MultiOptimizer {
    /// The optimizers, each with the name of its scope: its own, made unique.
    fn named(&self) -> Vec<(String, &Optimizer)> {
        let mut named: Vec<(String, &Optimizer)> = vec![];
        for optimizer in self.optimizer_map.optimizers() {
            let settings = optimizer.get().ok().and_then(|it| it.settings());
            let name = settings.map_or("optimizer", |settings| &settings.name);
            let taken = |name: &str| named.iter().any(|(known, _)| known == name);
            let numbered = (1..).map(|number| format!("{name}_{number}"));
            let mut names = std::iter::once(name.to_owned()).chain(numbered);
            let name = names.find(|name| !taken(name)).expect("there is a number for each");
            named.push((name, optimizer));
        }
        named
    }

    fn scale_factor_of(&self, optimizer: &Optimizer) -> Result<()> {
        let settings = optimizer.get()?.settings();
        let (own, other) = (self.loss_scale_factor, settings.and_then(|it| it.loss_scale_factor));
        // Keras writes the common factor into each of them.
        ensure!(
            other.is_none() || other == own,
            "`loss_scale_factor` of `{}` is {}, but that of its MultiOptimizer is {}",
            settings.map_or("", |it| &it.name),
            other.write(),
            own.write();
            help: "the loss is one: scale it in the MultiOptimizer"
        );
        Ok(())
    }
}

impl Minimize for MultiOptimizer {
    fn settings(&self) -> Option<&Settings> {
        None
    }

    fn verify(&self) -> Result<()> {
        self.optimizer_map.check()?;
        let scale = self.loss_scale_factor.unwrap_or(1.0);
        ensure!(
            scale.is_normal(),
            "`loss_scale_factor` must be a finite number other than 0, got {scale}"
        );
        for optimizer in self.optimizer_map.optimizers() {
            self.scale_factor_of(optimizer)?;
            optimizer.check()?;
        }
        Ok(())
    }

    fn rate(&self) -> Result<&LearningRate> {
        Err(Error::new(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the \
             individual sub-optimizers instead.",
        )
        .help("they are the numbers `optimizer/<name>/learning_rate`"))
    }

    fn scale<'g>(&self, cx: &Scope<'g>) -> Option<Tensor<'g>> {
        self.loss_scale_factor.map(|factor| cx.trace().scalar(factor, DType::F32))
    }

    fn update<'g>(
        &self,
        at: &str,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    ) {
        let scope = cx.child(at);
        let count = Type::new(DType::I64, []);
        let steps = scope.state("iteration", count, Initial::Filled(0.0));
        scope.update("iteration", steps + 1.0);
        let chosen: Result<Vec<&Optimizer>> =
            weights.iter().map(|(it, _)| self.optimizer_map.choose(&it.path)).collect();
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(error) => {
                cx.trace().fail(error);
                return;
            }
        };
        for (name, optimizer) in self.named() {
            let all = weights.iter().cloned().zip(gradients.iter().copied()).zip(&chosen);
            let own = all.filter(|(_, chosen)| chosen.is(optimizer)).map(|(pair, _)| pair);
            let (weights, gradients): (Vec<_>, Vec<_>) = own.unzip();
            if let (Ok(optimizer), false) = (optimizer.get(), weights.is_empty()) {
                optimizer.update(&format!("{at}/{name}"), cx, &weights, &gradients);
            }
        }
    }

    fn average(&self, at: &str, variable: &Variable) -> Option<String> {
        let chosen = self.optimizer_map.choose(&variable.path).ok()?;
        let (name, _) = self.named().into_iter().find(|(_, it)| it.is(chosen))?;
        chosen.get().ok()?.average(&format!("{at}/{name}"), variable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizers::{Adam, LossScaleOptimizer, OptimizerSettings};

    fn message(map: OptimizerMap) -> String {
        Optimizer::from(MultiOptimizer::new(map)).check().expect_err("a mistake").message
    }

    #[test]
    fn only_rules_are_for_some_weights() {
        assert_eq!(
            message(OptimizerMap::new(LossScaleOptimizer::new("adam"))),
            "LossScaleOptimizer cannot be used inside an MultiOptimizer."
        );
        assert_eq!(
            message(OptimizerMap::new(MultiOptimizer::new(OptimizerMap::new("adam")))),
            "MultiOptimizer cannot be used inside an MultiOptimizer."
        );
    }

    #[test]
    fn a_loss_has_one_scale() {
        let map = OptimizerMap::new("sgd").add("a/.*", Adam::new().loss_scale_factor(4.0));
        assert_eq!(
            message(map.clone()),
            "`loss_scale_factor` of `adam` is 4.0, but that of its MultiOptimizer is null"
        );
        let scaled = MultiOptimizer::new(map).loss_scale_factor(4.0);
        assert_eq!(Optimizer::from(scaled).check(), Ok(()));
    }

    #[test]
    fn scopes_have_names_of_their_own() {
        let map = OptimizerMap::new("adam").add("a", Adam::new()).add("b", "sgd");
        let multi = MultiOptimizer::new(map);
        let names: Vec<String> = multi.named().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["adam", "sgd", "adam_1"]);
    }

    #[test]
    fn there_is_no_one_learning_rate() {
        let optimizer = Optimizer::from(MultiOptimizer::new(OptimizerMap::new("sgd")));
        assert_eq!(
            optimizer.learning_rate().expect_err("none").message,
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the \
             individual sub-optimizers instead."
        );
    }
}
