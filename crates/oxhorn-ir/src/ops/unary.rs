//! `unary`: functions of one element.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Type, ensure};

macro_rules! unary {
    ($($name:ident $text:literal $method:ident: $doc:literal)*) => {
        /// `y[ix] = f(x[ix])`
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Unary {
            $(#[doc = $doc] $name),*
        }

        impl Unary {
            /// Every function of one element.
            pub const ALL: &[Unary] = &[$(Unary::$name),*];

            fn text(self) -> &'static str {
                match self { $(Unary::$name => $text),* }
            }
        }

        #[allow(clippy::should_implement_trait, reason = "`not` reads as its siblings do")]
        impl<'g> Tensor<'g> {
            $(#[doc = concat!($doc, ", element by element.")]
            pub fn $method(self) -> Tensor<'g> {
                self.trace().push(Unary::$name, &[self])
            })*
        }
    };
}

unary! {
    Neg "neg" negate: "The number with its sign turned"
    Abs "abs" abs: "The distance from zero"
    Sign "sign" sign: "-1, 0 or 1, and NaN for NaN"
    Exp "exp" exp: "eˣ"
    Expm1 "expm1" expm1: "eˣ − 1, exact near zero"
    Log "log" log: "The natural logarithm"
    Log1p "log1p" log1p: "ln(1 + x), exact near zero"
    Sqrt "sqrt" sqrt: "The square root"
    Rsqrt "rsqrt" rsqrt: "1 / √x"
    Recip "recip" recip: "1 / x"
    Tanh "tanh" tanh: "The hyperbolic tangent"
    Sigmoid "sigmoid" sigmoid: "1 / (1 + e⁻ˣ)"
    Erf "erf" erf: "The error function, 2/√π ∫₀ˣ e^(−t²) dt"
    ErfInv "erf_inv" erf_inv: "The inverse of the error function"
    Sin "sin" sin: "The sine of an angle in radians"
    Cos "cos" cos: "The cosine of an angle in radians"
    Floor "floor" floor: "The next integer below"
    Ceil "ceil" ceil: "The next integer above"
    Round "round" round: "The nearest integer, halves to even"
    Not "not" not: "The negation of a truth value, or of each bit of an integer"
    IsNan "is_nan" is_nan: "Whether the element is not a number"
    IsFinite "is_finite" is_finite: "Whether the element is neither infinite nor NaN"
}

impl Unary {
    pub(crate) fn parse(name: &str, _: &Attributes, _: &Type) -> Result<Option<Unary>> {
        Ok(Unary::ALL.iter().copied().find(|op| op.text() == name))
    }

    /// Whether the function is defined for elements of this type.
    pub fn takes(self, dtype: DType) -> bool {
        match self {
            Unary::Neg => dtype.is_float() || dtype.is_int(),
            Unary::Abs | Unary::Sign => dtype.is_float() || dtype.is_int(),
            Unary::Not => dtype == DType::Bool || dtype.is_int(),
            _ => dtype.is_float(),
        }
    }

    /// The type of the result for elements of type `dtype`.
    pub fn result(self, dtype: DType) -> DType {
        match self {
            Unary::IsNan | Unary::IsFinite => DType::Bool,
            _ => dtype,
        }
    }

