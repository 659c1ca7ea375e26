//! Calibration against torchmetrics and scikit-learn, and of models.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use ndarray::{Array1, Array2, s};
use oxhorn::{layers::Temperature, prelude::*};
use oxhorn_lab::calibration::{
    BrierScale, Outputs, Reliability, Scores, accuracy, brier_score, calibrate,
    negative_log_likelihood,
};
use serde_json::Value;

/// The recorded cases, each as probabilities, labels, bins and what is known of them.
fn cases(name: &str) -> Vec<(Array2<f32>, Vec<usize>, usize, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../golden/calibration");
    let text = std::fs::read_to_string(root.join(format!("{name}.json"))).expect("vectors");
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let cases = file["cases"].as_array().expect("a list").clone();
    let read = |case: Value| {
        let tensor = &case["probabilities"];
        let extent = |axis: usize| tensor["shape"][axis].as_u64().expect("an extent") as usize;
        let data = numbers(&tensor["data"]).into_iter().map(|p| p as f32).collect();
        let p = Array2::from_shape_vec((extent(0), extent(1)), data).expect("a tensor");
        let labels = numbers(&case["labels"]).into_iter().map(|label| label as usize).collect();
        (p, labels, case["bins"].as_u64().expect("a number") as usize, case)
    };
    cases.into_iter().map(read).collect()
}

fn all_cases() -> Vec<(Array2<f32>, Vec<usize>, usize, Value)> {
    [cases("multiclass"), cases("binary")].concat()
}

fn numbers(list: &Value) -> Vec<f64> {
    list.as_array().expect("a list").iter().map(|it| it.as_f64().expect("a number")).collect()
}

/// Compares with what was computed in `f32`, or with `f32` probabilities.
#[track_caller]
fn assert_near(got: f64, expected: &Value, case: &Value) {
    let expected = expected.as_f64().expect("a number");
    assert!((got - expected).abs() < 3e-7, "{}: {got} for {expected}", case["name"]);
}

#[test]
fn errors_over_bins_of_one_width_are_those_of_torchmetrics() {
    for (p, labels, bins, case) in all_cases() {
        let drawn = Reliability::equal_width(p.view(), &labels, bins).expect("fit");
        assert_near(drawn.expected_error(), &case["l1"], &case);
        assert_near(drawn.maximum_error(), &case["max"], &case);
        assert_near(drawn.root_mean_square_error(), &case["l2"], &case);
        let known = &case["equal_width"];
        let column = |name: &str| numbers(&known[name]["data"]);
        let (edges, share) = (column("edges"), column("share"));
        let (confidence, accuracy) = (column("confidence"), column("accuracy"));
        for (i, share) in share.iter().enumerate() {
            let Some(bin) = drawn.bins.get(i) else {
                assert_eq!(*share, 0.0, "{}", case["name"]);
                continue;
            };
            assert_eq!(bin.lower as f32, edges[i] as f32, "{}", case["name"]);
            let count = share * labels.len() as f64;
            assert_eq!(bin.count, count.round() as usize, "bin {i} of {}", case["name"]);
            assert!((bin.confidence - confidence[i]).abs() < 3e-7, "{}", case["name"]);
            assert!((bin.accuracy - accuracy[i]).abs() < 3e-7, "{}", case["name"]);
        }
        assert_eq!(drawn.samples(), labels.len());
    }
}

/// Compares the bins that are not empty with a curve of scikit-learn.
#[track_caller]
fn assert_curve(drawn: &Reliability, curve: &Value, case: &Value) {
    let bins: Vec<_> = drawn.bins.iter().filter(|bin| bin.count > 0).collect();
    let (frequency, mean) = (numbers(&curve["frequency"]), numbers(&curve["mean"]));
    assert_eq!(bins.len(), mean.len(), "{}", case["name"]);
    for (bin, (frequency, mean)) in bins.iter().zip(frequency.iter().zip(&mean)) {
        assert!((bin.accuracy - frequency).abs() < 1e-12, "{}", case["name"]);
        assert!((bin.confidence - mean).abs() < 1e-12, "{}", case["name"]);
    }
}

#[test]
fn bins_of_equal_mass_are_those_of_scikit_learn() {
    for (p, labels, bins, case) in all_cases() {
        let drawn = Reliability::equal_mass(p.view(), &labels, bins).expect("fit");
        assert_eq!(drawn.bins.len(), bins);
        assert_curve(&drawn, &case["quantile"], &case);
        assert_eq!(drawn.samples(), labels.len());
    }
}

#[test]
fn bins_of_one_width_are_those_of_scikit_learn_off_the_edges() {
    for (p, labels, bins, case) in cases("binary") {
        if case["name"].as_str().is_some_and(|name| name.contains(" samples")) {
            let drawn = Reliability::equal_width(p.view(), &labels, bins).expect("fit");
            assert_curve(&drawn, &case["uniform"], &case);
        }
    }
}

