//! What all optimizers have in common: names, checks, and the order of what happens in a step.

use oxhorn_ir::{Result, Tensor};

pub use super::settings::OptimizerSettings;
use super::{CLASSES, LearningRate, Settings, Step};
use crate::{
    config::{Class, Object},
    handle::{Handle, category},
    scope::{Scope, Variable},
};

/// A rule by which gradients change weights.
///
/// ```
/// use oxhorn_nn::{Config, optimizers::{Optimize, Optimizer, OptimizerSettings, Settings, Step}};
///
/// /// Steps that forget: `m` becomes `decay · m + g`, and the weight loses `m` times the rate.
/// #[derive(Clone, Debug, Config)]
/// #[config(class = "mine.HeavyBall")]
/// struct HeavyBall {
///     #[config(flatten = Settings::named("heavy_ball"))]
///     settings: Settings,
///     /// How much of the last move is kept.
///     #[config(default = 0.9)]
///     decay: f64,
/// }
///
/// impl Optimize for HeavyBall {
///     fn step<'g>(&self, cx: &Step<'g>) {
///         for weight in cx.weights() {
///             let (w, g) = (weight.value(), weight.gradient());
///             let m = weight.slot("momentum", |m| self.decay * m + g);
///             weight.set(w - cx.learning_rate() * m);
///         }
///     }
/// }
///
/// let optimizer = Optimizer::from(HeavyBall::new().decay(0.5).learning_rate(0.1));
/// optimizer.check()?;
/// # Ok::<(), oxhorn_ir::Error>(())
/// ```
pub trait Optimize: Object + AsRef<Settings> {
    /// Rejects settings that no model could make right.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Writes the rule into the graph: what each weight becomes, given its gradient.
    fn step<'g>(&self, cx: &Step<'g>);
}

/// An optimizer, or its name.
pub type Optimizer = Handle<dyn Optimize>;

category! {
    Optimize, "optimizer", CLASSES,

    fn identifier(class: &Class<dyn Optimize>) -> String {
        class.name().to_lowercase()
    }

    fn answers(class: &Class<dyn Optimize>, text: &str) -> bool {
        text.eq_ignore_ascii_case(class.name())
    }
}

impl Optimizer {
    /// Rejects names that name nothing, and settings that no model could make right.
    ///
    /// # Errors
    ///
    /// In Keras' words, where Keras has any.
    pub fn check(&self) -> Result<()> {
        let optimizer = self.get()?;
        optimizer.as_ref().check()?;
        optimizer.check()
    }

    /// The size of a step. A constant one is the number `optimizer/learning_rate` of the program.
    ///
    /// # Errors
    ///
    /// If the optimizer was given by a string that names none.
    pub fn learning_rate(&self) -> Result<&LearningRate> {
        Ok(&self.get()?.as_ref().learning_rate)
    }

