//! `keras.ops` and `keras.random`: every function against what was recorded from Keras.
//!
//! A function without cases fails, and so does a result of another type or shape.

use std::{panic, path::Path};

use oxhorn_ir::{Array, DType, Tensor, Trace, Type, interpret::interpret};
use oxhorn_nn::{
    Json,
    ops::{self, Argument, Function, Outcome},
};

/// The cases of a family.
fn cases(family: &str) -> Vec<Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/ops");
    let path = root.join(format!("{family}.json"));
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|_| panic!("ops/{family} has no vectors: record them (golden/record.py)"));
    let file: Json = serde_json::from_str(&text).expect("JSON");
    file["cases"].as_array().expect("a list of cases").clone()
}

fn number(json: &Json) -> f64 {
    match json.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap_or_else(|| panic!("a number, not {json}")),
    }
}

fn tensor(json: &Json) -> (Type, Array) {
    let dtype = DType::ALL.into_iter().find(|it| json["dtype"] == ops::dtype_name(*it));
    let extents = json["shape"].as_array().expect("a shape").iter();
    let shape: Vec<usize> = extents.map(|n| n.as_u64().expect("an extent") as usize).collect();
    let data = json["data"].as_array().expect("elements").iter().map(number).collect();
    (Type::new(dtype.expect("a known dtype"), shape.clone()), Array::new(shape, data))
}

/// The argument that a case holds; tensors become inputs, whose values are noted.
fn argument<'g>(trace: &'g Trace, json: &Json, leaves: &mut Vec<Array>) -> Argument<'g> {
    match json {
        Json::Null => Argument::None,
        Json::Bool(flag) => Argument::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Argument::Int(int),
            None => Argument::Float(number.as_f64().expect("a number")),
        },
        Json::String(text) => match text.as_str() {
            "inf" | "-inf" | "nan" => Argument::Float(number(json)),
            text => Argument::Text(text.to_owned()),
        },
        Json::Array(items) => {
            Argument::List(items.iter().map(|it| argument(trace, it, leaves)).collect())
        }
        Json::Object(_) => {
            let (ty, value) = tensor(json);
            leaves.push(value);
            Argument::Tensor(trace.input(format!("x{}", leaves.len()), ty))
        }
    }
}

/// Calls the function as a case says, and compares what it gives with what Keras gave.
fn check(function: &'static Function, case: &Json) {
    let (trace, mut leaves) = (Trace::new("test"), vec![]);
    let args = case["args"].as_array().expect("a list").iter();
    let args = args.map(|it| argument(&trace, it, &mut leaves)).collect();
    let kwargs = case["kwargs"].as_object().expect("a dictionary").iter();
    let kwargs = kwargs.map(|(name, it)| (name.clone(), argument(&trace, it, &mut leaves)));
    let kwargs = kwargs.collect();
    let outcome = function.apply(&trace, args, kwargs).unwrap_or_else(|error| panic!("{error}"));
    let expected = &case["result"];
    let (tensors, expected): (Vec<Tensor>, Vec<Json>) = match outcome {
        Outcome::One(y) => (vec![y], vec![expected["one"].clone()]),
        Outcome::Many(y) => (y, expected["many"].as_array().expect("several tensors").clone()),
        Outcome::Static(value) => {
            let expected = argument(&trace, &expected["static"], &mut vec![]);
            return assert_eq!(value.to_string(), expected.to_string());
        }
    };
    assert_eq!(tensors.len(), expected.len(), "number of results");
    let types: Vec<Type> = tensors.iter().map(|y| y.ty()).collect();
    let values: Vec<_> = tensors.iter().map(|y| y.value()).collect();
    let graph = trace.finish(&values).unwrap_or_else(|error| panic!("{error}"));
    let results = interpret(&graph, &leaves).expect("the leaves fit").outputs;
    let tolerance = case["tolerance"].as_f64().unwrap_or(2e-5);
    for ((ty, y), expected) in types.iter().zip(results).zip(&expected) {
        let (expected_type, expected) = tensor(expected);
        assert_eq!(*ty, expected_type, "the type of the result");
        for (i, (y, expected)) in y.data.iter().zip(&expected.data).enumerate() {
            let y = if ty.dtype.is_float() { f64::from(*y as f32) } else { *y };
            let near = (y - expected).abs() <= tolerance * (0.1 + expected.abs());
            let same = y == *expected || y.is_nan() && expected.is_nan();
            assert!(same || near, "element {i}: {y}, and in Keras {expected}");
        }
    }
}

#[test]
fn every_function_gives_what_keras_gives() {
    let mut failed = vec![];
    let mut families: Vec<&str> = ops::functions().map(|it| it.family).collect();
    families.sort_unstable();
    families.dedup();
    for family in families {
        let cases = cases(family);
        for function in ops::functions().filter(|it| it.family == family) {
            let own: Vec<&Json> =
                cases.iter().filter(|case| case["function"] == function.name).collect();
            if own.is_empty() {
                failed.push(format!("{family} {}: there are no cases", function.name));
            }
            for case in own {
                let run = panic::AssertUnwindSafe(|| check(function, case));
                if panic::catch_unwind(run).is_err() {
                    failed.push(format!("{family} {}", case["name"]));
                }
            }
        }
    }
    assert!(failed.is_empty(), "not as in Keras:\n  {}", failed.join("\n  "));
}