    /// The function of one element of type `dtype`.
    pub fn apply(self, x: f64, dtype: DType) -> f64 {
        match self {
            Unary::Neg => -x,
            Unary::Abs => x.abs(),
            Unary::Sign if x == 0.0 || x.is_nan() => x,
            Unary::Sign => x.signum(),
            Unary::Exp => x.exp(),
            Unary::Expm1 => x.exp_m1(),
            Unary::Log => x.ln(),
            Unary::Log1p => x.ln_1p(),
            Unary::Sqrt => x.sqrt(),
            Unary::Rsqrt => x.sqrt().recip(),
            Unary::Recip => x.recip(),
            Unary::Tanh => x.tanh(),
            Unary::Sigmoid if x >= 0.0 => 1.0 / (1.0 + (-x).exp()),
            Unary::Sigmoid => x.exp() / (1.0 + x.exp()),
            Unary::Erf => erf(x),
            Unary::ErfInv => erf_inv(x),
            Unary::Sin => x.sin(),
            Unary::Cos => x.cos(),
            Unary::Floor => x.floor(),
            Unary::Ceil => x.ceil(),
            Unary::Round => x.round_ties_even(),
            Unary::Not if dtype == DType::Bool => (x == 0.0) as u8 as f64,
            Unary::Not => !(x as i64) as f64,
            Unary::IsNan => x.is_nan() as u8 as f64,
            Unary::IsFinite => x.is_finite() as u8 as f64,
        }
    }
}

impl Rule for Unary {
    fn name(&self) -> &'static str {
        self.text()
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let x = args[0];
        ensure!(self.takes(x.dtype), "`{}` is not defined for {x}", self.name());
        Ok(x.of(self.result(x.dtype)))
    }

    // Derivatives are written in `y` wherever possible, so that `x` need not be kept.
    fn vjp<'g>(&self, y: Tensor<'g>, x: &[Tensor<'g>], dy: Tensor<'g>) -> Cotangents<'g> {
        let x = x[0];
        let two_over_sqrt_pi = std::f64::consts::FRAC_2_SQRT_PI;
        let dx = match self {
            Unary::Neg => -dy,
            Unary::Abs => dy * x.sign(),
            Unary::Exp => dy * y,
            Unary::Expm1 => dy * (y + 1.0),
            Unary::Log => dy / x,
            Unary::Log1p => dy / (x + 1.0),
            Unary::Sqrt => dy * 0.5 / y,
            Unary::Rsqrt => dy * -0.5 * (y / x),
            Unary::Recip => -dy * (y * y),
            Unary::Tanh => dy * (1.0 - y * y),
            Unary::Sigmoid => dy * (y * (1.0 - y)),
            Unary::Erf => dy * ((-(x * x)).exp() * two_over_sqrt_pi),
            Unary::ErfInv => dy * ((y * y).exp() * two_over_sqrt_pi.recip()),
            Unary::Sin => dy * x.cos(),
            Unary::Cos => -dy * x.sin(),
            // Constant almost everywhere.
            Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Round => return vec![None],
            Unary::Not | Unary::IsNan | Unary::IsFinite => return vec![None],
        };
        vec![Some(dx)]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        // Only `not` asks for its argument's type, which is its result's.
        Array::map(args, ty, |x| self.apply(x[0], ty.dtype))
    }
}

impl std::ops::Neg for Tensor<'_> {
    type Output = Self;

    fn neg(self) -> Self {
        self.negate()
    }
}

/// The error function: its Taylor series near zero, its complement's continued fraction far out.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a.is_nan() || a > 6.0 {
        return if a.is_nan() { x } else { x.signum() };
    }
    if a < 2.5 {
        // erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (1·3·…·(2n+1)), whose terms are all positive.
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * a * a / (2.0 * n + 1.0);
            sum += term;
        }
        return (std::f64::consts::FRAC_2_SQRT_PI * (-a * a).exp() * sum).copysign(x);
    }
    // erfc x = e^(−x²)/√π · 1/(x + ½/(x + 1/(x + 3/2/(x + …)))).
    let fraction = (1..=60).rev().fold(a, |tail, n| a + 0.5 * f64::from(n) / tail);
    (1.0 - (-a * a).exp() / (fraction * std::f64::consts::PI.sqrt())).copysign(x)
}

