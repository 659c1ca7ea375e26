//! Elements chosen by their places, and places found: take, bins, one-hot rows.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Argument, Arguments, Outcome,
    arguments::axis as counted,
    joining::flat,
    shapes::{at, expand, moved, range},
    table,
};

table! { NUMPY "numpy":
    /// Slices along an axis, or elements of all in a row, chosen by index.
    ///
    /// Negative indices count from the end; what is outside counts as the nearest inside.
    "take(x, indices, axis=None)" => take;
    /// For each index along an axis, the element there, everything else being equal.
    "take_along_axis(x, indices, axis=None)" => take_along_axis;
    /// How many elements of an ascending row lie before each value.
    "searchsorted(sorted_sequence, values, side='left')" => searchsorted;
    /// The number of the bin, between ascending edges, to which each element belongs.
    "digitize(x, bins)" => |a| {
        let [x, bins] = a.promoted(["x", "bins"])?;
        Ok(expand(x, x.rank()).greater_equal(flat(bins)).cast(DType::I32).sum(-1).into())
    };
    /// How many elements belong to each of some bins, and the edges of these.
    "histogram(x, bins=10, range=None)" => histogram;
    /// The coordinates, in a shape, of elements counted in a row.
    "unravel_index(indices, shape)" => |a| {
        let (mut rest, shape) = (a.indices("indices")?, a.shape("shape")?);
        let len: usize = shape.iter().product();
        rest = rest.less(0.0).select(rest + len as f64, rest);
        rest = rest.maximum(0.0).minimum((len as f64 - 1.0).max(0.0));
        let mut coordinates = vec![];
        for &extent in shape.iter().rev() {
            coordinates.push(rest.rem(extent as f64));
            rest = rest / extent as f64;
        }
        coordinates.reverse();
        Ok(coordinates.into())
    };
}

table! { NN "nn":
    /// A row for each integer, 1 at its place and 0 elsewhere; along a new axis.
    "one_hot(x, num_classes, axis=-1, dtype=None, sparse=False)" => |a| {
        let x = a.indices("x")?;
        Ok(one_hot(a, x)?.into())
    };
    /// A row for each sample, 1 at the places of all its integers and 0 elsewhere.
    "multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs)" => |a| {
        let x = a.tensor("inputs")?.cast(DType::I32);
        let y = one_hot(a, x)?;
        let axis = if x.rank() > 1 { 1 } else { 0 };
        Ok(super::types::through_numbers(y, |y| y.reduce_max(axis)).into())
    };
}

table! { MATH "math":
    /// Whether each target's prediction is among the `k` greatest of its row.
    "in_top_k(targets, predictions, k)" => |a| {
        let (targets, predictions) = (a.indices("targets")?, a.real("predictions")?);
        let classes = predictions.dim(-1);
        let at_target = along_axis(predictions, expand(targets, targets.rank()), classes);
        let at_target = at_target.is_nan().select(at_target.fill(f64::NEG_INFINITY), at_target);
        let above = predictions.greater(at_target).cast(DType::I32).sum(-1);
        Ok(above.less(a.int("k")? as f64).into())
    };
}

/// Indices of which negative ones count from the end of `n`.
pub(super) fn from_front(indices: Tensor<'_>, n: usize) -> Tensor<'_> {
    indices.less(0.0).select(indices + n as f64, indices)
}

/// Elements of all in a row, chosen by index.
pub(super) fn elements<'g>(x: Tensor<'g>, indices: Tensor<'g>) -> Tensor<'g> {
    flat(x).gather(indices, 0)
}

/// The elements at these indices along the last axis, of extent `n`; leading axes are equal.
pub(super) fn along_axis<'g>(x: Tensor<'g>, indices: Tensor<'g>, n: usize) -> Tensor<'g> {
    let rows: usize = x.shape()[..x.rank() - 1].iter().product();
    let chosen = indices.dim(-1);
    let row = x.trace().iota(0, Type::new(DType::I32, [rows, chosen])) * n as f64;
    let inside = from_front(indices.cast(DType::I32), n).maximum(0.0).minimum(n as f64 - 1.0);
    elements(x, inside.reshape([rows, chosen]) + row).reshape(indices.shape())
}

fn take<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, indices) = (a.tensor("x")?, a.indices("indices")?);
    let (x, axis) = match a.given("axis") {
        true => (x, a.axis("axis", x.rank())?),
        false => (flat(x), 0),
    };
    Ok(x.gather(from_front(indices, x.shape()[axis]), axis as isize).into())
}

