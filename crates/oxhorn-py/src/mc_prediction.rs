//! Samples of a prediction, and what they say, as NumPy arrays.

use numpy::{PyArrayDyn, ToPyArray, ndarray::ArrayD};
use oxhorn::{McPrediction as Sampled, Result};
use pyo3::prelude::*;

use crate::errors::for_python;

/// An array of Python's.
type Numbers<'py> = Bound<'py, PyArrayDyn<f64>>;

/// The samples of one output; `oxhorn/models/mc_prediction.py` says what its numbers are.
#[pyclass(frozen, module = "oxhorn._native")]
pub(crate) struct McPrediction(pub(crate) Sampled);

fn given<'py>(py: Python<'py>, numbers: Result<ArrayD<f64>>) -> PyResult<Numbers<'py>> {
    Ok(for_python(numbers)?.to_pyarray(py))
}

#[pymethods]
impl McPrediction {
    fn samples<'py>(&self, py: Python<'py>) -> Bound<'py, PyArrayDyn<f32>> {
        self.0.samples().to_pyarray(py)
    }

    fn mean<'py>(&self, py: Python<'py>) -> Numbers<'py> {
        self.0.mean().to_pyarray(py)
    }

    fn std<'py>(&self, py: Python<'py>) -> Numbers<'py> {
        self.0.std().to_pyarray(py)
    }

    fn interval<'py>(&self, py: Python<'py>, level: f64) -> PyResult<(Numbers<'py>, Numbers<'py>)> {
        let (low, high) = for_python(self.0.interval(level))?;
        Ok((low.to_pyarray(py), high.to_pyarray(py)))
    }

    fn predictive_entropy<'py>(&self, py: Python<'py>) -> PyResult<Numbers<'py>> {
        given(py, self.0.predictive_entropy())
    }

    fn mutual_information<'py>(&self, py: Python<'py>) -> PyResult<Numbers<'py>> {
        given(py, self.0.mutual_information())
    }

    fn variation_ratio<'py>(&self, py: Python<'py>) -> PyResult<Numbers<'py>> {
        given(py, self.0.variation_ratio())
    }
}

/// Inputs in a batch where nobody says how many, for so many samples of each.
#[pyfunction]
pub(crate) fn rows_at_once(samples: usize) -> usize {
    oxhorn::rows_at_once(samples)
}
