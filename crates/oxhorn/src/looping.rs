//! The loops over epochs and batches, for any engine: what `fit`, `evaluate` and `predict` have in
//! common, whoever wrote the model.

mod fitting;

use std::{
    cell::RefCell,
    io::{self, Write},
    path::PathBuf,
    rc::Rc,
    time::Instant,
};

use oxhorn_ir::{Error, Result, Type, ensure};

use crate::{
    callbacks::{Callback, Granularity},
    data::{Data, Feeder, Permute, Source},
    engine::{Engine, Kind, Loaded},
    files::Save,
    fit::Frequency,
    history::{Logs, Params},
    progress::{Progress, Screen, Verbosity},
    random::{self, Randomness},
    training::Run,
};

/// How a loop goes: who listens, who draws the order of samples, and where it prints.
pub struct Loop<'a> {
    /// The epoch to end with, counted from 1, and so the number of epochs if none is left out.
    pub epochs: usize,
    /// The epoch to begin with, counted from 0.
    pub initial_epoch: usize,
    /// How many steps a callback sees as one.
    pub steps_per_execution: usize,
    /// After which epochs a validation follows.
    pub validation_freq: Frequency,
    /// The training data as they are to be measured after every epoch, noise off; `None` if they
    /// are not. What is measured is `clean_loss` and `clean_accuracy`, where `loss` and `accuracy`
    /// are measured while training.
    pub clean: Option<Source<'a>>,
    /// Who is told how it goes.
    pub callbacks: Vec<Box<dyn Callback + 'a>>,
    /// Draws a random order of so many samples.
    pub permute: Box<Permute<'a>>,
    /// What is behind those orders, if a run that goes on elsewhere is to draw the same.
    pub random: Box<dyn Randomness + 'a>,
    /// What backups call variables and numbers, given their paths in the engine: the paths, where
    /// another process has the same.
    pub names: Box<Names<'a>>,
    /// The backup to go on from, whatever callbacks say of one.
    pub resume: Option<PathBuf>,
    /// Who saves the model, for callbacks that want it saved.
    pub saver: Option<Box<dyn Save + 'a>>,
    /// Whether the model was compiled anew, so that Keras would draw an order to look at a batch.
    pub first_look: FirstLook,
    /// How much is printed.
    pub verbosity: Verbosity,
    /// Where.
    pub output: Output<'a>,
    /// What that is.
    pub screen: Screen,
}

/// Gives each of these paths another name.
pub type Names<'a> = dyn FnMut(Vec<String>) -> Result<Vec<String>> + 'a;

/// Whether Keras would look at a batch before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstLook {
    /// It would, and draws an order for that.
    Due,
    /// It has.
    Done,
}

/// What one pass of a network over some samples gave: one array for each output.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// Element type and shape of each, whose first axis counts samples.
    pub types: Vec<Type>,
    /// The elements of each, in row-major order, as bytes.
    pub bytes: Vec<Vec<u8>>,
}

impl<'a> Loop<'a> {
    /// One epoch, without callbacks, printing nothing, with orders of Oxhorn's own stream.
    pub fn new() -> Loop<'a> {
        Loop {
            epochs: 1,
            initial_epoch: 0,
            steps_per_execution: 1,
            validation_freq: Frequency::Every(1),
            clean: None,
            callbacks: vec![],
            permute: Box::new(|n| Ok(crate::random::streams().numpy.permutation(n))),
            random: Box::new(random::Source::Process),
            names: Box::new(Ok),
            resume: None,
            saver: None,
            first_look: FirstLook::Done,
            verbosity: Verbosity::Silent,
            output: Output::Nowhere,
            screen: Screen::Plain,
        }
    }

    fn progress(&self, steps: Option<usize>) -> Progress<Output<'a>> {
        Progress::new(self.output.clone(), self.verbosity, self.screen).steps(steps)
    }

    fn params(&self, steps: Option<usize>) -> Params {
        Params { verbose: self.verbosity.into(), epochs: self.epochs, steps }
    }
}

impl Default for Loop<'_> {
    fn default() -> Self {
        Loop::new()
    }
}

impl Engine {
    /// Loss and metrics over all batches, noise off.
    ///
    /// # Errors
    ///
    /// As [`Engine::fit`].
    pub fn evaluate(&mut self, source: Source<'_>, mut settings: Loop<'_>) -> Result<Logs> {
        if let Some(key) = source.key(Kind::Test) {
            self.prepare(&key)?;
        }
        let mut feeder = Feeder::new(source, Kind::Test);
        feeder.load(self)?;
        let steps = feeder.steps();
        let mut progress = settings.progress(steps);
        let mut callbacks = std::mem::take(&mut settings.callbacks);
        let mut run = Run::new(self, settings.params(steps), settings.output.clone());
        let chunk = settings.steps_per_execution;
        let clock = Instant::now();
        progress.begin(clock.elapsed());
        let part = (Part::OfItself(&mut progress, clock), chunk);
        measure(&mut feeder, &mut run, &mut callbacks, part, &mut *settings.permute)?;
        let logs = run.logs("")?;
        printed(progress.finish(clock.elapsed(), &logs))?;
        Ok(logs)
    }

