//! What Keras has, as `golden/python/signatures.json` records it, and what Oxhorn adds to that.

use std::path::Path;

use serde_json::{Map, Value};

use crate::signature::{Kind, Parameter, parameters};

/// The recorded names, without `keras.`, and what is known of each.
pub(crate) struct Recorded {
    names: Map<String, Value>,
    /// The parameters that Oxhorn adds, by the same names.
    additions: Map<String, Value>,
}

impl Recorded {
    /// Reads the record of the repository at `root`, and the table of what is added to it.
    pub(crate) fn read(root: &Path) -> Result<Recorded, String> {
        let names = entries(&root.join("golden/python/signatures.json"), "names")?;
        let additions = entries(&root.join("xtask/python/additions.json"), "parameters")?;
        Ok(Recorded { names, additions })
    }

    /// The parameters of a function, or of a class' constructor: Keras', and what is added.
    pub(crate) fn parameters(&self, name: &str) -> Result<Vec<Parameter>, String> {
        let entry = self.names.get(name);
        let text = entry.and_then(|it| it.as_str().or(it["__init__"].as_str()));
        let mut found = text
            .map(parameters)
            .ok_or_else(|| format!("Keras has no `{name}`: record it, or rename it"))?;
        if let Some(added) = self.additions.get(name).and_then(Value::as_str) {
            let end = found.iter().position(|it| it.kind == Kind::Rest).unwrap_or(found.len());
            found.splice(end..end, parameters(added));
        }
        Ok(found)
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

/// The dictionary under a key of a JSON file.
fn entries(path: &Path, key: &str) -> Result<Map<String, Value>, String> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| at(&error))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| at(&error))?;
    match &json[key] {
        Value::Object(entries) => Ok(entries.clone()),
        _ => Err(at(&format!("there are no `{key}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_stands_behind_what_keras_has_and_before_the_rest() {
        let names = serde_json::json!({"f": "(a, b=1)", "g": "(a, **kwargs)"});
        let additions = serde_json::json!({"f": "*, c=2", "g": "c=2"});
        let map = |json: Value| json.as_object().expect("a dictionary").clone();
        let recorded = Recorded { names: map(names), additions: map(additions) };
        let names = |name| -> Vec<(String, Kind)> {
            let parameters = recorded.parameters(name).expect("Keras has it");
            parameters.into_iter().map(|it| (it.name, it.kind)).collect()
        };
        let named = |name: &str, kind| (name.to_owned(), kind);
        let plain = |name| named(name, Kind::Plain);
        assert_eq!(names("f"), [plain("a"), plain("b"), named("c", Kind::Named)]);
        assert_eq!(names("g"), [plain("a"), plain("c"), named("kwargs", Kind::Rest)]);
    }
}
