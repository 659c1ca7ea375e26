//! Reductions that pass over what is not a number.

use oxhorn_ir::{DType, Result, Tensor};

use super::{
    Arguments, Outcome,
    joining::flat,
    reductions::Along,
    shapes::expand,
    table,
    types::{countable, real},
};

table! { NUMPY "numpy":
    /// The sum along axes of what is a number; of nothing, 0.
    "nansum(x, axis=None, keepdims=False)" => |a| passing(a, 0.0, Tensor::sum);
    /// The product along axes of what is a number; of nothing, 1.
    "nanprod(x, axis=None, keepdims=False)" => |a| passing(a, 1.0, Tensor::prod);
    /// The greatest number along axes; NaN where there is none.
    "nanmax(x, axis=None, keepdims=False)" => |a| {
        extreme(a, f64::NEG_INFINITY, Tensor::reduce_max)
    };
    /// The least number along axes; NaN where there is none.
    "nanmin(x, axis=None, keepdims=False)" => |a| extreme(a, f64::INFINITY, Tensor::reduce_min);
    /// The mean along axes of what is a number; NaN where there is none.
    "nanmean(x, axis=None, keepdims=False)" => |a| {
        let x = a.real("x")?;
        let along = Along::of(a, x)?;
        Ok(mean(x, &along).reshape(along.shape.clone()).into())
    };
    /// The variance along axes of what is a number; NaN where there is none.
    "nanvar(x, axis=None, keepdims=False)" => |a| Ok(variance(a)?.into());
    /// The square root of the variance along axes of what is a number.
    "nanstd(x, axis=None, keepdims=False)" => |a| Ok(variance(a)?.sqrt().into());
    /// The place of the greatest number along an axis, or among all; -1 where there is none.
    "nanargmax(x, axis=None, keepdims=False)" => |a| place(a, f64::NEG_INFINITY, |x| x);
    /// The place of the least number along an axis, or among all; -1 where there is none.
    "nanargmin(x, axis=None, keepdims=False)" => |a| place(a, f64::INFINITY, |x| -x);
}

/// The elements, with a number in place of what is none.
pub(super) fn without_nan(x: Tensor<'_>, number: f64) -> Tensor<'_> {
    if x.dtype().is_float() { x.is_nan().select(x.fill(number), x) } else { x }
}

fn passing<'g>(
    a: &Arguments<'g>,
    neutral: f64,
    reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = countable(a.tensor("x")?);
    Ok(Along::of(a, x)?.reduce(without_nan(x, neutral), reduce).into())
}

fn extreme<'g>(
    a: &Arguments<'g>,
    neutral: f64,
    reduce: fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let along = Along::of(a, x)?;
    if !x.dtype().is_float() {
        return Ok(super::types::through_numbers(x, |x| along.reduce(x, reduce)).into());
    }
    let y = along.reduce(without_nan(x, neutral), reduce);
    let none = along.reduce(x.is_nan().cast(DType::U32), Tensor::reduce_min).cast(DType::Bool);
    Ok(none.select(y.fill(f64::NAN), y).into())
}

/// The mean of what is a number, with the reduced axes at extent 1.
fn mean<'g>(x: Tensor<'g>, along: &Along) -> Tensor<'g> {
    let count = along.keep(x.is_nan().not().cast(x.dtype()), Tensor::sum);
    along.keep(without_nan(x, 0.0), Tensor::sum) / count
}

fn variance<'g>(a: &Arguments<'g>) -> Result<Tensor<'g>> {
    let x = a.real("x")?;
    let along = Along::of(a, x)?;
    let distance = x - mean(x, &along);
    Ok(mean(distance * distance, &along).reshape(along.shape.clone()))
}

fn place<'g>(
    a: &Arguments<'g>,
    neutral: f64,
    order: fn(Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let (given, keep) = (a.tensor("x")?, a.flag("keepdims")?);
    let x = real(given);
    let (row, axis) = match a.given("axis") {
        true => (x, a.axis("axis", x.rank())?),
        false => (flat(x), 0),
    };
    let none = row.is_nan().cast(DType::U32).reduce_min(axis as isize).cast(DType::Bool);
    let found = order(without_nan(row, neutral)).argmax(axis as isize);
    let found = none.select(found.fill(-1.0), found);
    Ok(match (keep, a.given("axis")) {
        (false, _) => found,
        (true, true) => expand(found, axis),
        (true, false) => found.reshape(vec![1; x.rank()]),
    }
    .into())
}
