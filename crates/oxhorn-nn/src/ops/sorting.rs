//! Order along an axis, found by comparing all pairs: sort, top_k, medians and quantiles.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    indexing::{along_axis, elements},
    joining::flat,
    reductions::Along,
    shapes::{expand, moved_axis, range},
    table,
    types::{countable, real},
};

/// The greatest extent that is sorted: every element is compared with every other.
const SORTED_MAX: usize = 4096;

table! { NUMPY "numpy":
    /// The elements along an axis in ascending order, NaN last.
    "sort(x, axis=-1)" => |a| {
        let x = a.tensor("x")?;
        let (rows, axis) = along_last(a, x)?;
        let sorted = super::types::through_numbers(rows, |x| ordered(x, ascending(x)));
        Ok(moved_axis(sorted, sorted.rank() - 1, axis).into())
    };
    /// The places of the elements along an axis in ascending order; equal ones keep theirs.
    "argsort(x, axis=-1)" => |a| {
        let (rows, axis) = along_last(a, a.tensor("x")?)?;
        let order = places(ascending(countable(rows)));
        Ok(moved_axis(order, order.rank() - 1, axis).into())
    };
    /// The middle of the elements along axes; NaN where any is.
    "median(x, axis=None, keepdims=False)" => |a| {
        let half = a.trace().scalar(0.5, DType::F32);
        quantile(a, half, "linear", Nan::Spreads)
    };
    /// The element below which a share `q` of those along axes lie; NaN where any is.
    "quantile(x, q, axis=None, method='linear', keepdims=False)" => |a| {
        quantile(a, a.real("q")?, a.text("method")?, Nan::Spreads)
    };
    /// The element below which `q` of a hundred along axes lie; NaN where any is.
    "percentile(x, q, axis=None, method='linear', keepdims=False)" => |a| {
        quantile(a, a.real("q")? / 100.0, a.text("method")?, Nan::Spreads)
    };
    /// The middle of the numbers along axes, those passed over that are NaN.
    "nanmedian(x, axis=None, keepdims=False)" => |a| {
        let half = a.trace().scalar(0.5, DType::F32);
        quantile(a, half, "linear", Nan::Passed)
    };
    /// The number below which a share `q` of those along axes lie.
    "nanquantile(x, q, axis=None, method='linear', keepdims=False)" => |a| {
        quantile(a, a.real("q")?, a.text("method")?, Nan::Passed)
    };
    /// The number below which `q` of a hundred along axes lie.
    "nanpercentile(x, q, axis=None, method='linear', keepdims=False)" => |a| {
        quantile(a, a.real("q")? / 100.0, a.text("method")?, Nan::Passed)
    };
}

table! { MATH "math":
    /// The `k` greatest elements of each row, the greatest first, and their places.
    "top_k(x, k, sorted=True)" => |a| {
        // They come in order whether that is asked for or not.
        a.flag("sorted")?;
        let (x, k) = (a.tensor("x")?, a.extent("k")?);
        ensure!(x.rank() > 0, "top_k operand must have >= 1 dimension, got {}", x.ty());
        let n = x.dim(-1);
        ensure!(
            k <= n,
            "k argument to top_k must be no larger than size along axis; got {k} and {n}"
        );
        check(n)?;
        let rank = descending(countable(x));
        let values = super::types::through_numbers(x, |x| ordered(x, rank));
        let both = [values, places(rank)];
        Ok(both.map(|y| range(y, y.rank() - 1, 0, k)).to_vec().into())
    };
}

/// What becomes of a row with NaN in it.
#[derive(Clone, Copy, PartialEq)]
enum Nan {
    /// The result is NaN.
    Spreads,
    /// It does not count.
    Passed,
}

fn check(n: usize) -> Result<()> {
    ensure!(
        n <= SORTED_MAX,
        "at most {SORTED_MAX} elements can be sorted along an axis, got {n}";
        help: "every element is compared with every other; split the axis into shorter ones"
    );
    Ok(())
}

/// The tensor with `axis` last, or in one row if it is `None`.
fn along_last<'g>(a: &Arguments<'g>, x: Tensor<'g>) -> Result<(Tensor<'g>, usize)> {
    let (rows, axis) = match a.given("axis") {
        true => {
            let axis = a.axis("axis", x.rank())?;
            (moved_axis(x, axis, x.rank() - 1), axis)
        }
        false => (flat(x), 0),
    };
    check(rows.dim(-1))?;
    Ok((rows, axis))
}

