//! Lowers the learning rate when a number has stopped getting better.

use oxhorn_ir::{Result, ensure};

use super::{Callback, Mode, Python, Training, monitor::Monitor};
use crate::{history::Logs, state::State};

/// Multiplies the learning rate by a factor when a number has not got better for some epochs. The
/// logs of every epoch get a `learning_rate`.
///
/// ```
/// use oxhorn::callbacks::ReduceLROnPlateau;
///
/// let reducing = ReduceLROnPlateau::new("val_loss").factor(0.2).patience(5).min_lr(1e-4);
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLROnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    verbose: u8,
    cooldown: usize,
    min_lr: f64,
    /// Epochs of cooldown that are left.
    cooling: usize,
    /// Epochs since the number last got better.
    wait: usize,
}

impl ReduceLROnPlateau {
    /// Watches a number of the logs: a tenth of the learning rate after ten epochs that were not
    /// better by more than 0.0001.
    pub fn new(monitor: impl Into<String>) -> ReduceLROnPlateau {
        ReduceLROnPlateau {
            monitor: Monitor::new("ReduceLROnPlateau", monitor, 1e-4),
            factor: 0.1,
            patience: 10,
            verbose: 0,
            cooldown: 0,
            min_lr: 0.0,
            cooling: 0,
            wait: 0,
        }
    }

    /// What the learning rate is multiplied by, at least 0 and below 1. `fit` refuses any other.
    pub fn factor(self, factor: f64) -> ReduceLROnPlateau {
        ReduceLROnPlateau { factor, ..self }
    }

    /// After how many epochs without a better value the learning rate is lowered.
    pub fn patience(self, patience: usize) -> ReduceLROnPlateau {
        ReduceLROnPlateau { patience, ..self }
    }

    /// 1 says what is done, 0 is silent.
    pub fn verbose(self, verbose: u8) -> ReduceLROnPlateau {
        ReduceLROnPlateau { verbose, ..self }
    }

    /// Which way the number gets better: `"auto"`, `"min"` or `"max"`.
    pub fn mode(mut self, mode: impl Into<Mode>) -> ReduceLROnPlateau {
        self.monitor.mode = mode.into();
        self
    }

    /// The least difference that counts as better.
    pub fn min_delta(mut self, min_delta: f64) -> ReduceLROnPlateau {
        self.monitor.min_delta = min_delta;
        self
    }

    /// Epochs after a reduction in which no epoch counts as waited.
    pub fn cooldown(self, cooldown: usize) -> ReduceLROnPlateau {
        ReduceLROnPlateau { cooldown, ..self }
    }

    /// The learning rate is not lowered below this one.
    pub fn min_lr(self, min_lr: f64) -> ReduceLROnPlateau {
        ReduceLROnPlateau { min_lr, ..self }
    }

    /// Lowers the learning rate, unless it is as low as it may be.
    fn reduce(&mut self, epoch: usize, training: &mut dyn Training) -> Result<()> {
        let old = training.learning_rate()?;
        // The learning rate has been rounded to single precision, so the bound has to be as well.
        if old > f64::from(self.min_lr as f32) {
            let new = (old * self.factor).max(self.min_lr);
            training.set_learning_rate(new)?;
            if self.verbose > 0 {
                training.print(&format!(
                    "\nEpoch {}: ReduceLROnPlateau reducing learning rate to {}.",
                    epoch + 1,
                    Python(new)
                ))?;
            }
            (self.cooling, self.wait) = (self.cooldown, 0);
        }
        Ok(())
    }
}

impl Default for ReduceLROnPlateau {
    /// Watches `val_loss`.
    fn default() -> ReduceLROnPlateau {
        ReduceLROnPlateau::new("val_loss")
    }
}

