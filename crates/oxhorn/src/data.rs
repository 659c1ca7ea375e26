//! Samples: arrays as a user hands them over, made ready for a model.

mod check;
mod order;
mod source;
mod weighting;

use std::borrow::Cow;

use ndarray::{ArrayBase, ArrayRef, ArrayView, Data as Storage, Dimension};
use oxhorn_ir::{DType, Result, Type};

pub use order::Shuffle;
pub use source::{Source, Stream};

pub(crate) use check::{check, check_labels};
pub use order::{Permute, validation_start};
pub(crate) use source::{Feeder, Position};
pub(crate) use weighting::sample_weights;

/// An array whose first axis counts samples: what `fit`, `evaluate` and `predict` are given.
///
/// It is made of a reference to an `ndarray` array or view of any shape, or to a vector, slice or
/// array of numbers, with elements of type `f32`, `f64`, `bool` or any integer of up to 64 bits.
/// As in Keras, floats become single precision and integers stay integers. Nothing is copied if
/// the elements are `f32` or `i64` and in order.
///
/// ```
/// use oxhorn::data::Samples;
///
/// let x = ndarray::array![[0.5, 1.0, 2.0], [4.0, 8.0, 16.0]];
/// let x = Samples::from(&x);
/// assert_eq!((x.shape(), x.rows(), x.row_len()), (&[2, 3][..], 2, 3));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Samples<'a> {
    shape: Vec<usize>,
    elements: Elements<'a>,
    dtype: DType,
}

/// The numbers of an array in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Elements<'a> {
    /// What was given as floats.
    Floats(Cow<'a, [f32]>),
    /// What was given as integers or truth values.
    Integers(Cow<'a, [i64]>),
}

impl<'a> Samples<'a> {
    /// Elements in row-major order, as many as the shape has.
    ///
    /// # Panics
    ///
    /// If they are more or fewer.
    pub fn new(shape: Vec<usize>, elements: Elements<'a>) -> Samples<'a> {
        let is_small = |&integer: &i64| i32::try_from(integer).is_ok();
        let (len, dtype) = match &elements {
            Elements::Floats(values) => (values.len(), DType::F32),
            Elements::Integers(values) if values.iter().all(is_small) => (values.len(), DType::I32),
            // What is larger is no label or index, but may be a quantity.
            Elements::Integers(values) => (values.len(), DType::F32),
        };
        assert_eq!(shape.iter().product::<usize>(), len, "elements of an array of {shape:?}");
        Samples { shape, elements, dtype }
    }

    /// The samples with elements of their own.
    pub fn into_owned(self) -> Samples<'static> {
        let elements = match self.elements {
            Elements::Floats(values) => Elements::Floats(Cow::Owned(values.into_owned())),
            Elements::Integers(values) => Elements::Integers(Cow::Owned(values.into_owned())),
        };
        Samples { shape: self.shape, elements, dtype: self.dtype }
    }

    /// Extents of the axes, that of the samples first.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers.
    pub fn elements(&self) -> &Elements<'a> {
        &self.elements
    }

    /// The type in which programs take the elements: `f32`, or `i32` of integers.
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// The type of so many of these samples.
    pub fn batch_type(&self, rows: usize) -> Type {
        let sample = self.shape.iter().skip(1).copied();
        Type::new(self.dtype, [rows].into_iter().chain(sample).collect::<Vec<usize>>())
    }

    /// Whether a batch of so many of these samples is of this type.
    pub(crate) fn is_batch(&self, ty: &Type, rows: usize) -> bool {
        let extents = ty.shape.split_first();
        let sample = self.shape.get(1..).unwrap_or_default();
        ty.dtype == self.dtype && extents == Some((&rows, sample))
    }

    /// How many samples there are.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// How many numbers a sample has.
    pub fn row_len(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// The samples before a row, and those from it on.
    pub fn split_at(&self, row: usize) -> (Samples<'_>, Samples<'_>) {
        let row = row.min(self.rows());
        let at = row * self.row_len();
        let part = |rows: usize, elements| {
            let shape = [rows].into_iter().chain(self.shape.iter().skip(1).copied()).collect();
            Samples { shape, elements, dtype: self.dtype }
        };
        let (head, tail) = match &self.elements {
            Elements::Floats(values) => {
                let (head, tail) = values.split_at(at);
                (Elements::Floats(head.into()), Elements::Floats(tail.into()))
            }
            Elements::Integers(values) => {
                let (head, tail) = values.split_at(at);
                (Elements::Integers(head.into()), Elements::Integers(tail.into()))
            }
        };
        (part(row, head), part(self.rows() - row, tail))
    }

    /// Writes the given rows, one after the other, to where a program reads them. It writes as many
    /// as have room, and allocates nothing.
    pub(crate) fn gather<T: Input>(&self, rows: &[usize], into: &mut [T]) {
        let len = self.row_len();
        if len == 0 {
            return;
        }
        for (&row, into) in rows.iter().zip(into.chunks_exact_mut(len)) {
            let from = row * len..(row + 1) * len;
            match &self.elements {
                Elements::Floats(values) => fill(into, &values[from], T::from_float),
                Elements::Integers(values) => fill(into, &values[from], T::from_integer),
            }
        }
    }
}

fn fill<A: Copy, T>(into: &mut [T], from: &[A], convert: impl Fn(A) -> T) {
    for (into, &from) in into.iter_mut().zip(from) {
        *into = convert(from);
    }
}

/// What one call is given, or one batch: the inputs of a network, and for each of its outputs a
/// target and weights of samples, where there are such.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Data<'a> {
    /// One for each input.
    pub x: Vec<Samples<'a>>,
    /// One for each output.
    pub y: Vec<Option<Samples<'a>>>,
    /// One for each output.
    pub sample_weight: Vec<Option<Samples<'a>>>,
}

