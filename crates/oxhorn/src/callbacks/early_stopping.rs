//! Ends training when a number has stopped getting better.

use oxhorn_ir::Result;

use super::{Callback, Mode, Snapshot, Training, monitor::Monitor};
use crate::{history::Logs, state::State};

/// Ends training when a number has not got better for some epochs: the surest cure for training
/// too long. On request it gives back the weights of the best epoch.
///
/// ```
/// use oxhorn::callbacks::EarlyStopping;
///
/// let stopping = EarlyStopping::new("val_loss").patience(3).restore_best_weights();
/// ```
#[derive(Clone, Debug)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    verbose: u8,
    baseline: Option<f64>,
    weights: Restoring,
    start_from_epoch: usize,
    /// Epochs since the number last got better.
    wait: usize,
    stopped_epoch: Option<usize>,
    best_epoch: Option<usize>,
}

/// What becomes of the weights when training ends.
#[derive(Clone, Debug)]
enum Restoring {
    /// They stay as they are.
    Never,
    /// They become those of the best epoch, which are kept here.
    Best(Option<Snapshot>),
}

impl EarlyStopping {
    /// Watches a number of the logs, `"val_loss"` most often; without patience.
    pub fn new(monitor: impl Into<String>) -> EarlyStopping {
        EarlyStopping {
            monitor: Monitor::new("EarlyStopping", monitor, 0.0),
            patience: 0,
            verbose: 0,
            baseline: None,
            weights: Restoring::Never,
            start_from_epoch: 0,
            wait: 0,
            stopped_epoch: None,
            best_epoch: None,
        }
    }

    /// The least difference that counts as better.
    pub fn min_delta(mut self, min_delta: f64) -> EarlyStopping {
        self.monitor.min_delta = min_delta;
        self
    }

    /// After how many epochs without a better value training ends. The first value is always better
    /// than none, so the first epoch never ends it.
    pub fn patience(self, patience: usize) -> EarlyStopping {
        EarlyStopping { patience, ..self }
    }

    /// 1 says what is done, 0 is silent.
    pub fn verbose(self, verbose: u8) -> EarlyStopping {
        EarlyStopping { verbose, ..self }
    }

    /// Which way the number gets better: `"auto"`, `"min"` or `"max"`.
    pub fn mode(mut self, mode: impl Into<Mode>) -> EarlyStopping {
        self.monitor.mode = mode.into();
        self
    }

    /// A value that must be beaten within the patience.
    pub fn baseline(self, baseline: f64) -> EarlyStopping {
        EarlyStopping { baseline: Some(baseline), ..self }
    }

    /// Gives the model the weights of the best epoch when training ends, whatever ends it.
    pub fn restore_best_weights(self) -> EarlyStopping {
        EarlyStopping { weights: Restoring::Best(None), ..self }
    }

    /// The epoch, counted from 0, before which nothing is watched.
    pub fn start_from_epoch(self, start_from_epoch: usize) -> EarlyStopping {
        EarlyStopping { start_from_epoch, ..self }
    }

    /// The epoch after which training was ended, counted from 0, if it was.
    pub fn stopped_epoch(&self) -> Option<usize> {
        self.stopped_epoch
    }

    /// The best epoch, counted from 0, if there was one.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    /// The number of the best epoch.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }
}

impl Default for EarlyStopping {
    /// Watches `val_loss`.
    fn default() -> EarlyStopping {
        EarlyStopping::new("val_loss")
    }
}

