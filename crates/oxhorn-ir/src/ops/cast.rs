//! `cast`: the same numbers as another element type.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Type};

/// `y[ix] = x[ix] as dtype`
///
/// Towards floats, rounds to nearest. Towards integers, truncates and wraps; what no integer can
/// stand for (NaN, infinity) gives an unspecified one. Towards `bool`, asks whether not zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cast {
    /// The type of the result's elements.
    pub dtype: DType,
}

impl Cast {
    pub(crate) fn parse(name: &str, _: &Attributes, ty: &Type) -> Result<Option<Cast>> {
        match name {
            "cast" => Ok(Some(Cast { dtype: ty.dtype })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// The same numbers as another element type; see [`Cast`].
    pub fn cast(self, dtype: DType) -> Tensor<'g> {
        if self.dtype() == dtype {
            return self;
        }
        self.trace().push(Cast { dtype }, &[self])
    }
}

impl Rule for Cast {
    fn name(&self) -> &'static str {
        "cast"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        Ok(args[0].of(self.dtype))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let flows = self.dtype.is_float() && x[0].dtype().is_float();
        vec![flows.then(|| dy.cast(x[0].dtype()))]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::map(args, ty, |x| match ty.dtype {
            DType::F32 => f64::from(x[0] as f32),
            _ => x[0],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_op, run};

    #[test]
    fn has_the_gradient_of_its_definition() {
        // Through `f64` alone: rounding to `f32` is a staircase to finite differences.
        check_op(&[&[2, 3]], |x| x[0].cast(DType::F64).exp());
    }

    #[test]
    fn truncates_towards_integers_and_rounds_towards_floats() {
        let x = Array::new([4], vec![-1.7, 0.0, 2.9, 0.1]);
        let given = [(Type::new(DType::F64, [4]), x)];
        assert_eq!(run(&given, |_, x| x[0].cast(DType::I32)).data, [-1.0, 0.0, 2.0, 0.0]);
        assert_eq!(run(&given, |_, x| x[0].cast(DType::Bool)).data, [1.0, 0.0, 1.0, 1.0]);
        assert_eq!(run(&given, |_, x| x[0].cast(DType::F32)).data[3], f64::from(0.1f32));
    }

    #[test]
    fn wraps_integers_that_do_not_fit() {
        let x = Array::new([2], vec![-1.0, 4294967297.0]);
        let y = run(&[(Type::new(DType::I64, [2]), x)], |_, x| x[0].cast(DType::U32));
        assert_eq!(y.data, [4294967295.0, 1.0]);
    }
}
