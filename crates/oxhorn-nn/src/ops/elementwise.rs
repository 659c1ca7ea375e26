//! Functions of one element: absolute values, roots, powers of e, rounding.

use std::f64::consts::{LN_2, LN_10};

use oxhorn_ir::{DType, Reduction, Result, Tensor, ensure};

use super::{Arguments, Outcome, table, types::countable};

table! { CORE "core":
    /// The same numbers, through which no gradient flows.
    "stop_gradient(variable)" => |a| Ok(stopped(a.tensor("variable")?)?.into());
    /// The same numbers as another type, those it cannot hold replaced by its extremes.
    "saturate_cast(x, dtype)" => saturate_cast;
}

table! { NUMPY "numpy":
    /// The distance of each element from zero.
    "abs(x)" => absolute;
    /// The distance of each element from zero.
    "absolute(x)" => absolute;
    /// The distance of each element from zero, as a real number.
    "fabs(x)" => |a| reals(a, Tensor::abs);
    /// Each element with its sign turned.
    "negative(x)" => |a| numbers(a, Tensor::negate);
    /// Each element times itself.
    "square(x)" => |a| numbers(a, |x| countable(x) * countable(x));
    /// -1, 0 or 1, as each element is less than, equal to or greater than 0.
    "sign(x)" => |a| numbers(a, Tensor::sign);
    /// One over each element.
    "reciprocal(x)" => |a| reals(a, Tensor::recip);
    /// e to the power of each element.
    "exp(x)" => |a| reals(a, Tensor::exp);
    /// 2 to the power of each element.
    "exp2(x)" => |a| reals(a, |x| (x * LN_2).exp());
    /// e to the power of each element, less 1, exact near zero.
    "expm1(x)" => |a| reals(a, Tensor::expm1);
    /// The natural logarithm of each element.
    "log(x)" => |a| reals(a, Tensor::log);
    /// The logarithm of each element to the base 10.
    "log10(x)" => |a| reals(a, |x| x.log() / LN_10);
    /// The natural logarithm of 1 more than each element, exact near zero.
    "log1p(x)" => |a| reals(a, Tensor::log1p);
    /// The logarithm of each element to the base 2.
    "log2(x)" => |a| reals(a, |x| x.log() / LN_2);
    /// The square root of each element.
    "sqrt(x)" => |a| reals(a, Tensor::sqrt);
    /// The cube root of each element, negative ones included.
    "cbrt(x)" => |a| reals(a, |x| x.sign() * x.abs().pow(1.0 / 3.0));
    /// The next integer above each element, as a real number.
    "ceil(x)" => |a| reals(a, Tensor::ceil);
    /// The next integer below each element, as a real number.
    "floor(x)" => |a| reals(a, Tensor::floor);
    /// The nearest integer, or the nearest number of so many decimals; halves go to even.
    "round(x, decimals=0)" => round;
    /// Each element without its fraction.
    "trunc(x)" => |a| {
        numbers(a, |x| if x.dtype().is_float() { truncated(x) } else { x })
    };
    /// Degrees as radians.
    "deg2rad(x)" => |a| reals(a, |x| x * (std::f64::consts::PI / 180.0));
    /// Radians as degrees.
    "rad2deg(x)" => |a| reals(a, |x| x * (180.0 / std::f64::consts::PI));
    /// The same elements.
    "copy(x)" => |a| numbers(a, |x| x);
    /// The complex conjugate, which of a real number is the number itself.
    "conj(x)" => |a| numbers(a, |x| x);
    /// The complex conjugate, which of a real number is the number itself.
    "conjugate(x)" => |a| numbers(a, |x| x);
    /// The real part, which of a real number is the number itself.
    "real(x)" => |a| numbers(a, |x| x);
    /// The imaginary part, which of a real number is 0.
    "imag(x)" => |a| numbers(a, |x| x.fill(0.0));
    /// The angle to the positive axis: 0, or π for negative numbers.
    "angle(x)" => |a| {
        reals(a, |x| x.is_nan().select(x, x.less(0.0).select(x.fill(std::f64::consts::PI), 0.0)))
    };
    /// Whether each element is not a number.
    "isnan(x)" => |a| reals(a, Tensor::is_nan);
    /// Whether each element is neither infinite nor NaN.
    "isfinite(x)" => |a| reals(a, Tensor::is_finite);
    /// Whether each element is infinite.
    "isinf(x)" => |a| reals(a, |x| x.abs().equal(f64::INFINITY));
    /// Whether each element is infinite and positive.
    "isposinf(x)" => |a| reals(a, |x| x.equal(f64::INFINITY));
    /// Whether each element is infinite and negative.
    "isneginf(x)" => |a| reals(a, |x| x.equal(f64::NEG_INFINITY));
    /// Whether each element has no imaginary part, which is true of all that there are.
    "isreal(x)" => |a| numbers(a, |x| x.fill(0.0).cast(DType::Bool).not());
    /// Whether the sign of each element is set, that of -0.0 included.
    "signbit(x)" => |a| numbers(a, signbit);
    /// Each element, with numbers in place of NaN and of both infinities.
    "nan_to_num(x, nan=0.0, posinf=None, neginf=None)" => nan_to_num;
    /// Each element, at least `x_min` and at most `x_max`.
    "clip(x, x_min, x_max)" => clip;
}

