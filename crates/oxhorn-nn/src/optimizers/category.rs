//! What all optimizers have in common: names, checks, and what a model asks of them.

use oxhorn_ir::{DType, Result, Tensor};

pub use super::settings::OptimizerSettings;
use super::{CLASSES, LearningRate, Settings, Step};
use crate::{
    config::{Class, Object},
    handle::{Handle, category},
    scope::{Scope, Variable},
};

/// What a model asks of its optimizer, by way of an [`Optimizer`].
///
/// Every rule that says how to [`Optimize`] does this. Only what hands its work to other optimizers
/// does it in its own way.
pub trait Minimize: Object {
    /// The settings, of a rule.
    fn settings(&self) -> Option<&Settings>;

    /// Rejects settings that no model could make right.
    fn verify(&self) -> Result<()>;

    /// The size of a step.
    fn rate(&self) -> Result<&LearningRate>;

    /// What the loss is multiplied by, if anything, as a scalar of type `f32`. States are in the
    /// scope `cx`.
    fn scale<'g>(&self, cx: &Scope<'g>) -> Option<Tensor<'g>>;

    /// Writes one step into the graph, with the states in the scope `at`.
    fn update<'g>(
        &self,
        at: &str,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    );

    /// The state in the scope `at` that this weight becomes when training ends, if it does.
    fn average(&self, at: &str, variable: &Variable) -> Option<String>;
}

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

    /// The fraction of this weight, times the learning rate, that is taken from it at each step,
    /// unless it is excluded.
    fn decay_of(&self, _variable: &Variable) -> Option<f64> {
        self.as_ref().weight_decay
    }

    /// Writes the rule into the graph: what each weight becomes, given its gradient.
    fn step<'g>(&self, cx: &Step<'g>);
}

impl<T: Optimize> Minimize for T {
    fn settings(&self) -> Option<&Settings> {
        Some(self.as_ref())
    }

    fn verify(&self) -> Result<()> {
        self.as_ref().check()?;
        self.check()
    }

    fn rate(&self) -> Result<&LearningRate> {
        Ok(&self.as_ref().learning_rate)
    }

    fn scale<'g>(&self, cx: &Scope<'g>) -> Option<Tensor<'g>> {
        self.as_ref().loss_scale_factor.map(|factor| cx.trace().scalar(factor, DType::F32))
    }

    fn update<'g>(
        &self,
        at: &str,
        cx: &Scope<'g>,
        weights: &[(Variable, Tensor<'g>)],
        gradients: &[Tensor<'g>],
    ) {
        Step::write(self, at, cx, weights, gradients);
    }

    fn average(&self, at: &str, variable: &Variable) -> Option<String> {
        self.as_ref().use_ema.then(|| Step::average_path(at, variable))
    }
}

/// An optimizer, or its name.
pub type Optimizer = Handle<dyn Minimize>;

category! {
    Minimize, "optimizer", CLASSES,

    fn identifier(class: &Class<dyn Minimize>) -> String {
        class.name().to_lowercase()
    }

    fn answers(class: &Class<dyn Minimize>, text: &str) -> bool {
        text.eq_ignore_ascii_case(class.name())
    }
}

/// The scope of an optimizer's states and of its learning rate.
const SCOPE: &str = "optimizer";

impl Optimizer {
    /// Rejects names that name nothing, and settings that no model could make right.
    ///
    /// # Errors
    ///
    /// In Keras' words, where Keras has any.
    pub fn check(&self) -> Result<()> {
        self.get()?.verify()
    }

    /// The size of a step. A constant one is the number `optimizer/learning_rate` of the program.
    ///
    /// # Errors
    ///
    /// If the optimizer was given by a string that names none, or has several learning rates.
    pub fn learning_rate(&self) -> Result<&LearningRate> {
        self.get()?.rate()
    }

    /// The loss whose gradients [`Optimizer::apply`] takes: scaled, if the optimizer asks for that.
    ///
    /// `cx` is the outermost scope.
    pub fn scale_loss<'g>(&self, cx: &Scope<'g>, loss: Tensor<'g>) -> Tensor<'g> {
        let scale = self.get().ok().and_then(|optimizer| optimizer.scale(&cx.child(SCOPE)));
        scale.map_or(loss, |scale| loss * scale)
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
                let scale = optimizer.scale(&cx.child(SCOPE));
                let scaled_back = |g: &Tensor<'g>| scale.map_or(*g, |scale| *g / scale);
                let gradients: Vec<Tensor> = gradients.iter().map(scaled_back).collect();
                optimizer.update(SCOPE, cx, weights, &gradients);
                cx.trace().enter(before);
            }
        }
    }

    /// The state that this weight becomes when training ends, if `use_ema` asks for that.
    pub fn average_of(&self, variable: &Variable) -> Option<String> {
        self.get().ok()?.average(SCOPE, variable)
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
        let help = error.help.as_deref().expect("the names");
        assert!(help.contains("lamb, lion, muon") && !help.contains("multioptimizer"), "{help}");
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
        let (trace, declared) = (Trace::new("loss"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let loss = trace.scalar(3.0, oxhorn_ir::DType::F32);
        let plain = Optimizer::from(SGD::new()).scale_loss(&cx, loss);
        assert_eq!(plain.value(), loss.value());
        let scaled = Optimizer::from(SGD::new().loss_scale_factor(4.0));
        let scaled = scaled.scale_loss(&cx, loss).value();
        drop(cx);
        let graph = trace.finish(&[scaled]).expect("no mistake");
        let results = oxhorn_ir::interpret::interpret(&graph, &[]).expect("a run");
        assert_eq!(results.outputs[0].scalar(), 12.0);
    }
}
