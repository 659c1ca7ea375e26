//! What `Mixup` and `CutMix` have in common: a share of Beta's law, and a partner for each sample.

use oxhorn_ir::{DType, Error, Tensor, Type};

use crate::{
    ops::ranks,
    scope::{Scope, SeedGenerator},
};

/// How many proposals are drawn for a number of Gamma's law. Each is taken with a probability of
/// 0.95 or more, so that less than one number in 10²⁰ has none that is.
const PROPOSALS: usize = 16;

/// Half of the distance between two uniform numbers: what keeps their logarithms finite.
const HALF_STEP: f64 = 1.0 / 16_777_216.0;

/// A number of the law Beta(`alpha`, `alpha`), and 1 where `alpha` is 0: scalars of type `f32`.
///
/// It is `a / (a + b)` for two numbers of the law Gamma(`alpha`). With `alpha` near 0 those may be
/// too small for any float, so that it is computed from their logarithms.
pub(super) fn beta<'g>(seeds: &SeedGenerator<'g>, alpha: Tensor<'g>) -> Tensor<'g> {
    let logs = log_gammas(seeds, alpha);
    let log = |i: usize| logs.slice([i], [i + 1], [1]).reshape([]);
    let share = (log(0) - log(1)).sigmoid();
    alpha.greater(0.0).select(share, 1.0)
}

/// The logarithms of two numbers of the law Gamma(`alpha`), of type `f32[2]`.
///
/// Marsaglia and Tsang, *A simple method for generating gamma variables*, ACM TOMS 2000. Theirs is
/// a loop until a proposal is taken; here all proposals are drawn at once, and the first that is
/// taken counts. For a law of `alpha` below 1, they multiply a number of `alpha + 1` by a uniform
/// one to the power of `1 / alpha`, which is right for any `alpha`.
fn log_gammas<'g>(seeds: &SeedGenerator<'g>, alpha: Tensor<'g>) -> Tensor<'g> {
    let uniform = |shape: &[usize]| seeds.next().random_uniform(shape) + HALF_STEP;
    let d = alpha + (1.0 - 1.0 / 3.0);
    let c = (d * 9.0).rsqrt();
    let x = seeds.next().random_normal([2, PROPOSALS]);
    let root = c * x + 1.0;
    let v = (root * root * root).maximum(f64::from(f32::MIN_POSITIVE));
    let bound = x * x * 0.5 + d * (1.0 - v + v.log());
    let taken = root.greater(0.0).and(uniform(&[2, PROPOSALS]).log().less(bound));
    let first = taken.cast(DType::I32).argmax(1).reshape([2, 1]);
    let place = x.trace().iota(1, Type::new(DType::I32, [2, PROPOSALS]));
    let v = place.equal(first).select(v, 0.0).sum(1);
    (d * v).log() + uniform(&[2]).log() / alpha
}

/// A permutation of so many samples, each as likely as any other: `i32[samples]`.
pub(super) fn permutation<'g>(seeds: &SeedGenerator<'g>, samples: usize) -> Tensor<'g> {
    // The ranks of random numbers are in random order; equal ones keep theirs.
    ranks(seeds.next().random_uniform([samples]))
}

