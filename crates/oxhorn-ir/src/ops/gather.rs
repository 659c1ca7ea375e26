//! `gather`: slices of a tensor, chosen by index.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, ScatterAdd, Tensor, Type, ensure};

/// `y[a.., i.., b..] = x[a.., indices[i..], b..]`, the index standing at `axis`.
///
/// The result has the shape of `x` with `axis` replaced by the shape of the indices, as NumPy's
/// `take`. An index below 0 counts as 0 and one past the end as the last: no index can reach
/// outside, and none is counted from the end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Gather {
    /// The axis of `x` that the indices choose from.
    pub axis: usize,
}

impl Gather {
    pub(crate) fn parse(name: &str, attributes: &Attributes, _: &Type) -> Result<Option<Gather>> {
        match name {
            "gather" => Ok(Some(Gather { axis: attributes.expect_int("axis")? })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// The slices of this tensor along `axis` that `indices` choose; see [`Gather`].
    pub fn gather(self, indices: Tensor<'g>, axis: isize) -> Tensor<'g> {
        match self.axis(axis) {
            Some(axis) => self.trace().push(Gather { axis }, &[self, indices]),
            None => self.void(),
        }
    }
}

impl Rule for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn arity(&self) -> Option<usize> {
        Some(2)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().int("axis", self.axis)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        chosen("gather", args[0], args[1], self.axis)
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let (zeros, scatter) = (x[0].fill(0.0), ScatterAdd { axis: self.axis });
        vec![Some(dy.trace().push(scatter, &[zeros, x[1], dy])), None]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::from_fn(&ty.shape, |ix| args[0][source(ix, args[1], self.axis, &args[0].shape)])
    }
}

/// The type of what `indices` choose of `x` along `axis`.
pub(super) fn chosen(op: &str, x: &Type, indices: &Type, axis: usize) -> Result<Type> {
    ensure!(axis < x.rank(), "`{op}` along axis {axis} of {x}");
    let is_index = matches!(indices.dtype, DType::I32 | DType::I64);
    ensure!(is_index, "`{op}` needs indices of type i32 or i64, got {indices}");
    let choice = x.shape[axis] > 0 || indices.is_empty();
    ensure!(choice, "`{op}` along axis {axis} of {x} has nothing to choose from");
    let (before, after) = (&x.shape[..axis], &x.shape[axis + 1..]);
    Ok(x.reshaped([before, &indices.shape, after].concat()))
}

/// The index into `x`, of this shape, of what is chosen for the result's index `ix`.
pub(super) fn source(ix: &[usize], indices: &Array, axis: usize, shape: &[usize]) -> Vec<usize> {
    let (before, rest) = ix.split_at(axis);
    let (chosen, after) = rest.split_at(indices.shape.len());
    let i = indices[chosen].clamp(0.0, (shape[axis] - 1) as f64) as usize;
    [before, &[i], after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grad,
        testing::{check_error, check_op, run},
    };

    /// Constant indices that step by `step` from 0 on, as `i32`.
    fn every<'g>(like: Tensor<'g>, shape: &[usize], step: f64) -> Tensor<'g> {
        let axis = shape.len() - 1;
        like.trace().iota(axis, Type::new(DType::I32, shape)) * step
    }

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[5]], |x| x[0].gather(every(x[0], &[3], 2.0), 0));
        check_op(&[&[4, 3]], |x| x[0].gather(every(x[0], &[2, 3], 1.0), 0));
        check_op(&[&[2, 3, 2]], |x| x[0].gather(every(x[0], &[2], 1.0), -2));
        check_op(&[&[2, 1]], |x| x[0].gather(every(x[0], &[4], 0.0), 1));
        check_op(&[&[0]], |x| x[0].gather(every(x[0], &[0], 1.0), 0));
        check_op(&[&[3, 0]], |x| x[0].gather(every(x[0], &[2], 1.0), 0));
    }

    #[test]
    fn has_the_gradient_of_its_definition_at_indices_outside() {
        check_op(&[&[3]], |x| x[0].gather(every(x[0], &[4], 2.0) - 2.0, 0));
    }

    #[test]
    fn takes_the_nearest_for_indices_outside() {
        let x = (Type::f32([3]), Array::new([3], vec![5.0, 6.0, 7.0]));
        let indices = Array::new([2, 2], vec![-1.0, 2.0, 3.0, 1e9]);
        let y = run(&[x, (Type::new(DType::I64, [2, 2]), indices)], |_, x| x[0].gather(x[1], 0));
        assert_eq!(y, Array::new([2, 2], vec![5.0, 7.0, 7.0, 7.0]));
    }

    #[test]
    fn adds_up_the_gradients_of_what_is_chosen_twice() {
        let x = (Type::new(DType::F64, [2]), Array::new([2], vec![5.0, 6.0]));
        let indices = (Type::new(DType::I32, [3]), Array::new([3], vec![1.0, 1.0, 0.0]));
        let dx = run(&[x, indices], |_, x| grad(x[0].gather(x[1], 0).sum(..), &x[..1])[0]);
        assert_eq!(dx.data, [1.0, 2.0]);
    }

    #[test]
    fn takes_a_scalar_for_one_index() {
        let x = (Type::f32([2, 2]), Array::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let index = (Type::new(DType::I32, []), Array::new([], vec![1.0]));
        let y = run(&[x, index], |_, x| x[0].gather(x[1], 0));
        assert_eq!(y, Array::new([2], vec![3.0, 4.0]));
    }

    #[test]
    fn rejects_what_does_not_fit() {
        let pair = |x: &[usize], dtype| [Type::f32(x), Type::new(dtype, [2])];
        check_error(
            &pair(&[3], DType::F32),
            |_, x| x[0].gather(x[1], 0),
            "`gather` needs indices of type i32 or i64, got f32[2]",
        );
        check_error(
            &pair(&[0], DType::I32),
            |_, x| x[0].gather(x[1], 0),
            "`gather` along axis 0 of f32[0] has nothing to choose from",
        );
        check_error(&pair(&[3], DType::I32), |_, x| x[0].gather(x[1], 1), "f32[3] has no axis 1");
    }
}
