//! Files that Keras has written load here, predict what they predicted there, and go on as there.

mod support;

use ndarray::{ArrayD, Ix2};
use oxhorn::prelude::*;
use serde_json::Value as Json;
use support::{golden, list, number, seeded, tensor};

/// The path of a file that Keras has written.
fn path(name: &str) -> String {
    format!("{}/../../golden/files/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// How far two arrays are apart.
fn distance(a: &ArrayD<f32>, b: &ArrayD<f64>) -> f64 {
    assert_eq!(a.shape(), b.shape());
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max)
}

fn predicted(model: &mut Sequential, case: &Json) -> ArrayD<f32> {
    model.predict(&tensor(&case["x"])).expect("samples of the file's shape")
}

#[test]
fn models_predict_the_same_and_go_on_training_the_same() {
    let _guard = seeded(1);
    let golden = golden("files/files.json");
    let mut models = 0;
    for case in list(&golden["cases"]) {
        let name = case["name"].as_str().expect("a name");
        if name.ends_with(".weights.h5") {
            continue;
        }
        let mut model = Sequential::load(path(name)).unwrap_or_else(|error| panic!("{error}"));
        let apart = distance(&predicted(&mut model, case), &tensor(&case["predictions"]));
        assert!(apart < 1e-6, "{name}: predictions are {apart} apart");
        models += 1;
        let (x, y) = (tensor(&case["x"]), tensor(&case["y"]));
        for expected in list(&case["losses"]) {
            let logs = model.train_on_batch(&x, &y).expect("a step");
            let apart = (logs["loss"] - number(expected)).abs();
            assert!(apart < 1e-5, "{name}: losses are {apart} apart");
        }
        if !case["after"].is_null() {
            let apart = distance(&predicted(&mut model, case), &tensor(&case["after"]));
            assert!(apart < 1e-5, "{name}: {apart} apart after three steps");
        }
    }
    assert_eq!(models, 6);
}

#[test]
fn weights_fit_a_model_of_the_same_layers() {
    let _guard = seeded(2);
    let golden = golden("files/files.json");
    let name = "adam.weights.h5";
    let case = list(&golden["cases"]).iter().find(|case| case["name"] == name).expect("a case");
    let mut model = Sequential::new()
        .add(Dense::new(8).activation("relu").input_dim(6))
        .add(Dropout::new(0.3))
        .add(Dense::new(7).activation("tanh"))
        .add(Dense::new(3).activation("softmax"));
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).expect("names that exist");
    model.load_weights(path(name)).expect("weights that fit");
    let apart = distance(&predicted(&mut model, case), &tensor(&case["predictions"]));
    assert!(apart < 1e-6, "predictions are {apart} apart");
    // Two epochs of three batches, at the rate that the file has.
    let rate = model.numbers().expect("a model that is built");
    let rate = rate.iter().find(|(path, _)| path == "optimizer/learning_rate").expect("a rate").1;
    assert_eq!(rate as f32, 0.01);
    let kernel = model.weight("dense/kernel").expect("a weight");
    assert!(kernel.into_dimensionality::<Ix2>().is_ok_and(|kernel| kernel.dim() == (6, 8)));
}
