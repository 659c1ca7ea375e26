//! Rows to one value each, and one value each to rows.

use std::cmp::Ordering::{Equal, Less};

use oxhorn_ir::DType;

use crate::{
    isa::Isa,
    kernels::reduce::MatrixLoop,
    lanes::{CHUNK, write},
};

/// The loop `y[r, c] = x[r]`.
pub fn spread(_: Isa, dtype: DType) -> MatrixLoop {
    match dtype.bytes() {
        1 => spread_elements::<u8>,
        4 => spread_elements::<u32>,
        _ => spread_elements::<u64>,
    }
}

/// The loop `y[r] = argmax over c of x[r, c]`, as `i32`: the first among equals, and NaN above all.
/// Rows must not be empty.
pub fn argmax(_: Isa, dtype: DType) -> Option<MatrixLoop> {
    Some(match dtype {
        DType::F32 => argmax_elements::<f32>,
        DType::F64 => argmax_elements::<f64>,
        DType::I32 => argmax_elements::<i32>,
        DType::I64 => argmax_elements::<i64>,
        DType::U32 => argmax_elements::<u32>,
        DType::Bool => argmax_elements::<u8>,
    })
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

/// # Safety
///
/// `x` is a matrix of these extents, its rows `stride` apart, and `y` has room for a value of each
/// row; they do not overlap.
unsafe fn argmax_elements<T: Copy + PartialOrd>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut u8,
    x: *const u8,
) {
    for row in 0..rows {
        // SAFETY: the caller's promise.
        let x = unsafe { std::slice::from_raw_parts(x.cast::<T>().add(row * stride), columns) };
        // SAFETY: the caller's promise.
        unsafe { *y.cast::<i32>().add(row) = first_greatest(x) as i32 };
    }
}

/// The index of the greatest element, NaN above all; 0 of none.
pub(crate) fn first_greatest<T: Copy + PartialOrd>(x: &[T]) -> usize {
    let Some(&(mut greatest)) = x.first() else { return 0 };
    let mut best = 0;
    for (i, &candidate) in x.iter().enumerate().skip(1) {
        // Not less or equal: greater, or not a number. Once that is found, it stays.
        let is_number = greatest.partial_cmp(&greatest).is_some();
        let greater = !matches!(candidate.partial_cmp(&greatest), Some(Less | Equal)) && is_number;
        greatest = if greater { candidate } else { greatest };
        best = if greater { i } else { best };
    }
    best
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
    fn spreads_each_value_along_its_row() {
        for (rows, columns) in [(0, 3), (2, 0), (2, 3), (9, 5), (32, 1), (3, 16), (3, 17)] {
            let x: Vec<f32> = (0..rows).map(|row| row as f32 + 0.5).collect();
            let mut y = vec![-1.0f32; rows * columns + 1];
            let run = spread(Isa::Plain, DType::F32);
            // SAFETY: there are `rows` values, and room for them `columns` times.
            unsafe { run([rows, columns], columns, y.as_mut_ptr().cast(), x.as_ptr().cast()) };
            assert_eq!(y.pop(), Some(-1.0));
            assert!(y.iter().enumerate().all(|(i, y)| *y == (i / columns) as f32 + 0.5));
        }
    }
}
