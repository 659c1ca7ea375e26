//! Positions along an axis.

use oxhorn_ir::DType;

/// The loop `y[i] = ((start + i) / inner) % extent`.
pub type PositionLoop =
    unsafe fn(len: usize, y: *mut u8, start: usize, extent: usize, inner: usize);

/// The loop for elements of this type; none for `bool`, which does not count.
pub fn positions(dtype: DType) -> Option<PositionLoop> {
    macro_rules! of {
        ($ty:ty) => {{
            /// # Safety
            ///
            /// `y` has room for `len` elements; `inner` and `extent` are positive if `len` is.
            unsafe fn run(len: usize, y: *mut u8, start: usize, extent: usize, inner: usize) {
                for i in 0..len {
                    let position = (start + i) / inner % extent;
                    // SAFETY: the caller's promise.
                    unsafe { *y.cast::<$ty>().add(i) = position as $ty };
                }
            }
            Some(run)
        }};
    }
    match dtype {
        DType::F32 => of!(f32),
        DType::F64 => of!(f64),
        DType::I32 => of!(i32),
        DType::I64 => of!(i64),
        DType::U32 => of!(u32),
        DType::Bool => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_along_the_axis() {
        let mut y = [0i32; 7];
        let run = positions(DType::I32).unwrap();
        // SAFETY: there is room for seven.
        unsafe { run(7, y.as_mut_ptr().cast(), 1, 3, 2) };
        assert_eq!(y, [0, 1, 1, 2, 2, 0, 0]);
    }
}
