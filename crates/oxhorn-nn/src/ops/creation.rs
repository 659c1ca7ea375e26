//! Tensors out of nothing: zeros, ranges, windows, triangles.

use std::f64::consts::PI;

use oxhorn_ir::{DType, Fill, Result, Tensor, Trace, Type, ensure};

use super::{
    Argument, Arguments, Outcome, table,
    types::{joined, real},
};

table! { CORE "core":
    /// Numbers, lists and tensors as a tensor, of a type if one is given.
    "convert_to_tensor(x, dtype=None, sparse=None, ragged=None)" => |a| {
        a.refuse("sparse", "None")?;
        a.refuse("ragged", "None")?;
        array(a)
    };
    /// The same numbers as another type.
    "cast(x, dtype)" => array;
}

table! { NUMPY "numpy":
    /// Numbers, lists and tensors as a tensor, of a type if one is given.
    "array(x, dtype=None)" => array;
    /// Zeros of a shape.
    "zeros(shape, dtype=None)" => |a| filled(a, 0.0);
    /// Ones of a shape.
    "ones(shape, dtype=None)" => |a| filled(a, 1.0);
    /// A tensor of a shape whose elements nobody should ask for; they are zeros.
    "empty(shape, dtype=None)" => |a| filled(a, 0.0);
    /// One value everywhere.
    "full(shape, fill_value, dtype=None)" => |a| {
        let (shape, dtype) = (a.shape("shape")?, a.dtype_or_none("dtype")?.unwrap_or(DType::F32));
        let value = a.tensor("fill_value")?.cast(dtype);
        Ok(super::shapes::broadcast(value, &shape)?.into())
    };
    /// Zeros, shaped like another tensor.
    "zeros_like(x, dtype=None)" => |a| filled_like(a, 0.0);
    /// Ones, shaped like another tensor.
    "ones_like(x, dtype=None)" => |a| filled_like(a, 1.0);
    /// A tensor like another, whose elements nobody should ask for; they are zeros.
    "empty_like(x, dtype=None)" => |a| filled_like(a, 0.0);
    /// One value everywhere, shaped like another tensor.
    "full_like(x, fill_value, dtype=None)" => |a| {
        let x = a.tensor("x")?;
        let dtype = a.dtype_or_none("dtype")?.unwrap_or(x.dtype());
        let value = a.tensor("fill_value")?.cast(dtype);
        Ok(super::shapes::broadcast(value, &x.shape())?.into())
    };
    /// Ones on a diagonal of a matrix, zeros elsewhere.
    "eye(N, M=None, k=0, dtype=None)" => |a| triangle(a, |i, j, k| (i + k).equal(j));
    /// Ones on and below a diagonal of a matrix, zeros above.
    "tri(N, M=None, k=0, dtype=None)" => |a| triangle(a, |i, j, k| j.less_equal(i + k));
    /// Ones on the diagonal of a square, zeros elsewhere.
    "identity(n, dtype=None)" => |a| {
        let (n, trace) = (a.extent("n")?, a.trace());
        let at = |axis| trace.iota(axis, Type::new(DType::I32, [n, n]));
        let dtype = a.dtype_or_none("dtype")?.unwrap_or(DType::F32);
        Ok(at(0).equal(at(1)).cast(dtype).into())
    };
    /// Numbers from `start` to before `stop`, `step` apart.
    "arange(start, stop=None, step=None, dtype=None)" => arange;
    /// `num` numbers from `start` to `stop`, evenly spaced.
    "linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0)" => |a| {
        let (steps, step) = spaced(a, |start, stop| (start, stop), |x| x)?;
        Ok(match a.flag("retstep")? {
            true => Outcome::Many(vec![steps, step]),
            false => steps.into(),
        })
    };
    /// `num` powers of a base, whose exponents are evenly spaced from `start` to `stop`.
    "logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0)" => |a| {
        let base = a.float("base")?;
        Ok(spaced(a, |start, stop| (start, stop), |x| (x * base.ln()).exp())?.0.into())
    };
    /// `num` numbers from `start` to `stop`, each the same multiple of the one before.
    "geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0)" => |a| {
        let sign = real(a.tensor("start")?).sign();
        let [start, stop] = a.promoted_real(["start", "stop"])?.map(|x| x.abs().log());
        let (steps, _) = spaced(a, |_, _| (start, stop), Tensor::exp)?;
        Ok((steps * sign).into())
    };
    /// The triangular window of `x` numbers.
    "bartlett(x)" => |a| window(a, |n, m| 1.0 - (n * (2.0 / m) - 1.0).abs());
    /// The Blackman window of `x` numbers.
    "blackman(x)" => |a| window(a, |n, m| {
        0.42 - (n * (2.0 * PI / m)).cos() * 0.5 + (n * (4.0 * PI / m)).cos() * 0.08
    });
    /// The Hamming window of `x` numbers.
    "hamming(x)" => |a| window(a, |n, m| 0.54 - (n * (2.0 * PI / m)).cos() * 0.46);
    /// The Hann window of `x` numbers.
    "hanning(x)" => |a| window(a, |n, m| 0.5 - (n * (2.0 * PI / m)).cos() * 0.5);
    /// Powers of the elements of a row, one row of a matrix for each.
    "vander(x, N=None, increasing=False)" => vander;
}

