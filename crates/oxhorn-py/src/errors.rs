//! Errors on their way between Rust and Python.

use std::cell::RefCell;

use oxhorn::{Error, Result};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

thread_local! {
    /// What Python raised while Rust was calling it; Rust carries on with an error of its own.
    static RAISED: RefCell<Option<PyErr>> = const { RefCell::new(None) };
}

/// The error that Rust carries on with when Python has raised one.
pub(crate) fn carried(error: PyErr) -> Error {
    let message = error.to_string();
    RAISED.with_borrow_mut(|raised| {
        raised.get_or_insert(error);
    });
    Error::new(message)
}

/// What Python is to raise: what it raised itself, or else Rust's error as a `ValueError`; as a
/// `TypeError` if it is about a call, which such errors say first: `abs() takes ..`.
pub(crate) fn raised(error: Error) -> PyErr {
    let is_name = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    let is_about_a_call = error.message.split_once("() ").is_some_and(|(name, _)| is_name(name));
    match RAISED.take() {
        Some(raised) => raised,
        None if is_about_a_call => PyTypeError::new_err(error.to_string()),
        None => PyValueError::new_err(error.to_string()),
    }
}

/// The result as Python takes it.
pub(crate) fn for_python<T>(result: Result<T>) -> PyResult<T> {
    let result = result.map_err(raised);
    RAISED.take();
    result
}
