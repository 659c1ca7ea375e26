//! The settings of every optimizer.

use oxhorn_ir::{Result, ensure};

use super::{LearningRate, pattern};
use crate::{config::Config, scope::Variable};

/// The settings of every optimizer.
#[derive(Clone, Debug, PartialEq, Config)]
pub struct Settings {
    /// The optimizer's name.
    #[config(default)]
    pub name: String,
    /// The size of a step: a number or a schedule.
    #[config(default = 0.001)]
    pub learning_rate: LearningRate,
    /// The fraction of each weight, times the learning rate, that is taken from it at each step.
    #[config(default)]
    pub weight_decay: Option<f64>,
    /// The greatest length of the gradient of one weight.
    #[config(default)]
    pub clipnorm: Option<f64>,
    /// The greatest length of all gradients together.
    #[config(default)]
    pub global_clipnorm: Option<f64>,
    /// The greatest absolute value of an element of a gradient.
    #[config(default)]
    pub clipvalue: Option<f64>,
    /// Whether to keep a running mean of the weights, which they become when training ends.
    #[config(default = false)]
    pub use_ema: bool,
    /// How much of the running mean is kept at each step.
    #[config(default = 0.99)]
    pub ema_momentum: f64,
    /// After how many steps, again and again, the weights become the running mean.
    #[config(default)]
    pub ema_overwrite_frequency: Option<usize>,
    /// The factor by which the loss is scaled, and gradients are scaled back.
    #[config(default)]
    pub loss_scale_factor: Option<f64>,
    /// How many batches make one step, taken along the mean of their gradients.
    #[config(default)]
    pub gradient_accumulation_steps: Option<usize>,
    /// Regular expressions: weights in whose name one is found do not decay.
    #[config(skip)]
    pub exclude_from_weight_decay: Vec<String>,
}

impl Settings {
    /// Keras' defaults for an optimizer of this name.
    pub fn named(name: &str) -> Settings {
        Settings::new().name(name)
    }

    /// Rejects what no model could make right.
    pub(super) fn check(&self) -> Result<()> {
        let limits = [self.clipnorm, self.clipvalue, self.global_clipnorm];
        let [clipnorm, clipvalue, global_clipnorm] =
            limits.map(|limit| limit.map_or("None".to_owned(), |limit| format!("{limit:?}")));
        ensure!(
            limits.iter().flatten().count() <= 1,
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: \
             clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
        );
        let batches = self.gradient_accumulation_steps.unwrap_or(2);
        ensure!(
            batches >= 2,
            "`gradient_accumulation_steps` must be an integer >= 2. Received: \
             gradient_accumulation_steps={batches}"
        );
        let scale = self.loss_scale_factor.unwrap_or(1.0);
        ensure!(
            scale.is_normal(),
            "`loss_scale_factor` must be a finite number other than 0, got {scale}"
        );
        match &self.learning_rate {
            LearningRate::Schedule(schedule) => schedule.get()?.check()?,
            LearningRate::Constant(rate) => {
                ensure!(rate.is_finite(), "`learning_rate` must be a finite number, got {rate}");
            }
        }
        self.check_average()?;
        let patterns = &self.exclude_from_weight_decay;
        patterns.iter().try_for_each(|it| pattern::check("exclude_from_weight_decay", it))
    }

    fn check_average(&self) -> Result<()> {
        let (momentum, frequency) = (self.ema_momentum, self.ema_overwrite_frequency);
        if self.use_ema {
            ensure!(
                (0.0..=1.0).contains(&momentum),
                "`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={momentum:?}"
            );
            ensure!(
                frequency != Some(0),
                "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: \
                 ema_overwrite_frequency=0"
            );
        }
        Ok(())
    }

    /// Whether this weight does not decay.
    pub(super) fn is_excluded(&self, variable: &Variable) -> bool {
        let name = variable.path.rsplit('/').next().unwrap_or_default();
        let patterns = &self.exclude_from_weight_decay;
        patterns.iter().any(|it| *it == variable.path || pattern::is_found(it, name))
    }
}

/// The settings that all optimizers have: `Adam::new().learning_rate(0.01).clipnorm(1.0)`.
pub trait OptimizerSettings: AsMut<Settings> + Sized {
    /// Names the optimizer.
    #[must_use]
    fn name(mut self, name: impl Into<String>) -> Self {
        self.as_mut().name = name.into();
        self
    }

    /// Sets the size of a step: a number or a schedule.
    #[must_use]
    fn learning_rate(mut self, rate: impl Into<LearningRate>) -> Self {
        self.as_mut().learning_rate = rate.into();
        self
    }

    /// Takes this fraction of each weight, times the learning rate, from it at each step.
    #[must_use]
    fn weight_decay(mut self, fraction: f64) -> Self {
        self.as_mut().weight_decay = Some(fraction);
        self
    }

