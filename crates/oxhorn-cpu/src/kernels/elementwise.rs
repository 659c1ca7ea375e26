//! Functions of one, two or three elements, for every type they are defined for.
//!
//! Each is a plain loop over the functions of [`math`], judged against the definition of its op. In
//! f64, functions that are no plain arithmetic are those of the standard library.

use crate::{
    isa::Isa,
    lanes::{each, lanes},
    math,
};
use oxhorn_ir::{Binary, Compare, DType, Unary};

/// A loop over `len` elements: writes `y`, reads as many `args` as the op has. A `bool` is a byte,
/// 0 or 1. `y` may be an argument whose elements are no smaller than its own.
pub type Loop = unsafe fn(len: usize, y: *mut u8, args: [*const u8; 3]);

/// `looped!(isa; |a: A, b: B| -> Y expression)`: the [`Loop`] over that expression.
macro_rules! looped {
    ($isa:expr; |$($x:ident: $in:ty),+| -> $out:ty $body:block) => {{
        lanes! {
            unsafe fn run<M>(len: usize, y: *mut u8, args: [*const u8; 3]) {
                let [$($x,)+ ..] = args;
                $(let $x = $x.cast::<$in>();)+
                let y = y.cast::<$out>();
                // SAFETY: whoever calls a `Loop` passes arrays of its types and of this length.
                unsafe { each!(len; y: $out = |$($x),+| $body) }
            }
        }
        run($isa)
    }};
}
pub(super) use looped;

/// -1, 0 or 1; zeros and NaN as they are.
macro_rules! sign {
    ($x:ident) => {{
        let y = if $x > 0.0 { 1.0 } else { $x };
        if $x < 0.0 { -1.0 } else { y }
    }};
}

/// The loop of a function of one element, if it is defined for this type.
pub fn unary(isa: Isa, op: Unary, dtype: DType) -> Option<Loop> {
    if !op.takes(dtype) {
        return None;
    }
    match dtype {
        DType::F32 => unary_f32(isa, op),
        DType::F64 => unary_f64(isa, op),
        DType::I32 => unary_i32(isa, op),
        DType::I64 => unary_i64(isa, op),
        DType::U32 => match op {
            Unary::Neg => Some(looped!(isa; |x: u32| -> u32 { x.wrapping_neg() })),
            Unary::Abs => Some(looped!(isa; |x: u32| -> u32 { x })),
            Unary::Sign => Some(looped!(isa; |x: u32| -> u32 { (x != 0) as u32 })),
            Unary::Not => Some(looped!(isa; |x: u32| -> u32 { !x })),
            _ => None,
        },
        DType::Bool => Some(looped!(isa; |x: u8| -> u8 { (x == 0) as u8 })),
    }
}

macro_rules! unary_int {
    ($name:ident, $t:ty) => {
        fn $name(isa: Isa, op: Unary) -> Option<Loop> {
            match op {
                Unary::Neg => Some(looped!(isa; |x: $t| -> $t { x.wrapping_neg() })),
                Unary::Abs => Some(looped!(isa; |x: $t| -> $t { x.wrapping_abs() })),
                Unary::Sign => Some(looped!(isa; |x: $t| -> $t { x.signum() })),
                Unary::Not => Some(looped!(isa; |x: $t| -> $t { !x })),
                _ => None,
            }
        }
    };
}

unary_int!(unary_i32, i32);
unary_int!(unary_i64, i64);

