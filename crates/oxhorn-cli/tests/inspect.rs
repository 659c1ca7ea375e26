//! `oxhorn inspect` as people run it: what it prints, and how it fails.

mod support;

use std::{fs, process::Output};

use serde_json::{Value, json};
use support::{complaint, folder, oxhorn, printed};

/// The tutorial's network as Keras writes it, compiled with this loss.
fn tutorial(loss: Value) -> Value {
    let layer = |class: &str, config: Value| {
        json!({
            "module": "keras.layers", "class_name": class, "config": config,
            "registered_name": null,
        })
    };
    json!({
        "module": "keras", "class_name": "Sequential", "registered_name": null,
        "config": {"name": "tutorial", "trainable": true, "layers": [
            layer("InputLayer", json!({"batch_shape": [null, 25], "name": "input"})),
            layer("Dense", json!({"name": "hidden", "units": 7, "activation": "relu"})),
            layer("Dropout", json!({"name": "noise", "rate": 0.4, "seed": 1})),
            layer("Dense", json!({"name": "classes", "units": 5, "activation": "softmax"})),
        ]},
        "compile_config": {
            "optimizer": "adam", "loss": loss, "loss_weights": null, "metrics": ["accuracy"],
            "weighted_metrics": null, "run_eagerly": false, "steps_per_execution": 1,
            "jit_compile": true,
        },
    })
}

fn inspect(json: &Value, arguments: &[&str]) -> Output {
    let folder = folder();
    fs::write(folder.path().join("model.json"), json.to_string()).expect("the file is written");
    oxhorn(&folder, &[&["inspect", "model.json"], arguments].concat())
}

#[test]
fn inspect_prints_what_a_compiled_model_trains_as() {
    let text = printed(&inspect(&tutorial(json!("categorical_crossentropy")), &["--batch", "3"]));
    for part in [
        "Model: \"tutorial\"",
        "noise (Dropout)",
        "Graph of a training step on a batch of 3",
        "graph train {",
        "input \"x\"",
        ": f32[3, 25]",
        "\"y\"",
        ": f32[3, 5]",
        "random_bits",
        "program train (",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}

#[test]
fn inspect_prints_what_a_model_predicts_with_if_it_is_not_compiled() {
    let mut json = tutorial(json!(null));
    json["compile_config"].take();
    let text = printed(&inspect(&json, &[]));
    assert!(text.contains("Graph of a prediction on a batch of 32"), "{text}");
    assert!(text.contains("program predict (") && !text.contains("random_bits"), "{text}");
}

#[test]
fn inspect_gives_every_loss_the_targets_it_takes() {
    let sparse = json!({
        "module": "keras.losses", "class_name": "SparseCategoricalCrossentropy",
        "config": {}, "registered_name": null,
    });
    let of = |arguments: &[&str]| printed(&inspect(&tutorial(sparse.clone()), arguments));
    let y = |text: &str| text.lines().find(|line| line.contains("input \"y\"")).map(str::to_owned);
    assert!(y(&of(&[])).is_some_and(|line| line.ends_with(": f32[32]")));
    assert!(y(&of(&["--target", "1"])).is_some_and(|line| line.ends_with(": f32[32, 1]")));
    let output = inspect(&tutorial(json!("mean_squared_error")), &["--target", "2,3"]);
    assert!(complaint(&output).contains("[32, 2, 3]"), "{output:?}");
}

#[test]
fn inspect_says_what_it_cannot_read() {
    let folder = folder();
    let missing = complaint(&oxhorn(&folder, &["inspect", "missing.json"]));
    assert!(missing.starts_with("error: cannot read missing.json: "), "{missing}");
    assert!(missing.contains("  help: give what `model.to_json()` returns"), "{missing}");
    for (content, message) in [
        (&b"{\"class_name\": "[..], "model.json is not JSON: EOF"),
        (b"\xff\xfe", "cannot read model.json: "),
        (b"[]", "expected a Sequential model, got null"),
        (b"{\"class_name\": \"Functional\"}", "expected a Sequential model, got \"Functional\""),
        (b"{\"class_name\": \"Sequential\"}", "the model's config has no list of `layers`"),
    ] {
        fs::write(folder.path().join("model.json"), content).expect("the file is written");
        let complaint = complaint(&oxhorn(&folder, &["inspect", "model.json"]));
        assert!(complaint.starts_with(&format!("error: {message}")), "{complaint}");
    }
}

#[test]
fn inspect_refuses_by_name_what_is_not_known() {
    let mut json = tutorial(json!("categorical_crossentropy"));
    json["config"]["layers"][1]["class_name"] = "Capsule".into();
    let unknown = complaint(&inspect(&json, &[]));
    assert!(unknown.contains("Capsule") && unknown.contains("in: model.json"), "{unknown}");
    for (key, value) in [
        ("optimizer", json!("gradient_ascent")),
        ("loss", json!("regret")),
        ("metrics", json!(["applause"])),
        ("metrics", json!({"classes": "accuracy"})),
        ("metrics", json!([["accuracy"]])),
        ("loss_weights", json!([1.0])),
    ] {
        let mut json = tutorial(json!("categorical_crossentropy"));
        json["compile_config"][key] = value.clone();
        let complaint = complaint(&inspect(&json, &[]));
        let name = value.as_str().or(value[0].as_str()).unwrap_or(key);
        assert!(complaint.contains(name), "{complaint}");
    }
    let batch = inspect(&tutorial(json!("mse")), &["--batch", "0"]);
    assert_eq!(complaint(&batch), "error: `--batch` must be at least 1, got 0\n");
}

#[test]
fn inspect_says_that_a_model_without_a_known_input_cannot_be_built() {
    let mut json = tutorial(json!("categorical_crossentropy"));
    json["config"]["layers"].as_array_mut().expect("a list").remove(0);
    let complaint = complaint(&inspect(&json, &[]));
    assert!(complaint.contains("the shape of its input is not known"), "{complaint}");
}
