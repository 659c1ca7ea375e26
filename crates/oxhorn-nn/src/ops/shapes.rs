//! The same elements in other shapes and orders: reshape, transpose, flip, roll, repeat, pad.

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use super::{Argument, Arguments, Outcome, arguments::axis, table, types::dtype_name};

table! { CORE "core":
    /// The extents of a tensor, as a tuple.
    "shape(x)" => |a| {
        let extents = a.tensor("x")?.shape().into_iter().map(|n| Argument::Int(n as i64));
        Ok(Outcome::Static(Argument::List(extents.collect())))
    };
    /// The name of the type of a tensor's elements.
    "dtype(x)" => |a| {
        Ok(Outcome::Static(Argument::Text(dtype_name(a.tensor("x")?.dtype()).to_owned())))
    };
    /// Whether something is a tensor.
    "is_tensor(x)" => |a| {
        Ok(Outcome::Static(Argument::Bool(matches!(a.get("x"), Argument::Tensor(_)))))
    };
}

table! { NUMPY "numpy":
    /// The number of axes of a tensor.
    "ndim(x)" => |a| Ok(Outcome::Static(Argument::Int(a.tensor("x")?.rank() as i64)));
    /// The number of elements of a tensor.
    "size(x)" => |a| Ok(Outcome::Static(Argument::Int(a.tensor("x")?.ty().len() as i64)));
    /// The same elements, in the same order, in another shape; one extent may be -1.
    "reshape(x, newshape)" => reshape;
    /// All elements in one row.
    "ravel(x)" => |a| {
        let x = a.tensor("x")?;
        Ok(x.reshape([x.ty().len()]).into())
    };
    /// The axes in another order; without one, in reverse.
    "transpose(x, axes=None)" => transpose;
    /// Two axes, exchanged.
    "swapaxes(x, axis1, axis2)" => |a| {
        let x = a.tensor("x")?;
        let mut order: Vec<usize> = (0..x.rank()).collect();
        order.swap(a.axis("axis1", x.rank())?, a.axis("axis2", x.rank())?);
        Ok(x.transpose(order).into())
    };
    /// Some axes moved to other places; the others keep their order.
    "moveaxis(x, source, destination)" => |a| {
        let x = a.tensor("x")?;
        let from = a.axes("source", x.rank())?;
        let to = a.axes("destination", x.rank())?;
        Ok(moved(x, &from, &to)?.into())
    };
    /// New axes of extent 1, at these places of the result.
    "expand_dims(x, axis)" => expand_dims;
    /// Without these axes of extent 1, or without any.
    "squeeze(x, axis=None)" => squeeze;
    /// Repeated to fill a shape.
    "broadcast_to(x, shape)" => |a| {
        let (x, shape) = (a.tensor("x")?, a.shape("shape")?);
        Ok(broadcast(x, &shape)?.into())
    };
    /// The elements in reverse order along some axes, or along all.
    "flip(x, axis=None)" => |a| {
        let x = a.tensor("x")?;
        Ok(flip(x, &a.axes("axis", x.rank())?).into())
    };
    /// The rows in themselves reversed: a flip of the second axis.
    "fliplr(x)" => |a| {
        let x = a.tensor("x")?;
        ensure!(x.rank() >= 2, "Input must be >= 2-d.");
        Ok(flip(x, &[1]).into())
    };
    /// The rows in reverse order: a flip of the first axis.
    "flipud(x)" => |a| {
        let x = a.tensor("x")?;
        ensure!(x.rank() >= 1, "Input must be >= 1-d.");
        Ok(flip(x, &[0]).into())
    };
    /// The elements moved on along axes, those that leave coming in at the other end.
    "roll(x, shift, axis=None)" => roll;
    /// Turned by `k` right angles in the plane of two axes.
    "rot90(array, k=1, axes=(0, 1))" => rot90;
    /// Each element, or each slice along an axis, so many times in a row.
    "repeat(x, repeats, axis=None)" => repeat;
    /// The whole tensor, so many times along each axis.
    "tile(x, repeats)" => |a| {
        let (x, repeats) = (a.tensor("x")?, a.shape("repeats")?);
        Ok(tile(x, &repeats).into())
    };
    /// With more elements before and after along each axis: a constant, reflections, the edges.
    "pad(x, pad_width, mode='constant', constant_values=None)" => pad;
}

