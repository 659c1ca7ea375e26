//! Products of vectors and matrices, and norms.

use oxhorn_ir::{Error, Result, Tensor, ensure};

use super::{
    Argument, Arguments, Outcome,
    contract::{Named, contract, product},
    joining::flat,
    reductions::Along,
    shapes::{broadcast, common_shape, expand, moved, moved_axis, range},
    table,
    types::countable,
};

table! { NUMPY "numpy":
    /// The product of matrices along the last two axes; leading axes are broadcast.
    "matmul(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        Ok(matmul(x, y)?.into())
    };
    /// The product of the last axis of the first tensor with the last but one of the second.
    "dot(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        if x.rank() == 0 || y.rank() == 0 {
            return Ok((countable(x) * countable(y)).cast(x.dtype()).into());
        }
        let axis = y.rank().saturating_sub(2);
        Ok(tensordot(x, y, &[x.rank() - 1], &[axis])?.into())
    };
    /// The sum of products of all elements of both.
    "vdot(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        Ok(tensordot(flat(x), flat(y), &[0], &[0])?.into())
    };
    /// The sums of products along the last axes of both.
    "inner(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        if x.rank() == 0 || y.rank() == 0 {
            return Ok((countable(x) * countable(y)).cast(x.dtype()).into());
        }
        Ok(tensordot(x, y, &[x.rank() - 1], &[y.rank() - 1])?.into())
    };
    /// The product of each element of the first with each of the second: a matrix.
    "outer(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        let product = expand(flat(countable(x)), 1) * expand(flat(countable(y)), 0);
        Ok(product.cast(x.dtype()).into())
    };
    /// The sums of products along some axes: so many last and first ones, or those listed.
    "tensordot(x1, x2, axes=2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?;
        let (ours, theirs) = paired_axes(a, x.rank(), y.rank())?;
        Ok(tensordot(x, y, &ours, &theirs)?.into())
    };
    /// Blocks of the second tensor, each multiplied by an element of the first.
    "kron(x1, x2)" => |a| {
        let [x, y] = a.promoted(["x1", "x2"])?.map(countable);
        let rank = x.rank().max(y.rank());
        let shape = |x: Tensor| [vec![1; rank - x.rank()], x.shape()].concat();
        let (wide, narrow) = (shape(x), shape(y));
        let pairs = |first: &[usize], second: &[usize]| -> Vec<usize> {
            first.iter().zip(second).flat_map(|(&i, &j)| [i, j]).collect()
        };
        let ones = vec![1; rank];
        let blocks = x.reshape(pairs(&wide, &ones)) * y.reshape(pairs(&ones, &narrow));
        let whole: Vec<usize> = wide.iter().zip(&narrow).map(|(i, j)| i * j).collect();
        Ok(blocks.reshape(whole).into())
    };
    /// The vector product along an axis of two or three elements.
    "cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None)" => cross;
    /// The correlations between rows: a matrix with 1 on its diagonal.
    "corrcoef(x)" => |a| {
        let x = a.real("x")?;
        ensure!(x.rank() <= 2, "`corrcoef` needs a row or a matrix, got {}", x.ty());
        let rows = if x.rank() < 2 { x.reshape([1, x.ty().len()]) } else { x };
        let distance = rows - rows.mean(1).keep(rows, 1);
        let covariance = distance.matmul(distance.t());
        let deviation = (distance * distance).sum(1).sqrt();
        let scaled = covariance / expand(deviation, 1) / deviation;
        let y = scaled.maximum(-1.0).minimum(1.0);
        Ok(if x.rank() < 2 { y.reshape([]) } else { y }.into())
    };
    /// The sums of products of a row with another that is moved along it.
    "correlate(x1, x2, mode='valid')" => correlate;
}

table! { LINALG "linalg":
    /// The length of vectors, or the size of matrices, along one or two axes.
    "norm(x, ord=None, axis=None, keepdims=False)" => norm;
}

table! { MATH "math":
    /// The distances between all rows of the first and all rows of the second.
    "cdist(x, y)" => |a| {
        let [x, y] = a.promoted_real(["x", "y"])?;
        ensure!(x.rank() >= 2 && y.rank() >= 2, "`cdist` inputs must have rank >= 2");
        ensure!(x.dim(-1) == y.dim(-1), "Last dimension of inputs to `cdist` must match");
        let difference = expand(x, x.rank() - 1) - expand(y, y.rank() - 2);
        Ok((difference * difference).sum(-1).sqrt().into())
    };
}