    /// The loss whose gradients [`Optimizer::apply`] takes: with a `loss_scale_factor`, scaled.
    pub fn scale_loss<'g>(&self, loss: Tensor<'g>) -> Tensor<'g> {
        match self.get().ok().and_then(|optimizer| optimizer.as_ref().loss_scale_factor) {
            Some(factor) => loss * factor,
            None => loss,
        }
    }

    /// Writes one step into the graph: what each weight and each state of the optimizer becomes.
    ///
    /// `cx` is the outermost scope. The order is Keras': gradients are scaled back and clipped,
    /// weights decay, the rule moves them, their running means follow, constraints bring them back,
    /// and the count of steps goes up. Without weights, nothing happens. What is wrong becomes the
    /// trace's mistake.
    pub fn apply<'g>(
        &self,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    ) {
        let checked = self.check().and_then(|()| Step::check(weights, gradients));
        match checked.and_then(|()| self.get()) {
            Err(error) => {
                cx.trace().fail(error);
            }
            Ok(_) if weights.is_empty() => {}
            Ok(optimizer) => {
                let origin = format!("optimizer ({})", optimizer.class_name());
                let before = cx.trace().enter(Some(origin));
                Step::write(optimizer, cx, weights, gradients);
                cx.trace().enter(before);
            }
        }
    }

    /// The state that this weight becomes when training ends, if `use_ema` asks for that.
    pub fn average_of(&self, variable: &Variable) -> Option<String> {
        let optimizer = self.get().ok()?;
        optimizer.as_ref().use_ema.then(|| Step::average_path(variable))
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::{
        optimizers::{Adam, SGD},
        scope::{Declarations, Mode},
        weight::Weight,
    };

    /// The mistake made by a step for scalar weights of these names.
    fn mistake(
        optimizer: impl Into<Optimizer>,
        names: &[&str],
        gradients: usize,
    ) -> Option<String> {
        let (trace, declared) = (Trace::new("step"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        for name in names {
            cx.weight(name, [], &Weight::new("zeros"));
        }
        let gradients = vec![trace.scalar(1.0, oxhorn_ir::DType::F32); gradients];
        optimizer.into().apply(&cx, &cx.trainable_weights(), &gradients);
        trace.error().map(|error| error.to_string())
    }

    #[test]
    fn names_are_taken_in_any_case() {
        for name in ["adam", "Adam", "ADAM"] {
            assert_eq!(Optimizer::from(name), Optimizer::from(Adam::new()));
        }
        let error = Optimizer::from("eve").check().unwrap_err();
        assert_eq!(error.message, "Could not interpret optimizer identifier: eve");
        assert_eq!(mistake("adam", &["kernel"], 1), None);
        assert_eq!(mistake("eve", &["kernel"], 1), Some(error.to_string()));
    }

    #[test]
    fn gradients_must_match_the_weights() {
        let text = "the optimizer needs one gradient for each weight, \
            got 1 gradients for 2 weights";
        assert_eq!(mistake("sgd", &["a", "b"], 1).as_deref(), Some(text));
    }

    #[test]
    fn slots_of_two_weights_are_never_confused() {
        let text = "the weights `a/b` and `a_b` would share the optimizer's slots `a_b`\n  \
            help: give one of their layers another name";
        assert_eq!(mistake("adam", &["a/b", "a_b"], 2).as_deref(), Some(text));
    }

    #[test]
    fn without_weights_nothing_is_declared() {
        let (trace, declared) = (Trace::new("step"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        Optimizer::from("adam").apply(&cx, &[], &[]);
        assert!(declared.variables().is_empty() && declared.numbers().is_empty());
    }

    #[test]
    fn a_second_trace_finds_the_states_of_the_first() {
        let declared = Declarations::new();
        for _ in 0..2 {
            let trace = Trace::new("step");
            let cx = Scope::new(&trace, &declared, Mode::Train);
            let kernel = cx.child("dense").weight("kernel", [2, 3], &Weight::new("zeros"));
            let optimizer = Optimizer::from(Adam::new().amsgrad(true));
            optimizer.apply(&cx, &cx.trainable_weights(), &[kernel]);
            assert_eq!(trace.error(), None);
        }
        let paths: Vec<String> = declared.variables().iter().map(|it| it.path.clone()).collect();
        let expected = [
            "dense/kernel",
            "optimizer/iteration",
            "optimizer/dense_kernel_momentum",
            "optimizer/dense_kernel_velocity",
            "optimizer/dense_kernel_velocity_hat",
        ];
        assert_eq!(paths, expected);
        let numbers: Vec<_> =
            declared.numbers().iter().map(|it| (it.path.clone(), it.value)).collect();
        assert_eq!(numbers, [("optimizer/learning_rate".to_owned(), 0.001)]);
    }

    #[test]
    fn losses_are_scaled_only_on_demand() {
        let trace = Trace::new("loss");
        let loss = trace.scalar(3.0, oxhorn_ir::DType::F32);
        let plain = Optimizer::from(SGD::new()).scale_loss(loss);
        assert_eq!(plain.value(), loss.value());
        let scaled = Optimizer::from(SGD::new().loss_scale_factor(4.0)).scale_loss(loss).value();
        let graph = trace.finish(&[scaled]).expect("no mistake");
        let results = oxhorn_ir::interpret::interpret(&graph, &[]).expect("a run");
        assert_eq!(results.outputs[0].scalar(), 12.0);
    }
}