fn unary_f32(isa: Isa, op: Unary) -> Option<Loop> {
    Some(match op {
        Unary::Neg => looped!(isa; |x: f32| -> f32 { -x }),
        Unary::Abs => looped!(isa; |x: f32| -> f32 { x.abs() }),
        Unary::Sign => looped!(isa; |x: f32| -> f32 { sign!(x) }),
        Unary::Exp => looped!(isa; |x: f32| -> f32 { math::exp::<M>(x) }),
        Unary::Expm1 => looped!(isa; |x: f32| -> f32 { math::expm1::<M>(x) }),
        Unary::Log => looped!(isa; |x: f32| -> f32 { math::log::<M>(x) }),
        Unary::Log1p => looped!(isa; |x: f32| -> f32 { math::log1p::<M>(x) }),
        Unary::Sqrt => looped!(isa; |x: f32| -> f32 { x.sqrt() }),
        Unary::Rsqrt => looped!(isa; |x: f32| -> f32 { 1.0 / x.sqrt() }),
        Unary::Recip => looped!(isa; |x: f32| -> f32 { 1.0 / x }),
        Unary::Tanh => looped!(isa; |x: f32| -> f32 { math::tanh::<M>(x) }),
        Unary::Sigmoid => looped!(isa; |x: f32| -> f32 { math::sigmoid::<M>(x) }),
        Unary::Erf => looped!(isa; |x: f32| -> f32 { math::erf::<M>(x) }),
        Unary::ErfInv => looped!(isa; |x: f32| -> f32 { math::erf_inv::<M>(x) }),
        Unary::Sin => looped!(isa; |x: f32| -> f32 { x.sin() }),
        Unary::Cos => looped!(isa; |x: f32| -> f32 { x.cos() }),
        Unary::Floor => looped!(isa; |x: f32| -> f32 { x.floor() }),
        Unary::Ceil => looped!(isa; |x: f32| -> f32 { x.ceil() }),
        Unary::Round => looped!(isa; |x: f32| -> f32 { x.round_ties_even() }),
        Unary::IsNan => looped!(isa; |x: f32| -> u8 { x.is_nan() as u8 }),
        Unary::IsFinite => looped!(isa; |x: f32| -> u8 { x.is_finite() as u8 }),
        Unary::Not => return None,
    })
}

fn unary_f64(isa: Isa, op: Unary) -> Option<Loop> {
    Some(match op {
        Unary::Neg => looped!(isa; |x: f64| -> f64 { -x }),
        Unary::Abs => looped!(isa; |x: f64| -> f64 { x.abs() }),
        Unary::Sign => looped!(isa; |x: f64| -> f64 { sign!(x) }),
        Unary::Exp => looped!(isa; |x: f64| -> f64 { x.exp() }),
        Unary::Expm1 => looped!(isa; |x: f64| -> f64 { x.exp_m1() }),
        Unary::Log => looped!(isa; |x: f64| -> f64 { x.ln() }),
        Unary::Log1p => looped!(isa; |x: f64| -> f64 { x.ln_1p() }),
        Unary::Sqrt => looped!(isa; |x: f64| -> f64 { x.sqrt() }),
        Unary::Rsqrt => looped!(isa; |x: f64| -> f64 { 1.0 / x.sqrt() }),
        Unary::Recip => looped!(isa; |x: f64| -> f64 { 1.0 / x }),
        Unary::Tanh => looped!(isa; |x: f64| -> f64 { x.tanh() }),
        Unary::Sigmoid => looped!(isa; |x: f64| -> f64 { Unary::Sigmoid.apply(x, DType::F64) }),
        Unary::Erf => looped!(isa; |x: f64| -> f64 { Unary::Erf.apply(x, DType::F64) }),
        Unary::ErfInv => looped!(isa; |x: f64| -> f64 { Unary::ErfInv.apply(x, DType::F64) }),
        Unary::Sin => looped!(isa; |x: f64| -> f64 { x.sin() }),
        Unary::Cos => looped!(isa; |x: f64| -> f64 { x.cos() }),
        Unary::Floor => looped!(isa; |x: f64| -> f64 { x.floor() }),
        Unary::Ceil => looped!(isa; |x: f64| -> f64 { x.ceil() }),
        Unary::Round => looped!(isa; |x: f64| -> f64 { x.round_ties_even() }),
        Unary::IsNan => looped!(isa; |x: f64| -> u8 { x.is_nan() as u8 }),
        Unary::IsFinite => looped!(isa; |x: f64| -> u8 { x.is_finite() as u8 }),
        Unary::Not => return None,
    })
}

