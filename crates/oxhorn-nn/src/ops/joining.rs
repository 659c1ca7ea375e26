//! Several tensors as one, and one as several: stack, concatenate, split, meshgrid.

use oxhorn_ir::{Error, Result, Tensor, ensure};

use super::{
    Argument, Arguments, Outcome,
    arguments::axis as counted,
    shapes::{at, expand, range},
    table,
};

table! { CORE "core":
    /// The slices along an axis, one by one.
    "unstack(x, num=None, axis=0)" => |a| {
        let x = a.tensor("x")?;
        let axis = a.axis("axis", x.rank())?;
        let n = x.shape()[axis];
        let num = a.int_or_none("num")?.unwrap_or(n as i64);
        ensure!(num == n as i64, "`unstack`: axis {axis} of {} does not have {num} slices", x.ty());
        Ok((0..n).map(|place| at(x, axis, place)).collect::<Vec<_>>().into())
    };
}

table! { NUMPY "numpy":
    /// Tensors of one shape, side by side along a new axis.
    "stack(x, axis=0)" => |a| {
        let parts = parts(a, "x")?;
        let axis = a.axis("axis", parts[0].rank() + 1)?;
        same_shape(&parts)?;
        Ok(stack(&parts, axis).into())
    };
    /// Tensors one after the other along an axis; without one, all elements in a row.
    "concatenate(xs, axis=0)" => |a| {
        let mut parts = parts(a, "xs")?;
        if !a.given("axis") {
            parts.iter_mut().for_each(|x| *x = flat(*x));
            return Ok(Tensor::concatenate(&parts, 0).into());
        }
        joined(&parts, a.int("axis")?)
    };
    /// Two tensors one after the other along an axis; without one, all elements in a row.
    "append(x1, x2, axis=None)" => |a| {
        let [x1, x2] = a.promoted(["x1", "x2"])?;
        match a.int_or_none("axis")? {
            None => Ok(Tensor::concatenate(&[flat(x1), flat(x2)], 0).into()),
            Some(axis) => joined(&[x1, x2], axis),
        }
    };
    /// Tensors below each other: along the first axis, rows being rows of a matrix.
    "vstack(xs)" => |a| {
        let parts: Vec<Tensor> = parts(a, "xs")?.into_iter().map(|x| raised(x, 2)).collect();
        joined(&parts, 0)
    };
    /// Tensors beside each other: along the second axis, or along the first of rows.
    "hstack(xs)" => |a| {
        let parts: Vec<Tensor> = parts(a, "xs")?.into_iter().map(|x| raised(x, 1)).collect();
        joined(&parts, if parts[0].rank() == 1 { 0 } else { 1 })
    };
    /// Tensors behind each other: along the third axis.
    "dstack(xs)" => |a| {
        let parts: Vec<Tensor> = parts(a, "xs")?.into_iter().map(deep).collect();
        joined(&parts, 2)
    };
    /// Equal parts along an axis, or the parts between these places.
    "split(x, indices_or_sections, axis=0)" => |a| split(a, a.int("axis")?, Parts::Equal);
    /// Parts along an axis, as equal as can be, or the parts between these places.
    "array_split(x, indices_or_sections, axis=0)" => |a| {
        split(a, a.int("axis")?, Parts::NearlyEqual)
    };
    /// Parts along the first axis.
    "vsplit(x, indices_or_sections)" => |a| split(a, 0, Parts::Equal);
    /// Parts along the second axis, or along the first of a row.
    "hsplit(x, indices_or_sections)" => |a| {
        let axis = if a.tensor("x")?.rank() == 1 { 0 } else { 1 };
        split(a, axis, Parts::Equal)
    };
    /// Parts along the third axis.
    "dsplit(x, indices_or_sections)" => |a| split(a, 2, Parts::Equal);
    /// The coordinates of the points of a grid, one tensor for each of its axes.
    "meshgrid(*x, indexing='xy')" => meshgrid;
}

/// Whether parts must have one extent.
#[derive(Clone, Copy, PartialEq)]
enum Parts {
    Equal,
    NearlyEqual,
}

/// Tensors of one shape, side by side along a new axis.
pub(super) fn stack<'g>(parts: &[Tensor<'g>], axis: usize) -> Tensor<'g> {
    let parts: Vec<Tensor> = parts.iter().map(|&x| expand(x, axis)).collect();
    Tensor::concatenate(&parts, axis as isize)
}

