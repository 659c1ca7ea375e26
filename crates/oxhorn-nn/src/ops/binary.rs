//! Functions of two elements: arithmetic, extremes, bits; numbers take the other's type.

use std::f64::consts::LN_2;

use oxhorn_ir::{DType, Result, Tensor};

use super::{
    Arguments, Outcome, table,
    types::{countable, truth},
};

table! { NUMPY "numpy":
    /// The sum of two tensors; of truth values, whether either holds.
    "add(x1, x2)" => |a| either(a, Tensor::or, |x, y| x + y);
    /// The difference of two tensors.
    "subtract(x1, x2)" => |a| both(a, |x, y| x - y);
    /// The product of two tensors; of truth values, whether both hold.
    "multiply(x1, x2)" => |a| either(a, Tensor::and, |x, y| x * y);
    /// The quotient of two tensors, as real numbers.
    "divide(x1, x2)" => |a| reals(a, |x, y| x / y);
    /// The quotient of two tensors, as real numbers.
    "true_divide(x1, x2)" => |a| reals(a, |x, y| x / y);
    /// The quotient of two tensors, 0 where the divisor is 0.
    "divide_no_nan(x1, x2)" => |a| reals(a, |x, y| {
        let (x, y) = even(x, y);
        crate::losses::divide_no_nan(x, y)
    });
    /// The next integer below the quotient of two tensors.
    "floor_divide(x1, x2)" => |a| both(a, |x, y| floored(countable(x), countable(y)));
    /// The remainder of the floored quotient, with the sign of the divisor.
    "mod(x1, x2)" => |a| both(a, |x, y| modulo(countable(x), countable(y)));
    /// The remainder of the truncated quotient, with the sign of the dividend.
    "fmod(x1, x2)" => |a| both(a, |x, y| countable(x).rem(countable(y)));
    /// The first tensor to the power of the second.
    "power(x1, x2)" => |a| both(a, power);
    /// The greater of two elements, NaN if either is.
    "maximum(x1, x2)" => |a| either(a, Tensor::or, |x, y| x.maximum(y));
    /// The lesser of two elements, NaN if either is.
    "minimum(x1, x2)" => |a| either(a, Tensor::and, |x, y| x.minimum(y));
    /// The greater of two elements, the other if one is NaN.
    "fmax(x1, x2)" => |a| either(a, Tensor::or, |x, y| unless_nan(x, y, x.maximum(y)));
    /// The lesser of two elements, the other if one is NaN.
    "fmin(x1, x2)" => |a| either(a, Tensor::and, |x, y| unless_nan(x, y, x.minimum(y)));
    /// The length of the hypotenuse, without overflow on the way.
    "hypot(x1, x2)" => |a| reals(a, |x, y| {
        let (long, short) = (x.abs().maximum(y.abs()), x.abs().minimum(y.abs()));
        let ratio = short / long.equal(0.0).select(long.fill(1.0), long);
        let length = long * (ratio * ratio + 1.0).sqrt();
        long.equal(f64::INFINITY).select(long, length)
    });
    /// The logarithm of the sum of two exponentials, without overflow on the way.
    "logaddexp(x1, x2)" => |a| reals(a, |x, y| log_sum(x, y, |gap| gap.exp().log1p()));
    /// The logarithm to the base 2 of the sum of two powers of 2.
    "logaddexp2(x1, x2)" => |a| reals(a, |x, y| {
        log_sum(x, y, |gap| (gap * LN_2).exp().log1p() / LN_2)
    });
    /// The first tensor times 2 to the power of the second.
    "ldexp(x1, x2)" => |a| reals(a, |x, y| x * y.fill(2.0).pow(y));
    /// 0 below zero, 1 above, and at zero the second tensor.
    "heaviside(x1, x2)" => |a| reals(a, |x, y| {
        let (x, y) = even(x, y);
        let step = x.less(0.0).select(x.fill(0.0), x.equal(0.0).select(y, 1.0));
        x.is_nan().select(x, step)
    });
    /// The greatest common divisor of two integers.
    "gcd(x1, x2)" => |a| both(a, |x, y| {
        let (x, y) = even(countable(x), countable(y));
        gcd(x, y)
    });
    /// The least common multiple of two integers.
    "lcm(x1, x2)" => |a| both(a, |x, y| {
        let (x, y) = even(countable(x), countable(y));
        // Integers divided by 0 give 0, as the multiple of 0 should be.
        (x / gcd(x, y) * y).abs()
    });
    /// Both bits.
    "bitwise_and(x, y)" => |a| bits(a, Tensor::and);
    /// Either bit.
    "bitwise_or(x, y)" => |a| bits(a, Tensor::or);
    /// One bit, but not both.
    "bitwise_xor(x, y)" => |a| bits(a, Tensor::xor);
    /// Each bit turned.
    "bitwise_not(x)" => |a| Ok(a.tensor("x")?.not().into());
    /// Each bit turned.
    "bitwise_invert(x)" => |a| Ok(a.tensor("x")?.not().into());
    /// The bits moved up.
    "bitwise_left_shift(x, y)" => |a| bits(a, |x, y| x.shift_left(y));
    /// The bits moved up.
    "left_shift(x, y)" => |a| bits(a, |x, y| x.shift_left(y));
    /// The bits moved down.
    "bitwise_right_shift(x, y)" => |a| bits(a, |x, y| x.shift_right(y));
    /// The bits moved down.
    "right_shift(x, y)" => |a| bits(a, |x, y| x.shift_right(y));
}

