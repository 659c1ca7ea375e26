//! How often something is saved: after epochs, or after so many batches.

use oxhorn_ir::{Result, ensure};

use super::Granularity;
use crate::state::State;

/// How often something is saved: Keras' `save_freq`.
///
/// A number stands for so many batches, and the string `"epoch"` for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SaveFreq {
    /// At the end of every epoch.
    #[default]
    Epoch,
    /// Whenever so many batches have passed, counted over all epochs.
    Batches(usize),
    /// A string that is not `"epoch"`, which `fit` refuses.
    Unknown(String),
}

impl From<usize> for SaveFreq {
    fn from(batches: usize) -> SaveFreq {
        SaveFreq::Batches(batches)
    }
}

impl From<&str> for SaveFreq {
    fn from(text: &str) -> SaveFreq {
        match text {
            "epoch" => SaveFreq::Epoch,
            other => SaveFreq::Unknown(other.to_owned()),
        }
    }
}

/// Counts batches as Keras does, which may be told of several at once.
#[derive(Clone, Debug)]
pub(super) struct Batches {
    freq: SaveFreq,
    /// Batches since something was last saved.
    passed: usize,
    last: Option<usize>,
}

impl Batches {
    pub(super) fn new(freq: SaveFreq) -> Batches {
        Batches { freq, passed: 0, last: None }
    }

    pub(super) fn check(&self) -> Result<()> {
        if let SaveFreq::Unknown(text) = &self.freq {
            ensure!(
                false,
                "Unrecognized save_freq: {text}. Expected save_freq are 'epoch' or integer values"
            );
        }
        ensure!(
            self.freq != SaveFreq::Batches(0),
            "`save_freq` must be at least 1, got 0"; help: "1 saves after every batch"
        );
        Ok(())
    }

    /// A run begins.
    pub(super) fn begin(&mut self) {
        (self.passed, self.last) = (0, None);
    }

    pub(super) fn granularity(&self) -> Granularity {
        match self.freq {
            SaveFreq::Batches(_) => Granularity::Batches,
            SaveFreq::Epoch | SaveFreq::Unknown(_) => Granularity::Epochs,
        }
    }

    /// Whether to save after this batch of an epoch, which has ended.
    pub(super) fn after_batch(&mut self, batch: usize) -> bool {
        let SaveFreq::Batches(every) = self.freq else { return false };
        self.passed += match self.last {
            Some(last) if batch > last => batch - last,
            _ => batch + 1,
        };
        self.last = Some(batch);
        let due = self.passed >= every;
        if due {
            self.passed = 0;
        }
        due
    }

    /// Whether to save after an epoch.
    pub(super) fn after_epoch(&self) -> bool {
        self.freq == SaveFreq::Epoch
    }

    pub(super) fn state(&self) -> State {
        State::new().with("passed", self.passed).with_some("last", self.last)
    }

    pub(super) fn resume(&mut self, state: &State) -> Result<()> {
        (self.passed, self.last) = (state.value("passed")?, state.find("last")?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_over_epochs_and_over_several_batches_at_once() {
        // Epochs of five batches.
        let saves = |every: usize, seen: &[usize]| {
            let mut due = Batches::new(every.into());
            (0..3).flat_map(|_| seen.to_vec()).map(|batch| due.after_batch(batch)).collect()
        };
        let at = |saves: Vec<bool>| {
            let due = saves.into_iter().enumerate().filter(|(_, due)| *due);
            due.map(|(i, _)| i).collect::<Vec<_>>()
        };
        assert_eq!(at(saves(1, &[0, 1, 2, 3, 4])), (0..15).collect::<Vec<_>>());
        assert_eq!(at(saves(7, &[0, 1, 2, 3, 4])), [6, 13]);
        // Two steps are seen as one: batches 1, 3 and, cut short, 5.
        assert_eq!(at(saves(4, &[1, 3, 5])), [1, 3, 5, 7]);
        let mut never = Batches::new("epoch".into());
        assert!(!never.after_batch(0) && never.after_epoch());
    }

    #[test]
    fn what_is_no_frequency_is_refused() {
        let message = |freq: SaveFreq| Batches::new(freq).check().expect_err("none").message;
        assert_eq!(message(0.into()), "`save_freq` must be at least 1, got 0");
        assert_eq!(
            message("day".into()),
            "Unrecognized save_freq: day. Expected save_freq are 'epoch' or integer values"
        );
    }
}
