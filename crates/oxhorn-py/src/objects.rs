//! Objects written in Python, as members of Keras' categories.
//!
//! A dictionary cannot hold a Python object, so it holds a number by which the object is found
//! here. All of them are called while a graph is written, never while it runs.

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use oxhorn::{Error, Result};
use oxhorn_ir::Tensor as Traced;
use oxhorn_nn::{
    Map, Object, Scope,
    activations::Activate,
    config::{Class, Field},
    constraints::Constrain,
    handle,
    initializers::Initialize,
    losses::{self, Penalize},
    metrics::{self, Direction, Measure},
    regularizers::Regularize,
    schedules::Schedule,
};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyTuple};
use serde_json::json;

use crate::{arrays, errors::carried, scope, tensor::Tensor};

/// What dictionaries call the class of a Python object.
const CLASS: &str = "oxhorn.PythonObject";

/// The objects by number, held weakly where Python can: whoever uses one has it. Of an object that
/// is gone, the reference stays.
static OBJECTS: LazyLock<Mutex<HashMap<u64, Py<PyAny>>>> = LazyLock::new(Mutex::default);

static NUMBERS: AtomicU64 = AtomicU64::new(1);

/// The envelope by which Rust finds a Python object; `settings` are what its category asks of it.
#[pyfunction]
pub(crate) fn foreign(object: Bound<'_, PyAny>, settings: &str) -> PyResult<String> {
    let py = object.py();
    let weak = py.import("weakref")?.getattr("ref")?.call1((&object,));
    let reference = match weak {
        Ok(reference) => reference,
        // Some objects, such as functions written in C, cannot be referred to weakly.
        Err(_) => object,
    };
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    lock().insert(number, reference.unbind());
    let settings: serde_json::Value = serde_json::from_str(settings)
        .map_err(|error| PyValueError::new_err(format!("{settings} is not JSON: {error}")))?;
    let envelope = json!({
        "module": "oxhorn", "class_name": "PythonObject", "registered_name": null,
        "config": {"number": number, "settings": settings},
    });
    Ok(envelope.to_string())
}

fn lock() -> MutexGuard<'static, HashMap<u64, Py<PyAny>>> {
    // A panic elsewhere has left the map whole.
    OBJECTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The object that a weak reference means, `None` if it is gone; other objects are themselves.
fn referent<'py>(reference: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let weak = reference.py().import("weakref")?.getattr("ref")?;
    if reference.is_instance(&weak)? { reference.call0() } else { Ok(reference.clone()) }
}

/// A Python object in a category.
#[derive(Debug)]
struct Foreign {
    object: Py<PyAny>,
    config: Map,
    loss: losses::Common,
    metric: metrics::Common,
}

impl Foreign {
    fn read(config: &Map) -> Result<Foreign> {
        let number = config.get("number").and_then(|number| number.as_u64()).unwrap_or_default();
        let gone = || Error::new("a Python object that was asked for is gone");
        let object = Python::attach(|py| {
            // Whoever waits for this lock may have Python's, so Python is not called under it.
            let reference = lock().get(&number).map(|it| it.clone_ref(py)).ok_or_else(gone)?;
            let object = referent(reference.bind(py)).map_err(carried)?;
            if object.is_none() { Err(gone()) } else { Ok(object.unbind()) }
        })?;
        let settings = config.get("settings").and_then(|it| it.as_object()).cloned();
        let settings = settings.unwrap_or_default();
        let name = settings.get("name").and_then(|name| name.as_str()).unwrap_or_default();
        let mut loss = losses::Common::named(name);
        if let Some(reduction) = settings.get("reduction") {
            loss.reduction = Field::read(reduction)?;
        }
        Ok(Foreign { object, loss, metric: metrics::Common::named(name), config: config.clone() })
    }

    fn setting(&self, name: &str) -> Option<&str> {
        self.config.get("settings")?.get(name)?.as_str()
    }

    /// What a method gives for these tensors, written into the graph.
    fn write<'g>(
        &self,
        method: &str,
        like: Traced<'g>,
        arguments: &[Option<Traced<'g>>],
    ) -> Traced<'g> {
        let trace = like.trace();
        if trace.error().is_some() {
            return trace.fail(Error::new("there was a mistake before"));
        }
        let value = Python::attach(|py| {
            let result = self.call(py, method, arguments)?;
            let tensor = tensor_of(&result)?;
            scope::with(|scope, serial| Ok(tensor.get().traced(scope, serial)?.value()))
        });
        match value {
            Ok(value) => trace.at(value),
            Err(error) => trace.fail(carried(error)),
        }
    }

    fn call<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        arguments: &[Option<Traced<'_>>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let tensors = scope::with(|scope, serial| {
            let give = |tensor: &Option<Traced<'_>>| {
                tensor.map(|tensor| scope::give(scope, tensor, serial)).transpose()
            };
            arguments.iter().map(give).collect::<PyResult<Vec<Option<Tensor>>>>()
        })?;
        let tensors = tensors.into_iter().map(|it| it.map(|it| Bound::new(py, it)).transpose());
        let tensors = PyTuple::new(py, tensors.collect::<PyResult<Vec<_>>>()?)?;
        let object = self.object.bind(py);
        match method {
            "" => object.call1(tensors),
            method => object.call_method1(method, tensors),
        }
    }
}