/// The shape to which all these shapes can be broadcast.
pub(super) fn common_shape(shapes: &[Vec<usize>]) -> Result<Vec<usize>> {
    let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
    let mut common = vec![1; rank];
    for shape in shapes {
        for (extent, &n) in common.iter_mut().rev().zip(shape.iter().rev()) {
            let fits = *extent == n || *extent == 1 || n == 1;
            ensure!(fits, "Incompatible shapes for broadcasting: shapes={shapes:?}");
            *extent = if *extent == 1 { n } else { *extent };
        }
    }
    Ok(common)
}

/// Repeated to fill a shape, or an error in JAX' words.
pub(super) fn broadcast<'g>(x: Tensor<'g>, shape: &[usize]) -> Result<Tensor<'g>> {
    let from = x.shape();
    let fits = common_shape(&[from.clone(), shape.to_vec()]).is_ok_and(|common| common == shape);
    ensure!(fits, "Incompatible shapes for broadcasting: {from:?} and requested shape {shape:?}");
    Ok(x.broadcast(shape))
}

/// A new axis of extent 1, at this place.
pub(super) fn expand(x: Tensor<'_>, axis: usize) -> Tensor<'_> {
    let mut shape = x.shape();
    shape.insert(axis, 1);
    x.reshape(shape)
}

/// The slice at one place of an axis, which goes.
pub(super) fn at(x: Tensor<'_>, axis: usize, place: usize) -> Tensor<'_> {
    let mut shape = x.shape();
    shape.remove(axis);
    range(x, axis, place, place + 1).reshape(shape)
}

/// The slices from one place of an axis to before another.
pub(super) fn range(x: Tensor<'_>, axis: usize, from: usize, to: usize) -> Tensor<'_> {
    let (mut start, mut stop) = (vec![0; x.rank()], x.shape());
    (start[axis], stop[axis]) = (from, to);
    x.slice(start, stop, vec![1; x.rank()])
}

/// Axes moved to other places; the others keep their order.
pub(super) fn moved<'g>(x: Tensor<'g>, from: &[usize], to: &[usize]) -> Result<Tensor<'g>> {
    ensure!(
        from.len() == to.len(),
        "Inconsistent number of elements: {} vs {}",
        from.len(),
        to.len()
    );
    let mut order: Vec<usize> = (0..x.rank()).filter(|axis| !from.contains(axis)).collect();
    let mut pairs: Vec<(usize, usize)> = to.iter().copied().zip(from.iter().copied()).collect();
    pairs.sort_unstable();
    pairs.into_iter().for_each(|(to, from)| order.insert(to.min(order.len()), from));
    Ok(x.transpose(order))
}

/// One axis moved to another place.
pub(super) fn moved_axis(x: Tensor<'_>, from: usize, to: usize) -> Tensor<'_> {
    let mut order: Vec<usize> = (0..x.rank()).collect();
    let axis = order.remove(from);
    order.insert(to, axis);
    x.transpose(order)
}

/// Places along an axis of extent `n`, counted from the end.
fn backwards(x: Tensor<'_>, n: usize) -> Tensor<'_> {
    (n as f64 - 1.0) - x.trace().iota(0, Type::new(DType::I32, [n]))
}

/// The elements in reverse order along these axes.
pub(super) fn flip<'g>(x: Tensor<'g>, axes: &[usize]) -> Tensor<'g> {
    axes.iter().fold(x, |x, &axis| x.gather(backwards(x, x.shape()[axis]), axis as isize))
}

/// The elements moved on by `shift` along an axis, around its end.
pub(super) fn rolled(x: Tensor<'_>, shift: i64, axis: usize) -> Tensor<'_> {
    let n = x.shape()[axis];
    let split = match n {
        0 => return x,
        _ => n - shift.rem_euclid(n as i64) as usize,
    };
    Tensor::concatenate(&[range(x, axis, split, n), range(x, axis, 0, split)], axis as isize)
}

/// The whole tensor, so many times along each axis; missing axes are new, or 1.
pub(super) fn tile<'g>(x: Tensor<'g>, repeats: &[usize]) -> Tensor<'g> {
    let rank = x.rank().max(repeats.len());
    let filled = |list: &[usize]| [vec![1; rank - list.len()], list.to_vec()].concat();
    let (shape, repeats) = (filled(&x.shape()), filled(repeats));
    let pairs = |first: &[usize]| -> Vec<usize> {
        first.iter().zip(&shape).flat_map(|(&times, &n)| [times, n]).collect()
    };
    let whole: Vec<usize> = repeats.iter().zip(&shape).map(|(times, n)| times * n).collect();
    x.reshape(pairs(&vec![1; rank])).broadcast(pairs(&repeats)).reshape(whole)
}