/// All elements in a row.
pub(super) fn flat(x: Tensor<'_>) -> Tensor<'_> {
    x.reshape([x.ty().len()])
}

/// Tensors of one type, one or more.
fn parts<'g>(a: &Arguments<'g>, name: &str) -> Result<Vec<Tensor<'g>>> {
    let parts = a.promoted_list(name)?;
    ensure!(!parts.is_empty(), "Need at least one array to {}.", a.function().name);
    Ok(parts)
}

fn same_shape(parts: &[Tensor<'_>]) -> Result<()> {
    let shapes: Vec<Vec<usize>> = parts.iter().map(|x| x.shape()).collect();
    let same = shapes.iter().all(|shape| *shape == shapes[0]);
    ensure!(same, "All input arrays must have the same shape. Received: {shapes:?}");
    Ok(())
}

/// Tensors one after the other along an axis, checked.
fn joined<'g>(parts: &[Tensor<'g>], axis: i64) -> Result<Outcome<'g>> {
    let axis = counted(axis, parts[0].rank())?;
    let others = |x: &Tensor| {
        let mut shape = x.shape();
        (axis < shape.len()).then(|| shape.remove(axis));
        (x.rank(), shape)
    };
    let fits = parts.iter().all(|x| others(x) == others(&parts[0]));
    let shapes: Vec<Vec<usize>> = parts.iter().map(|x| x.shape()).collect();
    ensure!(
        fits,
        "Cannot concatenate arrays with shapes that differ in dimensions other than the one \
        being concatenated: concatenating along dimension {axis} for shapes {shapes:?}."
    );
    Ok(Tensor::concatenate(parts, axis as isize).into())
}

/// With new axes in front, up to this rank.
fn raised(x: Tensor<'_>, rank: usize) -> Tensor<'_> {
    (x.rank()..rank).fold(x, |x, _| expand(x, 0))
}

/// With three axes, of which the last is new.
fn deep(x: Tensor<'_>) -> Tensor<'_> {
    let x = raised(x, 2);
    if x.rank() == 2 { expand(x, 2) } else { x }
}

fn split<'g>(a: &Arguments<'g>, axis: i64, parts: Parts) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let axis = counted(axis, x.rank())?;
    let n = x.shape()[axis];
    let places: Vec<usize> = match a.get("indices_or_sections") {
        Argument::Int(count) => {
            let count = usize::try_from(*count).unwrap_or(0);
            ensure!(count > 0, "number sections must be larger than 0.");
            ensure!(
                parts == Parts::NearlyEqual || n.is_multiple_of(count),
                "array split does not result in an equal division: rest is {}",
                n % count
            );
            // The first n mod count parts are one longer than the others.
            (1..count).map(|i| i * (n / count) + i.min(n % count)).collect()
        }
        _ => {
            let places = a.ints("indices_or_sections")?.into_iter();
            let from_front = |place: i64| if place < 0 { place + n as i64 } else { place };
            places.map(|place| from_front(place).clamp(0, n as i64) as usize).collect()
        }
    };
    let from = std::iter::once(0).chain(places.iter().copied());
    let to = places.iter().copied().chain([n]);
    Ok(from.zip(to).map(|(from, to)| range(x, axis, from, to.max(from))).collect::<Vec<_>>().into())
}

fn meshgrid<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let rows: Vec<Tensor> = a.tensors("x")?.into_iter().map(flat).collect();
    let indexing = a.text("indexing")?;
    if !["xy", "ij"].contains(&indexing) {
        let message = format!("Valid values for indexing are 'xy' and 'ij', got {indexing}");
        return Err(Error::new(message));
    }
    // "xy" has the first coordinate along the second axis.
    let axis_of = |i: usize| if indexing == "xy" && i < 2 && rows.len() > 1 { 1 - i } else { i };
    let mut shape = vec![0; rows.len()];
    rows.iter().enumerate().for_each(|(i, row)| shape[axis_of(i)] = row.ty().len());
    let grids = rows.iter().enumerate().map(|(i, row)| {
        let mut spread = vec![1; rows.len()];
        spread[axis_of(i)] = row.ty().len();
        row.reshape(spread).broadcast(shape.clone())
    });
    Ok(grids.collect::<Vec<_>>().into())
}
