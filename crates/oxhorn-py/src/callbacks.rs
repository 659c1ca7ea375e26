//! Python's callbacks, as a loop calls them.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use oxhorn::{
    Logs, Result,
    callbacks::{Callback, Granularity, Training},
    looping::Predictions,
    state::State,
};
use pyo3::{prelude::*, types::PyDict};

use crate::{arrays, engine::Slot, errors::carried, files, variable::acquire};

/// The attribute of a model in which a callback says where it wants a backup.
const BACKUP: &str = "_wanted_backup";

/// How often a pressed key is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// A list of callbacks, entered only for the hooks that one of them has.
pub(crate) struct Callbacks {
    /// The list, its model, and the name of the attribute that stops the loop.
    list: Py<PyAny>,
    model: Py<PyAny>,
    stop: &'static str,
    hooks: HashSet<String>,
    slot: Arc<Slot>,
    looked: Instant,
}

impl Callbacks {
    pub(crate) fn new(
        list: Py<PyAny>,
        model: Py<PyAny>,
        stop: &'static str,
        hooks: HashSet<String>,
        slot: Arc<Slot>,
    ) -> Callbacks {
        Callbacks { list, model, stop, hooks, slot, looked: Instant::now() }
    }

    /// Calls a hook, if one of the callbacks has it. Meanwhile the engine is where Python finds it.
    fn hook(
        &mut self,
        name: &str,
        training: &mut dyn Training,
        call: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<()>,
    ) -> Result<()> {
        if !self.hooks.contains(name) {
            return Ok(());
        }
        let Some(engine) = training.engine() else { return Ok(()) };
        let slot = Arc::clone(&self.slot);
        let called = slot.lend_while(engine, || {
            Python::attach(|py| {
                call(self.list.bind(py))?;
                let model = self.model.bind(py);
                let backup: Option<PathBuf> = model.getattr(BACKUP)?.extract()?;
                if backup.is_some() {
                    model.setattr(BACKUP, py.None())?;
                }
                Ok((model.getattr(self.stop)?.is_truthy()?, backup))
            })
        });
        let (stopped, backup): (bool, Option<PathBuf>) = called.flatten().map_err(carried)?;
        // The callback may have run another model that shares variables with this one.
        acquire(&self.slot, engine).map_err(carried)?;
        if stopped {
            training.stop();
        }
        backup.map_or(Ok(()), |path| training.back_up(&path))
    }

    fn batch(
        &mut self,
        name: &str,
        batch: usize,
        logs: Option<&Logs>,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.hook(name, training, |list| {
            let logs = logs.map(|logs| to_dict(list.py(), logs)).transpose()?;
            list.call_method1(name, (batch, logs)).map(drop)
        })
    }

    fn run(&mut self, name: &str, logs: Option<&Logs>, training: &mut dyn Training) -> Result<()> {
        self.hook(name, training, |list| {
            let logs = logs.map(|logs| to_dict(list.py(), logs)).transpose()?;
            list.call_method1(name, (logs,)).map(drop)
        })
    }
}

fn to_dict<'py>(py: Python<'py>, logs: &Logs) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, value) in logs.iter() {
        dict.set_item(name, value)?;
    }
    Ok(dict)
}

impl Callback for Callbacks {
    fn granularity(&self) -> Granularity {
        let batches = self.hooks.iter().any(|hook| hook.contains("_batch_"));
        if batches { Granularity::Batches } else { Granularity::Epochs }
    }

    fn backup(&self) -> Option<PathBuf> {
        // What cannot be read has been told before the loop began.
        Python::attach(|py| self.list.bind(py).call_method0("_backup").ok()?.extract().ok()?)
    }

    fn state(&self) -> Result<State> {
        let state = Python::attach(|py| {
            files::state(self.list.bind(py).call_method0("_state")?.cast::<PyDict>()?)
        });
        state.map_err(carried)
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        let Some(engine) = training.engine() else { return Ok(()) };
        let slot = Arc::clone(&self.slot);
        let resumed = slot.lend_while(engine, || {
            Python::attach(|py| {
                let state = files::of_state(py, state)?;
                self.list.bind(py).call_method1("_resume", (state,)).map(drop)
            })
        });
        resumed.flatten().map_err(carried)?;
        acquire(&self.slot, engine).map_err(carried)
    }

    fn between_steps(&mut self, _: &mut dyn Training) -> Result<()> {
        if self.looked.elapsed() < PATIENCE {
            return Ok(());
        }
        self.looked = Instant::now();
        Python::attach(|py| py.check_signals()).map_err(carried)
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.run("on_train_begin", None, training)?;
        if self.hooks.contains("on_train_begin") {
            let wanted = Python::attach(|py| {
                self.model.bind(py).getattr("_initial_epoch")?.extract::<Option<usize>>()
            });
            if let Some(epoch) = wanted.map_err(carried)? {
                training.begin_with(epoch);
            }
        }
        Ok(())
    }

    fn on_train_end(&mut self, logs: &Logs, training: &mut dyn Training) -> Result<()> {
        self.run("on_train_end", Some(logs), training)
    }

    fn on_epoch_begin(&mut self, epoch: usize, training: &mut dyn Training) -> Result<()> {
        self.batch("on_epoch_begin", epoch, None, training)
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let mut seen: Vec<(String, f64)> = vec![];
        let told: &Logs = logs;
        self.hook("on_epoch_end", training, |list| {
            let dict = to_dict(list.py(), told)?;
            list.call_method1("on_epoch_end", (epoch, &dict))?;
            for (name, value) in dict {
                // What a callback adds may be anything; what is not a number is its own affair.
                if let Ok(value) = value.extract() {
                    seen.push((name.extract()?, value));
                }
            }
            Ok(())
        })?;
        seen.iter().for_each(|(name, value)| logs.set(name, *value));
        Ok(())
    }

    fn on_train_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        self.batch("on_train_batch_begin", batch, None, training)
    }

    fn on_train_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.batch("on_train_batch_end", batch, Some(logs), training)
    }

    fn on_test_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.run("on_test_begin", None, training)
    }

    fn on_test_end(&mut self, logs: &Logs, training: &mut dyn Training) -> Result<()> {
        self.run("on_test_end", Some(logs), training)
    }

    fn on_test_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        self.batch("on_test_batch_begin", batch, None, training)
    }

    fn on_test_batch_end(
        &mut self,
        batch: usize,
        logs: &Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.batch("on_test_batch_end", batch, Some(logs), training)
    }

    fn on_predict_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.run("on_predict_begin", None, training)
    }

    fn on_predict_end(&mut self, training: &mut dyn Training) -> Result<()> {
        self.run("on_predict_end", None, training)
    }

    fn on_predict_batch_begin(&mut self, batch: usize, training: &mut dyn Training) -> Result<()> {
        self.batch("on_predict_batch_begin", batch, None, training)
    }

    fn on_predict_batch_end(
        &mut self,
        batch: usize,
        outputs: &Predictions,
        training: &mut dyn Training,
    ) -> Result<()> {
        self.hook("on_predict_batch_end", training, |list| {
            let py = list.py();
            let arrays = outputs.types.iter().zip(&outputs.bytes);
            let arrays = arrays.map(|(ty, bytes)| arrays::from_bytes(py, ty, bytes));
            let arrays = arrays.collect::<PyResult<Vec<_>>>()?;
            list.call_method1("on_predict_batch_end", (batch, arrays)).map(drop)
        })
    }
}