/// More elements of one value, before and after along each axis.
pub(super) fn padded<'g>(x: Tensor<'g>, value: f64, widths: &[(usize, usize)]) -> Tensor<'g> {
    let low: Vec<usize> = widths.iter().map(|(low, _)| *low).collect();
    let high: Vec<usize> = widths.iter().map(|(_, high)| *high).collect();
    x.pad(value, low, high, vec![0; widths.len()])
}

fn reshape<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, wanted) = (a.tensor("x")?, a.ints("newshape")?);
    let known: i64 = wanted.iter().filter(|&&n| n != -1).product();
    let (len, open) = (x.ty().len() as i64, wanted.iter().filter(|&&n| n == -1).count());
    let fits = match open {
        0 => known == len,
        1 => known > 0 && len % known == 0,
        _ => false,
    };
    ensure!(
        fits && wanted.iter().all(|&n| n >= -1),
        "cannot reshape array of shape {:?} (size {len}) into shape {wanted:?}",
        x.shape()
    );
    let extent = |&n: &i64| if n == -1 { len / known } else { n } as usize;
    Ok(x.reshape(wanted.iter().map(extent).collect::<Vec<_>>()).into())
}

fn transpose<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let order = match a.given("axes") {
        true => a.axes("axes", x.rank())?,
        false => (0..x.rank()).rev().collect(),
    };
    Ok(x.transpose(order).into())
}

fn expand_dims<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, places) = (a.tensor("x")?, a.ints("axis")?);
    let rank = x.rank() + places.len();
    let mut places: Vec<usize> =
        places.into_iter().map(|it| axis(it, rank)).collect::<Result<_>>()?;
    places.sort_unstable();
    let distinct = places.windows(2).all(|pair| pair[0] != pair[1]);
    ensure!(distinct, "repeated axis in expand_dims: {}", a.get("axis"));
    Ok(places.into_iter().fold(x, expand).into())
}

fn squeeze<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let shape = x.shape();
    let gone: Vec<usize> = match a.given("axis") {
        true => a.axes("axis", x.rank())?,
        false => (0..x.rank()).filter(|&axis| shape[axis] == 1).collect(),
    };
    if let Some(axis) = gone.iter().find(|&&axis| shape[axis] != 1) {
        let (all, extent) = (a.get("axis"), shape[*axis]);
        return Err(Error::new(format!(
            "cannot select an axis to squeeze out which has size not equal to one, got \
             shape={shape:?} and dimensions={all}"
        ))
        .help(format!("axis {axis} has the extent {extent}")));
    }
    let kept: Vec<usize> =
        (0..x.rank()).filter(|axis| !gone.contains(axis)).map(|axis| shape[axis]).collect();
    Ok(x.reshape(kept).into())
}

fn roll<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (x, shifts) = (a.tensor("x")?, a.ints("shift")?);
    if !a.given("axis") {
        let row = rolled(x.reshape([x.ty().len()]), shifts.iter().sum(), 0);
        return Ok(row.reshape(x.shape()).into());
    }
    let axes = a.axes("axis", x.rank())?;
    // One shift serves all axes, and one axis may be given several shifts.
    let count = shifts.len().max(axes.len());
    ensure!(
        [1, count].contains(&shifts.len()) && [1, count].contains(&axes.len()),
        "`roll` needs as many shifts as axes, got shift={} and axis={}",
        a.get("shift"),
        a.get("axis")
    );
    let pairs = (0..count).map(|i| (shifts[i % shifts.len()], axes[i % axes.len()]));
    Ok(pairs.fold(x, |x, (shift, axis)| rolled(x, shift, axis)).into())
}

fn rot90<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("array")?;
    ensure!(
        x.rank() >= 2,
        "Input array must have at least 2 dimensions. Received: array.ndim={}",
        x.rank()
    );
    let axes = a.axes("axes", x.rank())?;
    let [i, j] = axes[..] else { return Err(a.wrong("axes", "a tuple of two axes")) };
    ensure!(i != j, "Invalid axes: {}. Axes must be a tuple of two different dimensions.", {
        a.get("axes")
    });
    let mut order: Vec<usize> = (0..x.rank()).collect();
    order.swap(i, j);
    Ok(match a.int("k")?.rem_euclid(4) {
        0 => x,
        1 => flip(x, &[j]).transpose(order),
        2 => flip(x, &[i, j]),
        _ => flip(x.transpose(order), &[j]),
    }
    .into())
}

