//! A study made by hand, for tests of what shows studies.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Comparison, Finding, Interval, Measured, Outcome, Plan, Run, Stopping, Study, Variant,
};
use crate::{
    calibration::Bin,
    data::{Card, Source, Split},
};

/// A study with these validation losses: for each variant, one for each seed, from seed 0 on.
pub(crate) fn study(losses: &[&[f64]]) -> Study {
    let names = ["none", "dropout 0.5", "noise", "dropout 0.2"];
    let variants: Vec<Variant> = (0..losses.len())
        .map(|variant| Variant {
            name: names.get(variant).map_or(format!("variant {variant}"), |&it| it.into()),
            model: json!({
                "class_name": "Sequential",
                "compile_config": {"loss": "categorical_crossentropy"},
            }),
            numbers: BTreeMap::new(),
        })
        .collect();
    let seeds = losses.iter().map(|losses| losses.len()).max().unwrap_or(0);
    let runs = (0..seeds).flat_map(|seed| {
        losses.iter().enumerate().filter_map(move |(variant, losses)| {
            let outcome = Outcome::Finished(measured(*losses.get(seed)?));
            Some(Run { variant, seed: seed as u32, outcome, seconds: 1.5 })
        })
    });
    Study {
        oxhorn: "0.1.0".into(),
        title: "dropout on digits".into(),
        data: Card {
            name: "digits".into(),
            shape: vec![1797, 64],
            classes: Some(10),
            split: Split::Drawn { train: 500 },
            source: Source::Digits,
            digest: "0123456789abcdef".repeat(4),
        },
        plan: Plan {
            seeds: (0..seeds as u32).collect(),
            epochs: 3,
            batch_size: 32,
            primary: "val_loss".into(),
            confidence: 0.95,
            stopping: Stopping::AfterAll,
        },
        variants,
        runs: runs.collect(),
        comparisons: (1..losses.len()).map(|it| comparison(losses[0], losses[it], it)).collect(),
    }
}

fn measured(loss: f64) -> Measured {
    let measures = [("val_loss", loss), ("val_accuracy", 1.0 - loss / 10.0), ("val_ece", 0.02)];
    let curves = [
        ("loss", vec![4.0 * loss, 2.0 * loss, loss]),
        ("clean_loss", vec![3.0 * loss, loss / 2.0, loss / 100.0]),
        ("val_loss", vec![3.5 * loss, 1.1 * loss, loss]),
    ];
    let bin = |third: u8, count, confidence, accuracy| {
        let [lower, upper] = [third, third + 1].map(|it| f64::from(it) / 3.0);
        Bin { lower, upper, count, confidence, accuracy }
    };
    Measured {
        measures: measures.map(|(name, value)| (name.to_owned(), value)).into(),
        curves: curves.map(|(name, values)| (name.to_owned(), values)).into(),
        reliability: vec![bin(0, 0, 0.0, 0.0), bin(1, 7, 0.4, 0.3), bin(2, 93, 0.9, 0.95)],
    }
}

/// Two standard errors on either side stand for the interval.
fn comparison(first: &[f64], other: &[f64], variant: usize) -> Comparison {
    let pairs: Vec<f64> = first.iter().zip(other).map(|(a, b)| b - a).collect();
    let n = pairs.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n;
    let center = mean(&pairs);
    let variance = pairs.iter().map(|d| (d - center) * (d - center)).sum::<f64>() / (n - 1.0);
    let half = 2.0 * (variance / n).sqrt();
    let interval = Interval { mean: center, low: center - half, high: center + half };
    let difference = (pairs.len() > 1 && half.is_finite()).then_some(interval);
    Comparison {
        variant,
        measure: "val_loss".into(),
        seeds: pairs.len(),
        baseline: mean(&first[..pairs.len()]),
        mean: mean(&other[..pairs.len()]),
        difference,
        effect_size: difference.map(|_| center / variance.sqrt()).filter(|d| d.is_finite()),
        seeds_needed: difference.map(|_| 12),
        finding: match difference {
            None => Finding::TooFewSeeds,
            Some(it) if !it.excludes_zero() => Finding::NoDifference,
            Some(it) if it.mean < 0.0 => Finding::Better,
            Some(_) => Finding::Worse,
        },
    }
}
