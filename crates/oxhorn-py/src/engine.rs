//! `Engine`: what runs one Python function, compiled for each kind of step and shape.

use std::{
    mem,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
};

use oxhorn::{
    Result,
    data::Source,
    engine::{Asked, Engine as Runner, Key, Kind, Network, Objective},
    looping::Loop,
    state::State,
};
use oxhorn_ir::{Tensor as Traced, Type};
use oxhorn_nn::{
    Handle, Masks, Sampling, Scope, config::Field, handle::Category, metrics::Metric,
    optimizers::Optimizer, techniques::Technique,
};
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    arrays,
    errors::{carried, for_python},
    files,
    mc_prediction::McPrediction,
    network::Function,
    settings::{Feed, Sendable, Settings},
    variable::{acquire, release},
};

/// A network that is never called.
pub(crate) struct Nothing;

impl Network for Nothing {
    fn call<'g>(&self, _: &Scope<'g>, _: &[Traced<'g>]) -> Vec<Traced<'g>> {
        vec![]
    }
}

/// Where an engine is while nobody runs it.
pub(crate) struct Slot(Mutex<Kept>);

struct Kept {
    engine: Option<Runner>,
    /// The thread whose callback the engine is lent to, and which no other may take it from.
    owner: Option<ThreadId>,
}

impl Kept {
    fn engine(&mut self) -> Option<&mut Option<Runner>> {
        let is_ours = self.owner.is_none_or(|owner| owner == thread::current().id());
        is_ours.then_some(&mut self.engine)
    }
}

impl Slot {
    fn new(engine: Runner) -> Slot {
        Slot(Mutex::new(Kept { engine: Some(engine), owner: None }))
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine, unless it is running or lent to another thread.
    fn take(&self) -> Option<Runner> {
        self.lock().engine()?.take()
    }

    fn put(&self, engine: Runner) {
        self.lock().engine = Some(engine);
    }

    /// Lets this thread alone have the engine, while `work` goes on.
    ///
    /// # Errors
    ///
    /// If `work` has not given it back.
    pub(crate) fn lend_while<R>(
        &self,
        engine: &mut Runner,
        work: impl FnOnce() -> R,
    ) -> PyResult<R> {
        let lent = mem::replace(engine, Runner::new(Box::new(Nothing), 1));
        let before = {
            let mut kept = self.lock();
            kept.engine = Some(lent);
            kept.owner.replace(thread::current().id())
        };
        let result = work();
        let mut kept = self.lock();
        kept.owner = before;
        *engine = kept.engine.take().ok_or_else(running)?;
        Ok(result)
    }

    /// Takes the engine out until what is returned is dropped, be it by a panic. No lock is held
    /// meanwhile, for whoever has the engine may call Python, which may ask for it.
    ///
    /// # Errors
    ///
    /// If somebody has it.
    fn lend(&self) -> PyResult<Lent<'_>> {
        let engine = self.take().ok_or_else(running)?;
        Ok(Lent { slot: self, engine: Some(engine) })
    }

    /// Does something with the engine.
    ///
    /// # Errors
    ///
    /// If somebody has it, and those of `work`.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut Runner) -> PyResult<R>) -> PyResult<R> {
        self.lend()?.engine.as_mut().map_or_else(|| Err(running()), work)
    }
}

/// An engine that has been taken out of its slot, and goes back there.
struct Lent<'s> {
    slot: &'s Slot,
    /// Always there, until it goes back.
    engine: Option<Runner>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take() {
            self.slot.put(engine);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let engine = self.lock().engine.take();
        if let Some(engine) = engine {
            release(self, &engine);
        }
    }
}

fn running() -> PyErr {
    PyRuntimeError::new_err(
        "the model is running in another thread\n  help: wait until its `fit`, `evaluate` or \
         `predict` has returned",
    )
}

/// What Python is told of a variable.
type Row<'py> = (String, Bound<'py, PyTuple>, &'static str, bool);

/// Runs a Python function of tensors: forward, or with an objective as a model that trains.
#[pyclass(frozen, module = "oxhorn._native")]
pub(crate) struct Engine {
    slot: Arc<Slot>,
}

