//! Batches that Python makes one after the other.

use oxhorn::{
    Result,
    data::{Data, Samples, Stream},
};
use pyo3::prelude::*;

use crate::{arrays::Held, errors::carried};

/// A Python object with `begin_epoch()`, `end_epoch()`, `begin()` of a pass, and `batches`, which
/// is a number or `None`; and `next()`, which gives `(x, y, sample_weight)`, each a list of arrays
/// or `None`s, or `None` when there are no more.
pub(crate) struct Batches {
    object: Py<PyAny>,
    batches: Option<usize>,
}

impl Batches {
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> PyResult<Batches> {
        let batches = object.getattr("batches")?.extract()?;
        Ok(Batches { object: object.clone().unbind(), batches })
    }
}

impl Batches {
    fn tell(&self, method: &str) -> Result<()> {
        Python::attach(|py| self.object.bind(py).call_method0(method).map(drop)).map_err(carried)
    }
}

impl Stream for Batches {
    fn begin_epoch(&mut self) -> Result<()> {
        self.tell("begin_epoch")
    }

    fn end_epoch(&mut self) -> Result<()> {
        self.tell("end_epoch")
    }

    fn begin(&mut self) -> Result<()> {
        self.tell("begin")
    }

    fn next(&mut self) -> Result<Option<Data<'_>>> {
        Python::attach(|py| {
            let batch = self.object.bind(py).call_method0("next")?;
            if batch.is_none() { Ok(None) } else { data(&batch).map(Some) }
        })
        .map_err(carried)
    }

    fn batches(&self) -> Option<usize> {
        self.batches
    }
}

/// The arrays of a batch, copied.
pub(crate) fn data(batch: &Bound<'_, PyAny>) -> PyResult<Data<'static>> {
    type Lists<'py> =
        (Vec<Bound<'py, PyAny>>, Vec<Option<Bound<'py, PyAny>>>, Vec<Option<Bound<'py, PyAny>>>);
    let (x, y, sample_weight): Lists<'_> = batch.extract()?;
    let samples = |array: &Bound<'_, PyAny>| Ok(Held::of(array)?.samples().into_owned());
    let each = |all: &[Option<Bound<'_, PyAny>>]| {
        let each = all.iter().map(|array| array.as_ref().map(samples).transpose());
        each.collect::<PyResult<Vec<Option<Samples<'static>>>>>()
    };
    Ok(Data {
        x: x.iter().map(samples).collect::<PyResult<_>>()?,
        y: each(&y)?,
        sample_weight: each(&sample_weight)?,
    })
}
