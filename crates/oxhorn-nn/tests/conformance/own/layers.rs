//! Layers that Keras lacks: what they do to their input, their gradients, their moments.

use std::collections::HashMap;

use oxhorn_ir::{Array, Trace, Type, grad};
use oxhorn_nn::{
    AnyLayer, Declarations, Mode, Scope,
    layers::{CLASSES, DropPath, Per},
};

use super::own;
use crate::{golden::*, layers::assert_signature};

own! {
    "oxhorn.layers.DropPath": DropPath::new(0.3).per(Per::Batch).seed(7)
        => drop_path_keeps_or_drops_whole_samples, drop_path_keeps_or_drops_whole_batches,
           drop_path_is_turned_to_either_end;
}

/// What a layer does in one step of training.
struct Trained {
    y: Array,
    /// The gradient of the sum of `y` by the input.
    dx: Array,
}

/// One call while training, of a layer whose numbers are these where they are not its own.
fn train(layer: impl Into<AnyLayer>, numbers: &[(&str, f64)], x: &Array) -> Trained {
    let layer = layer.into();
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Train);
    let input = trace.input("x", Type::f32(&x.shape[..]));
    let y = cx.layer("layer", &layer, input);
    let wanted = [y.value(), grad(y.sum(..), &[input])[0].value()];
    drop(cx);
    let mut values = HashMap::from([("x".to_owned(), x.clone())]);
    for variable in &*declared.variables() {
        values.insert(variable.path.clone(), variable.first_value(812).expect("a value"));
    }
    for number in &*declared.numbers() {
        let turned = numbers.iter().find(|(name, _)| number.path == format!("layer/{name}"));
        let value = turned.map_or(number.value, |(_, value)| *value);
        values.insert(number.path.clone(), Array::new([], vec![value]));
    }
    let graph = trace.finish(&wanted).expect("no mistake");
    let (results, _) = run(&graph, |leaf| values[&leaf.name].clone());
    let [y, dx] = results.try_into().expect("two results");
    let class = CLASSES.iter().find(|class| class.class == layer.layer.class()).expect("a class");
    let what = class.class;
    let config = layer.layer.config();
    assert_signature(class, &config, std::slice::from_ref(&x.shape), &y.shape, what);
    Trained { y, dx }
}

/// Ones of this shape.
fn ones(shape: &[usize]) -> Array {
    Array::from_fn(shape, |_| 1.0)
}

/// The rows of an array: what is behind its first axis.
fn rows(array: &Array) -> Vec<&[f64]> {
    array.data.chunks(array.data.len() / array.shape[0].max(1)).collect()
}

/// The share of the elements that are 0.
fn dropped(array: &Array) -> f64 {
    array.data.iter().filter(|it| **it == 0.0).count() as f64 / array.data.len() as f64
}

/// Four standard deviations of the mean of so many draws that are 1 with this probability.
fn four_sigma(rate: f64, draws: usize) -> f64 {
    4.0 * (rate * (1.0 - rate) / draws as f64).sqrt()
}

fn drop_path_keeps_or_drops_whole_samples() {
    let Trained { y, dx } = train(DropPath::new(0.2).seed(3), &[], &ones(&[4001, 3, 2]));
    for row in rows(&y) {
        let is_kept = row.iter().all(|it| (it - 1.25).abs() < 1e-6);
        assert!(is_kept || row.iter().all(|it| *it == 0.0), "{row:?}");
    }
    assert!((dropped(&y) - 0.2).abs() < four_sigma(0.2, 4001), "{}", dropped(&y));
    assert_eq!(dx.data, y.data);
}

fn drop_path_keeps_or_drops_whole_batches() {
    let dropped: Vec<f64> = (0..400)
        .map(|seed| {
            let layer = DropPath::new(0.25).per(Per::Batch).seed(seed);
            dropped(&train(layer, &[], &ones(&[3, 2])).y)
        })
        .collect();
    assert!(dropped.iter().all(|share| *share == 0.0 || *share == 1.0));
    let share = dropped.iter().sum::<f64>() / 400.0;
    assert!((share - 0.25).abs() < four_sigma(0.25, 400), "{share}");
}

fn drop_path_is_turned_to_either_end() {
    let x = Array::new([3, 1], vec![-2.0, 0.5, 7.0]);
    let Trained { y, dx } = train(DropPath::new(0.2), &[("rate", 1.0)], &x);
    assert_eq!((y.data, dx.data), (vec![0.0; 3], vec![0.0; 3]));
    let Trained { y, dx } = train(DropPath::new(0.2), &[("rate", 0.0)], &x);
    assert_eq!((y.data, dx.data), (x.data, vec![1.0; 3]));
}
