//! The random streams against what Python and NumPy drew, as recorded in `golden/random`.

use oxhorn::random::{Numpy, Python, Streams};
use serde_json::Value;

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/../../golden/random/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let file: Value = serde_json::from_str(&text).unwrap();
    let cases = file["cases"].as_array().unwrap().clone();
    assert!(!cases.is_empty(), "{path} has no cases");
    cases
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn integers(value: &Value) -> Vec<i64> {
    value.as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).collect()
}

#[test]
fn python_draws_the_recorded_seeds() {
    for case in cases("python") {
        let seed = case["seed"].as_str().unwrap();
        let mut rest: u128 = seed.trim_start_matches('-').parse().unwrap();
        let mut key = vec![rest as u32];
        while rest >> 32 != 0 {
            rest >>= 32;
            key.push(rest as u32);
        }
        let mut python = Python::seeded(&key);
        for expected in integers(&case["randint_1_1e9"]) {
            assert_eq!(i64::from(python.next_seed()), expected, "seed {seed}");
        }
    }
}

#[test]
fn numpy_draws_the_recorded_numbers() {
    for case in cases("numpy_legacy") {
        let mut numpy = Numpy::seeded(case["seed"].as_u64().unwrap().try_into().unwrap());
        for call in case["calls"].as_array().unwrap() {
            repeat(&mut numpy, call);
        }
    }
}

/// Makes one recorded call and compares its result. Those that [`Numpy`] does not have itself are
/// made from those it has, in NumPy's way.
fn repeat(numpy: &mut Numpy, call: &Value) {
    let (args, data) = (call["args"].as_array().unwrap(), &call["result"]["data"]);
    let integer = |i: usize| args[i].as_i64().unwrap();
    let number = |i: usize| args[i].as_f64().unwrap();
    let close = |y: f64, expected: f64| {
        // The logarithm of another platform may differ in its last bit.
        assert!((y - expected).abs() <= 1e-15 * expected.abs().max(1.0), "{call}: {y}");
    };
    match call["call"].as_str().unwrap() {
        "random" | "rand" => {
            floats(data).iter().for_each(|&expected| assert_eq!(numpy.random(), expected, "{call}"))
        }
        "uniform" => floats(data).iter().for_each(|&expected| {
            assert_eq!(number(0) + (number(1) - number(0)) * numpy.random(), expected, "{call}");
        }),
        "randint" => integers(data).iter().for_each(|&expected| {
            let (low, high) = (integer(0), integer(1));
            assert_eq!(numpy.randint(high - low), Some(expected - low), "{call}");
        }),
        "choice" => integers(data).iter().for_each(|&expected| {
            assert_eq!(numpy.randint(integer(0)), Some(expected), "{call}");
        }),
        "standard_normal" | "randn" => {
            floats(data).iter().for_each(|&expected| close(numpy.standard_normal(), expected))
        }
        "normal" => floats(data).iter().for_each(|&expected| {
            close(number(0) + number(1) * numpy.standard_normal(), expected);
        }),
        "permutation" | "shuffle" => {
            let drawn = numpy.permutation(usize::try_from(integer(0)).unwrap());
            let drawn: Vec<i64> = drawn.into_iter().map(|i| i64::try_from(i).unwrap()).collect();
            assert_eq!(drawn, integers(data), "{call}");
        }
        other => panic!("no way is known to repeat `{other}`"),
    }
}

#[test]
fn one_seed_sets_both_streams() {
    for case in cases("set_random_seed") {
        let mut streams = Streams::seeded(case["seed"].as_u64().unwrap().try_into().unwrap());
        for expected in integers(&case["python_randint_1_1e9"]) {
            assert_eq!(i64::from(streams.python.next_seed()), expected, "{}", case["name"]);
        }
        for expected in floats(&case["numpy_random"]["data"]) {
            assert_eq!(streams.numpy.random(), expected, "{}", case["name"]);
        }
    }
}
