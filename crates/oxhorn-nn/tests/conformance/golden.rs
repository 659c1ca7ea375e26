//! Reading the vectors, running graphs on them, comparing.

use std::path::Path;

use oxhorn_ir::{Array, DType, Graph, Leaf, Op, Type, interpret::interpret};
use oxhorn_nn::{
    Json, Map,
    config::{Class, FieldInfo},
    initializers::Initializer,
};

/// The cases of `golden/<kind>/<name>.json`.
///
/// # Panics
///
/// If there are none: then the object has no vectors.
pub(crate) fn cases(kind: &str, name: &str) -> Vec<Json> {
    file(kind, name)["cases"].as_array().expect("a list of cases").clone()
}

/// Runs a test on every case of every class of Keras, and reports all that fail. What Keras lacks
/// has no vectors: see `own.rs`.
///
/// # Panics
///
/// If any does.
pub(crate) fn for_each_case<T: ?Sized>(
    classes: &[Class<T>],
    cases: impl Fn(&Class<T>) -> Vec<Json>,
    test: impl Fn(&Class<T>, &Json, &str),
) {
    let mut failed = vec![];
    for class in classes.iter().filter(|class| class.is_keras()) {
        for case in cases(class) {
            let what = format!("{} {}", class.name(), case["name"]);
            let run = std::panic::AssertUnwindSafe(|| test(class, &case, &what));
            if std::panic::catch_unwind(run).is_err() {
                failed.push(what);
            }
        }
    }
    assert!(failed.is_empty(), "not as in Keras:\n  {}", failed.join("\n  "));
}

/// The file `golden/<kind>/<name>.json`.
pub(crate) fn file(kind: &str, name: &str) -> Json {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden");
    let path = root.join(kind).join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{kind}/{name} has no vectors: record them (golden/record.py)"));
    serde_json::from_str(&text).expect("JSON")
}

/// A number, which may be written as a string.
pub(crate) fn number(json: &Json) -> f64 {
    match json.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap_or_else(|| panic!("a number, not {json}")),
    }
}

/// A tensor with its type.
pub(crate) fn tensor(json: &Json) -> (Type, Array) {
    let dtype = match json["dtype"].as_str() {
        Some("float32") => DType::F32,
        Some("int32" | "uint8") => DType::I32,
        Some("int64") => DType::I64,
        Some("bool") => DType::Bool,
        other => panic!("the dtype {other:?}"),
    };
    let shape: Vec<usize> =
        list(&json["shape"]).iter().map(|n| n.as_u64().expect("an extent") as usize).collect();
    let data = list(&json["data"]).iter().map(number).collect();
    (Type::new(dtype, shape.clone()), Array::new(shape, data))
}

/// A list; of nothing, an empty one.
pub(crate) fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// The dictionary in an envelope.
pub(crate) fn settings(envelope: &Json) -> &Map {
    envelope["config"].as_object().expect("a dictionary")
}

/// The results of a graph whose leaves have these values, and the new values of its weights.
pub(crate) fn run(
    graph: &Graph,
    value: impl Fn(&Leaf) -> Array,
) -> (Vec<Array>, Vec<(String, Array)>) {
    let leaf = |op: &Op| match op {
        Op::Leaf(leaf) => Some(value(leaf)),
        _ => None,
    };
    let leaves: Vec<Array> = graph.nodes().iter().filter_map(|node| leaf(&node.op)).collect();
    let results = interpret(graph, &leaves).expect("the leaves fit");
    let name = |value: &oxhorn_ir::Value| match &graph[*value].op {
        Op::Leaf(leaf) => leaf.name.clone(),
        op => panic!("an update of {op}"),
    };
    let names = graph.updates().iter().map(|(weight, _)| name(weight));
    let updates = names.zip(results.updates).collect();
    (results.outputs, updates)
}

/// Checks that both are equal up to the rounding of `f32`.
#[track_caller]
pub(crate) fn assert_close(got: &Array, expected: &Json, what: &str) {
    let (_, expected) = tensor(expected);
    assert_eq!(got.shape, expected.shape, "shape of {what}");
    for (i, (got, expected)) in got.data.iter().zip(&expected.data).enumerate() {
        assert_near(*got, *expected, &format!("{what}, element {i}"));
    }
}