/// The tensor that a Python function gave, which may also be an array, a variable or a number.
fn tensor_of<'py>(result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, Tensor>> {
    if let Ok(tensor) = result.cast::<Tensor>() {
        return Ok(tensor.clone());
    }
    let convert = result.py().import("oxhorn._tensor")?.getattr("as_traced")?;
    Ok(convert.call1((result,))?.cast_into::<Tensor>()?)
}

impl Object for Foreign {
    fn class(&self) -> &'static str {
        CLASS
    }

    fn config(&self) -> Map {
        self.config.clone()
    }
}

impl Activate for Foreign {
    fn call<'g>(&self, x: Traced<'g>) -> Traced<'g> {
        self.write("", x, &[Some(x)])
    }
}

impl Constrain for Foreign {
    fn call<'g>(&self, w: Traced<'g>) -> Traced<'g> {
        self.write("", w, &[Some(w)])
    }
}

impl Regularize for Foreign {
    fn penalty<'g>(&self, _: &Scope<'g>, x: Traced<'g>) -> Traced<'g> {
        self.write("", x, &[Some(x)])
    }
}

impl Schedule for Foreign {
    fn call<'g>(&self, step: Traced<'g>) -> Traced<'g> {
        self.write("", step, &[Some(step)]).cast(oxhorn_ir::DType::F32)
    }
}

impl Initialize for Foreign {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        let values = Python::attach(|py| {
            let shape = PyTuple::new(py, shape)?;
            let values = self.object.bind(py).call1((shape,))?;
            let convert = py.import("numpy")?.getattr("asarray")?;
            Ok(arrays::read(&convert.call1((values, "float32"))?)?.1)
        });
        Ok(values.map_err(carried)?.into_iter().map(|value| value as f32).collect())
    }
}

impl AsRef<losses::Common> for Foreign {
    fn as_ref(&self) -> &losses::Common {
        &self.loss
    }
}

impl Penalize for Foreign {
    fn call<'g>(&self, y_true: Traced<'g>, y_pred: Traced<'g>) -> Traced<'g> {
        self.write("call", y_pred, &[Some(y_true), Some(y_pred)])
    }
}

impl AsRef<metrics::Common> for Foreign {
    fn as_ref(&self) -> &metrics::Common {
        &self.metric
    }
}

impl Measure for Foreign {
    fn direction(&self) -> Option<Direction> {
        match self.setting("direction")? {
            "up" => Some(Direction::Up),
            "down" => Some(Direction::Down),
            _ => None,
        }
    }

    fn is_mean(&self) -> bool {
        self.setting("kind") == Some("mean")
    }

    fn values<'g>(&self, y_true: Traced<'g>, y_pred: Traced<'g>) -> Traced<'g> {
        self.write("values", y_pred, &[Some(y_true), Some(y_pred)])
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Traced<'g>,
        y_pred: Traced<'g>,
        sample_weight: Option<Traced<'g>>,
    ) {
        if self.is_mean() {
            return metrics::update_mean(self, cx, y_true, y_pred, sample_weight);
        }
        if cx.trace().error().is_some() {
            return;
        }
        let arguments = [Some(y_true), Some(y_pred), sample_weight];
        let updated = Python::attach(|py| self.call(py, "update_state", &arguments).map(drop));
        if let Err(error) = updated {
            cx.trace().fail(carried(error));
        }
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Traced<'g> {
        if self.is_mean() {
            return metrics::result_mean(cx);
        }
        self.write("result", cx.trace().scalar(0.0, oxhorn_ir::DType::F32), &[])
    }
}

/// Lets dictionaries of every category name Python objects.
pub(crate) fn register() {
    macro_rules! register {
        ($($category:ident),*) => {
            $(handle::register::<dyn $category>(Class {
                class: CLASS,
                shape: None,
                aliases: &[],
                doc: "An object written in Python.",
                fields: Vec::new,
                read: |config| Ok(Arc::new(Foreign::read(config)?)),
            });)*
        };
    }
    register!(Activate, Constrain, Regularize, Schedule, Initialize, Penalize, Measure);
}
