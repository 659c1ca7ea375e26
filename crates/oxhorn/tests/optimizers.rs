//! Optimizers at work: whole models trained, and optimizers that hold others.

mod support;

use oxhorn::{optimizers::Optimizer, prelude::*};
use support::{bits, samples, seeded, tutorial};

/// The tutorial's network after five epochs with this optimizer, and its losses.
fn trained(optimizer: impl Into<Optimizer>) -> (Sequential, Vec<f64>) {
    let _guard = seeded(3);
    let (x, y) = samples(29);
    let mut model = tutorial(1);
    model.compile(optimizer, "categorical_crossentropy", NO_METRICS).unwrap();
    let history = model.fit(&x, &y, Fit::epochs(5).batch_size(7).verbose(0)).unwrap();
    let losses = history["loss"].to_vec();
    (model, losses)
}

#[test]
fn every_optimizer_makes_the_loss_smaller() {
    let map = OptimizerMap::new(Muon::new().learning_rate(0.02)).add(".*/bias", "adam");
    let optimizers: [Optimizer; 7] = [
        Adafactor::new().learning_rate(0.05).into(),
        Ftrl::new().learning_rate(0.05).into(),
        Lamb::new().learning_rate(0.02).into(),
        Muon::new().learning_rate(0.02).into(),
        ScheduleFreeAdamW::new().learning_rate(0.01).into(),
        LossScaleOptimizer::new(Adam::new().learning_rate(0.01)).into(),
        MultiOptimizer::new(map).into(),
    ];
    for optimizer in optimizers {
        let (_, losses) = trained(optimizer.clone());
        assert!(losses[4] < losses[0], "{optimizer:?}: {losses:?}");
    }
}

#[test]
fn what_holds_one_optimizer_trains_as_that_one_bit_for_bit() {
    let rule = || Adam::new().learning_rate(0.01).gradient_accumulation_steps(2).use_ema(true);
    let (plain, losses) = trained(rule());
    // Powers of two scale without rounding.
    let multi = MultiOptimizer::new(OptimizerMap::new(rule()).add("nobody", "sgd"));
    let scaled = LossScaleOptimizer::new(rule()).dynamic_growth_steps(3);
    let both = LossScaleOptimizer::new(multi.clone());
    for held in [Optimizer::from(multi.clone()), scaled.into(), both.into()] {
        let (model, found) = trained(held.clone());
        assert_eq!(bits(&model), bits(&plain), "{held:?}");
        assert_eq!(found, losses);
    }
}

#[test]
fn each_of_several_optimizers_has_a_learning_rate_of_its_own() {
    let map = OptimizerMap::new(SGD::new().learning_rate(0.5)).add(".*/bias", "adam");
    let (mut model, _) = trained(MultiOptimizer::new(map));
    let rates = |model: &Sequential| {
        let numbers = model.numbers().unwrap();
        numbers.into_iter().filter(|(path, _)| path.ends_with("learning_rate")).collect::<Vec<_>>()
    };
    let expected = [("optimizer/adam/learning_rate", 0.001), ("optimizer/sgd/learning_rate", 0.5)];
    assert_eq!(rates(&model), expected.map(|(path, rate)| (path.to_owned(), rate)));

    let (x, y) = samples(7);
    let (kernel, bias) = ("dense/kernel", "dense/bias");
    let weight = |model: &Sequential, path| model.weight(path).unwrap();
    let before = (weight(&model, kernel), weight(&model, bias));
    model.set_number("optimizer/sgd/learning_rate", 0.0).unwrap();
    model.train_on_batch(&x, &y).unwrap();
    assert_eq!(weight(&model, kernel), before.0);
    assert_ne!(weight(&model, bias), before.1);

    model.compile("sgd", "categorical_crossentropy", NO_METRICS).unwrap();
    assert_eq!(rates(&model), [("optimizer/learning_rate".to_owned(), 0.01)]);
}
