//! `binary`: functions of two elements.

use crate::{Array, Attributes, Cotangents, DType, Operand, Result, Rule, Tensor, Type, ensure};

macro_rules! binary {
    ($($name:ident $text:literal $method:ident: $doc:literal)*) => {
        /// `y[ix] = f(a[ix], b[ix])`, of equal types: [`Tensor`]'s operators insert the broadcasts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Binary {
            $(#[doc = $doc] $name),*
        }

        impl Binary {
            /// Every function of two elements.
            pub const ALL: &[Binary] = &[$(Binary::$name),*];

            fn text(self) -> &'static str {
                match self { $(Binary::$name => $text),* }
            }
        }

        #[allow(clippy::should_implement_trait, reason = "`rem` reads as its siblings do")]
        impl<'g> Tensor<'g> {
            $(#[doc = concat!($doc, ", element by element; shapes are broadcast.")]
            pub fn $method(self, other: impl Operand<'g>) -> Tensor<'g> {
                self.zip(Binary::$name, other)
            })*
        }
    };
}

binary! {
    Add "add" plus: "The sum"
    Sub "sub" minus: "The difference"
    Mul "mul" times: "The product"
    Div "div" over: "The quotient; of integers, truncated, and 0 for a divisor of 0"
    Rem "rem" rem: "The remainder of the truncated quotient, with the sign of the first"
    Pow "pow" pow: "The first to the power of the second"
    Max "max" maximum: "The greater, NaN if either is"
    Min "min" minimum: "The lesser, NaN if either is"
    And "and" and: "Both, of truth values; bit by bit, of integers"
    Or "or" or: "Either, of truth values; bit by bit, of integers"
    Xor "xor" xor: "One but not both, of truth values; bit by bit, of integers"
    Shl "shl" shift_left: "The bits moved up, by less than the width"
    Shr "shr" shift_right: "The bits moved down, by less than the width"
}

impl Binary {
    pub(crate) fn parse(name: &str, _: &Attributes, _: &Type) -> Result<Option<Binary>> {
        Ok(Binary::ALL.iter().copied().find(|op| op.text() == name))
    }

    /// Whether the function is defined for elements of this type.
    pub fn takes(self, dtype: DType) -> bool {
        match self {
            Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => dtype != DType::Bool,
            Binary::Rem | Binary::Max | Binary::Min => dtype != DType::Bool,
            Binary::Pow => dtype.is_float(),
            Binary::And | Binary::Or | Binary::Xor => !dtype.is_float(),
            Binary::Shl | Binary::Shr => dtype.is_int(),
        }
    }

    /// The function of two elements of type `dtype`.
    pub fn apply(self, a: f64, b: f64, dtype: DType) -> f64 {
        let (i, j) = (a as i64, b as i64);
        match self {
            Binary::Add => a + b,
            Binary::Sub => a - b,
            // Products of wide integers need their low bits, which `f64` would round away.
            Binary::Mul if dtype == DType::U32 => f64::from(i.wrapping_mul(j) as u32),
            Binary::Mul if dtype == DType::I32 => f64::from(i.wrapping_mul(j) as i32),
            Binary::Mul if dtype.is_int() => i.wrapping_mul(j) as f64,
            Binary::Mul => a * b,
            Binary::Div if dtype.is_int() => i.checked_div(j).unwrap_or(0) as f64,
            Binary::Div => a / b,
            Binary::Rem if dtype.is_int() => i.checked_rem(j).unwrap_or(0) as f64,
            Binary::Rem => a % b,
            Binary::Pow => a.powf(b),
            Binary::Max | Binary::Min if a.is_nan() || b.is_nan() => f64::NAN,
            Binary::Max => a.max(b),
            Binary::Min => a.min(b),
            Binary::And => (i & j) as f64,
            Binary::Or => (i | j) as f64,
            Binary::Xor => (i ^ j) as f64,
            Binary::Shl => i.wrapping_shl(j as u32) as f64,
            Binary::Shr => i.wrapping_shr(j as u32) as f64,
        }
    }
}

