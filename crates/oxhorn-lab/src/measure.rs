//! What a trained network is worth, and which of its measures mean the same of two variants.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayD, ArrayView2, Ix2};
use oxhorn::{callbacks::Direction, losses::Loss};
use serde_json::Value;

use crate::{
    Error, Result,
    calibration::{Bin, Outputs, Reliability, Scores, accuracy},
    study::Variant,
};

/// The measures that a verdict is about unless it is said, the best first.
const PRIMARY: [&str; 4] = ["val_loss", "val_nll", "val_mse", "val_error"];

/// What predictions are worth.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judged {
    /// By name.
    pub(crate) measures: BTreeMap<String, f64>,
    /// How often a classifier is right by how sure it is.
    pub(crate) reliability: Vec<Bin>,
}

/// What predictions of classes are worth: `val_accuracy` and `val_error`; and, if they are
/// probabilities, `val_nll`, `val_brier` and `val_ece`, which are those of [`Scores`].
pub(crate) fn of_classes(predictions: &ArrayD<f32>, labels: &[usize], output: Outputs) -> Judged {
    let mut judged = Judged::default();
    let Ok(outputs) = predictions.view().into_dimensionality::<Ix2>() else { return judged };
    let p = match output {
        Outputs::Probabilities => outputs.to_owned(),
        Outputs::Logits => probabilities_of(outputs),
    };
    let mut set = |name: &str, value: f64| judged.measures.insert(name.to_owned(), value);
    let scores = Scores::of(p.view(), labels);
    // Neither function changes which output is the greatest, whatever outputs mean.
    let right = match &scores {
        Ok(scores) => Ok(scores.accuracy),
        Err(_) => accuracy(probabilities_of(outputs).view(), labels),
    };
    if let Ok(right) = right {
        set("val_accuracy", right);
        set("val_error", 1.0 - right);
    }
    if let Ok(scores) = scores {
        set("val_nll", scores.negative_log_likelihood);
        set("val_brier", scores.brier_score);
        set("val_ece", scores.expected_calibration_error);
        let reliability = Reliability::equal_width(p.view(), labels, Scores::BINS);
        judged.reliability = reliability.map_or(vec![], |it| it.bins);
    }
    judged
}

/// What predictions of numbers are worth: `val_mse`, the mean squared error.
pub(crate) fn of_values(predictions: &ArrayD<f32>, targets: &ArrayD<f32>) -> Judged {
    let mut judged = Judged::default();
    // A column of numbers and a list of as many are the same to Keras.
    if predictions.len() == targets.len() && !targets.is_empty() {
        let pairs = predictions.iter().zip(targets);
        let squares: f64 = pairs.map(|(y, t)| (f64::from(*y) - f64::from(*t)).powi(2)).sum();
        judged.measures.insert("val_mse".to_owned(), squares / targets.len() as f64);
    }
    judged
}

/// The softmax of each row, or the sigmoid of each number if there is one a row.
fn probabilities_of(logits: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut p = logits.mapv(f64::from);
    if p.ncols() == 1 {
        p.mapv_inplace(|x| 1.0 / (1.0 + (-x).exp()));
    }
    for mut row in p.rows_mut().into_iter().filter(|row| row.len() > 1) {
        let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        row.mapv_inplace(|x| (x - most).exp());
        let sum = row.sum();
        row.mapv_inplace(|x| x / sum);
    }
    p.mapv(|p| p as f32)
}

/// Which way a measure gets better, as its name says or as its metric `told`; `None` of a metric
/// that does not say.
pub(crate) fn direction(measure: &str, told: &BTreeMap<String, Direction>) -> Option<Direction> {
    match measure {
        "val_accuracy" => return Some(Direction::Up),
        "loss" | "val_loss" | "clean_loss" | "best_val_loss" | "gap" | "val_error" | "val_nll"
        | "val_brier" | "val_ece" | "val_mse" => return Some(Direction::Down),
        _ => {}
    }
    told.get(measure.strip_prefix("val_").unwrap_or(measure)).copied()
}

/// What keeps the losses of variants from being compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Losses {
    /// Nothing: they are the same function of the same things.
    Same,
    /// Penalties for weights or outputs differ, which are part of a loss.
    OtherPenalties,
    /// The losses themselves differ.
    Others,
}

impl Losses {
    /// Of these variants.
    pub(crate) fn of(variants: &[Variant]) -> Losses {
        let Some((first, others)) = variants.split_first() else { return Losses::Same };
        let losses = |variant: &Variant| {
            let config = &variant.model["compile_config"];
            // A loss may be given by one of its names.
            let loss = match &config["loss"] {
                Value::String(name) => Loss::from(name).envelope(),
                other => other.clone(),
            };
            [loss, config["loss_weights"].clone()]
        };
        if others.iter().any(|other| losses(other) != losses(first)) {
            Losses::Others
        } else if others.iter().any(|other| penalties(&other.model) != penalties(&first.model)) {
            Losses::OtherPenalties
        } else {
            Losses::Same
        }
    }

