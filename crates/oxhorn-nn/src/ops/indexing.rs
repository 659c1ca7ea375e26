//! Elements chosen by their places: take, slice, diagonals, triangles, one-hot rows.

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use super::{
    Argument, Arguments, Outcome,
    arguments::axis as counted,
    joining::flat,
    reductions::places,
    shapes::{at, expand, flip, moved, range},
    table,
    types::countable,
};

table! { CORE "core":
    /// The block of a shape that begins at a corner, which is kept so that the block fits.
    "slice(inputs, start_indices, shape)" => slice;
    /// A tensor with a block replaced, which begins at a corner that is kept so that it fits.
    "slice_update(inputs, start_indices, updates)" => slice_update;
    /// The same numbers, through which no gradient flows.
    "stop_gradient(variable)" => |a| Ok(stopped(a.tensor("variable")?)?.into());
    /// The same numbers as another type, those it cannot hold replaced by its extremes.
    "saturate_cast(x, dtype)" => saturate_cast;
}

table! { NUMPY "numpy":
    /// Slices along an axis, or elements of all in a row, chosen by index.
    ///
    /// Negative indices count from the end; what is outside counts as the nearest inside.
    "take(x, indices, axis=None)" => take;
    /// For each index along an axis, the element there, everything else being equal.
    "take_along_axis(x, indices, axis=None)" => take_along_axis;
    /// What `x[key]` is in Python.
    ///
    /// A key is an integer, a tensor of integers, `None`, `'...'`, a slice as the list
    /// `['slice', start, stop, step]`, or a list of these beside one another.
    "get_item(x, key)" => get_item;
    /// A diagonal of a matrix, or the matrix with this diagonal and zeros elsewhere.
    "diag(x, k=0)" => |a| {
        let (x, k) = (a.tensor("x")?, a.int("k")?);
        match x.rank() {
            1 => Ok(matrix_of(x, k).into()),
            2 => Ok(diagonal(x, k).into()),
            _ => Err(Error::new("Input must be 1- or 2-d.").help(format!("got {}", x.ty()))),
        }
    };
    /// The matrix with all elements on a diagonal, and zeros elsewhere.
    "diagflat(x, k=0)" => |a| Ok(matrix_of(flat(a.tensor("x")?), a.int("k")?).into());
    /// A diagonal of each matrix that two axes span; it becomes the last axis.
    "diagonal(x, offset=0, axis1=0, axis2=1)" => |a| Ok(diagonal_of(a)?.into());
    /// The sum of a diagonal of each matrix that two axes span.
    "trace(x, offset=0, axis1=0, axis2=1)" => |a| Ok(countable(diagonal_of(a)?).sum(-1).into());
    /// The elements on and below a diagonal, zeros above.
    "tril(x, k=0)" => |a| triangle(a, |row, column, k| column.less_equal(row + k));
    /// The elements on and above a diagonal, zeros below.
    "triu(x, k=0)" => |a| triangle(a, |row, column, k| column.greater_equal(row + k));
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

/// One part of a key.
fn indexed<'g>(
    a: &Arguments<'g>,
    x: Tensor<'g>,
    axis: usize,
    key: &Argument<'g>,
) -> Result<(Tensor<'g>, usize)> {
    let n = x.shape()[axis] as i64;
    match key {
        Argument::Int(place) => {
            ensure!(
                (-n..n).contains(place),
                "index {place} is out of bounds for axis {axis} with size {n}"
            );
            Ok((at(x, axis, place.rem_euclid(n) as usize), axis))
        }
        Argument::Tensor(indices) if indices.dtype().is_int() => {
            let indices = from_front(indices.cast(DType::I32), n as usize);
            Ok((x.gather(indices, axis as isize), axis + indices.rank()))
        }
        Argument::List(parts) => match &parts[..] {
            [Argument::Text(word), start, stop, step] if word == "slice" => {
                Ok((sliced(a, x, axis, [start, stop, step])?, axis + 1))
            }
            _ => {
                let numbers = parts.iter().map(|part| match part {
                    Argument::Int(place) => Ok(place.rem_euclid(n.max(1)) as f64),
                    _ => Err(a.wrong("key", "made of integers, slices, None, ... and tensors")),
                });
                let numbers: Vec<f64> = numbers.collect::<Result<_>>()?;
                let indices = super::creation::row(a.trace(), &numbers, DType::I32);
                Ok((x.gather(indices, axis as isize), axis + 1))
            }
        },
        _ => Err(a.wrong("key", "made of integers, slices, None, ... and tensors of integers")),
    }
}