/// The inverse error function, by Newton's method from Winitzki's approximation.
fn erf_inv(y: f64) -> f64 {
    if y.is_nan() || y.abs() >= 1.0 {
        return if y.abs() == 1.0 { y * f64::INFINITY } else { f64::NAN };
    }
    let log = (-y * y).ln_1p();
    let half = 2.0 / (std::f64::consts::PI * 0.147) + log / 2.0;
    let mut x = ((half * half - log / 0.147).sqrt() - half).max(0.0).sqrt().copysign(y);
    for _ in 0..4 {
        x -= (erf(x) - y) / (std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp());
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, check_gradient, check_op, run};

    #[test]
    fn has_the_gradient_of_its_definition() {
        for &f in Unary::ALL.iter().filter(|f| f.takes(DType::F64)) {
            if f.result(DType::F64) == DType::F64 && f != Unary::ErfInv {
                check_op(&[&[2, 3]], |x| x[0].trace().push(f, &[x[0]]));
            }
        }
        check_op(&[&[2, 3]], |x| (x[0] * 0.7).erf_inv()); // Defined between -1 and 1.
    }

    #[test]
    fn has_the_gradient_of_its_definition_on_both_sides_of_zero() {
        let x = Array::new([4], vec![-0.8, -0.3, 0.1, 0.9]);
        for &f in Unary::ALL.iter().filter(|f| f.result(DType::F64) == DType::F64) {
            let positive = [Unary::Log, Unary::Sqrt, Unary::Rsqrt].contains(&f);
            if f.takes(DType::F64) && !positive {
                check_gradient(std::slice::from_ref(&x), |x| x[0].trace().push(f, &[x[0]]));
            }
        }
    }

    #[test]
    fn rounds_and_asks_as_documented() {
        let x = vec![-2.5, -0.5, 0.5, 1.5, f64::NAN, f64::NEG_INFINITY];
        let x = [(Type::f32([6]), Array::new([6], x))];
        let finite = |f: Unary| run(&x, |_, x| x[0].trace().push(f, &[x[0]])).data[..4].to_vec();
        assert_eq!(finite(Unary::Round), [-2.0, 0.0, 0.0, 2.0]);
        assert_eq!(finite(Unary::Floor), [-3.0, -1.0, 0.0, 1.0]);
        assert_eq!(finite(Unary::Ceil), [-2.0, 0.0, 1.0, 2.0]);
        assert_eq!(finite(Unary::Sign), [-1.0, -1.0, 1.0, 1.0]);
        assert_eq!(run(&x, |_, x| x[0].is_nan()).data, [0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(run(&x, |_, x| x[0].is_finite()).data, [1.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn negates_truth_values_and_bits() {
        let given = |dtype, x: f64| [(Type::new(dtype, [1]), Array::new([1], vec![x]))];
        assert_eq!(run(&given(DType::Bool, 1.0), |_, x| x[0].not()).data, [0.0]);
        assert_eq!(run(&given(DType::U32, 1.0), |_, x| x[0].not()).data, [4294967294.0]);
        assert_eq!(run(&given(DType::I32, 1.0), |_, x| x[0].not()).data, [-2.0]);
    }

    #[test]
    fn error_function_has_its_tabulated_values() {
        // Abramowitz and Stegun, Handbook of Mathematical Functions, table 7.1.
        for (x, y) in [(0.0, 0.0), (0.5, 0.5204998778), (1.0, 0.8427007929), (2.0, 0.9953222650)] {
            assert!((erf(x) - y).abs() < 1e-10 && (erf(-x) + y).abs() < 1e-10);
        }
        // Both expansions meet where one hands over to the other.
        assert!((erf(2.5) - erf(2.5 - 1e-12)).abs() < 1e-12);
    }

    #[test]
    fn inverse_error_function_inverts() {
        for i in -99..100 {
            let y = f64::from(i) / 100.0;
            assert!((erf(erf_inv(y)) - y).abs() < 1e-14, "{y}");
        }
        assert_eq!((erf_inv(1.0), erf_inv(-1.0)), (f64::INFINITY, f64::NEG_INFINITY));
    }

    #[test]
    fn rejects_elements_it_is_not_defined_for() {
        check_error(
            &[Type::new(DType::I32, [2])],
            |_, x| x[0].exp(),
            "`exp` is not defined for i32[2]",
        );
    }
}
