//! The command as people run it: what it prints, what it leaves behind, how it fails.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

fn oxhorn(folder: &TempDir, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxhorn"));
    command.current_dir(folder).args(arguments).output().expect("the command starts")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("there is room for temporary files")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("what is printed is UTF-8")
}

/// What is printed by a command that succeeds.
fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    text(&output.stdout)
}

/// What a command that fails says about it.
fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let stderr = text(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    stderr
}

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

/// Width and height in the header of a PNG file.
fn png_size(path: &Path) -> [u32; 2] {
    let bytes = fs::read(path).expect("the picture is there");
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    [16, 20].map(|at| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")))
}

#[test]
fn demo_prints_plain_lines_and_leaves_both_pictures() {
    let folder = folder();
    let text = printed(&oxhorn(&folder, &["demo", "--epochs", "2", "--train", "64"]));
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    for line in ["Epoch 1/2", "Epoch 2/2"] {
        assert_eq!(text.matches(line).count(), 2, "{text}");
    }
    for part in ["64 to learn from, 1733 to\nvalidate on", "dropout_1 (Dropout)", "CC BY 4.0"] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let last = "Learning curves: oxhorn-demo/curves.png and oxhorn-demo/curves.svg\n";
    assert!(text.ends_with(last), "{text}");
    let pictures = folder.path().join("oxhorn-demo");
    assert_eq!(png_size(&pictures.join("curves.png")), [1920, 1080]);
    let svg = fs::read_to_string(pictures.join("curves.svg")).expect("the picture is there");
    assert!(svg.contains("validation without dropout"), "{svg}");
}

#[test]
fn demo_gives_the_same_numbers_for_the_same_seed_and_any_number_of_threads() {
    let numbers = |arguments: &[&str]| {
        let folder = folder();
        let demo = ["--epochs", "3", "--train", "70", "--out", "there"];
        let text = printed(&oxhorn(&folder, &[&demo, arguments].concat()));
        // Times differ, and only times.
        let kept = text.lines().filter(|line| !line.contains("/step") && !line.contains("time"));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let first = numbers(&["--seed", "5"]);
    assert_eq!(numbers(&["--seed", "5", "--threads", "2"]), first);
    assert_ne!(numbers(&["--seed", "6"]), first);
}

#[test]
fn demo_without_dropout_trains_the_same_network_twice() {
    let folder = folder();
    let text =
        printed(&oxhorn(&folder, &["demo", "--epochs", "2", "--train", "64", "--rate", "0"]));
    assert!(text.contains("Dropout changed nothing here"), "{text}");
}

#[test]
fn demo_refuses_settings_out_of_range() {
    for (arguments, message) in [
        (["--train", "1797"], "`--train` must be from 1 to 1796, got 1797"),
        (["--train", "0"], "`--train` must be from 1 to 1796, got 0"),
        (["--epochs", "0"], "`--epochs` must be from 1 to 100000, got 0"),
        (["--threads", "0"], "`--threads` must be from 1 to 256, got 0"),
        (["--threads", "257"], "`--threads` must be from 1 to 256, got 257"),
        (["--rate", "1.5"], "Invalid value received for argument `rate`."),
        (["--rate", "-1"], "Invalid value received for argument `rate`."),
        (["--rate", "nan"], "Invalid value received for argument `rate`."),
        (["--out", "/dev/null/here"], "cannot create the folder /dev/null/here: "),
    ] {
        let folder = folder();
        let complaint = complaint(&oxhorn(&folder, &[&["demo"], &arguments[..]].concat()));
        assert!(complaint.starts_with(&format!("error: {message}")), "{complaint}");
        let left = fs::read_dir(&folder).expect("the folder is there").count();
        assert_eq!(left, 0, "{arguments:?} left something behind");
    }
}

#[cfg(unix)]
#[test]
fn ends_quietly_when_its_reader_has_gone() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oxhorn"));
    command.current_dir(&folder).args(["demo", "--epochs", "2"]);
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the command ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
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
