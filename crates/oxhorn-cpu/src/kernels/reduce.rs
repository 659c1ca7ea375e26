//! Sums, products and extremes along the rows or along the columns of a matrix.
//!
//! The order in which elements combine depends on the extents alone, so that results have the same
//! bits on every instruction set and for any number of threads.

use crate::{
    isa::Isa,
    lanes::{CHUNK, lanes, one_chunk_at_a_time, read, write},
};
use oxhorn_ir::{DType, Reduction};

/// A loop over a matrix `x` of `[rows, columns]`, whose rows lie `stride` elements apart, that
/// writes `y`. The two do not overlap.
pub type MatrixLoop = unsafe fn(extents: [usize; 2], stride: usize, y: *mut u8, x: *const u8);

macro_rules! by_type {
    ($isa:ident, $op:ident, $dtype:ident, $body:ident) => {
        match $dtype {
            DType::F32 => Some(by_op!($isa, $op, $body, f32)),
            DType::F64 => Some(by_op!($isa, $op, $body, f64)),
            DType::I32 => Some(by_op!($isa, $op, $body, i32)),
            DType::I64 => Some(by_op!($isa, $op, $body, i64)),
            DType::U32 => Some(by_op!($isa, $op, $body, u32)),
            DType::Bool => None,
        }
    };
}

macro_rules! by_op {
    ($isa:ident, $op:ident, $body:ident, $t:ty) => {
        match $op {
            Reduction::Sum => matrix_loop!($isa, $body, $t, Sum),
            Reduction::Prod => matrix_loop!($isa, $body, $t, Prod),
            Reduction::Max => matrix_loop!($isa, $body, $t, Max),
            Reduction::Min => matrix_loop!($isa, $body, $t, Min),
        }
    };
}

macro_rules! matrix_loop {
    ($isa:ident, $body:ident, $t:ty, $combine:ty) => {{
        lanes! {
            unsafe fn run<M>(extents: [usize; 2], stride: usize, y: *mut u8, x: *const u8) {
                // SAFETY: whoever calls a `MatrixLoop` passes a matrix of this type, these extents
                // and this stride, and room for the result.
                unsafe { $body::<$t, $combine>(extents, stride, y.cast(), x.cast()) }
            }
        }
        run($isa)
    }};
}

/// The loop that reduces each row to one element of `y`; `bool` has none.
///
/// Rows shorter than 16 combine in order; longer ones in 16 lanes, of which each takes every
/// sixteenth element, and which combine in halves.
pub fn rows(isa: Isa, op: Reduction, dtype: DType) -> Option<MatrixLoop> {
    by_type!(isa, op, dtype, reduce_rows)
}

/// The loop that combines each column, row after row, with what its element of `y` already is;
/// `bool` has none.
pub fn columns(isa: Isa, op: Reduction, dtype: DType) -> Option<MatrixLoop> {
    by_type!(isa, op, dtype, reduce_columns)
}

/// What a reduction does with two elements of a type.
trait Combine<T> {
    /// Changes nothing it is combined with.
    const IDENTITY: T;

    fn combine(a: T, b: T) -> T;
}

struct Sum;
struct Prod;
struct Max;
struct Min;

macro_rules! combine {
    ($($name:ident $t:ty: $identity:expr, |$a:ident, $b:ident| $f:expr;)*) => {$(
        impl Combine<$t> for $name {
            const IDENTITY: $t = $identity;

            #[inline(always)]
            fn combine($a: $t, $b: $t) -> $t {
                $f
            }
        }
    )*};
}

macro_rules! combine_floats {
    ($($t:ident)*) => {$(combine! {
        Sum $t: 0.0, |a, b| a + b;
        Prod $t: 1.0, |a, b| a * b;
        // What is no number stays, whichever it is.
        Max $t: $t::NEG_INFINITY, |a, b| if (a > b) | a.is_nan() { a } else { b };
        Min $t: $t::INFINITY, |a, b| if (a < b) | a.is_nan() { a } else { b };
    })*};
}