#[test]
fn scores_are_those_of_scikit_learn() {
    for (p, labels, _, case) in all_cases() {
        let brier = |scale| brier_score(p.view(), &labels, scale).expect("fit");
        assert_near(brier(BrierScale::Sum), &case["brier_sum"], &case);
        assert_near(brier(BrierScale::Auto), &case["brier_auto"], &case);
        assert_near(2.0 * brier(BrierScale::Half), &case["brier_sum"], &case);
        let nll = negative_log_likelihood(p.view(), &labels).expect("fit");
        assert!((nll - case["log_loss"].as_f64().expect("a number")).abs() < 1e-6, "{case}");
        assert_near(accuracy(p.view(), &labels).expect("fit"), &case["accuracy"], &case);
        // What is the same in `f64` scores the same.
        let scores = Scores::of(p.mapv(f64::from).view(), &labels).expect("fit");
        assert_near(scores.brier_score, &case["brier_auto"], &case);
        assert_near(scores.accuracy, &case["accuracy"], &case);
    }
}

/// Held while anything is drawn: the process' streams are one, and tests run side by side.
static STREAMS: Mutex<()> = Mutex::new(());

/// Samples of three classes that overlap, and a network that has been trained on few of them for
/// too long.
fn overconfident(last: &str) -> (Sequential, Array2<f64>, Vec<i64>) {
    let _held = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    set_random_seed(812);
    let x = standard_normal((600, 4));
    let noise = standard_normal((600, 3));
    let class = |i: usize| {
        let score = |j: usize| x[[i, j]] + 1.5 * noise[[i, j]];
        (0..3).max_by(|a, b| score(*a).total_cmp(&score(*b))).unwrap_or(0) as i64
    };
    let y: Vec<i64> = (0..600).map(class).collect();
    let few = x.slice(s![..60, ..]).to_owned();
    let mut model = Sequential::new()
        .add(Dense::new(32).activation("relu").input_dim(4))
        .add(Dense::new(3).activation(last));
    model
        .compile(Adam::new().learning_rate(0.02), "sparse_categorical_crossentropy", ["accuracy"])
        .expect("known");
    model.fit(&few, &y[..60], Fit::epochs(60).verbose(0)).expect("fits");
    (model, x, y)
}

#[test]
fn a_temperature_mends_a_model_that_is_too_sure() {
    let (mut model, x, y) = overconfident("softmax");
    let (val_x, val_y) = (x.slice(s![60..330, ..]), &y[60..330]);
    let (test_x, test_y) = (x.slice(s![330.., ..]), &y[330..]);
    let labels: Vec<usize> = test_y.iter().map(|label| *label as usize).collect();
    let scores = |model: &mut Sequential| {
        let p = model.predict(test_x).expect("fits").into_dimensionality().expect("two axes");
        Scores::of::<f32>(p.view(), &labels).expect("fits")
    };
    let (before, weights) = (scores(&mut model), model.weights().expect("built"));
    let done = calibrate(&mut model, val_x, val_y, Outputs::Probabilities).expect("fits");
    assert!(done.temperature > 1.5, "{done}");
    assert!(done.after.negative_log_likelihood < done.before.negative_log_likelihood);
    let after = scores(&mut model);
    // On samples that neither the weights nor the temperature have seen.
    let halved = before.expected_calibration_error / 2.0;
    assert!(after.expected_calibration_error < halved, "{before:?} {after:?}");
    assert!(after.negative_log_likelihood < before.negative_log_likelihood);
    assert!(after.brier_score < before.brier_score);
    assert_eq!(after.accuracy, before.accuracy);
    assert_eq!(model.weights().expect("built"), weights);
    // It is still compiled, and its JSON holds the temperature.
    let quiet = Evaluate::new().verbose(0);
    let logs = model.evaluate_with(test_x, test_y, quiet).expect("compiled");
    assert!((logs["accuracy"] - after.accuracy).abs() < 1e-6);
    let mut again = Sequential::from_json(&model.to_json()).expect("a model");
    for (path, weight) in &weights {
        again.set_weight(path, weight).expect("the same weights");
    }
    assert_eq!(again.predict(test_x).expect("fits"), model.predict(test_x).expect("fits"));
}

#[test]
fn calibrating_again_replaces_the_temperature() {
    let (mut model, x, y) = overconfident("softmax");
    let first = calibrate(&mut model, &x, &y, Outputs::Probabilities).expect("fits");
    let again = calibrate(&mut model, &x, &y, Outputs::Probabilities).expect("fits");
    assert_eq!(first, again);
    assert_eq!(model.layers().len(), 3);
    let one_hot = to_categorical(&Array1::from(y), 3);
    assert_eq!(calibrate(&mut model, &x, &one_hot, Outputs::Probabilities), Ok(first));
    let path = "temperature/temperature";
    let numbers = model.numbers().expect("built");
    assert!(numbers.contains(&(path.to_owned(), first.temperature)), "{numbers:?}");
    assert!(numbers.iter().any(|(path, _)| path == "optimizer/learning_rate"), "{numbers:?}");
    assert!(model.set_number(path, 0.0).is_err());
    model.set_number(path, 1.0).expect("a temperature");
}

