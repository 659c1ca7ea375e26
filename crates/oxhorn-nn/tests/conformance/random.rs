//! Random numbers on the host: those of Keras on JAX.

use oxhorn_ir::{Array, DType, Trace, Type};
use oxhorn_nn::{Json, random};

use crate::golden::*;

/// Key, number of elements and recorded values of every case.
fn cases_of(name: &str, values: &str) -> Vec<(Json, [u32; 2], Vec<f64>)> {
    let cases = cases("random", name).into_iter().map(|case| {
        let key: Vec<u32> =
            list(&case["seed_state"]).iter().map(|word| number(word) as u32).collect();
        let data = list(&case[values]["data"]).iter().map(number).collect();
        (case["kwargs"].clone(), key.try_into().expect("two words"), data)
    });
    cases.collect()
}

/// A setting of a case, or its default.
fn setting(kwargs: &Json, name: &str, default: f64) -> f32 {
    kwargs.get(name).map_or(default, number) as f32
}

/// How many numbers of type `f32` are between the two.
fn ulps(a: f32, b: f64) -> u32 {
    let order = |x: f32| {
        let bits = x.to_bits() as i32;
        if bits < 0 { i32::MIN.wrapping_sub(bits) } else { bits }
    };
    order(a).abs_diff(order(b as f32))
}

#[test]
fn words_are_those_of_jax() {
    for (_, key, expected) in cases_of("threefry", "bits") {
        let words: Vec<f64> = random::bits(key, expected.len()).map(f64::from).collect();
        assert_eq!(words, expected, "{key:?}");
    }
}

#[test]
fn uniform_numbers_are_those_of_keras_to_one_ulp() {
    for (kwargs, key, expected) in cases_of("uniform", "values") {
        let (low, high) = (setting(&kwargs, "minval", 0.0), setting(&kwargs, "maxval", 1.0));
        let numbers = random::uniform(key, expected.len(), low, high);
        let far = numbers.iter().zip(&expected).find(|(a, b)| ulps(**a, **b) > 1);
        assert_eq!(far, None, "{key:?} {kwargs}");
    }
}

#[test]
fn normal_numbers_of_graphs_are_those_of_keras_to_rounding() {
    for (kwargs, key, expected) in cases_of("normal", "values") {
        let (mean, stddev) = (setting(&kwargs, "mean", 0.0), setting(&kwargs, "stddev", 1.0));
        let trace = Trace::new("test");
        let state = trace.input("key", Type::new(DType::U32, [2]));
        let numbers = state.random_normal([expected.len()]).value();
        let graph = trace.finish(&[numbers]).expect("no mistake");
        let (results, _) = run(&graph, |_| Array::new([2], key.map(f64::from).to_vec()));
        for (x, expected) in results[0].data.iter().zip(expected) {
            let x = x * f64::from(stddev) + f64::from(mean);
            assert_near(x, expected, &format!("{key:?} {kwargs}"));
        }
    }
}

#[test]
fn normal_numbers_are_those_of_keras_to_rounding() {
    type Law = fn([u32; 2], usize) -> Vec<f32>;
    let laws: [(&str, Law); 2] =
        [("normal", random::normal), ("truncated_normal", random::truncated_normal)];
    for (name, law) in laws {
        for (kwargs, key, expected) in cases_of(name, "values") {
            let (mean, stddev) = (setting(&kwargs, "mean", 0.0), setting(&kwargs, "stddev", 1.0));
            let numbers = law(key, expected.len());
            for (x, expected) in numbers.into_iter().zip(expected) {
                let error = f64::from(x * stddev + mean) - expected;
                let scale = expected.abs().max(f64::from(stddev)) * f64::from(f32::EPSILON);
                assert!(
                    error.abs() <= 3.0 * scale,
                    "{name} {key:?} {kwargs}: {error} at {expected}"
                );
            }
        }
    }
}