impl Rule for Binary {
    fn name(&self) -> &'static str {
        self.text()
    }

    fn arity(&self) -> Option<usize> {
        Some(2)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let (a, b) = (args[0], args[1]);
        ensure!(a == b, "`{}` needs equal types, got {a} and {b}", self.name());
        ensure!(self.takes(a.dtype), "`{}` is not defined for {a}", self.name());
        Ok(a.clone())
    }

    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        if !dy.dtype().is_float() {
            return vec![None, None];
        }
        let (a, b) = (x[0], x[1]);
        // Where both are equal, each receives half, as in JAX.
        let share =
            |wins: Tensor<'g>, ties: Tensor<'g>| Some(wins.select(dy, ties.select(dy * 0.5, 0.0)));
        match self {
            Binary::Add => vec![Some(dy), Some(dy)],
            Binary::Sub => vec![Some(dy), Some(-dy)],
            Binary::Mul => vec![Some(dy * b), Some(dy * a)],
            Binary::Div => vec![Some(dy / b), Some(-dy * (y / b))],
            Binary::Rem => vec![Some(dy), Some(-dy * ((a - y) / b))],
            Binary::Pow => vec![
                // x⁰ has no slope in x, not even at x = 0, where 0 · 0⁻¹ would not be a number.
                Some(dy * b.equal(0.0).select(b.fill(0.0), b * a.pow(b - 1.0))),
                // xᵇ has no slope in b at x = 0; elsewhere it is xᵇ ln x.
                Some(dy * a.greater(0.0).select(y * a.greater(0.0).select(a, 1.0).log(), 0.0)),
            ],
            Binary::Max => vec![share(a.greater(b), a.equal(b)), share(a.less(b), a.equal(b))],
            Binary::Min => vec![share(a.less(b), a.equal(b)), share(a.greater(b), a.equal(b))],
            Binary::And | Binary::Or | Binary::Xor | Binary::Shl | Binary::Shr => vec![None, None],
        }
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        Array::map(args, ty, |x| self.apply(x[0], x[1], ty.dtype))
    }
}

impl<'g> Tensor<'g> {
    /// Stretches both operands to their common shape, then applies `op`.
    pub(crate) fn zip(self, op: impl Into<crate::Op>, other: impl Operand<'g>) -> Tensor<'g> {
        let other = other.beside(self);
        if self.is_void() || other.is_void() {
            return if self.is_void() { self } else { other };
        }
        let shape = common_shape(&self.shape(), &other.shape());
        self.trace().push(op, &[self.broadcast(shape.clone()), other.broadcast(shape)])
    }
}

/// The shape to which both can be broadcast; where there is none, `broadcast` will say so.
fn common_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis])
    };
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (1, extent) => extent,
            (extent, _) => extent,
        })
        .collect()
}

macro_rules! operators {
    ($($operator:ident $function:ident $op:ident)*) => {$(
        impl<'g, T: Operand<'g>> std::ops::$operator<T> for Tensor<'g> {
            type Output = Tensor<'g>;

            fn $function(self, other: T) -> Tensor<'g> {
                self.zip(Binary::$op, other)
            }
        }

        impl<'g> std::ops::$operator<Tensor<'g>> for f64 {
            type Output = Tensor<'g>;

            fn $function(self, other: Tensor<'g>) -> Tensor<'g> {
                self.beside(other).zip(Binary::$op, other)
            }
        }
    )*};
}

