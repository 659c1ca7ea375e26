//! How much each sample counts.

use std::{borrow::Cow, collections::BTreeMap};

use oxhorn_ir::{Error, Result, ensure};

use super::{Elements, Samples};

/// The weights of samples: as given, or by the weights of their classes.
///
/// # Errors
/// When both are given, or the classes of the samples cannot be told.
pub(crate) fn sample_weights<'a>(
    y: &Samples<'_>,
    class_weight: Option<&BTreeMap<i64, f64>>,
    sample_weight: Option<Samples<'a>>,
) -> Result<Option<Samples<'a>>> {
    match (class_weight, sample_weight) {
        (Some(_), Some(_)) => {
            Err(Error::new("You cannot use `class_weight` and `sample_weight` at the same time.")
                .help("multiply each sample's weight by that of its class, and give the products"))
        }
        (Some(class_weight), None) => by_class(y, class_weight).map(Some),
        (None, sample_weight) => Ok(sample_weight),
    }
}

/// For each sample the weight of its class, which is 1 if none is given: the class of a one-hot
/// vector is where its largest number is, and that of a single number the nearest integer.
fn by_class(y: &Samples<'_>, class_weight: &BTreeMap<i64, f64>) -> Result<Samples<'static>> {
    for (class, weight) in class_weight {
        ensure!(
            (*weight as f32).is_finite(),
            "`class_weight` of class {class} must be a finite number, got {weight}"
        );
    }
    let (shape, len) = (y.shape(), y.row_len());
    ensure!(
        shape.len() <= 2 && len > 0,
        "`class_weight` needs one class for each sample; `y` has shape {shape:?}";
        help: "give weights for the single numbers: `sample_weight`"
    );
    let classes: Vec<i64> = match y.elements() {
        Elements::Integers(values) if len == 1 => values.to_vec(),
        Elements::Floats(values) if len == 1 => {
            values.iter().map(|label| label.round_ties_even() as i64).collect()
        }
        Elements::Integers(values) => values.chunks_exact(len).map(largest).collect(),
        Elements::Floats(values) => values.chunks_exact(len).map(largest).collect(),
    };
    let weight_of = |class| class_weight.get(class).map_or(1.0, |&weight| weight as f32);
    let weights: Vec<f32> = classes.iter().map(weight_of).collect();
    Ok(Samples::new(vec![weights.len()], Elements::Floats(Cow::Owned(weights))))
}

/// Where the largest value is, the first of several.
fn largest<T: PartialOrd>(values: &[T]) -> i64 {
    let mut best = 0;
    for (i, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = i;
        }
    }
    best as i64
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, array};

    use super::*;

    fn weights(y: Samples<'_>) -> Result<Vec<f32>> {
        let class_weight = BTreeMap::from([(1, 3.0), (-1, 0.25), (4, 0.5)]);
        let weights = sample_weights(&y, Some(&class_weight), None)?.unwrap();
        assert_eq!(weights.shape(), [y.rows()]);
        match weights.elements() {
            Elements::Floats(values) => Ok(values.to_vec()),
            Elements::Integers(_) => panic!("weights are floats"),
        }
    }

    #[test]
    fn follow_the_classes_of_labels_and_of_one_hot_vectors() {
        assert_eq!(weights((&[1, 0, -1, 7]).into()), Ok(vec![3.0, 1.0, 0.25, 1.0]));
        assert_eq!(weights((&array![[1], [4]]).into()), Ok(vec![3.0, 0.5]));
        assert_eq!(weights((&[0.5, 1.5, 0.51, -0.7]).into()), Ok(vec![1.0, 1.0, 3.0, 0.25]));
        let one_hot = array![[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 0.25, 0.75]];
        assert_eq!(weights((&one_hot).into()), Ok(vec![3.0, 1.0, 1.0]));
        assert_eq!(weights((&array![[0_u8, 1], [1, 0]]).into()), Ok(vec![3.0, 1.0]));
    }

    #[test]
    fn need_one_class_for_each_sample() {
        let error = weights((&Array3::<f32>::zeros((2, 3, 4))).into()).unwrap_err();
        assert_eq!(
            error.message,
            "`class_weight` needs one class for each sample; `y` has shape [2, 3, 4]"
        );
    }

    #[test]
    fn cannot_come_from_both_sources() {
        let (y, given) = ([0, 1], [0.5_f32, 2.0]);
        let (y, given) = (Samples::from(&y), Samples::from(&given));
        let none = BTreeMap::new();
        let error = sample_weights(&y, Some(&none), Some(given.clone())).unwrap_err();
        assert_eq!(
            error.message,
            "You cannot use `class_weight` and `sample_weight` at the same time."
        );
        assert_eq!(sample_weights(&y, None, Some(given.clone())), Ok(Some(given)));
        assert_eq!(sample_weights(&y, None, None), Ok(None));
        let error = sample_weights(&y, Some(&BTreeMap::from([(0, f64::NAN)])), None).unwrap_err();
        assert_eq!(error.message, "`class_weight` of class 0 must be a finite number, got NaN");
    }
}
