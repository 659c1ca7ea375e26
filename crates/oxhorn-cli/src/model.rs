//! Models that commands are given: files of Keras, or Keras' JSON.

use std::path::Path;

use oxhorn::{Error, Result, Sequential};
use serde_json::Value;

/// What is to be given where JSON is expected.
const JSON_HELP: &str = "give what `model.to_json()` returns in Keras, or `config.json` of a \
                         `.keras` file";

/// Whether a file is Keras' JSON, by its name.
pub(crate) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

/// The model in a file of Keras.
///
/// # Errors
///
/// If there is none that can be loaded.
pub(crate) fn open(path: &Path) -> Result<Sequential> {
    if is_json(path) {
        let message = format!("{} describes a model, and has no weights", path.display());
        return Err(Error::new(message).help("`oxhorn train` gives it some"));
    }
    Sequential::load(path)
}

/// The JSON in a file.
///
/// # Errors
///
/// If there is none.
pub(crate) fn json(file: &Path) -> Result<Value> {
    let path = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Error::new(format!("cannot read {path}: {error}")).help(JSON_HELP))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::new(format!("{path} is not JSON: {error}")).help(JSON_HELP))
}
