//! `sum`, `prod`, `reduce_max` and `reduce_min`: one number for all elements along some axes.

use std::ops::RangeFull;

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Type, ensure};

/// Combines the elements along `axes` and drops those axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// How elements combine.
    pub reduction: Reduction,
    /// Which axes go; ascending, without repeats.
    pub axes: Vec<usize>,
}

/// How the elements along an axis combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// They are added; of none, 0.
    Sum,
    /// They are multiplied; of none, 1.
    Prod,
    /// The greatest stays, NaN if any is; of none, the least number there is.
    Max,
    /// The least stays, NaN if any is; of none, the greatest number there is.
    Min,
}

/// Axes, as a caller may write them: `1`, `-1`, `[0, 2]`, or `..` for all.
pub trait Axes {
    /// The axes of a tensor of this rank, in any order; negative ones count from the end.
    fn of(self, rank: usize) -> Vec<isize>;
}

impl Axes for isize {
    fn of(self, _: usize) -> Vec<isize> {
        vec![self]
    }
}

impl<const N: usize> Axes for [isize; N] {
    fn of(self, _: usize) -> Vec<isize> {
        self.to_vec()
    }
}

impl Axes for Vec<usize> {
    fn of(self, _: usize) -> Vec<isize> {
        self.into_iter().map(|axis| axis as isize).collect()
    }
}

impl Axes for RangeFull {
    fn of(self, rank: usize) -> Vec<isize> {
        (0..rank as isize).collect()
    }
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Reduction; 4] =
        [Reduction::Sum, Reduction::Prod, Reduction::Max, Reduction::Min];

    fn text(self) -> &'static str {
        match self {
            Reduction::Sum => "sum",
            Reduction::Prod => "prod",
            Reduction::Max => "reduce_max",
            Reduction::Min => "reduce_min",
        }
    }

    /// The result for no elements at all.
    pub fn identity(self, dtype: DType) -> f64 {
        let least = match dtype {
            DType::I32 => f64::from(i32::MIN),
            DType::I64 => i64::MIN as f64,
            DType::U32 | DType::Bool => 0.0,
            DType::F32 | DType::F64 => f64::NEG_INFINITY,
        };
        let greatest = match dtype {
            DType::I32 => f64::from(i32::MAX),
            DType::I64 => i64::MAX as f64,
            DType::U32 => f64::from(u32::MAX),
            DType::Bool => 1.0,
            DType::F32 | DType::F64 => f64::INFINITY,
        };
        match self {
            Reduction::Sum => 0.0,
            Reduction::Prod => 1.0,
            Reduction::Max => least,
            Reduction::Min => greatest,
        }
    }

    /// Two elements combined.
    pub fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            Reduction::Sum => a + b,
            Reduction::Prod => a * b,
            Reduction::Max | Reduction::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Reduction::Max => a.max(b),
            Reduction::Min => a.min(b),
        }
    }
}

impl Reduce {
    pub(crate) fn parse(name: &str, attributes: &Attributes, _: &Type) -> Result<Option<Reduce>> {
        match Reduction::ALL.into_iter().find(|reduction| reduction.text() == name) {
            Some(reduction) => {
                Ok(Some(Reduce { reduction, axes: attributes.expect_ints("axes")? }))
            }
            None => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    fn reduce(self, reduction: Reduction, axes: impl Axes) -> Tensor<'g> {
        match self.axes(axes) {
            Some(axes) => self.trace().push(Reduce { reduction, axes }, &[self]),
            None => self.void(),
        }
    }

    /// `axes` counted from the front and ascending, or a recorded mistake.
    fn axes(self, axes: impl Axes) -> Option<Vec<usize>> {
        let found = axes.of(self.rank()).into_iter().map(|axis| self.axis(axis));
        let mut found: Vec<usize> = found.collect::<Option<_>>()?;
        found.sort_unstable();
        Some(found)
    }

    /// The sum along `axes`, which go.
    pub fn sum(self, axes: impl Axes) -> Tensor<'g> {
        self.reduce(Reduction::Sum, axes)
    }