    /// What the network gives for all batches, noise off, one after the other.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network; and what callbacks and streams return.
    pub fn predict(&mut self, source: Source<'_>, mut settings: Loop<'_>) -> Result<Predictions> {
        let mut feeder = Feeder::new(source, Kind::Predict);
        feeder.load(self)?;
        let mut progress = settings.progress(feeder.steps());
        let mut callbacks = std::mem::take(&mut settings.callbacks);
        let params = settings.params(feeder.steps());
        let mut run = Run::new(self, params, settings.output.clone());
        let (clock, mut predictions) = (Instant::now(), Predictions::default());
        progress.begin(clock.elapsed());
        callbacks.on_predict_begin(&mut run)?;
        let mut chunks = Chunks::new(settings.steps_per_execution, callbacks.granularity());
        let mut outputs = Predictions::default();
        feeder.begin_epoch()?;
        for step in 0.. {
            if !feeder.has_next() {
                break;
            }
            if let Some(step) = chunks.begin(step) {
                callbacks.on_predict_batch_begin(step, &mut run)?;
                outputs = Predictions::default();
            }
            let Some(program) = feeder.next(run.engine, &mut *settings.permute)? else { break };
            predictions.extend(run.engine, program)?;
            if chunks.begun.is_some() {
                outputs.extend(run.engine, program)?;
            }
            if let Some(step) = chunks.end(step) {
                callbacks.on_predict_batch_end(step, &outputs, &mut run)?;
            }
            if progress.step(step + 1, clock.elapsed()) {
                printed(progress.draw(&Logs::new()))?;
            }
            callbacks.between_steps(&mut run)?;
            if run.stopped {
                break;
            }
        }
        if let Some(step) = chunks.rest() {
            callbacks.on_predict_batch_end(step, &outputs, &mut run)?;
        }
        feeder.end_epoch()?;
        callbacks.on_predict_end(&mut run)?;
        printed(progress.finish(clock.elapsed(), &Logs::new()))?;
        Ok(predictions)
    }

    /// What the network gives for all the data as one batch, noise off: the program that has it.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network.
    pub fn predict_on_batch(&mut self, data: &Data<'_>) -> Result<&Loaded> {
        let rows: Vec<usize> = (0..data.rows()).collect();
        let index = self.load_for(Kind::Predict, data, rows.len())?;
        self.program(index).feed(data, &rows)?;
        self.run(index);
        Ok(self.program(index))
    }

    /// One step over all the data as one batch; loss and metrics are of this batch.
    ///
    /// # Errors
    ///
    /// As [`Engine::fit`].
    pub fn on_batch(&mut self, kind: Kind, source: Source<'_>) -> Result<Logs> {
        if let Some(key) = source.key(Kind::Train) {
            self.prepare(&key)?;
        }
        let mut feeder = Feeder::new(source, kind);
        feeder.load(self)?;
        self.reset_metrics();
        feeder.begin_epoch()?;
        while feeder.next(self, &mut |n| Ok((0..n).collect()))?.is_some() {}
        Run::new(self, Params::default(), Output::Nowhere).logs("")
    }
}

/// Steps as callbacks see them: so many as one.
struct Chunks {
    size: usize,
    /// Whether anyone wants to see them.
    seen: Granularity,
    /// The first step of what has begun.
    begun: Option<usize>,
}

impl Chunks {
    fn new(size: usize, seen: Granularity) -> Chunks {
        Chunks { size: size.max(1), seen, begun: None }
    }

    /// What callbacks are told before this step.
    fn begin(&mut self, step: usize) -> Option<usize> {
        let due = self.seen == Granularity::Batches && step.is_multiple_of(self.size);
        self.begun = if due { Some(step) } else { self.begun };
        due.then_some(step)
    }

    /// What they are told after it.
    fn end(&mut self, step: usize) -> Option<usize> {
        let due = (step + 1).is_multiple_of(self.size);
        if due { self.rest() } else { None }
    }

    /// What they are told of a chunk that was cut short: its last step, had it been whole.
    fn rest(&mut self) -> Option<usize> {
        self.begun.take().map(|begun| begun + self.size - 1)
    }
}