/// What Python's `start:stop:step` leaves of an axis.
fn sliced<'g>(
    a: &Arguments<'g>,
    x: Tensor<'g>,
    axis: usize,
    key: [&Argument<'g>; 3],
) -> Result<Tensor<'g>> {
    let mut numbers = [None; 3];
    for (number, part) in numbers.iter_mut().zip(key) {
        *number = match part {
            Argument::None => None,
            Argument::Int(int) => Some(*int),
            _ => return Err(a.wrong("key", "made of slices between integers")),
        };
    }
    let ([start, stop, step], n) = (numbers, x.shape()[axis] as i64);
    let step = step.unwrap_or(1);
    ensure!(step != 0, "slice step cannot be zero");
    // Backwards, a slice is a slice of the axis in reverse.
    let (x, sign) = if step < 0 { (flip(x, &[axis]), -1) } else { (x, 1) };
    let place = |it: Option<i64>, default: i64| match it {
        None => default,
        Some(it) => {
            let it = if it < 0 { it + n } else { it };
            (if sign < 0 { n - 1 - it } else { it }).clamp(0, n)
        }
    };
    let (from, to) = (place(start, 0), place(stop, n));
    let (mut low, mut high, mut steps) = (vec![0; x.rank()], x.shape(), vec![1; x.rank()]);
    (low[axis], high[axis]) = (from as usize, to.max(from) as usize);
    steps[axis] = step.unsigned_abs() as usize;
    Ok(x.slice(low, high, steps))
}

fn get_item<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let mut x = a.tensor("x")?;
    let one = [a.get("key").clone()];
    let is_slice =
        |parts: &[Argument]| matches!(parts.first(), Some(Argument::Text(word)) if word == "slice");
    let parts: &[Argument] = match a.get("key") {
        Argument::List(parts) if !is_slice(parts) => parts,
        _ => &one,
    };
    let is_rest = |part: &Argument| matches!(part, Argument::Text(text) if text == "...");
    let used = parts.iter().filter(|part| !matches!(part, Argument::None) && !is_rest(part));
    let (used, rank) = (used.count(), x.rank());
    ensure!(used <= rank, "Too many indices: {} is indexed by {used}", x.ty());
    let tensors = parts.iter().filter(|part| matches!(part, Argument::Tensor(_))).count();
    ensure!(tensors <= 1, "`get_item`: one tensor of indices at most can stand in a key");
    let mut axis = 0;
    for part in parts {
        match part {
            part if is_rest(part) => axis += rank - used,
            Argument::None => {
                x = expand(x, axis);
                axis += 1;
            }
            part => (x, axis) = indexed(a, x, axis, part)?,
        }
    }
    Ok(x.into())
}

/// The matrix with these elements on a diagonal.
fn matrix_of(x: Tensor<'_>, k: i64) -> Tensor<'_> {
    let side = x.ty().len() + k.unsigned_abs() as usize;
    let ty = Type::new(DType::I32, [side, side]);
    let (row, column) = (x.trace().iota(0, ty.clone()), x.trace().iota(1, ty));
    let on = (row + k as f64).equal(column);
    let (above, left) = (k.max(0) as usize, (-k).max(0) as usize);
    // The element of row i stands at i, or later if rows above have none.
    let spread = super::types::through_numbers(x, |x| x.pad(0.0, [left], [above], [0]));
    let elements = expand(spread, 1).broadcast([side, side]);
    on.select(elements, elements.fill(0.0))
}

/// The diagonal of the last two axes; it becomes the last axis.
fn diagonal(x: Tensor<'_>, k: i64) -> Tensor<'_> {
    let (rows, columns) = (x.dim(-2) as i64, x.dim(-1) as i64);
    let first = if k >= 0 { k } else { -k * columns };
    let len = if k >= 0 { rows.min(columns - k) } else { (rows + k).min(columns) }.max(0);
    let leading = x.shape()[..x.rank() - 2].to_vec();
    let row = x.reshape([&leading[..], &[(rows * columns) as usize]].concat());
    let ty = Type::new(DType::I32, [len as usize]);
    let places = x.trace().iota(0, ty) * (columns + 1) as f64 + first as f64;
    row.gather(places, -1)
}

fn diagonal_of<'g>(a: &Arguments<'g>) -> Result<Tensor<'g>> {
    let x = a.tensor("x")?;
    ensure!(x.rank() >= 2, "diagonal requires an array of at least two dimensions.");
    let axes = [a.axis("axis1", x.rank())?, a.axis("axis2", x.rank())?];
    ensure!(axes[0] != axes[1], "axis1 and axis2 cannot be the same, got {}", axes[0]);
    let x = moved(x, &axes, &[x.rank() - 2, x.rank() - 1])?;
    Ok(diagonal(x, a.int("offset")?))
}