    /// Keeps weights from decaying in whose own name, such as `bias`, one of these regular
    /// expressions is found.
    #[must_use]
    fn exclude_from_weight_decay<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        self.as_mut().exclude_from_weight_decay = names.into_iter().map(S::into).collect();
        self
    }

    /// Shortens the gradient of each weight to this length.
    #[must_use]
    fn clipnorm(mut self, length: f64) -> Self {
        self.as_mut().clipnorm = Some(length);
        self
    }

    /// Shortens all gradients together to this length.
    #[must_use]
    fn global_clipnorm(mut self, length: f64) -> Self {
        self.as_mut().global_clipnorm = Some(length);
        self
    }

    /// Limits the elements of gradients to this absolute value.
    #[must_use]
    fn clipvalue(mut self, value: f64) -> Self {
        self.as_mut().clipvalue = Some(value);
        self
    }

    /// Keeps a running mean of the weights, which they become when training ends.
    #[must_use]
    fn use_ema(mut self, use_ema: bool) -> Self {
        self.as_mut().use_ema = use_ema;
        self
    }

    /// Keeps this much of the running mean at each step.
    #[must_use]
    fn ema_momentum(mut self, momentum: f64) -> Self {
        self.as_mut().ema_momentum = momentum;
        self
    }

    /// Makes the weights the running mean after this many steps, again and again.
    #[must_use]
    fn ema_overwrite_frequency(mut self, steps: usize) -> Self {
        self.as_mut().ema_overwrite_frequency = Some(steps);
        self
    }

    /// Scales the loss by this factor, and gradients back.
    #[must_use]
    fn loss_scale_factor(mut self, factor: f64) -> Self {
        self.as_mut().loss_scale_factor = Some(factor);
        self
    }

    /// Makes one step of this many batches, along the mean of their gradients.
    #[must_use]
    fn gradient_accumulation_steps(mut self, batches: usize) -> Self {
        self.as_mut().gradient_accumulation_steps = Some(batches);
        self
    }
}

impl<T: AsMut<Settings>> OptimizerSettings for T {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        optimizers::{Adam, AdamW, Lion, Optimizer, SGD},
        schedules::{ExponentialDecay, PiecewiseConstantDecay},
    };

    fn message(optimizer: impl Into<Optimizer>) -> String {
        optimizer.into().check().expect_err("a mistake").message
    }

    #[test]
    fn only_one_way_of_clipping_is_taken() {
        assert_eq!(
            message(Adam::new().clipnorm(1.0).clipvalue(1.0)),
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. \
             Received: clipnorm=1.0, clipvalue=1.0, global_clipnorm=None"
        );
    }

    #[test]
    fn settings_out_of_range_are_refused_in_keras_words() {
        let cases = [
            (
                message(SGD::new().gradient_accumulation_steps(1)),
                "`gradient_accumulation_steps` must be an integer >= 2. \
                 Received: gradient_accumulation_steps=1",
            ),
            (
                message(SGD::new().use_ema(true).ema_momentum(1.5)),
                "`ema_momentum` must be in the range [0, 1]. Received: ema_momentum=1.5",
            ),
            (
                message(SGD::new().use_ema(true).ema_overwrite_frequency(0)),
                "`ema_overwrite_frequency` must be an integer >= 1 or None. \
                 Received: ema_overwrite_frequency=0",
            ),
            (message(SGD::new().momentum(1.5)), "`momentum` must be a float between [0, 1]."),
            (
                message(Lion::new().beta_1(0.0)),
                "Argument `beta_1` must be in the [0, 1] range. Otherwise, the optimizer \
                 degenerates to SignSGD. Received: beta_1=0.0.",
            ),
        ];
        cases.iter().for_each(|(got, expected)| assert_eq!(got, expected));
        assert!(Optimizer::from(SGD::new().momentum(1.0)).check().is_ok());
        assert!(Optimizer::from(SGD::new().ema_momentum(1.5)).check().is_ok());
    }

    #[test]
    fn adamw_without_weight_decay_is_refused() {
        let mut optimizer = AdamW::new();
        assert!(Optimizer::from(optimizer.clone()).check().is_ok());
        optimizer.settings.weight_decay = None;
        assert_eq!(
            message(optimizer),
            "Argument `weight_decay` must be a float. Received: weight_decay=None"
        );
    }

    #[test]
    fn schedules_are_checked_too() {
        assert_eq!(
            message(Adam::new().learning_rate(ExponentialDecay::new(0.1, 0, 0.5))),
            "Argument `decay_steps` must be > 0. Received: decay_steps=0"
        );
        assert_eq!(
            message(Adam::new().learning_rate(PiecewiseConstantDecay::new([10], [1.0]))),
            "The length of boundaries should be 1 less than the length of values. Received: \
             boundaries=[10] of length 1, and values=[1.0] of length 1."
        );
    }

    #[test]
    fn a_loss_cannot_be_scaled_by_nothing() {
        assert_eq!(
            message(SGD::new().loss_scale_factor(0.0)),
            "`loss_scale_factor` must be a finite number other than 0, got 0"
        );
    }

    #[test]
    fn weights_that_match_a_pattern_do_not_decay() {
        let settings = Adam::new().exclude_from_weight_decay(["^b", "bias|gamma"]).settings;
        let excluded = |path: &str| {
            settings.is_excluded(&Variable {
                path: path.to_owned(),
                ty: oxhorn_ir::Type::f32([]),
                trainable: true,
                initial: crate::scope::Initial::Filled(0.0),
                regularizer: None,
                constraint: None,
            })
        };
        assert!(excluded("dense/bias") && excluded("norm/gamma") && excluded("norm/beta"));
        assert!(!excluded("bias/kernel"), "the name of the layer does not count");
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        let optimizer = Adam::new().weight_decay(0.1).exclude_from_weight_decay(["(bias"]);
        let begin = "`exclude_from_weight_decay` needs regular expressions, got `(bias`: ";
        assert!(message(optimizer).starts_with(begin));
    }
}