operators! { Add add Add  Sub sub Sub  Mul mul Mul  Div div Div }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_gradient, check_op, run};

    #[test]
    fn has_the_gradient_of_its_definition() {
        for &f in Binary::ALL.iter().filter(|f| f.takes(DType::F64)) {
            check_op(&[&[2, 3], &[2, 3]], |x| x[0].zip(f, x[1]));
            check_op(&[&[2, 3], &[3]], |x| x[0].zip(f, x[1]));
            check_op(&[&[2, 1], &[1, 3]], |x| x[0].zip(f, x[1]));
            check_op(&[&[0, 3], &[]], |x| x[0].zip(f, x[1]));
        }
    }

    #[test]
    fn stretches_axes_of_extent_one() {
        assert_eq!(common_shape(&[2, 1], &[4, 1, 3]), [4, 2, 3]);
        assert_eq!(common_shape(&[], &[0]), [0]);
    }

    #[test]
    fn ties_share_the_gradient() {
        let x = (Type::new(DType::F64, [1]), Array::new([1], vec![2.0]));
        let dx = run(&[x.clone(), x], |_, x| crate::grad(x[0].maximum(x[1]).sum(..), x)[0]);
        assert_eq!(dx.data, [0.5]);
    }

    #[test]
    fn integers_wrap_and_never_divide_by_zero() {
        let ty = Type::new(DType::U32, [2]);
        let a = (ty.clone(), Array::new([2], vec![4294967295.0, 7.0]));
        let b = (ty, Array::new([2], vec![2.0, 0.0]));
        let both = [a, b];
        assert_eq!(run(&both, |_, x| x[0] * x[1]).data, [4294967294.0, 0.0]);
        assert_eq!(run(&both, |_, x| x[0] / x[1]).data, [2147483647.0, 0.0]);
        assert_eq!(run(&both, |_, x| x[0] * x[0]).data, [1.0, 49.0]);
        assert_eq!(run(&both, |_, x| x[0].rem(x[1])).data, [1.0, 0.0]);
    }

    #[test]
    fn integers_shift_and_combine_bit_by_bit() {
        let given = |dtype, x: [f64; 2]| (Type::new(dtype, [2]), Array::new([2], x.to_vec()));
        let words = [given(DType::U32, [4294967295.0, 12.0]), given(DType::U32, [4.0, 10.0])];
        assert_eq!(run(&words, |_, x| x[0].shift_left(x[1])).data, [4294967280.0, 12288.0]);
        assert_eq!(run(&words, |_, x| x[0].shift_right(x[1])).data, [268435455.0, 0.0]);
        assert_eq!(run(&words, |_, x| x[0].and(x[1])).data, [4.0, 8.0]);
        assert_eq!(run(&words, |_, x| x[0].or(x[1])).data, [4294967295.0, 14.0]);
        assert_eq!(run(&words, |_, x| x[0].xor(x[1])).data, [4294967291.0, 6.0]);
        let signed = [given(DType::I32, [-8.0, 2147483647.0]), given(DType::I32, [1.0, 1.0])];
        assert_eq!(run(&signed, |_, x| x[0].shift_right(x[1])).data, [-4.0, 1073741823.0]);
        assert_eq!(run(&signed, |_, x| x[0] + x[1]).data, [-7.0, -2147483648.0]);
    }

    #[test]
    fn has_the_gradient_of_its_definition_on_both_sides_of_zero() {
        let a = Array::new([4], vec![-1.7, -0.4, 0.6, 2.3]);
        let b = Array::new([4], vec![0.7, -0.9, -1.1, 1.3]);
        for &f in Binary::ALL.iter().filter(|f| f.takes(DType::F64)) {
            // Negative numbers have no powers but the whole ones, between which nothing slopes.
            if f != Binary::Pow {
                check_gradient(&[a.clone(), b.clone()], |x| x[0].zip(f, x[1]));
            }
        }
        for power in [-2.0, 0.0, 1.0, 3.0] {
            check_gradient(std::slice::from_ref(&a), |x| x[0].pow(power));
        }
    }

    #[test]
    fn powers_of_zero_have_finite_gradients() {
        let slopes = |a: f64, b: f64| {
            let given = |x| (Type::new(DType::F64, [1]), Array::new([1], vec![x]));
            run(&[given(a), given(b)], |_, x| {
                Tensor::concatenate(&crate::grad(x[0].pow(x[1]).sum(..), x), 0)
            })
            .data
        };
        assert_eq!(slopes(0.0, 0.0), [0.0, 0.0]);
        assert_eq!(slopes(0.0, 1.0), [1.0, 0.0]);
        assert_eq!(slopes(0.0, 2.0), [0.0, 0.0]);
    }

    #[test]
    fn rejects_what_does_not_fit() {
        check_error(
            &[Type::f32([2]), Type::new(DType::F64, [2])],
            |_, x| x[0] + x[1],
            "`add` needs equal types, got f32[2] and f64[2]",
        );
        check_error(
            &[Type::f32([2]), Type::f32([3])],
            |_, x| x[0] + x[1],
            "`broadcast` cannot stretch f32[3] to [2]",
        );
        check_error(
            &[Type::f32([2]), Type::f32([2])],
            |_, x| x[0].xor(x[1]),
            "`xor` is not defined for f32[2]",
        );
    }
}
