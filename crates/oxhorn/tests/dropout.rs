//! Dropout while a model trains: its rate, its masks, its seeds.

mod support;

use ndarray::Array2;
use oxhorn::{layer::AnyLayer, prelude::*};
use support::{bits, samples, seeded, tutorial};

/// Inputs of [`kept`].
const INPUTS: usize = 2000;

/// A model that shows which of its inputs reach the last layer: the kernel of those that do not
/// has no gradient.
fn detector(layers: impl IntoIterator<Item = AnyLayer>) -> Sequential {
    let mut model = Sequential::new().threads(1).add(Input::new([INPUTS]));
    for layer in layers {
        model = model.add(layer);
    }
    let last = Dense::new(1).kernel_initializer("ones").use_bias(false).name("last");
    let mut model = model.add(last);
    model.compile(SGD::default().learning_rate(1e-6), "mse", NO_METRICS).unwrap();
    model
}

/// Which inputs reach the last layer in the next step.
fn kept(model: &mut Sequential) -> Vec<bool> {
    let before = model.weight("last/kernel").unwrap();
    let x = Array2::<f32>::ones((1, INPUTS));
    model.train_on_batch(&x, &[0.0]).unwrap();
    let after = model.weight("last/kernel").unwrap();
    before.iter().zip(&after).map(|(before, after)| before != after).collect()
}

fn fraction(kept: &[bool]) -> f64 {
    kept.iter().filter(|kept| **kept).count() as f64 / kept.len() as f64
}

#[test]
fn the_rate_set_between_steps_holds_from_the_next_step_on() {
    let _guard = seeded(1);
    let mut model = detector([Dropout::new(0.5).into()]);
    for rate in [0.5, 0.9, 0.1, 0.0, 1.0, 0.5] {
        model.set_number("dropout/rate", rate).unwrap();
        let kept = fraction(&kept(&mut model));
        assert!((kept - (1.0 - rate)).abs() < 0.05, "rate {rate}: {kept} were kept");
        assert!(rate.fract() != 0.0 || kept == 1.0 - rate);
    }
}

#[test]
fn the_rate_may_change_within_an_epoch_and_the_weights_follow() {
    /// The rate as configured, and as it is in each of three steps.
    fn train(configured: f64, rates: [f64; 3]) -> Vec<(String, Vec<u32>)> {
        let _guard = seeded(5);
        let (x, y) = samples(96);
        let mut model = Sequential::new()
            .threads(1)
            .add(Dense::new(16).activation("relu").input_dim(25))
            .add(Dropout::new(configured))
            .add(Dense::new(5).activation("softmax"));
        model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
        let turn = LambdaCallback::new().on_train_batch_begin(|batch, training| {
            training.set_number("dropout/rate", rates[batch])
        });
        model.fit(&x, &y, Fit::epochs(1).callback(turn).verbose(0)).unwrap();
        bits(&model)
    }
    let rising = [0.2, 0.4, 0.8];
    assert_eq!(train(0.2, rising), train(0.8, rising));
    assert_ne!(train(0.2, rising), train(0.2, [0.2; 3]));
    assert_ne!(train(0.2, rising), train(0.2, [0.2, 0.4, 0.4]));
}

#[test]
fn at_rate_0_the_weights_are_those_of_a_model_without_dropout() {
    let _guard = seeded(1);
    let (x, y) = samples(203);
    let mut noisy = tutorial(2);
    noisy.set_number("dropout/rate", 0.0).unwrap();
    noisy.set_number("dropout_1/rate", 0.0).unwrap();
    let mut plain = Sequential::new()
        .threads(2)
        .add(Dense::new(64).activation("relu").input_dim(25))
        .add(Dense::new(64).activation("relu"))
        .add(Dense::new(5).activation("softmax"));
    plain.build(&[25]).unwrap();
    for (path, weight) in noisy.weights().unwrap() {
        plain.set_weight(&path, &weight).unwrap();
    }
    for model in [&mut noisy, &mut plain] {
        model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
        model.fit(&x, &y, Fit::epochs(3).shuffle(false).verbose(0)).unwrap();
    }
    assert_eq!(bits(&noisy), bits(&plain));
}

