//! Every metric: its result after each of a few batches.

use std::collections::HashMap;

use oxhorn_ir::{Array, Trace};
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
        let mut states = HashMap::new();
        let (results, updates) = (list(&case["results"]), list(&case["updates"]));
        for (step, (update, expected)) in updates.iter().zip(results).enumerate() {
            let (result, what) =
                (batch(&metric, update, &mut states), format!("{what} after {step}"));
            match expected.is_object() {
                true => assert_close(&result, expected, &what),
                false => assert_near(result.scalar(), number(expected), &what),
            }
        }
    });
    let excused = [("", "dtype")];
    CLASSES.iter().for_each(|class| assert_every_setting_is_tried(class, &of(class), &excused));
}

#[test]
fn every_metric_gets_better_the_way_it_does_in_keras() {
    for class in CLASSES {
        let metric = Metric::from(class.name());
        let direction = metric.get().expect("a metric of its name").direction();
        let expected = match class.name() {
            "Mean" | "Sum" => None,
            name if name.ends_with("Accuracy") => Some(Direction::Up),
            "CosineSimilarity" | "R2Score" => Some(Direction::Up),
            "PearsonCorrelation" | "ConcordanceCorrelation" => Some(Direction::Up),
            _ => Some(Direction::Down),
        };
        assert_eq!(direction, expected, "{class:?}");
    }
}

/// The result after one more batch.
fn batch(metric: &Metric, update: &Json, states: &mut HashMap<String, Array>) -> Array {
    let (trace, declared) = (Trace::new("test"), Declarations::new());
    let cx = Scope::new(&trace, &declared, Mode::Infer);
    let input = |name: &str| trace.input(name, tensor(&update[name]).0);
    let (y_true, y_pred) = match update["values"].is_object() {
        true => (input("values"), input("values")),
        false => (input("y_true"), input("y_pred")),
    };
    let weight = update["sample_weight"].is_object().then(|| input("sample_weight"));
    let metric = metric.get().expect("an object");
    metric.update(&cx, y_true, y_pred, weight);
    let result = metric.result(&cx).value();
    cx.write_updates();
    drop(cx);
    let graph = trace.finish(&[result]).expect("no mistake");
    for variable in &*declared.variables() {
        let first = variable.first_value(0).expect("a state");
        states.entry(variable.path.clone()).or_insert(first);
    }
    let (mut results, updates) = run(&graph, |leaf| match states.get(&leaf.name) {
        Some(state) => state.clone(),
        None => tensor(&update[&leaf.name]).1,
    });
    states.extend(updates);
    results.swap_remove(0)
}
