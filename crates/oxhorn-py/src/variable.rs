//! Variables of Python objects, and who has their values.
//!
//! A layer's variables are made before anything runs them, and several models may share them. So a
//! value is where it was last needed: in the variable itself, or in the engine that ran last.
//! Whoever needs it next takes it over.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};

use oxhorn::engine::Engine;
use oxhorn_ir::Type;
use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyTuple,
};

use crate::{
    arrays,
    engine::{Slot, open},
    errors::for_python,
    scope,
    tensor::Tensor,
};

/// The variables of the process, by key.
static VARIABLES: LazyLock<Mutex<HashMap<String, Weak<Cell>>>> = LazyLock::new(Mutex::default);

/// What one variable is, and where its value is.
pub(crate) struct Cell {
    key: String,
    ty: Type,
    place: Mutex<Place>,
}

enum Place {
    /// Here, as bytes.
    Own(Vec<u8>),
    /// In an engine.
    Engine(Weak<Slot>),
}

/// A value that lives from call to call.
#[pyclass(frozen, subclass, module = "oxhorn._native")]
pub(crate) struct Variable {
    cell: Arc<Cell>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing here leaves a value half written: what a panic elsewhere has left is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Variable {
    /// A variable of this key, which no other living variable may have, with the value of an array.
    #[new]
    fn new(key: String, array: &Bound<'_, PyAny>) -> PyResult<Variable> {
        let (ty, bytes) = arrays::bytes(array)?;
        let place = Mutex::new(Place::Own(bytes));
        let cell = Arc::new(Cell { key: key.clone(), ty, place });
        let mut variables = lock(&VARIABLES);
        if variables.get(&key).is_some_and(|known| known.strong_count() > 0) {
            return Err(PyValueError::new_err(format!("there is a variable `{key}` already")));
        }
        variables.insert(key, Arc::downgrade(&cell));
        Ok(Variable { cell })
    }

    /// What tells it from all others.
    #[getter]
    fn key(&self) -> &str {
        &self.cell.key
    }

    /// The extent of each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.cell.ty.shape)
    }

    /// The name of the elements' type.
    #[getter]
    fn dtype(&self) -> &'static str {
        arrays::name(self.cell.ty.dtype)
    }

    /// A copy of the value.
    fn numpy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let bytes = self.cell.bytes()?;
        arrays::from_bytes(py, &self.cell.ty, &bytes)
    }

    /// Gives it another value, of the same shape and type.
    fn assign(&self, array: &Bound<'_, PyAny>) -> PyResult<()> {
        let (ty, bytes) = arrays::bytes(array)?;
        if ty != self.cell.ty {
            return Err(PyValueError::new_err(format!(
                "The shape of the target variable and the shape of the target value in \
                 `variable.assign(value)` must match. variable.shape={:?}, Received: \
                 value.shape={:?}. Target variable: {}",
                self.cell.ty.shape, ty.shape, self.cell.key
            )));
        }
        let mut place = lock(&self.cell.place);
        let holder = match &*place {
            Place::Engine(slot) => slot.upgrade(),
            Place::Own(_) => None,
        };
        match holder {
            Some(slot) => slot.with(|engine| put(engine, &self.cell, &bytes)),
            None => {
                *place = Place::Own(bytes);
                Ok(())
            }
        }
    }

    /// What stands for the value in what is being traced: what it has become so far.
    fn traced(&self, trainable: bool) -> PyResult<Tensor> {
        let declared = oxhorn_nn::Variable { trainable, ..self.cell.declared() };
        scope::write(|scope, _| Ok(scope.variable(declared)))
    }

    /// The same for a weight with a regularizer and a constraint, as envelopes.
    fn traced_weight(
        &self,
        trainable: bool,
        regularizer: Option<&str>,
        constraint: Option<&str>,
    ) -> PyResult<Tensor> {
        let declared = oxhorn_nn::Variable {
            regularizer: regularizer.map(open).transpose()?,
            constraint: constraint.map(open).transpose()?,
            trainable,
            ..self.cell.declared()
        };
        scope::write(|scope, _| Ok(scope.variable(declared)))
    }

    /// States what it becomes, in what is being traced.
    fn update(&self, new: &Tensor) -> PyResult<()> {
        scope::with(|scope, serial| {
            scope.variable(self.cell.declared());
            scope.replace(&self.cell.key, new.traced(scope, serial)?);
            Ok(())
        })
    }
}

impl Cell {
    /// The variable as an engine keeps it. Its first value comes from here: see [`acquire`].
    fn declared(&self) -> oxhorn_nn::Variable {
        oxhorn_nn::Variable {
            path: self.key.clone(),
            ty: self.ty.clone(),
            trainable: false,
            initial: oxhorn_nn::Initial::Filled(0.0),
            regularizer: None,
            constraint: None,
        }
    }

    /// The value, wherever it is.
    fn bytes(&self) -> PyResult<Vec<u8>> {
        let place = lock(&self.place);
        match &*place {
            Place::Own(bytes) => Ok(bytes.clone()),
            Place::Engine(slot) => match slot.upgrade() {
                Some(slot) => slot.with(|engine| take(engine, self)),
                None => Err(PyRuntimeError::new_err(format!("`{}` has lost its value", self.key))),
            },
        }
    }
}

/// Takes over the values of all variables that the engine of this slot declares and does not have.
pub(crate) fn acquire(slot: &Arc<Slot>, engine: &mut Engine) -> PyResult<()> {
    for variable in engine.variables() {
        let cell = lock(&VARIABLES).get(&variable.path).and_then(Weak::upgrade);
        let Some(cell) = cell else { continue };
        let mut place = lock(&cell.place);
        let bytes = match &*place {
            Place::Engine(holder) if holder.as_ptr() == Arc::as_ptr(slot) => continue,
            Place::Own(bytes) => bytes.clone(),
            Place::Engine(holder) => match holder.upgrade() {
                Some(holder) => holder.with(|engine| take(engine, &cell))?,
                None => continue,
            },
        };
        put(engine, &cell, &bytes)?;
        *place = Place::Engine(Arc::downgrade(slot));
    }
    Ok(())
}

/// Gives the values that this engine has back to their variables, for it is about to go.
pub(crate) fn release(slot: &Slot, engine: &Engine) {
    for variable in engine.variables() {
        let cell = lock(&VARIABLES).get(&variable.path).and_then(Weak::upgrade);
        let Some(cell) = cell else { continue };
        let mut place = lock(&cell.place);
        let is_here =
            matches!(&*place, Place::Engine(holder) if std::ptr::eq(holder.as_ptr(), slot));
        if let (true, Ok(bytes)) = (is_here, take(engine, &cell)) {
            *place = Place::Own(bytes);
        }
    }
}

/// The value of a variable in an engine.
fn take(engine: &Engine, cell: &Cell) -> PyResult<Vec<u8>> {
    for_python(engine.weights().bytes(&cell.key)).map(<[u8]>::to_vec)
}

/// Gives a variable in an engine its value.
fn put(engine: &mut Engine, cell: &Cell, bytes: &[u8]) -> PyResult<()> {
    for_python(engine.weights_mut().bytes_mut(&cell.key))?.copy_from_slice(bytes);
    Ok(())
}

impl Drop for Cell {
    fn drop(&mut self) {
        let mut variables = lock(&VARIABLES);
        if variables.get(&self.key).is_some_and(|known| known.strong_count() == 0) {
            variables.remove(&self.key);
        }
    }
}
