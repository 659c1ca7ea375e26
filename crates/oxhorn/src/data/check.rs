//! What data must be like before a model is trained on it.

use oxhorn_ir::{Error, Result, ensure};

use super::{Elements, Samples};

/// Checks arrays that belong together, each by the name of its argument: they have samples, equally
/// many, and every number is one.
///
/// # Errors
/// When they are not so.
pub(crate) fn check(arrays: &[(&str, &Samples<'_>)]) -> Result<()> {
    for (name, array) in arrays {
        let shape = array.shape();
        ensure!(
            !shape.is_empty(),
            "`{name}` is a single number, not an array of samples";
            help: "the first axis of an array counts samples"
        );
        ensure!(
            !shape.contains(&0),
            "`{name}` is empty: its shape is {shape:?}";
            help: "there must be one sample at least, of one number at least"
        );
    }
    check_lengths(arrays)?;
    arrays.iter().try_for_each(|(name, array)| check_finite(name, array))
}

/// Checks that arrays, each by its name, hold equally many samples.
///
/// # Errors
/// When they do not, in Keras' words.
pub(crate) fn check_lengths(arrays: &[(impl AsRef<str>, &Samples<'_>)]) -> Result<()> {
    let mut rows = arrays.iter().map(|(_, array)| array.rows());
    let first = rows.next();
    if rows.all(|rows| Some(rows) == first) {
        return Ok(());
    }
    let size = |(name, array): &(_, &Samples<'_>)| {
        format!("'{}' sizes: {}", AsRef::<str>::as_ref(name), array.rows())
    };
    let sizes: Vec<String> = arrays.iter().map(size).collect();
    Err(Error::new(format!(
        "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples. \
         {}",
        sizes.join(", ")
    ))
    .help("the first axis of an array counts samples"))
}

fn check_finite(name: &str, array: &Samples<'_>) -> Result<()> {
    let Elements::Floats(values) = array.elements() else {
        return Ok(());
    };
    let Some(at) = values.iter().position(|value| !value.is_finite()) else {
        return Ok(());
    };
    let (value, place) = (values[at], index_of(at, array.shape()));
    let row = &values[at - at % array.row_len()..][..array.row_len()];
    let help = match name {
        _ if value.is_infinite() => "numbers are kept in single precision, whose largest is 3.4e38",
        "y" if row.len() > 1 && row.iter().all(|value| value.is_nan()) => {
            "`to_categorical` makes a row of NaN of a label outside the classes; \
             `try_to_categorical` says which"
        }
        _ => "one such number makes NaN of all that it meets: leave its sample out, or replace it",
    };
    Err(Error::new(format!("`{name}` holds {value} at {place:?}")).help(help))
}

/// Checks that labels are numbers of classes, or the one that stands for no class.
///
/// # Errors
/// At the first that is neither.
pub(crate) fn check_labels(
    name: &str,
    labels: &Samples<'_>,
    classes: usize,
    ignored: Option<i64>,
) -> Result<()> {
    let is_class = |label: i64| {
        Some(label) == ignored || usize::try_from(label).is_ok_and(|label| label < classes)
    };
    let wrong = match labels.elements() {
        Elements::Integers(values) => {
            let at = values.iter().position(|&label| !is_class(label));
            at.map(|at| (at, values[at].to_string()))
        }
        // Whole numbers may come as floats. What is cast saturates, and is compared afterwards.
        Elements::Floats(values) => {
            let is_class = |label: f32| label.fract() == 0.0 && is_class(label as i64);
            let at = values.iter().position(|&label| !is_class(label));
            at.map(|at| (at, values[at].to_string()))
        }
    };
    match wrong {
        None => Ok(()),
        Some((at, label)) => {
            let place = index_of(at, labels.shape());
            Err(Error::new(format!(
                "label {label} at {place:?} of `{name}` is none of the {classes} classes"
            ))
            .help(format!(
                "classes are numbered 0 to {}; the last layer has as many units as there are \
                 classes",
                classes.saturating_sub(1)
            )))
        }
    }
}

/// The indices of an element, given its place in row-major order.
fn index_of(mut at: usize, shape: &[usize]) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    for (index, &extent) in index.iter_mut().zip(shape).rev() {
        (*index, at) = (at % extent, at / extent);
    }
    index
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, arr0, array};

    use super::*;
    use crate::categorical::to_categorical;

    fn refusal(arrays: &[(&str, &Samples<'_>)]) -> Error {
        check(arrays).unwrap_err()
    }

    #[test]
    fn refuses_data_without_samples_or_numbers() {
        let array = Array3::<f32>::zeros((3, 0, 2));
        let error = refusal(&[("x", &(&array).into())]);
        assert_eq!(error.message, "`x` is empty: its shape is [3, 0, 2]");
        let error = refusal(&[("y", &(&Vec::<u8>::new()).into())]);
        assert_eq!(error.message, "`y` is empty: its shape is [0]");
        let error = refusal(&[("x", &(&arr0(1.0)).into())]);
        assert_eq!(error.message, "`x` is a single number, not an array of samples");
    }

    #[test]
    fn refuses_arrays_of_different_lengths_in_the_words_of_keras() {
        let (x, y, weights) = (array![[1.0], [2.0], [3.0]], [0, 1, 0], [1.0, 2.0]);
        let (x, y, weights) = ((&x).into(), (&y).into(), (&weights).into());
        assert_eq!(check(&[("x", &x), ("y", &y)]), Ok(()));
        let error = refusal(&[("x", &x), ("y", &y), ("sample_weight", &weights)]);
        assert_eq!(
            error.message,
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of \
             samples. 'x' sizes: 3, 'y' sizes: 3, 'sample_weight' sizes: 2"
        );
    }

    #[test]
    fn refuses_what_is_no_number_and_says_where() {
        let mut x = Array3::<f64>::zeros((2, 3, 5));
        x[[1, 2, 0]] = f64::NAN;
        let error = refusal(&[("x", &(&x).into())]);
        assert_eq!(error.message, "`x` holds NaN at [1, 2, 0]");
        // Beyond the range of single precision.
        x[[0, 1, 4]] = -1e39;
        let error = refusal(&[("x", &(&x).into())]);
        assert_eq!(error.message, "`x` holds -inf at [0, 1, 4]");
        assert!(error.help.unwrap().contains("3.4e38"));
    }

    #[test]
    fn knows_a_row_of_to_categorical_that_is_no_class() {
        let y = to_categorical(&array![0, 2, 7], 3);
        let error = refusal(&[("y", &(&y).into())]);
        assert_eq!(error.message, "`y` holds NaN at [2, 0]");
        assert!(error.help.unwrap().contains("try_to_categorical"));
    }

    #[test]
    fn refuses_labels_that_are_no_classes() {
        let message = |labels: Samples<'_>, ignored| {
            check_labels("y", &labels, 5, ignored).err().map(|error| error.message)
        };
        assert_eq!(message((&[0_u8, 4, 2]).into(), None), None);
        assert_eq!(message((&[0.0, 4.0]).into(), None), None);
        assert_eq!(message((&[0_i64, -1, 4]).into(), Some(-1)), None);
        for (labels, text) in [
            (Samples::from(&[0_i64, 5]), "label 5 at [1]"),
            (Samples::from(&[0_i64, -1]), "label -1 at [1]"),
            (Samples::from(&[1.0, 1.5]), "label 1.5 at [1]"),
            (Samples::from(&[f32::NAN, 1e30]), "label NaN at [0]"),
            (Samples::from(&[1e30]), "label 1000000000000000000000000000000 at [0]"),
            (Samples::from(&array![[0, 1], [9, 0]]), "label 9 at [1, 0]"),
        ] {
            let expected = format!("{text} of `y` is none of the 5 classes");
            assert_eq!(message(labels, None), Some(expected));
        }
    }
}
