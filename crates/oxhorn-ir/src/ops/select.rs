//! `select`: one of two tensors, element by element.

use crate::{Array, Attributes, Cotangents, DType, Operand, Result, Rule, Tensor, Type, ensure};

/// `y[ix] = if mask[ix] { a[ix] } else { b[ix] }`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Select;

impl Select {
    pub(crate) fn parse(name: &str, _: &Attributes, _: &Type) -> Result<Option<Select>> {
        Ok((name == "select").then_some(Select))
    }
}

impl<'g> Tensor<'g> {
    /// `a` where this mask holds, `b` elsewhere. Mask and `b` are broadcast to `a`.
    pub fn select(self, a: Tensor<'g>, b: impl Operand<'g>) -> Tensor<'g> {
        let (shape, b) = (a.shape(), b.beside(a));
        let mask = self.broadcast(shape.clone());
        self.trace().push(Select, &[mask, a, b.broadcast(shape)])
    }
}

impl Rule for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn arity(&self) -> Option<usize> {
        Some(3)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (mask, a, b) = (args[0], args[1], args[2]);
        ensure!(mask.dtype == DType::Bool, "`select` needs a bool mask, got {mask}");
        ensure!(a == b && mask.shape == a.shape, "`select` needs one shape, got {mask}, {a}, {b}");
        Ok(a.clone())
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        if !dy.dtype().is_float() {
            return vec![None; 3];
        }
        let (mask, zero) = (x[0], dy.fill(0.0));
        let push = |a, b| Some(dy.trace().push(Select, &[mask, a, b]));
        vec![None, push(dy, zero), push(zero, dy)]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::map(args, ty, |x| if x[0] != 0.0 { x[1] } else { x[2] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[2, 3], &[2, 3]], |x| x[0].less(x[1]).select(x[0] * x[1], x[1]));
        check_op(&[&[2, 3], &[3]], |x| x[1].less(0.7).select(x[0] * 2.0, x[1]));
        check_op(&[&[0]], |x| x[0].less(0.7).select(x[0], 1.0));
    }

    #[test]
    fn rejects_masks_that_are_numbers() {
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].select(x[0], 0.0),
            "`select` needs a bool mask, got f32[2]",
        );
    }
}
