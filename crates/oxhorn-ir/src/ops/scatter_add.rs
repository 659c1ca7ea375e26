//! `scatter_add`: adds slices to those of a tensor, chosen by index.

use super::gather::{chosen, source};
use crate::{Array, Attributes, Cotangents, DType, Gather, Result, Rule, Tensor, Type, ensure};

/// `y = x`, then `y[a.., indices[i..], b..] += updates[a.., i.., b..]`, the index at `axis`.
///
/// What is chosen more than once is added to more than once, in the order of the indices. Indices
/// outside count as the nearest inside, exactly as in [`Gather`], which this op transposes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScatterAdd {
    /// The axis of `x` that the indices choose from.
    pub axis: usize,
}

impl ScatterAdd {
    pub(crate) fn parse(
        name: &str,
        attributes: &Attributes,
        _: &Type,
    ) -> Result<Option<ScatterAdd>> {
        match name {
            "scatter_add" => Ok(Some(ScatterAdd { axis: attributes.expect_int("axis")? })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// This tensor with `updates` added to its slices along `axis` that `indices` choose; see
    /// [`ScatterAdd`].
    pub fn scatter_add(self, indices: Tensor<'g>, updates: Tensor<'g>, axis: isize) -> Tensor<'g> {
        match self.axis(axis) {
            Some(axis) => self.trace().push(ScatterAdd { axis }, &[self, indices, updates]),
            None => self.void(),
        }
    }
}

impl Rule for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn arity(&self) -> Option<usize> {
        Some(3)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().int("axis", self.axis)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, indices, updates) = (args[0], args[1], args[2]);
        ensure!(x.dtype != DType::Bool, "`scatter_add` is not defined for {x}");
        let wanted = chosen("scatter_add", x, indices, self.axis)?;
        ensure!(*updates == wanted, "`scatter_add` needs updates of type {wanted}, got {updates}");
        Ok(x.clone())
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let updates = dy.trace().push(Gather { axis: self.axis }, &[dy, x[1]]);
        vec![Some(dy), None, Some(updates)]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let (mut y, indices, updates) = (args[0].clone(), args[1], args[2]);
        for flat in 0..updates.data.len() {
            let ix = crate::array::unflatten(&updates.shape, flat);
            let target = y.flat(&source(&ix, indices, self.axis, &ty.shape));
            y.data[target] = ty.dtype.wrap(y.data[target] + updates.data[flat]);
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op, run};

    /// Constant indices that count from `from` on, as `i32`.
    fn counting<'g>(like: Tensor<'g>, shape: &[usize], from: f64) -> Tensor<'g> {
        like.trace().iota(shape.len() - 1, Type::new(DType::I32, shape)) + from
    }

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[5], &[3]], |x| x[0].scatter_add(counting(x[0], &[3], 1.0), x[1], 0));
        check_op(&[&[4, 3], &[2, 3, 3]], |x| {
            x[0].scatter_add(counting(x[0], &[2, 3], 0.0), x[1], 0)
        });
        check_op(&[&[2, 3, 2], &[2, 2, 2]], |x| {
            x[0].scatter_add(counting(x[0], &[2], 1.0), x[1], 1)
        });
        check_op(&[&[1], &[0]], |x| x[0].scatter_add(counting(x[0], &[0], 0.0), x[1], 0));
        check_op(&[&[3, 0], &[2, 0]], |x| x[0].scatter_add(counting(x[0], &[2], 0.0), x[1], 0));
    }

    #[test]
    fn has_the_gradient_of_its_definition_at_indices_outside() {
        check_op(&[&[3], &[7]], |x| x[0].scatter_add(counting(x[0], &[7], -2.0), x[1], 0));
    }

    #[test]
    fn adds_up_what_is_chosen_twice() {
        let x = (Type::f32([3]), Array::new([3], vec![1.0, 2.0, 3.0]));
        let indices = (Type::new(DType::I64, [4]), Array::new([4], vec![2.0, 0.0, 2.0, 99.0]));
        let updates = (Type::f32([4]), Array::new([4], vec![10.0, 20.0, 30.0, 40.0]));
        let y = run(&[x, indices, updates], |_, x| x[0].scatter_add(x[1], x[2], 0));
        assert_eq!(y.data, [21.0, 2.0, 83.0]);
    }

    #[test]
    fn rejects_what_does_not_fit() {
        check_error(
            &[Type::f32([3, 4]), Type::new(DType::I32, [2]), Type::f32([2, 3])],
            |_, x| x[0].scatter_add(x[1], x[2], 0),
            "`scatter_add` needs updates of type f32[2, 4], got f32[2, 3]",
        );
        check_error(
            &[Type::f32([0]), Type::new(DType::I32, [2]), Type::f32([2])],
            |_, x| x[0].scatter_add(x[1], x[2], 0),
            "`scatter_add` along axis 0 of f32[0] has nothing to choose from",
        );
    }
}
