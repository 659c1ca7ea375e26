//! `fit`: epochs of training, each perhaps followed by a validation.

use std::{collections::BTreeMap, io::Write, mem::take, path::PathBuf};

use oxhorn_ir::{Error, Result, ensure};

pub use crate::data::Shuffle;
use crate::{
    callbacks::Callback,
    data::{Data, Samples, Source, sample_weights, validation_start},
    evaluate::{NAMES, Names, at_least_one, batch_size, check_together},
    files::Save,
    history::History,
    looping::{FirstLook, Loop, Output},
    progress::Verbosity,
    sequential::Sequential,
};

/// How to fit: Keras' arguments of `fit`, and its defaults.
///
/// ```
/// # use oxhorn::prelude::*;
/// # let (x, y) = (random((8, 3)), randint(2, 8));
/// let fit = Fit::epochs(10).batch_size(16).validation_data(&x, &y).verbose(2);
/// ```
pub struct Fit<'a> {
    epochs: usize,
    batch_size: Option<usize>,
    steps_per_epoch: Option<usize>,
    validation: Validation<'a>,
    validation_batch_size: Option<usize>,
    validation_steps: Option<usize>,
    validation_freq: Frequency,
    shuffle: Shuffle,
    class_weight: Option<BTreeMap<i64, f64>>,
    sample_weight: Option<Samples<'a>>,
    initial_epoch: usize,
    clean: CleanPass,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    resume: Option<PathBuf>,
    verbose: u8,
    output: Option<Box<dyn Write + 'a>>,
}

/// Whether the training data are measured after every epoch.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CleanPass {
    Off,
    On,
}

/// What an epoch is validated on.
enum Validation<'a> {
    None,
    Split(f64),
    Data { x: Samples<'a>, y: Samples<'a>, sample_weight: Option<Samples<'a>> },
}

/// After which epochs a validation follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frequency {
    /// After every so many.
    Every(usize),
    /// After these, counted from 1.
    After(Vec<usize>),
}

impl Frequency {
    /// Rejects every zeroth epoch.
    pub(crate) fn check(&self) -> Result<()> {
        let never = *self == Frequency::Every(0);
        ensure!(!never, "`validation_freq` must be at least 1, got 0");
        Ok(())
    }

    /// Whether a validation follows this epoch, counted from 0.
    pub(crate) fn is_due(&self, epoch: usize) -> bool {
        match self {
            Frequency::Every(every) => (epoch + 1).is_multiple_of(*every),
            Frequency::After(epochs) => epochs.contains(&(epoch + 1)),
        }
    }
}

impl From<usize> for Frequency {
    fn from(every: usize) -> Frequency {
        Frequency::Every(every)
    }
}

impl From<Vec<usize>> for Frequency {
    fn from(after: Vec<usize>) -> Frequency {
        Frequency::After(after)
    }
}

impl<const N: usize> From<[usize; N]> for Frequency {
    fn from(after: [usize; N]) -> Frequency {
        Frequency::After(after.to_vec())
    }
}

impl Default for Fit<'_> {
    fn default() -> Self {
        Fit::epochs(1)
    }
}