table! { MATH "math":
    /// The error function of each element.
    "erf(x)" => |a| reals(a, Tensor::erf);
    /// One minus the error function of each element.
    "erfc(x)" => |a| reals(a, |x| 1.0 - x.erf());
    /// The inverse of the error function, of numbers between -1 and 1.
    "erfinv(x)" => |a| reals(a, Tensor::erf_inv);
    /// One over the square root of each element.
    "rsqrt(x)" => |a| reals(a, Tensor::rsqrt);
}

/// A function of the argument `x`, whatever its type.
pub(super) fn numbers<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    Ok(function(a.tensor("x")?).into())
}

/// A function of the argument `x` as real numbers.
pub(super) fn reals<'g>(
    a: &Arguments<'g>,
    function: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    Ok(function(a.real("x")?).into())
}

/// Each number without its fraction.
pub(super) fn truncated(x: Tensor<'_>) -> Tensor<'_> {
    x.less(0.0).select(x.ceil(), x.floor())
}

fn absolute<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    numbers(a, |x| if x.dtype() == DType::Bool { x } else { x.abs() })
}

fn round<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, decimals) = (a.tensor("x")?, a.int("decimals")?);
    if !x.dtype().is_float() && decimals >= 0 {
        return Ok(x.into());
    }
    let scale = 10f64.powi(decimals as i32);
    Ok(match decimals {
        0 => x.round(),
        _ => ((super::types::real(x) * scale).round() / scale).cast(x.dtype()),
    }
    .into())
}

fn signbit(x: Tensor<'_>) -> Tensor<'_> {
    match x.dtype() {
        DType::Bool | DType::U32 => x.fill(0.0).cast(DType::Bool),
        DType::I32 | DType::I64 => x.less(0.0),
        // Of both zeros, only that below has one over it that is less than 0.
        DType::F32 | DType::F64 => x.less(0.0).or(x.equal(0.0).and(x.recip().less(0.0))),
    }
}

fn nan_to_num<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    if !x.dtype().is_float() {
        return Ok(x.into());
    }
    let (nan, greatest) = (a.float("nan")?, f64::from(f32::MAX));
    let posinf = a.float_or_none("posinf")?.unwrap_or(greatest);
    let neginf = a.float_or_none("neginf")?.unwrap_or(-greatest);
    let y = x.is_nan().select(x.fill(nan), x);
    let y = x.equal(f64::INFINITY).select(x.fill(posinf), y);
    Ok(x.equal(f64::NEG_INFINITY).select(x.fill(neginf), y).into())
}

fn clip<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    Ok(match (a.given("x_min"), a.given("x_max")) {
        (true, true) => {
            let [x, low, high] = a.promoted(["x", "x_min", "x_max"])?.map(countable);
            x.maximum(low).minimum(high)
        }
        (true, false) => {
            let [x, low] = a.promoted(["x", "x_min"])?.map(countable);
            x.maximum(low)
        }
        (false, true) => {
            let [x, high] = a.promoted(["x", "x_max"])?.map(countable);
            x.minimum(high)
        }
        (false, false) => a.tensor("x")?,
    }
    .into())
}

/// The same numbers, through which no gradient flows.
fn stopped(x: Tensor<'_>) -> Result<Tensor<'_>> {
    ensure!(x.dtype() != DType::F64, "`stop_gradient` is not defined for {}", x.ty());
    if !x.dtype().is_float() {
        return Ok(x);
    }
    // Every number of type `f32` is a multiple of 2⁻¹⁴⁹, so that, as an `f64` with room above, it
    // is rounded to itself; and through rounding no gradient flows.
    let scale = 2f64.powi(149);
    Ok(((x.cast(DType::F64) * scale).round() * scale.recip()).cast(DType::F32))
}

fn saturate_cast<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let Some(dtype) = a.dtype_or_none("dtype")? else {
        return Err(a.wrong("dtype", "the name of a dtype"));
    };
    if dtype.is_float() || x.dtype() == DType::Bool {
        return Ok(x.cast(dtype).into());
    }
    if dtype == DType::Bool {
        // What is below 0 becomes 0 before it becomes false.
        return Ok(x.greater(0.0).into());
    }
    let extreme = |reduction: Reduction| reduction.identity(dtype);
    let (low, high) = (extreme(Reduction::Max), extreme(Reduction::Min));
    // In reals of 53 bits, which hold the extremes of all integers of 32 bits.
    Ok(x.cast(DType::F64).maximum(low).minimum(high).cast(dtype).into())
}
