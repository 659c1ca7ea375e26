//! What the experiments have in common: where MNIST lies, how far a study is, and tables.

#![allow(dead_code, reason = "each experiment is a program of its own, and none needs everything")]

use std::{
    env,
    io::{self, IsTerminal, Write},
    path::PathBuf,
};

use oxhorn::prelude::*;
use oxhorn_lab::{Dataset, Lab, Plan, Study, Variant, compare};

/// The first images of MNIST, so many of the training set and so many of the test set, from the
/// folder that `OXHORN_DATA` names or in which `cargo xtask data` puts it.
pub(crate) fn mnist(train: usize, test: usize) -> Result<Dataset> {
    let folder = env::var_os("OXHORN_DATA").map_or("target/data/mnist".into(), PathBuf::from);
    Dataset::mnist(&folder, train, test)
        .map_err(|error| error.help("`cargo xtask data` brings MNIST; OXHORN_DATA may name it"))
}

/// A network for MNIST: two hidden layers of so many units, and what is to stand before each of
/// the three layers.
pub(crate) fn network(units: usize, rates: Option<[f64; 3]>) -> Result<Sequential> {
    let mut model = Sequential::new();
    for (i, (units, activation)) in
        [(units, "relu"), (units, "relu"), (10, "softmax")].into_iter().enumerate()
    {
        let dense = Dense::new(units).activation(activation);
        model = match (rates, i) {
            (Some(rates), 0) => model.add(Dropout::new(rates[0]).input_dim(784)).add(dense),
            (Some(rates), _) => model.add(Dropout::new(rates[i])).add(dense),
            (None, 0) => model.add(dense.input_dim(784)),
            (None, _) => model.add(dense),
        };
    }
    model.compile("adam", "sparse_categorical_crossentropy", ["accuracy"])?;
    Ok(model)
}

/// Compares the variants; says how far it is, where someone may be looking.
pub(crate) fn study(
    title: &str,
    variants: &[Variant],
    data: &Dataset,
    plan: &Plan,
) -> Result<Study> {
    let watched = io::stderr().is_terminal();
    let lab = Lab::new().watch(|progress| {
        if watched {
            let (done, total) = (progress.done, progress.total);
            write!(io::stderr(), "\r{title}: {done} of {total} runs ").ok();
        }
        Ok(())
    });
    let study = compare(title, variants, data, plan, lab)?;
    if watched {
        write!(io::stderr(), "\r{:70}\r", "").ok();
    }
    Ok(study)
}

/// A number of a table: its name in a study, its head, and what it is multiplied with.
pub(crate) type Column<'a> = (&'a str, &'a str, f64);

/// What is measured of a classifier.
pub(crate) const SCORES: [Column<'static>; 3] =
    [("val_error", "test error, %", 100.0), ("val_nll", "NLL", 1.0), ("val_ece", "ECE", 1.0)];

/// The means of all variants, and in how far they differ from the first, as a table in Markdown.
pub(crate) fn table(study: &Study, columns: &[Column<'_>]) -> String {
    let heads: Vec<&str> = columns.iter().map(|(_, head, _)| *head).collect();
    let mut text = format!("| | {} |\n|---|{}\n", heads.join(" | "), "---|".repeat(columns.len()));
    for (i, variant) in study.variants.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| cell(study, i, *column)).collect();
        text += &format!("| {} | {} |\n", variant.name, cells.join(" | "));
    }
    text
}

fn cell(study: &Study, variant: usize, (measure, _, unit): Column<'_>) -> String {
    let values: Vec<f64> = study.measured(variant, measure).map(|(_, value)| value).collect();
    if values.is_empty() {
        return "diverged".to_owned();
    }
    let digits = if unit == 1.0 { 3 } else { 2 };
    let mean = unit * values.iter().sum::<f64>() / values.len() as f64;
    let difference = study.comparison(variant, measure).and_then(|it| it.difference);
    match difference {
        None => format!("{mean:.digits$}"),
        Some(it) => {
            let [middle, low, high] = [it.mean, it.low, it.high].map(|value| unit * value);
            format!("{mean:.digits$} ({middle:+.digits$}, {low:+.digits$} to {high:+.digits$})")
        }
    }
}