impl Callback for EarlyStopping {
    fn state(&self) -> Result<State> {
        let mut state = State::new()
            .with("wait", self.wait)
            .with_some("stopped_epoch", self.stopped_epoch)
            .with_some("best_epoch", self.best_epoch)
            .with_part("monitor", self.monitor.state());
        if let Restoring::Best(Some(weights)) = &self.weights {
            state.set_part("best_weights", weights.state()?);
        }
        Ok(state)
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        self.on_train_begin(training)?;
        self.wait = state.value("wait")?;
        self.stopped_epoch = state.find("stopped_epoch")?;
        self.best_epoch = state.find("best_epoch")?;
        let weights = state.part("best_weights");
        if let Restoring::Best(best) = &mut self.weights
            && !weights.is_empty()
        {
            *best = Some(Snapshot::of_state(&weights)?);
        }
        self.monitor.resume(&state.part("monitor"))
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        (self.wait, self.stopped_epoch, self.best_epoch) = (0, None, None);
        if let Restoring::Best(weights) = &mut self.weights {
            *weights = None;
        }
        self.monitor.begin(training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let value = self.monitor.read(logs, training, |metric, names| {
            format!(
                "Early stopping conditioned on metric `{metric}` which is not available. Available \
                 metrics are: {names}"
            )
        })?;
        let Some(value) = value.filter(|_| epoch >= self.start_from_epoch) else {
            return Ok(());
        };
        self.wait += 1;
        if self.monitor.improve(value) {
            self.best_epoch = Some(epoch);
            if let Restoring::Best(weights) = &mut self.weights {
                *weights = Some(training.weights());
            }
            if self.baseline.is_none_or(|baseline| self.monitor.is_better(value, baseline)) {
                self.wait = 0;
            }
        } else if self.wait >= self.patience {
            self.stopped_epoch = Some(epoch);
            training.stop();
        }
        Ok(())
    }

    fn on_train_end(&mut self, _: &Logs, training: &mut dyn Training) -> Result<()> {
        if let Some(epoch) = self.stopped_epoch.filter(|_| self.verbose > 0) {
            training.print(&format!("Epoch {}: early stopping", epoch + 1))?;
        }
        if let (Restoring::Best(Some(weights)), Some(epoch)) = (&self.weights, self.best_epoch) {
            if self.verbose > 0 {
                training.print(&format!(
                    "Restoring model weights from the end of the best epoch: {}.",
                    epoch + 1
                ))?;
            }
            training.restore(weights)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::callbacks::testing::{Fake, Stopped, case, golden, number, replay};

    /// The callback with the arguments of a recording.
    fn recorded(arguments: &Value) -> EarlyStopping {
        let mut callback = EarlyStopping::default();
        for (name, value) in arguments.as_object().unwrap() {
            let count = value.as_u64().unwrap_or_default() as usize;
            let text = value.as_str().unwrap_or_default();
            callback = match name.as_str() {
                "monitor" => {
                    callback.monitor.metric = text.to_owned();
                    callback
                }
                "min_delta" => callback.min_delta(number(value)),
                "patience" => callback.patience(count),
                "verbose" => callback.verbose(count as u8),
                "mode" => callback.mode(text),
                "baseline" => callback.baseline(number(value)),
                "restore_best_weights" => callback.restore_best_weights(),
                "start_from_epoch" => callback.start_from_epoch(count),
                other => panic!("unknown argument {other}"),
            };
        }
        callback
    }

    fn losses(callback: &mut EarlyStopping, losses: &[f64]) -> Fake {
        replay(&json!({ "loss": losses }), losses.len(), callback).unwrap()
    }

    #[test]
    fn stops_where_keras_stops() {
        let golden = golden("training/early_stopping.json");
        for case in golden["cases"].as_array().unwrap() {
            let (fit, name) = (&case["fits"][0], &case["name"]);
            let mut callback = recorded(&fit["callbacks"][0]["arguments"]);
            let epochs = fit["arguments"]["epochs"].as_u64().unwrap() as usize;
            let fake = replay(&fit["history"], epochs, &mut callback).unwrap();
            let (expected, ran) = (&fit["early_stopping"], &fit["epochs"]);
            assert_eq!(json!(fake.history.epoch), *ran, "{name}");
            assert_eq!(json!(callback.stopped_epoch().unwrap_or(0)), expected["stopped_epoch"]);
            assert_eq!(json!(callback.best_epoch()), expected["best_epoch"], "{name}");
            assert_eq!(callback.best(), Some(number(&expected["best"])), "{name}");
            assert_eq!(json!(callback.wait), expected["wait"], "{name}");
        }
    }

    #[test]
    fn says_what_keras_says() {
        for (name, weight) in [
            ("EarlyStopping", 3),
            ("EarlyStopping restores", 2),
            ("EarlyStopping restores at the end", 2),
            ("EarlyStopping, unknown mode", 2),
        ] {
            let case = case("text/callbacks.json", name);
            let epochs = case["epochs"].as_u64().unwrap() as usize;
            let mut callback = recorded(&case["arguments"]);
            let fake = replay(&case["history"], epochs, &mut callback).unwrap();
            let mut expected = case["printed"].as_str().unwrap().to_owned();
            if let Some(warning) = case["warnings"][0].as_str() {
                expected.insert_str(0, &format!("{warning}\n"));
            }
            assert_eq!((fake.printed, fake.weight), (expected, weight), "{name}");
        }
    }

    #[test]
    fn refuses_a_number_of_unknown_direction_in_the_words_of_keras() {
        let case = case("text/callbacks.json", "EarlyStopping monitors what is not there");
        let mut callback = recorded(&case["arguments"]);
        let error = replay(&json!({ "loss": [1.0] }), 1, &mut callback).unwrap_err();
        assert_eq!(case["error"]["message"], error.message);
    }

    #[test]
    fn warns_of_a_missing_number_and_trains_on() {
        let history = json!({ "accuracy": [0.5, 0.5, 0.5], "loss": [1.0, 2.0, 3.0] });
        let mut callback = EarlyStopping::new("val_f1").mode("max").restore_best_weights();
        let fake = replay(&history, 3, &mut callback).unwrap();
        let expected = "Early stopping conditioned on metric `val_f1` which is not available. \
                        Available metrics are: accuracy,loss\n";
        assert_eq!((fake.printed.as_str(), fake.stopped), (expected, Stopped::No));
        assert_eq!((fake.weight, callback.best_epoch()), (3, None));
    }

    #[test]
    fn may_be_used_again() {
        let mut callback = EarlyStopping::new("loss").patience(1).restore_best_weights();
        for _ in 0..2 {
            let fake = losses(&mut callback, &[3.0, 2.0, 2.0, 1.0]);
            assert_eq!((fake.weight, callback.stopped_epoch()), (2, Some(2)));
        }
        assert_eq!(losses(&mut callback, &[5.0, 4.0]).weight, 2);
        assert_eq!((callback.stopped_epoch(), callback.best()), (None, Some(4.0)));
    }

    #[test]
    fn never_stops_at_the_first_epoch_and_never_calls_nan_better() {
        let nan = f64::NAN;
        let mut callback = EarlyStopping::new("loss");
        let logs = |loss: f64| [("loss", loss)].into_iter().collect::<Logs>();
        let mut fake = Fake::default();
        callback.on_train_begin(&mut fake).unwrap();
        callback.on_epoch_end(0, &mut logs(nan), &mut fake).unwrap();
        assert_eq!((fake.stopped, callback.best_epoch()), (Stopped::No, Some(0)));
        callback.on_epoch_end(1, &mut logs(1.0), &mut fake).unwrap();
        assert_eq!((fake.stopped, callback.stopped_epoch()), (Stopped::Yes, Some(1)));
    }
}
