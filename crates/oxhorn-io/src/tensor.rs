//! `Tensor`: numbers with a shape, as the bytes that files hold.

use bytes::Bytes;
use half::{bf16, f16};
use oxhorn_ir::{DType, Error, Result, ensure};

/// The type of one element, of all that files may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// True or false, one byte, 0 or 1.
    Bool,
    /// Signed 8-bit integer.
    I8,
    /// Signed 16-bit integer.
    I16,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 8-bit integer.
    U8,
    /// Unsigned 16-bit integer.
    U16,
    /// Unsigned 32-bit integer.
    U32,
    /// Unsigned 64-bit integer.
    U64,
    /// IEEE half precision.
    F16,
    /// The upper half of single precision.
    Bf16,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl Element {
    /// Every element type.
    pub const ALL: [Element; 13] = [
        Element::Bool,
        Element::I8,
        Element::I16,
        Element::I32,
        Element::I64,
        Element::U8,
        Element::U16,
        Element::U32,
        Element::U64,
        Element::F16,
        Element::Bf16,
        Element::F32,
        Element::F64,
    ];

    /// Keras' name: `float32`.
    pub fn name(self) -> &'static str {
        match self {
            Element::Bool => "bool",
            Element::I8 => "int8",
            Element::I16 => "int16",
            Element::I32 => "int32",
            Element::I64 => "int64",
            Element::U8 => "uint8",
            Element::U16 => "uint16",
            Element::U32 => "uint32",
            Element::U64 => "uint64",
            Element::F16 => "float16",
            Element::Bf16 => "bfloat16",
            Element::F32 => "float32",
            Element::F64 => "float64",
        }
    }

    /// The element's extent in a file.
    pub fn bytes(self) -> usize {
        match self {
            Element::Bool | Element::I8 | Element::U8 => 1,
            Element::I16 | Element::U16 | Element::F16 | Element::Bf16 => 2,
            Element::I32 | Element::U32 | Element::F32 => 4,
            Element::I64 | Element::U64 | Element::F64 => 8,
        }
    }

    /// The same type among those of graphs, if it is one of them.
    pub fn dtype(self) -> Option<DType> {
        DType::ALL.into_iter().find(|dtype| Element::from(*dtype) == self)
    }
}

impl From<DType> for Element {
    fn from(dtype: DType) -> Element {
        match dtype {
            DType::Bool => Element::Bool,
            DType::I32 => Element::I32,
            DType::I64 => Element::I64,
            DType::U32 => Element::U32,
            DType::F32 => Element::F32,
            DType::F64 => Element::F64,
        }
    }
}

const NO_BOOL: &str = "a bool is neither 0 nor 1";

/// Numbers with a shape: little-endian, row-major.
///
/// One that was read from a file may be a piece of it, and keeps all of it in memory as long as it
/// lives; a clone shares the bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    element: Element,
    shape: Vec<usize>,
    bytes: Bytes,
}

impl Tensor {
    /// A tensor of bytes as files hold them: little-endian, row-major.
    ///
    /// # Errors
    ///
    /// If the shape and the number of bytes do not go together, or a `bool` is neither 0 nor 1.
    pub fn new(
        element: Element,
        shape: impl Into<Vec<usize>>,
        bytes: impl Into<Bytes>,
    ) -> Result<Tensor> {
        let (shape, bytes) = (shape.into(), bytes.into());
        let expected = bytes_of(element, &shape)?;
        ensure!(
            bytes.len() == expected,
            "{} of shape {shape:?} is {expected} bytes, got {}",
            element.name(),
            bytes.len()
        );
        let flags = element != Element::Bool || bytes.iter().all(|byte| *byte <= 1);
        if !flags {
            return Err(Error::new(NO_BOOL));
        }
        Ok(Tensor { element, shape, bytes })
    }

    /// A tensor of these numbers, row-major.
    ///
    /// # Panics
    ///
    /// If the shape is not that of so many numbers.
    pub fn of<T: Number>(shape: impl Into<Vec<usize>>, values: &[T]) -> Tensor {
        let shape = shape.into();
        let count: usize = shape.iter().product();
        assert_eq!(count, values.len(), "numbers of shape {shape:?}");
        let mut bytes = Vec::with_capacity(values.len() * T::ELEMENT.bytes());
        values.iter().for_each(|value| value.write(&mut bytes));
        Tensor { element: T::ELEMENT, shape, bytes: bytes.into() }
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The extent of each axis; a scalar has none.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements as files hold them: little-endian, row-major.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The elements as files hold them, handed over if nobody shares them.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes.into()
    }

    /// The number of elements.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.element.bytes()
    }

    /// The elements, row-major.
    ///
    /// # Errors
    ///
    /// If they are of another type.
    pub fn values<T: Number>(&self) -> Result<Vec<T>> {
        let (expected, got) = (T::ELEMENT.name(), self.element.name());
        ensure!(T::ELEMENT == self.element, "expected {expected}, got {got}");
        Ok(self.bytes.chunks_exact(T::ELEMENT.bytes()).map(T::read).collect())
    }
}

