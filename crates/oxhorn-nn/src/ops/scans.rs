//! Along an axis, step by step: running sums and products, differences, areas.

use oxhorn_ir::{Result, Tensor, ensure};

use super::{
    Arguments, Outcome,
    joining::flat,
    nan_reductions::without_nan,
    shapes::{padded, range},
    table,
    types::{countable, real},
};

table! { NUMPY "numpy":
    /// The sums of the first 1, 2, .. elements along an axis, or of all in a row.
    "cumsum(x, axis=None, dtype=None)" => |a| running(a, |x| x, 0.0, |x, y| x + y);
    /// The products of the first 1, 2, .. elements along an axis, or of all in a row.
    "cumprod(x, axis=None, dtype=None)" => |a| running(a, |x| x, 1.0, |x, y| x * y);
    /// The sums of the first 1, 2, .. elements, of which those that are NaN count as 0.
    "nancumsum(x, axis=None, dtype=None)" => |a| {
        running(a, |x| without_nan(x, 0.0), 0.0, |x, y| x + y)
    };
    /// The products of the first 1, 2, .. elements, of which those that are NaN count as 1.
    "nancumprod(x, axis=None, dtype=None)" => |a| {
        running(a, |x| without_nan(x, 1.0), 1.0, |x, y| x * y)
    };
    /// Each element less the one before, along an axis, `n` times over.
    "diff(a, n=1, axis=-1)" => |a| {
        let x = a.tensor("a")?;
        let axis = a.axis("axis", x.rank())?;
        Ok((0..a.extent("n")?).fold(x, |x, _| difference(x, axis)).into())
    };
    /// The area below points along an axis, which lie at `x`, or `dx` apart.
    "trapezoid(y, x=None, dx=1.0, axis=-1)" => trapezoid;
}

fn running<'g>(
    a: &Arguments<'g>,
    prepare: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
    neutral: f64,
    combine: impl Fn(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = prepare(a.tensor("x")?);
    let x = match a.dtype_or_none("dtype")? {
        Some(dtype) => x.cast(dtype),
        None => countable(x),
    };
    Ok(match a.given("axis") {
        true => scanned(x, a.axis("axis", x.rank())?, neutral, combine),
        false => scanned(flat(x), 0, neutral, combine),
    }
    .into())
}

/// What the first 1, 2, .. elements along an axis combine to.
///
/// Hillis and Steele, *Data parallel algorithms*, CACM 1986: each element is combined with the one
/// 1, 2, 4, .. places before, so that log n steps do.
pub(super) fn scanned<'g>(
    x: Tensor<'g>,
    axis: usize,
    neutral: f64,
    combine: impl Fn(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Tensor<'g> {
    let (n, mut y, mut shift) = (x.shape()[axis], x, 1);
    while shift < n {
        let mut widths = vec![(0, 0); x.rank()];
        widths[axis] = (shift, 0);
        let before = padded(range(y, axis, 0, n - shift), neutral, &widths);
        y = combine(before, y);
        shift *= 2;
    }
    y
}

/// Each element less the one before.
fn difference(x: Tensor<'_>, axis: usize) -> Tensor<'_> {
    let n = x.shape()[axis];
    let [before, after] = match n {
        0 => [x, x],
        _ => [range(x, axis, 0, n - 1), range(x, axis, 1, n)],
    };
    match x.dtype() {
        oxhorn_ir::DType::Bool => after.xor(before),
        _ => after - before,
    }
}

fn trapezoid<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let y = a.real("y")?;
    let axis = a.axis("axis", y.rank())?;
    let n = y.shape()[axis];
    if n == 0 {
        return Ok(y.sum(axis as isize).into());
    }
    let heights = (range(y, axis, 0, n - 1) + range(y, axis, 1, n)) * 0.5;
    let areas = match a.given("x") {
        false => heights * a.float("dx")?,
        true => {
            let x = real(a.tensor("x")?).cast(y.dtype());
            let x = match x.rank() {
                1 => {
                    let mut shape = vec![1; y.rank()];
                    shape[axis] = x.dim(0);
                    x.reshape(shape)
                }
                _ => x,
            };
            ensure!(
                x.rank() == y.rank() && x.shape()[axis] == n,
                "`trapezoid`: `x` must have a place for each of the {n} points along axis {axis}, \
                got {}",
                x.ty()
            );
            heights * difference(x, axis)
        }
    };
    Ok(areas.sum(axis as isize).into())
}