#[test]
fn logits_are_calibrated_too() {
    let (mut model, x, y) = overconfident("softmax");
    let known = calibrate(&mut model, &x, &y, Outputs::Probabilities).expect("fits");
    let (mut of_logits, ..) = overconfident("linear");
    for (path, weight) in model.weights().expect("built") {
        of_logits.set_weight(&path, &weight).expect("the same layers");
    }
    let done = calibrate(&mut of_logits, &x, &y, Outputs::Logits).expect("fits");
    assert!((done.temperature - known.temperature).abs() < 1e-3 * known.temperature);
    let near = |a: &f32, b: &f32| (a - b).abs() < 1e-3;
    let (a, b) = (of_logits.predict(&x).expect("fits"), model.predict(&x).expect("fits"));
    assert!(a.iter().zip(&b).all(|(a, b)| near(a, b)));
}

#[test]
fn a_refused_calibration_leaves_the_model_as_it_was() {
    let (mut model, x, y) = overconfident("softmax");
    let error = calibrate(&mut model, &x, &y[1..], Outputs::Probabilities).unwrap_err();
    assert_eq!(error.message, "there are 600 rows of probabilities and 599 labels");
    assert_eq!(model.layers().len(), 2);
    calibrate(&mut model, &x, &y, Outputs::Probabilities).expect("fits");
    let before = (model.to_json(), model.predict(&x).expect("fits"));
    let wrong = vec![3_i64; 600];
    let error = calibrate(&mut model, &x, &wrong, Outputs::Probabilities).unwrap_err();
    assert_eq!(error.message, "the label 3 of sample 0 is out of range");
    assert_eq!((model.to_json(), model.predict(&x).expect("fits")), before);
}

#[test]
fn a_sigmoid_is_calibrated_by_its_logit() {
    let _held = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
    set_random_seed(812);
    let x = standard_normal((300, 3));
    let noise = standard_normal((300, 1));
    let y: Vec<i64> = (0..300).map(|i| i64::from(x[[i, 0]] + noise[[i, 0]] > 0.0)).collect();
    let mut model = Sequential::new()
        .add(Dense::new(1).activation("sigmoid").input_dim(3))
        .add(Temperature::new());
    model.build(&[3]).expect("a shape");
    model.set_weight("dense/kernel", &ndarray::array![[9.0_f32], [0.0], [0.0]]).expect("a weight");
    let done = calibrate(&mut model, &x, &y, Outputs::Probabilities).expect("fits");
    // The logit of yes, were the noise logistic, would be some 1.7 times x.
    assert!(done.temperature > 3.0 && done.temperature < 9.0, "{done}");
    assert!(done.after.expected_calibration_error < done.before.expected_calibration_error);
    assert_eq!(done.after.accuracy, done.before.accuracy);
}

#[test]
fn training_stops_early_by_its_calibration() {
    for metric in ["ece", "sparse_categorical_crossentropy"] {
        let (mut model, x, y) = overconfident("softmax");
        let (few, more) = (x.slice(s![..60, ..]), x.slice(s![60.., ..]));
        let _held = STREAMS.lock().unwrap_or_else(PoisonError::into_inner);
        set_random_seed(5);
        let adam = Adam::new().learning_rate(0.02);
        model.compile(adam, "sparse_categorical_crossentropy", [metric]).expect("known");
        let monitor = format!("val_{metric}");
        let stop = EarlyStopping::new(&monitor).patience(4).restore_best_weights();
        let fit = Fit::epochs(200).validation_data(more, &y[60..]).callback(stop).verbose(0);
        let history = model.fit(few, &y[..60], fit).expect("fits");
        let watched = &history[monitor.as_str()];
        let best = (0..watched.len()).min_by(|a, b| watched[*a].total_cmp(&watched[*b]));
        let best = best.expect("an epoch");
        assert_eq!(watched.len(), best + 5);
        // What was watched is the number of the model that is kept.
        let p = model.predict(more).expect("fits").into_dimensionality().expect("two axes");
        let labels: Vec<usize> = y[60..].iter().map(|label| *label as usize).collect();
        let scores = Scores::of::<f32>(p.view(), &labels).expect("fit");
        let expected = match metric {
            "ece" => scores.expected_calibration_error,
            _ => scores.negative_log_likelihood,
        };
        assert!((watched[best] - expected).abs() < 1e-5 * expected, "{metric}");
    }
}
