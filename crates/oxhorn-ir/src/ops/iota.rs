//! `iota`: counts along one axis.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Trace, Type, ensure};

/// `y[ix] = ix[axis]`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Iota {
    /// The axis along which to count.
    pub axis: usize,
    /// The type of the result, any but `bool`.
    pub ty: Type,
}

impl Iota {
    pub(crate) fn parse(name: &str, attributes: &Attributes, ty: &Type) -> Result<Option<Iota>> {
        match name {
            "iota" => Ok(Some(Iota { axis: attributes.expect_int("axis")?, ty: ty.clone() })),
            _ => Ok(None),
        }
    }
}

impl Trace {
    /// A tensor whose elements count along `axis`; see [`Iota`].
    pub fn iota(&self, axis: usize, ty: Type) -> Tensor<'_> {
        self.push(Iota { axis, ty }, &[])
    }
}

impl Rule for Iota {
    fn name(&self) -> &'static str {
        "iota"
    }

    fn arity(&self) -> Option<usize> {
        Some(0)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().int("axis", self.axis)
    }

    fn infer(&self, _: &[&Type]) -> Result<Type> {
        let (axis, ty) = (self.axis, &self.ty);
        ensure!(axis < ty.rank(), "`iota` along axis {axis} of {ty}");
        ensure!(ty.dtype != DType::Bool, "`iota` counts, which {ty} cannot");
        Ok(ty.clone())
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![]
    }

    fn reference(&self, _: &[&Array], ty: &Type) -> Array {
        Array::from_fn(&ty.shape, |ix| ty.dtype.wrap(ix[self.axis] as f64))
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        DType, Type,
        testing::{check_error, run},
    };

    #[test]
    fn counts_along_its_axis() {
        let y = run(&[], |trace, _| trace.iota(1, Type::new(DType::I32, [2, 3])));
        assert_eq!(y.data, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0]);
    }

    #[test]
    fn rejects_axes_that_are_not_there() {
        check_error(
            &[],
            |trace, _| trace.iota(2, Type::new(DType::I32, [2, 3])),
            "`iota` along axis 2 of i32[2, 3]",
        );
    }
}