impl<'a> Data<'a> {
    /// Samples for a network with one input and one output.
    pub fn single(
        x: Samples<'a>,
        y: Option<Samples<'a>>,
        sample_weight: Option<Samples<'a>>,
    ) -> Data<'a> {
        Data { x: vec![x], y: vec![y], sample_weight: vec![sample_weight] }
    }

    /// How many samples there are.
    pub fn rows(&self) -> usize {
        self.x.first().map_or(0, Samples::rows)
    }

    /// The same samples, which stay where they are.
    pub fn view(&self) -> Data<'_> {
        self.split_at(self.rows()).0
    }

    /// Rejects arrays that do not hold equally many samples.
    ///
    /// # Errors
    ///
    /// In Keras' words.
    pub(crate) fn check(&self) -> Result<()> {
        let given = self.y.iter().chain(&self.sample_weight).flatten();
        if self.x.iter().chain(given).all(|it| it.rows() == self.rows()) {
            return Ok(());
        }
        let x = self.x.iter().enumerate().map(|(i, x)| (feed_name("x", i, self.x.len()), x));
        let others = [("y", &self.y), ("sample_weight", &self.sample_weight)];
        let others = others.iter().flat_map(|(name, all)| {
            let each = all.iter().enumerate();
            each.filter_map(|(i, it)| Some((feed_name(name, i, all.len()), it.as_ref()?)))
        });
        check::check_lengths(&x.chain(others).collect::<Vec<_>>())
    }

    /// The samples before a row, and those from it on.
    pub fn split_at(&self, row: usize) -> (Data<'_>, Data<'_>) {
        fn each<'s>(
            all: &'s [Option<Samples<'_>>],
            row: usize,
        ) -> (Vec<Option<Samples<'s>>>, Vec<Option<Samples<'s>>>) {
            all.iter().map(|it| it.as_ref().map(|it| it.split_at(row)).unzip()).unzip()
        }
        let (x, val_x) = self.x.iter().map(|x| x.split_at(row)).unzip();
        let ((y, val_y), weights) = (each(&self.y, row), each(&self.sample_weight, row));
        let (sample_weight, val_weights) = weights;
        let head = Data { x, y, sample_weight };
        (head, Data { x: val_x, y: val_y, sample_weight: val_weights })
    }
}

/// What one of several arrays is called: `x`, or of several `x0`, `x1` and so on.
pub(crate) fn feed_name(name: &str, i: usize, of: usize) -> Cow<'_, str> {
    if of == 1 { name.into() } else { format!("{name}{i}").into() }
}

/// A number as a program takes it.
pub(crate) trait Input: Copy {
    fn from_float(value: f32) -> Self;
    fn from_integer(value: i64) -> Self;
}

