//! `concatenate`: tensors one after the other.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type, ensure};

/// The arguments, one or more, one after the other along `axis`; all other extents are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concatenate {
    /// The axis along which the arguments follow each other.
    pub axis: usize,
}

impl Concatenate {
    pub(crate) fn parse(
        name: &str,
        attributes: &Attributes,
        _: &Type,
    ) -> Result<Option<Concatenate>> {
        match name {
            "concatenate" => Ok(Some(Concatenate { axis: attributes.expect_int("axis")? })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// The parts, one after the other along `axis`; see [`Concatenate`].
    ///
    /// # Panics
    ///
    /// If there are no parts: nothing tells the trace, let alone the type, of their concatenation.
    pub fn concatenate(parts: &[Tensor<'g>], axis: isize) -> Tensor<'g> {
        let first = parts.first().expect("one part or more");
        match first.axis(axis) {
            Some(axis) => first.trace().push(Concatenate { axis }, parts),
            None => first.void(),
        }
    }
}

impl Rule for Concatenate {
    fn name(&self) -> &'static str {
        "concatenate"
    }

    fn arity(&self) -> Option<usize> {
        None
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().int("axis", self.axis)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let axis = self.axis;
        ensure!(!args.is_empty(), "`concatenate` takes one argument or more, got none");
        let first = args[0];
        ensure!(axis < first.rank(), "`concatenate` along axis {axis} of {first}");
        let mut result = first.clone();
        result.shape[axis] = 0;
        for &part in args {
            let mut wanted = first.clone();
            if let Some(&extent) = part.shape.get(axis) {
                wanted.shape[axis] = extent;
                result.shape[axis] = result.shape[axis].saturating_add(extent);
            }
            ensure!(
                *part == wanted,
                "`concatenate` along axis {axis} cannot join {first} and {part}"
            );
        }
        Ok(result)
    }

    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let (mut start, step) = (vec![0; y.rank()], vec![1; y.rank()]);
        let mut part = |x: &Tensor<'g>| {
            let mut stop = y.shape();
            stop[self.axis] = start[self.axis] + x.shape()[self.axis];
            let dx = dy.slice(start.clone(), stop.clone(), step.clone());
            start[self.axis] = stop[self.axis];
            Some(dx)
        };
        x.iter().map(&mut part).collect()
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::from_fn(&ty.shape, |ix| {
            let mut ix = ix.to_vec();
            let mut parts = args.iter();
            loop {
                let part = parts.next().expect("the extents of the parts add up to the result's");
                match ix[self.axis].checked_sub(part.shape[self.axis]) {
                    Some(rest) => ix[self.axis] = rest,
                    None => return part[ix],
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        DType,
        testing::{check_error, check_op, run},
    };

    #[test]
    fn has_the_gradient_of_its_definition() {
        check_op(&[&[2, 3], &[1, 3]], |x| Tensor::concatenate(x, 0));
        check_op(&[&[2, 1], &[2, 0], &[2, 3]], |x| Tensor::concatenate(x, -1));
        check_op(&[&[3]], |x| Tensor::concatenate(x, 0));
        check_op(&[&[2]], |x| Tensor::concatenate(&[x[0], x[0] * 3.0, x[0]], 0));
        check_op(&[&[0], &[0]], |x| Tensor::concatenate(x, 0));
    }

    #[test]
    fn keeps_the_order_of_its_arguments() {
        let a = (Type::f32([2, 1]), Array::new([2, 1], vec![1.0, 2.0]));
        let b = (Type::f32([2, 2]), Array::new([2, 2], vec![3.0, 4.0, 5.0, 6.0]));
        let y = run(&[a, b], |_, x| Tensor::concatenate(x, 1));
        assert_eq!(y, Array::new([2, 3], vec![1.0, 3.0, 4.0, 2.0, 5.0, 6.0]));
    }

    #[test]
    fn rejects_what_does_not_fit() {
        check_error(
            &[Type::f32([2, 3]), Type::f32([2, 4])],
            |_, x| Tensor::concatenate(x, 0),
            "`concatenate` along axis 0 cannot join f32[2, 3] and f32[2, 4]",
        );
        check_error(
            &[Type::f32([2, 3]), Type::f32([2])],
            |_, x| Tensor::concatenate(x, 1),
            "`concatenate` along axis 1 cannot join f32[2, 3] and f32[2]",
        );
        check_error(
            &[Type::f32([2]), Type::new(DType::F64, [2])],
            |_, x| Tensor::concatenate(x, 0),
            "`concatenate` along axis 0 cannot join f32[2] and f64[2]",
        );
        check_error(&[Type::f32([])], |_, x| Tensor::concatenate(x, 0), "f32[] has no axis 0");
        check_error(
            &[],
            |trace, _| trace.push(Concatenate { axis: 0 }, &[]),
            "`concatenate` takes one argument or more, got none",
        );
    }
}