/// The bytes that a tensor takes.
///
/// # Errors
///
/// If they are more than can be addressed.
pub(crate) fn bytes_of(element: Element, shape: &[usize]) -> Result<usize> {
    // An axis of no extent must not hide that the others overflow: other readers multiply first.
    let nonzero = shape.iter().filter(|extent| **extent != 0);
    let whole = nonzero.copied().try_fold(element.bytes(), usize::checked_mul);
    let Some(whole) = whole.filter(|bytes| *bytes <= isize::MAX as usize) else {
        return Err(Error::new(format!("a shape of {shape:?} is larger than any memory")));
    };
    Ok(if shape.contains(&0) { 0 } else { whole })
}

/// A type of numbers that tensors are made of.
pub trait Number: Copy {
    /// The element type of such numbers.
    const ELEMENT: Element;
    /// Appends the number, little-endian.
    fn write(self, bytes: &mut Vec<u8>);
    /// The number that these bytes are; there are as many as the element type has.
    fn read(bytes: &[u8]) -> Self;
}

macro_rules! numbers {
    ($($number:ty, $element:ident;)*) => {$(
        impl Number for $number {
            const ELEMENT: Element = Element::$element;

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(bytes: &[u8]) -> $number {
                let mut own = [0; size_of::<$number>()];
                own.copy_from_slice(bytes);
                <$number>::from_le_bytes(own)
            }
        }
    )*};
}

numbers! {
    i8, I8;
    i16, I16;
    i32, I32;
    i64, I64;
    u8, U8;
    u16, U16;
    u32, U32;
    u64, U64;
    f16, F16;
    bf16, Bf16;
    f32, F32;
    f64, F64;
}

impl Number for bool {
    const ELEMENT: Element = Element::Bool;

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.push(self as u8);
    }

    fn read(bytes: &[u8]) -> bool {
        bytes[0] != 0
    }
}

/// The tensor with its axes in the opposite order.
pub(crate) fn transposed(tensor: &Tensor) -> Tensor {
    let element = tensor.element.bytes();
    let shape: Vec<usize> = tensor.shape.iter().rev().copied().collect();
    // How far apart neighbours along an axis of the result lie in the source.
    let mut strides = vec![element; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut bytes = Vec::with_capacity(tensor.bytes.len());
    let mut index = vec![0; shape.len()];
    let mut at = 0;
    for _ in 0..tensor.count() {
        bytes.extend_from_slice(&tensor.bytes[at..at + element]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < shape[axis] {
                break;
            }
            at -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    Tensor { element: tensor.element, shape, bytes: bytes.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_they_were() {
        let tensor = Tensor::of([3], &[1.5f64, -0.0, f64::NAN]);
        assert_eq!(tensor.bytes()[..8], 1.5f64.to_le_bytes());
        let values = tensor.values::<f64>().unwrap().into_iter().map(f64::to_bits);
        assert!(values.eq([1.5, -0.0, f64::NAN].map(f64::to_bits)));
        let error = tensor.values::<f32>().unwrap_err();
        assert_eq!(error.message, "expected float32, got float64");
        assert_eq!(Tensor::of([2], &[true, false]).values::<bool>().unwrap(), [true, false]);
    }

    #[test]
    fn a_shape_must_be_that_of_the_bytes() {
        let error = Tensor::new(Element::F32, [2, 3], vec![0; 23]).unwrap_err();
        assert_eq!(error.message, "float32 of shape [2, 3] is 24 bytes, got 23");
        assert!(Tensor::new(Element::F32, [usize::MAX, 2], vec![]).is_err());
        assert!(Tensor::new(Element::F32, [usize::MAX, 0, 2], vec![]).is_err());
        assert!(Tensor::new(Element::F32, [7, 0], vec![]).is_ok());
        assert_eq!(Tensor::new(Element::Bool, [], vec![2]).unwrap_err().message, NO_BOOL);
    }

    #[test]
    fn axes_are_turned_round() {
        // Element [i, j, k] is 100 i + 10 j + k.
        let of = |i: i32, j: i32, k: i32| 100 * i + 10 * j + k;
        let all = |[a, b, c]: [i32; 3]| {
            let places = (0..a).flat_map(move |i| (0..b).map(move |j| (i, j)));
            places.flat_map(move |(i, j)| (0..c).map(move |k| (i, j, k)))
        };
        let values: Vec<i32> = all([2, 3, 1]).map(|(i, j, k)| of(i, j, k)).collect();
        let turned: Vec<i32> = all([1, 3, 2]).map(|(k, j, i)| of(i, j, k)).collect();
        let tensor = Tensor::of([2, 3, 1], &values);
        assert_eq!(transposed(&tensor), Tensor::of([1, 3, 2], &turned));
        for shape in [vec![], vec![0, 5]] {
            let tensor = Tensor::new(Element::U8, shape.clone(), vec![0; 1 - shape.len() / 2]);
            let turned = transposed(&tensor.unwrap());
            assert!(turned.shape().iter().rev().eq(&shape));
        }
    }

    #[test]
    fn graphs_know_six_of_the_types() {
        let known: Vec<_> = Element::ALL.iter().filter_map(|it| it.dtype()).collect();
        assert_eq!(known.len(), DType::ALL.len());
        for element in Element::ALL {
            assert!(element.dtype().is_none_or(|dtype| dtype.bytes() == element.bytes()));
        }
    }
}
