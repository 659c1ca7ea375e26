//! A run of `fit`, `evaluate` or `predict`, as callbacks see it.

use std::io::Write;

use oxhorn_cpu::Weights;
use oxhorn_ir::{Error, Result, ensure};
use oxhorn_nn::optimizers::LearningRate;

use crate::{
    callbacks::{Direction, Snapshot, Training},
    engine::{Engine, LEARNING_RATE, Layers, Objective},
    fit::{Output, printed},
    history::{Logs, Params},
    sequential::{Sequential, check_number, layer_weights},
};

/// What callbacks may look at and change.
pub(crate) struct Run<'m, 'o> {
    pub(crate) engine: &'m mut Engine,
    layers: &'m Layers,
    objective: Option<&'m Objective>,
    params: Params,
    output: Output<'o>,
    pub(crate) stopped: bool,
}

impl<'m, 'o> Run<'m, 'o> {
    /// # Errors
    ///
    /// If the model has not been built.
    pub(crate) fn new(
        model: &'m mut Sequential,
        params: Params,
        output: Output<'o>,
    ) -> Result<Run<'m, 'o>> {
        let (layers, objective) = (&model.layers, model.objective.as_ref());
        match &mut model.engine {
            Some(engine) => Ok(Run { engine, layers, objective, params, output, stopped: false }),
            None => Err(Error::new("the model has not been built")),
        }
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
        let Some(objective) = self.objective else { return Ok(()) };
        for variable in self.engine.variables().iter().filter(|it| it.trainable) {
            if let Some(average) = objective.optimizer.average_of(variable) {
                let weights = self.engine.weights_mut();
                let average = weights.slice::<f32>(&average)?.to_vec();
                weights.slice_mut::<f32>(&variable.path)?.copy_from_slice(&average);
            }
        }
        Ok(())
    }

    fn compiled(&self) -> Result<&'m Objective> {
        self.objective.ok_or_else(uncompiled)
    }
}

impl Training for Run<'_, '_> {
    fn params(&self) -> Params {
        self.params
    }

    fn stop(&mut self) {
        self.stopped = true;
    }

    fn learning_rate(&self) -> Result<f64> {
        self.engine.learning_rate(self.compiled()?)
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        let constant = self.compiled()?.optimizer.learning_rate()?;
        ensure!(
            matches!(constant, LearningRate::Constant(_)),
            "the learning rate follows a schedule and cannot be set to {learning_rate}";
            help: "compile with a number as learning rate, or leave it to the schedule"
        );
        self.engine.set_number(self.layers, self.objective, LEARNING_RATE, learning_rate)
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
        self.engine.set_number(self.layers, self.objective, path, value)
    }

    fn direction(&self, metric: &str) -> Option<Direction> {
        self.engine.direction(metric)
    }

    fn print(&mut self, line: &str) -> Result<()> {
        printed(writeln!(self.output, "{line}"))
    }
}

/// The error of a model that nobody has compiled.
pub(crate) fn uncompiled() -> Error {
    Error::new("You must call `compile()` before using the model.")
        .help("model.compile(Adam::default(), \"categorical_crossentropy\", [\"accuracy\"])?")
}
