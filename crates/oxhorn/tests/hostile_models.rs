//! Files that somebody made to do harm are refused by the name of what they ask for.
//!
//! The numbers are those of the list in `oxhorn-io/tests`, which has the files that are wrong as
//! files; here are those whose config is.

use std::time::{Duration, Instant};

use oxhorn::prelude::*;
use oxhorn_io::{
    Group, h5,
    keras::{self, Archive},
};
use serde_json::{Value as Json, json};
use tempfile::tempdir;

/// A model whose second layer is this.
fn model_with(layer: Json) -> Json {
    json!({
        "module": "keras", "class_name": "Sequential", "registered_name": null,
        "config": {
            "name": "sequential", "build_input_shape": [null, 3],
            "layers": [
                {
                    "module": "keras.layers", "class_name": "InputLayer",
                    "config": {"batch_shape": [null, 3], "dtype": "float32", "name": "in"},
                },
                layer,
            ],
        },
    })
}

/// Why the model is refused, in Keras' format and in the older one.
fn refused(config: Json) -> String {
    let folder = tempdir().unwrap();
    let archive = Archive {
        metadata: json!({"keras_version": "3.15.1"}),
        config: config.clone(),
        weights: Group::default(),
        state: None,
    };
    let path = folder.path().join("hostile.keras");
    std::fs::write(&path, keras::write(&archive).unwrap()).unwrap();
    let error = Sequential::load(&path).map(drop).expect_err("a hostile file");
    assert_eq!(error.origin.as_deref().and_then(|it| it.split(", ").next()), path.to_str());

    let mut root = Group::default();
    root.attributes.insert("model_config".to_owned(), config.to_string().as_str().into());
    root.group_mut("model_weights").unwrap();
    let legacy = folder.path().join("hostile.h5");
    std::fs::write(&legacy, h5::write(&root).unwrap()).unwrap();
    let message = Sequential::load(&legacy).map(drop).expect_err("a hostile file").message;
    // Of weights that are missing, the formats speak in other words.
    if !message.starts_with("Layer count mismatch") {
        assert_eq!(message, error.message, "the older format refuses the same");
    }
    error.message
}

fn dense(settings: Json) -> Json {
    let mut config = json!({"name": "dense", "units": 2});
    for (key, value) in settings.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    model_with(json!({"module": "keras.layers", "class_name": "Dense", "config": config}))
}

#[test]
fn h1_and_h5_code_in_a_lambda_layer() {
    let code = json!({"class_name": "__lambda__", "config": {"value": "4wAAAAAA"}});
    let config = json!({"name": "lambda", "function": code});
    let layer = json!({"module": "keras.layers", "class_name": "Lambda", "config": config});
    let expected = "`Lambda` is not made from a file: it is Python code";
    assert_eq!(refused(model_with(layer)), expected);
    let activation = dense(json!({"activation": code}));
    assert_eq!(
        refused(activation),
        "`activation` of `Dense`: `__lambda__` is not made from a file: it is Python code"
    );
}

#[test]
fn h2_and_h15_modules_and_functions_of_python() {
    for (module, name) in [("os", "system"), ("subprocess", "Popen"), ("posix", "execv")] {
        let layer = json!({"module": module, "class_name": name, "config": {"name": "x"}});
        let expected = format!("unknown layer: `{name}` of `{module}`");
        assert_eq!(refused(model_with(layer)), expected);
        let function = json!({"module": module, "class_name": "function", "config": name});
        let expected =
            format!("`activation` of `Dense`: the function `{name}` of `{module}` is not called");
        assert_eq!(refused(dense(json!({"activation": function}))), expected);
    }
}

#[test]
fn h3_and_h4_functions_of_keras_that_do_things() {
    for (module, name) in [
        ("keras.utils", "get_file"),
        ("keras.models", "load_model"),
        ("keras.config", "enable_unsafe_deserialization"),
    ] {
        let function = json!({"module": module, "class_name": "function", "config": name});
        let expected = format!(
            "`activation` of `Dense`: Could not interpret activation function identifier: {name}"
        );
        assert_eq!(refused(dense(json!({"activation": function}))), expected);
        let layer = json!({"module": module, "class_name": name, "config": {}});
        assert_eq!(refused(model_with(layer)), format!("unknown layer: `{name}`"));
    }
}

#[test]
fn h6_h7_and_h13_layers_that_open_something() {
    for (class, reason) in [
        ("TorchModuleWrapper", "it is a pickled PyTorch module, which is Python code"),
        ("StringLookup", "its vocabulary may be the path of another file"),
        ("IntegerLookup", "its vocabulary may be the path of another file"),
        ("TFSMLayer", "it loads another model from a path"),
    ] {
        let config = json!({"name": "x", "module": "gASV", "filepath": "/x", "vocabulary": "/x"});
        let layer = json!({"module": "keras.layers", "class_name": class, "config": config});
        let expected = format!("`{class}` is not made from a file: {reason}");
        assert_eq!(refused(model_with(layer)), expected);
    }
}

#[test]
fn h10_and_h20_sizes_that_the_file_has_no_numbers_for() {
    let before = Instant::now();
    for units in [1_u64 << 20, 1 << 31, 1 << 40] {
        let expected = "Layer 'dense' expected 2 variables, but received 0 variables during \
                        loading. Expected: [\"kernel\", \"bias\"]";
        assert_eq!(refused(dense(json!({"units": units}))), expected);
    }
    let message = refused(dense(json!({"units": i64::MAX})));
    assert_eq!(message, "no memory can hold f32[3, 9223372036854775807]");
    assert!(before.elapsed() < Duration::from_secs(5), "no such weights were made");
    for units in [json!(-1), json!(1e300), json!("64"), json!(null), json!([64])] {
        let message = refused(dense(json!({"units": units})));
        assert!(message.starts_with("`units` of `Dense`: expected"), "{message}");
    }
}

#[test]
fn models_that_are_none_are_refused() {
    let functional = json!({"class_name": "Functional", "config": {"layers": []}});
    assert_eq!(refused(functional), "expected a Sequential model, got \"Functional\"");
    let message = refused(json!({"class_name": "Sequential", "config": {"layers": 7}}));
    assert_eq!(message, "the model's config has no list of `layers`");
    let message = refused(json!({"class_name": "Sequential", "config": {"layers": [7]}}));
    assert_eq!(message, "expected an object with a `class_name`, got 7");
    assert_eq!(refused(json!([1, 2])), "expected a Sequential model, got null");
}
