//! Sets the learning rate of every epoch.

use std::fmt;

use oxhorn_ir::{Result, ensure};

use super::{Callback, Python, Training};
use crate::history::Logs;

/// Sets the learning rate at the beginning of every epoch to what a function of the epoch, counted
/// from 0, and the learning rate up to then gives. The logs of every epoch get a `learning_rate`.
///
/// ```
/// use oxhorn::callbacks::LearningRateScheduler;
///
/// let decay = LearningRateScheduler::new(|epoch, lr| if epoch < 10 { lr } else { lr * 0.9 });
/// ```
#[derive(Clone)]
pub struct LearningRateScheduler<F> {
    schedule: F,
    verbose: u8,
}

impl<F: FnMut(usize, f64) -> f64> LearningRateScheduler<F> {
    /// Follows the function, silently.
    pub fn new(schedule: F) -> LearningRateScheduler<F> {
        LearningRateScheduler { schedule, verbose: 0 }
    }

    /// 1 says what is done, 0 is silent.
    pub fn verbose(self, verbose: u8) -> LearningRateScheduler<F> {
        LearningRateScheduler { verbose, ..self }
    }
}

impl<F> fmt::Debug for LearningRateScheduler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LearningRateScheduler").field("verbose", &self.verbose).finish()
    }
}

impl<F: FnMut(usize, f64) -> f64> Callback for LearningRateScheduler<F> {
    fn on_epoch_begin(&mut self, epoch: usize, training: &mut dyn Training) -> Result<()> {
        let learning_rate = (self.schedule)(epoch, training.learning_rate()?);
        let text = Python(learning_rate);
        ensure!(
            learning_rate.is_finite(),
            "The output of the `schedule` function should be a finite number. Got: {text}";
            help: "it was asked for the learning rate of epoch {epoch}, counted from 0"
        );
        training.set_learning_rate(learning_rate)?;
        if self.verbose > 0 {
            training.print(&format!(
                "\nEpoch {}: LearningRateScheduler setting learning rate to {text}.",
                epoch + 1
            ))?;
        }
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        logs.set("learning_rate", training.learning_rate()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::callbacks::testing::{case, numbers, replay};

    #[test]
    fn says_what_keras_says_and_sets_what_it_sets() {
        let halve: fn(usize, f64) -> f64 = |_, lr| lr * 0.5;
        let divide: fn(usize, f64) -> f64 = |epoch, _| 0.1 / (epoch as f64 + 3.0);
        for (name, schedule) in
            [("LearningRateScheduler", halve), ("LearningRateScheduler of the epoch alone", divide)]
        {
            let case = case("text/callbacks.json", name);
            let mut callback = LearningRateScheduler::new(schedule).verbose(1);
            let fake = replay(&case["history"], 3, &mut callback).unwrap();
            assert_eq!(case["printed"], fake.printed);
            let expected = numbers(&case["history"], "learning_rate");
            assert_eq!(fake.history["learning_rate"], expected, "{name}");
        }
    }

    #[test]
    fn goes_on_from_the_learning_rate_of_the_last_epoch() {
        let case = case("training/learning_rates.json", "LearningRateScheduler");
        let history = &case["fits"][0]["history"];
        let mut callback =
            LearningRateScheduler::new(|epoch, lr| if epoch >= 2 { lr * 0.5 } else { lr });
        let fake = replay(history, 5, &mut callback).unwrap();
        assert_eq!(fake.history["learning_rate"], numbers(history, "learning_rate"));
        assert_eq!(fake.printed, "");
    }

    #[test]
    fn refuses_what_is_no_number() {
        let mut callback = LearningRateScheduler::new(|epoch, lr| lr / (1.0 - epoch as f64));
        let error = replay(&json!({ "loss": [1.0, 1.0] }), 2, &mut callback).unwrap_err();
        assert_eq!(
            error.message,
            "The output of the `schedule` function should be a finite number. Got: inf"
        );
    }
}
