//! Metrics that Keras lacks: against the numbers of torchmetrics and scikit-learn.

use oxhorn_nn::{
    Json,
    metrics::{BrierScore, ExpectedCalibrationError, Metric, MetricSettings},
};
use serde_json::json;

use super::own;
use crate::{golden::*, metrics::after_batches};

own! {
    "oxhorn.metrics.ExpectedCalibrationError":
        ExpectedCalibrationError::new().bins(7).from_logits(true).name("far_off")
        => ece_is_that_of_torchmetrics, ece_counts_samples_by_their_weight;
    "oxhorn.metrics.BrierScore": BrierScore::new().from_logits(true).name("squares")
        => brier_score_is_that_of_scikit_learn;
}

/// How labels are written.
#[derive(Clone, Copy)]
enum Labels {
    Numbers,
    OneHot,
}

/// The cases of `golden/calibration`, of many classes and of one probability.
fn recorded() -> Vec<Json> {
    [cases("calibration", "multiclass"), cases("calibration", "binary")].concat()
}

/// A case in batches of up to so many samples, whose predictions `of` has changed.
fn updates(case: &Json, labels: Labels, of: fn(f64) -> f64) -> Vec<Json> {
    let p = tensor(&case["probabilities"]).1;
    let classes = p.shape[1];
    let numbers: Vec<f64> = list(&case["labels"]).iter().map(number).collect();
    let places = 0..classes;
    let one_hot = |label: &f64| places.clone().map(|i| f64::from(i as f64 == *label)).collect();
    let array =
        |shape: &[usize], data: Vec<f64>| json!({"shape": shape, "dtype": "float32", "data": data});
    let batch = |(rows, numbers): (&[f64], &[f64])| {
        let n = numbers.len();
        let y_true = match labels {
            Labels::Numbers => array(&[n], numbers.to_vec()),
            Labels::OneHot => {
                let rows: Vec<Vec<f64>> = numbers.iter().map(one_hot).collect();
                array(&[n, classes], rows.concat())
            }
        };
        // Edges of bins are f32, and so must what may lie on them be.
        let rows = rows.iter().map(|p| f64::from(of(*p) as f32)).collect();
        let y_pred = array(&[n, classes], rows);
        json!({"y_true": y_true, "y_pred": y_pred})
    };
    p.data.chunks(MOST * classes).zip(numbers.chunks(MOST)).map(batch).collect()
}

/// Samples in a batch: a number by which few others can be divided.
const MOST: usize = 23;

/// Compares what a metric makes of a case with what is known of it, however labels are written.
fn assert_measures(metric: &Metric, case: &Json, of: fn(f64) -> f64, expected: f64) {
    let columns = tensor(&case["probabilities"]).0.shape[1];
    for labels in [Labels::Numbers, Labels::OneHot] {
        if columns > 1 || matches!(labels, Labels::Numbers) {
            let got = after_batches(metric, &updates(case, labels, of)).scalar();
            assert!((got - expected).abs() < 1e-6, "{}: {got} for {expected}", case["name"]);
        }
    }
}

/// Whether logits of a case, taken from its probabilities, give the same bins again.
fn has_logits(case: &Json) -> bool {
    case["name"].as_str().is_some_and(|name| name.contains(" samples"))
}

fn logit_of_yes(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn ece_is_that_of_torchmetrics() {
    for case in recorded() {
        let bins = case["bins"].as_u64().expect("a number") as usize;
        let metric = ExpectedCalibrationError::new().bins(bins);
        let expected = number(&case["l1"]);
        assert_measures(&metric.clone().into(), &case, |p| p, expected);
        if has_logits(&case) {
            let is_alone = tensor(&case["probabilities"]).0.shape[1] == 1;
            let logit = if is_alone { logit_of_yes } else { f64::ln };
            assert_measures(&metric.from_logits(true).into(), &case, logit, expected);
        }
    }
}

fn brier_score_is_that_of_scikit_learn() {
    for case in recorded() {
        let expected = number(&case["brier_auto"]);
        assert_measures(&BrierScore::new().into(), &case, |p| p, expected);
        if has_logits(&case) {
            let is_alone = tensor(&case["probabilities"]).0.shape[1] == 1;
            let logit = if is_alone { logit_of_yes } else { f64::ln };
            assert_measures(&BrierScore::new().from_logits(true).into(), &case, logit, expected);
        }
    }
}

/// A weight of 2 is the same sample twice, one of 0 none at all.
fn ece_counts_samples_by_their_weight() {
    let array =
        |shape: &[usize], data: &[f64]| json!({"shape": shape, "dtype": "float32", "data": data});
    let metric = ExpectedCalibrationError::new().bins(4).into();
    let weighted = json!({
        "y_true": array(&[3], &[0.0, 1.0, 0.0]),
        "y_pred": array(&[3, 2], &[0.9, 0.1, 0.8, 0.2, 0.3, 0.7]),
        "sample_weight": array(&[3], &[2.0, 1.0, 0.0]),
    });
    let repeated = json!({
        "y_true": array(&[3], &[0.0, 0.0, 1.0]),
        "y_pred": array(&[3, 2], &[0.9, 0.1, 0.9, 0.1, 0.8, 0.2]),
    });
    let [a, b] = [weighted, repeated].map(|update| after_batches(&metric, &[update]).scalar());
    // Three samples of 2.6 / 3 in one bin, of which two are right.
    assert!((a - 0.2).abs() < 1e-6 && (a - b).abs() < 1e-7, "{a}, {b}");
}
