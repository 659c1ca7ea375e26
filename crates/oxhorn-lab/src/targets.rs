//! Targets in the form that a model's loss takes.

use ndarray::{ArrayD, Axis, IxDyn};
use oxhorn::{Sequential, data::Samples};

use crate::{
    Error, Result,
    data::{Dataset, Target},
};

/// In which form a model takes its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The number of each sample's class.
    Labels,
    /// A row for each sample, with a 1 for its class.
    OneHot(usize),
    /// A single 0 or 1 for each sample.
    Binary,
    /// Numbers, as they are.
    Values,
}

/// Targets of some samples.
pub enum Targets {
    /// The numbers of classes.
    Labels(Vec<i64>),
    /// Anything else.
    Numbers(ArrayD<f32>),
}

impl Form {
    /// The form that suits a model's loss and output, for targets such as these.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn of(model: &Sequential, data: &Dataset) -> Result<Form> {
        let loss = model.loss().map(|loss| loss.get().map(|loss| loss.class_name()));
        let loss = loss.transpose()?.unwrap_or_default();
        let last = model.summary().rows.pop().and_then(|row| row.output_shape);
        let units = last.unwrap_or_default().last().copied().flatten();
        let Target::Classes { names, .. } = &data.y else {
            return match takes_labels(loss) {
                false => Ok(Form::Values),
                true => Err(Error::new(format!(
                    "the loss {loss} is about classes, and the targets of `{}` are numbers",
                    data.name
                ))
                .help("compile with a loss for numbers, such as \"mse\"")),
            };
        };
        match (names.len(), units) {
            (classes, Some(units)) if takes_labels(loss) && units >= classes => Ok(Form::Labels),
            (classes, Some(units)) if !takes_labels(loss) && units == classes && units > 1 => {
                Ok(Form::OneHot(classes))
            }
            (2, Some(1)) if !takes_labels(loss) => Ok(Form::Binary),
            (classes, units) => Err(Error::new(format!(
                "the model's last layer has {} units, and `{}` has {classes} classes",
                units.map_or("?".to_owned(), |units| units.to_string()),
                data.name
            ))
            .help("the last layer has a unit for each class, or a single one for two classes")),
        }
    }

    /// The targets of these samples.
    pub fn targets(self, data: &Dataset, rows: &[usize]) -> Targets {
        let labels = match &data.y {
            Target::Values(values) => return Targets::Numbers(values.select(Axis(0), rows)),
            Target::Classes { labels, .. } => rows.iter().map(|&row| labels[row]),
        };
        let width = match self {
            Form::Labels | Form::Values => return Targets::Labels(labels.collect()),
            Form::Binary => 1,
            Form::OneHot(classes) => classes,
        };
        let mut targets = ArrayD::zeros(IxDyn(&[rows.len(), width]));
        for (row, label) in labels.enumerate() {
            match self {
                Form::Binary => targets[[row, 0]] = label as f32,
                _ => targets[[row, label as usize]] = 1.0,
            }
        }
        Targets::Numbers(targets)
    }
}

impl Targets {
    /// As models take them.
    pub fn samples(&self) -> Samples<'_> {
        match self {
            Targets::Labels(labels) => labels.into(),
            Targets::Numbers(numbers) => numbers.into(),
        }
    }
}

/// Whether what a loss of this class is about is classes, however they are handed over.
pub fn is_about_classes(loss: &str) -> bool {
    takes_labels(loss)
        || ["Categorical", "Binary"].iter().any(|kind| loss.starts_with(kind))
        || ["Hinge", "SquaredHinge", "CategoricalHinge"].contains(&loss)
}

/// Whether a loss takes the numbers of classes.
fn takes_labels(loss: &str) -> bool {
    loss.starts_with("Sparse") || loss == "CategoricalGeneralizedCrossEntropy"
}
