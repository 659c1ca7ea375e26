//! Preparing arrays for a network: classes as one-hot vectors, vectors scaled to length one.

use std::fmt::Display;

use ndarray::{
    Array, ArrayBase, ArrayD, ArrayView, AsArray, Axis, Data, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4,
    Ix5, Ix6, IxDyn, NdFloat,
};
use oxhorn_ir::{Error, Result, ensure};

/// The shape of labels, which decides the shape of their one-hot vectors.
pub trait LabelShape: Dimension {
    /// One axis more. It is dynamic where the last axis of the labels may be dropped.
    type Encoded: Dimension;
}

macro_rules! label_shapes {
    ($($labels:ty => $encoded:ty),*) => {
        $(impl LabelShape for $labels { type Encoded = $encoded; })*
    };
}

label_shapes!(
    Ix0 => Ix1, Ix1 => Ix2, Ix2 => IxDyn, Ix3 => IxDyn, Ix4 => IxDyn, Ix5 => IxDyn, Ix6 => IxDyn,
    IxDyn => IxDyn
);

/// One-hot vectors for classes 0 to `num_classes` - 1: `keras.utils.to_categorical`.
///
/// Labels of shape `[n]` give an array of shape `[n, num_classes]`. A last axis of length 1 is
/// dropped first, so that labels of shape `[n, 1]` give the same. `None` for the number of classes
/// stands for the largest label plus one.
///
/// A label that is none of the classes gives a row of NaN, never one that could pass for a class:
/// `fit` and `evaluate` refuse it with an error. [`try_to_categorical`] refuses it at once.
///
/// ```
/// use oxhorn::categorical::to_categorical;
///
/// let y = to_categorical(&vec![2, 0], 3);
/// assert_eq!(y, ndarray::array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// ```
pub fn to_categorical<'a, T, D>(
    labels: impl AsArray<'a, T, D>,
    num_classes: impl Into<Option<usize>>,
) -> Array<f64, D::Encoded>
where
    T: Copy + TryInto<usize> + 'a,
    D: LabelShape,
{
    let labels = labels.into();
    encode(&labels, num_classes.into().unwrap_or_else(|| inferred_classes(&labels)))
}

/// Like [`to_categorical`], but refuses labels that are none of the classes.
///
/// # Errors
/// When a label is negative or not below `num_classes`, and when the number of classes is to be
/// inferred from no labels.
///
/// ```
/// use oxhorn::categorical::try_to_categorical;
///
/// let error = try_to_categorical(&vec![2, 7], 3).unwrap_err();
/// assert_eq!(error.message, "label 7 at position 1 is none of the 3 classes");
/// ```
pub fn try_to_categorical<'a, T, D>(
    labels: impl AsArray<'a, T, D>,
    num_classes: impl Into<Option<usize>>,
) -> Result<Array<f64, D::Encoded>>
where
    T: Copy + TryInto<usize> + Display + 'a,
    D: LabelShape,
{
    let (labels, num_classes) = (labels.into(), num_classes.into());
    ensure!(
        num_classes.is_some() || !labels.is_empty(),
        "the number of classes cannot be inferred from no labels";
        help: "give it: `to_categorical(&labels, 10)`"
    );
    let num_classes = num_classes.unwrap_or_else(|| inferred_classes(&labels));
    for (position, &label) in labels.iter().enumerate() {
        ensure!(
            class_of(label, num_classes).is_some(),
            "label {label} at position {position} is none of the {num_classes} classes";
            help: "classes are numbered 0 to {}", num_classes.saturating_sub(1)
        );
    }
    Ok(encode(&labels, num_classes))
}

