//! One number for all elements along some axes: sums, extremes, means, their places.

use oxhorn_ir::{DType, Result, Tensor, Type, ensure};

use super::{
    Arguments, Outcome,
    joining::flat,
    shapes::expand,
    table,
    types::{countable, real, through_numbers, truth},
};

table! { NUMPY "numpy":
    /// The sum along axes.
    "sum(x, axis=None, keepdims=False)" => |a| reduced(a, |x| countable(x), Tensor::sum);
    /// The product along axes.
    "prod(x, axis=None, keepdims=False, dtype=None)" => |a| {
        let x = countable(a.tensor("x")?);
        let y = Along::of(a, x)?.reduce(x, Tensor::prod);
        Ok(a.dtype_or_none("dtype")?.map_or(y, |dtype| y.cast(dtype)).into())
    };
    /// The greatest element along axes, and at least `initial`.
    "max(x, axis=None, keepdims=False, initial=None)" => |a| {
        extreme(a, Tensor::reduce_max, |x, y| x.maximum(y))
    };
    /// The least element along axes, and at most `initial`.
    "min(x, axis=None, keepdims=False, initial=None)" => |a| {
        extreme(a, Tensor::reduce_min, |x, y| x.minimum(y))
    };
    /// The greatest element along axes.
    "amax(x, axis=None, keepdims=False)" => |a| {
        let x = a.tensor("x")?;
        let along = Along::of(a, x)?;
        Ok(through_numbers(x, |x| along.reduce(x, Tensor::reduce_max)).into())
    };
    /// The least element along axes.
    "amin(x, axis=None, keepdims=False)" => |a| {
        let x = a.tensor("x")?;
        let along = Along::of(a, x)?;
        Ok(through_numbers(x, |x| along.reduce(x, Tensor::reduce_min)).into())
    };
    /// The distance from the least to the greatest element along axes.
    "ptp(x, axis=None, keepdims=False)" => |a| {
        let x = a.tensor("x")?;
        let along = Along::of(a, x)?;
        Ok((along.reduce(x, Tensor::reduce_max) - along.reduce(x, Tensor::reduce_min)).into())
    };
    /// The mean along axes; of nothing, NaN.
    "mean(x, axis=None, keepdims=False)" => |a| reduced(a, real, Tensor::mean);
    /// The mean square of distances from the mean, along axes.
    "var(x, axis=None, keepdims=False)" => |a| {
        let x = a.real("x")?;
        Ok(Along::of(a, x)?.variance(x).into())
    };
    /// The square root of the mean square of distances from the mean, along axes.
    "std(x, axis=None, keepdims=False)" => |a| {
        let x = a.real("x")?;
        Ok(Along::of(a, x)?.variance(x).sqrt().into())
    };
    /// Whether all elements along axes are true; of nothing, they are.
    "all(x, axis=None, keepdims=False)" => |a| {
        reduced(a, |x| truth(x).cast(DType::U32), |x, axes| truth(x.reduce_min(axes)))
    };
    /// Whether any element along axes is true; of nothing, none is.
    "any(x, axis=None, keepdims=False)" => |a| {
        reduced(a, |x| truth(x).cast(DType::U32), |x, axes| truth(x.reduce_max(axes)))
    };
    /// How many elements along axes are not zero.
    "count_nonzero(x, axis=None)" => |a| {
        let x = a.tensor("x")?;
        Ok(truth(x).cast(DType::I32).sum(a.axes("axis", x.rank())?).into())
    };
    /// The place of the greatest element along an axis, or among all; of equal ones, the first.
    "argmax(x, axis=None, keepdims=False)" => |a| place(a, |x| x);
    /// The place of the least element along an axis, or among all; of equal ones, the first.
    "argmin(x, axis=None, keepdims=False)" => |a| place(a, downwards);
    /// The mean along axes, each element counted as often as its weight says.
    "average(x, axis=None, weights=None)" => average;
}

table! { MATH "math":
    /// The logarithm of the sum of exponentials along axes, without overflow on the way.
    "logsumexp(x, axis=None, keepdims=False)" => |a| {
        let x = a.real("x")?;
        let along = Along::of(a, x)?;
        let greatest = along.keep(x, Tensor::reduce_max);
        // Of infinities alone there is no distance to the greatest.
        let greatest = greatest.is_finite().select(greatest, 0.0);
        let sum = along.keep((x - greatest).exp(), Tensor::sum);
        Ok((sum.log() + greatest).reshape(along.shape.clone()).into())
    };
}

table! { NN "nn":
    /// The mean and the variance along axes.
    "moments(x, axes, keepdims=False, synchronized=False)" => |a| {
        a.refuse("synchronized", "False")?;
        let x = a.real("x")?;
        let along = Along::named(a, "axes", x)?;
        Ok(vec![along.reduce(x, Tensor::mean), along.variance(x)].into())
    };
}

/// The axes along which a tensor is reduced, and what becomes of its shape.
pub(super) struct Along {
    /// The axes, without repeats.
    pub(super) axes: Vec<usize>,
    /// The result's shape.
    pub(super) shape: Vec<usize>,
    /// The shape with all reduced axes at extent 1.
    pub(super) ones: Vec<usize>,
    /// How many elements become one.
    pub(super) count: usize,
}

impl Along {
    /// What `axis` and `keepdims` say.
    pub(super) fn of(a: &Arguments<'_>, x: Tensor<'_>) -> Result<Along> {
        Along::named(a, "axis", x)
    }

