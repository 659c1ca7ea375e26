//! `Session`: runs side by side, the models they are made with, and who watches.

use std::{
    ops::ControlFlow,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use crate::{
    Result,
    compare::{Lab, Progress, Watch},
    data::Dataset,
    study::{Run, Variant},
    train::{Common, Shelf, Trained, Trainer},
    workers::side_by_side,
};

/// What is done in a lab at one time: perhaps several rounds of runs, one after the other.
pub(crate) struct Session<'a> {
    workers: usize,
    watch: Option<Watch<'a>>,
    /// The models of workers that have gone home, ready for those of the next round.
    shelves: Mutex<Vec<Shelf>>,
    /// How many runs have ended, of so many; and so of epochs.
    runs: (usize, usize),
    epochs: (AtomicUsize, usize),
}

/// A network to be trained: which variant, at which seed, for how many epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) variant: usize,
    pub(crate) seed: u32,
    pub(crate) epochs: usize,
}

impl<'a> Session<'a> {
    /// A session without runs.
    pub(crate) fn new(lab: Lab<'a>) -> Session<'a> {
        let Lab { workers, watch } = lab;
        let shelves = Mutex::new(vec![]);
        Session { workers, watch, shelves, runs: (0, 0), epochs: (AtomicUsize::new(0), 0) }
    }

    /// Announces so many runs of so many epochs each, so that whoever watches knows how far it is.
    pub(crate) fn expect(&mut self, runs: usize, epochs: usize) {
        self.runs.1 += runs;
        self.epochs.1 += runs * epochs;
    }

    /// Does a round of runs, and hands each over as it ends, until `receive` has had enough.
    ///
    /// # Errors
    ///
    /// The first of any run, of `receive`, and of whoever watches.
    pub(crate) fn round(
        &mut self,
        (data, variants, batch_size): (&Dataset, &[Variant], usize),
        jobs: &[Job],
        mut receive: impl FnMut(usize, &Trained) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        let Session { workers, watch, shelves, runs, epochs: (epochs_done, epochs) } = self;
        let (shelves, enough) = (&*shelves, AtomicBool::new(false));
        let common = Common { data, variants, batch_size, enough: &enough, epochs_done };
        let worker = || {
            let shelf = shelves.lock().unwrap_or_else(PoisonError::into_inner).pop();
            Trainer::new(&common, shelf.unwrap_or_default(), shelves)
        };
        let work = |trainer: &mut Trainer<'_>, job: usize| trainer.run(jobs[job]);
        let mut tell = |done: usize, total: usize, run: Option<&Run>| match watch {
            Some(watch) => {
                let fraction = epochs_done.load(Ordering::Relaxed) as f64 / *epochs as f64;
                watch(Progress { done, total, run, fraction: fraction.min(1.0) })
            }
            None => Ok(()),
        };
        side_by_side((jobs.len(), *workers), &enough, worker, work, |result| {
            let Some((job, trained)) = result else {
                tell(runs.0, runs.1, None)?;
                return Ok(ControlFlow::Continue(()));
            };
            let trained = trained?;
            runs.0 += 1;
            let more = receive(job, &trained)?;
            tell(runs.0, runs.1, Some(&trained.run))?;
            Ok(more)
        })
    }

    /// The models that the workers have made so far.
    #[cfg(test)]
    pub(crate) fn models(&mut self) -> Vec<&mut oxhorn::Sequential> {
        let shelves = self.shelves.get_mut().unwrap_or_else(PoisonError::into_inner);
        shelves.iter_mut().flatten().map(|stocked| &mut stocked.model).collect()
    }
}
