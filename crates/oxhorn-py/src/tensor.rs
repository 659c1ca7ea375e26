//! `Tensor`: what stands for an array while a model is traced.

use oxhorn_ir::{Tensor as Traced, Type, Value};
use oxhorn_nn::Scope;
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyTuple};

use crate::arrays;

/// A value of the graph that is being traced.
///
/// Python adds the operators, and notes masks: see `oxhorn/_tensor.py`.
#[pyclass(frozen, subclass, dict, module = "oxhorn._native")]
pub(crate) struct Tensor {
    value: Value,
    ty: Type,
    /// The scope that it belongs to.
    serial: u64,
}

impl Tensor {
    pub(crate) fn new(value: Value, ty: Type, serial: u64) -> Tensor {
        Tensor { value, ty, serial }
    }

    /// The value in the graph of this scope.
    ///
    /// # Errors
    ///
    /// If it belongs to another, which has been left.
    pub(crate) fn traced<'g>(&self, scope: &Scope<'g>, serial: u64) -> PyResult<Traced<'g>> {
        if self.serial != serial {
            return Err(PyRuntimeError::new_err(format!(
                "a tensor of shape {:?} is used outside of the call in which it was made\n  help: \
                 it stands for an array of one step; return it from `call`, or use \
                 `self.add_weight(..)` for what lives longer",
                self.ty.shape
            )));
        }
        Ok(scope.trace().at(self.value))
    }
}

#[pymethods]
impl Tensor {
    /// The extent of each axis.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.ty.shape)
    }

    /// The name of the elements' type.
    #[getter]
    fn dtype(&self) -> &'static str {
        arrays::name(self.ty.dtype)
    }

    /// The number of axes.
    #[getter]
    fn ndim(&self) -> usize {
        self.ty.rank()
    }
}
