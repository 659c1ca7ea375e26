//! Calibration: whether a classifier's probabilities mean what they say, and how to mend them.
//!
//! A classifier is calibrated if of all that it is 80 % sure of, 80 % is right. [`Reliability`]
//! shows by how much it is not, [`Scores`] say how good its probabilities are on the whole, and
//! [`calibrate`] mends a model by the one number of a `Temperature`.
//!
//! Probabilities are an array of samples by classes, whose rows sum to 1. One column is the
//! probability of class 1, such as a sigmoid gives: then the class is what is said to happen or
//! not, and its probability is compared with how often it does, as torchmetrics and scikit-learn
//! do with two classes; with two columns or more, the greatest probability is compared with how
//! often that class is right.
//!
//! Guo, Pleiss, Sun & Weinberger, *On calibration of modern neural networks*, ICML 2017,
//! <https://arxiv.org/abs/1706.04599>.

mod reliability;
mod scores;
mod temperature;

use ndarray::{Array2, ArrayView2};
use oxhorn::{
    Error, Result,
    data::{Elements, Samples},
};

pub use self::{
    reliability::{Bin, Reliability},
    scores::{BrierScale, Scores, accuracy, brier_score, negative_log_likelihood},
    temperature::{Calibration, Outputs, TEMPERATURES, calibrate, fit_temperature},
};

/// How far from 1 the sum of a sample's probabilities may be: they come from `f32` as a rule.
const ROUNDING: f64 = 1e-3;

/// An element of an array of probabilities: `f32` or `f64`.
pub trait Real: Copy + Into<f64> + sealed::Sealed {
    /// The distance from 1 to the next number.
    const EPSILON: f64;
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The classes that labels name: the labels themselves, or the place of the 1 in each row.
///
/// `y` is `[samples]` or `[samples, 1]` of classes' numbers, or `[samples, columns]` of rows in
/// which the true class is 1 and all others are 0; `columns` is how many probabilities there are
/// for a sample.
///
/// # Errors
///
/// If `y` has another shape, or an element that is no class.
pub fn classes_of(y: &Samples<'_>, columns: usize) -> Result<Vec<usize>> {
    let numbers: Vec<f64> = match y.elements() {
        Elements::Floats(values) => values.iter().map(|&value| value.into()).collect(),
        Elements::Integers(values) => values.iter().map(|&value| value as f64).collect(),
    };
    match *y.shape() {
        [_] | [_, 1] => numbers.iter().enumerate().map(|(i, &label)| number_of(i, label)).collect(),
        [_, classes] if classes == columns => {
            numbers.chunks(classes).enumerate().map(|(i, row)| place_of_1(i, row)).collect()
        }
        _ => Err(Error::new(format!(
            "labels of shape {:?} do not fit {columns} probabilities a sample",
            y.shape()
        ))
        .help("give one number of a class for each sample, or a row with a 1 in its place")),
    }
}

/// A label that is the number of a class.
fn number_of(sample: usize, label: f64) -> Result<usize> {
    match label >= 0.0 && label.fract() == 0.0 {
        true => Ok(label as usize),
        false => Err(Error::new(format!("the label {label} of sample {sample} is no class"))
            .help("classes are numbered from 0")),
    }
}

/// The place of the 1 in a row that is 0 everywhere else.
fn place_of_1(sample: usize, row: &[f64]) -> Result<usize> {
    let mut ones = row.iter().enumerate().filter(|(_, it)| **it != 0.0);
    match (ones.next(), ones.next()) {
        (Some((class, 1.0)), None) => Ok(class),
        _ => {
            Err(Error::new(format!("the labels of sample {sample} are not a single 1 among zeros"))
                .help("a sample must belong to one class; smoothed labels name none"))
        }
    }
}

/// Probabilities and labels that fit each other.
struct Checked<'a> {
    /// Samples by classes, or one column.
    probabilities: Array2<f64>,
    labels: &'a [usize],
}

impl<'a> Checked<'a> {
    fn new<P: Real>(probabilities: ArrayView2<'_, P>, labels: &'a [usize]) -> Result<Checked<'a>> {
        let probabilities = probabilities.mapv(Into::into);
        check_labels(&probabilities, labels)?;
        for (sample, row) in probabilities.outer_iter().enumerate() {
            if let Some(p) = row.iter().find(|p| !(0.0..=1.0 + ROUNDING).contains(*p)) {
                let message = format!("the probability {p} of sample {sample} is not from 0 to 1");
                return Err(Error::new(message).help(NOT_LOGITS));
            }
            let sum = row.sum();
            if row.len() > 1 && (sum - 1.0).abs() > ROUNDING {
                let message =
                    format!("the probabilities of sample {sample} sum to {sum}, not to 1");
                return Err(Error::new(message).help(NOT_LOGITS));
            }
        }
        Ok(Checked { probabilities: probabilities.mapv_into(|p: f64| p.min(1.0)), labels })
    }

    fn samples(&self) -> usize {
        self.labels.len()
    }

    /// For each sample how sure it was, and whether that came true.
    fn judgements(&self) -> Vec<(f64, bool)> {
        let judged = self.probabilities.outer_iter().zip(self.labels);
        let judge = |(row, &label): (ndarray::ArrayView1<'_, f64>, &usize)| match row.len() {
            1 => (row[0], label == 1),
            _ => {
                let (class, p) = greatest(row.iter());
                (p, class == label)
            }
        };
        judged.map(judge).collect()
    }

    /// The probability of each sample's true class.
    fn of_the_truth(&self) -> impl Iterator<Item = f64> {
        let rows = self.probabilities.outer_iter().zip(self.labels);
        rows.map(|(row, &label)| match (row.len(), label) {
            (1, 0) => 1.0 - row[0],
            (1, _) => row[0],
            _ => row[label],
        })
    }
}

