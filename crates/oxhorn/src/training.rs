//! A run of `fit`, `evaluate` or `predict`, as callbacks see it.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use oxhorn_cpu::Weights;
use oxhorn_ir::{Result, ensure};
use oxhorn_nn::{Variable, optimizers::LearningRate};

use crate::{
    callbacks::{Direction, Snapshot, Training, unsaved},
    engine::{Engine, LEARNING_RATE, uncompiled},
    files::{Contents, Save},
    history::{Logs, Params},
    looping::{Output, printed},
    sequential::check_number,
};

/// What callbacks may look at and change.
pub(crate) struct Run<'m, 'o> {
    pub(crate) engine: &'m mut Engine,
    params: Params,
    output: Output<'o>,
    pub(crate) stopped: bool,
    /// The epoch that a callback wants to begin with.
    pub(crate) initial_epoch: Option<usize>,
    /// Who saves what the engine holds, if anyone does.
    pub(crate) saver: Option<Box<dyn Save + 'o>>,
    /// The file in which a callback wants a backup.
    pub(crate) wanted: Option<PathBuf>,
}

impl<'m, 'o> Run<'m, 'o> {
    pub(crate) fn new(engine: &'m mut Engine, params: Params, output: Output<'o>) -> Run<'m, 'o> {
        let (stopped, initial_epoch, saver, wanted) = (false, None, None, None);
        Run { engine, params, output, stopped, initial_epoch, saver, wanted }
    }

    /// Loss and metrics since the last reset, each name after this prefix, in alphabetical order.
    pub(crate) fn logs(&mut self, prefix: &str) -> Result<Logs> {
        let results = self.engine.results()?;
        let named = results.iter().map(|(name, value)| (format!("{prefix}{name}"), *value));
        let mut named: Vec<(String, f64)> = named.collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(named.iter().map(|(name, value)| (name.as_str(), *value)).collect())
    }

    /// Gives the weights their running means, if the optimizer keeps such.
    pub(crate) fn take_averages(&mut self) -> Result<()> {
        let Some(objective) = self.engine.objective() else { return Ok(()) };
        let variables = self.engine.variables();
        let averages = variables.iter().filter(|it| it.trainable).filter_map(|variable| {
            objective.optimizer.average_of(variable).map(|average| (variable, average))
        });
        for (variable, average) in averages.collect::<Vec<_>>() {
            let weights = self.engine.weights_mut();
            let average = weights.slice::<f32>(&average)?.to_vec();
            weights.slice_mut::<f32>(&variable.path)?.copy_from_slice(&average);
        }
        Ok(())
    }
}

impl Training for Run<'_, '_> {
    fn engine(&mut self) -> Option<&mut Engine> {
        Some(self.engine)
    }

    fn params(&self) -> Params {
        self.params
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn begin_with(&mut self, epoch: usize) {
        self.initial_epoch = Some(epoch);
    }

    fn back_up(&mut self, path: &Path) -> Result<()> {
        self.wanted = Some(path.to_owned());
        Ok(())
    }

    fn save(&mut self, path: &Path, contents: Contents) -> Result<()> {
        let saver = self.saver.as_ref().ok_or_else(|| unsaved(path))?;
        saver.save(self.engine, path, contents)
    }

    fn learning_rate(&self) -> Result<f64> {
        self.engine.learning_rate()
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let objective = self.engine.objective().ok_or_else(uncompiled)?;
        ensure!(
            matches!(objective.optimizer.learning_rate()?, LearningRate::Constant(_)),
            "the learning rate follows a schedule and cannot be set to {learning_rate}";
            help: "compile with a number as learning rate, or leave it to the schedule"
        );
        self.engine.set_number(LEARNING_RATE, learning_rate)
    }

    fn weights(&self) -> Snapshot {
        let variables = layer_weights(self.engine);
        let mut weights = Weights::new(variables.iter().map(|it| (it.path.clone(), it.ty.clone())));
        for variable in &variables {
            let (from, path) = (self.engine.weights(), &variable.path);
            if let (Ok(to), Ok(from)) = (weights.slice_mut::<f32>(path), from.slice::<f32>(path)) {
                to.copy_from_slice(from);
            }
        }
        Snapshot { weights }
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<()> {
        for variable in layer_weights(self.engine) {
            let path = &variable.path;
            let known = snapshot.weights.ty(path) == Some(&variable.ty);
            ensure!(known, "the copy has no weight `{path}` of type {}", variable.ty);
        }
        for variable in layer_weights(self.engine) {
            let from = snapshot.weights.slice::<f32>(&variable.path)?;
            self.engine.weights_mut().slice_mut::<f32>(&variable.path)?.copy_from_slice(from);
        }
        Ok(())
    }

    fn numbers(&self) -> Vec<(String, f64)> {
        self.engine.numbers().to_vec()
    }

    fn set_number(&mut self, path: &str, value: f64) -> Result<()> {
        check_number(path, value)?;
        self.engine.set_number(path, value)
    }

    fn direction(&self, metric: &str) -> Option<Direction> {
        self.engine.direction(metric)
    }

    fn print(&mut self, line: &str) -> Result<()> {
        printed(writeln!(self.output, "{line}"))
    }
}

/// The weights of the layers, without seeds and without what optimizer and metrics keep.
pub(crate) fn layer_weights(engine: &Engine) -> Vec<Variable> {
    let is_weight = |variable: &Variable| {
        variable.trainable || matches!(variable.initial, oxhorn_nn::Initial::Drawn(_))
    };
    engine.variables().into_iter().filter(is_weight).collect()
}
