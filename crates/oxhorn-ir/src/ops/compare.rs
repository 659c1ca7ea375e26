//! `compare`: questions about two elements.

use crate::{Array, Attributes, Cotangents, DType, Operand, Result, Rule, Tensor, Type, ensure};

macro_rules! compare {
    ($($name:ident $text:literal $method:ident $operator:tt: $doc:literal)*) => {
        /// `y[ix] = a[ix] ? b[ix]`, of equal types, as `bool`. Every comparison with NaN is false,
        /// but that of being unequal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Compare {
            $(#[doc = $doc] $name),*
        }

        impl Compare {
            /// Every comparison.
            pub const ALL: &[Compare] = &[$(Compare::$name),*];

            fn text(self) -> &'static str {
                match self { $(Compare::$name => $text),* }
            }

            /// Whether the comparison holds.
            pub fn holds(self, a: f64, b: f64) -> bool {
                match self { $(Compare::$name => a $operator b),* }
            }
        }

        impl<'g> Tensor<'g> {
            $(#[doc = concat!($doc, ", element by element; shapes are broadcast.")]
            pub fn $method(self, other: impl Operand<'g>) -> Tensor<'g> {
                self.zip(Compare::$name, other)
            })*
        }
    };
}

compare! {
    Less "less" less <: "Whether the first is less"
    LessEqual "less_equal" less_equal <=: "Whether the first is less or equal"
    Greater "greater" greater >: "Whether the first is greater"
    GreaterEqual "greater_equal" greater_equal >=: "Whether the first is greater or equal"
    Equal "equal" equal ==: "Whether both are equal"
    NotEqual "not_equal" not_equal !=: "Whether both differ"
}

impl Compare {
    pub(crate) fn parse(name: &str, _: &Attributes, _: &Type) -> Result<Option<Compare>> {
        Ok(Compare::ALL.iter().copied().find(|op| op.text() == name))
    }
}

impl Rule for Compare {
    fn name(&self) -> &'static str {
        self.text()
    }

    fn arity(&self) -> Option<usize> {
        Some(2)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (a, b) = (args[0], args[1]);
        ensure!(a == b, "`{}` needs equal types, got {a} and {b}", self.name());
        Ok(a.of(DType::Bool))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![None, None]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::map(args, ty, |x| self.holds(x[0], x[1]) as u8 as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::run;

    #[test]
    fn nothing_compares_with_what_is_not_a_number() {
        let x = (Type::f32([1]), Array::new([1], vec![f64::NAN]));
        for &f in Compare::ALL {
            let y = run(std::slice::from_ref(&x), |_, x| x[0].zip(f, x[0]));
            assert_eq!(y.data, [(f == Compare::NotEqual) as u8 as f64]);
        }
    }

    #[test]
    fn orders_numbers() {
        let a = (Type::f32([3]), Array::new([3], vec![1.0, 2.0, 3.0]));
        let below = |f: Compare| run(std::slice::from_ref(&a), |_, x| x[0].zip(f, 2.0)).data;
        assert_eq!(below(Compare::Less), [1.0, 0.0, 0.0]);
        assert_eq!(below(Compare::LessEqual), [1.0, 1.0, 0.0]);
        assert_eq!(below(Compare::Greater), [0.0, 0.0, 1.0]);
        assert_eq!(below(Compare::GreaterEqual), [0.0, 1.0, 1.0]);
        assert_eq!(below(Compare::Equal), [0.0, 1.0, 0.0]);
    }
}