/// Two tensors, repeated to one shape.
pub(super) fn even<'g>(x: Tensor<'g>, y: Tensor<'g>) -> (Tensor<'g>, Tensor<'g>) {
    match super::shapes::common_shape(&[x.shape(), y.shape()]) {
        Ok(shape) => (x.broadcast(shape.clone()), y.broadcast(shape)),
        Err(error) => {
            let void = x.trace().fail(error);
            (void, void)
        }
    }
}

/// A function of both arguments in the type that holds them.
fn both<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted(["x1", "x2"])?;
    super::shapes::common_shape(&[x.shape(), y.shape()])?;
    Ok(function(x, y).into())
}

/// A function of both arguments as real numbers.
pub(super) fn reals<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted_real(["x1", "x2"])?;
    super::shapes::common_shape(&[x.shape(), y.shape()])?;
    Ok(function(x, y).into())
}

/// One function of truth values, another of numbers.
fn either<'g>(
    a: &Arguments<'g>,
    of_truth: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
    of_numbers: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    both(a, |x, y| if x.dtype() == DType::Bool { of_truth(x, y) } else { of_numbers(x, y) })
}

/// A function of the bits of both arguments, which are called `x` and `y`.
fn bits<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted(["x", "y"])?;
    super::shapes::common_shape(&[x.shape(), y.shape()])?;
    Ok(function(x, y).into())
}

/// The next integer below the quotient.
pub(super) fn floored<'g>(x: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    if x.dtype().is_float() {
        return (x / y).floor();
    }
    // The truncated quotient is one too great where there is a remainder of another sign.
    let (rest, one) = (x.rem(y), x.trace().scalar(1.0, x.dtype()));
    let above = differs(rest, y);
    x / y - above.cast(x.dtype()) * one
}

/// The remainder of the floored quotient.
pub(super) fn modulo<'g>(x: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    let rest = x.rem(y);
    differs(rest, y).select(rest + y, rest)
}

/// Where there is a remainder of another sign than the divisor's.
fn differs<'g>(rest: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    rest.not_equal(0.0).and(rest.less(0.0).xor(y.less(0.0)))
}

fn power<'g>(x: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    let (x, y) = (countable(x), countable(y));
    match x.dtype().is_float() {
        true => x.pow(y),
        // Reals of 53 bits hold every power that an integer of 32 bits can.
        false => x.cast(DType::F64).pow(y.cast(DType::F64)).cast(x.dtype()),
    }
}

/// The extreme of two elements, the other where one of them is NaN.
fn unless_nan<'g>(x: Tensor<'g>, y: Tensor<'g>, extreme: Tensor<'g>) -> Tensor<'g> {
    if !x.dtype().is_float() {
        return extreme;
    }
    let (x, y) = even(x, y);
    x.is_nan().select(y, y.is_nan().select(x, extreme))
}

/// The greater of both, and what the lesser adds to it; `law` is given their distance, below 0.
fn log_sum<'g>(
    x: Tensor<'g>,
    y: Tensor<'g>,
    law: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Tensor<'g> {
    let gap = x - y;
    // Of two equal infinities, which have no distance, the sum is one of them.
    gap.is_nan().select(x + y, x.maximum(y) + law(-gap.abs()))
}

/// Euclid's algorithm; no two integers of 32 bits take more than 46 steps.
fn gcd<'g>(x: Tensor<'g>, y: Tensor<'g>) -> Tensor<'g> {
    let mut pair = (x.abs(), y.abs());
    for _ in 0..46 {
        let (x, y) = pair;
        let done = y.equal(0.0);
        pair = (done.select(x, y), done.select(y, x.rem(y)));
    }
    pair.0
}

/// Which elements of the argument of this name are not zero.
pub(super) fn truths<'g>(a: &Arguments<'g>, name: &str) -> Result<Tensor<'g>> {
    Ok(truth(a.tensor(name)?))
}
