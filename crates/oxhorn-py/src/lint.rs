//! The linter, as Python calls it.

use oxhorn::lint::{Inputs, Rule, Site, check};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::errors::for_python;

/// A layer: path, class, settings as JSON, whether it is trained, the positions of the layers that
/// it takes from or `None` if only the code that calls it knows, and whether it gives an output.
type Row = (String, String, String, bool, Option<Vec<usize>>, bool);

/// What is said: rule, layer, reason, help, and all of it as text.
type Said = (&'static str, String, String, String, String);

fn site((path, class, settings, trainable, inputs, is_output): Row) -> PyResult<Site> {
    let settings = serde_json::from_str(&settings)
        .map_err(|error| PyTypeError::new_err(format!("the settings of {path}: {error}")))?;
    let inputs = inputs.map_or(Inputs::Unknown, Inputs::From);
    Ok(Site { path, class, settings, trainable, inputs, is_output })
}

/// What the linter says of a model.
#[pyfunction]
pub(crate) fn lint(layers: Vec<Row>, samples: Option<usize>) -> PyResult<Vec<Said>> {
    let sites = layers.into_iter().map(site).collect::<PyResult<Vec<_>>>()?;
    let said = check(&sites, samples).into_iter().map(|it| {
        let text = it.to_string();
        (it.rule.name(), it.layer, it.reason, it.help, text)
    });
    Ok(said.collect())
}

/// These names, once it is known that they are names of rules; all names, if none are given.
#[pyfunction]
pub(crate) fn lint_rules(names: Option<Vec<String>>) -> PyResult<Vec<&'static str>> {
    let Some(names) = names else { return Ok(Rule::ALL.map(Rule::name).to_vec()) };
    names.iter().map(|name| for_python(Rule::named(name)).map(Rule::name)).collect()
}