impl Callback for ReduceLROnPlateau {
    fn state(&self) -> Result<State> {
        let state = State::new().with("cooling", self.cooling).with("wait", self.wait);
        Ok(state.with_part("monitor", self.monitor.state()))
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        self.on_train_begin(training)?;
        (self.cooling, self.wait) = (state.value("cooling")?, state.value("wait")?);
        self.monitor.resume(&state.part("monitor"))
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        let (factor, min_lr) = (Python(self.factor), Python(self.min_lr));
        ensure!(
            factor.0.is_nan() || factor.0 < 1.0,
            "ReduceLROnPlateau does not support a factor >= 1.0. Received factor={factor}"
        );
        ensure!(
            factor.0 >= 0.0 && min_lr.0.is_finite(),
            "ReduceLROnPlateau needs a factor from 0 to 1 and a finite `min_lr`. Received \
             factor={factor}, min_lr={min_lr}"
        );
        (self.cooling, self.wait) = (0, 0);
        self.monitor.begin(training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        logs.set("learning_rate", training.learning_rate()?);
        let value = self.monitor.read(logs, training, |metric, names| {
            format!(
                "Learning rate reduction is conditioned on metric `{metric}` which is not \
                 available. Available metrics are: {names}."
            )
        })?;
        let Some(value) = value else {
            return Ok(());
        };
        if self.cooling > 0 {
            (self.cooling, self.wait) = (self.cooling - 1, 0);
        }
        if self.monitor.improve(value) {
            self.wait = 0;
        } else if self.cooling == 0 {
            self.wait += 1;
            if self.wait >= self.patience {
                self.reduce(epoch, training)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::callbacks::testing::{case, number, numbers, replay};

    /// The callback with the arguments of a recording.
    fn recorded(arguments: &Value) -> ReduceLROnPlateau {
        let mut callback = ReduceLROnPlateau::default();
        for (name, value) in arguments.as_object().unwrap() {
            let count = value.as_u64().unwrap_or_default() as usize;
            callback = match name.as_str() {
                "monitor" => {
                    callback.monitor.metric = value.as_str().unwrap().to_owned();
                    callback
                }
                "factor" => callback.factor(number(value)),
                "patience" => callback.patience(count),
                "verbose" => callback.verbose(count as u8),
                "min_delta" => callback.min_delta(number(value)),
                "cooldown" => callback.cooldown(count),
                "min_lr" => callback.min_lr(number(value)),
                other => panic!("unknown argument {other}"),
            };
        }
        callback
    }

    #[test]
    fn sets_the_learning_rates_that_keras_sets() {
        for name in ["ReduceLROnPlateau", "ReduceLROnPlateau cooldown and min_lr"] {
            let case = case("training/learning_rates.json", name);
            let fit = &case["fits"][0];
            let mut callback = recorded(&fit["callbacks"][0]["arguments"]);
            let fake = replay(&fit["history"], 12, &mut callback).unwrap();
            let expected = numbers(&fit["history"], "learning_rate");
            assert_eq!(fake.history["learning_rate"], expected, "{name}");
            let after = number(&case["learning_rate_after"]) as f32;
            assert_eq!(fake.learning_rate, after, "{name}");
        }
    }

    #[test]
    fn says_what_keras_says() {
        let case = case("text/callbacks.json", "ReduceLROnPlateau");
        let mut callback = recorded(&case["arguments"]);
        let fake = replay(&case["history"], 8, &mut callback).unwrap();
        assert_eq!(case["printed"], fake.printed);
    }

    #[test]
    fn refuses_what_keras_refuses_in_its_words() {
        for name in ["ReduceLROnPlateau factor", "ReduceLROnPlateau monitors what is not there"] {
            let case = case("text/callbacks.json", name);
            let mut callback = recorded(&case["arguments"]);
            let error = replay(&json!({ "loss": [1.0] }), 1, &mut callback).unwrap_err();
            assert_eq!(case["error"]["message"], error.message);
        }
        for callback in [
            ReduceLROnPlateau::new("loss").factor(f64::NAN),
            ReduceLROnPlateau::new("loss").factor(-0.5),
            ReduceLROnPlateau::new("loss").min_lr(f64::INFINITY),
        ] {
            assert!(replay(&json!({ "loss": [1.0] }), 1, &mut { callback }).is_err());
        }
    }

    #[test]
    fn leaves_a_learning_rate_that_is_as_low_as_it_may_be() {
        // In single precision 0.1 is a little more than in double precision.
        let mut callback = ReduceLROnPlateau::new("loss").patience(1).min_lr(0.1).verbose(1);
        let fake = replay(&json!({ "loss": [1.0, 1.0, 1.0] }), 3, &mut callback).unwrap();
        assert_eq!((fake.learning_rate, fake.printed.as_str()), (0.1, ""));
    }

    #[test]
    fn warns_of_a_missing_number_once() {
        let mut callback = ReduceLROnPlateau::new("val_f1").mode("max").patience(1);
        let fake = replay(&json!({ "loss": [1.0, 2.0, 3.0] }), 3, &mut callback).unwrap();
        let expected = "Learning rate reduction is conditioned on metric `val_f1` which is not \
                        available. Available metrics are: loss,learning_rate.\n";
        assert_eq!((fake.printed.as_str(), fake.learning_rate), (expected, 0.1));
    }
}
