//! What a file may name: classes that there are here, and nothing that would have to be run, opened
//! or fetched.
//!
//! Loading looks names up in lists and does nothing else, so nothing that a file says is ever run.
//! What is refused here by its name would be unknown anyway; the reason is for people.

use crate::config::{Class, Error, Json, Result};

/// Classes of Keras that are code, or that open something, and what they do.
const REFUSED: &[(&str, &str)] = &[
    ("Lambda", "it is Python code"),
    ("__lambda__", "it is Python code"),
    ("TorchModuleWrapper", "it is a pickled PyTorch module, which is Python code"),
    ("JaxLayer", "it calls Python functions"),
    ("FlaxLayer", "it calls Python functions"),
    ("TFSMLayer", "it loads another model from a path"),
    ("StringLookup", "its vocabulary may be the path of another file"),
    ("IntegerLookup", "its vocabulary may be the path of another file"),
    ("TextVectorization", "its vocabulary may be the path of another file"),
];

/// Why no object of this class is made from a file, if it is one of those.
pub fn refusal(class_name: &str) -> Option<&'static str> {
    let found = REFUSED.iter().find(|(name, _)| *name == class_name);
    found.map(|(_, reason)| *reason)
}

/// Where a class is said to be: the parts of the description that name its origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// The module, or the package that it was registered in.
    module: &'a str,
}

impl<'a> Origin<'a> {
    /// What the description of a class says of its origin.
    ///
    /// # Errors
    ///
    /// If the class is one that is never made from a file.
    pub(crate) fn of(json: &'a Json) -> Result<Origin<'a>> {
        let text = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default();
        let class_name = text("class_name");
        if let Some(reason) = refusal(class_name) {
            let message = format!("`{class_name}` is not made from a file: {reason}");
            return Err(Error::new(message).help("nothing in a file is run, opened or fetched"));
        }
        // Keras writes classes of one's own as `package>Name`.
        let package = text("registered_name").split_once('>').map(|(package, _)| package);
        Ok(Origin { module: package.unwrap_or(text("module")) })
    }

    /// Whether it is Keras or Oxhorn, or nothing is said.
    pub(crate) fn is_known(self) -> bool {
        let package = self.module.split('.').next().unwrap_or_default();
        matches!(package, "" | "keras" | "oxhorn" | "builtins")
    }

    /// Whether the class may be meant, given that it has the name.
    pub(crate) fn may_be<T: ?Sized>(self, class: &Class<T>) -> bool {
        let module = class.class.rsplit_once('.').map_or("", |(module, _)| module);
        self.is_known() || module == self.module
    }

    /// The error that there is no such class.
    pub(crate) fn unknown(self, noun: &str, class_name: &str) -> Error {
        match self.is_known() {
            true => Error::new(format!("unknown {noun}: `{class_name}`")),
            false => Error::new(format!("unknown {noun}: `{class_name}` of `{}`", self.module))
                .help("no module is imported for a file; classes of one's own are registered"),
        }
    }
}

/// The name in a description of a function, `{"class_name": "function", "config": "relu"}`.
///
/// # Errors
///
/// If the function is not one of Keras'.
pub(crate) fn function(json: &Json) -> Result<Option<&str>> {
    let (class_name, name) = (json["class_name"].as_str(), json["config"].as_str());
    let (Some("function"), Some(name)) = (class_name, name) else { return Ok(None) };
    let origin = Origin { module: json["module"].as_str().unwrap_or_default() };
    if !origin.is_known() {
        let message = format!("the function `{name}` of `{}` is not called", origin.module);
        return Err(Error::new(message).help("nothing in a file is run, opened or fetched"));
    }
    Ok(Some(name))
}

/// JSON for an error: the beginning of it, if it is long.
pub(crate) fn excerpt(json: &Json) -> String {
    const CHARACTERS: usize = 200;
    let text = json.to_string();
    match text.char_indices().nth(CHARACTERS) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        activations::Activation, config::Field, initializers::Initializer, layer::AnyLayer,
    };

    fn refused(json: Json) -> String {
        AnyLayer::open(&json).expect_err("a hostile layer").to_string()
    }

    #[test]
    fn layers_that_are_code_or_open_something_are_refused_by_name() {
        let code = json!({"class_name": "__lambda__", "config": {"value": "4wEAAAA="}});
        for (class, config, reason) in [
            ("Lambda", json!({"function": code}), "it is Python code"),
            (
                "TorchModuleWrapper",
                json!({"module": "gASVIA=="}),
                "it is a pickled PyTorch module, which is Python code",
            ),
            ("TFSMLayer", json!({"filepath": "/x"}), "it loads another model from a path"),
            (
                "StringLookup",
                json!({"vocabulary": "/etc/passwd"}),
                "its vocabulary may be the path of another file",
            ),
        ] {
            let json = json!({"module": "keras.layers", "class_name": class, "config": config});
            let expected = format!(
                "`{class}` is not made from a file: {reason}\n  help: nothing in a file is run, \
                 opened or fetched"
            );
            assert_eq!(refused(json), expected);
        }
    }

    #[test]
    fn modules_are_never_imported() {
        let system = json!({"module": "os", "class_name": "Dense", "config": {"units": 1}});
        let expected = "unknown layer: `Dense` of `os`\n  help: no module is imported for a file; \
                        classes of one's own are registered";
        assert_eq!(refused(system.clone()), expected);
        assert!(Initializer::open(&system).is_err());
        let registered = json!({
            "module": null, "class_name": "Dense", "config": {"units": 1},
            "registered_name": "mine>Dense",
        });
        assert!(refused(registered).starts_with("unknown layer: `Dense` of `mine`"));
        let keras = json!({
            "module": "keras.src.layers.core.dense", "class_name": "Dense",
            "config": {"units": 1}, "registered_name": "Dense",
        });
        assert!(AnyLayer::open(&keras).is_ok());
    }

    #[test]
    fn functions_are_looked_up_and_never_called() {
        let function = |module: &str, name: &str| {
            let json = json!({"module": module, "class_name": "function", "config": name});
            Activation::read(&json).map(drop).map_err(|error| error.message)
        };
        assert_eq!(function("builtins", "relu"), Ok(()));
        assert_eq!(function("keras.activations", "relu"), Ok(()));
        assert_eq!(
            function("os", "system"),
            Err("the function `system` of `os` is not called".to_owned())
        );
        for (module, name) in [
            ("keras.config", "enable_unsafe_deserialization"),
            ("keras.utils", "get_file"),
            ("keras.models", "load_model"),
            ("builtins", "eval"),
        ] {
            let expected = format!("Could not interpret activation function identifier: {name}");
            assert_eq!(function(module, name), Err(expected));
        }
    }

    #[test]
    fn errors_show_no_more_of_a_file_than_is_of_use() {
        let json = Json::from(vec!["é"; 100_000]);
        let error = AnyLayer::open(&json).expect_err("no layer").message;
        assert!(error.len() < 500, "{} bytes", error.len());
    }
}