/// The number of each element of a row in ascending order, NaN being the greatest.
pub(crate) fn ascending(x: Tensor<'_>) -> Tensor<'_> {
    ranked(x, |this, other| other.less(this).or(this.is_nan().and(other.is_nan().not())))
}

/// The number of each element of a row in descending order, NaN being the greatest.
fn descending(x: Tensor<'_>) -> Tensor<'_> {
    ranked(x, |this, other| other.greater(this).or(other.is_nan().and(this.is_nan().not())))
}

/// How many elements of its row come before each element: those that are ahead of it, and those
/// that are neither ahead nor behind but stand earlier.
fn ranked<'g>(x: Tensor<'g>, ahead: impl Fn(Tensor<'g>, Tensor<'g>) -> Tensor<'g>) -> Tensor<'g> {
    // Integers are compared as reals of 53 bits, which hold them, and have no NaN.
    let x = if x.dtype().is_float() { x } else { x.cast(DType::F64) };
    let last = x.rank() - 1;
    let (this, other) = (expand(x, last + 1), expand(x, last));
    let square: Vec<usize> = [x.shape(), vec![x.dim(-1)]].concat();
    let (this, other) = (this.broadcast(square.clone()), other.broadcast(square.clone()));
    let place = |axis| x.trace().iota(axis, Type::new(DType::I32, square.clone()));
    let (first, behind) = (ahead(this, other), ahead(other, this));
    let earlier = place(last + 1).less(place(last));
    let before = first.or(behind.not().and(earlier));
    before.cast(DType::I32).sum(last as isize + 1)
}

/// The inverse of the permutation that each row is: the places of what comes first, second, ..
fn places(rank: Tensor<'_>) -> Tensor<'_> {
    let (shape, n) = (rank.shape(), rank.dim(-1));
    let rows: usize = shape[..shape.len() - 1].iter().product();
    let ty = Type::new(DType::I32, [rows, n]);
    let (row, place) = (rank.trace().iota(0, ty.clone()), rank.trace().iota(1, ty));
    let target = flat(row * n as f64 + rank.reshape([rows, n]));
    let zeros = flat(place).fill(0.0);
    zeros.scatter_add(target, flat(place), 0).reshape(shape)
}

/// The elements of each row in the order of their numbers.
fn ordered<'g>(x: Tensor<'g>, rank: Tensor<'g>) -> Tensor<'g> {
    along_axis(x, places(rank), x.dim(-1))
}

/// The slices along an axis in the ascending order of keys, each row by itself.
pub(super) fn by_keys<'g>(x: Tensor<'g>, keys: Tensor<'g>, axis: usize) -> Result<Tensor<'g>> {
    check(x.shape()[axis])?;
    let last = x.rank() - 1;
    let rank = ascending(moved_axis(keys, axis, last));
    let y = super::types::through_numbers(moved_axis(x, axis, last), |x| ordered(x, rank));
    Ok(moved_axis(y, last, axis))
}

/// Quantiles along axes; several shares `q` become a first axis.
fn quantile<'g>(a: &Arguments<'g>, q: Tensor<'g>, method: &str, nan: Nan) -> Result<Outcome<'g>> {
    let x = real(a.tensor("x")?);
    let (q, along) = (q.cast(x.dtype()), Along::of(a, x)?);
    ensure!(q.rank() <= 1, "`q` must be a number or a row of numbers, got {}", q.ty());
    let n = along.count;
    check(n)?;
    ensure!(n > 0, "`{}` of no elements, in {}", a.function().name, x.ty());
    // The reduced axes become one, the last; all others are rows.
    let kept: Vec<usize> = (0..x.rank()).filter(|axis| !along.axes.contains(axis)).collect();
    let order = [&kept[..], &along.axes].concat();
    let rows: usize = kept.iter().map(|&axis| x.shape()[axis]).product();
    let x = x.transpose(order).reshape([rows, n]);
    let sorted = ordered(x, ascending(x));
    let numbers = x.is_nan().not().cast(x.dtype()).sum(1);
    let shares = q.ty().len();
    let place = q.reshape([shares, 1]) * (numbers - 1.0).maximum(0.0);
    let (low, high) = (place.floor(), place.ceil());
    let row = x.trace().iota(1, Type::new(DType::I32, [shares, rows])) * n as f64;
    let at = |place: Tensor<'g>| elements(sorted, place.cast(DType::I32) + row);
    let (below, above) = (at(low), at(high));
    let y = match method {
        "linear" => {
            let share = place - low;
            below * (1.0 - share) + above * share
        }
        "lower" => below,
        "higher" => above,
        "midpoint" => (below + above) * 0.5,
        "nearest" => at(place.round()),
        _ => {
            return Err(a.wrong("method", "'linear', 'lower', 'higher', 'midpoint' or 'nearest'"));
        }
    };
    let missing = match nan {
        Nan::Spreads => numbers.less(n as f64),
        Nan::Passed => numbers.equal(0.0),
    };
    let y = missing.select(y.fill(f64::NAN), y);
    let leading = if q.rank() == 0 { vec![] } else { vec![shares] };
    Ok(y.reshape([leading, along.shape].concat()).into())
}
