//! Systems of linear equations, inverses, determinants and Cholesky factors, one column at a time.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    joining::stack,
    reductions::places,
    shapes::{at, expand},
    table,
};

/// The greatest number of rows: every column writes its own steps into the graph.
const ROWS_MAX: usize = 128;

table! { LINALG "linalg":
    /// The factor L of symmetric positive definite matrices L·Lᵀ, or its transpose.
    "cholesky(x, upper=False)" => |a| {
        let factor = cholesky(square(a, "x")?);
        Ok(if a.flag("upper")? { factor.t() } else { factor }.into())
    };
    /// The inverse of matrices whose Cholesky factors are given.
    "cholesky_inverse(x, upper=False)" => |a| {
        let x = square(a, "x")?;
        let lower = if a.flag("upper")? { x.t() } else { x };
        let half = Elimination::of(lower, unit(lower)).solution();
        Ok(half.t().matmul(half).into())
    };
    /// The determinants of square matrices.
    "det(x)" => |a| {
        let x = square(a, "x")?;
        let done = Elimination::of(x, unit(x));
        Ok((done.sign() * stack(&done.pivots, 0).abs().prod(0)).into())
    };
    /// The inverses of square matrices.
    "inv(x)" => |a| {
        let x = square(a, "x")?;
        Ok(Elimination::of(x, unit(x)).solution().into())
    };
    /// What `a` has to be multiplied by for `b`: a vector, or a matrix of such columns.
    "solve(a, b)" => |a| solved(a, square(a, "a")?);
    /// What a triangular `a` has to be multiplied by for `b`; its other half does not count.
    "solve_triangular(a, b, lower=False)" => |a| {
        let x = square(a, "a")?;
        let (row, column) = (places(x, x.rank() - 2), places(x, x.rank() - 1));
        let counts = if a.flag("lower")? { column.less_equal(row) } else { row.less_equal(column) };
        solved(a, counts.select(x, x.fill(0.0)))
    };
}

table! { MATH "math":
    /// The logarithms of the determinants of symmetric positive definite matrices.
    "logdet(x)" => |a| {
        let factor = cholesky(square(a, "x")?);
        let diagonal = unit(factor).greater(0.0).select(factor, factor.fill(1.0));
        Ok((diagonal.log().sum([-2, -1]) * 2.0).into())
    };
}

table! { NUMPY "numpy":
    /// The signs of determinants, and the logarithms of their absolute values.
    "slogdet(x)" => |a| {
        let x = square(a, "x")?;
        let done = Elimination::of(x, unit(x));
        let size = stack(&done.pivots, 0).abs().log().sum(0);
        Ok(vec![done.sign(), size].into())
    };
}

/// Square matrices, few enough of rows.
fn square<'g>(a: &Arguments<'g>, name: &str) -> Result<Tensor<'g>> {
    let x = a.real(name)?;
    let shape = x.shape();
    let [.., rows, columns] = shape[..] else {
        return Err(a.wrong(name, "a matrix, or several"));
    };
    if rows != columns {
        return Err(a.wrong(name, "a square matrix, or several"));
    }
    ensure!(
        (1..=ROWS_MAX).contains(&rows),
        "`{}` takes matrices of 1 to {ROWS_MAX} rows, got {}",
        a.function().name,
        x.ty();
        help: "every column writes its own steps into the graph"
    );
    Ok(x)
}