fn triangle<'g>(
    a: &Arguments<'g>,
    holds: impl FnOnce(Tensor<'g>, Tensor<'g>, f64) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let (x, k) = (a.tensor("x")?, a.int("k")? as f64);
    ensure!(
        x.rank() >= 2,
        "Argument to {} must have at least 2 dimensions, got {}",
        { a.function().name },
        x.ty()
    );
    let mask = holds(places(x, x.rank() - 2), places(x, x.rank() - 1), k);
    Ok(mask.select(x, x.fill(0.0)).into())
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

/// The number at each axis where a block begins: known, or a scalar of the trace.
enum Start<'g> {
    Known(usize),
    Traced(Tensor<'g>),
}

/// Where a block of a shape begins in a tensor; kept so that the block fits, as in JAX.
fn starts<'g>(a: &Arguments<'g>, x: Tensor<'g>, block: &[usize]) -> Result<Vec<Start<'g>>> {
    let whole = x.shape();
    let fits = block.len() == whole.len() && block.iter().zip(&whole).all(|(n, of)| n <= of);
    let function = a.function().name;
    ensure!(fits, "`{function}`: a block of shape {block:?} does not fit into {}", x.ty());
    let start = |axis: usize, it: &Argument<'g>| {
        let most = (whole[axis] - block[axis]) as f64;
        match it {
            Argument::Int(place) => {
                let place = if *place < 0 { place + whole[axis] as i64 } else { *place };
                Ok(Start::Known((place as f64).clamp(0.0, most) as usize))
            }
            Argument::Tensor(x) if x.dtype().is_int() && x.rank() == 0 => {
                let place = from_front(x.cast(DType::I32), whole[axis]);
                Ok(Start::Traced(place.maximum(0.0).minimum(most)))
            }
            _ => Err(a.wrong("start_indices", "a list of integers, one for each axis")),
        }
    };
    let given = match a.get("start_indices") {
        Argument::Tensor(x) if x.rank() == 1 => {
            (0..x.dim(0)).map(|i| Argument::Tensor(at(*x, 0, i))).collect()
        }
        Argument::List(items) => items.clone(),
        _ => vec![],
    };
    let wrong = || a.wrong("start_indices", "a list of integers, one for each axis");
    if given.len() != whole.len() {
        return Err(wrong());
    }
    given.iter().enumerate().map(|(axis, it)| start(axis, it)).collect()
}

fn slice<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let (mut x, wanted) = (a.tensor("inputs")?, a.ints("shape")?);
    let known = |axis: usize| match a.get("start_indices") {
        Argument::List(items) => match items.get(axis) {
            Some(Argument::Int(place)) => Ok(*place),
            _ => Err(a.wrong("start_indices", "known where an extent of `shape` is -1")),
        },
        _ => Err(a.wrong("start_indices", "known where an extent of `shape` is -1")),
    };
    let mut block = vec![];
    for (axis, &extent) in wanted.iter().enumerate() {
        let rest = if extent == -1 { x.dim(axis as isize) as i64 - known(axis)? } else { extent };
        block.push(usize::try_from(rest).map_err(|_| a.wrong("shape", "a list of extents"))?);
    }
    for (axis, start) in starts(a, x, &block)?.into_iter().enumerate() {
        x = match start {
            Start::Known(start) => range(x, axis, start, start + block[axis]),
            Start::Traced(start) => {
                let count = x.trace().iota(0, Type::new(DType::I32, [block[axis]]));
                x.gather(count + start, axis as isize)
            }
        };
    }
    Ok(x.into())
}

fn slice_update<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let [x, mut block] = a.promoted(["inputs", "updates"])?;
    let extents = block.shape();
    if block.ty().is_empty() {
        return Ok(x.into());
    }
    let everywhere = Type::new(DType::Bool, x.shape());
    let mut inside = x.trace().push(oxhorn_ir::Fill::new(1.0, everywhere), &[]);
    for (axis, start) in starts(a, x, &extents)?.into_iter().enumerate() {
        let count = x.trace().iota(0, Type::new(DType::I32, [x.shape()[axis]]));
        let place = match start {
            Start::Known(start) => count - start as f64,
            Start::Traced(start) => count - start,
        };
        block = block.gather(place, axis as isize);
        let mut shape = vec![1; x.rank()];
        shape[axis] = x.shape()[axis];
        let within = place.greater_equal(0.0).and(place.less(extents[axis] as f64));
        inside = inside.and(within.reshape(shape));
    }
    Ok(inside.select(block, x).into())
}

/// The same numbers, through which no gradient flows.
pub(super) fn stopped(x: Tensor<'_>) -> Result<Tensor<'_>> {
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
    let extreme = |reduction: oxhorn_ir::Reduction| reduction.identity(dtype);
    let (low, high) = (extreme(oxhorn_ir::Reduction::Max), extreme(oxhorn_ir::Reduction::Min));
    // In reals of 53 bits, which hold the extremes of all integers of 32 bits.
    Ok(x.cast(DType::F64).maximum(low).minimum(high).cast(dtype).into())
}
