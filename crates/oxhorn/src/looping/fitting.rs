//! One `fit`: its epochs, and where it is in them, so that another can go on from there.

use std::{collections::HashMap, time::Instant};

use oxhorn_ir::Result;

use super::{Chunks, FirstLook, Loop, Names, Output, Part, measure, printed};
use crate::{
    averaging::Averaging,
    backup,
    callbacks::Callback,
    clean::Clean,
    data::{Feeder, Permute, Position, Source},
    engine::{Engine, Kind},
    fit::{Frequency, in_validation},
    history::{History, Logs},
    progress::Progress,
    random::Randomness,
    state::State,
    training::Run,
};

/// Scopes of the state in which names are paths of the engine.
const PATHS: [&str; 4] = ["engine/variables", "engine/numbers", "engine/awake", "averaging/means"];

/// A run of `fit`, and all that it keeps from step to step.
struct Fitting<'m, 'd, 'a> {
    run: Run<'m, 'a>,
    training: Feeder<'d>,
    validation: Option<Feeder<'d>>,
    clean: Option<Clean<'a>>,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    permute: Box<Permute<'a>>,
    random: Box<dyn Randomness + 'a>,
    names: Box<Names<'a>>,
    averaging: Option<Averaging>,
    history: History,
    /// The numbers of the last epoch that ended.
    logs: Logs,
    /// The epoch that runs, or else the next.
    epoch: usize,
    /// How many steps of it have been taken, while it runs.
    step: Option<usize>,
    steps_per_execution: usize,
    validation_freq: Frequency,
    progress: Progress<Output<'a>>,
    clock: Instant,
}

impl Engine {
    /// Trains the network, epoch by epoch; or goes on with a run that was interrupted, if there is
    /// a backup of it, and ends as it would have ended.
    ///
    /// # Errors
    ///
    /// If the data do not fit the network or each other, or the backup is of another run, before
    /// anything has changed; and what callbacks and streams return.
    pub fn fit(
        &mut self,
        training: Source<'_>,
        validation: Option<Source<'_>>,
        mut settings: Loop<'_>,
    ) -> Result<History> {
        settings.validation_freq.check()?;
        let resumed = backup::wanted(settings.resume.take(), &settings.callbacks)?;
        if let Some(key) = training.key(Kind::Train) {
            self.prepare(&key)?;
        }
        let mut training = Feeder::new(training, Kind::Train);
        training.load(self)?;
        let mut validation = validation.map(|source| Feeder::new(source, Kind::Test));
        if let Some(validation) = &mut validation {
            validation.load(self).map_err(in_validation)?;
        }
        let clean = settings.clean.take().map(|source| Clean::new(source, self));
        let clean = clean.transpose()?;
        if settings.first_look == FirstLook::Due && resumed.is_none() {
            training.skip_first_look(&mut settings.permute)?;
        }
        let steps = training.steps();
        let params = settings.params(steps);
        let mut run = Run::new(self, params, settings.output.clone());
        run.saver = settings.saver.take();
        let mut fitting = Fitting {
            progress: settings.progress(steps).epochs(settings.epochs),
            averaging: Averaging::of(run.engine),
            run,
            training,
            validation,
            clean,
            callbacks: settings.callbacks,
            permute: settings.permute,
            random: settings.random,
            names: settings.names,
            history: History::new(params),
            logs: Logs::new(),
            epoch: settings.initial_epoch,
            step: None,
            steps_per_execution: settings.steps_per_execution,
            validation_freq: settings.validation_freq,
            clock: Instant::now(),
        };
        match resumed {
            None => fitting.begin()?,
            Some(state) => fitting.resume(state)?,
        }
        while fitting.goes_on(settings.epochs) {
            fitting.run_epoch()?;
        }
        fitting.finish()
    }
}