macro_rules! combine_ints {
    ($($t:ident)*) => {$(combine! {
        Sum $t: 0, |a, b| a.wrapping_add(b);
        Prod $t: 1, |a, b| a.wrapping_mul(b);
        Max $t: $t::MIN, |a, b| a.max(b);
        Min $t: $t::MAX, |a, b| a.min(b);
    })*};
}

combine_floats!(f32 f64);
combine_ints!(i32 i64 u32);

/// # Safety
/// `x` is a matrix of these extents and this stride; `y` has room for an element of each row.
#[inline(always)]
unsafe fn reduce_rows<T: Copy, C: Combine<T>>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut T,
    x: *const T,
) {
    if columns < CHUNK {
        // SAFETY: as promised by the caller.
        return unsafe { reduce_short_rows::<T, C>([rows, columns], stride, y, x) };
    }
    for r in 0..rows {
        // SAFETY: there is a row of `columns` elements at x, and an element for it in y.
        unsafe { *y.add(r) = reduce_row::<T, C>(columns, x.wrapping_add(r * stride)) };
    }
}

/// Several rows at a time, for each is one chain of dependent steps.
///
/// # Safety
/// As [`reduce_rows`].
#[inline(always)]
unsafe fn reduce_short_rows<T: Copy, C: Combine<T>>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut T,
    x: *const T,
) {
    for start in (0..rows).step_by(CHUNK) {
        let (x, y) = (x.wrapping_add(start * stride), y.wrapping_add(start));
        // SAFETY: these rows are among those of the matrix.
        unsafe {
            match rows - start {
                // A number that the compiler knows, so that it makes vectors.
                CHUNK.. => reduce_few_rows::<T, C>([CHUNK, columns], stride, y, x),
                count => reduce_few_rows::<T, C>([count, columns], stride, y, x),
            }
        }
    }
}

/// # Safety
/// As [`reduce_rows`], of a chunk of rows at most.
#[inline(always)]
unsafe fn reduce_few_rows<T: Copy, C: Combine<T>>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut T,
    x: *const T,
) {
    let mut total = [C::IDENTITY; CHUNK];
    for c in 0..columns {
        for (r, total) in total.iter_mut().enumerate().take(rows) {
            // SAFETY: row r exists and has a column c.
            *total = C::combine(*total, unsafe { *x.add(r * stride + c) });
        }
    }
    // SAFETY: y has room for an element of each row.
    unsafe { y.copy_from_nonoverlapping(total.as_ptr(), rows) };
}

/// # Safety
/// `x` holds `columns` elements, a chunk at least.
#[inline(always)]
unsafe fn reduce_row<T: Copy, C: Combine<T>>(columns: usize, x: *const T) -> T {
    let whole = columns - columns % CHUNK;
    // SAFETY: chunks lie below `whole`, and the rest behind it.
    unsafe {
        let mut lanes = read(x);
        for start in (CHUNK..whole).step_by(CHUNK) {
            one_chunk_at_a_time();
            combine_lanes::<T, C>(&mut lanes, read(x.add(start)));
        }
        if whole < columns {
            let mut rest = [C::IDENTITY; CHUNK];
            x.add(whole).copy_to_nonoverlapping(rest.as_mut_ptr(), columns - whole);
            combine_lanes::<T, C>(&mut lanes, rest);
        }
        let mut width = CHUNK;
        while width > 1 {
            width /= 2;
            for i in 0..width {
                lanes[i] = C::combine(lanes[i], lanes[i + width]);
            }
        }
        lanes[0]
    }
}

#[inline(always)]
fn combine_lanes<T: Copy, C: Combine<T>>(lanes: &mut [T; CHUNK], x: [T; CHUNK]) {
    for i in 0..CHUNK {
        lanes[i] = C::combine(lanes[i], x[i]);
    }
}

