//! Every metric: its result after each of a few batches.

use std::collections::HashMap;

use oxhorn_ir::{Array, DType, Result, Trace};
use oxhorn_nn::{
    Declarations, Json, Mode, Scope,
    config::Class,
    metrics::{CLASSES, Direction, Metric},
};

use crate::golden::*;

/// Where `y_true` is `[n]` and `y_pred` is `[n, 1]`, these compare every sample with every other in
/// Keras, which nobody can want. Ours compare each sample with itself, as the losses of these
/// names.
const BROADCAST_IN_KERAS: [&str; 5] =
    ["Hinge", "SquaredHinge", "CategoricalHinge", "KLDivergence", "Poisson"];

#[test]
fn every_metric_is_that_of_keras() {
    let of = |class: &Class<_>| {
        let mut cases = cases("metrics", class.name());
        if BROADCAST_IN_KERAS.contains(&class.name()) {
            cases.retain(|case| case["name"] != "y_true [n], y_pred [n, 1]");
        }
        cases
    };
    for_each_case(CLASSES, of, |class, case, what| {
        let mut config = case["config"].clone();
        // What Keras does not write.
        if let ("CosineSimilarity", Some(name)) = (class.name(), case["name"].as_str()) {
            set_axis(&mut config, name);
        }
        let metric = Metric::open(&config).expect("a metric");
        assert_same_config(&metric.envelope(), &config, what);
        metric.get().expect("an object").check().expect("settings that Keras takes");
        let (declared, mut states) = (Declarations::new(), HashMap::new());
        match (result(&metric, &declared, &mut states), &case["initial"]) {
            (got, Json::Null) => assert!(got.is_err(), "{what} before its first batch: {got:?}"),
            (got, expected) => {
                let got = got.expect("no mistake");
                assert_result(&got, expected, &format!("{what} before its first batch"));
            }
        }
        let (results, updates) = (list(&case["results"]), list(&case["updates"]));
        for (step, (update, expected)) in updates.iter().zip(results).enumerate() {
            batch(&metric, &declared, update, &mut states);
            let got = result(&metric, &declared, &mut states).expect("no mistake");
            assert_result(&got, expected, &format!("{what} after batch {step}"));
        }
    });
    let excused = [("", "dtype")];
    assert_every_setting_is_tried(CLASSES, of, &excused);
}

#[test]
fn every_metric_gets_better_the_way_it_does_in_keras() {
    for class in CLASSES.iter().filter(|class| class.is_keras()) {
        let case = &cases("metrics", class.name())[0];
        let metric = Metric::open(&case["config"]).expect("a metric");
        let direction = metric.get().expect("an object").direction();
        let expected = match class.name() {
            "Mean" | "Sum" => None,
            name if name.ends_with("Positives") || name.ends_with("Negatives") => None,
            name if SHARES.iter().any(|word| name.contains(word)) => Some(Direction::Up),
            name if SIMILARITIES.iter().any(|word| name.contains(word)) => Some(Direction::Up),
            _ => Some(Direction::Down),
        };
        assert_eq!(direction, expected, "{class:?}");
    }
}

/// What is in the names of metrics that are shares of right answers.
const SHARES: [&str; 8] =
    ["Accuracy", "AUC", "IoU", "Precision", "Recall", "Score", "Sensitivity", "Specificity"];

/// What is in the names of metrics that say how alike labels and predictions are.
const SIMILARITIES: [&str; 2] = ["Similarity", "Correlation"];

/// The result after some batches, each of `y_true`, `y_pred` and perhaps `sample_weight`.
pub(crate) fn after_batches(metric: &Metric, updates: &[Json]) -> Array {
    let (declared, mut states) = (Declarations::new(), HashMap::new());
    updates.iter().for_each(|update| batch(metric, &declared, update, &mut states));
    result(metric, &declared, &mut states).expect("no mistake")
}

/// Values of states by their paths.
type States = HashMap<String, Array>;

/// Adds a batch to the states.
fn batch(metric: &Metric, declared: &Declarations, update: &Json, states: &mut States) {
    let trace = Trace::new("test");
    let cx = Scope::new(&trace, declared, Mode::Infer);
    let input = |name: &str| trace.input(name, tensor(&update[name]).0);
    let (y_true, y_pred) = match update["values"].is_object() {
        true => (input("values"), input("values")),
        false => (input("y_true"), input("y_pred")),
    };
    let weight = update["sample_weight"].is_object().then(|| input("sample_weight"));
    metric.get().expect("an object").update(&cx, y_true, y_pred, weight);
    cx.write_updates();
    drop(cx);
    let graph = trace.finish(&[]).expect("no mistake");
    begin(declared, states);
    let (_, updates) = run(&graph, |leaf| match states.get(&leaf.name) {
        Some(state) => state.clone(),
        None => tensor(&update[&leaf.name]).1,
    });
    states.extend(updates);
}

/// The result so far, by a graph of its own that sees no batch.
fn result(metric: &Metric, declared: &Declarations, states: &mut States) -> Result<Array> {
    let trace = Trace::new("test");
    let cx = Scope::new(&trace, declared, Mode::Infer);
    let result = metric.get()?.result(&cx);
    assert!(result.is_void() || result.dtype() == DType::F32, "{}", result.ty());
    let value = result.value();
    drop(cx);
    let graph = trace.finish(&[value])?;
    begin(declared, states);
    let (results, _) = run(&graph, |leaf| states[&leaf.name].clone());
    Ok(results[0].clone())
}

/// Gives states that have none yet their first value.
fn begin(declared: &Declarations, states: &mut States) {
    for variable in &*declared.variables() {
        let first = variable.first_value(0).expect("a state");
        states.entry(variable.path.clone()).or_insert(first);
    }
}

/// Compares a result with Keras': a number, or a tensor.
#[track_caller]
fn assert_result(got: &Array, expected: &Json, what: &str) {
    match expected.is_object() {
        true => assert_close(got, expected, what),
        false => {
            assert!(got.shape.is_empty(), "{what} is not one number: {:?}", got.shape);
            assert_near(got.scalar(), number(expected), what);
        }
    }
}
