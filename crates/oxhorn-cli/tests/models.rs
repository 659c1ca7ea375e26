//! Models as people use them with the command: trained, measured, asked, looked at, converted.

mod support;

use std::{
    fs,
    process::{Command, Stdio},
    sync::Arc,
    thread::sleep,
    time::Duration,
};

use oxhorn_io::{Tensor, npz};
use parquet::{
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::{Value, json};
use support::{complaint, folder, oxhorn, printed, text};
use tempfile::TempDir;

/// Rows of the data: a prime number.
const ROWS: usize = 61;
const PLACES: [&str; 3] = ["field", "forest", "shore"];
const KINDS: [&str; 3] = ["aster", "iris", "rose"];

/// A row of the data: two numbers and a place, which together decide the kind.
fn flower(row: usize) -> (i64, f64, &'static str, &'static str) {
    let (height, width) = ((row * 7 % 13) as i64, (row * 5 % 11) as f64 / 4.0);
    let kind = KINDS[(height as usize / 5 + row % 3) % 3];
    (height, width, PLACES[row % 3], kind)
}

/// The file `flowers.csv`.
fn flowers(folder: &TempDir) {
    let mut text = "height,width,place,kind\n".to_owned();
    for (height, width, place, kind) in (0..ROWS).map(flower) {
        text.push_str(&format!("{height},{width},{place},{kind}\n"));
    }
    write(folder, "flowers.csv", text);
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.path().join(name), bytes).expect("the file is written");
}

fn read(folder: &TempDir, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).expect("the file is there")
}

/// The file `model.json`: a network with dropout as Keras describes it, compiled with this loss.
fn describe(folder: &TempDir, (inputs, outputs): (usize, usize), (end, loss): (&str, &str)) {
    let layer = |class: &str, config: Value| {
        json!({
            "module": "keras.layers", "class_name": class, "config": config,
            "registered_name": null,
        })
    };
    let metrics = if end == "softmax" { json!(["accuracy"]) } else { Value::Null };
    let model = json!({
        "module": "keras", "class_name": "Sequential", "registered_name": null,
        "config": {"name": "flowers", "trainable": true, "layers": [
            layer("InputLayer", json!({"batch_shape": [null, inputs], "name": "input"})),
            layer("Dense", json!({"name": "hidden", "units": 17, "activation": "relu"})),
            layer("Dropout", json!({"name": "noise", "rate": 0.25})),
            layer("Dense", json!({"name": "last", "units": outputs, "activation": end})),
        ]},
        "compile_config": {
            "optimizer": "adam", "loss": loss, "loss_weights": null, "metrics": metrics,
            "weighted_metrics": null, "run_eagerly": false, "steps_per_execution": 1,
            "jit_compile": true,
        },
    });
    write(folder, "model.json", model.to_string());
}

const SOFTMAX: (&str, &str) = ("softmax", "sparse_categorical_crossentropy");
const TRAIN: [&str; 8] =
    ["train", "model.json", "--data", "flowers.csv", "--target", "kind", "--one-hot", "place"];

/// A folder with a model in `model.keras`, trained for some epochs, and what was printed.
fn trained() -> (TempDir, String) {
    let folder = folder();
    flowers(&folder);
    describe(&folder, (5, 3), SOFTMAX);
    let more = ["--standardize", "--epochs", "60", "--validation-split", "0.2"];
    let arguments = [&TRAIN[..], &more, &["--out", "model.keras"]].concat();
    let text = printed(&oxhorn(&folder, &arguments));
    (folder, text)
}

