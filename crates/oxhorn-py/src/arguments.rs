//! Python's arguments to a function of `keras.ops`, and what it gives.

use oxhorn_nn::{
    Scope,
    ops::{Argument, Outcome},
};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyBool, PyEllipsis, PyFloat, PyInt, PyList, PyString, PyTuple},
};

use crate::{scope, tensor::Tensor, variable::Variable};

/// The argument that a Python object is in this trace. Arrays become constants.
pub(crate) fn read<'g>(
    scope: &Scope<'g>,
    serial: u64,
    value: &Bound<'_, PyAny>,
) -> PyResult<Argument<'g>> {
    if let Ok(tensor) = value.cast::<Tensor>() {
        return Ok(Argument::Tensor(tensor.get().traced(scope, serial)?));
    }
    if value.is_none() {
        return Ok(Argument::None);
    }
    // A boolean is an integer in Python, so it comes first.
    if let Ok(flag) = value.cast::<PyBool>() {
        return Ok(Argument::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return Ok(Argument::Int(value.extract()?));
    }
    if value.is_instance_of::<PyFloat>() {
        return Ok(Argument::Float(value.extract()?));
    }
    if value.is_instance_of::<PyString>() {
        return Ok(Argument::Text(value.extract()?));
    }
    if value.is_instance_of::<PyEllipsis>() {
        return Ok(Argument::Text("...".to_owned()));
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        let items = value.try_iter()?.map(|item| read(scope, serial, &item?));
        return Ok(Argument::List(items.collect::<PyResult<_>>()?));
    }
    if value.is_instance_of::<Variable>() {
        let kind = value.get_type();
        return Err(PyTypeError::new_err(format!("{kind} has to be read before it is used")));
    }
    Ok(Argument::Tensor(scope::constant_of(scope, value)?))
}

/// What Python gets: a tensor, a tuple of such, or what is known without running anything.
pub(crate) fn give<'py>(
    py: Python<'py>,
    scope: &Scope<'_>,
    serial: u64,
    outcome: Outcome<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match outcome {
        Outcome::One(tensor) => scope::give(scope, tensor, serial)?.into_bound_py_any(py),
        Outcome::Many(tensors) => {
            let tensors = tensors.into_iter().map(|tensor| scope::give(scope, tensor, serial));
            PyList::new(py, tensors.collect::<PyResult<Vec<_>>>()?)?.into_bound_py_any(py)
        }
        Outcome::Static(value) => known(py, scope, serial, &value),
    }
}

fn known<'py>(
    py: Python<'py>,
    scope: &Scope<'_>,
    serial: u64,
    value: &Argument<'_>,
) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Argument::Tensor(tensor) => scope::give(scope, *tensor, serial)?.into_bound_py_any(py),
        Argument::None => Ok(py.None().into_bound(py)),
        Argument::Bool(flag) => flag.into_bound_py_any(py),
        Argument::Int(integer) => integer.into_bound_py_any(py),
        Argument::Float(number) => number.into_bound_py_any(py),
        Argument::Text(text) => text.into_bound_py_any(py),
        Argument::List(items) => {
            let items = items.iter().map(|item| known(py, scope, serial, item));
            PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_bound_py_any(py)
        }
    }
}
