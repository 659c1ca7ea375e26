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

/// What a demo of few runs prints.
fn demo(folder: &TempDir, arguments: &[&str]) -> String {
    let small = ["demo", "--epochs", "2", "--train", "64", "--seeds", "3"];
    printed(&oxhorn(folder, &[&small, arguments].concat()))
}

#[test]
fn demo_prints_plain_lines_and_leaves_a_report_and_figures() {
    let folder = folder();
    let text = demo(&folder, &[]);
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{text:?}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for run in 1..=6 {
        assert_eq!(text.matches(&format!("run {run} of 6: ")).count(), 1, "{text}");
    }
    for part in [
        "64 are drawn to\nlearn from, and 1,733 validate",
        "dropout_1 (Dropout)",
        "CC BY 4.0",
        "│ val_loss ",
        "\ndropout 0.5",
        "Report:  oxhorn-demo/report.html\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let left = folder.path().join("oxhorn-demo");
    let curves = png_size(&left.join("curves.png"));
    assert_eq!(curves, [1760, 1000]);
    for name in ["curves", "differences", "reliability"] {
        let svg = fs::read_to_string(left.join(name).with_extension("svg")).expect("it is there");
        assert!(svg.starts_with("<svg ") && svg.contains("dropout 0.5"), "{svg}");
        assert!(text.contains(&format!("oxhorn-demo/{name}.png")), "{text}");
    }
    let report = fs::read_to_string(left.join("report.html")).expect("it is there");
    assert!(report.starts_with("<!doctype html>"), "{report}");
}

#[test]
fn demo_gives_the_same_numbers_for_the_same_seed_and_any_number_of_jobs() {
    let numbers = |arguments: &[&str]| {
        let text = demo(&folder(), arguments);
        // Times differ, the order in which runs end, and how many run at once.
        let kept = text.lines().filter(|line| !line.starts_with("run "));
        let kept = kept.filter(|line| !line.contains("at a time"));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let first = numbers(&["--seed", "5", "--jobs", "1"]);
    assert_eq!(numbers(&["--seed", "5", "--threads", "2"]), first);
    assert_ne!(numbers(&["--seed", "6"]), first);
}

#[test]
fn demo_without_dropout_finds_no_difference() {
    let text = demo(&folder(), &["--rate", "0"]);
    assert!(text.contains("dropout 0: no difference was found."), "{text}");
    assert!(text.contains("0 (0 to 0)"), "{text}");
}

#[test]
fn demo_says_that_two_seeds_are_too_few() {
    let small = ["demo", "--epochs", "1", "--train", "64", "--seeds", "2"];
    let text = printed(&oxhorn(&folder(), &small));
    assert!(text.contains("dropout 0.5: nothing can be said."), "{text}");
}

/// A report in this folder, and its text.
fn report(folder: &TempDir) -> (std::path::PathBuf, String) {
    demo(folder, &["--out", "."]);
    let path = folder.path().join("report.html");
    let page = fs::read_to_string(&path).expect("the report is there");
    (path, page)
}

#[test]
fn replay_gives_the_same_numbers_to_the_bit() {
    let folder = folder();
    report(&folder);
    let text = printed(&oxhorn(&folder, &["replay", "report.html", "--jobs", "1"]));
    for part in ["The page is the one that its study gives.\n", "run 6 of 6: "] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.ends_with("The same numbers, to the bit.\n"), "{text}");
}

#[test]
fn replay_shows_what_was_edited() {
    let folder = folder();
    let (path, page) = report(&folder);
    let replayed = |page: &str| {
        fs::write(&path, page).expect("the report is written");
        let output = oxhorn(&folder, &["replay", "report.html"]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert_eq!(text(&output.stderr), "");
        text(&output.stdout)
    };
    // The page alone: a heading.
    let shown = replayed(&page.replacen("<h1>", "<h1>As always: ", 1));
    assert!(shown.contains("The page is NOT the one that its study gives."), "{shown}");
    assert!(shown.contains("reported: <h1>As always: "), "{shown}");
    assert!(shown.ends_with("The same numbers, to the bit.\n"), "{shown}");
    // One number of the study: the first epoch's training loss, which the page shows nowhere.
    let at = page.find("\"loss\":[").expect("the study has curves") + 8;
    let comma = at + page[at..].find(',').expect("there is a second epoch");
    let shown = replayed(&format!("{}2.25{}", &page[..at], &page[comma..]));
    assert!(shown.contains("The page is the one that its study gives."), "{shown}");
    assert!(shown.contains("1 number is NOT the same:\n"), "{shown}");
    assert!(shown.contains("no dropout, seed 0: loss in epoch 1\n  reported: "), "{shown}");
}

#[test]
fn replay_refuses_what_it_cannot_repeat() {
    let folder = folder();
    let refused = |page: &[u8]| {
        fs::write(folder.path().join("page.html"), page).expect("the page is written");
        complaint(&oxhorn(&folder, &["replay", "page.html"]))
    };
    let none = refused(b"<p>Hello</p>");
    assert!(none.starts_with("error: there is no study in this page"), "{none}");
    assert!(refused(b"\xff").starts_with("error: cannot read page.html: "));
    let (_, page) = report(&folder);
    let at = page.find("\"digest\":\"").expect("the study has a digest") + 10;
    let other = format!("{}{}{}", &page[..at], "0".repeat(64), &page[at + 64..]);
    let other = refused(other.as_bytes());
    assert!(other.starts_with("error: these are not the data of the report: "), "{other}");
    let missing = complaint(&oxhorn(&folder, &["replay", "missing.html"]));
    assert!(missing.starts_with("error: cannot read missing.html: "), "{missing}");
}

#[test]
fn demo_refuses_settings_out_of_range() {
    for (arguments, message) in [
        (["--train", "1797"], "`--train` must be from 1 to 1796, got 1797"),
        (["--train", "0"], "`--train` must be from 1 to 1796, got 0"),
        (["--epochs", "0"], "`--epochs` must be from 1 to 100000, got 0"),
        (["--jobs", "0"], "`--jobs` must be from 1 to 256, got 0"),
        (["--threads", "257"], "`--jobs` must be from 1 to 256, got 257"),
        (["--seeds", "0"], "`--seeds` must be from 1 to 10000, got 0"),
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