impl Fitting<'_, '_, '_> {
    fn begin(&mut self) -> Result<()> {
        self.callbacks.on_train_begin(&mut self.run)?;
        self.epoch = self.run.initial_epoch.unwrap_or(self.epoch);
        Ok(())
    }

    /// Whether there is another epoch to begin, or one to end.
    fn goes_on(&self, epochs: usize) -> bool {
        self.step.is_some() || (self.epoch < epochs && !self.run.stopped)
    }

    /// One epoch, or what was left of it.
    fn run_epoch(&mut self) -> Result<()> {
        let epoch = self.epoch;
        if self.step.is_none() {
            self.run.engine.reset_metrics();
            self.callbacks.on_epoch_begin(epoch, &mut self.run)?;
        }
        printed(self.progress.begin_epoch(epoch, self.clock.elapsed()))?;
        if self.step.is_none() {
            self.training.begin_epoch()?;
            self.step = Some(0);
        }
        self.train()?;
        self.training.end_epoch()?;
        if let Some(averaging) = &mut self.averaging {
            averaging.follow(epoch, self.run.engine)?;
        }
        let mut logs = self.measured()?;
        self.callbacks.on_epoch_end(epoch, &mut logs, &mut self.run)?;
        self.history.record(epoch, &logs);
        printed(self.progress.finish(self.clock.elapsed(), &logs))?;
        (self.epoch, self.step, self.logs) = (epoch + 1, None, logs);
        self.back_up()
    }

    /// The steps of an epoch that are left, until a callback stops them.
    fn train(&mut self) -> Result<()> {
        let mut chunks = Chunks::new(self.steps_per_execution, self.callbacks.granularity());
        let taken = self.step.unwrap_or(0);
        let was_stopped = self.run.stopped && taken > 0;
        for step in taken.. {
            if was_stopped || !self.training.has_next() {
                break;
            }
            if let Some(step) = chunks.begin(step) {
                self.callbacks.on_train_batch_begin(step, &mut self.run)?;
            }
            self.callbacks.before_step(&mut self.run)?;
            if self.training.next(self.run.engine, &mut *self.permute)?.is_none() {
                break;
            }
            self.step = Some(step + 1);
            let draws = self.progress.step(step + 1, self.clock.elapsed());
            let ends = chunks.end(step);
            if draws || ends.is_some() {
                let logs = self.run.logs("")?;
                if draws {
                    printed(self.progress.draw(&logs))?;
                }
                if let Some(step) = ends {
                    self.callbacks.on_train_batch_end(step, &logs, &mut self.run)?;
                    self.back_up()?;
                }
            }
            self.callbacks.between_steps(&mut self.run)?;
            if self.run.stopped {
                break;
            }
        }
        if let Some(step) = chunks.rest() {
            let logs = self.run.logs("")?;
            self.callbacks.on_train_batch_end(step, &logs, &mut self.run)?;
            self.back_up()?;
        }
        Ok(())
    }

    /// The numbers of an epoch whose steps have been taken, those of a validation among them.
    fn measured(&mut self) -> Result<Logs> {
        let Fitting { run, callbacks, permute, .. } = self;
        let mut logs = run.logs("")?;
        let due = self.validation_freq.is_due(self.epoch);
        if let Some(validation) = self.validation.as_mut().filter(|_| due) {
            let part = (Part::OfFit, self.steps_per_execution);
            measure(validation, run, callbacks, part, &mut **permute)?;
            logs = logs.iter().chain(run.logs("val_")?.iter()).map(|(k, v)| (k, *v)).collect();
        }
        if let Some(clean) = &mut self.clean {
            logs = clean.measure(run, callbacks, &mut **permute, logs)?;
        }
        Ok(logs)
    }

    fn finish(mut self) -> Result<History> {
        self.run.take_averages()?;
        if let Some(averaging) = self.averaging {
            averaging.finish(self.run.engine, self.training)?;
        }
        self.callbacks.on_train_end(&self.logs, &mut self.run)?;
        Ok(self.history)
    }

    /// Writes the backup that a callback has asked for, if one has.
    fn back_up(&mut self) -> Result<()> {
        let Some(path) = self.run.wanted.take() else { return Ok(()) };
        backup::write(&path, self.state()?)
    }

    /// All that another run needs to go on from here.
    fn state(&mut self) -> Result<State> {
        let state = State::new()
            .with("epoch", self.epoch)
            .with_some("step", self.step)
            .with("stopped", self.run.stopped)
            .with_part("engine", self.run.engine.state()?)
            .with_part("training", self.training.state())
            .with_part("callbacks", self.callbacks.state()?)
            .with_part("random", self.random.state()?)
            .with_part("history", self.history.state())
            .with_part("logs", self.logs.state());
        let averaging = self.averaging.as_ref().map(Averaging::state);
        let mut state = state.with_part("averaging", averaging.unwrap_or_default());
        PATHS.iter().try_for_each(|scope| state.rename(scope, &mut self.names))?;
        Ok(state)
    }

    /// Names values by the paths that they have in this engine.
    fn name_back(&mut self, state: &mut State) -> Result<()> {
        let engine = &self.run.engine;
        let numbers = engine.numbers().iter().map(|(path, _)| path.clone());
        let paths = engine.weights().paths().map(str::to_owned).chain(numbers);
        let paths: Vec<String> = paths.collect();
        let names: HashMap<String, String> =
            (self.names)(paths.clone())?.into_iter().zip(paths).collect();
        let path = |name: String| names.get(&name).cloned().unwrap_or(name);
        let mut back = |kept: Vec<String>| Ok(kept.into_iter().map(path).collect());
        PATHS.iter().try_for_each(|scope| state.rename(scope, &mut back))
    }

    /// Goes on from where another run was.
    fn resume(&mut self, mut state: State) -> Result<()> {
        self.name_back(&mut state)?;
        self.step = state.find("step")?;
        let position = match self.step {
            Some(_) => Position::WithinEpoch,
            None => Position::BetweenEpochs,
        };
        self.epoch = state.value("epoch")?;
        self.history.restore(&state.part("history"))?;
        self.logs = Logs::of_state(&state.part("logs"))?;
        if let Some(averaging) = &mut self.averaging {
            averaging.restore(&state.part("averaging"))?;
        }
        self.training.restore(&state.part("training"), position)?;
        self.run.engine.restore(&state.part("engine"))?;
        self.random.restore(&state.part("random"))?;
        self.callbacks.resume(&state.part("callbacks"), &mut self.run)?;
        // Whatever a callback has asked for while it looked back, this is how it was.
        self.run.stopped = state.value("stopped")?;
        Ok(())
    }
}
