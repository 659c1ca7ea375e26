//! Studies, as Python asks for them: models, plans and what comes of them as JSON, data as arrays.

use std::{collections::BTreeMap, path::PathBuf};

use numpy::{PyReadonlyArray1, PyReadonlyArrayDyn};
use oxhorn_lab::{
    Dataset, Lab, Plan, Source, Split, Study, Target, Variant,
    ablate::ablate,
    compare::compare,
    diagnose::{Facts, diagnose},
    figures::{self, Room},
    replay::Report,
    report,
    tune::{Search, tune_rate},
    verdict,
};
use pyo3::{
    exceptions::{PyKeyError, PyValueError},
    prelude::*,
    types::{PyBytes, PyDict},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::errors::{carried, for_python};

/// What Python wants to know, and how.
#[derive(Deserialize)]
struct Request {
    title: String,
    variants: Vec<Variant>,
    plan: Plan,
    /// How many networks are trained at once; all cores if not given.
    workers: Option<usize>,
    /// Where rates are looked for, if they are.
    rates: Option<Vec<f64>>,
    /// At how many seeds.
    search_seeds: Option<usize>,
    /// Whether each layer has a rate of its own.
    #[serde(default)]
    each_layer: bool,
}

/// Trains and compares: `what` is "compare", "tune_rate" or "ablate". Now and then it calls
/// `watch(done, total, fraction)`.
#[pyfunction]
pub(crate) fn study(
    py: Python<'_>,
    what: &str,
    request: &str,
    data: &Bound<'_, PyDict>,
    watch: Py<PyAny>,
) -> PyResult<String> {
    let (request, data) = (read::<Request>(request)?, dataset(data)?);
    let what = what.to_owned();
    for_python(py.detach(move || {
        let lab = watched(request.workers, watch);
        let Request { title, variants, plan, .. } = &request;
        let first = || {
            let none = oxhorn::Error::new("there is no network to study");
            variants.first().ok_or_else(|| none.help("give one"))
        };
        match what.as_str() {
            "tune_rate" => {
                let found = tune_rate(first()?, &data, &search(&request), plan, lab)?;
                Ok(written(&found))
            }
            "ablate" => Ok(written(&ablate(first()?, &data, plan, lab)?)),
            _ => Ok(written(&compare(title, variants, &data, plan, lab)?)),
        }
    }))?
}

fn search(request: &Request) -> Search {
    let mut search = Search::new();
    if let Some(rates) = &request.rates {
        search = search.rates(rates.iter().copied());
    }
    if let Some(seeds) = request.search_seeds {
        search = search.seeds(seeds);
    }
    if request.each_layer { search.each_layer() } else { search }
}

/// A lab that tells Python how far it is, and stops when Python raises or a key is pressed.
fn watched<'a>(workers: Option<usize>, watch: Py<PyAny>) -> Lab<'a> {
    let lab = Lab::new().watch(move |progress| {
        Python::attach(|py| {
            py.check_signals()?;
            watch.call1(py, (progress.done, progress.total, progress.fraction)).map(drop)
        })
        .map_err(carried)
    });
    match workers {
        Some(workers) => lab.workers(workers.max(1)),
        None => lab,
    }
}

/// The samples of a dictionary of `name`, `x`, `y`, `classes`, `fixed` and `train`, or, without
/// `x`, the digits.
fn dataset(data: &Bound<'_, PyDict>) -> PyResult<Dataset> {
    let item = |key: &str| {
        data.get_item(key)?.ok_or_else(|| PyKeyError::new_err(format!("`{key}` is missing")))
    };
    let train = item("train")?.extract()?;
    let Some(x) = data.get_item("x")? else { return Ok(Dataset::digits(train)) };
    let y = match item("classes")?.extract::<Option<usize>>()? {
        Some(classes) => Target::Classes {
            labels: item("y")?.extract::<PyReadonlyArray1<'_, i64>>()?.as_array().to_vec(),
            names: (0..classes).map(|class| class.to_string()).collect(),
        },
        None => Target::Values(
            item("y")?.extract::<PyReadonlyArrayDyn<'_, f32>>()?.as_array().to_owned(),
        ),
    };
    let split = match item("fixed")?.extract()? {
        true => Split::Fixed { train },
        false => Split::Drawn { train },
    };
    Ok(Dataset {
        name: item("name")?.extract()?,
        x: x.extract::<PyReadonlyArrayDyn<'_, f32>>()?.as_array().to_owned(),
        y,
        split,
        source: Source::Memory,
    })
}

/// What ails a training, by its history.
#[pyfunction]
#[pyo3(signature = (curves, validation_samples, classes))]
pub(crate) fn diagnose_curves(
    curves: BTreeMap<String, Vec<f64>>,
    validation_samples: Option<usize>,
    classes: Option<usize>,
) -> PyResult<String> {
    written(&for_python(diagnose(&curves, &Facts { validation_samples, classes }))?)
}

/// The page of a study.
#[pyfunction]
pub(crate) fn study_report(study: &str) -> PyResult<String> {
    Ok(report::html(&read(study)?))
}

/// What a study says, in words: its title, and paragraphs.
#[pyfunction]
pub(crate) fn study_verdict(study: &str) -> PyResult<(String, Vec<String>)> {
    let study: Study = read(study)?;
    Ok((verdict::title(&study), verdict::paragraphs(&study)))
}

/// The figures of a study: name, SVG, PNG.
#[pyfunction]
pub(crate) fn study_figures<'py>(
    py: Python<'py>,
    study: &str,
) -> PyResult<Vec<(&'static str, String, Bound<'py, PyBytes>)>> {
    let figures = figures::all(&read(study)?, Room::Wide);
    let drawn = figures.into_iter().map(|(name, figure)| {
        Ok((name, figure.svg(), PyBytes::new(py, &for_python(figure.png())?)))
    });
    drawn.collect()
}

/// What of a report is not as it says: place, what is reported, what is found. Its page is compared
/// with its study first, and the study is repeated only if they agree.
#[pyfunction]
pub(crate) fn replay_report(
    py: Python<'_>,
    path: PathBuf,
    data: Option<&Bound<'_, PyDict>>,
    workers: Option<usize>,
    watch: Py<PyAny>,
) -> PyResult<Vec<(String, String, String)>> {
    let report = for_python(Report::open(&path))?;
    if let Some(edited) = report.edited() {
        return Ok(vec![(edited.place, edited.reported, edited.found)]);
    }
    let card = &report.study.data;
    let data = match (data, &card.source) {
        (Some(data), _) => {
            let Dataset { x, y, .. } = dataset(data)?;
            let (name, source) = (card.name.clone(), card.source.clone());
            Dataset { name, x, y, split: card.split, source }
        }
        (None, Source::Digits) => Dataset::digits(card.split.train()),
        (None, _) => {
            return Err(PyValueError::new_err(format!(
                "the report's data, `{}`, are not in it\n  help: hand them over as `data=(x, y)`",
                card.name
            )));
        }
    };
    for_python(report.check_data(&data))?;
    let repeat = move || report.repeat(&data, watched(workers, watch));
    let found = for_python(py.detach(repeat))?;
    Ok(found.into_iter().map(|it| (it.place, it.reported, it.found)).collect())
}

fn read<T: DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json)
        .map_err(|error| PyValueError::new_err(format!("this describes no study: {error}")))
}

fn written<T: Serialize>(value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