/// The number of samples, if all inputs are real numbers; else a mistake in the words of `why`.
pub(super) fn samples_of<'g>(
    cx: &Scope<'g>,
    class: &str,
    x: &[Tensor<'g>],
    why: &str,
) -> Option<usize> {
    let wrong = x.iter().find(|x| !x.is_void() && (!x.dtype().is_float() || x.rank() == 0));
    if let Some(wrong) = wrong {
        let message = format!("`{class}` needs inputs of real numbers, got {}", wrong.ty());
        cx.trace().fail(Error::new(message).help(why));
        return None;
    }
    x.first().filter(|x| !x.is_void()).map(|x| x.dim(0))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use oxhorn_ir::{Array, Graph, Trace, interpret::interpret};

    use super::*;
    use crate::scope::{Declarations, Mode};

    /// What `write` gives for each of so many batches, whose keys are those of one stream.
    fn drawn(
        draws: u32,
        alpha: f64,
        write: impl for<'g> Fn(&SeedGenerator<'g>, Tensor<'g>) -> Tensor<'g>,
    ) -> Vec<Vec<f64>> {
        let graph: Graph = {
            let (trace, declared) = (Trace::new("draw"), Declarations::new());
            let cx = Scope::new(&trace, &declared, Mode::Train);
            let seeds = cx.seed_generator("seeds", Some(0));
            let value = write(&seeds, trace.scalar(alpha, DType::F32)).value();
            drop((seeds, cx));
            trace.finish(&[value]).expect("no mistake")
        };
        let draw = |i: u32| {
            let state = Array::new([2], vec![f64::from(i), 0.0]);
            interpret(&graph, &[state]).expect("one leaf").outputs.swap_remove(0).data
        };
        (0..draws).map(draw).collect()
    }

    /// The greatest distance between the share of draws below a number and the law's.
    fn distance(alpha: f64, law: impl Fn(f64) -> f64) -> f64 {
        let mut draws: Vec<f64> = drawn(2000, alpha, beta).concat();
        draws.sort_by(f64::total_cmp);
        let n = draws.len() as f64;
        let (mean, square) =
            (draws.iter().sum::<f64>() / n, draws.iter().map(|x| x * x).sum::<f64>() / n);
        let variance = 1.0 / (4.0 * (2.0 * alpha + 1.0));
        assert!((mean - 0.5).abs() < 4.0 * (variance / n).sqrt(), "{mean}");
        assert!((square - mean * mean - variance).abs() < 0.05 * variance, "variance of {alpha}");
        let apart = |(i, x): (usize, &f64)| (law(*x) - (i as f64 + 0.5) / n).abs();
        draws.iter().enumerate().map(apart).fold(0.0, f64::max)
    }

    #[test]
    fn shares_follow_the_law_of_beta() {
        // Kolmogorov's bound at one in a thousand: 1.95 / √n.
        let bound = 1.95 / 2000_f64.sqrt();
        let arcsine = |x: f64| 2.0 / std::f64::consts::PI * x.sqrt().asin();
        assert!(distance(0.5, arcsine) < bound);
        assert!(distance(1.0, |x| x) < bound);
        assert!(distance(2.0, |x| x * x * (3.0 - 2.0 * x)) < bound);
    }

    #[test]
    fn shares_of_a_small_alpha_are_those_of_the_incomplete_beta_function() {
        // scipy.special.betainc(0.2, 0.2, x)
        let known = [
            (1e-6, 0.033_203_0),
            (1e-3, 0.132_201_3),
            (0.1, 0.336_689_8),
            (0.25, 0.414_055_5),
            (0.5, 0.5),
            (0.9, 0.663_310_2),
        ];
        let draws = drawn(4000, 0.2, beta).concat();
        let n = draws.len() as f64;
        for (x, share) in known {
            let below = draws.iter().filter(|draw| **draw < x).count() as f64 / n;
            let deviation = (share * (1.0 - share) / n).sqrt();
            assert!((below - share).abs() < 4.0 * deviation, "{below} below {x}, not {share}");
        }
    }

    #[test]
    fn shares_are_numbers_however_small_alpha_is() {
        for alpha in [1e-6, 0.01] {
            let draws = drawn(200, alpha, beta).concat();
            assert!(draws.iter().all(|x| (0.0..=1.0).contains(x)));
            let mean = draws.iter().sum::<f64>() / 200.0;
            assert!((mean - 0.5).abs() < 0.15, "{mean}");
        }
        assert!(drawn(3, 0.0, beta).concat().iter().all(|x| *x == 1.0));
    }

    #[test]
    fn every_permutation_is_as_likely_as_any_other() {
        let mut seen: HashMap<String, f64> = HashMap::new();
        let draws = 3000;
        for order in drawn(draws, 1.0, |seeds, _| permutation(seeds, 3)) {
            *seen.entry(format!("{order:?}")).or_default() += 1.0;
        }
        assert_eq!(seen.len(), 6);
        let expected = f64::from(draws) / 6.0;
        let chi: f64 = seen.values().map(|n| (n - expected).powi(2) / expected).sum();
        assert!(chi < 20.5, "chi-squared of 5 degrees of freedom: {chi}"); // One in a thousand.
    }

    #[test]
    fn permutations_name_every_sample_once() {
        for samples in [0, 1, 2, 13, 64] {
            for order in drawn(3, 1.0, |seeds, _| permutation(seeds, samples)) {
                let mut order: Vec<usize> = order.iter().map(|i| *i as usize).collect();
                order.sort_unstable();
                assert_eq!(order, (0..samples).collect::<Vec<_>>());
            }
        }
    }
}
