//! Every loss: its value under every reduction, its value per sample and its gradient.

use oxhorn_ir::{Trace, grad};
use oxhorn_nn::{
    config::Class,
    losses::{CLASSES, Loss},
};

use crate::golden::*;

#[test]
fn every_loss_is_that_of_keras() {
    let of = |class: &Class<_>| cases("losses", class.name());
    for_each_case(CLASSES, of, |class, case, what| {
        let mut config = case["config"].clone();
        // What Keras does not write.
        match (class.name(), case["name"].as_str()) {
            ("SparseCategoricalCrossentropy", Some("axis 1")) => {
                config["config"]["axis"] = 1.into()
            }
            ("Huber", Some("delta")) => config["config"]["delta"] = 0.25.into(),
            ("CosineSimilarity", Some(name)) => set_axis(&mut config, name),
            _ => {}
        }
        let loss = Loss::open(&config).expect("a loss");
        assert_same_config(&loss.envelope(), &config, what);
        config["config"]["reduction"] = "none".into();
        let apart = Loss::open(&config).expect("a loss");

        let trace = Trace::new("test");
        let input = |name: &str| trace.input(name, tensor(&case[name]).0);
        let (y_true, y_pred) = (input("y_true"), input("y_pred"));
        let weight = case["sample_weight"].is_object().then(|| input("sample_weight"));
        let value = loss.apply(y_true, y_pred, weight);
        let gradient = grad(value.sum(..), &[y_pred])[0];
        let per_sample = apart.apply(y_true, y_pred, None);
        let wanted = [value.value(), per_sample.value(), gradient.value()];
        let graph = trace.finish(&wanted).expect("no mistake");
        let (results, _) = run(&graph, |leaf| tensor(&case[&leaf.name]).1);
        assert_close(&results[0], &case["value"], what);
        assert_close(&results[1], &case["per_sample"], &format!("each of {what}"));
        assert_close(&results[2], &case["dy_pred"], &format!("gradient of {what}"));
    });
    let excused = [("", "dtype")];
    assert_every_setting_is_tried(CLASSES, of, &excused);
}
