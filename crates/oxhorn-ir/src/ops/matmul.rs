//! `matmul`: the batched matrix product.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type, ensure};

/// `y[.., i, j] = Σₖ a[.., i, k] · b[.., k, j]`, with equal leading axes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MatMul;

impl MatMul {
    pub(crate) fn parse(name: &str, _: &Attributes, _: &Type) -> Result<Option<MatMul>> {
        Ok((name == "matmul").then_some(MatMul))
    }
}

impl<'g> Tensor<'g> {
    /// The matrix product over the last two axes; see [`MatMul`].
    pub fn matmul(self, other: Tensor<'g>) -> Tensor<'g> {
        self.trace().push(MatMul, &[self, other])
    }
}

impl Rule for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn arity(&self) -> Option<usize> {
        Some(2)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (a, b) = (args[0], args[1]);
        ensure!(a.dtype == b.dtype, "`matmul` needs one element type, got {a} and {b}");
        ensure!(a.dtype.is_float(), "`matmul` needs real numbers, got {a} and {b}");
        let matrices = a.shape.split_last_chunk().zip(b.shape.split_last_chunk());
        let Some(((batch, &[m, k]), (batch_b, &[k_b, n]))) = matrices else {
            return Err(crate::Error::new(format!("`matmul` needs matrices, got {a} and {b}")));
        };
        ensure!(batch == batch_b, "`matmul` needs equal leading axes, got {a} and {b}");
        ensure!(k == k_b, "`matmul` contracts {k} with {k_b} in {a} · {b}");
        Ok(a.reshaped([batch, &[m, n]].concat()))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let (a, b) = (x[0], x[1]);
        vec![Some(dy.matmul(b.t())), Some(a.t().matmul(dy))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let (a, b) = (args[0], args[1]);
        let inner = a.shape[a.shape.len() - 1];
        Array::from_fn(&ty.shape, |ix| {
            let (batch, &[i, j]) = ix.split_last_chunk().expect("products have two axes or more");
            (0..inner).map(|k| a[[batch, &[i, k]].concat()] * b[[batch, &[k, j]].concat()]).sum()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op};

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[2, 3], &[3, 4]], |x| x[0].matmul(x[1]));
        check_op(&[&[5, 2, 3], &[5, 3, 1]], |x| x[0].matmul(x[1]));
        check_op(&[&[2, 0], &[0, 3]], |x| x[0].matmul(x[1]));
    }

    #[test]
    fn rejects_what_does_not_fit() {
        check_error(
            &[Type::f32([2, 3]), Type::f32([4, 5])],
            |_, x| x[0].matmul(x[1]),
            "`matmul` contracts 3 with 4 in f32[2, 3] · f32[4, 5]",
        );
        check_error(
            &[Type::f32([3]), Type::f32([3])],
            |_, x| x[0].matmul(x[1]),
            "`matmul` needs matrices, got f32[3] and f32[3]",
        );
    }
}
