//! Layers that Keras lacks: what they do to their input, their gradients, their moments.

use std::collections::HashMap;

use oxhorn_ir::{Array, Trace, Type, grad};
use oxhorn_nn::{
    AnyLayer, Declarations, Mode, Scope,
    layers::{CLASSES, DropPath, Per, Temperature},
};

use super::own;
use crate::{golden::*, layers::assert_signature};

own! {
    "oxhorn.layers.DropPath": DropPath::new(0.3).per(Per::Batch).seed(7)
        => drop_path_keeps_or_drops_whole_samples, drop_path_keeps_or_drops_whole_batches,
           drop_path_is_turned_to_either_end;
    "oxhorn.layers.Temperature": Temperature::new().temperature(2.5).from_logits(true)
        => temperature_divides_logits, temperature_1_keeps_probabilities,
           temperature_divides_the_logit_of_yes, temperature_is_turned_and_lets_gradients_through;
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

/// `softmax(z / t)` along the last axis, by its definition.
fn softmax(z: &Array, t: f64) -> Vec<f64> {
    let classes = *z.shape.last().expect("an axis");
    let row = |row: &[f64]| {
        let e: Vec<f64> = row.iter().map(|z| (z / t).exp()).collect();
        e.iter().map(|it| it / e.iter().sum::<f64>()).collect::<Vec<f64>>()
    };
    z.data.chunks(classes).flat_map(row).collect()
}

/// Compares element by element.
fn assert_all_near(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (a, b) in got.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{a} for {b}");
    }
}

fn temperature_divides_logits() {
    for shape in [&[1, 2][..], &[7, 3], &[2, 3, 5]] {
        let z = Array::from_fn(shape, |ix| (ix.iter().sum::<usize>() * 7 % 5) as f64 - 2.0);
        let p = Array::new(shape, softmax(&z, 1.0));
        for t in [0.5, 1.0, 2.5] {
            let of_logits = train(Temperature::new().temperature(t).from_logits(true), &[], &z);
            assert_all_near(&of_logits.y.data, &softmax(&z, t), 1e-6);
            let of_probabilities = train(Temperature::new().temperature(t), &[], &p);
            assert_all_near(&of_probabilities.y.data, &softmax(&z, t), 1e-6);
        }
    }
}

fn temperature_1_keeps_probabilities() {
    let certain = Array::new([3, 3], vec![1.0, 0.0, 0.0, 0.1, 0.9, 0.0, 1e-30, 0.25, 0.75]);
    let y = train(Temperature::new(), &[], &certain).y;
    assert_all_near(&y.data, &certain.data, 1e-6);
    let yes = Array::new([5, 1], vec![0.0, 1.0, 0.3, 1e-6, 0.999_999]);
    let y = train(Temperature::new(), &[], &yes).y;
    assert_all_near(&y.data, &yes.data, 1.2e-7);
}

fn temperature_divides_the_logit_of_yes() {
    let z = Array::new([5, 1], vec![-3.0, 0.0, 0.5, 2.0, -20.0]);
    let sigmoid = |t: f64| z.data.iter().map(|z| 1.0 / (1.0 + (-z / t).exp())).collect::<Vec<_>>();
    let p = Array::new([5, 1], sigmoid(1.0));
    for t in [0.5, 3.0] {
        let y = train(Temperature::new().temperature(t).from_logits(true), &[], &z).y;
        assert_all_near(&y.data, &sigmoid(t), 1e-6);
        let y = train(Temperature::new().temperature(t), &[], &p).y;
        assert_all_near(&y.data, &sigmoid(t), 1e-6);
    }
}

fn temperature_is_turned_and_lets_gradients_through() {
    let z = Array::new([1, 2], vec![1.0, -1.0]);
    let turned = [("temperature", 2.0)];
    let Trained { y, dx } = train(Temperature::new().from_logits(true), &turned, &z);
    assert_all_near(&y.data, &softmax(&z, 2.0), 1e-6);
    // Probabilities sum to 1 whatever the logits are.
    assert_all_near(&dx.data, &[0.0, 0.0], 1e-6);
    let z = Array::new([1, 1], vec![1.0]);
    let Trained { y, dx } = train(Temperature::new().from_logits(true), &turned, &z);
    assert_all_near(&dx.data, &[y.data[0] * (1.0 - y.data[0]) / 2.0], 1e-6);
}
