//! `broadcast`: repeats a tensor along new leading axes and along axes of extent 1.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type, ensure};

/// `y[.., ix] = x[ix]`, where an index into an axis of extent 1 is always 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Broadcast {
    /// The shape of the result.
    pub shape: Vec<usize>,
}

impl Broadcast {
    pub(crate) fn parse(name: &str, _: &Attributes, ty: &Type) -> Result<Option<Broadcast>> {
        Ok((name == "broadcast").then(|| Broadcast { shape: ty.shape.clone() }))
    }
}

impl<'g> Tensor<'g> {
    /// This tensor, repeated to fill `shape`; see [`Broadcast`].
    pub fn broadcast(self, shape: impl Into<Vec<usize>>) -> Tensor<'g> {
        let shape = shape.into();
        if self.is_void() || self.shape() == shape {
            return self;
        }
        self.trace().push(Broadcast { shape }, &[self])
    }
}

impl Rule for Broadcast {
    fn name(&self) -> &'static str {
        "broadcast"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, to) = (args[0], &self.shape);
        let mut axes = x.shape.iter().rev().zip(to.iter().rev());
        let fits = x.rank() <= to.len() && axes.all(|(&from, &to)| from == to || from == 1);
        ensure!(fits, "`broadcast` cannot stretch {x} to {to:?}");
        Ok(x.reshaped(&to[..]))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let shape = x[0].shape();
        let new = self.shape.len() - shape.len();
        let repeated = |&axis: &usize| axis < new || shape[axis - new] != self.shape[axis];
        let axes: Vec<usize> = (0..self.shape.len()).filter(repeated).collect();
        vec![Some(dy.sum(axes).reshape(shape))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let x = args[0];
        Array::from_fn(&ty.shape, |ix| {
            let tail = &ix[ix.len() - x.shape.len()..];
            let source: Vec<usize> = tail.iter().zip(&x.shape).map(|(i, n)| i % n).collect();
            x[source]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[3]], |x| x[0].broadcast([2, 3]));
        check_op(&[&[2, 1, 3]], |x| x[0].broadcast([4, 2, 5, 3]));
        check_op(&[&[]], |x| x[0].broadcast([2, 2]));
        check_op(&[&[1]], |x| x[0].broadcast([0]));
    }

    #[test]
    fn rejects_what_cannot_be_stretched() {
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].broadcast([2, 4]),
            "`broadcast` cannot stretch f32[2, 3] to [2, 4]",
        );
    }
}
