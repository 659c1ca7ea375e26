//! Functions of one number, without branches, so that a loop over them becomes vector code.
//!
//! Each is a polynomial after a reduction of its argument, and is generic over the [`Arithmetic`]
//! of the instruction set: the bits of a result are the same wherever `a · b + c` is rounded once
//! ([`Fused`]: AVX-512, AVX2, NEON), and may differ in the last place where it is rounded twice
//! ([`Rounded`]: the plain path). Coefficients are our own Chebyshev fits unless a source is named;
//! errors are in units in the last place (ulp) of the f32 result, the largest seen by the tests
//! under either arithmetic, where the result is a normal number.

/// How `a · b + c` is rounded.
pub trait Arithmetic: Copy + Send + Sync + 'static {
    /// `a · b + c`
    fn mul_add(a: f32, b: f32, c: f32) -> f32;
    /// `a · b + c`
    fn mul_add_f64(a: f64, b: f64, c: f64) -> f64;
}

/// One rounding: a fused multiply-add.
#[derive(Clone, Copy, Debug)]
pub struct Fused;

/// Two roundings: a product, then a sum.
#[derive(Clone, Copy, Debug)]
pub struct Rounded;

impl Arithmetic for Fused {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a.mul_add(b, c)
    }

    #[inline(always)]
    fn mul_add_f64(a: f64, b: f64, c: f64) -> f64 {
        a.mul_add(b, c)
    }
}

impl Arithmetic for Rounded {
    #[inline(always)]
    fn mul_add(a: f32, b: f32, c: f32) -> f32 {
        a * b + c
    }

    #[inline(always)]
    fn mul_add_f64(a: f64, b: f64, c: f64) -> f64 {
        a * b + c
    }
}

/// 1.5 · 2²³: adding it rounds to the nearest integer and leaves that integer in the low bits,
/// which is far cheaper in vectors than a conversion that must saturate.
const ROUNDER: f32 = 12_582_912.0;

/// `ln 2` in two parts, the first so short that its product with an exponent is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// `c[0] · xⁿ + … + c[n]`
#[inline(always)]
fn polynomial<M: Arithmetic, const N: usize>(x: f32, c: [f32; N]) -> f32 {
    let mut p = c[0];
    let mut i = 1;
    while i < N {
        p = M::mul_add(p, x, c[i]);
        i += 1;
    }
    p
}

/// `2ⁿ` for `-126 <= n <= 127`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `(n, r)` with `x = n · ln 2 + r` and `|r| <= ln 2 / 2`, for `x` within ±200 or NaN.
#[inline(always)]
fn reduce<M: Arithmetic>(x: f32) -> (i32, f32) {
    let shifted = M::mul_add(x, std::f32::consts::LOG2_E, ROUNDER);
    let n = (shifted.to_bits() as i32).wrapping_sub(ROUNDER.to_bits() as i32);
    let z = shifted - ROUNDER;
    let r = M::mul_add(z, -LN_2_HIGH, x);
    (n, M::mul_add(z, -LN_2_LOW, r))
}

/// `eʳ - 1` for `|r| <= ln 2 / 2`.
#[inline(always)]
fn expm1_reduced<M: Arithmetic>(r: f32) -> f32 {
    const C: [f32; 6] =
        [0.000_198_910_3, 0.001_393_368_6, 0.008_333_31, 0.041_666_463, 0.166_666_67, 0.5];
    M::mul_add(polynomial::<M, 6>(r, C), r * r, r)
}

/// `eˣ`, within 1 ulp. Results too small for a normal number are rounded once more.
#[inline(always)]
pub fn exp<M: Arithmetic>(x: f32) -> f32 {
    // Comparisons are written so that NaN passes through them. Beyond these limits the result is
    // 0 or infinity anyhow.
    let x = if x < -104.5 { -104.5 } else { x };
    let x = if x > 89.0 { 89.0 } else { x };
    let (n, r) = reduce::<M>(x);
    // 2ⁿ in two factors: n reaches from -151 to 128, further than one exponent does.
    let half = n >> 1;
    let y = (expm1_reduced::<M>(r) + 1.0) * power_of_two(half);
    y * power_of_two(n.wrapping_sub(half))
}