/// What a measurement is part of.
enum Part<'p, 'o> {
    /// Of `fit`, whose line waits, and whose end a callback may have asked for: but every epoch is
    /// measured on the same batches.
    OfFit,
    /// It is all there is: a callback may stop it, and it is drawn with the time since then.
    OfItself(&'p mut Progress<Output<'o>>, Instant),
}

/// Measures over all batches, from the beginning.
fn measure(
    feeder: &mut Feeder<'_>,
    run: &mut Run<'_, '_>,
    callbacks: &mut dyn Callback,
    (mut part, chunk): (Part<'_, '_>, usize),
    permute: &mut Permute<'_>,
) -> Result<()> {
    run.engine.reset_metrics();
    callbacks.on_test_begin(run)?;
    let mut chunks = Chunks::new(chunk, callbacks.granularity());
    feeder.begin_epoch()?;
    for step in 0.. {
        if !feeder.has_next() {
            break;
        }
        if let Some(step) = chunks.begin(step) {
            callbacks.on_test_batch_begin(step, run)?;
        }
        if feeder.next(run.engine, permute)?.is_none() {
            break;
        }
        if let Part::OfItself(progress, clock) = &mut part
            && progress.step(step + 1, clock.elapsed())
        {
            printed(progress.draw(&run.logs("")?))?;
        }
        if let Some(step) = chunks.end(step) {
            let logs = run.logs("")?;
            callbacks.on_test_batch_end(step, &logs, run)?;
        }
        callbacks.between_steps(run)?;
        if run.stopped && matches!(part, Part::OfItself(..)) {
            break;
        }
    }
    if let Some(step) = chunks.rest() {
        let logs = run.logs("")?;
        callbacks.on_test_batch_end(step, &logs, run)?;
    }
    feeder.end_epoch()?;
    let logs = run.logs("")?;
    callbacks.on_test_end(&logs, run)
}

impl Predictions {
    /// Adds what a program has just given.
    fn extend(&mut self, engine: &mut Engine, program: usize) -> Result<()> {
        let program = engine.program(program);
        let types = program.output_types();
        if self.types.is_empty() {
            self.bytes = vec![vec![]; types.len()];
            self.types = types.to_vec();
            self.types.iter_mut().for_each(|ty| ty.shape.iter_mut().take(1).for_each(|n| *n = 0));
        }
        let (before, now) = (self.types.len(), types.len());
        ensure!(before == now, "one batch gave {now} outputs, another {before}");
        for (i, (known, new)) in self.types.iter_mut().zip(types).enumerate() {
            let fits = (known.rank(), known.dtype) == (new.rank(), new.dtype)
                && known.shape.iter().skip(1).eq(new.shape.iter().skip(1));
            ensure!(
                fits && known.rank() > 0,
                "one batch gave {new}, another {known}, which cannot be put together";
                help: "only the first axis, which counts samples, may differ from batch to batch"
            );
            known.shape[0] += new.shape[0];
            self.bytes[i].extend_from_slice(program.output_bytes(i)?);
        }
        Ok(())
    }
}

/// Where progress and callbacks print, in turn.
#[derive(Clone)]
pub enum Output<'a> {
    /// What is printed is lost.
    Nowhere,
    /// The process' own.
    Stdout,
    /// Another, shared by all who print.
    Other(Rc<RefCell<dyn Write + 'a>>),
}

impl<'a> Output<'a> {
    /// To this.
    pub fn of(output: impl Write + 'a) -> Output<'a> {
        Output::Other(Rc::new(RefCell::new(output)))
    }

    /// To `output`, or else to the standard output; and what kind of screen that is, which the
    /// system is only asked where something is printed.
    pub(crate) fn or_stdout(
        output: Option<Box<dyn Write + 'a>>,
        verbosity: Verbosity,
    ) -> (Output<'a>, Screen) {
        match output {
            Some(output) => (Output::of(output), Screen::Plain),
            None if verbosity == Verbosity::Silent => (Output::Stdout, Screen::Plain),
            None => (Output::Stdout, Screen::of_stdout()),
        }
    }
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Nowhere => Ok(bytes.len()),
            Output::Stdout => io::stdout().write(bytes),
            Output::Other(output) => output.borrow_mut().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Nowhere => Ok(()),
            Output::Stdout => io::stdout().flush(),
            Output::Other(output) => output.borrow_mut().flush(),
        }
    }
}

/// What cannot be printed ends a run.
pub(crate) fn printed<T>(result: io::Result<T>) -> Result<T> {
    result.map_err(|error| Error::new(format!("the progress cannot be printed: {error}")))
}
