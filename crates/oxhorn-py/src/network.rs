//! A network written in Python, as an engine calls it.

use oxhorn::engine::{Masked, Network};
use oxhorn_ir::{Tensor as Traced, Value};
use oxhorn_nn::Scope;
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyList};

use crate::{errors::carried, scope, tensor::Tensor};

/// The attribute of a tensor that holds its mask.
const MASK: &str = "_keras_mask";

/// A Python function of a list of tensors and whether noise is active, which gives such a list.
pub(crate) struct Function(pub(crate) Py<PyAny>);

impl Network for Function {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Traced<'g>]) -> Vec<Traced<'g>> {
        self.call_masked(cx, x).into_iter().map(|(y, _)| y).collect()
    }

    fn call_masked<'g>(&self, cx: &Scope<'g>, x: &[Traced<'g>]) -> Vec<Masked<'g>> {
        if cx.trace().error().is_some() {
            return vec![];
        }
        let outputs = Python::attach(|py| self.values(py, cx, x));
        match outputs {
            Ok(values) => {
                let at = |value| cx.trace().at(value);
                values.into_iter().map(|(y, mask)| (at(y), mask.map(at))).collect()
            }
            Err(error) => vec![(cx.trace().fail(carried(error)), None)],
        }
    }

    fn within<'g>(&self, cx: &Scope<'g>, write: &mut dyn FnMut()) {
        scope::within(cx, write);
    }
}

impl Function {
    /// The outputs for these inputs, each with its mask, once `within` has entered a scope like
    /// `cx`.
    fn values(
        &self,
        py: Python<'_>,
        cx: &Scope<'_>,
        x: &[Traced<'_>],
    ) -> PyResult<Vec<(Value, Option<Value>)>> {
        let inputs = scope::with(|scope, serial| {
            let inputs = x.iter().map(|x| scope::give(scope, *x, serial));
            inputs.collect::<PyResult<Vec<Tensor>>>()
        })?;
        let inputs = inputs.into_iter().map(|x| Bound::new(py, x)).collect::<PyResult<Vec<_>>>()?;
        let outputs = self.0.bind(py).call1((PyList::new(py, inputs)?, cx.training()))?;
        scope::with(|scope, serial| {
            let value = |output: Bound<'_, PyAny>| {
                let tensor = output.cast::<Tensor>().map_err(|_| {
                    let kind = output.get_type();
                    PyTypeError::new_err(format!("a network gives tensors, got {kind}"))
                })?;
                let mask = match tensor.getattr_opt(MASK)? {
                    Some(mask) if !mask.is_none() => Some(mask.cast_into::<Tensor>()?),
                    _ => None,
                };
                let value = |it: &Tensor| Ok::<_, PyErr>(it.traced(scope, serial)?.value());
                Ok((value(tensor.get())?, mask.map(|mask| value(mask.get())).transpose()?))
            };
            outputs.try_iter()?.map(|output| value(output?)).collect()
        })
    }
}