/// The cells of a CSV file, whose first row has the names.
fn cells(folder: &TempDir, name: &str) -> Vec<Vec<String>> {
    let text = text(&read(folder, name));
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

/// Predicts, and gives the cells that were written.
fn predicted(folder: &TempDir, model: &str, data: &str, more: &[&str]) -> Vec<Vec<String>> {
    let arguments = ["predict", model, "--data", data, "--out", "out.csv"];
    let said = printed(&oxhorn(folder, &[&arguments, more].concat()));
    assert_eq!(said, format!("{ROWS} predictions: out.csv\n"));
    cells(folder, "out.csv")
}

fn number(cell: &str) -> f64 {
    cell.parse().expect("a number")
}

#[test]
fn a_model_is_trained_measured_and_asked() {
    let (folder, said) = trained();
    let joined = said.replace('\n', " ");
    for part in [
        "Columns: height (to one scale), width (to one scale), place (field, forest, shore).",
        "Target: kind, one of aster, iris, rose.",
        "flowers.csv: 61 samples ",
        "Epoch 60/60",
        "val_accuracy",
        " Model: model.keras ",
    ] {
        assert!(joined.contains(part), "{part:?} is not in\n{said}");
    }
    let rows = predicted(&folder, "model.keras", "flowers.csv", &[]);
    assert_eq!(rows[0], ["predicted", "aster", "iris", "rose"]);
    let mut right = 0;
    for (row, cells) in rows[1..].iter().enumerate() {
        let p: Vec<f64> = cells[1..].iter().map(|it| number(it)).collect();
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        let best = (0..3).max_by(|&a, &b| p[a].total_cmp(&p[b])).expect("three");
        assert_eq!(cells[0], KINDS[best]);
        right += usize::from(cells[0] == flower(row).3);
    }
    assert!(right > ROWS / 3, "{right} of {ROWS}");
    let said = printed(&oxhorn(&folder, &["evaluate", "model.keras", "--data", "flowers.csv"]));
    let accuracy = right as f64 / ROWS as f64;
    let after = |name: &str| said.split(name).nth(1).and_then(|it| it.split_whitespace().next());
    let shown = number(after("accuracy: ").expect("an accuracy"));
    assert!(after("loss: ").is_some() && (shown - accuracy).abs() < 1e-4, "{accuracy} in {said}");
}

#[test]
fn columns_are_known_by_their_names() {
    let (folder, _) = trained();
    let rows = predicted(&folder, "model.keras", "flowers.csv", &[]);
    let mut other = "place,remark,width,height\n".to_owned();
    for (height, width, place, _) in (0..ROWS).map(flower) {
        other.push_str(&format!("{place},,{width},{height}\n"));
    }
    write(&folder, "other.csv", other);
    assert_eq!(predicted(&folder, "model.keras", "other.csv", &[]), rows);
    write(&folder, "other.csv", "width,height,place\n1,2,moon\n");
    let said = complaint(&oxhorn(&folder, &["predict", "model.keras", "--data", "other.csv"]));
    assert_eq!(
        said,
        "error: \"moon\" is no category that the model knows\n    in: other.csv, line 2, column \
         `place`\n  help: known are: field, forest, shore\n"
    );
}

#[test]
fn uncertainty_is_written_on_demand() {
    let (folder, _) = trained();
    let rows = predicted(&folder, "model.keras", "flowers.csv", &["--mc", "20"]);
    let names = [
        "predicted",
        "aster",
        "iris",
        "rose",
        "aster_std",
        "iris_std",
        "rose_std",
        "entropy",
        "mutual_information",
        "variation_ratio",
    ];
    assert_eq!(rows[0], names);
    for cells in &rows[1..] {
        let p: Vec<f64> = cells[1..4].iter().map(|it| number(it)).collect();
        let entropy: f64 = p.iter().map(|p| if *p > 0.0 { -p * p.ln() } else { 0.0 }).sum();
        assert!((entropy - number(&cells[7])).abs() < 1e-6);
        assert!(number(&cells[8]) <= entropy + 1e-9);
    }
    assert!(rows[1..].iter().any(|cells| number(&cells[4]) > 0.0));
    assert_eq!(predicted(&folder, "model.keras", "flowers.csv", &["--mc", "20"]), rows);
    let other = ["--mc", "20", "--seed", "1"];
    assert_ne!(predicted(&folder, "model.keras", "flowers.csv", &other), rows);
}

#[test]
fn a_file_is_looked_at_and_one_that_was_changed_is_refused() {
    let (folder, _) = trained();
    let said = printed(&oxhorn(&folder, &["inspect", "model.keras"]));
    for part in [
        "File: model.keras, ",
        "Checksum: verified, SHA-256 ",
        "Keras: 3.15.1\n",
        "Oxhorn: 0.1.0\n",
        "  model.weights.h5 ",
        "noise (Dropout)",
        "  layers/dense/vars/0 ",
        "float32[5, 17] ",
        "340 bytes",
        "Random state: ",
        "  random/numpy ",
        "Notes: {\"columns\":",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    let step = printed(&oxhorn(&folder, &["inspect", "model.keras", "--batch", "3"]));
    assert!(step.starts_with(&said) && step.contains("Graph of a training step on a batch of 3"));
    let mut bytes = read(&folder, "model.keras");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    write(&folder, "model.keras", bytes);
    for command in ["inspect", "evaluate"] {
        let data = ["--data", "flowers.csv"];
        let more = if command == "inspect" { &[][..] } else { &data[..] };
        let said = complaint(&oxhorn(&folder, &[&[command, "model.keras"], more].concat()));
        assert_eq!(
            said,
            "error: the file was changed since it was written: its bytes and its checksum \
             differ\n    in: model.keras\n  help: take another copy, or an earlier checkpoint\n"
        );
    }
}

/// The file `x.npz`: the samples of the flowers, their places spelled out, and the kinds.
fn arrays(folder: &TempDir) {
    let mut x = vec![];
    let mut y = vec![];
    for (height, width, place, kind) in (0..ROWS).map(flower) {
        x.extend([height as f32, width as f32]);
        x.extend(PLACES.map(|known| f32::from(u8::from(known == place))));
        y.extend(KINDS.iter().position(|known| *known == kind).map(|class| class as i64));
    }
    let arrays =
        [("x".to_owned(), Tensor::of([ROWS, 5], &x)), ("y".to_owned(), Tensor::of([ROWS], &y))];
    let bytes = npz::write(&arrays.into_iter().collect()).expect("arrays");
    write(folder, "x.npz", bytes);
}

#[test]
fn formats_are_converted_both_ways() {
    let (folder, _) = trained();
    arrays(&folder);
    let expected = predicted(&folder, "model.keras", "x.npz", &[]);
    let convert = |arguments: &[&str]| oxhorn(&folder, &[&["convert"], arguments].concat());
    for weights in ["w.npz", "w.safetensors", "w.weights.h5"] {
        let said = printed(&convert(&["model.keras", weights]));
        assert_eq!(said, format!("model.keras: {weights}\n"));
        let said = complaint(&convert(&[weights, "again.keras"]));
        assert!(said.starts_with(&format!("error: {weights} holds weights, and no model\n")));
        printed(&convert(&[weights, "again.keras", "--model", "model.json"]));
        assert_eq!(predicted(&folder, "again.keras", "x.npz", &[]), expected);
        assert!(printed(&oxhorn(&folder, &["inspect", weights])).contains("Checksum: verified"));
    }
    // From weights to weights nothing is lost, there and back again.
    printed(&convert(&["w.npz", "other.safetensors"]));
    printed(&convert(&["other.safetensors", "other.npz"]));
    let tensors = |name: &str| npz::read(read(&folder, name)).expect("arrays");
    assert!(tensors("other.npz") == tensors("w.npz"));
    let said = complaint(&convert(&["model.keras", "old.h5"]));
    assert!(said.starts_with("error: a .h5 file would lose: random states"), "{said}");
    let said = printed(&convert(&["model.keras", "old.h5", "--lossy"]));
    assert!(said.starts_with("Lost: random states"), "{said}");
    printed(&convert(&["old.h5", "again.keras"]));
    assert_eq!(predicted(&folder, "again.keras", "x.npz", &[]), expected);
    printed(&convert(&["model.keras", "model.onnx"]));
    assert!(!read(&folder, "model.onnx").is_empty());
    assert_eq!(
        complaint(&convert(&["model.onnx", "again.keras"])),
        "error: model.onnx cannot be read: ONNX is only written\n  help: convert the model that it \
         was made of\n"
    );
}

#[test]
fn an_interrupted_run_ends_with_the_bits_of_one_that_was_not() {
    let folder = folder();
    flowers(&folder);
    describe(&folder, (5, 3), SOFTMAX);
    let run = [&TRAIN[..], &["--epochs", "300", "--seed", "7"]].concat();
    let whole = oxhorn(&folder, &[&run[..], &["--out", "whole.keras"]].concat());
    printed(&whole);
    let mut child = Command::new(env!("CARGO_BIN_EXE_oxhorn"))
        .current_dir(&folder)
        .args([&run[..], &["--out", "cut.keras", "--backup", "backup"]].concat())
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    let backup = folder.path().join("backup/latest.safetensors");
    while !backup.exists() {
        sleep(Duration::from_millis(1));
    }
    child.kill().expect("it runs");
    child.wait().expect("it ran");
    assert!(!folder.path().join("cut.keras").exists(), "it was too fast to be interrupted");
    let again = [&run[..], &["--out", "cut.keras", "--resume", "backup"]].concat();
    let said = printed(&oxhorn(&folder, &again));
    assert!(!said.contains("Epoch 1/300") && said.contains("Epoch 300/300"), "{said}");
    assert!(read(&folder, "cut.keras") == read(&folder, "whole.keras"));
    assert!(!backup.exists());
    let said = complaint(&oxhorn(&folder, &again));
    assert!(said.starts_with("error: `backup/latest.safetensors` cannot be read: "), "{said}");
}

#[test]
fn training_goes_on_from_a_file_with_its_columns() {
    let (folder, _) = trained();
    let more = ["--data", "flowers.csv", "--epochs", "2", "--out", "more.keras"];
    let train = |arguments: &[&str]| {
        oxhorn(&folder, &[&["train", "model.keras"], arguments, &more[..]].concat())
    };
    assert!(printed(&train(&[])).contains("Columns: height (to one scale)"));
    let rows = predicted(&folder, "more.keras", "flowers.csv", &[]);
    assert_eq!(rows[0], ["predicted", "aster", "iris", "rose"]);
    assert_eq!(
        complaint(&train(&["--standardize"])),
        "error: `--standardize` was decided when the model was first trained\n  help: leave it \
         out: the file of the model says what its columns are\n"
    );
}

/// The file `flowers.parquet`: height, width and place as above, in columns of their own types.
fn parquet(folder: &TempDir) {
    let schema = "message flowers { required int64 height; required double width; \
                  required byte_array place (UTF8); }";
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let file = fs::File::create(folder.path().join("flowers.parquet")).expect("a file");
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).expect("a writer");
    let mut group = writer.next_row_group().expect("a group");
    let rows: Vec<_> = (0..ROWS).map(flower).collect();
    let heights: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let widths: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let places: Vec<ByteArray> = rows.iter().map(|row| row.2.into()).collect();
    let mut column = group.next_column().expect("one").expect("one");
    column.typed::<Int64Type>().write_batch(&heights, None, None).expect("room");
    column.close().expect("a column");
    let mut column = group.next_column().expect("one").expect("one");
    column.typed::<DoubleType>().write_batch(&widths, None, None).expect("room");
    column.close().expect("a column");
    let mut column = group.next_column().expect("one").expect("one");
    column.typed::<ByteArrayType>().write_batch(&places, None, None).expect("room");
    column.close().expect("a column");
    group.close().expect("a group");
    writer.close().expect("a file");
}

#[test]
fn parquet_has_columns_as_csv_has() {
    let (folder, _) = trained();
    parquet(&folder);
    let expected = predicted(&folder, "model.keras", "flowers.csv", &[]);
    assert_eq!(predicted(&folder, "model.keras", "flowers.parquet", &[]), expected);
    let none = ["evaluate", "model.keras", "--data", "flowers.parquet"];
    assert_eq!(
        complaint(&oxhorn(&folder, &none)),
        "error: there is no column `kind`\n    in: flowers.parquet\n  help: there are: height, \
         width, place\n"
    );
}

#[test]
fn numbers_are_predicted_and_arrays_are_taken_as_they_are() {
    let folder = folder();
    flowers(&folder);
    describe(&folder, (1, 2), ("linear", "mse"));
    let data = ["--data", "flowers.csv", "--target", "height,width", "--without", "place"];
    let one_hot = ["--one-hot", "kind", "--epochs", "2", "--out", "numbers.keras"];
    let train = [&["train", "model.json"], &data[..], &one_hot].concat();
    let said = complaint(&oxhorn(&folder, &train));
    assert!(said.contains("[1]") && said.contains("[3]"), "{said}");
    describe(&folder, (3, 2), ("linear", "mse"));
    printed(&oxhorn(&folder, &train));
    let rows = predicted(&folder, "numbers.keras", "flowers.csv", &["--mc", "3"]);
    let names = ["height", "width"].into_iter();
    let names: Vec<String> = ["", "_std", "_low", "_high"]
        .iter()
        .flat_map(|end| names.clone().map(move |name| format!("{name}{end}")))
        .collect();
    assert_eq!(rows[0], names);
    arrays(&folder);
    describe(&folder, (5, 3), SOFTMAX);
    let data = ["--data", "x.npz", "--epochs", "3", "--out", "arrays.keras"];
    printed(&oxhorn(&folder, &[&["train", "model.json"], &data[..]].concat()));
    let said = printed(&oxhorn(&folder, &["evaluate", "arrays.keras", "--data", "x.npz"]));
    assert!(said.contains("loss: ") && said.contains("accuracy: "), "{said}");
}

#[test]
fn what_cannot_be_trained_is_said_with_its_place() {
    let folder = folder();
    flowers(&folder);
    describe(&folder, (5, 3), SOFTMAX);
    let out = ["--out", "model.keras"];
    let says = |data: &str, arguments: &[&str]| {
        write(&folder, "data.csv", data);
        let data = ["train", "model.json", "--data", "data.csv"];
        complaint(&oxhorn(&folder, &[&data[..], arguments, &out].concat()))
    };
    let target = ["--target", "y"];
    assert_eq!(
        says("a,b,y\n1,2,0\n3,?,1\n", &target),
        "error: a value is missing: \"?\"\n    in: data.csv, line 3, column `b`\n  help: fill it \
         in, or leave the line out\n"
    );
    assert_eq!(
        says("a,b,y\n1,2,0\n3,red,1\n", &target),
        "error: \"red\" is no number\n    in: data.csv, line 3, column `b`\n  help: `--one-hot` \
         takes a column for categories, `--without` leaves it out\n"
    );
    assert_eq!(
        says("a,y\n1,0\n", &["--target", "z"]),
        "error: there is no column `z`\n    in: data.csv\n  help: there are: a, y\n"
    );
    assert_eq!(
        says("a,y\n1,0\n", &[]),
        "error: it was not said which column is the target\n  help: `--target` names it; there \
         are: a, y\n"
    );
    let more = ["--target", "y", "--one-hot", "y"];
    assert_eq!(
        says("a,y\n1,0\n", &more),
        "error: the column `y` is named twice\n  help: a column is a target, or of categories, or \
         left out\n"
    );
    let four: String = ["u", "v", "w", "z"].map(|kind| format!("1,2,3,4,5,{kind}\n")).concat();
    let said = says(&format!("a,b,c,d,e,y\n{four}"), &target);
    let first = "error: the model's last layer has 3 units, and `data` has 4 classes";
    assert_eq!(said.lines().next(), Some(first));
    let short = ["train", "model.json", "--data", "flowers.csv", "--target", "kind"];
    let said = complaint(&oxhorn(&folder, &[&short[..], &["--out", "model.h5"]].concat()));
    assert_eq!(
        said,
        "error: `--out` must end in .keras, got model.h5\n  help: `oxhorn convert` makes other \
         formats of it\n"
    );
    let said = complaint(&oxhorn(&folder, &["evaluate", "model.json", "--data", "flowers.csv"]));
    assert_eq!(
        said,
        "error: model.json describes a model, and has no weights\n  help: `oxhorn train` gives it \
         some\n"
    );
}
