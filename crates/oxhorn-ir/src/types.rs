//! What is known of a value before anything runs: its element type and its shape.

use std::fmt;

/// The type of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// True or false, one byte.
    Bool,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// Unsigned 32-bit integer: seeds, counters and random bits.
    U32,
    /// IEEE single precision.
    F32,
    /// IEEE double precision.
    F64,
}

impl DType {
    /// Every element type.
    pub const ALL: [DType; 6] =
        [DType::Bool, DType::I32, DType::I64, DType::U32, DType::F32, DType::F64];

    /// The name in text form: `f32`.
    pub fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::I32 => "i32",
            DType::I64 => "i64",
            DType::U32 => "u32",
            DType::F32 => "f32",
            DType::F64 => "f64",
        }
    }

    /// The element's extent in memory.
    pub fn bytes(self) -> usize {
        match self {
            DType::Bool => 1,
            DType::I32 | DType::U32 | DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }

    /// Whether elements are real numbers, through which gradients flow.
    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Whether elements are integers.
    pub fn is_int(self) -> bool {
        matches!(self, DType::I32 | DType::I64 | DType::U32)
    }

    /// The nearest value of this type, as the reference interpreter keeps it.
    ///
    /// Integers truncate towards zero and wrap; `bool` is "not zero"; floats are *not* rounded, so
    /// that reference definitions mean the exact function. [`crate::Cast`] alone rounds.
    pub fn wrap(self, x: f64) -> f64 {
        match self {
            DType::Bool => (x != 0.0) as u8 as f64,
            DType::I32 => (x as i64 as i32) as f64,
            DType::I64 => (x as i64) as f64,
            DType::U32 => (x as i64 as u32) as f64,
            DType::F32 | DType::F64 => x,
        }
    }
}

/// An element type and a shape: `f32[2, 3]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// The type of each element.
    pub dtype: DType,
    /// The extent of each axis; a scalar has none.
    pub shape: Vec<usize>,
}

impl Type {
    /// A tensor type.
    pub fn new(dtype: DType, shape: impl Into<Vec<usize>>) -> Type {
        Type { dtype, shape: shape.into() }
    }

    /// A tensor of `f32`.
    pub fn f32(shape: impl Into<Vec<usize>>) -> Type {
        Type::new(DType::F32, shape)
    }

    /// The same elements in another shape.
    pub fn reshaped(&self, shape: impl Into<Vec<usize>>) -> Type {
        Type::new(self.dtype, shape)
    }

    /// The same shape with other elements.
    pub fn of(&self, dtype: DType) -> Type {
        Type::new(dtype, self.shape.clone())
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// The number of elements; `usize::MAX` if there are more.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |len, &extent| len.saturating_mul(extent))
    }

    /// Whether there is no element at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The extent in memory; `usize::MAX` if it is more.
    pub fn bytes(&self) -> usize {
        self.len().saturating_mul(self.dtype.bytes())
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.dtype, self.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_in_graphs() {
        assert_eq!(Type::f32([2, 3]).to_string(), "f32[2, 3]");
        assert_eq!(Type::new(DType::Bool, []).to_string(), "bool[]");
    }

    #[test]
    fn counts_elements_and_bytes() {
        assert_eq!((Type::f32([]).len(), Type::f32([]).bytes()), (1, 4));
        assert_eq!((Type::f32([3, 0]).len(), Type::f32([3, 0]).is_empty()), (0, true));
        assert_eq!(Type::new(DType::F64, [3]).bytes(), 24);
        assert_eq!(Type::f32([usize::MAX, 2]).bytes(), usize::MAX);
    }

    #[test]
    fn wraps_integers_and_leaves_real_numbers_alone() {
        assert_eq!(DType::I32.wrap(2147483648.0), -2147483648.0);
        assert_eq!(DType::U32.wrap(-1.0), 4294967295.0);
        assert_eq!(DType::I64.wrap(-1.9), -1.0);
        assert_eq!(DType::Bool.wrap(0.3), 1.0);
        assert_eq!(DType::F32.wrap(0.1), 0.1);
    }
}
