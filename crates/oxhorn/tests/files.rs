//! Models come back from files as they were, to the bit, and go on as they would have.

mod support;

use std::{fs, path::Path};

use ndarray::Array2;
use oxhorn::{
    lint::Rule,
    optimizers::{Optimizer, OptimizerMap},
    prelude::*,
};
use oxhorn_io::{Attribute, h5, keras, npz, safetensors};
use support::{bits, samples, seeded};
use tempfile::tempdir;

/// A model with noise, statistics, frozen weights and two layers of one class.
fn noisy() -> Sequential {
    Sequential::new()
        .name("net")
        .seed(5)
        .add(Dense::new(8).activation("relu").name("first").input_dim(25))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(7).trainable(false))
        .add(PReLU::new())
        .add(GaussianNoise::new(0.1))
        .add(Dense::new(5).activation("softmax"))
}

fn compile(model: &mut Sequential, optimizer: impl Into<Optimizer>) {
    let compile = Compile::new(optimizer, "categorical_crossentropy").metrics(["accuracy"]);
    model.compile_with(compile.allow(Rule::ALL)).expect("names that exist");
}

fn fit() -> Fit<'static> {
    Fit::epochs(2).batch_size(16).verbose(0)
}

fn predicted(model: &mut Sequential, x: &Array2<f64>) -> Vec<u32> {
    model.predict(x).expect("a prediction").iter().map(|y| y.to_bits()).collect()
}

fn bytes(path: impl AsRef<Path>) -> Vec<u8> {
    fs::read(path).expect("a file")
}

#[test]
fn a_model_comes_back_predicts_the_same_bits_and_is_written_as_it_was() {
    let _guard = seeded(1);
    let ((x, y), folder) = (samples(50), tempdir().unwrap());
    let path = |name: &str| folder.path().join(name);
    for (case, (epochs, optimizer)) in
        [(0, "sgd"), (1, "adam"), (1, "rmsprop"), (1, "nadam"), (1, "adafactor"), (1, "muon")]
            .into_iter()
            .enumerate()
    {
        let mut model = noisy();
        compile(&mut model, optimizer);
        model.fit(&x, &y, Fit::epochs(epochs).verbose(0)).expect("a run");
        for ending in ["keras", "h5"] {
            let (first, second) = (path(&format!("{case}.{ending}")), path("again"));
            let second = second.with_extension(ending);
            model.save(&first).expect("a file");
            let mut again = Sequential::load(&first).expect("a model");
            assert_eq!(bits(&again), bits(&model));
            assert_eq!(predicted(&mut again, &x), predicted(&mut model, &x));
            again.save(&second).expect("a file");
            assert!(bytes(&first) == bytes(&second), "{optimizer}.{ending} is written anew");
        }
    }
}

#[test]
fn what_was_noted_about_a_model_comes_back() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut model = noisy();
    assert!(model.notes().is_null());
    let notes = serde_json::json!({"columns": ["a", "ä"], "mean": 0.1, "none": []});
    model.set_notes(notes.clone());
    model.save(path("first.keras")).expect("a file");
    let again = Sequential::load(path("first.keras")).expect("a model");
    assert_eq!(again.notes(), &notes);
    again.save(path("second.keras")).expect("a file");
    assert!(bytes(path("first.keras")) == bytes(path("second.keras")));
}

#[test]
fn a_model_goes_on_as_it_would_have() {
    let _guard = seeded(2);
    let ((x, y), folder) = (samples(50), tempdir().unwrap());
    let optimizers: Vec<Optimizer> = vec![
        Adam::new().learning_rate(0.01).into(),
        SGD::new().momentum(0.9).learning_rate(ExponentialDecay::new(0.1, 3, 0.9)).into(),
        Adam::new().use_ema(true).gradient_accumulation_steps(3).into(),
        LossScaleOptimizer::new(Adam::new()).into(),
        MultiOptimizer::new(OptimizerMap::new("adam").add("first/.*", SGD::new())).into(),
    ];
    for optimizer in optimizers {
        let name = optimizer.envelope()["class_name"].to_string();
        let mut model = noisy();
        compile(&mut model, optimizer);
        model.fit(&x, &y, fit()).expect("a run");
        let path = folder.path().join("model.keras");
        model.set_number("dropout/rate", 0.35).expect("a rate");
        model.save(&path).expect("a file");
        let mut again = Sequential::load(&path).expect("a model");
        let expected = model.fit(&x, &y, fit()).expect("a run");
        assert_eq!(again.fit(&x, &y, fit()), Ok(expected), "{name}");
        assert_eq!(bits(&again), bits(&model), "{name}");
        let numbers = |model: &Sequential| {
            let mut numbers = model.numbers().expect("a model that was built");
            numbers.sort_by(|a, b| a.0.cmp(&b.0));
            numbers
        };
        assert_eq!(numbers(&again), numbers(&model), "{name}");
    }
}