/// Known numbers in a row.
pub(super) fn row<'g>(trace: &'g Trace, numbers: &[f64], dtype: DType) -> Tensor<'g> {
    let (n, first) = (numbers.len(), numbers.first().copied().unwrap_or(0.0));
    let ty = Type::new(dtype, [n]);
    let step = numbers.get(1).map_or(0.0, |second| second - first);
    // Most rows are ranges, which take two ops however long they are.
    let is_range = (0..n).all(|i| numbers[i] == first + step * i as f64);
    if is_range && dtype != DType::Bool && dtype != DType::U32 {
        return match (step, first) {
            (0.0, _) => trace.push(Fill::new(first, ty), &[]),
            _ => trace.iota(0, ty) * step + first,
        };
    }
    let one = |&number: &f64| trace.push(Fill::new(number, Type::new(dtype, [1])), &[]);
    Tensor::concatenate(&numbers.iter().map(one).collect::<Vec<_>>(), 0)
}

fn array<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    Ok(match a.dtype_or_none("dtype")? {
        Some(dtype) => x.cast(dtype),
        None => x,
    }
    .into())
}

fn filled<'g>(a: &Arguments<'g>, value: f64) -> Result<Outcome<'g>> {
    let (shape, dtype) = (a.shape("shape")?, a.dtype_or_none("dtype")?.unwrap_or(DType::F32));
    Ok(a.trace().push(Fill::new(value, Type::new(dtype, shape)), &[]).into())
}

fn filled_like<'g>(a: &Arguments<'g>, value: f64) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let dtype = a.dtype_or_none("dtype")?.unwrap_or(x.dtype());
    Ok(a.trace().push(Fill::new(value, x.ty().of(dtype)), &[]).into())
}

/// The matrix of whether a comparison of row, column and `k` holds.
fn triangle<'g>(
    a: &Arguments<'g>,
    holds: impl FnOnce(Tensor<'g>, Tensor<'g>, f64) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let rows = a.extent("N")?;
    let columns = if a.given("M") { a.extent("M")? } else { rows };
    let at = |axis| a.trace().iota(axis, Type::new(DType::I32, [rows, columns]));
    let mask = holds(at(0), at(1), a.int("k")? as f64);
    Ok(mask.cast(a.dtype_or_none("dtype")?.unwrap_or(DType::F32)).into())
}

fn arange<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (start, stop) = match a.given("stop") {
        true => (a.float("start")?, a.float("stop")?),
        false => (0.0, a.float("start")?),
    };
    let step = a.float_or_none("step")?.unwrap_or(1.0);
    ensure!(step != 0.0, "arange: Maximum allowed size exceeded"; help: "a step cannot be 0");
    let float = |name: &str| matches!(a.get(name), Argument::Float(_));
    let own = match ["start", "stop", "step"].into_iter().any(float) {
        true => DType::F32,
        false => DType::I32,
    };
    let dtype = a.dtype_or_none("dtype")?.unwrap_or(own);
    let n = ((stop - start) / step).ceil().max(0.0) as usize;
    let count = a.trace().iota(0, Type::new(joined(own, dtype), [n]));
    Ok((count * step + start).cast(dtype).into())
}

/// Numbers from `start` to `stop` along a new axis, and the distance between them; `ends` and
/// `law` say of what is evenly spaced.
fn spaced<'g>(
    a: &Arguments<'g>,
    ends: impl FnOnce(Tensor<'g>, Tensor<'g>) -> (Tensor<'g>, Tensor<'g>),
    law: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Result<(Tensor<'g>, Tensor<'g>)> {
    let [start, stop] = a.promoted_real(["start", "stop"])?;
    let (start, stop) = ends(start, stop);
    let (num, last) = (a.extent("num")?, a.flag("endpoint")?);
    let gaps = if last { num.saturating_sub(1) } else { num };
    let own = start.dtype();
    let dtype = a.dtype_or_none("dtype")?.unwrap_or(own);
    let step = match gaps {
        0 => (stop - start) * f64::NAN,
        _ => (stop - start) / gaps as f64,
    };
    let rank = step.rank();
    let axis = a.axis("axis", rank + 1)?;
    let mut shape = vec![1; rank + 1];
    shape[axis] = num;
    let count = a.trace().iota(0, Type::new(own, [num])).reshape(shape);
    // As weights of both ends, of which neither is missed by rounding.
    let share = count * (1.0 / gaps.max(1) as f64);
    let [start, stop] =
        [start, stop].map(|end| super::shapes::expand(end.broadcast(step.shape()), axis));
    let numbers = start * (1.0 - share) + stop * share;
    let numbers = if dtype.is_int() { law(numbers).floor() } else { law(numbers) };
    Ok((numbers.cast(dtype), step))
}

/// A window: a function of the place, from 0 to the last place `m`.
fn window<'g>(
    a: &Arguments<'g>,
    law: impl FnOnce(Tensor<'g>, f64) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let n = a.extent("x")?;
    let place = a.trace().iota(0, Type::f32([n]));
    Ok(match n {
        0 | 1 => place + 1.0,
        _ => law(place, n as f64 - 1.0),
    }
    .into())
}

fn vander<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    ensure!(x.rank() == 1, "x must be a one-dimensional array, got {}", x.ty());
    let n = match a.given("N") {
        true => a.extent("N")?,
        false => x.ty().len(),
    };
    let mut powers = Vec::with_capacity(n);
    let mut power = x.fill(1.0);
    for _ in 0..n {
        powers.push(power);
        power = power * x;
    }
    if !a.flag("increasing")? {
        powers.reverse();
    }
    Ok(match powers[..] {
        [] => x.fill(0.0).reshape([x.ty().len(), 1]).slice([0, 0], [x.ty().len(), 0], [1, 1]),
        _ => super::joining::stack(&powers, 1),
    }
    .into())
}
