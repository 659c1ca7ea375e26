//! Elements written to their places: scatter, scatter_update, segments.

use oxhorn_ir::{DType, Reduction, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    indexing::from_front,
    shapes::{expand, range},
    table,
    types::countable,
};

table! { CORE "core":
    /// Zeros of a shape, with values added at places, which the last axis of `indices` names.
    "scatter(indices, values, shape)" => |a| {
        let (values, shape) = (a.tensor("values")?, a.shape("shape")?);
        let target = Target::of(a, &shape, a.indices("indices")?)?;
        let rows = target.rows(countable(values))?;
        Ok(target.sums(rows).reshape(shape).cast(values.dtype()).into())
    };
    /// A tensor with new values at places, which the last axis of `indices` names.
    ///
    /// Of several values for one place the last counts, unless `reduction` joins them with what
    /// is there: 'add', 'mul', 'max' or 'min'.
    "scatter_update(inputs, indices, updates, reduction=None)" => scatter_update;
}

table! { MATH "math":
    /// The sums of the slices along the first axis that belong to each segment.
    "segment_sum(data, segment_ids, num_segments=None, sorted=False)" => |a| {
        let (data, ids, n) = segments(a)?;
        let rows = data.reshape([data.dim(0), width(data)]);
        let mut shape = data.shape();
        shape[0] = n;
        Ok(added(rows, ids, n).reshape(shape).into())
    };
    /// The greatest elements among the slices that belong to each segment.
    "segment_max(data, segment_ids, num_segments=None, sorted=False)" => |a| {
        segment(a, Reduction::Max, Tensor::reduce_max)
    };
    /// The least elements among the slices that belong to each segment.
    "segment_min(data, segment_ids, num_segments=None, sorted=False)" => |a| {
        segment(a, Reduction::Min, Tensor::reduce_min)
    };
    /// The products of the slices that belong to each segment.
    "segment_prod(data, segment_ids, num_segments=None, sorted=False)" => |a| {
        segment(a, Reduction::Prod, Tensor::prod)
    };
}

/// Places in a tensor whose leading axes are folded into rows.
struct Target<'g> {
    /// The row that each update goes to.
    indices: Tensor<'g>,
    /// How many rows there are.
    rows: usize,
    /// How many elements a row has.
    width: usize,
    /// The shape of all updates.
    updates: Vec<usize>,
}

impl<'g> Target<'g> {
    /// The places that `indices` name in a tensor of this shape.
    fn of(a: &Arguments<'g>, shape: &[usize], indices: Tensor<'g>) -> Result<Target<'g>> {
        let named = indices.shape().last().copied().unwrap_or(0);
        ensure!(
            (1..=shape.len()).contains(&named),
            "`{}` needs indices whose last axis names 1 to {} axes, got {}",
            a.function().name,
            shape.len(),
            indices.ty()
        );
        let (head, tail) = shape.split_at(named);
        let last = indices.rank() - 1;
        let mut row = range(indices, last, 0, 1) * 0.0;
        for (place, &extent) in head.iter().enumerate() {
            let coordinate = from_front(range(indices, last, place, place + 1), extent);
            row = row * extent as f64 + coordinate;
        }
        let given = &indices.shape()[..last];
        Ok(Target {
            indices: row.reshape([given.iter().product()]),
            rows: head.iter().product(),
            width: tail.iter().product(),
            updates: [given, tail].concat(),
        })
    }

    /// The updates as rows.
    fn rows(&self, updates: Tensor<'g>) -> Result<Tensor<'g>> {
        let updates = super::shapes::broadcast(updates, &self.updates)?;
        Ok(updates.reshape([self.indices.dim(0), self.width]))
    }

    /// The sums of the rows that go to each place.
    fn sums(&self, rows: Tensor<'g>) -> Tensor<'g> {
        added(rows, self.indices, self.rows)
    }

    /// Which of the rows are the last of those that go to their place.
    ///
    /// The greatest number among those that share a place is found bit by bit, from the highest:
    /// wherever one that is still in question has the bit, those that lack it are out.
    fn last(&self) -> Tensor<'g> {
        let n = self.indices.dim(0);
        let number = self.indices.trace().iota(0, Type::new(DType::I32, [n]));
        let mut open = number.greater_equal(0.0);
        for bit in (0..usize::BITS - n.saturating_sub(1).leading_zeros()).rev() {
            let has = (number / 2f64.powi(bit as i32)).rem(2.0).equal(1.0).and(open);
            let sums = self.sums(has.cast(DType::I32).reshape([n, 1]));
            let taken = sums.reshape([self.rows]).gather(self.indices, 0).greater(0.0);
            open = open.and(has.or(taken.not()));
        }
        open
    }
}