/// The loop of a function of two elements, if it is defined for this type.
pub fn binary(isa: Isa, op: Binary, dtype: DType) -> Option<Loop> {
    if !op.takes(dtype) {
        return None;
    }
    match dtype {
        DType::F32 => binary_f32(isa, op),
        DType::F64 => binary_f64(isa, op),
        DType::I32 => binary_i32(isa, op),
        DType::I64 => binary_i64(isa, op),
        DType::U32 => binary_u32(isa, op),
        DType::Bool => match op {
            Binary::And => Some(looped!(isa; |a: u8, b: u8| -> u8 { a & b })),
            Binary::Or => Some(looped!(isa; |a: u8, b: u8| -> u8 { a | b })),
            Binary::Xor => Some(looped!(isa; |a: u8, b: u8| -> u8 { a ^ b })),
            _ => None,
        },
    }
}

macro_rules! binary_float {
    ($name:ident, $t:ty) => {
        fn $name(isa: Isa, op: Binary) -> Option<Loop> {
            Some(match op {
                Binary::Add => looped!(isa; |a: $t, b: $t| -> $t { a + b }),
                Binary::Sub => looped!(isa; |a: $t, b: $t| -> $t { a - b }),
                Binary::Mul => looped!(isa; |a: $t, b: $t| -> $t { a * b }),
                Binary::Div => looped!(isa; |a: $t, b: $t| -> $t { a / b }),
                Binary::Rem => looped!(isa; |a: $t, b: $t| -> $t { a % b }),
                Binary::Pow => looped!(isa; |a: $t, b: $t| -> $t { a.powf(b) }),
                // NaN is not greater, and wins as `a` by the second question, as `b` by default.
                Binary::Max => looped!(isa; |a: $t, b: $t| -> $t {
                    if (a > b) | a.is_nan() { a } else { b }
                }),
                Binary::Min => looped!(isa; |a: $t, b: $t| -> $t {
                    if (a < b) | a.is_nan() { a } else { b }
                }),
                Binary::And | Binary::Or | Binary::Xor | Binary::Shl | Binary::Shr => return None,
            })
        }
    };
}

binary_float!(binary_f32, f32);
binary_float!(binary_f64, f64);

macro_rules! binary_int {
    ($name:ident, $t:ty) => {
        fn $name(isa: Isa, op: Binary) -> Option<Loop> {
            Some(match op {
                Binary::Add => looped!(isa; |a: $t, b: $t| -> $t { a.wrapping_add(b) }),
                Binary::Sub => looped!(isa; |a: $t, b: $t| -> $t { a.wrapping_sub(b) }),
                Binary::Mul => looped!(isa; |a: $t, b: $t| -> $t { a.wrapping_mul(b) }),
                // In 64 bits, where the one quotient that 32 bits cannot hold has room.
                Binary::Div => looped!(isa; |a: $t, b: $t| -> $t {
                    (a as i64).checked_div(b as i64).unwrap_or(0) as $t
                }),
                Binary::Rem => looped!(isa; |a: $t, b: $t| -> $t {
                    (a as i64).checked_rem(b as i64).unwrap_or(0) as $t
                }),
                Binary::Max => looped!(isa; |a: $t, b: $t| -> $t { a.max(b) }),
                Binary::Min => looped!(isa; |a: $t, b: $t| -> $t { a.min(b) }),
                Binary::And => looped!(isa; |a: $t, b: $t| -> $t { a & b }),
                Binary::Or => looped!(isa; |a: $t, b: $t| -> $t { a | b }),
                Binary::Xor => looped!(isa; |a: $t, b: $t| -> $t { a ^ b }),
                Binary::Shl => looped!(isa; |a: $t, b: $t| -> $t { a.wrapping_shl(b as u32) }),
                Binary::Shr => looped!(isa; |a: $t, b: $t| -> $t { a.wrapping_shr(b as u32) }),
                Binary::Pow => return None,
            })
        }
    };
}