fn take_along_axis<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (mut x, mut indices) = (a.tensor("x")?, a.indices("indices")?);
    if !a.given("axis") {
        (x, indices) = (flat(x), flat(indices));
    }
    let axis = if a.given("axis") { a.axis("axis", x.rank())? } else { 0 };
    ensure!(
        x.rank() == indices.rank(),
        "`take_along_axis` needs indices of as many axes as {} has, got {}",
        x.ty(),
        indices.ty()
    );
    let (n, last) = (x.shape()[axis], x.rank() - 1);
    let (x, indices) = (moved(x, &[axis], &[last])?, moved(indices, &[axis], &[last])?);
    // All axes but the chosen one are broadcast against each other.
    let leading = |x: Tensor| x.shape()[..last].to_vec();
    let common = super::shapes::common_shape(&[leading(x), leading(indices)])?;
    let wide = |x: Tensor<'g>| x.broadcast([&common[..], &[x.dim(-1)]].concat());
    let y = along_axis(wide(x), wide(indices), n);
    Ok(moved(y, &[last], &[axis])?.into())
}

fn searchsorted<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let [sorted, values] = a.promoted(["sorted_sequence", "values"])?;
    ensure!(
        sorted.rank() == 1,
        "`searchsorted` only supports 1-D sorted sequences. You can use `keras.ops.vectorized_map` \
        to extend it to N-D sequences. Received: sorted_sequence.shape={:?}",
        sorted.shape()
    );
    let values = expand(values, values.rank());
    let before = match a.text("side")? {
        "left" => values.greater(sorted),
        "right" => values.greater_equal(sorted),
        _ => return Err(a.wrong("side", "'left' or 'right'")),
    };
    Ok(before.cast(DType::I32).sum(-1).into())
}

fn histogram<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, bins) = (flat(a.real("x")?), a.extent("bins")?);
    ensure!(bins > 0, "Argument `bins` should be a non-negative integer. Received: bins={bins}");
    let (low, high) = match a.get("range") {
        Argument::None if x.ty().is_empty() => {
            (x.trace().scalar(0.0, x.dtype()), { x.trace().scalar(1.0, x.dtype()) })
        }
        Argument::None => (x.reduce_min(..), x.reduce_max(..)),
        Argument::List(pair) if pair.len() == 2 => {
            let pair = a.tensor("range")?.cast(x.dtype());
            (at(pair, 0, 0), at(pair, 0, 1))
        }
        _ => return Err(a.wrong("range", "a pair of numbers")),
    };
    // A range without extent is widened by a half on either side.
    let alike = low.equal(high);
    let (low, high) = (alike.select(low - 0.5, low), alike.select(high + 0.5, high));
    let share = x.trace().iota(0, Type::new(x.dtype(), [bins + 1])) / bins as f64;
    let edges = low * (1.0 - share) + high * share;
    let [lower, upper] = [range(edges, 0, 0, bins), range(edges, 0, 1, bins + 1)];
    let x = expand(x, 1);
    // The last bin alone has its upper edge within.
    let last = x.trace().iota(0, Type::new(DType::I32, [bins])).equal(bins as f64 - 1.0);
    let below = x.less(upper).or(last.and(x.less_equal(upper)));
    let counts = x.greater_equal(lower).and(below).cast(x.dtype()).sum(0);
    Ok(vec![counts, edges].into())
}

/// A row for each integer, along a new axis.
fn one_hot<'g>(a: &Arguments<'g>, x: Tensor<'g>) -> Result<Tensor<'g>> {
    a.refuse("sparse", "False")?;
    let (n, axis) = (a.extent("num_classes")?, counted(a.int("axis")?, x.rank() + 1)?);
    let mut shape = vec![1; x.rank() + 1];
    shape[axis] = n;
    let numbers = x.trace().iota(0, Type::new(x.dtype(), [n])).reshape(shape);
    let dtype = a.dtype_or_none("dtype")?.unwrap_or(DType::F32);
    Ok(expand(x, axis).equal(numbers).cast(dtype))
}
