//! A hundred studies of nothing: variants that differ in the seeds of their noise alone.

mod support;

use oxhorn::prelude::*;
use oxhorn_lab::{Finding, Lab, Plan, Variant, compare, statistics::interval};
use support::{blobs, network};

/// A hundred comparisons of a network with itself, dropping other units: as many as one in twenty
/// may be taken for a difference, and no more than a few beyond that at lower confidence.
#[test]
fn of_a_hundred_comparisons_of_the_same_at_most_five_find_a_difference() {
    let data = blobs(150, 30);
    let dropping = |name: &str| {
        let model = network(|model| model.add(Dropout::new(0.5).name(name)));
        Variant::new(name, &model).unwrap()
    };
    let variants = [dropping("heads"), dropping("tails")];
    let (mut found, mut at_half) = (0, 0);
    for study in 0..100 {
        let seeds = 10 * study..10 * (study + 1);
        let plan = Plan::new(2).with_seeds(seeds).batch_size(10);
        let study = compare("same", &variants, &data, &plan, Lab::new().workers(2)).unwrap();
        let comparison = study.comparison(1, "val_loss").unwrap();
        assert_ne!(comparison.difference.unwrap().mean, 0.0);
        found += usize::from(comparison.finding != Finding::NoDifference);
        let loss = |variant| study.finished(variant).map(|(_, it)| it.measures["val_loss"]);
        let differences: Vec<f64> = loss(1).zip(loss(0)).map(|(b, a)| b - a).collect();
        at_half += usize::from(interval(&differences, 0.5).unwrap().excludes_zero());
    }
    assert!(found <= 5, "{found} of 100");
    // If intervals are neither too wide nor too narrow, half of these are missed: 50 ± 3 · 5.
    assert!((35..=65).contains(&at_half), "{at_half} of 100 at half the confidence");
}
