//! The watching of one number, common to the callbacks that wait for it to get better.

use oxhorn_ir::{Error, Result};

use crate::{
    callbacks::{Direction, Training},
    clean,
    history::Logs,
    state::State,
};

/// Which way the monitored number gets better, as a callback is told.
///
/// Strings stand for it as in Keras: `"auto"`, `"min"` and `"max"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the metric itself says.
    #[default]
    Auto,
    /// Smaller is better.
    Min,
    /// Larger is better.
    Max,
    /// A string that is none of the three: a warning is printed, and it is `Auto`.
    Unknown(String),
}

impl From<&str> for Mode {
    fn from(mode: &str) -> Mode {
        match mode {
            "auto" => Mode::Auto,
            "min" => Mode::Min,
            "max" => Mode::Max,
            other => Mode::Unknown(other.to_owned()),
        }
    }
}

/// A number of the logs, and the best value it has had.
#[derive(Clone, Debug)]
pub(super) struct Monitor {
    /// Whose messages these are.
    callback: &'static str,
    pub(super) metric: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    /// The best value of this run; none before the first.
    pub(super) best: Option<f64>,
    direction: Option<Direction>,
    warned: Option<String>,
}

impl Monitor {
    pub(super) fn new(
        callback: &'static str,
        metric: impl Into<String>,
        min_delta: f64,
    ) -> Monitor {
        let (metric, mode) = (metric.into(), Mode::Auto);
        Monitor { callback, metric, mode, min_delta, best: None, direction: None, warned: None }
    }

    /// Forgets an earlier run.
    pub(super) fn begin(&mut self, training: &mut dyn Training) -> Result<()> {
        (self.best, self.direction, self.warned) = (None, None, None);
        match &self.mode {
            Mode::Unknown(mode) => training.print(&format!(
                "{} mode '{mode}' is unknown, fallback to auto mode.",
                self.callback
            )),
            _ => Ok(()),
        }
    }

    /// What it has seen so far.
    pub(super) fn state(&self) -> State {
        let state = State::new().with_some("best", self.best);
        state.with_some("warned", self.warned.clone())
    }

    /// Goes on with what it had seen.
    pub(super) fn resume(&mut self, state: &State) -> Result<()> {
        (self.best, self.warned) = (state.find("best")?, state.find("warned")?);
        Ok(())
    }

    /// The number of this epoch. Where there is none, the warning that `missing` words from the
    /// names there are is printed, once until its text changes.
    pub(super) fn read(
        &mut self,
        logs: &Logs,
        training: &mut dyn Training,
        missing: impl FnOnce(&str, &str) -> String,
    ) -> Result<Option<f64>> {
        self.settle(training)?;
        let value = logs.get(&self.metric);
        if value.is_none() {
            let names: Vec<&str> = logs.names().collect();
            let warning = missing(&self.metric, &names.join(","));
            if self.warned.as_ref() != Some(&warning) {
                training.print(&warning)?;
                self.warned = Some(warning);
            }
        }
        Ok(value)
    }

    /// Whether the value is the best so far, which it then becomes.
    pub(super) fn improve(&mut self, value: f64) -> bool {
        let better = self.best.is_none_or(|best| self.is_better(value, best));
        if better {
            self.best = Some(value);
        }
        better
    }

    /// Whether the value is better than another by more than the least difference that counts.
    pub(super) fn is_better(&self, value: f64, than: f64) -> bool {
        // Keras subtracts in double precision and compares in single, and NaN is never better.
        let (delta, than) = (self.min_delta.abs(), than as f32);
        match self.direction {
            Some(Direction::Up) => (value - delta) as f32 > than,
            _ => ((value + delta) as f32) < than,
        }
    }

    /// Finds out which way is better. It waits for the first epoch's end, when all metrics exist.
    fn settle(&mut self, training: &mut dyn Training) -> Result<()> {
        if self.direction.is_some() {
            return Ok(());
        }
        let name = self.metric.strip_prefix("val_").unwrap_or(&self.metric);
        let clean = name.strip_prefix(clean::PREFIX);
        self.direction = match self.mode {
            Mode::Min => Some(Direction::Down),
            Mode::Max => Some(Direction::Up),
            Mode::Auto | Mode::Unknown(_) => {
                let falls = name == clean::GAP || [name, clean.unwrap_or(name)].contains(&"loss");
                let known = training.direction(name).or_else(|| training.direction(clean?));
                known.or_else(|| falls.then_some(Direction::Down))
            }
        };
        if self.direction.is_none() {
            return Err(Error::new(format!(
                "{} callback received monitor={}, but Keras isn't able to automatically determine \
                 whether that metric should be maximized or minimized. Pass `mode='max'` in order \
                 to monitor based on the highest metric value, or pass `mode='min'` in order to \
                 use the lowest value.",
                self.callback, self.metric
            ))
            .help("here that is `.mode(\"max\")` or `.mode(\"min\")`"));
        }
        Ok(())
    }
}