/// Unit matrices, as many and as large.
fn unit(x: Tensor<'_>) -> Tensor<'_> {
    let one = places(x, x.rank() - 2).equal(places(x, x.rank() - 1));
    one.cast(x.dtype()).broadcast(x.shape())
}

fn solved<'g>(a: &Arguments<'g>, x: Tensor<'g>) -> Result<Outcome<'g>> {
    let b = a.real("b")?.cast(x.dtype());
    let is_vector = b.rank() + 1 == x.rank();
    let columns = if is_vector { expand(b, b.rank()) } else { b };
    let leading = x.rank() - 1;
    ensure!(
        columns.rank() == x.rank() && columns.shape()[..leading] == x.shape()[..leading],
        "`{}` needs as many rows of `b` as `a` has, got {} and {}",
        a.function().name,
        x.ty(),
        b.ty()
    );
    let y = Elimination::of(x, columns).solution();
    Ok(if is_vector { y.reshape(b.shape()) } else { y }.into())
}

/// Cholesky's factor, column by column: what a column contributes is taken from the rest.
fn cholesky(x: Tensor<'_>) -> Tensor<'_> {
    let last = x.rank() - 1;
    let (mut rest, mut columns) = (x, vec![]);
    for j in 0..x.dim(-1) {
        let column = at(rest, last, j);
        let pivot = expand(at(column, last - 1, j), last - 1);
        let below = places(column, last - 1).greater_equal(j as f64);
        let column = below.select(column / pivot.sqrt(), column.fill(0.0));
        rest = rest - expand(column, last) * expand(column, last - 1);
        columns.push(column);
    }
    stack(&columns, last)
}

/// Gauss' and Jordan's elimination: rows are not exchanged; each serves once as the pivot of the
/// column where, of those left, it is the greatest.
struct Elimination<'g> {
    /// The right sides, once the left sides are permuted unit matrices.
    right: Tensor<'g>,
    /// For each column, 1 at the row that was its pivot.
    chosen: Vec<Tensor<'g>>,
    /// For each column, the element that was its pivot.
    pivots: Vec<Tensor<'g>>,
}

impl<'g> Elimination<'g> {
    fn of(x: Tensor<'g>, b: Tensor<'g>) -> Elimination<'g> {
        let last = x.rank() - 1;
        let (mut left, mut right) = (x, b);
        let (mut chosen, mut pivots) = (vec![], vec![]);
        let mut free = at(x, last, 0).fill(1.0);
        for j in 0..x.dim(-1) {
            let column = at(left, last, j);
            let size = free.greater(0.0).select(column.abs(), -1.0);
            let row = expand(size.argmax(-1), last - 1).equal(places(column, last - 1));
            let row = row.cast(x.dtype());
            let pivot = (column * row).sum(-1);
            let over = expand(expand(pivot, last - 1), last);
            // What every row has too much of the pivot's; the pivot keeps one of itself.
            let share = expand(column - row, last);
            let taken = |side: Tensor<'g>| {
                let own = (side * expand(row, last)).sum(last as isize - 1);
                let own = expand(own, last - 1) / over;
                let rest = side - share * own;
                let is_pivot = expand(row, last).greater(0.0);
                is_pivot.broadcast(rest.shape()).select(own.broadcast(rest.shape()), rest)
            };
            (left, right) = (taken(left), taken(right));
            free = free - row;
            chosen.push(row);
            pivots.push(pivot);
        }
        Elimination { right, chosen, pivots }
    }

    /// The right sides in the order of the columns.
    fn solution(&self) -> Tensor<'g> {
        stack(&self.chosen, self.right.rank() - 2).matmul(self.right)
    }

    /// The signs of the determinants: those of the pivots, and of the order of their rows.
    fn sign(&self) -> Tensor<'g> {
        let rows: Vec<Tensor> = self.chosen.iter().map(|row| row.argmax(-1)).collect();
        let rows = stack(&rows, self.right.rank() - 2);
        let last = rows.rank();
        let (this, other) = (expand(rows, last), expand(rows, last - 1));
        let n = rows.dim(-1);
        let place = |axis| rows.trace().iota(axis, Type::new(DType::I32, [n, n]));
        let inverted = this.greater(other).and(place(0).less(place(1)));
        let odd = inverted.cast(DType::I32).sum([-2, -1]).rem(2.0);
        let dtype = self.right.dtype();
        stack(&self.pivots, 0).sign().prod(0) * (1.0 - odd.cast(dtype) * 2.0)
    }
}
