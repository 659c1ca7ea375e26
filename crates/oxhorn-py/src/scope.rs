//! The scope that is being traced while Rust has called Python.
//!
//! Python objects cannot borrow, so what they mean is looked up here: a stack of the scopes that
//! Rust has entered on this thread, of which the last is the one that Python's formulas write to.

use std::{
    cell::RefCell,
    collections::hash_map::DefaultHasher,
    hash::{Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};

use oxhorn::Error;
use oxhorn_ir::{Tensor as Traced, Type};
use oxhorn_nn::{Initial, Scope, Variable};
use pyo3::{exceptions::PyRuntimeError, prelude::*};

use crate::{arrays, errors::raised, tensor::Tensor};

/// A scope that has been entered.
struct Entered {
    scope: *const Scope<'static>,
    serial: u64,
}

thread_local! {
    static STACK: RefCell<Vec<Entered>> = const { RefCell::new(vec![]) };
}

static SERIALS: AtomicU64 = AtomicU64::new(1);

/// Takes the scope off the stack, however its guest leaves.
struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        STACK.with_borrow_mut(|stack| stack.pop());
    }
}

/// Runs `work` while this scope is the one that Python writes to.
pub(crate) fn within<R>(scope: &Scope<'_>, work: impl FnOnce() -> R) -> R {
    let serial = SERIALS.fetch_add(1, Ordering::Relaxed);
    let scope = std::ptr::from_ref(scope).cast::<Scope<'static>>();
    STACK.with_borrow_mut(|stack| stack.push(Entered { scope, serial }));
    let _leave = Leave;
    work()
}

/// Whether Python is being traced.
#[pyfunction]
pub(crate) fn tracing() -> bool {
    STACK.with_borrow(|stack| !stack.is_empty())
}

/// What `work` makes of the current scope and its serial number.
///
/// # Errors
///
/// If nothing is being traced.
pub(crate) fn with<R>(work: impl for<'g> FnOnce(&Scope<'g>, u64) -> PyResult<R>) -> PyResult<R> {
    let entered = STACK.with_borrow(|stack| stack.last().map(|it| (it.scope, it.serial)));
    let Some((scope, serial)) = entered else {
        return Err(PyRuntimeError::new_err(
            "nothing is being traced: this can only be used while a model is called",
        ));
    };
    // SAFETY: the pointer is on this thread's stack of scopes, so `within` has not returned, and
    // the scope that it borrows is alive. Its lifetime is that of any scope to `work`, which can
    // keep nothing of it.
    work(unsafe { &*scope }, serial)
}

/// The same for what gives a tensor.
pub(crate) fn write(
    work: impl for<'g> FnOnce(&Scope<'g>, u64) -> PyResult<Traced<'g>>,
) -> PyResult<Tensor> {
    with(|scope, serial| {
        let tensor = work(scope, serial)?;
        give(scope, tensor, serial)
    })
}

/// The tensor as Python has it, or the mistake that it stands for.
pub(crate) fn give(scope: &Scope<'_>, tensor: Traced<'_>, serial: u64) -> PyResult<Tensor> {
    if tensor.is_void() {
        let error = scope.trace().error();
        return Err(raised(error.unwrap_or_else(|| Error::new("this has no value"))));
    }
    Ok(Tensor::new(tensor.value(), tensor.ty(), serial))
}

/// Adds a tensor to the loss that training makes small.
#[pyfunction]
pub(crate) fn add_loss(loss: &Tensor) -> PyResult<()> {
    with(|scope, serial| {
        let loss = loss.traced(scope, serial)?;
        scope.add_loss(loss);
        Ok(())
    })
}

/// Whether noise is active in what is being traced.
#[pyfunction]
pub(crate) fn is_training() -> PyResult<bool> {
    with(|scope, _| Ok(scope.training()))
}

/// An array as part of what is being traced.
#[pyfunction]
pub(crate) fn constant(array: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    write(|scope, _| constant_of(scope, array))
}

/// The array as a tensor of this trace: a number where one is enough, and else a value that the
/// model keeps and never changes, for graphs hold no arrays.
pub(crate) fn constant_of<'g>(scope: &Scope<'g>, array: &Bound<'_, PyAny>) -> PyResult<Traced<'g>> {
    let (ty, values) = arrays::read(array)?;
    let trace = scope.trace();
    let first = values.first().copied().unwrap_or(0.0);
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        let scalar = trace.scalar(first, ty.dtype);
        return Ok(if ty.rank() == 0 { scalar } else { scalar.broadcast(ty.shape) });
    }
    let path = format!("constants/{:016x}", fingerprint(&ty, &values));
    Ok(scope.variable(Variable {
        path,
        ty,
        trainable: false,
        initial: Initial::Given(values.into()),
        regularizer: None,
        constraint: None,
    }))
}

/// What tells arrays apart.
fn fingerprint(ty: &Type, values: &[f64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    ty.hash(&mut hasher);
    values.iter().for_each(|value| value.to_bits().hash(&mut hasher));
    hasher.finish()
}