/// # Safety
/// `x` is a matrix of these extents and this stride; `y` has an element for each column.
#[inline(always)]
unsafe fn reduce_columns<T: Copy, C: Combine<T>>(
    [rows, columns]: [usize; 2],
    stride: usize,
    y: *mut T,
    x: *const T,
) {
    let mut c = 0;
    // SAFETY: every block ends within the columns.
    unsafe {
        // Two chunks at once: along one alone, each row would wait for the one before.
        while c + 2 * CHUNK <= columns {
            reduce_block::<T, C, 2>(rows, stride, y.add(c), x.wrapping_add(c));
            c += 2 * CHUNK;
        }
        while c + CHUNK <= columns {
            reduce_block::<T, C, 1>(rows, stride, y.add(c), x.wrapping_add(c));
            c += CHUNK;
        }
    }
    if c == columns {
        return;
    }
    let rest = columns - c;
    // Elements from the first of these columns to the end of the matrix.
    let len = rows.saturating_sub(1) * stride + rest;
    let mut totals = [C::IDENTITY; CHUNK];
    // SAFETY: `rest` elements of y are left.
    unsafe { y.add(c).copy_to_nonoverlapping(totals.as_mut_ptr(), rest) };
    for r in 0..rows {
        // SAFETY: whole chunks are read, even from the row below, as long as the matrix lasts.
        unsafe {
            let x = x.add(r * stride + c);
            let mut chunk = [C::IDENTITY; CHUNK];
            if r * stride + CHUNK <= len {
                chunk = read(x);
            } else {
                x.copy_to_nonoverlapping(chunk.as_mut_ptr(), rest);
            }
            one_chunk_at_a_time();
            combine_lanes::<T, C>(&mut totals, chunk);
        }
    }
    // SAFETY: `rest` elements of y are left.
    unsafe { y.add(c).copy_from_nonoverlapping(totals.as_ptr(), rest) };
}