    /// The product along `axes`, which go.
    pub fn prod(self, axes: impl Axes) -> Tensor<'g> {
        self.reduce(Reduction::Prod, axes)
    }

    /// The greatest element along `axes`, which go.
    pub fn reduce_max(self, axes: impl Axes) -> Tensor<'g> {
        self.reduce(Reduction::Max, axes)
    }

    /// The least element along `axes`, which go.
    pub fn reduce_min(self, axes: impl Axes) -> Tensor<'g> {
        self.reduce(Reduction::Min, axes)
    }

    /// The mean along `axes`, which go; of nothing, NaN.
    pub fn mean(self, axes: impl Axes) -> Tensor<'g> {
        let shape = self.shape();
        match self.axes(axes) {
            Some(axes) => {
                let count: usize = axes.iter().map(|&axis| shape[axis]).product();
                self.sum(axes) / count as f64
            }
            None => self.void(),
        }
    }

    /// This result of a reduction of `x` along one `axis`, with that axis back at extent 1.
    pub fn keep(self, x: Tensor<'g>, axis: isize) -> Tensor<'g> {
        let mut shape = x.shape();
        if let Some(axis) = x.axis(axis) {
            shape[axis] = 1;
        }
        self.reshape(shape)
    }
}

impl Rule for Reduce {
    fn name(&self) -> &'static str {
        self.reduction.text()
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().ints("axes", &self.axes)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, axes) = (args[0], &self.axes);
        let ascending = axes.windows(2).all(|pair| pair[0] < pair[1]);
        let in_range = axes.iter().all(|&axis| axis < x.rank());
        ensure!(ascending && in_range, "`{}` over axes {axes:?} of {x}", self.name());
        ensure!(x.dtype != DType::Bool, "`{}` is not defined for {x}", self.name());
        Ok(x.reshaped(kept(&x.shape, axes)))
    }

    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let x = x[0];
        if !x.dtype().is_float() {
            return vec![None];
        }
        let shape = x.shape();
        let mut ones = shape.clone();
        self.axes.iter().for_each(|&axis| ones[axis] = 1);
        let stretch = |y: Tensor<'g>| y.reshape(ones.clone()).broadcast(shape.clone());
        vec![Some(match self.reduction {
            Reduction::Sum => stretch(dy),
            // All that reach the extreme share its gradient, as in JAX.
            Reduction::Max | Reduction::Min => {
                let reaches = x.equal(stretch(y)).cast(x.dtype());
                reaches * stretch(dy / reaches.sum(self.axes.clone()))
            }
            // Without division by zero: at one zero, only its own factor has a gradient.
            Reduction::Prod => {
                let zero = x.equal(0.0);
                let rest = zero.select(x.fill(1.0), x);
                let zeros = stretch(zero.cast(x.dtype()).sum(self.axes.clone()));
                let others = stretch(rest.prod(self.axes.clone())) / rest;
                let alone = zeros.equal(zero.cast(x.dtype())).and(zeros.less(2.0));
                stretch(dy) * alone.select(others, 0.0)
            }
        })]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let x = args[0];
        let mut y = Array::from_fn(&ty.shape, |_| self.reduction.identity(ty.dtype));
        for flat in 0..x.data.len() {
            let ix = kept(&crate::array::unflatten(&x.shape, flat), &self.axes);
            let target = y.flat(&ix);
            let combined = self.reduction.combine(y.data[target], x.data[flat]);
            y.data[target] = ty.dtype.wrap(combined);
        }
        y
    }
}

