//! What training reports: the numbers of one step or epoch, and those of all epochs.

use std::{fmt, ops::Index};

use oxhorn_ir::Result;

use crate::{
    progress::write_number,
    state::{Keep, State},
};

/// Values by name in a fixed order, the order in which they are shown.
///
/// Indexing with a name that is absent panics, as a map does; `get` does not.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T> {
    entries: Vec<(String, T)>,
}

/// The numbers of a step, an epoch or an evaluation, such as `loss` and `val_accuracy`.
///
/// They are in alphabetical order; what a callback sets afterwards comes last.
pub type Logs = Named<f64>;

impl<T> Named<T> {
    /// Nothing yet.
    pub fn new() -> Named<T> {
        Named { entries: Vec::new() }
    }

    /// Gives a name its value. A new name goes to the end; nothing is allocated for a known one.
    pub fn set(&mut self, name: &str, value: T) {
        match self.find_mut(name) {
            Some(old) => *old = value,
            None => self.entries.push((name.to_owned(), value)),
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Number of names.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, name: &str) -> Option<&T> {
        self.iter().find_map(|(other, value)| (other == name).then_some(value))
    }

    fn find_mut(&mut self, name: &str) -> Option<&mut T> {
        self.entries.iter_mut().find_map(|(other, value)| (other == name).then_some(value))
    }
}

impl<T: Keep + Clone> Named<T> {
    /// Values and names, each by its place in the order.
    pub(crate) fn state(&self) -> State {
        let mut state = State::new().with("count", self.len());
        for (i, (name, value)) in self.iter().enumerate() {
            state.set(&format!("{i}/name"), name.to_owned());
            state.set(&format!("{i}/value"), value.clone());
        }
        state
    }

    /// The values that were kept.
    pub(crate) fn of_state(state: &State) -> Result<Named<T>> {
        let mut named = Named::new();
        for i in 0..state.value("count")? {
            let name: String = state.value(&format!("{i}/name"))?;
            named.set(&name, state.value(&format!("{i}/value"))?);
        }
        Ok(named)
    }
}

impl Named<f64> {
    /// The number of that name, if there is one.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.find(name).copied()
    }
}

impl Named<Vec<f64>> {
    /// The numbers of that name, if there are any.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.find(name).map(Vec::as_slice)
    }
}

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named::new()
    }
}

/// Sorts by name. Of two values of one name, the later counts.
impl<T, N: Into<String>> FromIterator<(N, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (N, T)>>(entries: I) -> Named<T> {
        let mut named = Named::new();
        for (name, value) in entries {
            named.set(&name.into(), value);
        }
        named.entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        named
    }
}

impl<T> Index<&str> for Named<T> {
    type Output = T;

    #[track_caller]
    fn index(&self, name: &str) -> &T {
        self.find(name).unwrap_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            panic!("there is no `{name}`; there are: {}", names.join(", "))
        })
    }
}

/// As in a progress line: `accuracy: 0.2200 - loss: 1.5944`.
impl fmt::Display for Named<f64> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, &value)) in self.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { " - " })?;
            write!(f, "{name}: ")?;
            write_number(f, value)?;
        }
        Ok(())
    }
}

/// What `fit` returns: the numbers of every epoch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// The epochs that were run, counted from 0.
    pub epoch: Vec<usize>,
    /// The values of each name, one for each epoch that reported it: `history["val_loss"]` is
    /// shorter than `history["loss"]` where validation did not follow every epoch.
    pub history: Named<Vec<f64>>,
    /// How `fit` was called.
    pub params: Params,
}

/// How `fit` was called, as far as [`History`] and callbacks are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params {
    /// 0 is silent, 1 a progress bar, 2 a line for each epoch.
    pub verbose: u8,
    /// The epoch at which training was to stop.
    pub epochs: usize,
    /// Steps in an epoch; `None` when that was not known beforehand.
    pub steps: Option<usize>,
}

impl History {
    /// No epochs yet.
    pub fn new(params: Params) -> History {
        History { params, ..History::default() }
    }

    /// The numbers of all epochs.
    pub(crate) fn state(&self) -> State {
        let epochs = State::new().with("epoch", self.epoch.clone());
        epochs.with_part("history", self.history.state())
    }

    /// Goes on after the epochs that were kept.
    pub(crate) fn restore(&mut self, state: &State) -> Result<()> {
        self.epoch = state.value("epoch")?;
        self.history = Named::of_state(&state.part("history"))?;
        Ok(())
    }

    /// Adds the numbers with which an epoch ended.
    pub fn record(&mut self, epoch: usize, logs: &Logs) {
        self.epoch.push(epoch);
        for (name, &value) in logs.iter() {
            match self.history.find_mut(name) {
                Some(values) => values.push(value),
                None => self.history.set(name, vec![value]),
            }
        }
    }
}

/// The values of that name, one for each epoch that reported it.
impl Index<&str> for History {
    type Output = [f64];

    #[track_caller]
    fn index(&self, name: &str) -> &[f64] {
        &self.history[name]
    }
}

/// A line for each name: `loss: 1.7061 1.6679`.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, values)) in self.history.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "\n" })?;
            write!(f, "{name}:")?;
            for &value in values {
                f.write_str(" ")?;
                write_number(f, value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(entries: &[(&str, f64)]) -> Logs {
        entries.iter().copied().collect()
    }

    #[test]
    fn is_in_alphabetical_order_and_callbacks_add_at_the_end() {
        let mut logs = logs(&[("val_loss", 3.0), ("loss", 2.0), ("accuracy", 1.0), ("loss", 0.5)]);
        logs.set("learning_rate", 1e-3);
        logs.set("loss", 4.0);
        let names: Vec<&str> = logs.names().collect();
        assert_eq!(names, ["accuracy", "loss", "val_loss", "learning_rate"]);
        assert_eq!((logs["loss"], logs.len()), (4.0, 4));
        let line = "accuracy: 1.0000 - loss: 4.0000 - val_loss: 3.0000 - learning_rate: 1.0000e-03";
        assert_eq!(logs.to_string(), line);
    }

    #[test]
    fn gives_nothing_for_an_absent_name() {
        assert_eq!(logs(&[("loss", 2.0)]).get("acc"), None);
        assert!(Logs::new().is_empty());
        assert_eq!(Logs::new().to_string(), "");
    }

    #[test]
    #[should_panic(expected = "there is no `acc`; there are: accuracy, loss")]
    fn names_what_there_is_when_indexed_with_an_absent_name() {
        let _ = logs(&[("loss", 2.0), ("accuracy", 1.0)])["acc"];
    }

    #[test]
    fn keeps_the_epochs_apart_where_validation_is_rare() {
        let mut history = History::new(Params { verbose: 2, epochs: 4, steps: Some(3) });
        history.record(1, &logs(&[("val_loss", 1.5), ("loss", 1.0)]));
        history.record(2, &logs(&[("loss", 0.5)]));
        history.record(3, &logs(&[("loss", 1e-4), ("val_loss", 1.25)]));
        assert_eq!(history.epoch, [1, 2, 3]);
        assert_eq!(history["loss"], [1.0, 0.5, 1e-4]);
        assert_eq!(history.history["val_loss"], [1.5, 1.25]);
        assert_eq!(history.to_string(), "loss: 1.0000 0.5000 1.0000e-04\nval_loss: 1.5000 1.2500");
    }
}
