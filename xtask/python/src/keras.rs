//! What Keras has, as `golden/python/signatures.json` records it.

use std::path::Path;

use serde_json::{Map, Value};

use crate::signature::{Parameter, parameters};

/// The recorded names, without `keras.`, and what is known of each.
pub(crate) struct Recorded {
    names: Map<String, Value>,
}

impl Recorded {
    /// Reads the record of the repository at `root`.
    pub(crate) fn read(root: &Path) -> Result<Recorded, String> {
        let path = root.join("golden/python/signatures.json");
        let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| at(&error))?;
        let json: Value = serde_json::from_str(&text).map_err(|error| at(&error))?;
        match &json["names"] {
            Value::Object(names) => Ok(Recorded { names: names.clone() }),
            _ => Err(at(&"there are no `names`")),
        }
    }

    /// The parameters of a function, or of a class' constructor.
    pub(crate) fn parameters(&self, name: &str) -> Result<Vec<Parameter>, String> {
        let entry = self.names.get(name);
        let text = entry.and_then(|it| it.as_str().or(it["__init__"].as_str()));
        text.map(parameters)
            .ok_or_else(|| format!("Keras has no `{name}`: record it, or rename it"))
    }

    /// Whether Keras has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The names of a module, without those of modules within it.
    pub(crate) fn names(&self, module: &str) -> Vec<&str> {
        let inside =
            self.names.keys().filter_map(|name| name.strip_prefix(module)?.strip_prefix('.'));
        inside.filter(|name| !name.contains('.')).collect()
    }
}
