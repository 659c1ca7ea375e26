//! Every layer in a model of its own, compiled and run, against vectors recorded from Keras.

mod support;

use ndarray::ArrayD;
use oxhorn::{
    layer::AnyLayer,
    layers::{BatchNormalization, CLASSES, GaussianNoise},
    prelude::*,
};
use serde_json::Value;
use support::{bits, golden, list, seeded, tensor};

/// The cases of all layers that a model can hold: those with features, whose axes are not that of
/// samples.
fn cases() -> Vec<(String, Value)> {
    let classes = CLASSES.iter().filter(|class| class.is_keras());
    let names = classes.map(|class| class.name()).filter(|name| *name != "InputLayer");
    let cases = names.flat_map(|name| {
        let cases = list(&golden(&format!("layers/{name}.json"))["cases"]).to_vec();
        cases.into_iter().map(move |case| (format!("{name} {}", case["name"]), case))
    });
    let is_of_samples = |(_, case): &(String, Value)| {
        let axes = list(&case["config"]["config"]["axis"]);
        let rank = list(&case["input"]["shape"]).len();
        rank > 1 && !axes.contains(&0.into())
    };
    cases.filter(is_of_samples).collect()
}

/// A model of the layer alone, with the weights of the case.
fn model(case: &Value, loss: &str) -> Sequential {
    let extents = list(&case["input"]["shape"])[1..].iter();
    let extents: Vec<Option<usize>> = extents.map(|it| it.as_u64().map(|it| it as usize)).collect();
    let input = Input::new([&[None], &extents[..]].concat());
    let layer = AnyLayer::open(&case["config"]).unwrap();
    let mut model = Sequential::new().threads(2).add(input).add(layer);
    model.compile(SGD::default().learning_rate(0.0), loss, NO_METRICS).unwrap();
    let given = extents.into_iter().flatten().collect::<Vec<usize>>();
    model.build(&given).unwrap();
    let paths: Vec<String> = model.weights().unwrap().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths.len(), list(&case["weights"]).len());
    for (path, weight) in paths.iter().zip(list(&case["weights"])) {
        model.set_weight(path, &tensor(weight).mapv(|it| it as f32)).unwrap();
    }
    model
}

fn assert_close(got: &ArrayD<f32>, expected: &Value, what: &str) {
    let expected = tensor(expected);
    assert_eq!(got.shape(), expected.shape(), "{what}");
    for (got, expected) in got.iter().zip(&expected) {
        let near = (f64::from(*got) - expected).abs() <= 5e-6 + 5e-5 * expected.abs();
        assert!(near || (got.is_nan() && expected.is_nan()), "{what}: {got}, in Keras {expected}");
    }
}

#[test]
fn predictions_are_those_of_keras() {
    let _guard = seeded(1);
    for (what, case) in cases() {
        let y = model(&case, "mse").predict(&tensor(&case["input"])).unwrap();
        assert_close(&y, &case["output"], &what);
    }
}

#[test]
fn steps_of_training_draw_and_remember_what_keras_does() {
    for (what, case) in cases() {
        // Constraints would change the weights between the calls, penalties the loss.
        if case["constrained"].is_array() || case["losses"].is_array() {
            continue;
        }
        let _guard = seeded(812);
        let (x, dy) = (tensor(&case["input"]), tensor(&case["dy"]));
        let mut model = model(&case, "mse");
        for call in list(&case["training"]) {
            let logs = model.train_on_batch(&x, &dy).unwrap();
            let squares = (tensor(&call["output"]) - &dy).mapv(|it| it * it);
            let expected = squares.mean().unwrap();
            let near = (logs["loss"] - expected).abs() <= 1e-6 + 1e-4 * expected.abs();
            assert!(near, "{what}: a loss of {}, in Keras {expected}", logs["loss"]);
            for ((path, weight), after) in
                model.weights().unwrap().iter().zip(list(&call["weights"]))
            {
                assert_close(weight, after, &format!("{path} of {what}"));
            }
        }
    }
}

#[test]
fn normalized_and_noisy_models_train_the_same_on_any_number_of_threads() {
    let train = |threads| {
        let _guard = seeded(3);
        let (x, y) = support::samples(97);
        let mut model = Sequential::new()
            .threads(threads)
            .add(GaussianNoise::new(0.1).input_dim(25))
            .add(Dense::new(33))
            .add(BatchNormalization::new())
            .add(Activation::new("relu"))
            .add(Dense::new(5).activation("softmax"));
        model.compile(Adam::default(), "categorical_crossentropy", NO_METRICS).unwrap();
        model.fit(&x, &y, Fit::epochs(3).verbose(0)).unwrap();
        bits(&model)
    };
    let alone = train(1);
    assert!(alone.iter().any(|(path, _)| path == "batch_normalization/moving_variance"));
    assert_eq!(alone, train(3));
}