/// Checks that a function of one element is that of Keras, up to the rounding of `f32`, which large
/// arguments suffer too.
#[track_caller]
pub(crate) fn assert_close_at(x: &Array, got: &Array, expected: &Json, what: &str) {
    let (_, expected) = tensor(expected);
    for ((x, got), expected) in x.data.iter().zip(&got.data).zip(&expected.data) {
        if x.abs() < 1e3 || (got - expected).abs() > x.abs() * f64::from(f32::EPSILON) {
            assert_near(*got, *expected, &format!("{what} at {x}"));
        }
    }
}

/// Checks that two numbers are equal up to the rounding of `f32`.
#[track_caller]
pub(crate) fn assert_near(got: f64, expected: f64, what: &str) {
    let got = f64::from(got as f32);
    let near = (got - expected).abs() <= 2e-6 + 2e-5 * expected.abs();
    let same = got == expected || got.is_nan() && expected.is_nan();
    assert!(same || near, "{what}: {got}, and in Keras {expected}");
}

/// Settings that Keras has but does not write into its dictionary.
pub(crate) const UNWRITTEN: [(&str, &str); 6] = [
    ("Identity", "gain"),
    ("Huber", "delta"),
    ("SparseCategoricalCrossentropy", "axis"),
    ("BinaryCrossentropy", "axis"),
    ("CosineSimilarity", "axis"),
    ("SparseTopKCategoricalAccuracy", "from_sorted_ids"),
];

/// Sets the axis that the name of a case tells: "axis 1".
pub(crate) fn set_axis(config: &mut Json, name: &str) {
    if let Some(axis) = name.strip_prefix("axis ").and_then(|axis| axis.parse::<isize>().ok()) {
        config["config"]["axis"] = axis.into();
    }
}

/// Checks that what was written says the same as what was read: settings that are `None` may be
/// left out, and numbers are those of `f32`.
#[track_caller]
pub(crate) fn assert_same_config(got: &Json, expected: &Json, what: &str) {
    let class = expected["class_name"].as_str().unwrap_or_default();
    let mut got = got.clone();
    for (_, setting) in UNWRITTEN.iter().filter(|(name, _)| *name == class) {
        if expected["config"].get(setting).is_none() {
            got["config"].as_object_mut().expect("a dictionary").shift_remove(*setting);
        }
    }
    assert!(same(&got, expected), "{what}:\n  {got}\nand in Keras\n  {expected}");
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            let keys = a.keys().chain(b.keys());
            let of = |map: &Map, key: &String| map.get(key).cloned().unwrap_or(Json::Null);
            keys.into_iter().all(|key| same(&of(a, key), &of(b, key)))
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Number(a), Json::Number(b)) => {
            a.as_f64().map(|a| a as f32) == b.as_f64().map(|b| b as f32)
        }
        // A loss that is not reduced is written in two ways.
        (Json::Null, Json::String(text)) | (Json::String(text), Json::Null) => text == "none",
        _ => a == b,
    }
}

/// Checks that for every setting of every class of Keras, but for `excused` ones, some case has
/// another value than the default.
pub(crate) fn assert_every_setting_is_tried<T: ?Sized>(
    classes: &[Class<T>],
    cases: impl Fn(&Class<T>) -> Vec<Json>,
    excused: &[(&str, &str)],
) {
    for class in classes.iter().filter(|class| class.is_keras()) {
        assert_settings_are_tried(class, &cases(class), excused);
    }
}

/// The same of one class.
pub(crate) fn assert_settings_are_tried<T: ?Sized>(
    class: &Class<T>,
    cases: &[Json],
    excused: &[(&str, &str)],
) {
    let configs = || {
        cases.iter().map(|case| match case.get("kwargs") {
            Some(kwargs) => kwargs.as_object().expect("a dictionary"),
            None => settings(&case["config"]),
        })
    };
    for field in (class.fields)() {
        let FieldInfo { name, default, .. } = &field;
        let Some(default) = default else { continue };
        let default = match default.as_str() {
            Some(text) if name.ends_with("_initializer") => Initializer::from(text).envelope(),
            _ => default.clone(),
        };
        let tried = configs().filter_map(|config| config.get(name));
        let tried = tried.into_iter().any(|value| !same(value, &default));
        let excused = UNWRITTEN.contains(&(class.name(), name))
            || excused.contains(&(class.name(), name))
            || excused.contains(&("", name));
        assert!(tried || excused, "no case tries `{name}` of `{}`", class.name());
    }
}