    /// Whether a measure means the same of all variants.
    pub(crate) fn compare(self, measure: &str) -> bool {
        match (measure, self) {
            (_, Losses::Same) => true,
            ("loss" | "clean_loss" | "val_loss" | "best_val_loss", _) => false,
            // The penalties are the same on both sides of the gap.
            ("gap", losses) => losses == Losses::OtherPenalties,
            _ => true,
        }
    }

    /// Rejects a measure that does not mean the same of all variants.
    pub(crate) fn check_primary(self, measure: &str) -> Result<()> {
        if self.compare(measure) {
            return Ok(());
        }
        let what = match self {
            Losses::Others => "their losses differ",
            _ => "the penalties in their losses differ",
        };
        Err(Error::new(format!("the variants cannot be compared by `{measure}`: {what}"))
            .help("`val_nll` of classifiers and `val_mse` mean the same of all variants"))
    }

    /// The measure that the verdict is about: the one that was asked for, or the best there is.
    pub(crate) fn primary(self, asked: &str, measures: &BTreeMap<String, f64>) -> Result<String> {
        let known = |name: &&str| measures.contains_key(*name) && self.compare(name);
        let found = match asked {
            "" => PRIMARY.into_iter().find(known),
            asked => Some(asked).filter(known),
        };
        found.map(str::to_owned).ok_or_else(|| {
            let known: Vec<&str> = measures.keys().map(String::as_str).collect();
            Error::new(format!("there is no measure `{asked}` to compare the variants by"))
                .help(format!("there are: {}", known.join(", ")))
        })
    }
}

/// What a model adds to its loss, in the order in which it stands in its config.
fn penalties(model: &Value) -> Vec<&Value> {
    let mut found = vec![];
    collect_penalties(&model["config"], &mut found);
    found
}

fn collect_penalties<'a>(config: &'a Value, found: &mut Vec<&'a Value>) {
    match config {
        Value::Array(items) => items.iter().for_each(|item| collect_penalties(item, found)),
        Value::Object(entries) => {
            if entries.get("class_name").is_some_and(|name| name == "ActivityRegularization") {
                // Its name may be another wherever other layers come before it.
                found.extend(["l1", "l2"].map(|factor| &config["config"][factor]));
            }
            for (key, value) in entries {
                match key.ends_with("_regularizer") && !value.is_null() {
                    true => found.push(value),
                    false => collect_penalties(value, found),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn predictions_are_counted_by_how_sure_they_are() {
        let p = array![[1.0_f32, 0.0], [0.95, 0.05], [0.0, 1.0], [0.5, 0.5]].into_dyn();
        let judged = of_classes(&p, &[0, 1, 1, 0], Outputs::Probabilities);
        // Certainty has a bin of its own, behind the fifteen.
        let counts: Vec<usize> = judged.reliability.iter().map(|bin| bin.count).collect();
        assert_eq!((counts[7], counts[14], counts[15], counts.len()), (1, 1, 2, 16));
        assert_eq!(judged.reliability[15].accuracy, 1.0);
        assert_eq!(judged.measures["val_accuracy"], 0.75);
        assert_eq!(judged.measures["val_error"], 0.25);
    }

    #[test]
    fn outputs_that_are_no_probabilities_have_an_accuracy_only() {
        let outputs = array![[3.0_f32, -1.0], [-2.0, 0.5], [0.25, 0.5]].into_dyn();
        let judged = of_classes(&outputs, &[0, 1, 0], Outputs::Probabilities);
        let names: Vec<&str> = judged.measures.keys().map(String::as_str).collect();
        assert_eq!(names, ["val_accuracy", "val_error"]);
        assert!(judged.reliability.is_empty());
        // As logits they have all: softmax([3, -1])[0] = 1 / (1 + e⁻⁴).
        let judged = of_classes(&outputs, &[0, 1, 0], Outputs::Logits);
        let p = [4.0_f64, 2.5, -0.25].map(|x| 1.0 / (1.0 + (-x).exp()));
        let nll = -p.iter().map(|p| p.ln()).sum::<f64>() / 3.0;
        assert!((judged.measures["val_nll"] - nll).abs() < 1e-6);
        // A single column above 0 says yes.
        let column = array![[0.5_f32], [-0.5], [2.0]].into_dyn();
        let judged = of_classes(&column, &[1, 0, 0], Outputs::Logits);
        assert!((judged.measures["val_accuracy"] - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_measure_gets_better_as_its_name_or_its_metric_says() {
        let told = BTreeMap::from([("precision".to_owned(), Direction::Up)]);
        assert_eq!(direction("val_loss", &told), Some(Direction::Down));
        assert_eq!(direction("val_accuracy", &told), Some(Direction::Up));
        assert_eq!(direction("val_precision", &told), Some(Direction::Up));
        assert_eq!(direction("val_my_metric", &told), None);
    }
}
