//! `fit`: epochs of training, each perhaps followed by a validation.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    rc::Rc,
    time::Instant,
};

use oxhorn_ir::{Error, Result, ensure};

pub use crate::data::Shuffle;
use crate::{
    callbacks::{Callback, Granularity},
    data::{Order, Samples, sample_weights, validation_start},
    evaluate::{Batches, NAMES, Names, check_together},
    history::{History, Logs, Params},
    progress::{Progress, Screen, Verbosity},
    random,
    sequential::Sequential,
    training::Run,
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
    batch_size: usize,
    validation: Validation<'a>,
    validation_batch_size: Option<usize>,
    validation_freq: Frequency,
    shuffle: Shuffle,
    class_weight: Option<BTreeMap<i64, f64>>,
    sample_weight: Option<Samples<'a>>,
    initial_epoch: usize,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    verbose: u8,
    output: Option<Box<dyn Write + 'a>>,
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
    /// Whether a validation follows this epoch, counted from 0.
    fn is_due(&self, epoch: usize) -> bool {
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
            batch_size: 32,
            validation: Validation::None,
            validation_batch_size: None,
            validation_freq: Frequency::Every(1),
            shuffle: Shuffle::Samples,
            class_weight: None,
            sample_weight: None,
            initial_epoch: 0,
            callbacks: vec![],
            verbose: 1,
            output: None,
        }
    }

    /// Samples in a step, 32 if not given; the last step of an epoch may have fewer.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Fit<'a> {
        Fit { batch_size, ..self }
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

    /// Samples in a step of validation; as in training if not given.
    #[must_use]
    pub fn validation_batch_size(self, batch_size: usize) -> Fit<'a> {
        Fit { validation_batch_size: Some(batch_size), ..self }
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

    /// Adds a callback: itself, or a mutable reference to it, to look at it afterwards.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Fit<'a> {
        self.callbacks.push(Box::new(callback));
        self
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

/// Where progress and callbacks print, in turn.
#[derive(Clone)]
pub(crate) struct Output<'a>(Rc<RefCell<Box<dyn Write + 'a>>>);

impl<'a> Output<'a> {
    /// To `output`, or else to the standard output; and what kind of screen that is.
    pub(crate) fn new(output: Option<Box<dyn Write + 'a>>) -> (Output<'a>, Screen) {
        let screen = output.as_ref().map_or_else(Screen::of_stdout, |_| Screen::Plain);
        let output = output.unwrap_or_else(|| Box::new(io::stdout()));
        (Output(Rc::new(RefCell::new(output))), screen)
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().flush()
    }
}

