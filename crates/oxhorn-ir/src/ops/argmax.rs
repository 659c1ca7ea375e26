//! `argmax`: where the greatest element along an axis stands.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Type, ensure};

/// The index, as `i32`, of the greatest element along `axis`, which goes.
///
/// Of equal elements the first counts; NaN counts as the greatest, as in NumPy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArgMax {
    /// The axis along which elements compete; its extent is 1 or more.
    pub axis: usize,
}

impl ArgMax {
    pub(crate) fn parse(name: &str, attributes: &Attributes, _: &Type) -> Result<Option<ArgMax>> {
        match name {
            "argmax" => Ok(Some(ArgMax { axis: attributes.expect_int("axis")? })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// The index of the greatest element along `axis`, which goes; see [`ArgMax`].
    pub fn argmax(self, axis: isize) -> Tensor<'g> {
        match self.axis(axis) {
            Some(axis) => self.trace().push(ArgMax { axis }, &[self]),
            None => self.void(),
        }
    }
}

impl Rule for ArgMax {
    fn name(&self) -> &'static str {
        "argmax"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().int("axis", self.axis)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (x, axis) = (args[0], self.axis);
        ensure!(axis < x.rank(), "`argmax` along axis {axis} of {x}");
        ensure!(x.shape[axis] > 0, "`argmax` along axis {axis} of {x} has nothing to choose from");
        ensure!(x.dtype != DType::Bool, "`argmax` is not defined for {x}");
        let mut shape = x.shape.clone();
        shape.remove(axis);
        Ok(Type::new(DType::I32, shape))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![None]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let x = args[0];
        Array::from_fn(&ty.shape, |ix| {
            let mut source = ix.to_vec();
            source.insert(self.axis, 0);
            let mut element = |i| {
                source[self.axis] = i;
                x[&source]
            };
            let mut best = 0;
            for i in 1..x.shape[self.axis] {
                let (new, old) = (element(i), element(best));
                if new > old || new.is_nan() && !old.is_nan() {
                    best = i;
                }
            }
            best as f64
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_op, run};

    #[test]
    fn finds_the_first_of_the_greatest() {
        let x = Array::new([2, 4], vec![1.0, 3.0, 3.0, 2.0, -1.0, -5.0, -1.0, -2.0]);
        let x = [(Type::f32([2, 4]), x)];
        assert_eq!(run(&x, |_, x| x[0].argmax(-1)).data, [1.0, 0.0]);
        assert_eq!(run(&x, |_, x| x[0].argmax(0)).data, [0.0; 4]);
    }

    #[test]
    fn takes_what_is_not_a_number_for_the_greatest() {
        let x = Array::new([4], vec![f64::INFINITY, f64::NAN, 9.0, f64::NAN]);
        assert_eq!(run(&[(Type::f32([4]), x)], |_, x| x[0].argmax(0)).data, [1.0]);
    }

    #[test]
    fn of_no_rows_gives_no_indices() {
        let x = [(Type::f32([0, 1]), Array::new([0, 1], vec![]))];
        assert_eq!(run(&x, |_, x| x[0].argmax(1)), Array::new([0], vec![]));
    }

    #[test]
    fn lets_no_gradient_through() {
        check_op(&[&[2, 3]], |x| x[0].argmax(1).cast(DType::F64));
    }

    #[test]
    fn rejects_axes_without_elements() {
        check_error(
            &[Type::f32([2, 0])],
            |_, x| x[0].argmax(1),
            "`argmax` along axis 1 of f32[2, 0] has nothing to choose from",
        );
        check_error(&[Type::f32([])], |_, x| x[0].argmax(0), "f32[] has no axis 0");
        check_error(
            &[Type::new(DType::Bool, [2])],
            |_, x| x[0].argmax(0),
            "`argmax` is not defined for bool[2]",
        );
    }
}
