//! Rows to one value each, and one value each to rows.

use oxhorn_ir::DType;

use crate::{
    isa::Isa,
    kernels::reduce::MatrixLoop,
    lanes::{CHUNK, lanes, write},
};

macro_rules! argmax_of {
    ($isa:ident, $t:ty) => {{
        lanes! {
            unsafe fn run<M>(extents: [usize; 2], stride: usize, y: *mut u8, x: *const u8) {
                // SAFETY: whoever calls a `MatrixLoop` passes a matrix of this type, these extents
                // and this stride, and room for the result.
                unsafe { argmax_elements::<$t>(extents, stride, y.cast(), x.cast()) }
            }
        }
        run($isa)
    }};
}

/// The loop `y[r, c] = x[r]`.
pub fn spread(dtype: DType) -> MatrixLoop {
    match dtype.bytes() {
        1 => spread_elements::<u8>,
        4 => spread_elements::<u32>,
        _ => spread_elements::<u64>,
    }
}

/// The loop `y[r] = argmax over c of x[r, c]`, as `i32`: the first among equals, and NaN above all.
/// Rows must not be empty.
pub fn argmax(isa: Isa, dtype: DType) -> MatrixLoop {
    match dtype {
        DType::F32 => argmax_of!(isa, f32),
        DType::F64 => argmax_of!(isa, f64),
        DType::I32 => argmax_of!(isa, i32),
        DType::I64 => argmax_of!(isa, i64),
        DType::U32 => argmax_of!(isa, u32),
        DType::Bool => argmax_of!(isa, u8),
    }
}

/// # Safety
///
/// `x` holds `rows` elements and `y` has room for `rows * columns`; they do not overlap.
unsafe fn spread_elements<T: Copy>(
    [rows, columns]: [usize; 2],
    _: usize,
    y: *mut u8,
    x: *const u8,
) {
    let (x, y, len) = (x.cast::<T>(), y.cast::<T>(), rows * columns);
    for row in 0..rows {
        let start = row * columns;
        // SAFETY: the caller's promise; a short row is written as a whole chunk where there is
        // room for one, and what that writes too much belongs to rows that come later.
        unsafe {
            let value = *x.add(row);
            if columns <= CHUNK && start + CHUNK <= len {
                write(y.add(start), [value; CHUNK]);
            } else {
                std::slice::from_raw_parts_mut(y.add(start), columns).fill(value);
            }
        }
    }
}

/// Several rows at a time, for each is one chain of dependent steps.
///
/// # Safety
///
/// `x` is a matrix of these extents, its rows `stride` apart, and `y` has room for a value of each
/// row; they do not overlap.
#[inline(always)]
unsafe fn argmax_elements<T: Copy + Default + PartialOrd>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut i32,
    x: *const T,
) {
    for start in (0..rows).step_by(CHUNK) {
        let (x, y) = (x.wrapping_add(start * stride), y.wrapping_add(start));
        // SAFETY: these rows are among those of the matrix.
        unsafe {
            match rows - start {
                // A number that the compiler knows, so that it makes vectors.
                CHUNK.. => argmax_few([CHUNK, columns], stride, y, x),
                count => argmax_few([count, columns], stride, y, x),
            }
        }
    }
}

/// # Safety
///
/// As [`argmax_elements`], of a chunk of rows at most.
#[inline(always)]
unsafe fn argmax_few<T: Copy + Default + PartialOrd>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut i32,
    x: *const T,
) {
    let (mut greatest, mut best) = ([T::default(); CHUNK], [0; CHUNK]);
    for c in 0..columns {
        for r in 0..rows {
            // SAFETY: row r exists and has a column c.
            let x = unsafe { *x.add(r * stride + c) };
            let takes = (c == 0) | exceeds(x, greatest[r]);
            greatest[r] = if takes { x } else { greatest[r] };
            best[r] = if takes { c as i32 } else { best[r] };
        }
    }
    // SAFETY: y has room for an element of each row.
    unsafe { y.copy_from_nonoverlapping(best.as_ptr(), rows) };
}

/// Whether `x` is greater, NaN being above all and equal to none: not less or equal, that is, as
/// long as what it is compared with is a number.
#[inline(always)]
#[allow(clippy::eq_op, clippy::neg_cmp_op_on_partial_ord, reason = "NaN compares with nothing")]
fn exceeds<T: Copy + PartialOrd>(x: T, greatest: T) -> bool {
    !(x <= greatest) & (greatest == greatest)
}

/// The index of the greatest element, NaN above all; 0 of none.
pub(crate) fn first_greatest<T: Copy + PartialOrd>(x: &[T]) -> usize {
    let beats = |best: usize, i: usize| if exceeds(x[i], x[best]) { i } else { best };
    (1..x.len()).fold(0, beats)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greatest_is_the_first_among_equals() {
        assert_eq!(first_greatest(&[1.0, 3.0, 3.0]), 1);
        assert_eq!(first_greatest(&[5]), 0);
        assert_eq!(first_greatest(&[1.0, f64::NAN, 9.0, f64::NAN]), 1);
    }

    #[test]
    fn rows_are_searched_alike_alone_and_together() {
        for isa in Isa::available() {
            for (rows, columns) in [(0, 3), (1, 1), (7, 5), (16, 2), (33, 10), (3, 100)] {
                let number = |i: usize| match i * 7919 % 13 {
                    12 if i.is_multiple_of(3) => f32::NAN,
                    k => k as f32,
                };
                let x: Vec<f32> = (0..rows * columns).map(number).collect();
                let mut y = vec![-1i32; rows];
                let run = argmax(isa, DType::F32);
                // SAFETY: this machine has the instruction set; extents and room are as given.
                unsafe { run([rows, columns], columns, y.as_mut_ptr().cast(), x.as_ptr().cast()) };
                let expected: Vec<i32> =
                    x.chunks(columns).map(|row| first_greatest(row) as i32).collect();
                assert_eq!(y, expected, "{isa} {rows} {columns}");
            }
        }
    }

    #[test]
    fn spreads_each_value_along_its_row() {
        for (rows, columns) in [(0, 3), (2, 0), (2, 3), (9, 5), (32, 1), (3, 16), (3, 17)] {
            let x: Vec<f32> = (0..rows).map(|row| row as f32 + 0.5).collect();
            let mut y = vec![-1.0f32; rows * columns + 1];
            let run = spread(DType::F32);
            // SAFETY: there are `rows` values, and room for them `columns` times.
            unsafe { run([rows, columns], columns, y.as_mut_ptr().cast(), x.as_ptr().cast()) };
            assert_eq!(y.pop(), Some(-1.0));
            assert!(y.iter().enumerate().all(|(i, y)| *y == (i / columns) as f32 + 0.5));
        }
    }
}
