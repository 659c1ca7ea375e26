//! Diagonals and triangles of matrices.

use oxhorn_ir::{DType, Error, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    joining::flat,
    reductions::places,
    shapes::{expand, moved},
    table,
    types::countable,
};

table! { NUMPY "numpy":
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