#[test]
fn techniques_and_numbers_that_woke_up_come_back_too() {
    let _guard = seeded(3);
    let ((x, y), folder) = (samples(50), tempdir().unwrap());
    let mut model = Sequential::new()
        .seed_by_path(9)
        .add(Dense::new(8).activation("relu").input_dim(25))
        .add(Dropout::new(0.0))
        .add(Dense::new(5).activation("softmax"));
    let objective = Compile::new("adam", "categorical_crossentropy")
        .technique(Mixup::new(0.3))
        .technique(GradientNoise::new());
    model.compile_with(objective.allow(Rule::ALL)).expect("names that exist");
    model.set_number("dropout/rate", 0.4).expect("a rate");
    model.fit(&x, &y, fit()).expect("a run");
    let path = |name: &str| folder.path().join(name);
    model.save(path("a.keras")).expect("a file");
    let mut again = Sequential::load(path("a.keras")).expect("a model");
    again.save(path("b.keras")).expect("a file");
    assert!(bytes(path("a.keras")) == bytes(path("b.keras")));
    let expected = model.fit(&x, &y, fit()).expect("a run");
    assert_eq!(again.fit(&x, &y, fit()), Ok(expected));
    assert_eq!(bits(&again), bits(&model));
}

#[test]
fn a_model_may_be_loaded_to_predict_alone() {
    let _guard = seeded(10);
    let ((x, y), folder) = (samples(20), tempdir().unwrap());
    let mut model = noisy();
    compile(&mut model, "adam");
    model.fit(&x, &y, fit()).expect("a run");
    let expected = predicted(&mut model, &x);
    for name in ["m.keras", "m.h5"] {
        let path = folder.path().join(name);
        model.save(&path).expect("a file");
        let mut other = Sequential::load_uncompiled(&path).expect("a model");
        assert_eq!(predicted(&mut other, &x), expected);
        assert!(other.compile_config().is_none() && other.fit(&x, &y, fit()).is_err());
    }
}

#[test]
fn keras_finds_what_it_expects() {
    let _guard = seeded(4);
    let ((x, y), folder) = (samples(20), tempdir().unwrap());
    let mut model = noisy();
    compile(&mut model, Adam::new().learning_rate(0.5));
    model.fit(&x, &y, fit()).expect("a run");
    let path = folder.path().join("model.keras");
    model.save(&path).expect("a file");
    let archive = keras::read(bytes(&path)).expect("an archive");
    assert_eq!(archive.metadata["keras_version"], "3.15.1");
    let config = &archive.config;
    assert_eq!(config["build_config"]["input_shape"][1], 25);
    assert_eq!(config["compile_config"]["optimizer"]["class_name"], "Adam");
    let tensors = archive.weights.flatten();
    let shapes = |path: &str| tensors.get(path).map(|it| it.shape().to_vec());
    assert_eq!(shapes("layers/dense/vars/0"), Some(vec![25, 8]));
    assert_eq!(shapes("layers/batch_normalization/vars/3"), Some(vec![8]));
    assert_eq!(shapes("layers/dense_1/vars/1"), Some(vec![7]));
    assert_eq!(shapes("layers/p_re_lu/vars/0"), Some(vec![7]));
    assert_eq!(shapes("layers/dense_2/vars/0"), Some(vec![7, 5]));
    assert_eq!(shapes("layers/dropout/vars/0"), None);
    let named = |path: &str| {
        let group = archive.weights.group(path).expect("a group");
        group.attributes.get("name").and_then(Attribute::as_text).map(str::to_owned)
    };
    assert_eq!(named("vars").as_deref(), Some("net"));
    assert_eq!(named("layers/dense/vars").as_deref(), Some("first"));
    assert_eq!(named("layers/dropout/vars").as_deref(), Some("dropout"));
    assert_eq!(named("optimizer/vars").as_deref(), Some("adam"));
    // Count, rate, then two slots of each weight that is trained.
    assert_eq!(tensors["optimizer/vars/0"].values::<i64>(), Ok(vec![4]));
    assert_eq!(tensors["optimizer/vars/1"].values::<f32>(), Ok(vec![0.5]));
    assert_eq!(shapes("optimizer/vars/2"), Some(vec![25, 8]));
    assert_eq!(shapes("optimizer/vars/3"), Some(vec![25, 8]));
    assert_eq!(shapes("optimizer/vars/15"), Some(vec![5]));
    assert_eq!(shapes("optimizer/vars/16"), None);
}

