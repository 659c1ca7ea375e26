//! `keras.ops` on the processor: what the planner makes of every recorded call, run and compared
//! with what Keras gave.

use std::path::Path;

use oxhorn_cpu::{Device, Executable, Weights};
use oxhorn_ir::{DType, Tensor, Trace, Type};
use oxhorn_nn::{
    Json,
    ops::{self, Argument, Function, Outcome},
};

/// Reads elements of a type as `f64`, or writes them.
macro_rules! by_type {
    ($dtype:expr, $ty:ident => $body:expr) => {
        match $dtype {
            DType::Bool => {
                type $ty = u8;
                $body
            }
            DType::I32 => {
                type $ty = i32;
                $body
            }
            DType::U32 => {
                type $ty = u32;
                $body
            }
            DType::F32 => {
                type $ty = f32;
                $body
            }
            other => panic!("Keras on JAX has no {other:?}"),
        }
    };
}

/// A recorded tensor: its type and its elements.
fn tensor(json: &Json) -> (Type, Vec<f64>) {
    let dtype = DType::ALL.into_iter().find(|it| json["dtype"] == ops::dtype_name(*it));
    let extents = json["shape"].as_array().expect("a shape").iter();
    let shape: Vec<usize> = extents.map(|n| n.as_u64().expect("an extent") as usize).collect();
    let number = |json: &Json| match json.as_str() {
        Some(text) => text.parse().expect("nan, inf or -inf"),
        None => json.as_f64().expect("a number"),
    };
    let data = json["data"].as_array().expect("elements").iter().map(number).collect();
    (Type::new(dtype.expect("a known dtype"), shape), data)
}

/// A recorded argument; tensors become inputs, whose types and elements are noted.
fn argument<'g>(trace: &'g Trace, json: &Json, leaves: &mut Vec<(Type, Vec<f64>)>) -> Argument<'g> {
    match json {
        Json::Null => Argument::None,
        Json::Bool(flag) => Argument::Bool(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Argument::Int(int),
            None => Argument::Float(number.as_f64().expect("a number")),
        },
        Json::String(text) => match text.as_str() {
            "inf" | "-inf" | "nan" => Argument::Float(text.parse().expect("a number")),
            text => Argument::Text(text.to_owned()),
        },
        Json::Array(items) => {
            Argument::List(items.iter().map(|it| argument(trace, it, leaves)).collect())
        }
        Json::Object(_) => {
            leaves.push(tensor(json));
            let (ty, _) = leaves.last().expect("what was pushed");
            Argument::Tensor(trace.input(format!("x{}", leaves.len()), ty.clone()))
        }
    }
}

/// The elements of each of the tensors that a recorded call gives on this device.
#[allow(clippy::unnecessary_cast, reason = "necessary for every type but f64")]
fn run(function: &'static Function, case: &Json, device: &mut Device) -> Vec<Vec<f64>> {
    let (trace, mut leaves) = (Trace::new(function.name), vec![]);
    let args = case["args"].as_array().expect("a list").iter();
    let args = args.map(|it| argument(&trace, it, &mut leaves)).collect();
    let kwargs = case["kwargs"].as_object().expect("a dictionary").iter();
    let kwargs = kwargs.map(|(name, it)| (name.clone(), argument(&trace, it, &mut leaves)));
    let kwargs = kwargs.collect();
    let outcome = function.apply(&trace, args, kwargs).unwrap_or_else(|error| panic!("{error}"));
    let tensors: Vec<Tensor> = match outcome {
        Outcome::One(y) => vec![y],
        Outcome::Many(y) => y,
        Outcome::Static(_) => vec![],
    };
    let types: Vec<Type> = tensors.iter().map(|y| y.ty()).collect();
    let values: Vec<_> = tensors.iter().map(|y| y.value()).collect();
    let graph = trace.finish(&values).unwrap_or_else(|error| panic!("{error}"));
    let program = oxhorn_plan::compile(&graph).unwrap_or_else(|error| panic!("{error}\n{graph}"));
    let mut weights = Weights::new([]);
    let mut executable = Executable::load(&program, &weights, device).expect("a program");
    for (i, (ty, data)) in leaves.iter().enumerate() {
        by_type!(ty.dtype, T => {
            let target = executable.input_mut::<T>(&format!("x{}", i + 1)).expect("an input");
            target.iter_mut().zip(data).for_each(|(y, x)| *y = *x as T);
        });
    }
    executable.run(&mut weights, device);
    let output = |(index, ty): (usize, &Type)| {
        by_type!(ty.dtype, T => {
            executable.output::<T>(index).expect("an output").iter().map(|x| *x as f64).collect()
        })
    };
    types.iter().enumerate().map(output).collect()
}

#[test]
fn every_function_runs_on_the_processor_as_it_does_in_keras() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/ops");
    let mut device = Device::new(2);
    for family in ["core", "linalg", "math", "nn", "numpy", "random"] {
        let text = std::fs::read_to_string(root.join(format!("{family}.json"))).expect("vectors");
        let file: Json = serde_json::from_str(&text).expect("JSON");
        for case in file["cases"].as_array().expect("a list of cases") {
            let (what, name) = (&case["name"], case["function"].as_str().expect("a name"));
            let Some(function) = ops::find(name, Some(family)) else { continue };
            let results = run(function, case, &mut device);
            let expected = match &case["result"] {
                Json::Object(result) if result.contains_key("one") => vec![result["one"].clone()],
                result => result["many"].as_array().cloned().unwrap_or_default(),
            };
            assert_eq!(results.len(), expected.len(), "{what}");
            let tolerance = case["tolerance"].as_f64().unwrap_or(2e-5);
            for (y, expected) in results.iter().zip(&expected) {
                let (_, expected) = tensor(expected);
                assert_eq!(y.len(), expected.len(), "{what}");
                for (y, expected) in y.iter().zip(&expected) {
                    let near = (y - expected).abs() <= tolerance * (0.1 + expected.abs());
                    let same = y == expected || y.is_nan() && expected.is_nan();
                    assert!(same || near, "{what}: {y}, and in Keras {expected}");
                }
            }
        }
    }
}