/// Combines `N` chunks of columns.
///
/// # Safety
/// `x` has as many columns, and `y` as many elements.
#[inline(always)]
unsafe fn reduce_block<T: Copy, C: Combine<T>, const N: usize>(
    rows: usize,
    stride: usize,
    y: *mut T,
    x: *const T,
) {
    let mut totals = [[C::IDENTITY; CHUNK]; N];
    for (j, totals) in totals.iter_mut().enumerate() {
        // SAFETY: as promised by the caller.
        *totals = unsafe { read(y.add(j * CHUNK)) };
    }
    for r in 0..rows {
        for (j, totals) in totals.iter_mut().enumerate() {
            // SAFETY: as promised by the caller.
            combine_lanes::<T, C>(totals, unsafe { read(x.add(r * stride + j * CHUNK)) });
        }
        one_chunk_at_a_time();
    }
    for (j, totals) in totals.into_iter().enumerate() {
        // SAFETY: as promised by the caller.
        unsafe { write(y.add(j * CHUNK), totals) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Buffer, LENGTHS, close};

    const FLOATS: [DType; 2] = [DType::F32, DType::F64];
    const NUMBERS: [DType; 5] = [DType::F32, DType::F64, DType::I32, DType::I64, DType::U32];

    fn run(
        f: MatrixLoop,
        dtype: DType,
        extents: [usize; 2],
        x: &[f64],
        mut y: Vec<f64>,
    ) -> Vec<f64> {
        let x = Buffer::new(dtype, x);
        // One element more than is written, to see that it is left alone.
        let results = y.len();
        y.push(7.0);
        let mut y = Buffer::new(dtype, &y);
        // SAFETY: the matrix has the type and the extents and a stride one longer than its rows,
        // and this machine has the instruction set.
        unsafe { f(extents, extents[1] + 1, y.as_mut_ptr(), x.as_ptr()) };
        let mut y = y.numbers();
        assert_eq!(y.pop(), Some(7.0), "wrote beyond {results}");
        y
    }

    /// Elements whose products stay within the range of their type.
    fn matrix([rows, columns]: [usize; 2], dtype: DType) -> Vec<f64> {
        let element = |i: usize| match (dtype.is_float(), i * i % 7, i % 97) {
            (true, digit, _) => [0.875, -1.125, 1.0625][digit % 3],
            (false, _, 5) => 3.0,
            (false, _, 40) => 2.0,
            _ => 1.0,
        };
        (0..rows * (columns + 1)).map(element).collect()
    }

    fn check(along_rows: bool) {
        for op in Reduction::ALL {
            for dtype in NUMBERS {
                for (a, b) in LENGTHS.into_iter().flat_map(|a| [(a, 3), (3, a), (33, a)]) {
                    let extents @ [m, n] = [a, b];
                    let x = matrix(extents, dtype);
                    let at = |r: usize, c: usize| x[r * (n + 1) + c];
                    // Rows are reduced; columns are combined with what is there.
                    let start = if along_rows { op.identity(dtype) } else { 2.0 };
                    let fold = |along: &mut dyn Iterator<Item = f64>| {
                        along.fold(start, |total, x| dtype.wrap(op.combine(total, x)))
                    };
                    let expected: Vec<f64> = match along_rows {
                        true => (0..m).map(|r| fold(&mut (0..n).map(|c| at(r, c)))).collect(),
                        false => (0..n).map(|c| fold(&mut (0..m).map(|r| at(r, c)))).collect(),
                    };
                    for isa in Isa::available() {
                        let f = if along_rows { rows } else { columns };
                        let f = f(isa, op, dtype).expect("a number");
                        let y = run(f, dtype, extents, &x, vec![start; expected.len()]);
                        for (y, expected) in y.into_iter().zip(&expected) {
                            let size = if op == Reduction::Sum { (m * n) as f64 } else { 0.0 };
                            let close = close(dtype, y, *expected, 1e-4)
                                || dtype == DType::F32 && (y - expected).abs() < 1e-7 * size;
                            assert!(
                                close,
                                "{isa} {op:?} {dtype}{extents:?}: {y} is not {expected}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn rows_reduce_as_defined() {
        check(true);
    }

    #[test]
    fn columns_reduce_as_defined() {
        check(false);
    }

    #[test]
    fn what_is_no_number_wins() {
        for isa in Isa::available() {
            for dtype in FLOATS {
                for op in [Reduction::Max, Reduction::Min] {
                    for (n, at) in [(3, 0), (3, 2), (40, 0), (40, 17), (40, 39)] {
                        let mut x = vec![1.0; n + 1];
                        x[at] = f64::NAN;
                        let y = run(rows(isa, op, dtype).unwrap(), dtype, [1, n], &x, vec![0.0]);
                        assert!(y[0].is_nan(), "{isa} {op:?} {dtype} {n} {at}");
                        let x: Vec<f64> = x.iter().flat_map(|&x| [x, 0.0]).collect();
                        let y = run(columns(isa, op, dtype).unwrap(), dtype, [n, 1], &x, vec![1.0]);
                        assert!(y[0].is_nan(), "{isa} {op:?} {dtype} {n} {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn bits_are_the_same_on_every_instruction_set() {
        for op in Reduction::ALL {
            for extents @ [m, n] in [[5, 7], [3, 1000], [32, 64], [33, 133]] {
                let x: Vec<f64> = (0..m * (n + 1)).map(|i| ((i * 37 % 101) as f64).sin()).collect();
                for (f, results) in [(rows as fn(_, _, _) -> _, m), (columns, n)] {
                    let bits = |isa| -> Vec<u64> {
                        let f: Option<MatrixLoop> = f(isa, op, DType::F32);
                        let y = run(f.unwrap(), DType::F32, extents, &x, vec![0.5; results]);
                        y.into_iter().map(f64::to_bits).collect()
                    };
                    let plain = bits(Isa::Plain);
                    assert!(Isa::available().into_iter().all(|isa| bits(isa) == plain));
                }
            }
        }
    }
}