impl<'a> Fit<'a> {
    /// Trains up to this epoch: with [`Fit::initial_epoch`], fewer are run.
    pub fn epochs(epochs: usize) -> Fit<'a> {
        Fit {
            epochs,
            batch_size: None,
            steps_per_epoch: None,
            validation: Validation::None,
            validation_batch_size: None,
            validation_steps: None,
            validation_freq: Frequency::Every(1),
            shuffle: Shuffle::Samples,
            class_weight: None,
            sample_weight: None,
            initial_epoch: 0,
            clean: CleanPass::Off,
            callbacks: vec![],
            resume: None,
            verbose: 1,
            output: None,
        }
    }

    /// Samples in a step; the last of a pass over the data may have fewer. If not given, 32, or
    /// with [`Fit::steps_per_epoch`] as many as share all samples out among the steps.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Fit<'a> {
        Fit { batch_size: Some(batch_size), ..self }
    }

    /// Steps in an epoch, if that is not to be one pass over all samples. The next epoch goes on
    /// where the last one ended, and a pass that ends ends the epoch.
    #[must_use]
    pub fn steps_per_epoch(self, steps: usize) -> Fit<'a> {
        Fit { steps_per_epoch: Some(steps), ..self }
    }

    /// Validates on these samples, which are not trained on.
    #[must_use]
    pub fn validation_data(self, x: impl Into<Samples<'a>>, y: impl Into<Samples<'a>>) -> Fit<'a> {
        let (x, y) = (x.into(), y.into());
        Fit { validation: Validation::Data { x, y, sample_weight: None }, ..self }
    }

    /// Validates on these samples, with a weight for each.
    #[must_use]
    pub fn weighted_validation_data(
        self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
        sample_weight: impl Into<Samples<'a>>,
    ) -> Fit<'a> {
        let (x, y, sample_weight) = (x.into(), y.into(), Some(sample_weight.into()));
        Fit { validation: Validation::Data { x, y, sample_weight }, ..self }
    }

    /// Keeps the last samples, this share of all, for validation. Ignored, as in Keras, where
    /// validation data are given.
    #[must_use]
    pub fn validation_split(mut self, share: f64) -> Fit<'a> {
        if !matches!(self.validation, Validation::Data { .. }) {
            self.validation = Validation::Split(share);
        }
        self
    }

    /// Samples in a step of validation. If not given, as many as [`Fit::batch_size`] says, and
    /// without that 32, or what shares all out among [`Fit::validation_steps`].
    #[must_use]
    pub fn validation_batch_size(self, batch_size: usize) -> Fit<'a> {
        Fit { validation_batch_size: Some(batch_size), ..self }
    }

    /// Steps in a validation, if it is not to take all samples: always the first batches.
    #[must_use]
    pub fn validation_steps(self, steps: usize) -> Fit<'a> {
        Fit { validation_steps: Some(steps), ..self }
    }

    /// Validates after every so many epochs (`2`), or after these, counted from 1 (`[1, 5, 10]`).
    #[must_use]
    pub fn validation_freq(self, frequency: impl Into<Frequency>) -> Fit<'a> {
        Fit { validation_freq: frequency.into(), ..self }
    }

    /// Whether and how the order of samples changes from epoch to epoch.
    #[must_use]
    pub fn shuffle(self, shuffle: impl Into<Shuffle>) -> Fit<'a> {
        Fit { shuffle: shuffle.into(), ..self }
    }

    /// Weighs samples by their class; a class that is not named has weight 1.
    #[must_use]
    pub fn class_weight(self, weights: impl IntoIterator<Item = (i64, f64)>) -> Fit<'a> {
        Fit { class_weight: Some(weights.into_iter().collect()), ..self }
    }

    /// Weighs each sample.
    #[must_use]
    pub fn sample_weight(self, weights: impl Into<Samples<'a>>) -> Fit<'a> {
        Fit { sample_weight: Some(weights.into()), ..self }
    }

    /// The epoch to begin with, counted from 0.
    #[must_use]
    pub fn initial_epoch(self, epoch: usize) -> Fit<'a> {
        Fit { initial_epoch: epoch, ..self }
    }

    /// Measures the training data after every epoch as `evaluate` would: noise off, with the
    /// weights of samples but not of classes, in batches of the size of `fit`.
    ///
    /// The history has `clean_loss` and `clean_accuracy` then, beside Keras' `loss` and `accuracy`,
    /// which are means over the steps of an epoch with noise on. With a validation it has
    /// `clean_gap`, the generalization gap `val_loss - clean_loss`; with penalties for weights or
    /// outputs, `clean_penalty`, their share in `clean_loss`.
    #[must_use]
    pub fn clean_train_eval(self) -> Fit<'a> {
        Fit { clean: CleanPass::On, ..self }
    }

    /// Adds a callback: itself, or a mutable reference to it, to look at it afterwards.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Fit<'a> {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Goes on with the run whose backup is in this file, and ends as it would have ended; see
    /// [`BackupAndRestore`](crate::callbacks::BackupAndRestore), which writes backups, and goes on
    /// from its own without being told. There has to be one here.
    #[must_use]
    pub fn resume(self, backup: impl Into<PathBuf>) -> Fit<'a> {
        Fit { resume: Some(backup.into()), ..self }
    }

    /// 0 prints nothing, 1 a progress bar, 2 a line for each epoch.
    #[must_use]
    pub fn verbose(self, verbose: u8) -> Fit<'a> {
        Fit { verbose, ..self }
    }

    /// Prints there instead of to the standard output, in plain lines.
    #[must_use]
    pub fn output(self, output: impl Write + 'a) -> Fit<'a> {
        Fit { output: Some(Box::new(output)), ..self }
    }
}