/// The sums of the rows that go to each of `n` places; what goes nowhere is left out.
fn added<'g>(rows: Tensor<'g>, places: Tensor<'g>, n: usize) -> Tensor<'g> {
    // One more row takes what goes nowhere.
    let inside = places.greater_equal(0.0).and(places.less(n as f64));
    let places = inside.select(places, n as f64);
    let ty = Type::new(rows.dtype(), [n + 1, rows.dim(1)]);
    let zeros = rows.trace().push(oxhorn_ir::Fill::new(0.0, ty), &[]);
    range(zeros.scatter_add(places, rows, 0), 0, 0, n)
}

/// How many elements a slice along the first axis has.
fn width(x: Tensor<'_>) -> usize {
    x.shape()[1..].iter().product()
}

fn scatter_update<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    let x = a.tensor("inputs")?;
    let target = Target::of(a, &x.shape(), a.indices("indices")?)?;
    let updates = target.rows(a.tensor("updates")?.cast(x.dtype()))?;
    let old = x.reshape([target.rows, target.width]);
    let (numbers, new) = (countable(old), countable(updates));
    let n = target.indices.dim(0);
    let joined = |reduction: Reduction, reduce: fn(Tensor<'g>, isize) -> Tensor<'g>| {
        grouped(new, target.indices, target.rows, reduction, reduce)
    };
    let y = match a.get("reduction").to_string().as_str() {
        "None" => {
            let last = target.last();
            let rows = expand(last, 1).broadcast(new.shape()).select(new, new.fill(0.0));
            let touched = target.sums(last.cast(DType::I32).reshape([n, 1])).greater(0.0);
            touched.broadcast(numbers.shape()).select(target.sums(rows), numbers)
        }
        "'add'" => numbers + target.sums(new),
        "'mul'" => numbers * joined(Reduction::Prod, Tensor::prod),
        "'max'" => numbers.maximum(joined(Reduction::Max, Tensor::reduce_max)),
        "'min'" => numbers.minimum(joined(Reduction::Min, Tensor::reduce_min)),
        other => {
            let message = format!("Unsupported reduction: {}", other.trim_matches('\''));
            return Err(oxhorn_ir::Error::new(message));
        }
    };
    Ok(y.reshape(x.shape()).cast(x.dtype()).into())
}

/// What the rows that go to each of `n` places combine to: every place looks at every row.
fn grouped<'g>(
    rows: Tensor<'g>,
    places: Tensor<'g>,
    n: usize,
    reduction: Reduction,
    reduce: impl FnOnce(Tensor<'g>, isize) -> Tensor<'g>,
) -> Tensor<'g> {
    let number = rows.trace().iota(0, Type::new(places.dtype(), [n, 1, 1]));
    let own = expand(places, 1).equal(number);
    let all = [n, rows.dim(0), rows.dim(1)];
    let rows = rows.broadcast(all);
    reduce(own.broadcast(all).select(rows, reduction.identity(rows.dtype())), 1)
}

/// The data, the segment of each slice, and how many segments there are.
fn segments<'g>(a: &Arguments<'g>) -> Result<(Tensor<'g>, Tensor<'g>, usize)> {
    a.flag("sorted")?;
    ensure!(
        a.given("num_segments"),
        "Argument `num_segments` must be set when using the JAX backend. \
        Received: num_segments=None"
    );
    let (data, ids) = (countable(a.tensor("data")?), a.indices("segment_ids")?);
    let fits = ids.rank() == 1 && data.rank() > 0 && ids.dim(0) == data.dim(0);
    ensure!(
        fits,
        "`{}` needs a segment for each slice of {}, got {}",
        a.function().name,
        data.ty(),
        ids.ty()
    );
    Ok((data, ids, a.extent("num_segments")?))
}

fn segment<'g>(
    a: &Arguments<'g>,
    reduction: Reduction,
    reduce: fn(Tensor<'g>, isize) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let (data, ids, n) = segments(a)?;
    let rows = data.reshape([data.dim(0), width(data)]);
    let mut shape = data.shape();
    shape[0] = n;
    Ok(grouped(rows, ids, n, reduction, reduce).reshape(shape).into())
}
