//! Saves the model as it trains.

use std::{
    fs,
    path::{Path, PathBuf},
};

use oxhorn_ir::{Error, Result, ensure};

use super::{
    Callback, Granularity, Mode, SaveFreq, Training, file_name, monitor::Monitor,
    save_freq::Batches,
};
use crate::{files::Contents, history::Logs, state::State};

/// Saves the model, or its weights, after epochs or batches: each time, or only when it is the best
/// so far.
///
/// The path may have placeholders for the epoch and the batch, counted from 1, and for the numbers
/// of the logs, formatted as Python formats them. Folders are made where there are none. A file
/// that is replaced stays until the new one is whole.
///
/// ```
/// use oxhorn::callbacks::ModelCheckpoint;
///
/// let best = ModelCheckpoint::new("best.keras").save_best_only();
/// let all = ModelCheckpoint::new("{epoch:02d}-{val_loss:.2f}.weights.h5").save_weights_only();
/// ```
#[derive(Clone, Debug)]
pub struct ModelCheckpoint {
    path: String,
    monitor: Monitor,
    verbose: u8,
    saved: Saved,
    contents: Contents,
    due: Batches,
    initial_value_threshold: Option<f64>,
    epoch: usize,
}

/// When the model is saved, of the times at which it might be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saved {
    Always,
    Best,
}

impl ModelCheckpoint {
    /// Saves the whole model to this path after every epoch. It ends in `.keras` or `.h5`.
    pub fn new(filepath: impl Into<String>) -> ModelCheckpoint {
        ModelCheckpoint {
            path: filepath.into(),
            monitor: Monitor::new("ModelCheckpoint", "val_loss", 0.0),
            verbose: 0,
            saved: Saved::Always,
            contents: Contents::Model,
            due: Batches::new(SaveFreq::Epoch),
            initial_value_threshold: None,
            epoch: 0,
        }
    }

    /// The number of the logs by which the best is told; `val_loss` if none is named.
    #[must_use]
    pub fn monitor(mut self, monitor: impl Into<String>) -> ModelCheckpoint {
        self.monitor.metric = monitor.into();
        self
    }

    /// Which way that number gets better: `"auto"`, `"min"` or `"max"`.
    #[must_use]
    pub fn mode(mut self, mode: impl Into<Mode>) -> ModelCheckpoint {
        self.monitor.mode = mode.into();
        self
    }

    /// 1 says what is done, 0 is silent.
    #[must_use]
    pub fn verbose(self, verbose: u8) -> ModelCheckpoint {
        ModelCheckpoint { verbose, ..self }
    }

    /// Saves only what is better than everything saved before in this run.
    #[must_use]
    pub fn save_best_only(self) -> ModelCheckpoint {
        ModelCheckpoint { saved: Saved::Best, ..self }
    }

    /// Saves the weights, and what the optimizer keeps, to a path that ends in `.weights.h5`,
    /// `.npz` or `.safetensors`.
    #[must_use]
    pub fn save_weights_only(self) -> ModelCheckpoint {
        ModelCheckpoint { contents: Contents::Weights, ..self }
    }

    /// Saves after so many batches, counted over all epochs, or, by default, after every `"epoch"`.
    #[must_use]
    pub fn save_freq(self, save_freq: impl Into<SaveFreq>) -> ModelCheckpoint {
        ModelCheckpoint { due: Batches::new(save_freq.into()), ..self }
    }

    /// A value that has to be beaten to be the best.
    #[must_use]
    pub fn initial_value_threshold(self, threshold: f64) -> ModelCheckpoint {
        ModelCheckpoint { initial_value_threshold: Some(threshold), ..self }
    }

    /// The best value so far, if there was one.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }

    fn check(&self) -> Result<()> {
        self.due.check()?;
        let path = &self.path;
        let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
        match self.contents {
            Contents::Model => ensure!(
                ends(&[".keras", ".h5"]),
                "The filepath provided must end in `.keras` (Keras model format). Received: \
                 filepath={path}"
            ),
            Contents::Weights => ensure!(
                ends(&[".weights.h5", ".npz", ".safetensors"]),
                "When using `save_weights_only=True` in `ModelCheckpoint`, the filepath provided \
                 must end in `.weights.h5` (Keras weights format). Received: filepath={path}";
                help: "`.npz` and `.safetensors` will do as well"
            ),
        }
        Ok(())
    }

    /// Saves, if it should, with the numbers of this epoch or of this batch of it.
    fn save(
        &mut self,
        epoch: usize,
        batch: Option<usize>,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let path = file_name::filled(&self.path, epoch + 1, batch.map(|it| it + 1), logs)?;
        if !self.is_worth_it(epoch, logs, &path, training)? {
            return Ok(());
        }
        let file = Path::new(&path);
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = fs::create_dir_all(folder);
            made.map_err(|error| Error::new(format!("`{}`: {error}", folder.display())))?;
        }
        ensure!(
            !file.is_dir(),
            "Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an \
             existing directory: {path}"
        );
        training.save(file, self.contents)?;
        self.say(format!("\nEpoch {}: finished saving model to {path}", epoch + 1), training)
    }

    /// Whether this is to be saved, and says so.
    fn is_worth_it(
        &mut self,
        epoch: usize,
        logs: &Logs,
        path: &str,
        training: &mut dyn Training,
    ) -> Result<bool> {
        let epoch = epoch + 1;
        if self.saved == Saved::Always {
            self.say(format!("\nEpoch {epoch}: saving model to {path}"), training)?;
            return Ok(true);
        }
        let value = self.monitor.read(logs, training, |metric, _| {
            format!("Can save best model only with {metric} available.")
        })?;
        let Some(value) = value else { return Ok(true) };
        let best = self.monitor.best.map_or("None".to_owned(), |best| format!("{best:.5}"));
        let metric = self.monitor.metric.clone();
        let better = self.monitor.improve(value);
        let text = match better {
            true => format!("improved from {best} to {value:.5}, saving model to {path}"),
            false => format!("did not improve from {best}"),
        };
        self.say(format!("\nEpoch {epoch}: {metric} {text}"), training)?;
        Ok(better)
    }

    fn say(&self, line: String, training: &mut dyn Training) -> Result<()> {
        if self.verbose > 0 { training.print(&line) } else { Ok(()) }
    }

    /// The file of the path as it is, without placeholders.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(&self.path)
    }
}

impl Callback for ModelCheckpoint {
    fn granularity(&self) -> Granularity {
        self.due.granularity()
    }

    fn state(&self) -> Result<State> {
        let state = State::new().with("epoch", self.epoch).with_part("due", self.due.state());
        Ok(state.with_part("monitor", self.monitor.state()))
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        self.on_train_begin(training)?;
        self.epoch = state.value("epoch")?;
        self.due.resume(&state.part("due"))?;
        self.monitor.resume(&state.part("monitor"))
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.check()?;
        self.due.begin();
        self.monitor.begin(training)?;
        self.monitor.best = self.initial_value_threshold;
        Ok(())
    }

    fn on_epoch_begin(&mut self, epoch: usize, _: &mut dyn Training) -> Result<()> {
        self.epoch = epoch;
        Ok(())
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        match self.due.after_batch(batch) {
            true => self.save(self.epoch, Some(batch), logs, training),
            false => Ok(()),
        }
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        match self.due.after_epoch() {
            true => self.save(epoch, None, logs, training),
            false => Ok(()),
        }
    }
}