binary_int!(binary_i32, i32);
binary_int!(binary_i64, i64);
binary_int!(binary_u32, u32);

/// The loop of a comparison; it writes `bool`.
pub fn compare(isa: Isa, op: Compare, dtype: DType) -> Loop {
    match dtype {
        DType::F32 => compare_f32(isa, op),
        DType::F64 => compare_f64(isa, op),
        DType::I32 => compare_i32(isa, op),
        DType::I64 => compare_i64(isa, op),
        DType::U32 => compare_u32(isa, op),
        DType::Bool => compare_bool(isa, op),
    }
}

macro_rules! compare {
    ($name:ident, $t:ty) => {
        fn $name(isa: Isa, op: Compare) -> Loop {
            match op {
                Compare::Less => looped!(isa; |a: $t, b: $t| -> u8 { (a < b) as u8 }),
                Compare::LessEqual => looped!(isa; |a: $t, b: $t| -> u8 { (a <= b) as u8 }),
                Compare::Greater => looped!(isa; |a: $t, b: $t| -> u8 { (a > b) as u8 }),
                Compare::GreaterEqual => looped!(isa; |a: $t, b: $t| -> u8 { (a >= b) as u8 }),
                Compare::Equal => looped!(isa; |a: $t, b: $t| -> u8 { (a == b) as u8 }),
                Compare::NotEqual => looped!(isa; |a: $t, b: $t| -> u8 { (a != b) as u8 }),
            }
        }
    };
}

compare!(compare_f32, f32);
compare!(compare_f64, f64);
compare!(compare_i32, i32);
compare!(compare_i64, i64);
compare!(compare_u32, u32);
compare!(compare_bool, u8);

/// The loop `y[i] = if mask[i] { a[i] } else { b[i] }` of elements of this type; arguments are
/// mask, `a`, `b`.
pub fn select(isa: Isa, dtype: DType) -> Loop {
    match dtype.bytes() {
        1 => looped!(isa; |m: u8, a: u8, b: u8| -> u8 { if m != 0 { a } else { b } }),
        4 => looped!(isa; |m: u8, a: u32, b: u32| -> u32 { if m != 0 { a } else { b } }),
        _ => looped!(isa; |m: u8, a: u64, b: u64| -> u64 { if m != 0 { a } else { b } }),
    }
}

/// The loop that turns elements of one type into those of another.
pub fn cast(isa: Isa, from: DType, to: DType) -> Loop {
    match from {
        DType::F32 => cast_f32(isa, to),
        DType::F64 => cast_f64(isa, to),
        DType::I32 => cast_i32(isa, to),
        DType::I64 => cast_i64(isa, to),
        DType::U32 => cast_u32(isa, to),
        DType::Bool => cast_bool(isa, to),
    }
}

macro_rules! cast {
    ($name:ident, $t:ty, $zero:literal) => {
        fn $name(isa: Isa, to: DType) -> Loop {
            match to {
                DType::F32 => looped!(isa; |x: $t| -> f32 { x as f32 }),
                DType::F64 => looped!(isa; |x: $t| -> f64 { x as f64 }),
                // By way of 64 bits, for what 32 cannot hold shall wrap around, not saturate.
                DType::I32 => looped!(isa; |x: $t| -> i32 { x as i64 as i32 }),
                DType::I64 => looped!(isa; |x: $t| -> i64 { x as i64 }),
                DType::U32 => looped!(isa; |x: $t| -> u32 { x as i64 as u32 }),
                DType::Bool => looped!(isa; |x: $t| -> u8 { (x != $zero) as u8 }),
            }
        }
    };
}

cast!(cast_f32, f32, 0.0);
cast!(cast_f64, f64, 0.0);
cast!(cast_i32, i32, 0);
cast!(cast_i64, i64, 0);
cast!(cast_u32, u32, 0);
cast!(cast_bool, u8, 0);