fn repeat<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (mut x, repeats) = (a.tensor("x")?, a.shape("repeats")?);
    let axis = match a.given("axis") {
        true => a.axis("axis", x.rank())?,
        false => {
            x = x.reshape([x.ty().len()]);
            0
        }
    };
    let n = x.shape()[axis];
    if let [times] = repeats[..] {
        let (mut wide, mut whole) = (x.shape(), x.shape());
        wide.insert(axis + 1, times);
        whole[axis] = n * times;
        return Ok(expand(x, axis + 1).broadcast(wide).reshape(whole).into());
    }
    ensure!(
        repeats.len() == n,
        "`repeat` needs one number, or one for each of the {n} slices along axis {axis}, got {}",
        a.get("repeats")
    );
    let parts: Vec<Tensor> = (0..n)
        .filter(|&i| repeats[i] > 0)
        .flat_map(|i| vec![range(x, axis, i, i + 1); repeats[i]])
        .collect();
    Ok(match parts[..] {
        [] => range(x, axis, 0, 0),
        _ => Tensor::concatenate(&parts, axis as isize),
    }
    .into())
}

/// The widths of a pad: for every axis, how many elements come before and after.
fn widths(a: &Arguments<'_>, rank: usize) -> Result<Vec<(usize, usize)>> {
    let wrong = || a.wrong("pad_width", "an integer, a pair, or a pair for each axis");
    let width = |it: &Argument| match it {
        Argument::Int(n) => usize::try_from(*n).map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    let pair = |it: &Argument| match it {
        Argument::List(pair) if pair.len() == 2 => Ok((width(&pair[0])?, width(&pair[1])?)),
        Argument::List(one) if one.len() == 1 => Ok((width(&one[0])?, width(&one[0])?)),
        it => Ok((width(it)?, width(it)?)),
    };
    let pairs: Vec<(usize, usize)> = match a.get("pad_width") {
        Argument::List(items) if items.iter().any(|it| matches!(it, Argument::List(_))) => {
            items.iter().map(pair).collect::<Result<_>>()?
        }
        one => vec![pair(one)?],
    };
    match pairs[..] {
        [one] => Ok(vec![one; rank]),
        _ if pairs.len() == rank => Ok(pairs),
        _ => Err(wrong()),
    }
}

fn pad<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let (widths, mode) = (widths(a, x.rank())?, a.text("mode")?);
    let value = a.float_or_none("constant_values")?;
    ensure!(
        mode == "constant" || value.is_none(),
        "Argument `constant_values` can only be provided when `mode == 'constant'`. \
        Received: mode={mode}"
    );
    if mode == "constant" {
        return Ok(match x.dtype() {
            DType::Bool => {
                padded(x.cast(DType::U32), value.unwrap_or(0.0), &widths).cast(DType::Bool)
            }
            _ => padded(x, value.unwrap_or(0.0), &widths),
        }
        .into());
    }
    let source = |place: i64, n: i64| match mode {
        "edge" => place.clamp(0, n - 1),
        "wrap" => place.rem_euclid(n),
        "symmetric" => {
            let place = place.rem_euclid(2 * n);
            place.min(2 * n - 1 - place)
        }
        _ if n == 1 => 0,
        _ => {
            let place = place.rem_euclid(2 * n - 2);
            place.min(2 * n - 2 - place)
        }
    };
    ensure!(
        ["edge", "wrap", "symmetric", "reflect"].contains(&mode),
        "`pad`: Argument `mode` must be 'constant', 'edge', 'wrap', 'symmetric' or 'reflect'. \
        Received: mode={mode}"
    );
    let mut y = x;
    for (axis, &(low, high)) in widths.iter().enumerate() {
        let n = x.shape()[axis] as i64;
        ensure!(n > 0 || low + high == 0, "`pad`: axis {axis} of {} is empty", x.ty());
        let places = -(low as i64)..n + high as i64;
        let places: Vec<f64> = places.map(|place| source(place, n) as f64).collect();
        if low + high > 0 {
            y = y.gather(super::creation::row(x.trace(), &places, DType::I32), axis as isize);
        }
    }
    Ok(y.into())
}