/// The product of matrices, as Python's `@` has it.
pub(super) fn matmul<'g>(x: Tensor<'g>, y: Tensor<'g>) -> Result<Tensor<'g>> {
    ensure!(
        x.rank() > 0 && y.rank() > 0,
        "matmul requires ndim at least 1, got {} and {}",
        x.ty(),
        y.ty()
    );
    let dtype = x.dtype();
    let row = if x.rank() == 1 { expand(x, 0) } else { x };
    let column = if y.rank() == 1 { expand(y, 1) } else { y };
    let (inner, other) = (row.dim(-1), column.dim(-2));
    ensure!(
        inner == other,
        "matmul: contracting dimensions must match, got {:?} and {:?}",
        x.shape(),
        y.shape()
    );
    let leading = |x: Tensor| x.shape()[..x.rank() - 2].to_vec();
    let batch = common_shape(&[leading(row), leading(column)])?;
    // Rows of several matrices are rows of one where all meet the same matrix.
    let product = if column.rank() == 2 && row.rank() > 2 {
        let rows: usize = row.shape()[..row.rank() - 1].iter().product();
        product(countable(row).reshape([rows, inner]), countable(column))
    } else {
        let wide = |x: Tensor<'g>| x.broadcast([&batch[..], &[x.dim(-2), x.dim(-1)]].concat());
        product(wide(countable(row)), wide(countable(column)))
    };
    let mut shape = batch;
    if x.rank() > 1 {
        shape.push(row.dim(-2));
    }
    if y.rank() > 1 {
        shape.push(column.dim(-1));
    }
    Ok(product.reshape(shape).cast(dtype))
}

/// The sums of products along pairs of axes.
pub(super) fn tensordot<'g>(
    x: Tensor<'g>,
    y: Tensor<'g>,
    ours: &[usize],
    theirs: &[usize],
) -> Result<Tensor<'g>> {
    let extents = |x: Tensor, axes: &[usize]| -> Vec<usize> {
        axes.iter().map(|&axis| x.shape()[axis]).collect()
    };
    let (left, right) = (extents(x, ours), extents(y, theirs));
    ensure!(
        left == right,
        "dot_general requires contracting dimensions to have equal sizes, got {left:?} and \
        {right:?} in {:?} and {:?}",
        x.shape(),
        y.shape()
    );
    // Every axis has a name of its own, but that paired axes share one.
    let name = |place: usize| char::from_u32(0xF0000 + place as u32).expect("a character");
    let named = |it: Tensor<'g>, axes: &[usize], base: usize| Named {
        x: countable(it),
        axes: (0..it.rank())
            .map(|axis| name(axes.iter().position(|&it| it == axis).unwrap_or(base + axis)))
            .collect(),
    };
    Ok(contract(named(x, ours, 100), named(y, theirs, 200), &[])?.x.cast(x.dtype()))
}

fn paired_axes(a: &Arguments<'_>, ours: usize, theirs: usize) -> Result<(Vec<usize>, Vec<usize>)> {
    let wrong = || a.wrong("axes", "an integer, or a pair of lists of axes");
    let list = |it: &Argument, rank: usize| -> Result<Vec<usize>> {
        let axis = |it: &Argument| match it {
            Argument::Int(axis) => super::arguments::axis(*axis, rank),
            _ => Err(wrong()),
        };
        match it {
            Argument::List(items) => items.iter().map(axis).collect(),
            one => Ok(vec![axis(one)?]),
        }
    };
    match a.get("axes") {
        Argument::Int(count) => match usize::try_from(*count) {
            Ok(count) if count <= ours.min(theirs) => {
                Ok(((ours - count..ours).collect(), (0..count).collect()))
            }
            _ => Err(wrong()),
        },
        Argument::List(pair) if pair.len() == 2 => {
            Ok((list(&pair[0], ours)?, list(&pair[1], theirs)?))
        }
        _ => Err(wrong()),
    }
}