/// `eˣ - 1`, within 2 ulp, also near 0.
#[inline(always)]
pub fn expm1<M: Arithmetic>(x: f32) -> f32 {
    let limited = if x < -18.0 { -18.0 } else { x };
    let limited = if limited > 89.0 { 89.0 } else { limited };
    let (n, r) = reduce::<M>(limited);
    // Half of the result first, for 2¹²⁸ is not a number.
    let half = power_of_two(n.wrapping_sub(1));
    let y = 2.0 * M::mul_add(expm1_reduced::<M>(r), half, half - 0.5);
    // 0 and the smallest numbers keep their sign and their bits.
    if x.abs() < 1e-30 { x } else { y }
}

/// `ln(m · 2ᵉ)` where `m = 1 + f` lies between `√½` and `√2`.
#[inline(always)]
fn log_of_parts<M: Arithmetic>(e: f32, f: f32) -> f32 {
    const C: [f32; 9] = [
        0.069_716_12,
        -0.114_797_34,
        0.116_854_2,
        -0.124_256_87,
        0.142_490_58,
        -0.166_678_03,
        0.200_007_16,
        -0.249_999_97,
        0.333_333_3,
    ];
    let square = f * f;
    let y = M::mul_add(e, LN_2_LOW, polynomial::<M, 9>(f, C) * f * square);
    let y = M::mul_add(square, -0.5, y) + f;
    M::mul_add(e, LN_2_HIGH, y)
}

/// `(e, m)` with `x = m · 2ᵉ` and `m` between `√½` and `√2`, for a positive normal `x`.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let root_half = std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
    let offset = (x.to_bits() as i32).wrapping_sub(root_half);
    let m = f32::from_bits((offset & 0x007f_ffff).wrapping_add(root_half) as u32);
    (offset >> 23, m)
}

/// The natural logarithm, within 1 ulp; `ln 0 = -∞`, and NaN below 0.
#[inline(always)]
pub fn log<M: Arithmetic>(x: f32) -> f32 {
    // Numbers below the normal ones are scaled up by 2²³.
    let tiny = x < f32::MIN_POSITIVE;
    let (e, m) = split(if tiny { x * 8_388_608.0 } else { x });
    let e = e as f32 - if tiny { 23.0 } else { 0.0 };
    let y = log_of_parts::<M>(e, m - 1.0);
    log_edges(x, y)
}

