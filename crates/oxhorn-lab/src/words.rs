//! Measures: what they are called in words, and which way they get better.

use crate::study::Study;

/// Which way a measure gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Losses and errors.
    Lower,
    /// Accuracies and their like.
    Higher,
}

/// Parts of names of which more is better. Whatever is not known is taken for a loss or an error.
const HIGHER: [&str; 10] = [
    "accuracy",
    "acc",
    "auc",
    "precision",
    "recall",
    "f1_score",
    "fbeta_score",
    "io_u",
    "r2_score",
    "cosine_similarity",
];

impl Better {
    /// Which way the measure of this name gets better.
    pub fn of(measure: &str) -> Better {
        let name = measure.strip_prefix("val_").unwrap_or(measure);
        let known = |part: &str| name == part || name.ends_with(&format!("_{part}"));
        if HIGHER.iter().any(|part| known(part)) { Better::Higher } else { Better::Lower }
    }
}

/// What a measure is called within a sentence.
pub fn measure(measure: &str) -> String {
    let known = match measure {
        "loss" => "training loss as trained",
        "clean_loss" => "training loss, noise off",
        "best_val_loss" => "lowest validation loss of all epochs",
        "gap" => "gap from training to validation loss",
        "val_error" => "validation error rate",
        "val_mse" => "validation mean squared error",
        "val_ece" => "validation calibration error (ECE)",
        "val_nll" => "validation negative log-likelihood",
        "val_brier" => "validation Brier score",
        _ => "",
    };
    match (known, measure.strip_prefix("val_")) {
        ("", Some(name)) => format!("validation {}", name.replace('_', " ")),
        ("", None) => measure.replace('_', " "),
        (known, _) => known.to_owned(),
    }
}

/// Whether a measure is of validation data alone, so that better is better.
pub fn is_of_validation(measure: &str) -> bool {
    measure.starts_with("val_") || measure == "best_val_loss"
}

/// What losses of a study are measured in, as an axis is named.
pub fn unit(study: &Study) -> String {
    let loss = study.variants.first().map(|variant| &variant.model["compile_config"]["loss"]);
    // An object, or its name.
    let name = loss.and_then(|loss| loss.as_str().or(loss["class_name"].as_str()));
    let name = name.unwrap_or("loss").replace('_', "").to_lowercase();
    match name.as_str() {
        "loss" => "loss".to_owned(),
        name if name.ends_with("crossentropy") => "cross-entropy, nats per sample".to_owned(),
        "mse" | "meansquarederror" => "mean squared error".to_owned(),
        "mae" | "meanabsoluteerror" => "mean absolute error".to_owned(),
        name => format!("loss ({name})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::study::fixture;

    #[test]
    fn axes_are_named_by_the_loss() {
        for (loss, unit) in [
            (json!("categorical_crossentropy"), "cross-entropy, nats per sample"),
            (json!({"class_name": "BinaryCrossentropy"}), "cross-entropy, nats per sample"),
            (json!("mse"), "mean squared error"),
            (json!({"class_name": "Huber"}), "loss (huber)"),
            (json!(null), "loss"),
        ] {
            let mut study = fixture::study(&[&[0.5]]);
            study.variants[0].model["compile_config"]["loss"] = loss;
            assert_eq!(super::unit(&study), unit);
        }
    }

    #[test]
    fn losses_get_better_downwards_and_accuracies_upwards() {
        for name in ["val_loss", "loss", "clean_loss", "val_nll", "val_ece", "val_mae", "val_race"]
        {
            assert_eq!(Better::of(name), Better::Lower, "{name}");
        }
        for name in ["val_accuracy", "accuracy", "val_sparse_categorical_accuracy", "val_auc"] {
            assert_eq!(Better::of(name), Better::Higher, "{name}");
        }
    }

    #[test]
    fn measures_have_names_that_one_can_say() {
        for (name, said) in [
            ("val_loss", "validation loss"),
            ("val_top_k_accuracy", "validation top k accuracy"),
            ("clean_loss", "training loss, noise off"),
            ("val_ece", "validation calibration error (ECE)"),
            ("sharpness", "sharpness"),
        ] {
            assert_eq!(measure(name), said);
        }
    }
}