fn cross<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted(["x1", "x2"])?;
    let one = a.int_or_none("axis")?;
    let axis = |name: &str, rank: usize| match one {
        Some(axis) => super::arguments::axis(axis, rank),
        None => a.axis(name, rank),
    };
    let last = |x: Tensor<'g>, axis: usize| moved(x, &[axis], &[x.rank() - 1]);
    let (x, y) = (last(x, axis("axisa", x.rank())?)?, last(y, axis("axisb", y.rank())?)?);
    let (n, m) = (x.dim(-1), y.dim(-1));
    ensure!(
        (2..=3).contains(&n) && (2..=3).contains(&m),
        "Dimension must be either 2 or 3 for cross product, got {n} and {m}"
    );
    let at = |x: Tensor<'g>, i: usize| match i < x.dim(-1) {
        true => super::shapes::at(x, x.rank() - 1, i),
        false => super::shapes::at(x, x.rank() - 1, 0).fill(0.0),
    };
    let component = |i: usize, j: usize| at(x, i) * at(y, j) - at(x, j) * at(y, i);
    if n == 2 && m == 2 {
        return Ok(component(0, 1).into());
    }
    let y = super::joining::stack(&[component(1, 2), component(2, 0), component(0, 1)], {
        x.rank().max(y.rank()) - 1
    });
    Ok(moved_axis(y, y.rank() - 1, axis("axisc", y.rank())?).into())
}

fn correlate<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let [x, y] = a.promoted_real(["x1", "x2"])?;
    ensure!(
        x.rank() == 1 && y.rank() == 1 && x.dim(0) > 0 && y.dim(0) > 0,
        "correlate() only supports 1-dimensional inputs of one element or more, got {} and {}",
        x.ty(),
        y.ty()
    );
    let (n, m) = (x.dim(0), y.dim(0));
    // All places at which the two rows overlap, from the first to the last.
    let padded = super::shapes::padded(x, 0.0, &[(m - 1, m - 1)]);
    let moved = (0..m).map(|i| range(padded, 0, i, i + n + m - 1));
    let windows = super::joining::stack(&moved.collect::<Vec<_>>(), 1);
    let full = windows.matmul(expand(y, 1)).reshape([n + m - 1]);
    let (short, long) = (n.min(m), n.max(m));
    let (from, to) = match a.text("mode")? {
        "full" => (0, n + m - 1),
        "same" => ((short - 1) / 2, (short - 1) / 2 + long),
        "valid" => (short - 1, long),
        _ => return Err(a.wrong("mode", "'valid', 'same' or 'full'")),
    };
    Ok(range(full, 0, from, to).into())
}

fn norm<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.real("x")?;
    let along = Along::of(a, x)?;
    let squares = |x: Tensor<'g>| along.reduce(x * x, Tensor::sum).sqrt();
    let order = match a.get("ord") {
        Argument::None => return Ok(squares(x).into()),
        Argument::Int(order) => Some(*order as f64),
        Argument::Float(order) => Some(*order),
        Argument::Text(text) => match text.as_str() {
            "fro" if along.axes.len() == 2 => return Ok(squares(x).into()),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    };
    let Some(order) = order else { return Err(unsupported(a, along.axes.len())) };
    match along.axes[..] {
        [_] => Ok(vector_norm(x, &along, order).into()),
        [row, column] => matrix_norm(a, x, &along, [row, column], order),
        _ => Err(unsupported(a, along.axes.len())),
    }
}

fn unsupported(a: &Arguments<'_>, axes: usize) -> Error {
    let message = format!("Invalid order '{}' for a norm along {axes} axes.", a.get("ord"));
    Error::new(message).help("vectors have norms of any number, matrices 'fro', 1, -1, inf, -inf")
}

fn vector_norm<'g>(x: Tensor<'g>, along: &Along, order: f64) -> Tensor<'g> {
    let size = x.abs();
    match order {
        f64::INFINITY => along.reduce(size, Tensor::reduce_max),
        f64::NEG_INFINITY => along.reduce(size, Tensor::reduce_min),
        0.0 => along.reduce(x.not_equal(0.0).cast(x.dtype()), Tensor::sum),
        1.0 => along.reduce(size, Tensor::sum),
        2.0 => along.reduce(x * x, Tensor::sum).sqrt(),
        order => along.reduce(size.pow(order), Tensor::sum).pow(1.0 / order),
    }
}

fn matrix_norm<'g>(
    a: &Arguments<'g>,
    x: Tensor<'g>,
    along: &Along,
    [row, column]: [usize; 2],
    order: f64,
) -> Result<Outcome<'g>> {
    // The greatest or least sum of absolute values of a column, or of a row.
    let (summed, rest) = match order {
        1.0 | -1.0 => (row, column),
        f64::INFINITY | f64::NEG_INFINITY => (column, row),
        _ => return Err(unsupported(a, 2)),
    };
    let sums = x.abs().sum(summed as isize).keep(x, summed as isize);
    let y = match order > 0.0 {
        true => sums.reduce_max(rest as isize),
        false => sums.reduce_min(rest as isize),
    };
    let y = y.reshape(along.shape.clone());
    Ok(broadcast(y, &along.shape)?.into())
}
