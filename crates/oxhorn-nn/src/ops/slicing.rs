//! Parts of a tensor: Python's `x[key]`, and blocks that begin at a corner.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Argument, Arguments, Outcome,
    indexing::from_front,
    shapes::{at, expand, flip, range},
    table,
};

table! { CORE "core":
    /// The block of a shape that begins at a corner, which is kept so that the block fits.
    "slice(inputs, start_indices, shape)" => slice;
    /// A tensor with a block replaced, which begins at a corner that is kept so that it fits.
    "slice_update(inputs, start_indices, updates)" => slice_update;
}

table! { NUMPY "numpy":
    /// What `x[key]` is in Python.
    ///
    /// A key is an integer, a tensor of integers, `None`, `'...'`, a slice as the list
    /// `['slice', start, stop, step]`, or a list of these beside one another.
    "get_item(x, key)" => get_item;
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