/// What cannot be printed ends a run.
pub(crate) fn printed<T>(result: io::Result<T>) -> Result<T> {
    result.map_err(|error| Error::new(format!("the progress cannot be printed: {error}")))
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
        fit: Fit<'a>,
    ) -> Result<History> {
        self.begin_run();
        let (x, y) = (x.into(), y.into());
        let weights = fit.sample_weight.clone();
        let weights = sample_weights(&y, fit.class_weight.as_ref(), weights)?;
        check_together(NAMES, (&x, &y, weights.as_ref()))?;
        if let Validation::Data { x, y, sample_weight } = &fit.validation {
            check_together(VALIDATION, (x, y, sample_weight.as_ref()))?;
        }
        if let Validation::Split(share) = fit.validation {
            let start = if share == 0.0 { x.rows() } else { validation_start(x.rows(), share)? };
            let ((x, val_x), (y, val_y)) = (x.split_at(start), y.split_at(start));
            let weights = weights.as_ref().map(|weights| weights.split_at(start));
            let (weights, val_weights) = weights.unzip();
            let validation = (share != 0.0).then_some((val_x, val_y, val_weights));
            return self.fit_on((x, y, weights), validation, fit);
        }
        let mut fit = fit;
        let validation = match std::mem::replace(&mut fit.validation, Validation::None) {
            Validation::Data { x, y, sample_weight } => Some((x, y, sample_weight)),
            _ => None,
        };
        self.fit_on((x, y, weights), validation, fit)
    }

    fn fit_on(
        &mut self,
        (x, y, weights): Weighed<'_>,
        validation: Option<Weighed<'_>>,
        fit: Fit<'_>,
    ) -> Result<History> {
        let Fit { epochs, batch_size, shuffle, verbose, .. } = fit;
        let verbosity = Verbosity::try_from(verbose)?;
        let mut order = Order::new(x.rows(), batch_size, shuffle)?;
        if let Frequency::Every(every) = fit.validation_freq {
            ensure!(every > 0, "`validation_freq` must be at least 1, got {every}");
        }
        let steps = order.batches().len();
        let params = Params { verbose, epochs, steps: Some(steps) };
        self.make_ready(NAMES, (&x, &y, weights.as_ref()), batch_size)?;
        let training = Batches::train(self, &x, &y, weights.as_ref(), batch_size)?;
        let mut validating = None;
        if let Some((x, y, weights)) = &validation {
            let batch_size = fit.validation_batch_size.unwrap_or(batch_size);
            let order = Order::new(x.rows(), batch_size, Shuffle::Off)?;
            self.make_ready(VALIDATION, (x, y, weights.as_ref()), batch_size)
                .map_err(in_validation)?;
            let batches = Batches::test(self, x, y, weights.as_ref(), batch_size)?;
            validating = Some((order, batches));
        }
        if std::mem::take(&mut self.fresh) {
            order.skip_first_look(&mut random::streams().numpy);
        }
        let (output, screen) = Output::new(fit.output);
        let mut progress =
            Progress::new(output.clone(), verbosity, screen).epochs(epochs).steps(Some(steps));
        let mut callbacks = fit.callbacks;
        let mut run = Run::new(self, params, output)?;
        let (mut history, mut logs, clock) = (History::new(params), Logs::new(), Instant::now());
        callbacks.on_train_begin(&mut run)?;
        for epoch in fit.initial_epoch..epochs {
            run.engine.reset_metrics();
            callbacks.on_epoch_begin(epoch, &mut run)?;
            printed(progress.begin_epoch(epoch, clock.elapsed()))?;
            order.draw(&mut random::streams().numpy);
            train(&training, &order, &mut run, &mut callbacks, (&mut progress, clock))?;
            logs = run.logs("")?;
            let due = fit.validation_freq.is_due(epoch);
            if let Some((order, batches)) = validating.as_ref().filter(|_| due) {
                batches.measure(order, &mut run, &mut callbacks)?;
                logs = logs.iter().chain(run.logs("val_")?.iter()).map(|(k, v)| (k, *v)).collect();
            }
            callbacks.on_epoch_end(epoch, &mut logs, &mut run)?;
            history.record(epoch, &logs);
            printed(progress.finish(clock.elapsed(), &logs))?;
            if run.stopped {
                break;
            }
        }
        run.take_averages()?;
        callbacks.on_train_end(&logs, &mut run)?;
        Ok(history)
    }
}

/// The steps of one epoch, until a callback stops them.
fn train(
    training: &Batches<'_>,
    order: &Order,
    run: &mut Run<'_, '_>,
    callbacks: &mut dyn Callback,
    (progress, clock): (&mut Progress<Output<'_>>, Instant),
) -> Result<()> {
    let batches = callbacks.granularity() == Granularity::Batches;
    for (step, rows) in order.batches().enumerate() {
        if batches {
            callbacks.on_train_batch_begin(step, run)?;
        }
        training.step(run.engine, rows)?;
        let draws = progress.step(step + 1, clock.elapsed());
        if draws || batches {
            let logs = run.logs("")?;
            if draws {
                printed(progress.draw(&logs))?;
            }
            if batches {
                callbacks.on_train_batch_end(step, &logs, run)?;
            }
        }
        if run.stopped {
            break;
        }
    }
    Ok(())
}

/// What errors call the arrays of `validation_data`.
const VALIDATION: Names =
    ["validation_data's x", "validation_data's y", "validation_data's weights"];

/// Says of a mistake in a layer, loss or metric that it came with the data for validation.
fn in_validation(error: Error) -> Error {
    let origin = error.origin.map(|origin| format!("validation_data, {origin}"));
    Error { origin, ..error }
}

/// Samples, targets, and perhaps a weight for each sample.
pub(crate) type Weighed<'a> = (Samples<'a>, Samples<'a>, Option<Samples<'a>>);