impl Sequential {
    /// Trains the model on samples `x` with targets `y`, and returns the numbers of every epoch.
    ///
    /// Loss and metrics are means over an epoch's samples, measured before each step with noise
    /// on, as in Keras.
    ///
    /// # Errors
    ///
    /// If the model is not compiled, the data do not fit it or each other, or hold what is not a
    /// finite number; then the weights are as they were. Also what callbacks return.
    pub fn fit<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
        mut fit: Fit<'a>,
    ) -> Result<History> {
        self.begin_run();
        let (x, y, weights) = (x.into(), y.into(), fit.sample_weight.take());
        check_together(NAMES, (&x, &y, weights.as_ref()))?;
        let all = Data::single(x, Some(y), weights);
        match std::mem::replace(&mut fit.validation, Validation::None) {
            Validation::Split(share) if share != 0.0 => {
                let (training, validation) = all.split_at(validation_start(all.rows(), share)?);
                self.fit_on(training, Some(validation), fit)
            }
            Validation::Data { x, y, sample_weight } => {
                check_together(VALIDATION, (&x, &y, sample_weight.as_ref()))?;
                self.fit_on(all, Some(Data::single(x, Some(y), sample_weight)), fit)
            }
            Validation::Split(_) | Validation::None => self.fit_on(all, None, fit),
        }
    }

    fn fit_on(
        &mut self,
        samples: Data<'_>,
        validation: Option<Data<'_>>,
        fit: Fit<'_>,
    ) -> Result<History> {
        let Fit { epochs, initial_epoch, callbacks, validation_freq, resume, .. } = fit;
        validation_freq.check()?;
        let steps = at_least_one("steps_per_epoch", fit.steps_per_epoch)?;
        let validation_steps = at_least_one("validation_steps", fit.validation_steps)?;
        // Classes weigh in training only, as in Keras.
        let mut training = samples.view();
        if let (Some(Some(y)), Some(given)) = (training.y.first(), training.sample_weight.pop()) {
            training.sample_weight = vec![sample_weights(y, fit.class_weight.as_ref(), given)?];
        }
        let verbosity = Verbosity::try_from(fit.verbose)?;
        let size = batch_size(fit.batch_size, steps, training.rows());
        self.make_ready(NAMES, &training, size)?;
        let training = Source::arrays(training, size, fit.shuffle)?.steps(steps);
        let validation = match validation {
            None => None,
            Some(data) => {
                let given = fit.validation_batch_size.or(fit.batch_size);
                let size = batch_size(given, validation_steps, data.rows());
                self.make_ready(VALIDATION, &data, size).map_err(in_validation)?;
                let source = Source::arrays(data, size, Shuffle::Off)?;
                Some(source.steps(validation_steps))
            }
        };
        self.warn(Some(samples.rows()));
        let clean = match fit.clean {
            CleanPass::Off => None,
            CleanPass::On => Some(Source::arrays(samples.view(), size, Shuffle::Off)?),
        };
        let first_look = if take(&mut self.fresh) { FirstLook::Due } else { FirstLook::Done };
        let (output, screen) = Output::or_stdout(fit.output, verbosity);
        let random = self.random.clone();
        // Nobody else asks for the model to be saved.
        let saver: Option<Box<dyn Save>> = match callbacks.is_empty() {
            true => None,
            false => Some(Box::new(self.description()?)),
        };
        let settings = Loop {
            permute: Box::new(move |n| Ok(random.streams().numpy.permutation(n))),
            epochs,
            initial_epoch,
            validation_freq,
            clean,
            callbacks,
            random: Box::new(self.random.clone()),
            resume,
            saver,
            first_look,
            verbosity,
            output,
            screen,
            ..Loop::new()
        };
        self.engine_mut()?.fit(training, validation, settings)
    }
}

/// What errors call the arrays of `validation_data`.
const VALIDATION: Names =
    ["validation_data's x", "validation_data's y", "validation_data's weights"];

/// Says of a mistake in a layer, loss or metric that it came with the data for validation.
pub(crate) fn in_validation(error: Error) -> Error {
    let origin = error.origin.map(|origin| format!("validation_data, {origin}"));
    Error { origin, ..error }
}