fn encode<T, D>(labels: &ArrayView<'_, T, D>, num_classes: usize) -> Array<f64, D::Encoded>
where
    T: Copy + TryInto<usize>,
    D: LabelShape,
{
    let mut shape = labels.shape().to_vec();
    if shape.len() > 1 && shape.last() == Some(&1) {
        shape.pop();
    }
    shape.push(num_classes);
    let mut y = ArrayD::zeros(shape);
    for (mut row, &label) in y.rows_mut().into_iter().zip(labels) {
        match class_of(label, num_classes) {
            Some(class) => row[class] = 1.0,
            None => row.fill(f64::NAN),
        }
    }
    y.into_dimensionality().expect("the shape has the axes that `LabelShape` says")
}

fn class_of<T: TryInto<usize>>(label: T, num_classes: usize) -> Option<usize> {
    label.try_into().ok().filter(|&class| class < num_classes)
}

fn inferred_classes<T, D>(labels: &ArrayView<'_, T, D>) -> usize
where
    T: Copy + TryInto<usize>,
    D: Dimension,
{
    labels
        .iter()
        .filter_map(|&label| label.try_into().ok())
        .max()
        .map_or(0, |class: usize| class + 1)
}

/// Divides each vector along an axis by its norm of the given order: `keras.utils.normalize`.
///
/// Keras' defaults are axis -1 and order 2. A negative axis counts from the last; the order may be
/// 0 (how many are not zero), positive or negative infinity (the largest or smallest magnitude) or
/// any other power. A vector whose norm is zero is left as it is.
///
/// # Errors
/// When the array has no such axis, or the order is NaN.
///
/// ```
/// let x = oxhorn::categorical::normalize(&ndarray::array![[3.0, 4.0], [0.0, 0.0]], -1, 2.0)?;
/// assert_eq!(x, ndarray::array![[0.6, 0.8], [0.0, 0.0]]);
/// # Ok::<(), oxhorn_ir::Error>(())
/// ```
pub fn normalize<A, S, D>(x: &ArrayBase<S, D>, axis: isize, order: f64) -> Result<Array<A, D>>
where
    A: NdFloat,
    S: Data<Elem = A>,
    D: Dimension,
{
    ensure!(!order.is_nan(), "the order of a norm must be a number, got NaN");
    let (rank, from_last) = (x.ndim(), axis.checked_add_unsigned(x.ndim()));
    let position = if axis < 0 { from_last } else { Some(axis) };
    let position = position.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < rank);
    let Some(position) = position else {
        let shape = x.shape();
        return Err(Error::new(format!("an array of shape {shape:?} has no axis {axis}")));
    };
    let mut y = x.to_owned();
    for mut vector in y.lanes_mut(Axis(position)) {
        let norm = norm(vector.iter().copied(), order);
        if norm != A::zero() {
            vector /= norm;
        }
    }
    Ok(y)
}

fn norm<A: NdFloat>(vector: impl Iterator<Item = A>, order: f64) -> A {
    let sizes = vector.map(A::abs);
    if order == f64::INFINITY {
        return sizes.fold(A::zero(), A::max);
    }
    if order == f64::NEG_INFINITY {
        return sizes.fold(A::infinity(), A::min);
    }
    if order == 0.0 {
        return sizes.fold(A::zero(), |n, size| if size == A::zero() { n } else { n + A::one() });
    }
    if order == 1.0 {
        return sizes.fold(A::zero(), |sum, size| sum + size);
    }
    if order == 2.0 {
        return sizes.fold(A::zero(), |sum, size| sum + size * size).sqrt();
    }
    let order = A::from(order).unwrap_or_else(A::infinity);
    sizes.fold(A::zero(), |sum, size| sum + size.powf(order)).powf(order.recip())
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, arr0, array};

    use super::*;

    #[test]
    fn takes_integers_of_every_type() {
        let expected = array![[0.0, 1.0], [1.0, 0.0]];
        assert_eq!(to_categorical(&array![1_i64, 0], 2), expected);
        assert_eq!(to_categorical(&array![1_u8, 0], 2), expected);
        assert_eq!(to_categorical(&vec![1_usize, 0], 2), expected);
        assert_eq!(to_categorical(&[1_i32, 0][..], 2), expected);
        assert_eq!(to_categorical(array![1_u32, 0].view(), 2), expected);
    }

    #[test]
    fn drops_a_last_axis_of_one() {
        let column = to_categorical(&array![[1], [0], [2]], 3);
        assert_eq!(column.into_dimensionality(), Ok(to_categorical(&array![1, 0, 2], 3)));
        assert_eq!(to_categorical(&array![[0, 1], [1, 0], [0, 0]], 2).shape(), [3, 2, 2]);
        assert_eq!(to_categorical(&array![1], 3), array![[0.0, 1.0, 0.0]]);
        assert_eq!(to_categorical(&arr0(1), 3), array![0.0, 1.0, 0.0]);
    }

    #[test]
    fn infers_the_number_of_classes() {
        assert_eq!(to_categorical(&array![3, 0], None).dim(), (2, 4));
        assert_eq!(to_categorical(&Vec::<u8>::new(), None).dim(), (0, 0));
        assert_eq!(to_categorical(&Vec::<u8>::new(), 7).dim(), (0, 7));
    }

    #[test]
    fn marks_labels_outside_the_classes() {
        let y: Array2<f64> = to_categorical(&array![-1, 1, 2, i64::MAX], 2);
        assert!([0, 2, 3].iter().all(|&i| y.row(i).iter().all(|y| y.is_nan())));
        assert_eq!(y.row(1).to_vec(), [0.0, 1.0]);
    }

    #[test]
    fn refuses_labels_outside_the_classes_when_asked() {
        let error = try_to_categorical(&array![[0, 1], [5, 0]], 5).unwrap_err();
        assert_eq!(error.message, "label 5 at position 2 is none of the 5 classes");
        assert_eq!(error.help.as_deref(), Some("classes are numbered 0 to 4"));
        assert!(try_to_categorical(&array![-1], 5).is_err());
        assert!(try_to_categorical(&Vec::<u8>::new(), None).is_err());
        assert_eq!(try_to_categorical(&array![2, 0], None), Ok(to_categorical(&array![2, 0], 3)));
    }

    #[test]
    fn divides_by_norms_of_any_order() {
        let x = array![[3.0_f64, -4.0], [0.0, 0.0]];
        for (order, expected) in [
            (0.0, [1.5, -2.0]),
            (1.0, [3.0 / 7.0, -4.0 / 7.0]),
            (2.0, [0.6, -0.8]),
            (f64::INFINITY, [0.75, -1.0]),
            (f64::NEG_INFINITY, [1.0, -4.0 / 3.0]),
        ] {
            let y = normalize(&x, -1, order).unwrap();
            assert_eq!((y.row(0).to_vec(), y.row(1).to_vec()), (expected.to_vec(), vec![0.0; 2]));
        }
        let y = normalize(&x, 1, 3.0).unwrap();
        assert!((y[[0, 0]].abs().powi(3) + y[[0, 1]].abs().powi(3) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn refuses_an_axis_that_is_not_there() {
        let x = Array3::<f32>::ones((2, 0, 3));
        assert_eq!(normalize(&x, 0, 2.0).unwrap(), normalize(&x, -3, 2.0).unwrap());
        for axis in [3, -4, isize::MAX, isize::MIN] {
            let error = normalize(&x, axis, 2.0).unwrap_err();
            assert_eq!(error.message, format!("an array of shape [2, 0, 3] has no axis {axis}"));
        }
        assert!(normalize(&x, 0, f64::NAN).is_err());
    }
}