    /// What the axes of this name and `keepdims` say.
    fn named(a: &Arguments<'_>, name: &str, x: Tensor<'_>) -> Result<Along> {
        let axes = a.axes(name, x.rank())?;
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        let distinct = sorted.windows(2).all(|pair| pair[0] != pair[1]);
        ensure!(distinct, "duplicate value in '{name}': {}", a.get(name));
        let along = Along::new(x, axes);
        Ok(match a.flag("keepdims")? {
            true => Along { shape: along.ones.clone(), ..along },
            false => along,
        })
    }

    /// These axes, which go.
    pub(super) fn new(x: Tensor<'_>, axes: Vec<usize>) -> Along {
        let from = x.shape();
        let count = axes.iter().map(|&axis| from[axis]).product();
        let mut ones = from.clone();
        axes.iter().for_each(|&axis| ones[axis] = 1);
        let kept = (0..from.len()).filter(|axis| !axes.contains(axis)).map(|axis| from[axis]);
        let shape = kept.collect();
        Along { axes, shape, ones, count }
    }

    /// The reduction in the shape that was asked for.
    pub(super) fn reduce<'g>(
        &self,
        x: Tensor<'g>,
        reduce: impl FnOnce(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        reduce(x, self.axes.clone()).reshape(self.shape.clone())
    }

    /// The reduction with its axes at extent 1, to stand beside `x`.
    pub(super) fn keep<'g>(
        &self,
        x: Tensor<'g>,
        reduce: impl FnOnce(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        reduce(x, self.axes.clone()).reshape(self.ones.clone())
    }

    /// The mean square of distances from the mean.
    pub(super) fn variance<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let distance = x - self.keep(x, Tensor::mean);
        self.reduce(distance * distance, Tensor::mean)
    }
}

/// A reduction of the argument `x` along `axis`.
fn reduced<'g>(
    a: &Arguments<'g>,
    prepare: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
    reduce: impl FnOnce(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = prepare(a.tensor("x")?);
    Ok(Along::of(a, x)?.reduce(x, reduce).into())
}

fn extreme<'g>(
    a: &Arguments<'g>,
    reduce: impl FnOnce(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
    combine: impl FnOnce(Tensor<'g>, Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = a.tensor("x")?;
    let along = Along::of(a, x)?;
    ensure!(
        along.count > 0 || a.given("initial"),
        "zero-size array to reduction operation {} which has no identity",
        a.function().name
    );
    let y = through_numbers(x, |x| along.reduce(x, reduce));
    Ok(match a.given("initial") {
        false => y,
        true => {
            let initial = a.tensor("initial")?.cast(x.dtype());
            through_numbers(y, |y| combine(y, initial.cast(y.dtype())))
        }
    }
    .into())
}

/// Numbers whose order is reversed.
fn downwards(x: Tensor<'_>) -> Tensor<'_> {
    // Of integers all bits turned, since the least of them has no negative.
    if x.dtype().is_float() { -x } else { x.not() }
}

/// Numbers with -0.0 below 0.0, as Keras on JAX has it.
fn zeros_apart(x: Tensor<'_>) -> Tensor<'_> {
    if !x.dtype().is_float() || x.rank() == 0 {
        return x;
    }
    let below = x.equal(0.0).and(x.recip().less(0.0));
    below.select(x.fill(-f64::from(f32::MIN_POSITIVE)), x)
}

fn place<'g>(
    a: &Arguments<'g>,
    order: impl FnOnce(Tensor<'g>) -> Tensor<'g>,
) -> Result<Outcome<'g>> {
    let x = zeros_apart(countable(a.tensor("x")?));
    let places = order(x);
    let keep = a.flag("keepdims")?;
    let Some(axis) = a.int_or_none("axis")? else {
        let shape = if keep { vec![1; x.rank()] } else { vec![] };
        return Ok(flat(places).argmax(0).reshape(shape).into());
    };
    let axis = super::arguments::axis(axis, x.rank())?;
    let y = places.argmax(axis as isize);
    Ok(if keep { expand(y, axis) } else { y }.into())
}

fn average<'g>(a: &Arguments<'g>) -> Result<Outcome<'g>> {
    if !a.given("weights") {
        let x = a.real("x")?;
        return Ok(x.mean(a.axes("axis", x.rank())?).into());
    }
    let [x, weights] = a.promoted_real(["x", "weights"])?;
    let axes = a.axes("axis", x.rank())?;
    let weights = match (weights.shape() == x.shape(), &axes[..]) {
        (true, _) => weights,
        (false, &[axis]) if weights.rank() == 1 && weights.dim(0) == x.shape()[axis] => {
            let mut shape = vec![1; x.rank()];
            shape[axis] = weights.dim(0);
            weights.reshape(shape)
        }
        _ => return Err(a.wrong("weights", "shaped like `x`, or a row along the one axis")),
    };
    let weights = weights.broadcast(x.shape());
    Ok(((x * weights).sum(axes.clone()) / weights.sum(axes)).into())
}

/// The places along an axis, from 0 on, shaped to stand beside `x`.
pub(super) fn places<'g>(x: Tensor<'g>, axis: usize) -> Tensor<'g> {
    let mut shape = vec![1; x.rank()];
    shape[axis] = x.shape()[axis];
    x.trace().iota(0, Type::new(DType::I32, [x.shape()[axis]])).reshape(shape)
}
