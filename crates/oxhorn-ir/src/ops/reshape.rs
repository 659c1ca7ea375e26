//! `reshape`: the same elements, in the same order, under another shape.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type, ensure};

/// The same elements, in the same order, under another shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reshape {
    /// The shape of the result.
    pub shape: Vec<usize>,
}

impl Reshape {
    pub(crate) fn parse(name: &str, _: &Attributes, ty: &Type) -> Result<Option<Reshape>> {
        Ok((name == "reshape").then(|| Reshape { shape: ty.shape.clone() }))
    }
}

impl<'g> Tensor<'g> {
    /// The same elements under another shape.
    pub fn reshape(self, shape: impl Into<Vec<usize>>) -> Tensor<'g> {
        let shape = shape.into();
        if self.is_void() || self.shape() == shape {
            return self;
        }
        self.trace().push(Reshape { shape }, &[self])
    }
}

impl Rule for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (from, to) = (args[0].len(), args[0].reshaped(&self.shape[..]).len());
        ensure!(from == to, "`reshape` turns {from} elements of {} into {to}", args[0]);
        Ok(args[0].reshaped(&self.shape[..]))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        vec![Some(dy.reshape(x[0].shape()))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::new(&ty.shape[..], args[0].data.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[2, 3]], |x| x[0].reshape([3, 2]));
        check_op(&[&[1]], |x| x[0].reshape([]));
        check_op(&[&[2, 0]], |x| x[0].reshape([0, 7]));
    }

    #[test]
    fn rejects_shapes_of_another_extent() {
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].reshape([4]),
            "`reshape` turns 6 elements of f32[2, 3] into 4",
        );
    }
}
