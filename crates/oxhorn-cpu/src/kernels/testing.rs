//! Arrays of any element type, and what counts as equal to a reference, for the tests of kernels.

use oxhorn_ir::DType;

/// Nothing, one, and lengths around those of vectors.
pub(crate) const LENGTHS: [usize; 9] = [0, 1, 15, 16, 17, 63, 64, 65, 1000];

/// An array of elements of a type known at run time.
pub(crate) struct Buffer {
    dtype: DType,
    len: usize,
    words: Vec<u64>,
}

impl Buffer {
    /// Holds these numbers, converted to the type.
    pub(crate) fn new(dtype: DType, numbers: &[f64]) -> Buffer {
        let mut buffer = Buffer { dtype, len: numbers.len(), words: vec![0; numbers.len() + 1] };
        for (i, &x) in numbers.iter().enumerate() {
            let size = dtype.bytes();
            let bytes: [u8; 8] = match dtype {
                DType::Bool => u64::from(x != 0.0).to_le_bytes(),
                DType::I32 | DType::I64 | DType::U32 => (x as i64).to_le_bytes(),
                DType::F32 => u64::from((x as f32).to_bits()).to_le_bytes(),
                DType::F64 => x.to_bits().to_le_bytes(),
            };
            // SAFETY: there is a word for every element, and none is longer.
            unsafe { buffer.as_mut_ptr().add(i * size).copy_from(bytes.as_ptr(), size) };
        }
        buffer
    }

    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.words.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.words.as_mut_ptr().cast()
    }

    /// The elements as numbers.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let at = |i: usize| {
            let x = self.as_ptr().wrapping_add(i * self.dtype.bytes());
            // SAFETY: element i exists, has this type, and lies as such elements must.
            unsafe {
                match self.dtype {
                    DType::Bool => f64::from(*x),
                    DType::I32 => f64::from(*x.cast::<i32>()),
                    DType::I64 => *x.cast::<i64>() as f64,
                    DType::U32 => f64::from(*x.cast::<u32>()),
                    DType::F32 => f64::from(*x.cast::<f32>()),
                    DType::F64 => *x.cast::<f64>(),
                }
            }
        };
        (0..self.len).map(at).collect()
    }
}

/// Whether `y` is `expected` to within the precision of its type, relatively.
pub(crate) fn close(dtype: DType, y: f64, expected: f64, precision: f64) -> bool {
    let (expected, smallest) = match dtype {
        DType::F32 => (f64::from(expected as f32), f64::from(f32::MIN_POSITIVE)),
        _ => (expected, f64::MIN_POSITIVE),
    };
    let equal = y == expected || (y.is_nan() && expected.is_nan());
    equal || (y - expected).abs() <= precision * expected.abs() + smallest
}