macro_rules! inputs {
    ($($number:ty),*) => {
        $(impl Input for $number {
            fn from_float(value: f32) -> $number {
                value as $number
            }

            fn from_integer(value: i64) -> $number {
                value as $number
            }
        })*
    };
}

inputs!(f32, f64, i32, i64, u32);

/// What [`Samples`] can be made of: `f32`, `f64`, `bool` and the integers of up to 64 bits.
pub trait Element: Copy {
    /// The values as floats or integers.
    fn elements(values: Cow<'_, [Self]>) -> Elements<'_>;
}

impl Element for f32 {
    fn elements(values: Cow<'_, [f32]>) -> Elements<'_> {
        Elements::Floats(values)
    }
}

impl Element for f64 {
    fn elements(values: Cow<'_, [f64]>) -> Elements<'_> {
        Elements::Floats(values.iter().map(|&value| value as f32).collect())
    }
}

impl Element for i64 {
    fn elements(values: Cow<'_, [i64]>) -> Elements<'_> {
        Elements::Integers(values)
    }
}

macro_rules! small_integers {
    ($($integer:ty),*) => {
        $(impl Element for $integer {
            fn elements(values: Cow<'_, [$integer]>) -> Elements<'_> {
                Elements::Integers(values.iter().map(|&value| value.into()).collect())
            }
        })*
    };
}

small_integers!(bool, i8, i16, i32, u8, u16, u32);

macro_rules! large_integers {
    ($($integer:ty),*) => {
        $(impl Element for $integer {
            fn elements(values: Cow<'_, [$integer]>) -> Elements<'_> {
                let integers = values.iter().map(|&value| value.try_into().ok()).collect();
                match integers {
                    Some(integers) => Elements::Integers(Cow::Owned(integers)),
                    // What no `i64` can hold is no label or index, but may be a quantity.
                    None => Elements::Floats(values.iter().map(|&value| value as f32).collect()),
                }
            }
        })*
    };
}

large_integers!(u64, usize, isize);

impl<'a, A: Element, D: Dimension> From<ArrayView<'a, A, D>> for Samples<'a> {
    fn from(view: ArrayView<'a, A, D>) -> Samples<'a> {
        let values = match view.to_slice() {
            Some(values) => Cow::Borrowed(values),
            None => view.iter().copied().collect(),
        };
        Samples::new(view.shape().to_vec(), A::elements(values))
    }
}

impl<'a, A, S, D> From<&'a ArrayBase<S, D>> for Samples<'a>
where
    A: Element,
    S: Storage<Elem = A>,
    D: Dimension,
{
    fn from(array: &'a ArrayBase<S, D>) -> Samples<'a> {
        array.view().into()
    }
}

impl<'a, A: Element, D: Dimension> From<&'a ArrayRef<A, D>> for Samples<'a> {
    fn from(array: &'a ArrayRef<A, D>) -> Samples<'a> {
        array.view().into()
    }
}

/// One number for each sample.
impl<'a, A: Element> From<&'a [A]> for Samples<'a> {
    fn from(values: &'a [A]) -> Samples<'a> {
        Samples::new(vec![values.len()], A::elements(Cow::Borrowed(values)))
    }
}

/// One number for each sample.
impl<'a, A: Element> From<&'a Vec<A>> for Samples<'a> {
    fn from(values: &'a Vec<A>) -> Samples<'a> {
        values.as_slice().into()
    }
}

/// One number for each sample.
impl<'a, A: Element, const N: usize> From<&'a [A; N]> for Samples<'a> {
    fn from(values: &'a [A; N]) -> Samples<'a> {
        values.as_slice().into()
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, ArrayD, arr0, array, s};

    use super::*;

    fn floats<'a>(samples: &'a Samples<'_>) -> &'a [f32] {
        match samples.elements() {
            Elements::Floats(values) => values,
            Elements::Integers(_) => panic!("these are integers: {samples:?}"),
        }
    }

    #[test]
    fn are_made_of_every_type_of_number() {
        fn check<A: Element>(values: [A; 2], expected: &Elements<'_>) {
            assert_eq!(Samples::from(&values).elements(), expected);
            assert_eq!(Samples::from(&values.to_vec()).elements(), expected);
            assert_eq!(Samples::from(&values[..]).elements(), expected);
            assert_eq!(Samples::from(&ndarray::arr1(&values)).elements(), expected);
        }
        let (floats, integers) = (vec![0.0, 1.0].into(), vec![0, 1].into());
        let (floats, integers) = (Elements::Floats(floats), Elements::Integers(integers));
        check([0.0_f32, 1.0], &floats);
        check([0.0_f64, 1.0], &floats);
        check([false, true], &integers);
        check([0_i8, 1], &integers);
        check([0_i16, 1], &integers);
        check([0_i32, 1], &integers);
        check([0_i64, 1], &integers);
        check([0_isize, 1], &integers);
        check([0_u8, 1], &integers);
        check([0_u16, 1], &integers);
        check([0_u32, 1], &integers);
        check([0_u64, 1], &integers);
        check([0_usize, 1], &integers);
        assert_eq!(self::floats(&(&[u64::MAX, 0]).into()), [u64::MAX as f32, 0.0]);
    }

    #[test]
    fn are_made_of_arrays_of_every_shape_and_layout() {
        let x = Array3::from_shape_fn((2, 3, 5), |(i, j, k)| (100 * i + 10 * j + k) as f64);
        let expected = [10.0, 13.0, 0.0, 3.0, 110.0, 113.0, 100.0, 103.0];
        let view = x.slice(s![.., ..2;-1, ..;3]);
        for samples in [Samples::from(&view), view.into(), Samples::from(&*view.to_owned())] {
            assert_eq!((samples.shape(), floats(&samples)), (&[2, 2, 2][..], &expected[..]));
        }
        let transposed = array![[1_f32, 2.0, 3.0], [4.0, 5.0, 6.0]].reversed_axes();
        assert_eq!(floats(&(&transposed).into()), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn count_samples_and_their_numbers() {
        let counts = |samples: Samples<'_>| (samples.rows(), samples.row_len());
        assert_eq!(counts((&[1.0, 2.0, 3.0]).into()), (3, 1));
        assert_eq!(counts((&ArrayD::<f32>::zeros(vec![2, 3, 1, 5])).into()), (2, 15));
        assert_eq!(counts((&Array2::<f32>::zeros((0, 7))).into()), (0, 7));
        assert_eq!(counts((&arr0(1.0)).into()), (0, 1));
    }

    #[test]
    fn borrow_what_needs_no_conversion() {
        let (x, labels) = (array![[1_f32, 2.0]], vec![1_i64, 2]);
        let (x, labels) = (Samples::from(&x), Samples::from(&labels));
        assert!(matches!(x.elements(), Elements::Floats(Cow::Borrowed(_))));
        assert!(matches!(labels.elements(), Elements::Integers(Cow::Borrowed(_))));
    }

    #[test]
    fn go_to_programs_row_by_row() {
        let x = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]];
        let x = Samples::from(&x);
        let mut into = [0_f32; 6];
        x.gather(&[2, 0], &mut into);
        assert_eq!(into, [7.0, 8.0, 9.0, 1.0, 2.0, 3.0]);
        let labels = Samples::from(&[3_u8, 1, 4, 1, 5]);
        let (mut integers, mut floats) = ([0_i32; 3], [0_f32; 3]);
        labels.gather(&[4, 4, 0], &mut integers);
        labels.gather(&[4, 4, 0], &mut floats);
        assert_eq!((integers, floats), ([5, 5, 3], [5.0, 5.0, 3.0]));
        labels.gather(&[], &mut integers);
        Samples::from(&Array2::<f32>::zeros((2, 0))).gather(&[1], &mut integers);
        assert_eq!(integers, [5, 5, 3]);
    }

    #[test]
    fn part_into_first_and_last() {
        let x = array![[1, 2], [3, 4], [5, 6]];
        let x = Samples::from(&x);
        let (head, tail) = x.split_at(2);
        assert_eq!((head, tail), ((&array![[1, 2], [3, 4]]).into(), (&array![[5, 6]]).into()));
        assert_eq!(x.split_at(7).1.rows(), 0);
        let y = [0.5, 1.5];
        assert_eq!(Samples::from(&y).split_at(1).1, Samples::from(&[1.5]));
    }
}
