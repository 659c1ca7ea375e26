//! Random numbers on the host, equal to those of Keras on JAX.
//!
//! A word is `hi ^ lo` of the Threefry block at the element's position, under the key
//! `[seed, counter]`. Uniform numbers take the top 23 bits of a word; normal numbers are uniform
//! ones through the inverse error function, with the polynomials of Giles, *Approximating the
//! erfinv function*, GPU Computing Gems 2, 2011.

use oxhorn_ir::threefry;

/// `len` random words under this key.
pub fn bits(key: [u32; 2], len: usize) -> impl Iterator<Item = u32> {
    (0..len as u64).map(move |i| {
        let [hi, lo] = threefry(key, [(i >> 32) as u32, i as u32]);
        hi ^ lo
    })
}

/// `len` numbers spread evenly over `low..high`.
pub fn uniform(key: [u32; 2], len: usize, low: f32, high: f32) -> Vec<f32> {
    let number = |word: u32| {
        let fraction = f32::from_bits(word >> 9 | 1f32.to_bits()) - 1.0;
        fraction.mul_add(high - low, low).max(low)
    };
    bits(key, len).map(number).collect()
}

/// `len` numbers of the standard normal law.
pub fn normal(key: [u32; 2], len: usize) -> Vec<f32> {
    let mut x = uniform(key, len, (-1f32).next_up(), 1.0);
    x.iter_mut().for_each(|x| *x = std::f32::consts::SQRT_2 * erf_inv(*x));
    x
}

/// `len` numbers of the standard normal law, given that they are between -2 and 2.
pub fn truncated_normal(key: [u32; 2], len: usize) -> Vec<f32> {
    const ERF_SQRT_2: f32 = 0.954_499_7; // erf(2 / √2)
    let mut x = uniform(key, len, -ERF_SQRT_2, ERF_SQRT_2);
    for x in &mut x {
        let normal = std::f32::consts::SQRT_2 * erf_inv(*x);
        *x = normal.clamp((-2f32).next_up(), 2f32.next_down());
    }
    x
}

/// The inverse of the error function.
#[allow(clippy::excessive_precision, reason = "the figures as they were published")]
fn erf_inv(x: f32) -> f32 {
    const CENTRE: [f32; 9] = [
        2.81022636e-08,
        3.43273939e-07,
        -3.5233877e-06,
        -4.39150654e-06,
        0.00021858087,
        -0.00125372503,
        -0.00417768164,
        0.246640727,
        1.50140941,
    ];
    const TAIL: [f32; 9] = [
        -0.000200214257,
        0.000100950558,
        0.00134934322,
        -0.00367342844,
        0.00573950773,
        -0.0076224613,
        0.00943887047,
        1.00167406,
        2.83297682,
    ];
    if x.abs() == 1.0 {
        return x * f32::INFINITY;
    }
    let w = -(-x * x).ln_1p();
    let (w, coefficients) = if w < 5.0 { (w - 2.5, CENTRE) } else { (w.sqrt() - 3.0, TAIL) };
    coefficients.into_iter().fold(0.0, |p, c| c + p * w) * x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_stay_in_their_range() {
        let x = uniform([812, 0], 10_001, -0.3, 0.7);
        assert!(x.iter().all(|x| (-0.3..0.7).contains(x)));
        let mean = x.iter().sum::<f32>() / 10_001.0;
        assert!((mean - 0.2).abs() < 0.01, "{mean}");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_their_law() {
        let x = normal([812, 3], 10_001);
        let mean = x.iter().sum::<f32>() / 10_001.0;
        let variance = x.iter().map(|x| x * x).sum::<f32>() / 10_001.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert!(truncated_normal([812, 3], 10_001).iter().all(|x| x.abs() < 2.0));
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        assert!(uniform([1, 2], 0, 0.0, 1.0).is_empty());
    }
}
