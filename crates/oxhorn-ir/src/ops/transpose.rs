//! `transpose`: the axes in another order.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type, ensure};

/// Axis `i` of the result is axis `order[i]` of the argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transpose {
    /// A permutation of the axes.
    pub order: Vec<usize>,
}

impl Transpose {
    pub(crate) fn parse(
        name: &str,
        attributes: &Attributes,
        _: &Type,
    ) -> Result<Option<Transpose>> {
        match name {
            "transpose" => Ok(Some(Transpose { order: attributes.expect_ints("order")? })),
            _ => Ok(None),
        }
    }

    /// The permutation that undoes this one.
    pub fn inverse(&self) -> Transpose {
        let mut order = vec![0; self.order.len()];
        self.order.iter().enumerate().for_each(|(to, &from)| order[from] = to);
        Transpose { order }
    }
}

impl<'g> Tensor<'g> {
    /// The axes in another order; see [`Transpose`].
    pub fn transpose(self, order: impl Into<Vec<usize>>) -> Tensor<'g> {
        self.trace().push(Transpose { order: order.into() }, &[self])
    }

    /// The last two axes, exchanged.
    pub fn t(self) -> Tensor<'g> {
        let rank = self.rank();
        let mut order: Vec<usize> = (0..rank).collect();
        if rank >= 2 {
            order.swap(rank - 1, rank - 2);
        }
        self.transpose(order)
    }
}

impl Rule for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().ints("order", &self.order)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, order) = (args[0], &self.order);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        let permutes = sorted.iter().copied().eq(0..x.rank());
        ensure!(permutes, "`transpose` needs every axis of {x} once, got {order:?}");
        Ok(x.reshaped(order.iter().map(|&axis| x.shape[axis]).collect::<Vec<_>>()))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        vec![Some(dy.transpose(self.inverse().order))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::from_fn(&ty.shape, |ix| {
            let mut source = vec![0; ix.len()];
            self.order.iter().zip(ix).for_each(|(&axis, &i)| source[axis] = i);
            args[0][source]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[2, 3]], |x| x[0].t());
        check_op(&[&[2, 3, 4]], |x| x[0].transpose([2, 0, 1]));
        check_op(&[&[2, 0]], |x| x[0].t());
    }

    #[test]
    fn rejects_what_is_no_permutation() {
        check_error(
            &[Type::f32([2, 3])],
            |_, x| x[0].transpose([0, 0]),
            "`transpose` needs every axis of f32[2, 3] once, got [0, 0]",
        );
    }
}