impl Engine {
    /// Takes the engine out of its slot while `work` runs without Python's lock.
    fn run<R: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&mut Runner, &Arc<Slot>) -> Result<R> + Send,
    ) -> PyResult<R> {
        let slot = &self.slot;
        slot.with(|engine| {
            engine.begin_run();
            for_python(py.detach(|| work(engine, slot)))
        })
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(function: Py<PyAny>, threads: usize) -> Engine {
        let engine = Runner::new(Box::new(Function(function)), threads);
        Engine { slot: Arc::new(Slot::new(engine)) }
    }

    /// What the function gives for these arrays; `training` says whether noise is active.
    fn call<'py>(
        &self,
        py: Python<'py>,
        inputs: Vec<Bound<'py, PyAny>>,
        training: bool,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let inputs = inputs.iter().map(arrays::bytes).collect::<PyResult<Vec<_>>>()?;
        let kind = if training { Kind::Noisy } else { Kind::Predict };
        let x = inputs.iter().map(|(ty, _)| ty.clone()).collect();
        let key = Key { kind, x, y: vec![], weights: vec![] };
        let outputs = self.run(py, move |engine, slot| {
            let program = engine.load(&key)?;
            acquire(slot, engine).map_err(carried)?;
            // Taking variables over cannot change what is loaded.
            let loaded = engine.program(program);
            for (i, (_, bytes)) in inputs.iter().enumerate() {
                loaded.feed_bytes(i, bytes);
            }
            engine.run(program);
            let loaded = engine.program(program);
            let outputs = loaded.output_types().iter().cloned().enumerate();
            outputs
                .map(|(i, ty)| Ok((ty, arrays::copied(loaded.output_bytes(i)?).map_err(carried)?)))
                .collect::<Result<Vec<_>>>()
        })?;
        outputs.iter().map(|(ty, bytes)| arrays::from_bytes(py, ty, bytes)).collect()
    }

    /// The types of what the function gives for inputs of these types, noise off.
    fn output_types<'py>(
        &self,
        py: Python<'py>,
        inputs: Vec<(Vec<usize>, String)>,
    ) -> PyResult<Vec<(Bound<'py, PyTuple>, &'static str)>> {
        let types = types(inputs)?;
        let outputs = self.run(py, move |engine, _| engine.outputs(&types))?;
        let outputs =
            outputs.iter().map(|ty| Ok((PyTuple::new(py, &ty.shape)?, arrays::name(ty.dtype))));
        outputs.collect()
    }

    /// States what the function is trained for: the optimizer's envelope, and for each output a
    /// dictionary of `name`, `loss`, `loss_weight`, `metrics` and `weighted_metrics`; and the
    /// techniques' envelopes.
    fn set_objective(
        &self,
        optimizer: &str,
        outputs: Vec<Bound<'_, PyDict>>,
        techniques: Vec<String>,
    ) -> PyResult<()> {
        let asked = outputs.iter().map(asked).collect::<PyResult<Vec<Asked>>>()?;
        let techniques = techniques.iter().map(|technique| open::<Technique>(technique));
        let objective = Objective {
            optimizer: open::<Optimizer>(optimizer)?,
            outputs: asked,
            techniques: techniques.collect::<PyResult<_>>()?,
        };
        self.slot.with(|engine| for_python(engine.set_objective(objective)))
    }

    /// Trains; `clean` is what is measured after every epoch, if anything is.
    fn fit(
        &self,
        py: Python<'_>,
        training: &Bound<'_, PyDict>,
        validation: Option<&Bound<'_, PyDict>>,
        clean: Option<&Bound<'_, PyDict>>,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<()> {
        let mut training = Feed::read(training)?;
        let mut validation = validation.map(Feed::read).transpose()?;
        let mut clean = clean.map(Feed::read).transpose()?;
        let training = training.sendable()?;
        let validation = validation.as_mut().map(Feed::sendable).transpose()?;
        let clean = clean.as_mut().map(Feed::sendable).transpose()?;
        let settings = Settings::read(settings, &self.slot)?;
        self.run(py, move |engine, slot| {
            let training = ready(engine, slot, Kind::Train, training)?;
            let mut test = |feed| ready(engine, slot, Kind::Test, feed);
            let validation = validation.map(&mut test).transpose()?;
            let clean = clean.map(&mut test).transpose()?;
            let settings = Loop { clean, ..settings.into_loop() };
            engine.fit(training, validation, settings).map(drop)
        })
    }

    /// Loss and metrics, noise off, in Keras' order.
    fn evaluate(
        &self,
        py: Python<'_>,
        feed: &Bound<'_, PyDict>,
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<Vec<(String, f64)>> {
        let mut feed = Feed::read(feed)?;
        let feed = feed.sendable()?;
        let settings = Settings::read(settings, &self.slot)?;
        self.run(py, move |engine, slot| {
            let source = ready(engine, slot, Kind::Test, feed)?;
            engine.evaluate(source, settings.into_loop())?;
            engine.results()
        })
    }

    /// The outputs for all batches, noise off.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        feed: &Bound<'py, PyDict>,
        settings: &Bound<'py, PyDict>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut feed = Feed::read(feed)?;
        let feed = feed.sendable()?;
        let settings = Settings::read(settings, &self.slot)?;
        let predictions = self.run(py, move |engine, slot| {
            let source = ready(engine, slot, Kind::Predict, feed)?;
            engine.predict(source, settings.into_loop())
        })?;
        let outputs = predictions.types.iter().zip(&predictions.bytes);
        outputs.map(|(ty, bytes)| arrays::from_bytes(py, ty, bytes)).collect()
    }

    /// Samples of the outputs for all batches, with what drops at work.
    fn sample(
        &self,
        py: Python<'_>,
        feed: &Bound<'_, PyDict>,
        sampling: (usize, bool, u32),
        settings: &Bound<'_, PyDict>,
    ) -> PyResult<Vec<McPrediction>> {
        let (samples, common_mask, seed) = sampling;
        let masks = if common_mask { Masks::Common } else { Masks::Own };
        let sampling = Sampling { samples, masks };
        for_python(sampling.check())?;
        let mut feed = Feed::read(feed)?;
        let feed = feed.sendable()?;
        let settings = Settings::read(settings, &self.slot)?;
        let outputs = self.run(py, move |engine, slot| {
            let source = ready(engine, slot, Kind::Sample(sampling), feed)?;
            engine.sample(source, sampling, seed, settings.into_loop())
        })?;
        Ok(outputs.into_iter().map(McPrediction).collect())
    }

    /// One step over one batch: loss and metrics of it, in Keras' order.
    fn on_batch(
        &self,
        py: Python<'_>,
        training: bool,
        feed: &Bound<'_, PyDict>,
    ) -> PyResult<Vec<(String, f64)>> {
        let mut feed = Feed::read(feed)?;
        let feed = feed.sendable()?;
        let kind = if training { Kind::Train } else { Kind::Test };
        self.run(py, move |engine, slot| {
            let source = ready(engine, slot, kind, feed)?;
            engine.on_batch(kind, source)?;
            engine.results()
        })
    }

    /// The variables: path, shape, element type, and whether gradients change it.
    fn variables<'py>(&self, py: Python<'py>) -> PyResult<Vec<Row<'py>>> {
        let variables = self.slot.with(|engine| Ok(engine.variables()))?;
        let row = |it: oxhorn_nn::Variable| {
            let shape = PyTuple::new(py, &it.ty.shape)?;
            Ok((it.path, shape, arrays::name(it.ty.dtype), it.trainable))
        };
        variables.into_iter().map(row).collect()
    }

    /// The value of a variable that the engine keeps.
    fn value<'py>(&self, py: Python<'py>, path: &str) -> PyResult<Bound<'py, PyAny>> {
        self.slot.with(|engine| {
            let bytes = for_python(engine.weights().bytes(path))?;
            let ty = engine.weights().ty(path).cloned().unwrap_or_else(|| Type::f32([]));
            arrays::from_bytes(py, &ty, bytes)
        })
    }

    /// Gives a variable that the engine keeps another value.
    fn set_value(&self, path: &str, array: &Bound<'_, PyAny>) -> PyResult<()> {
        let (ty, values) = arrays::read(array)?;
        self.slot.with(|engine| {
            let known = engine.weights().ty(path).map(|known| known.shape.clone());
            if known.as_ref() != Some(&ty.shape) {
                return Err(PyValueError::new_err(format!(
                    "`{path}` has shape {known:?}, got {:?}",
                    ty.shape
                )));
            }
            for_python(engine.set_value(path, &values))
        })
    }

    /// The numbers that people turn, by path.
    fn numbers(&self) -> PyResult<Vec<(String, f64)>> {
        self.slot.with(|engine| Ok(engine.numbers().to_vec()))
    }

    /// Turns one of them.
    fn set_number(&self, path: &str, value: f64) -> PyResult<()> {
        self.slot.with(|engine| for_python(engine.set_number(path, value)))
    }

    /// The size of the next step.
    fn learning_rate(&self) -> PyResult<f64> {
        self.slot.with(|engine| for_python(engine.learning_rate()))
    }

    /// The names of loss and metrics in Keras' order.
    fn result_names(&self) -> PyResult<Vec<String>> {
        self.slot.with(|engine| Ok(engine.result_names().map(str::to_owned).collect()))
    }

    /// Loss and metrics since the last reset.
    fn results(&self) -> PyResult<Vec<(String, f64)>> {
        self.slot.with(|engine| for_python(engine.results()))
    }

    /// Sets loss and metrics back to those of no samples.
    fn reset_metrics(&self) -> PyResult<()> {
        self.slot.with(|engine| {
            engine.reset_metrics();
            Ok(())
        })
    }

    /// Which way a metric gets better: "up", "down", or `None`.
    fn direction(&self, name: &str) -> PyResult<Option<&'static str>> {
        use oxhorn::callbacks::Direction;
        self.slot.with(|engine| {
            Ok(engine.direction(name).map(|direction| match direction {
                Direction::Up => "up",
                Direction::Down => "down",
            }))
        })
    }

    /// Makes what the optimizer keeps, for inputs of these types, before there is a batch.
    fn declare_optimizer(&self, py: Python<'_>, inputs: Vec<(Vec<usize>, String)>) -> PyResult<()> {
        let types = types(inputs)?;
        self.run(py, move |engine, slot| {
            engine.declare(&types)?;
            engine.declare_optimizer()?;
            acquire(slot, engine).map_err(carried)
        })
    }

    /// Writes what the function gives for inputs of these types, noise off, as ONNX; inputs and
    /// outputs get these names.
    fn export_onnx(
        &self,
        py: Python<'_>,
        path: PathBuf,
        name: &str,
        inputs: Vec<(String, Vec<usize>, String)>,
        outputs: Vec<String>,
    ) -> PyResult<()> {
        let (names, shapes): (Vec<_>, Vec<_>) =
            inputs.into_iter().map(|(name, shape, dtype)| (name, (shape, dtype))).unzip();
        let types = types(shapes)?;
        let bytes = self.run(py, move |engine, slot| {
            engine.declare(&types)?;
            engine.give(State::new())?;
            acquire(slot, engine).map_err(carried)?;
            engine.onnx(name, &names, &outputs)
        })?;
        files::write(py, Some(path), || Ok(bytes)).map(drop)
    }

    /// Gives variables these values by path, now or as soon as they are declared.
    fn give(&self, arrays: &Bound<'_, PyDict>) -> PyResult<()> {
        let values = files::state(arrays)?;
        self.slot.with(|engine| for_python(engine.give(values)))
    }

    /// Makes what training and measuring need, for samples like these, before there is a step.
    fn prepare(&self, py: Python<'_>, feed: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut feed = Feed::read(feed)?;
        let feed = feed.sendable()?;
        self.run(py, move |engine, slot| ready(engine, slot, Kind::Train, feed).map(drop))
    }
}