#[test]
fn weights_come_back_from_every_format() {
    let _guard = seeded(5);
    let ((x, y), folder) = (samples(50), tempdir().unwrap());
    let mut model = noisy();
    compile(&mut model, "adam");
    model.fit(&x, &y, fit()).expect("a run");
    let expected = predicted(&mut model, &x);
    for name in ["m.weights.h5", "m.npz", "m.safetensors", "m.h5"] {
        let path = folder.path().join(name);
        model.save_weights(&path).expect("a file");
        let mut other = noisy().threads(1);
        compile(&mut other, "adam");
        other.load_weights(&path).expect(name);
        assert_eq!(predicted(&mut other, &x), expected, "{name}");
    }
    // Weights are found in files of whole models as well.
    for name in ["m.keras", "whole.h5"] {
        let path = folder.path().join(name);
        model.save(&path).expect("a file");
        let mut other = noisy();
        other.load_weights(&path).expect(name);
        assert_eq!(predicted(&mut other, &x), expected, "{name}");
    }
    // What the optimizer and the seed generators keep comes with them.
    let mut other = noisy();
    compile(&mut other, "adam");
    other.load_weights(folder.path().join("m.npz")).expect("weights");
    let shuffle = || fit().shuffle(Shuffle::Off);
    let expected = model.fit(&x, &y, shuffle()).expect("a run");
    assert_eq!(other.fit(&x, &y, shuffle()), Ok(expected));
    assert_eq!(bits(&other), bits(&model));
}

#[test]
fn files_of_weights_are_trees_of_the_same_names() {
    let _guard = seeded(6);
    let folder = tempdir().unwrap();
    let model = noisy();
    let path = |name: &str| folder.path().join(name);
    for name in ["m.weights.h5", "m.npz", "m.safetensors"] {
        model.save_weights(path(name)).expect("a file");
    }
    let tree = h5::read(bytes(path("m.weights.h5"))).expect("a tree").flatten();
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let names = sorted(tree.keys().cloned().collect());
    assert!(names.contains(&"layers/dense_2/vars/1".to_owned()));
    assert!(names.contains(&"oxhorn/dropout/seed_generator/seed_generator_state".to_owned()));
    let npz = npz::read(bytes(path("m.npz"))).expect("arrays");
    assert_eq!(sorted(npz.keys().cloned().collect()), names);
    let safe = safetensors::read(bytes(path("m.safetensors"))).expect("tensors").tensors;
    assert_eq!(sorted(safe.keys().cloned().collect()), names);
}

#[test]
fn what_does_not_fit_is_refused_or_skipped() {
    let _guard = seeded(7);
    let (folder, mut model) = (tempdir().unwrap(), noisy());
    let path = folder.path().join("m.weights.h5");
    model.save_weights(&path).expect("a file");
    let other = || {
        Sequential::new()
            .add(Dense::new(8).name("first").input_dim(25))
            .add(BatchNormalization::new().scale(false))
            .add(Dense::new(3))
    };
    let mut refusing = other();
    let before = bits(&refusing);
    let error = refusing.load_weights(&path).expect_err("other layers");
    assert_eq!(
        error.message,
        "Layer 'batch_normalization' expected 3 variables, but received 4 variables during \
         loading. Expected: [\"beta\", \"moving_mean\", \"moving_variance\"]"
    );
    assert_eq!(error.origin, Some(path.display().to_string()));
    assert_eq!(bits(&refusing), before);
    let mut skipping = other();
    let skipped = skipping.load_weights_with(&path, Mismatch::Skip).expect("a layer that fits");
    assert_eq!(skipped.len(), 2);
    assert_eq!(
        skipped[1],
        "The shape of the target variable and the shape of the target value in \
         `variable.assign(value)` must match. variable.shape=[8, 3], Received: value.shape=[8, \
         7]. Target variable: dense/kernel"
    );
    assert_eq!(skipping.weight("first/kernel"), model.weight("first/kernel"));
    // Models of another number of layers have none of Keras' older files.
    let legacy = folder.path().join("m.h5");
    model.save_weights(&legacy).expect("a file");
    let error = other().load_weights(&legacy).expect_err("other layers").message;
    let expected = "Layer count mismatch when loading weights from file. Model expected 3 layers, \
                    found 5 saved layers.";
    assert_eq!(error, expected);
    let error = Sequential::new().add(Dense::new(3)).load_weights(&path).expect_err("no shape");
    assert!(error.message.starts_with("the model has no weights yet"), "{error}");
    model.load_weights(&legacy).expect("its own weights");
}

#[test]
fn endings_that_name_no_format_are_refused() {
    let _guard = seeded(8);
    let model = noisy();
    let message = |result: Result<()>| result.expect_err("no format").message;
    assert_eq!(
        message(model.save("model.pt")),
        "Invalid filepath extension for saving. Please add either a `.keras` extension for the \
         native Keras format (recommended) or a `.h5` extension. Received: filepath=model.pt"
    );
    assert_eq!(
        message(model.save_weights("weights.pt")),
        "The filename must end in `.weights.h5`. Received: filepath=weights.pt"
    );
    assert!(Sequential::load("no-such-file.keras").is_err());
}

#[test]
fn a_file_with_one_bit_flipped_is_refused() {
    let _guard = seeded(9);
    let (folder, mut model) = (tempdir().unwrap(), noisy());
    compile(&mut model, "adam");
    for name in ["m.keras", "m.h5"] {
        let path = folder.path().join(name);
        model.save(&path).expect("a file");
        let whole = bytes(&path);
        for bit in (3..whole.len() * 8).step_by(whole.len() * 8 / 37) {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, flipped).unwrap();
            assert!(Sequential::load(&path).is_err(), "bit {bit} of {name}");
        }
    }
}
