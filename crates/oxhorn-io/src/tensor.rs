//! `Tensor`: numbers with a shape, as the bytes that files hold.

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

/// Numbers with a shape: little-endian, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    element: Element,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    /// A tensor of bytes as files hold them: little-endian, row-major.
    ///
    /// # Errors
    ///
    /// If the shape and the number of bytes do not go together, or a `bool` is neither 0 nor 1.
    pub fn new(element: Element, shape: impl Into<Vec<usize>>, bytes: Vec<u8>) -> Result<Tensor> {
        let shape = shape.into();
        let expected = bytes_of(element, &shape)?;
        ensure!(
            bytes.len() == expected,
            "{} of shape {shape:?} is {expected} bytes, got {}",
            element.name(),
            bytes.len()
        );
        let flags = element != Element::Bool || bytes.iter().all(|byte| *byte <= 1);
        ensure!(flags, "a bool is neither 0 nor 1");
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
        Tensor { element: T::ELEMENT, shape, bytes }
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

    /// The elements as files hold them, handed over.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
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
    Tensor { element: tensor.element, shape, bytes }
}