#[test]
fn at_rate_1_nothing_passes_and_gradients_stay_finite() {
    let _guard = seeded(1);
    let (x, y) = samples(64);
    let mut model = Sequential::new()
        .threads(1)
        .add(Dense::new(16).activation("relu").input_dim(25))
        .add(Dropout::new(1.0))
        .add(Dense::new(5).activation("softmax"));
    model.compile("sgd", "categorical_crossentropy", NO_METRICS).unwrap();
    let kernels = |model: &Sequential| {
        ["dense/kernel", "dense_1/kernel"].map(|path| model.weight(path).unwrap())
    };
    let before = kernels(&model);
    // Of nothing but a bias of zeros, softmax makes the same probability for each class.
    let logs = model.train_on_batch(&x, &y).unwrap();
    assert!((logs["loss"] - 5_f64.ln()).abs() < 1e-5, "{}", logs["loss"]);
    assert_eq!(kernels(&model), before, "nothing passed, so no kernel has a gradient");
    assert!(model.weight("dense_1/bias").unwrap().iter().all(|b| b.is_finite() && *b != 0.0));
    model.set_number("dropout/rate", 0.5).unwrap();
    model.train_on_batch(&x, &y).unwrap();
    let after = kernels(&model);
    assert_ne!(after, before);
    assert!(after.iter().flatten().all(|w| w.is_finite()));
}

#[test]
fn what_is_no_rate_is_refused_in_keras_words_and_changes_nothing() {
    let _guard = seeded(1);
    let mut model = detector([Dropout::new(0.5).seed(7).into()]);
    let mut twin = detector([Dropout::new(0.5).seed(7).into()]);
    for rate in [1.5, -0.1, f64::NAN, f64::INFINITY] {
        let message = format!(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. \
             Received: rate={rate}"
        );
        let help = "  help: the rate is the fraction of inputs that is dropped";
        let error = model.set_number("dropout/rate", rate).unwrap_err();
        assert_eq!(error.to_string(), format!("{message}\n    in: dropout/rate\n{help}"));
        let mut never = Sequential::new().add(Dropout::new(rate).input_dim(3));
        let error = never.build(&[3]).unwrap_err();
        assert_eq!(error.to_string(), format!("{message}\n    in: dropout (Dropout)\n{help}"));
    }
    assert_eq!(model.numbers().unwrap()[0], ("dropout/rate".to_owned(), 0.5));
    assert_eq!(kept(&mut model), kept(&mut twin));
}

#[test]
fn two_layers_drop_different_inputs_and_every_step_others() {
    let _guard = seeded(1);
    let mut model = detector([Dropout::new(0.5).into(), Dropout::new(0.5).into()]);
    let first = kept(&mut model);
    assert!((fraction(&first) - 0.25).abs() < 0.05, "{} passed both", fraction(&first));
    let second = kept(&mut model);
    let both = first.iter().zip(&second).filter(|(a, b)| **a && **b).count();
    assert!((both as f64 / INPUTS as f64 - 0.0625).abs() < 0.03, "{both} passed twice");
}

#[test]
fn layers_of_one_seed_drop_the_same_inputs_as_in_keras() {
    let _guard = seeded(1);
    let seeded = || Dropout::new(0.5).seed(3);
    let mut twice = detector([seeded().into(), seeded().into()]);
    let mut once = detector([seeded().into()]);
    let expected = kept(&mut once);
    assert!((fraction(&expected) - 0.5).abs() < 0.05);
    assert_eq!(kept(&mut twice), expected);
}

#[test]
fn a_seed_of_its_own_repeats_whatever_the_seed_of_the_process() {
    let masks = |process: u32, seed: u32| {
        let _guard = seeded(process);
        let mut model = detector([Dropout::new(0.5).seed(seed).into()]);
        [kept(&mut model), kept(&mut model)]
    };
    assert_eq!(masks(1, 7), masks(2, 7));
    assert_ne!(masks(1, 7), masks(1, 8));
}

#[test]
fn a_mask_of_extent_1_is_shared_along_that_axis() {
    let _guard = seeded(1);
    let mut model = detector([
        Reshape::new([4, INPUTS as i64 / 4]).into(),
        Dropout::new(0.5).noise_shape([None, Some(1), None]).into(),
        Flatten::new().into(),
    ]);
    let kept = kept(&mut model);
    let rows: Vec<&[bool]> = kept.chunks(INPUTS / 4).collect();
    assert!((fraction(rows[0]) - 0.5).abs() < 0.1);
    assert!(rows.iter().all(|row| row == &rows[0]));
}

#[test]
fn predictions_and_evaluations_are_free_of_noise() {
    let _guard = seeded(1);
    let ((x, y), mut model) = (samples(40), tutorial(1));
    model.compile("adam", "categorical_crossentropy", ["accuracy"]).unwrap();
    let evaluate = |model: &mut Sequential| {
        let logs = model.evaluate_with(&x, &y, Evaluate::new().verbose(0)).unwrap();
        (logs, model.predict(&x).unwrap())
    };
    let before = evaluate(&mut model);
    assert_eq!(evaluate(&mut model), before);
    model.set_number("dropout/rate", 1.0).unwrap();
    assert_eq!(evaluate(&mut model), before);
}
