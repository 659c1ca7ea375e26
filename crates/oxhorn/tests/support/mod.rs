//! What the tests share: the process' random streams, and runs recorded from Keras.

#![allow(dead_code, reason = "each file of tests takes what it needs")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use ndarray::{Array2, ArrayD, IxDyn};
use oxhorn::{prelude::*, random::set_random_seed};
use serde_json::Value;

static STREAMS: Mutex<()> = Mutex::new(());

/// Seeds the random streams, which no other test may draw from until the guard is dropped.
pub(crate) fn seeded(seed: u32) -> MutexGuard<'static, ()> {
    let guard = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    set_random_seed(seed);
    guard
}

/// The file `golden/<path>`.
pub(crate) fn golden(path: &str) -> Value {
    let path = format!("{}/../../golden/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap()
}

/// The elements of a list; none of what is no list.
pub(crate) fn list(json: &Value) -> &[Value] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// A number, which may be written as a string.
pub(crate) fn number(json: &Value) -> f64 {
    match json.as_str() {
        Some("nan") => f64::NAN,
        Some("inf") => f64::INFINITY,
        Some("-inf") => f64::NEG_INFINITY,
        _ => json.as_f64().unwrap_or_else(|| panic!("{json} is no number")),
    }
}

/// A recorded tensor.
pub(crate) fn tensor(json: &Value) -> ArrayD<f64> {
    let shape: Vec<usize> =
        list(&json["shape"]).iter().map(|n| n.as_u64().unwrap() as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), list(&json["data"]).iter().map(number).collect()).unwrap()
}

/// The tutorial's network.
pub(crate) fn tutorial(threads: usize) -> Sequential {
    Sequential::new()
        .threads(threads)
        .add(Dense::new(64).activation("relu").input_dim(25))
        .add(Dropout::new(0.4))
        .add(Dense::new(64).activation("relu"))
        .add(Dropout::new(0.4))
        .add(Dense::new(5).activation("softmax"))
}

/// Samples for the tutorial's network.
pub(crate) fn samples(n: usize) -> (Array2<f64>, Array2<f64>) {
    (random((n, 25)), to_categorical(&randint(5, n), 5))
}

/// All weights of a model, bit by bit.
pub(crate) fn bits(model: &Sequential) -> Vec<(String, Vec<u32>)> {
    let weights = model.weights().unwrap().into_iter();
    weights.map(|(path, w)| (path, w.iter().map(|w| w.to_bits()).collect())).collect()
}