/// Types as Python has them.
fn types(inputs: Vec<(Vec<usize>, String)>) -> PyResult<Vec<Type>> {
    let types = inputs.into_iter();
    types.map(|(shape, dtype)| Ok(Type::new(arrays::dtype(&dtype)?, shape))).collect()
}

/// The source, once the engine has made the programs for its first batch and has the variables.
fn ready<'a>(
    engine: &mut Runner,
    slot: &Arc<Slot>,
    kind: Kind,
    feed: Sendable<'a>,
) -> Result<Source<'a>> {
    let key = feed.key(kind);
    if matches!(kind, Kind::Train | Kind::Test) {
        engine.prepare(&key)?;
    }
    engine.load(&key)?;
    acquire(slot, engine).map_err(carried)?;
    feed.source()
}

/// What is asked of one output.
fn asked(output: &Bound<'_, PyDict>) -> PyResult<Asked> {
    let text = |key: &str| -> PyResult<Option<String>> {
        output.get_item(key)?.map_or(Ok(None), |it| it.extract())
    };
    let metrics = |key: &str| -> PyResult<Vec<Metric>> {
        let all: Vec<String> = output.get_item(key)?.map_or(Ok(vec![]), |it| it.extract())?;
        all.iter().map(|json| as_given(json)).collect()
    };
    let loss_weight = output.get_item("loss_weight")?;
    Ok(Asked {
        output: text("name")?.unwrap_or_default(),
        loss: text("loss")?.map(|json| as_given(&json)).transpose()?,
        loss_weight: loss_weight.map_or(Ok(None), |it| it.extract())?,
        metrics: metrics("metrics")?,
        weighted_metrics: metrics("weighted_metrics")?,
    })
}

/// The object that JSON describes; a name is kept, for some depend on shapes.
fn as_given<T: Category + ?Sized>(json: &str) -> PyResult<Handle<T>> {
    match serde_json::from_str(json) {
        Ok(serde_json::Value::String(name)) => Ok(Handle::from(name)),
        _ => open(json),
    }
}

/// The object that JSON describes.
pub(crate) fn open<T: Field>(json: &str) -> PyResult<T> {
    let json = serde_json::from_str(json)
        .map_err(|error| PyTypeError::new_err(format!("{json} is not JSON: {error}")))?;
    for_python(T::read(&json))
}