macro_rules! splat {
    ($isa:expr, $t:ty) => {{
        lanes! {
            unsafe fn run<M>(len: usize, y: *mut u8, args: [*const u8; 3]) {
                // SAFETY: whoever calls a `Loop` passes arrays of its types and of this length.
                unsafe {
                    let x = *args[0].cast::<$t>();
                    std::slice::from_raw_parts_mut(y.cast::<$t>(), len).fill(x);
                }
            }
        }
        run($isa)
    }};
}

/// The loop `y[i] = x[0]` of elements of this type. `y` and `x` do not overlap.
pub fn splat(isa: Isa, dtype: DType) -> Loop {
    match dtype.bytes() {
        1 => splat!(isa, u8),
        4 => splat!(isa, u32),
        _ => splat!(isa, u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Buffer, LENGTHS, close};

    const FLOATS: [f64; 16] = [
        0.3,
        -1.0,
        0.0,
        2.5,
        f64::NAN,
        -0.5,
        80.0,
        f64::INFINITY,
        -0.0,
        1.0,
        -3.5,
        f64::NEG_INFINITY,
        0.999,
        -17.25,
        1e-30,
        -100.0,
    ];
    const INTEGERS: [f64; 9] =
        [3.0, -7.0, 0.0, 1.0, 2147483647.0, -1.0, 100.0, -2147483648.0, 31.0];

    /// Numbers of this type; each further `argument` meets every number of the first in turn.
    fn numbers(dtype: DType, len: usize, argument: usize) -> Vec<f64> {
        let all = if dtype.is_float() { &FLOATS[..] } else { &INTEGERS[..] };
        let round = |x: f64| if dtype == DType::F32 { f64::from(x as f32) } else { dtype.wrap(x) };
        let at = |i: usize| i + argument * (i / all.len() + 1);
        (0..len).map(|i| round(all[at(i) % all.len()])).collect()
    }

    /// Runs a loop over such numbers on every instruction set, at every length, and compares.
    fn check(
        name: &str,
        lookup: impl Fn(Isa) -> Loop,
        (inputs, result): (&[DType], DType),
        precision: f64,
        expected: impl Fn(&[f64]) -> f64,
    ) {
        for isa in Isa::available() {
            for len in LENGTHS {
                let given: Vec<Vec<f64>> =
                    inputs.iter().enumerate().map(|(i, &dtype)| numbers(dtype, len, i)).collect();
                let y = run(lookup(isa), inputs, &given, result, len);
                for (i, y) in y.into_iter().enumerate() {
                    let x: Vec<f64> = given.iter().map(|x| x[i]).collect();
                    let expected = expected(&x);
                    if expected.is_nan() && !result.is_float() {
                        continue; // No integer stands for it, so that any will do.
                    }
                    let expected = result.wrap(expected);
                    let close = close(result, y, expected, precision);
                    assert!(close, "{isa} {name} of {x:?}, {inputs:?}: {y} is not {expected}");
                }
            }
        }
    }

    fn run(f: Loop, inputs: &[DType], given: &[Vec<f64>], result: DType, len: usize) -> Vec<f64> {
        let pairs = inputs.iter().zip(given);
        let buffers: Vec<Buffer> = pairs.map(|(&dtype, x)| Buffer::new(dtype, x)).collect();
        let mut args = [std::ptr::null(); 3];
        args.iter_mut().zip(&buffers).for_each(|(arg, x)| *arg = x.as_ptr());
        // One element more than is written, to see that it is left alone.
        let mut y = Buffer::new(result, &vec![1.0; len + 1]);
        // SAFETY: the arrays have the types and the length the loop works on, and this machine has
        // the instruction set.
        unsafe { f(len, y.as_mut_ptr(), args) };
        let mut y = y.numbers();
        assert_eq!(y.pop(), Some(1.0), "wrote beyond {len}");
        y
    }

    fn precision(dtype: DType) -> f64 {
        if dtype == DType::F64 { 1e-15 } else { 3e-7 }
    }

    #[test]
    fn functions_of_one_element_are_their_definitions() {
        for &op in Unary::ALL {
            for dtype in DType::ALL {
                assert_eq!(
                    unary(Isa::Plain, op, dtype).is_some(),
                    op.takes(dtype),
                    "{op:?} {dtype}"
                );
                if !op.takes(dtype) {
                    continue;
                }
                let precision = if op == Unary::ErfInv { 1e-5 } else { precision(dtype) };
                let types = (&[dtype][..], op.result(dtype));
                let lookup = |isa| unary(isa, op, dtype).expect("it is defined");
                check(&format!("{op:?}"), lookup, types, precision, |x| op.apply(x[0], dtype));
            }
        }
    }

    #[test]
    fn functions_of_two_elements_are_their_definitions() {
        for &op in Binary::ALL {
            for dtype in DType::ALL {
                assert_eq!(
                    binary(Isa::Plain, op, dtype).is_some(),
                    op.takes(dtype),
                    "{op:?} {dtype}"
                );
                if !op.takes(dtype) {
                    continue;
                }
                let lookup = |isa| binary(isa, op, dtype).expect("it is defined");
                check(&format!("{op:?}"), lookup, (&[dtype; 2], dtype), precision(dtype), |x| {
                    match op {
                        // Defined for fewer places than the type has bits.
                        Binary::Shl | Binary::Shr if !(0.0..32.0).contains(&x[1]) => f64::NAN,
                        // The definition has 53 bits to reckon with.
                        Binary::Mul if (x[0] * x[1]).abs() > 1e15 && dtype.is_int() => f64::NAN,
                        _ => op.apply(x[0], x[1], dtype),
                    }
                });
            }
        }
    }

    #[test]
    fn comparisons_are_their_definitions() {
        for &op in Compare::ALL {
            for dtype in DType::ALL {
                let lookup = |isa| compare(isa, op, dtype);
                check(&format!("{op:?}"), lookup, (&[dtype; 2], DType::Bool), 0.0, |x| {
                    op.holds(x[0], x[1]) as u8 as f64
                });
            }
        }
    }

    #[test]
    fn selects_by_a_mask() {
        for dtype in DType::ALL {
            let types = (&[DType::Bool, dtype, dtype][..], dtype);
            check(
                "select",
                |isa| select(isa, dtype),
                types,
                0.0,
                |x| {
                    if x[0] != 0.0 { x[1] } else { x[2] }
                },
            );
        }
    }

    #[test]
    fn casts_every_type_to_every_other() {
        for from in DType::ALL {
            for to in DType::ALL {
                check(
                    "cast",
                    |isa| cast(isa, from, to),
                    (&[from], to),
                    0.0,
                    |x| match to {
                        DType::F32 => f64::from(x[0] as f32),
                        _ => x[0],
                    },
                );
            }
        }
    }

    #[test]
    fn splats_one_element() {
        for isa in Isa::available() {
            for dtype in DType::ALL {
                for len in LENGTHS {
                    let given = [vec![dtype.wrap(5.0)]];
                    let y = run(splat(isa, dtype), &[dtype], &given, dtype, len);
                    assert_eq!(y, vec![given[0][0]; len], "{isa} {dtype}");
                }
            }
        }
    }

    #[test]
    fn all_instruction_sets_that_fuse_give_the_same_bits() {
        let isas: Vec<Isa> = Isa::available().into_iter().filter(|isa| isa.fuses()).collect();
        for &op in Unary::ALL.iter().filter(|op| op.result(DType::F32) == DType::F32) {
            for len in LENGTHS {
                let given = [(0..len).map(|i| f64::from(i as f32 * 0.037 - 3.0)).collect()];
                let bits = |&isa: &Isa| -> Option<Vec<u64>> {
                    let run =
                        run(unary(isa, op, DType::F32)?, &[DType::F32], &given, DType::F32, len);
                    Some(run.into_iter().map(f64::to_bits).collect())
                };
                let all: Vec<_> = isas.iter().map(bits).collect();
                assert!(all.windows(2).all(|two| two[0] == two[1]), "{op:?} {len}");
            }
        }
    }
}
