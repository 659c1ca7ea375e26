//! `fill`: one number, everywhere.

use crate::{Array, Attributes, Cotangents, Result, Rule, Tensor, Type};

/// `y[ix] = value`
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fill {
    /// The number's bits, so that equal fills are equal even if not numbers.
    bits: u64,
    /// The type of the result.
    pub ty: Type,
}

impl Fill {
    /// A tensor of type `ty` whose every element is `value`.
    pub fn new(value: f64, ty: Type) -> Fill {
        // One NaN for all: text knows no other.
        let value = if value.is_nan() { f64::NAN } else { value };
        Fill { bits: value.to_bits(), ty }
    }

    /// The number.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.bits)
    }

    pub(crate) fn parse(name: &str, attributes: &Attributes, ty: &Type) -> Result<Option<Fill>> {
        match name {
            "fill" => Ok(Some(Fill::new(attributes.expect_real("value")?, ty.clone()))),
            _ => Ok(None),
        }
    }
}

impl Rule for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn arity(&self) -> Option<usize> {
        Some(0)
    }

    fn attributes(&self) -> Attributes {
        Attributes::default().real("value", self.value())
    }

    fn infer(&self, _: &[&Type]) -> Result<Type> {
        Ok(self.ty.clone())
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![]
    }

    fn reference(&self, _: &[&Array], ty: &Type) -> Array {
        Array::from_fn(&ty.shape, |_| ty.dtype.wrap(self.value()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Op, testing::run};

    #[test]
    fn holds_the_nearest_number_of_its_type() {
        let fill = |value, dtype| {
            run(&[], |trace, _| trace.push(Fill::new(value, Type::new(dtype, [2])), &[])).data
        };
        assert_eq!(fill(-1.0, DType::U32), [4294967295.0; 2]);
        assert_eq!(fill(2.9, DType::I32), [2.0; 2]);
        assert_eq!(fill(2.9, DType::Bool), [1.0; 2]);
        assert_eq!(fill(2.5, DType::F32), [2.5; 2]);
    }

    #[test]
    fn equal_fills_are_equal_even_if_not_numbers() {
        let fill = |value| Op::from(Fill::new(value, Type::f32([])));
        assert_eq!(fill(f64::NAN), fill(-f64::NAN));
        assert_ne!(fill(0.0), fill(-0.0));
    }
}
