//! `keras.ops` and `keras.random`: every function against what was recorded from Keras.
//!
//! A function without cases fails, and so does a result of another type or shape.

use std::{panic, path::Path};

use oxhorn_ir::{
    Array, DType, Tensor, Trace, Type, grad,
    interpret::interpret,
    testing::{check_op, run},
};
use oxhorn_nn::{
    Json,
    ops::{self, Argument, Function, Outcome},
};

/// What was recorded of a family.
fn file(family: &str) -> Json {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/ops");
    let path = root.join(format!("{family}.json"));
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|_| panic!("ops/{family} has no vectors: record them (golden/record.py)"));
    serde_json::from_str(&text).expect("JSON")
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
        let file = file(family);
        let cases = file["cases"].as_array().expect("a list of cases");
        for function in ops::functions().filter(|it| it.family == family) {
            let own: Vec<&Json> =
                cases.iter().filter(|case| case["function"] == function.name).collect();
            let signature = &file["signatures"][function.name];
            if signature != function.signature {
                failed.push(format!("{family} {}: in Keras ({signature})", function.name));
            }
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

/// The one tensor that a function gives for these arguments.
fn call<'g>(name: &str, trace: &'g Trace, args: Vec<Argument<'g>>) -> Tensor<'g> {
    let function = ops::find(name, None).unwrap_or_else(|| panic!("no function {name}"));
    match function.apply(trace, args, vec![]) {
        Ok(Outcome::One(y)) => y,
        Ok(_) => panic!("{name} gives several things"),
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Checks the gradient of a function of the tensors, followed by these arguments.
fn check_gradient(name: &str, shapes: &[&[usize]], more: fn() -> Vec<Argument<'static>>) {
    check_op(shapes, |x| {
        let tensors = x.iter().map(|x| Argument::Tensor(*x));
        call(name, x[0].trace(), tensors.chain(more()).collect())
    });
}

fn nothing() -> Vec<Argument<'static>> {
    vec![]
}

fn the_last_axis() -> Vec<Argument<'static>> {
    vec![Argument::Int(-1)]
}

#[test]
fn compositions_have_the_gradients_of_their_formulas() {
    for name in ["arcsinh", "arctan", "cosh", "exp2", "log2", "sinc", "sinh", "tan", "cbrt"] {
        check_gradient(name, &[&[2, 3]], nothing);
    }
    for name in ["arctan2", "hypot", "logaddexp", "logaddexp2", "power", "divide_no_nan"] {
        check_gradient(name, &[&[2, 3], &[3]], nothing);
    }
    for name in ["cumprod", "cumsum", "logsumexp", "normalize", "sort", "std", "var", "softmax"] {
        check_gradient(name, &[&[2, 3]], the_last_axis);
    }
    for name in ["corrcoef", "layer_normalization", "median", "norm", "rms_normalization"] {
        check_gradient(name, &[&[2, 5]], nothing);
    }
    check_gradient("cdist", &[&[2, 3], &[4, 3]], nothing);
    check_gradient("conv", &[&[1, 4, 4, 2], &[2, 3, 2, 3]], || vec![Argument::Int(2)]);
    check_gradient("correlate", &[&[5], &[2]], nothing);
    check_gradient("cross", &[&[2, 3], &[2, 3]], nothing);
    check_gradient("kron", &[&[2, 3], &[1, 2]], nothing);
    check_gradient("matmul", &[&[3, 1, 2, 3], &[2, 3, 2]], nothing);
    check_gradient("max_pool", &[&[1, 4, 2]], || vec![Argument::Int(2), Argument::Int(1)]);
    check_gradient("quantile", &[&[2, 5]], || vec![Argument::Float(0.3), Argument::Int(1)]);
}

#[test]
fn no_gradient_flows_through_stop_gradient() {
    let x = [1.5, -1e-45, 3e38, f64::INFINITY].map(|x: f64| f64::from(x as f32));
    let given = [(Type::f32([4]), Array::new([4], x.to_vec()))];
    fn stopped<'g>(trace: &'g Trace, x: Tensor<'g>) -> Tensor<'g> {
        call("stop_gradient", trace, vec![Argument::Tensor(x)])
    }
    assert_eq!(run(&given, |trace, x| stopped(trace, x[0])).data, x);
    let slope = run(&given, |trace, x| grad((x[0] * stopped(trace, x[0])).sum(..), x)[0]);
    assert_eq!(slope.data, x);
}

#[test]
fn arguments_are_placed_as_python_places_them() {
    let message = |name: &str, positional: usize, named: &[&str]| {
        let trace = Trace::new("test");
        let x = trace.input("x", Type::f32([2, 3]));
        let function = ops::find(name, None).expect("a function");
        let named = named.iter().map(|name| (name.to_string(), Argument::Int(0)));
        let positional = vec![Argument::Tensor(x); positional];
        match function.apply(&trace, positional, named.collect()) {
            Ok(_) => panic!("{name} should refuse its arguments"),
            Err(error) => error.message,
        }
    };
    let cases: [(&str, usize, &[&str], &str); 8] = [
        ("abs", 0, &[], "abs() missing 1 required positional argument: 'x'"),
        ("add", 0, &[], "add() missing 2 required positional arguments: 'x1' and 'x2'"),
        (
            "clip",
            0,
            &[],
            "clip() missing 3 required positional arguments: 'x', 'x_min', and 'x_max'",
        ),
        ("abs", 2, &[], "abs() takes 1 positional argument but 2 were given"),
        ("sum", 4, &[], "sum() takes from 1 to 3 positional arguments but 4 were given"),
        ("abs", 1, &["y"], "abs() got an unexpected keyword argument 'y'"),
        ("abs", 1, &["x"], "abs() got multiple values for argument 'x'"),
        (
            "layer_normalization",
            1,
            &["kwargs"],
            "layer_normalization() got an unexpected keyword argument 'kwargs'",
        ),
    ];
    for (name, positional, named, expected) in cases {
        assert_eq!(message(name, positional, named), expected);
    }
}

#[test]
fn mistakes_are_told_with_the_values_received() {
    let message = |name: &str, rest: Vec<Argument<'static>>| {
        let trace = Trace::new("test");
        let x = Argument::Tensor(trace.input("x", Type::f32([2, 3])));
        let function = ops::find(name, None).expect("a function");
        let args = [x].into_iter().chain(rest).collect();
        match function.apply(&trace, args, vec![]) {
            Ok(_) => panic!("{name} should refuse its arguments"),
            Err(error) => error.message,
        }
    };
    let (int, text) = (Argument::Int, |text: &str| Argument::Text(text.to_owned()));
    let ints = |ints: &[i64]| Argument::List(ints.iter().map(|n| Argument::Int(*n)).collect());
    let row = || Argument::List(vec![Argument::Float(1.0); 2]);
    let cases = [
        ("sum", vec![int(2)], "axis 2 is out of bounds for array of dimension 2"),
        ("sum", vec![ints(&[0, -2])], "duplicate value in 'axis': (0, -2)"),
        (
            "sum",
            vec![text("x")],
            "`sum`: Argument `axis` must be an integer or a list of integers. \
          Received: axis='x'",
        ),
        ("add", vec![row()], "Incompatible shapes for broadcasting: shapes=[[2, 3], [2]]"),
        ("add", vec![Argument::None], "`add`: Argument `x2` must be a tensor. Received: x2=None"),
        (
            "reshape",
            vec![ints(&[4, -1])],
            "cannot reshape array of shape [2, 3] (size 6) into \
          shape [4, -1]",
        ),
        ("cast", vec![text("float16")], "there are no tensors of `float16`"),
        ("matmul", vec![row()], "matmul: contracting dimensions must match, got [2, 3] and [2]"),
        (
            "split",
            vec![int(4), int(1)],
            "array split does not result in an equal division: rest is 3",
        ),
        (
            "take",
            vec![row()],
            "`take`: Argument `indices` must be a tensor of integers. Received: \
          indices=(1.0, 1.0)",
        ),
        (
            "where",
            vec![],
            "`where` with a condition alone has results of an extent that the \
          condition's values decide, which no graph can have",
        ),
    ];
    for (name, rest, expected) in cases {
        assert_eq!(message(name, rest), expected);
    }
}

#[test]
fn what_is_missing_is_named() {
    let missing: Vec<&str> = ops::missing().collect();
    assert!(missing.contains(&"svd") && missing.contains(&"while_loop"));
    assert!(!missing.contains(&"add") && ops::find("normal", None).is_none());
    let known = ops::functions().filter(|it| it.family != "random").count();
    assert_eq!(known + missing.len(), 340, "Keras has 340 functions of its own");
    assert!(ops::find("normal", Some("random")).is_some());
}
