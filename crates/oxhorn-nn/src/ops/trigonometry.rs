//! Functions of angles, circular and hyperbolic, and their inverses.

use std::f64::consts::{FRAC_PI_2, PI};

use oxhorn_ir::Tensor;

use super::{
    binary::{self, even},
    elementwise::reals,
    table,
};

table! { NUMPY "numpy":
    /// The sine of each angle, in radians.
    "sin(x)" => |a| reals(a, Tensor::sin);
    /// The cosine of each angle, in radians.
    "cos(x)" => |a| reals(a, Tensor::cos);
    /// The tangent of each angle, in radians.
    "tan(x)" => |a| reals(a, |x| x.sin() / x.cos());
    /// The angle, from -π/2 to π/2, whose sine is each element.
    "arcsin(x)" => |a| reals(a, |x| arctan2(x, ((1.0 - x) * (x + 1.0)).sqrt()));
    /// The angle, from 0 to π, whose cosine is each element.
    "arccos(x)" => |a| reals(a, |x| arctan2(((1.0 - x) * (x + 1.0)).sqrt(), x));
    /// The angle, from -π/2 to π/2, whose tangent is each element.
    "arctan(x)" => |a| reals(a, arctan);
    /// The angle, from -π to π, of the point whose coordinates are `x2` and `x1`.
    "arctan2(x1, x2)" => |a| binary::reals(a, |y, x| {
        let (y, x) = even(y, x);
        arctan2(y, x)
    });
    /// (eˣ - e⁻ˣ) / 2
    "sinh(x)" => |a| reals(a, |x| {
        // Exact near zero, where the two exponentials would cancel.
        let e = x.abs().expm1();
        let near = x.sign() * (e + e / (e + 1.0)) * 0.5;
        // Half before the exponential, so that nothing overflows but what has to.
        let far = x.sign() * (x.abs() - std::f64::consts::LN_2).exp();
        x.abs().less(20.0).select(near, far)
    });
    /// (eˣ + e⁻ˣ) / 2
    "cosh(x)" => |a| reals(a, |x| {
        let half = (x.abs() - std::f64::consts::LN_2).exp();
        half + (-x.abs() - std::f64::consts::LN_2).exp()
    });
    /// The hyperbolic tangent of each element.
    "tanh(x)" => |a| reals(a, Tensor::tanh);
    /// The number whose hyperbolic sine is each element.
    "arcsinh(x)" => |a| reals(a, |x| {
        // |x| + √(x² + 1) is 1 + |x| + x² / (1 + √(x² + 1)); far out it is 2 |x|.
        let size = x.abs();
        let near = (size + size * size / ((size * size + 1.0).sqrt() + 1.0)).log1p();
        let far = size.log() + std::f64::consts::LN_2;
        x.equal(0.0).select(x, x.sign() * size.less(1e8).select(near, far))
    });
    /// The number of 0 or more whose hyperbolic cosine is each element, which is 1 or more.
    "arccosh(x)" => |a| reals(a, |x| {
        let above = x - 1.0;
        let near = (above + (above * (above + 2.0)).sqrt()).log1p();
        x.less(1e8).select(near, x.log() + std::f64::consts::LN_2)
    });
    /// The number whose hyperbolic tangent is each element, between -1 and 1.
    "arctanh(x)" => |a| reals(a, |x| (x.log1p() - (-x).log1p()) * 0.5);
    /// sin(πx) / πx, and 1 at 0.
    "sinc(x)" => |a| reals(a, |x| {
        let zero = x.equal(0.0);
        let angle = zero.select(x.fill(1.0), x * PI);
        zero.select(x.fill(1.0), angle.sin() / angle)
    });
}

/// The angle, from -π/2 to π/2, whose tangent is each element.
pub(super) fn arctan(x: Tensor<'_>) -> Tensor<'_> {
    // What is beyond 1 is the complement of its reciprocal. Twice the angle is halved, by
    // tan(t/2) = tan t / (1 + √(1 + tan² t)), so that 8 terms of the series are exact enough.
    let beyond = x.abs().greater(1.0);
    let near = beyond.select(x.recip(), x);
    let quarter = halved(halved(near));
    let square = quarter * quarter;
    let terms = (0..8).rev().map(|k| (if k % 2 == 0 { 1.0 } else { -1.0 }) / f64::from(2 * k + 1));
    let series = terms.fold(square.fill(0.0), |sum, term| sum * square + term);
    let angle = quarter * series * 4.0;
    beyond.select(x.sign() * FRAC_PI_2 - angle, angle)
}

/// The tangent of half the angle.
fn halved(t: Tensor<'_>) -> Tensor<'_> {
    t / ((t * t + 1.0).sqrt() + 1.0)
}

/// The angle, from -π to π, of the point (x, y); both have one shape.
pub(super) fn arctan2<'g>(y: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
    // The smaller over the greater coordinate; no gradient passes through a division by zero.
    let (wide, tall) = (x.abs(), y.abs());
    let steep = tall.greater(wide);
    let (low, high) = (steep.select(wide, tall), steep.select(tall, wide));
    let safe = high.equal(0.0).select(high.fill(1.0), high);
    let both_infinite = low.equal(f64::INFINITY);
    let ratio = both_infinite.select(low.fill(1.0), low / safe);
    let angle = arctan(ratio);
    let angle = steep.select(FRAC_PI_2 - angle, angle);
    let leftwards = x.less(0.0).or(x.equal(0.0).and(x.recip().less(0.0)));
    let angle = leftwards.select(PI - angle, angle);
    let downwards = y.less(0.0).or(y.equal(0.0).and(y.recip().less(0.0)));
    downwards.select(-angle, angle)
}
