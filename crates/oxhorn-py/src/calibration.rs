//! Calibration, as Python calls it: arrays in, numbers and lists of numbers out.

use numpy::{PyReadonlyArray2, ndarray::ArrayView2};
use oxhorn::Result;
use oxhorn_lab::calibration::{self, BrierScale, Outputs, Real, Reliability, classes_of};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyDict};

use crate::{arrays::Held, errors::for_python};

/// Probabilities or logits: samples by classes.
enum Rows<'py> {
    Single(PyReadonlyArray2<'py, f32>),
    Double(PyReadonlyArray2<'py, f64>),
}

impl<'py> Rows<'py> {
    fn of(array: &Bound<'py, PyAny>) -> PyResult<Rows<'py>> {
        if let Ok(array) = array.extract() {
            return Ok(Rows::Single(array));
        }
        array.extract().map(Rows::Double).map_err(|_| {
            let kind = array.get_type();
            PyTypeError::new_err(format!("expected an array of samples by classes, got {kind}"))
        })
    }
}

/// Does `$what` with the rows as `$p`, whatever their type.
macro_rules! with_rows {
    ($rows:expr, $p:ident => $what:expr) => {
        match Rows::of($rows)? {
            Rows::Single(array) => {
                let $p = array.as_array();
                for_python($what)
            }
            Rows::Double(array) => {
                let $p = array.as_array();
                for_python($what)
            }
        }
    };
}

/// The classes of labels that go with rows.
fn labels<P: Real>(y: &Held<'_>, p: &ArrayView2<'_, P>) -> Result<Vec<usize>> {
    classes_of(&y.samples(), p.ncols())
}

/// A reliability diagram: lists with a number for each bin, and its errors.
#[pyfunction]
pub(crate) fn reliability<'py>(
    y: &Bound<'py, PyAny>,
    p: &Bound<'py, PyAny>,
    bins: usize,
    strategy: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let labelled = Held::of(y)?;
    let drawn = with_rows!(p, p => labels(&labelled, &p).and_then(|labels| match strategy {
        "quantile" => Reliability::equal_mass(p, &labels, bins),
        _ => Reliability::equal_width(p, &labels, bins),
    }))?;
    let dict = PyDict::new(y.py());
    let column = |of: fn(&calibration::Bin) -> f64| drawn.bins.iter().map(of).collect::<Vec<_>>();
    dict.set_item("lower", column(|bin| bin.lower))?;
    dict.set_item("upper", column(|bin| bin.upper))?;
    dict.set_item("count", drawn.bins.iter().map(|bin| bin.count).collect::<Vec<_>>())?;
    dict.set_item("confidence", column(|bin| bin.confidence))?;
    dict.set_item("accuracy", column(|bin| bin.accuracy))?;
    dict.set_item("expected_error", drawn.expected_error())?;
    dict.set_item("maximum_error", drawn.maximum_error())?;
    dict.set_item("root_mean_square_error", drawn.root_mean_square_error())?;
    Ok(dict)
}

/// Brier's score, scaled as scikit-learn's `scale_by_half` says: `Some` of it, or `None` for
/// "auto".
#[pyfunction]
#[pyo3(signature = (y, p, scale_by_half))]
pub(crate) fn brier_score(
    y: &Bound<'_, PyAny>,
    p: &Bound<'_, PyAny>,
    scale_by_half: Option<bool>,
) -> PyResult<f64> {
    let labelled = Held::of(y)?;
    let scale = match scale_by_half {
        None => BrierScale::Auto,
        Some(true) => BrierScale::Half,
        Some(false) => BrierScale::Sum,
    };
    with_rows!(p, p => labels(&labelled, &p)
        .and_then(|labels| calibration::brier_score(p, &labels, scale)))
}

/// The mean of `-ln p` of the true class.
#[pyfunction]
pub(crate) fn negative_log_likelihood(y: &Bound<'_, PyAny>, p: &Bound<'_, PyAny>) -> PyResult<f64> {
    let labelled = Held::of(y)?;
    with_rows!(p, p => labels(&labelled, &p)
        .and_then(|labels| calibration::negative_log_likelihood(p, &labels)))
}

/// The temperature at which the likelihood is greatest. `kind` is "logits" or "probabilities".
#[pyfunction]
pub(crate) fn fit_temperature(
    y: &Bound<'_, PyAny>,
    outputs: &Bound<'_, PyAny>,
    kind: &str,
) -> PyResult<f64> {
    let labelled = Held::of(y)?;
    let kind = match kind {
        "logits" => Outputs::Logits,
        _ => Outputs::Probabilities,
    };
    with_rows!(outputs, p => labels(&labelled, &p)
        .and_then(|labels| calibration::fit_temperature(p, &labels, kind)))
}