/// `y`, or what the logarithm of an `x` that is no positive number is.
#[inline(always)]
fn log_edges(x: f32, y: f32) -> f32 {
    let y = if x < f32::INFINITY { y } else { x };
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

/// `ln(1 + x)`, within 2 ulp, also near 0.
#[inline(always)]
pub fn log1p<M: Arithmetic>(x: f32) -> f32 {
    let u = 1.0 + x;
    let (e, m) = split(u);
    // What the sum above has rounded away, scaled like `m`. Above 2²⁴ there is nothing to mend.
    let lost = if x < 1.0 { x - (u - 1.0) } else { 1.0 - (u - x) };
    let lost = lost * power_of_two(if e < 24 { e.wrapping_neg() } else { -126 });
    let y = log_edges(u, log_of_parts::<M>(e as f32, (m - 1.0) + lost));
    if x.abs() < 1e-30 { x } else { y }
}

/// The hyperbolic tangent, within 2 ulp.
#[inline(always)]
pub fn tanh<M: Arithmetic>(x: f32) -> f32 {
    // x + x³ · P(x²) up to here, 1 - 2 / (e²ˣ + 1) beyond.
    const LIMIT: f32 = 0.625;
    const C: [f32; 5] = [-0.006_096_714, 0.020_997_18, -0.053_850_908, 0.133_327_7, -0.333_333_28];
    let a = x.abs();
    let square = a * a;
    let small = M::mul_add(polynomial::<M, 5>(square, C) * square, a, a);
    // From 9.02 on the nearest number is 1.
    let (n, r) = reduce::<M>(2.0 * if a > 9.1 { 9.1 } else { a });
    let e = (expm1_reduced::<M>(r) + 1.0) * power_of_two(n);
    let large = 1.0 - 2.0 / (e + 1.0);
    (if a < LIMIT { small } else { large }).copysign(x)
}

/// `1 / (1 + e⁻ˣ)`, within 2 ulp.
#[inline(always)]
pub fn sigmoid<M: Arithmetic>(x: f32) -> f32 {
    // Only powers below 1 are taken, so that small results keep all their digits.
    let e = exp::<M>(-x.abs());
    let q = e / (1.0 + e);
    let n = if x < 0.0 { e } else { 1.0 };
    // n / (1 + e), without the rounding of that sum where it would tell most.
    M::mul_add(-n, q, n)
}

/// The error function, within 2 ulp.
#[inline(always)]
pub fn erf<M: Arithmetic>(x: f32) -> f32 {
    // x + x · P(x²) up to here, 1 - e⁻ᵍ beyond, g a polynomial as well.
    const LIMIT: f32 = 0.921_875;
    const SMALL: [f32; 7] = [
        8.387_591e-5,
        -0.000_814_720_23,
        0.005_201_467,
        -0.026_859_593,
        0.112_836_994,
        -0.376_126_35,
        0.128_379_23,
    ];
    const LARGE: [f32; 9] = [
        -2.759_621_5e-7,
        4.468_56e-6,
        -1.251_724_1e-5,
        -0.000_277_600_05,
        0.003_672_733_7,
        -0.024_027_765,
        0.106_677_36,
        0.634_833_46,
        1.128_735_5,
    ];
    let a = x.abs();
    let small = M::mul_add(a, polynomial::<M, 7>(a * a, SMALL), a);
    // From 3.92 on the nearest number is 1.
    let limited = if a > 4.0 { 4.0 } else { a };
    let g = polynomial::<M, 9>(limited, LARGE) * limited;
    (if a < LIMIT { small } else { 1.0 - exp::<M>(-g) }).copysign(x)
}

/// The inverse of [`erf`]: infinite at ±1, NaN beyond.
///
/// The two polynomials of M. Giles, *Approximating the erfinv function* (GPU Computing Gems, 2010),
/// in single precision; JAX draws its normal numbers with them. Within 4e-7 of the result,
/// relatively, for an argument within 3e-8 of `x`.
#[inline(always)]
pub fn erf_inv<M: Arithmetic>(x: f32) -> f32 {
    const CENTRE: [f32; 9] = [
        2.810_226_4e-8,
        3.432_739_4e-7,
        -3.523_387_7e-6,
        -4.391_506_5e-6,
        0.000_218_580_87,
        -0.001_253_725,
        -0.004_177_681_6,
        0.246_640_73,
        1.501_409_4,
    ];
    const TAIL: [f32; 9] = [
        -0.000_200_214_26,
        0.000_100_950_56,
        0.001_349_343_2,
        -0.003_673_428_4,
        0.005_739_507_7,
        -0.007_622_461_3,
        0.009_438_870_5,
        1.001_674,
        2.832_976_8,
    ];
    let w = -log1p::<M>(-x * x);
    let centre = polynomial::<M, 9>(w - 2.5, CENTRE);
    let tail = polynomial::<M, 9>(w.sqrt() - 3.0, TAIL);
    let y = x * if w < 5.0 { centre } else { tail };
    if x.abs() == 1.0 { x * f32::INFINITY } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest distance of `f` from `exact`, in ulp of the result, over `lo..=hi`.
    fn worst(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, lo: f32, hi: f32) -> f64 {
        const STEPS: usize = 300_000;
        let mut worst = 0.0f64;
        let mut at = 0.0;
        for i in 0..=STEPS {
            let x = (lo as f64 + (hi as f64 - lo as f64) * i as f64 / STEPS as f64) as f32;
            let expected = exact(x as f64);
            let error = (f(x) as f64 - expected).abs() / ulp(expected);
            assert!(error.is_finite(), "f({x}) = {}, expected {expected}", f(x));
            if error > worst {
                (worst, at) = (error, x);
            }
        }
        println!("worst {worst:.2} ulp at {at}");
        worst
    }

    /// As [`worst`], over every size of argument from 1e-37 up to `hi`, with both signs.
    fn worst_by_size(f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64, hi: f32) -> f64 {
        let sized = |sign: f32| {
            let f = |t: f32| f(sign * t.exp2());
            worst(f, |t| exact((sign * (t as f32).exp2()) as f64), -123.0, hi.log2())
        };
        sized(1.0).max(sized(-1.0))
    }

    fn ulp(x: f64) -> f64 {
        let y = (x.abs() as f32).max(f32::MIN_POSITIVE);
        (f32::from_bits(y.to_bits() + 1) - y) as f64
    }

    /// By its series, or by the continued fraction of its complement.
    fn erf_f64(x: f64) -> f64 {
        let a = x.abs();
        let scale = (-a * a).exp() / std::f64::consts::PI.sqrt();
        let y = if a < 3.0 {
            let mut term = 2.0 * a;
            let mut sum = term;
            for n in 1..200 {
                term *= 2.0 * a * a / (2 * n + 1) as f64;
                sum += term;
            }
            scale * sum
        } else {
            let tail = (1..60).rev().fold(a, |tail, n| a + n as f64 / 2.0 / tail);
            1.0 - scale / tail
        };
        y.copysign(x)
    }

    fn both(
        check: impl Fn(fn(f32) -> f32) -> f64,
        fused: fn(f32) -> f32,
        rounded: fn(f32) -> f32,
    ) -> f64 {
        check(fused).max(check(rounded))
    }

    #[test]
    fn exp_is_within_1_ulp() {
        let check = |f: fn(f32) -> f32| worst(f, f64::exp, -87.3, 88.72);
        assert!(both(check, exp::<Fused>, exp::<Rounded>) <= 1.0);
    }

    #[test]
    fn exp_of_results_below_the_normal_numbers_is_rounded_twice() {
        let check = |f: fn(f32) -> f32| worst(f, f64::exp, -104.5, -87.3);
        assert!(both(check, exp::<Fused>, exp::<Rounded>) <= 1.5);
    }

    #[test]
    fn expm1_is_within_2_ulp() {
        let check = |f: fn(f32) -> f32| {
            let near = worst(f, f64::exp_m1, -2.0, 2.0);
            near.max(worst(f, f64::exp_m1, -20.0, 88.72)).max(worst_by_size(f, f64::exp_m1, 1.0))
        };
        assert!(both(check, expm1::<Fused>, expm1::<Rounded>) <= 2.0);
    }

    #[test]
    fn log_is_within_1_ulp() {
        let check = |f: fn(f32) -> f32| {
            let all = |t: f32| f(t.exp2());
            let sized = worst(all, |t| ((t as f32).exp2() as f64).ln(), -148.0, 127.9);
            sized.max(worst(f, f64::ln, 0.4, 2.5)).max(worst(f, f64::ln, 0.999, 1.001))
        };
        assert!(both(check, log::<Fused>, log::<Rounded>) <= 1.0);
    }

    #[test]
    fn log1p_is_within_2_ulp() {
        let check = |f: fn(f32) -> f32| {
            let near = worst(f, f64::ln_1p, -0.999_99, 3.0);
            let large = worst(|t| f(t.exp2()), |t| ((t as f32).exp2() as f64).ln_1p(), 0.0, 127.9);
            near.max(large).max(worst_by_size(f, f64::ln_1p, 0.99))
        };
        assert!(both(check, log1p::<Fused>, log1p::<Rounded>) <= 2.0);
    }

    #[test]
    fn tanh_is_within_2_ulp() {
        let check = |f: fn(f32) -> f32| {
            worst(f, f64::tanh, -10.0, 10.0).max(worst_by_size(f, f64::tanh, 10.0))
        };
        assert!(both(check, tanh::<Fused>, tanh::<Rounded>) <= 2.0);
    }

    #[test]
    fn sigmoid_is_within_2_ulp() {
        let exact = |x: f64| 1.0 / (1.0 + (-x).exp());
        let check = |f: fn(f32) -> f32| worst(f, exact, -87.3, 20.0);
        assert!(both(check, sigmoid::<Fused>, sigmoid::<Rounded>) <= 2.0);
    }

    #[test]
    fn erf_is_within_2_ulp() {
        let check =
            |f: fn(f32) -> f32| worst(f, erf_f64, -4.5, 4.5).max(worst_by_size(f, erf_f64, 1.0));
        assert!(both(check, erf::<Fused>, erf::<Rounded>) <= 2.0);
    }

    #[test]
    fn erf_inv_undoes_erf() {
        for f in [erf_inv::<Fused> as fn(f32) -> f32, erf_inv::<Rounded>] {
            for i in -99_999..100_000 {
                let x = i as f32 / 1e5;
                let y = f(x) as f64;
                let slope = 2.0 / std::f64::consts::PI.sqrt() * (-y * y).exp();
                let error = (erf_f64(y) - x as f64).abs();
                // Rounding x² alone is as good as moving x by 3e-8.
                let allowed = 4e-7 * y.abs() * slope + if y.abs() > 0.5 { 3e-8 } else { 0.0 };
                assert!(error <= allowed, "erf(erf_inv({x})) = erf({y}), off by {error}");
            }
        }
    }

    #[test]
    fn edges_are_those_of_the_mathematics() {
        const INF: f32 = f32::INFINITY;
        fn check<M: Arithmetic>() {
            assert_eq!([exp::<M>(-INF), exp::<M>(INF), exp::<M>(0.0)], [0.0, INF, 1.0]);
            assert_eq!([exp::<M>(88.8), exp::<M>(-104.0)], [INF, 0.0]);
            assert_eq!([expm1::<M>(-INF), expm1::<M>(INF), expm1::<M>(88.8)], [-1.0, INF, INF]);
            assert_eq!([log::<M>(0.0), log::<M>(-0.0), log::<M>(1.0)], [-INF, -INF, 0.0]);
            assert_eq!([log::<M>(INF), log1p::<M>(INF), log1p::<M>(-1.0)], [INF, INF, -INF]);
            assert!(log::<M>(-1e-40).is_nan() && log::<M>(-INF).is_nan());
            assert!(log1p::<M>(-1.5).is_nan() && log1p::<M>(-INF).is_nan());
            assert_eq!([tanh::<M>(INF), tanh::<M>(-INF)], [1.0, -1.0]);
            assert_eq!([sigmoid::<M>(INF), sigmoid::<M>(-INF), sigmoid::<M>(0.0)], [1.0, 0.0, 0.5]);
            assert_eq!([erf::<M>(INF), erf::<M>(-INF)], [1.0, -1.0]);
            assert_eq!([erf_inv::<M>(1.0), erf_inv::<M>(-1.0)], [INF, -INF]);
            assert!(erf_inv::<M>(1.5).is_nan());
        }
        check::<Fused>();
        check::<Rounded>();
    }

    #[test]
    fn nan_stays_nan_and_zero_keeps_its_sign() {
        fn check<M: Arithmetic>() {
            let odd = [expm1::<M>, log1p::<M>, tanh::<M>, erf::<M>, erf_inv::<M>];
            let all = [exp::<M>, log::<M>, sigmoid::<M>, erf_inv::<M>];
            assert!(odd.iter().chain(&all).all(|f| f(f32::NAN).is_nan()));
            for (i, f) in odd.iter().enumerate() {
                assert_eq!(f(-0.0).to_bits(), (-0.0f32).to_bits(), "function {i}");
                assert_eq!(f(0.0).to_bits(), 0, "function {i}");
            }
            let tiny = f32::from_bits(3);
            assert_eq!([expm1::<M>(tiny), log1p::<M>(-tiny), tanh::<M>(tiny)], [tiny, -tiny, tiny]);
        }
        check::<Fused>();
        check::<Rounded>();
    }
}