/// What is left of `extents` when those along `axes` are gone.
fn kept(extents: &[usize], axes: &[usize]) -> Vec<usize> {
    (0..extents.len()).filter(|axis| !axes.contains(axis)).map(|axis| extents[axis]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grad,
        testing::{check_error, check_op, run},
    };

    #[test]
    fn has_the_gradient_of_its_definition() {
        for reduction in Reduction::ALL {
            check_op(&[&[2, 3]], |x| x[0].reduce(reduction, ..));
            check_op(&[&[2, 3]], |x| x[0].reduce(reduction, 0));
            check_op(&[&[2, 3, 4]], |x| x[0].reduce(reduction, [0, -1]));
        }
        check_op(&[&[2, 3, 4]], |x| x[0].mean(1));
        check_op(&[&[3, 1]], |x| x[0].mean([-1, 0]));
        check_op(&[&[0, 2]], |x| x[0].prod(0));
        check_op(&[&[]], |x| x[0].sum(..));
    }

    #[test]
    fn products_with_zeros_have_exact_gradients() {
        let gradient = |x: &[f64]| {
            let given = (Type::new(DType::F64, [x.len()]), Array::new([x.len()], x.to_vec()));
            run(&[given], |_, x| grad(x[0].prod(..), x)[0]).data
        };
        assert_eq!(gradient(&[2.0, 3.0, 4.0]), [12.0, 8.0, 6.0]);
        assert_eq!(gradient(&[2.0, 0.0, 4.0]), [0.0, 8.0, 0.0]);
        assert_eq!(gradient(&[0.0, 0.0, 4.0]), [0.0, 0.0, 0.0]);
    }

    #[test]
    fn of_nothing_gives_the_identity() {
        let x = || [(Type::f32([0, 2]), Array::new([0, 2], vec![]))];
        assert_eq!(run(&x(), |_, x| x[0].sum(0)).data, [0.0, 0.0]);
        assert_eq!(run(&x(), |_, x| x[0].reduce_max(0)).data, [f64::NEG_INFINITY; 2]);
        assert_eq!(run(&x(), |_, x| x[0].reduce_min(0)).data, [f64::INFINITY; 2]);
        assert_eq!(run(&x(), |_, x| x[0].prod(0)).data, [1.0; 2]);
        assert_eq!(run(&x(), |_, x| x[0].prod(1)).data, [0.0; 0]);
        assert!(run(&x(), |_, x| x[0].mean(0)).data.iter().all(|y| y.is_nan()));
        assert_eq!(run(&x(), |_, x| x[0].mean(1)).data, [0.0; 0]);
    }

    #[test]
    fn of_numbers_and_others_is_no_number() {
        let x = [(Type::f32([3]), Array::new([3], vec![1.0, f64::NAN, 2.0]))];
        for reduction in Reduction::ALL {
            assert!(run(&x, |_, x| x[0].reduce(reduction, 0)).scalar().is_nan());
        }
    }

    #[test]
    fn sums_of_integers_wrap() {
        let ty = Type::new(DType::I32, [2]);
        let x = [(ty, Array::new([2], vec![2147483647.0, 1.0]))];
        assert_eq!(run(&x, |_, x| x[0].sum(0)).data, [-2147483648.0]);
        assert_eq!(run(&x, |_, x| x[0].reduce_max(0)).data, [2147483647.0]);
    }

    #[test]
    fn all_that_reach_the_extreme_share_its_gradient() {
        let x = [(Type::new(DType::F64, [3]), Array::new([3], vec![2.0, 1.0, 2.0]))];
        let dx = run(&x, |_, x| grad(x[0].reduce_max(..), x)[0]);
        assert_eq!(dx.data, [0.5, 0.0, 0.5]);
    }

    #[test]
    fn keeping_an_axis_leaves_it_with_one_element() {
        let x = [(Type::f32([2, 3]), Array::new([2, 3], (0..6).map(f64::from).collect()))];
        let y = run(&x, |_, x| x[0].sum(-1).keep(x[0], -1));
        assert_eq!(y, Array::new([2, 1], vec![3.0, 12.0]));
    }

    #[test]
    fn rejects_axes_that_are_not_there() {
        check_error(&[Type::f32([2, 3])], |_, x| x[0].sum(2), "f32[2, 3] has no axis 2");
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].sum([0, 0]),
            "`sum` over axes [0, 0] of f32[2, 3]",
        );
        check_error(&[Type::f32([3])], |_, x| x[0].mean(-2), "f32[3] has no axis -2");
    }

    #[test]
    fn rejects_truth_values() {
        for (reduction, name) in Reduction::ALL.into_iter().zip(["sum", "prod"]) {
            check_error(
                &[Type::new(DType::Bool, [2])],
                |_, x| x[0].reduce(reduction, ..),
                &format!("`{name}` is not defined for bool[2]"),
            );
        }
    }
}