/// What may be wrong where probabilities are not.
const NOT_LOGITS: &str =
    "probabilities are what a softmax or a sigmoid gives; logits have to go through one first";

/// Rejects labels that do not fit the array.
fn check_labels(outputs: &Array2<f64>, labels: &[usize]) -> Result<()> {
    let (samples, columns) = outputs.dim();
    if samples != labels.len() {
        let message =
            format!("there are {samples} rows of probabilities and {} labels", labels.len());
        return Err(Error::new(message).help("there must be one label for each sample"));
    }
    if samples == 0 || columns == 0 {
        let message =
            format!("nothing can be said of probabilities of shape {:?}", [samples, columns]);
        return Err(Error::new(message).help("there must be one sample and one class at least"));
    }
    // A single column tells apart two classes.
    let classes = columns.max(2);
    match labels.iter().position(|label| *label >= classes) {
        None => Ok(()),
        Some(sample) => Err(Error::new(format!(
            "the label {} of sample {sample} is out of range",
            labels[sample]
        ))
        .help(format!("there are {classes} classes, numbered from 0"))),
    }
}

/// The first of the greatest numbers, and its place.
fn greatest<'a>(row: impl Iterator<Item = &'a f64>) -> (usize, f64) {
    row.copied().enumerate().fold((0, f64::NEG_INFINITY), |best, it| match it.1 > best.1 {
        true => it,
        false => best,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, array};

    use super::*;

    #[test]
    fn what_cannot_be_judged_is_refused_with_what_was_received() {
        let error = |p: Array2<f64>, labels: &[usize]| {
            Checked::new(p.view(), labels).err().expect("refused").message
        };
        assert_eq!(
            error(array![[0.5, 0.5]], &[0, 1]),
            "there are 1 rows of probabilities and 2 labels"
        );
        assert_eq!(
            error(Array2::zeros((0, 3)), &[]),
            "nothing can be said of probabilities of shape [0, 3]"
        );
        assert_eq!(
            error(Array2::zeros((2, 0)), &[0, 0]),
            "nothing can be said of probabilities of shape [2, 0]"
        );
        assert_eq!(
            error(array![[0.5, 0.5], [0.5, 0.5]], &[1, 2]),
            "the label 2 of sample 1 is out of range"
        );
        assert_eq!(error(array![[0.5]], &[2]), "the label 2 of sample 0 is out of range");
        assert_eq!(
            error(array![[0.5, 0.5], [f64::NAN, 0.5]], &[1, 0]),
            "the probability NaN of sample 1 is not from 0 to 1"
        );
        assert_eq!(
            error(array![[-1.5, 2.5]], &[1]),
            "the probability -1.5 of sample 0 is not from 0 to 1"
        );
        assert_eq!(
            error(array![[0.5, 0.25]], &[1]),
            "the probabilities of sample 0 sum to 0.75, not to 1"
        );
    }

    #[test]
    fn classes_are_numbers_or_places() {
        let of = |y: ndarray::ArrayD<f32>, columns| classes_of(&Samples::from(&y), columns);
        assert_eq!(of(array![2.0, 0.0, 1.0].into_dyn(), 3), Ok(vec![2, 0, 1]));
        assert_eq!(of(array![[1.0], [0.0]].into_dyn(), 1), Ok(vec![1, 0]));
        assert_eq!(of(array![[0.0, 1.0], [1.0, 0.0]].into_dyn(), 2), Ok(vec![1, 0]));
        assert_eq!(of(Array::zeros([0]).into_dyn(), 2), Ok(vec![]));
        assert_eq!(classes_of(&Samples::from(&[3i64, 0]), 4), Ok(vec![3, 0]));
        let error = |y, columns| of(y, columns).unwrap_err().message;
        assert_eq!(
            error(array![[0.9, 0.1]].into_dyn(), 2),
            "the labels of sample 0 are not a single 1 among zeros"
        );
        assert_eq!(error(array![0.0, 0.5].into_dyn(), 2), "the label 0.5 of sample 1 is no class");
        assert_eq!(
            error(Array::zeros([4, 3]).into_dyn(), 2),
            "labels of shape [4, 3] do not fit 2 probabilities a sample"
        );
    }
}
