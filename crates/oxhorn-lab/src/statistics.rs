//! What paired differences say: intervals, effect sizes, and how many seeds would be needed.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use crate::study::{Interval, Plan, Stopping};

/// The fewest differences that an interval is given for. Two would have one: 25 times as wide as
/// their standard error.
pub(crate) const FEWEST: usize = 3;

/// The probability with which a study of so many seeds as are said to be needed finds a difference.
const POWER: f64 = 0.8;

/// The mean of paired differences with the interval of Student's *t*, which misses the true mean
/// with probability `alpha` if the differences are normal; `None` of fewer than three.
///
/// If all differences are the same, both ends are.
pub fn interval(differences: &[f64], alpha: f64) -> Option<Interval> {
    let n = differences.len();
    if n < FEWEST {
        return None;
    }
    let Some(spread) = spread(differences) else {
        let [same, ..] = *differences else { return None };
        return Some(Interval { mean: same, low: same, high: same });
    };
    let mean = mean(differences);
    let half = quantile_of_t(n - 1, 1.0 - alpha / 2.0) * spread / (n as f64).sqrt();
    Some(Interval { mean, low: mean - half, high: mean + half })
}

/// The mean difference in units of the differences' standard deviation: Cohen's *d* of pairs.
/// `None` of fewer than three differences, and where all are the same.
pub fn effect_size(differences: &[f64]) -> Option<f64> {
    if differences.len() < FEWEST {
        return None;
    }
    Some(mean(differences) / spread(differences)?)
}

/// How many pairs find an effect of this size in 80 of 100 studies, with intervals that miss with
/// probability `alpha`; `None` where there is no effect to find.
///
/// The smallest n ≥ ((t₁₋α⸝₂ + t₀.₈) / d)², both quantiles of Student's *t* with n - 1 degrees of
/// freedom, which is within one of the exact number for α = 0.05.
pub fn seeds_needed(effect_size: f64, alpha: f64) -> Option<usize> {
    if effect_size == 0.0 || !effect_size.is_finite() {
        return None;
    }
    let needed = |quantiles: f64| (quantiles / effect_size).powi(2);
    let normal = Normal::standard();
    let at_least = needed(normal.inverse_cdf(1.0 - alpha / 2.0) + normal.inverse_cdf(POWER));
    // Beyond so many, t and the normal distribution say the same.
    if at_least > 10_000.0 {
        return Some(at_least.ceil() as usize);
    }
    let first = (at_least.ceil() as usize).max(FEWEST);
    (first..).find(|&n| {
        let quantiles = quantile_of_t(n - 1, 1.0 - alpha / 2.0) + quantile_of_t(n - 1, POWER);
        needed(quantiles) <= n as f64
    })
}

/// With which probability an interval of a study may miss when so many seeds are complete: all that
/// the plan allows if there is one look, or this look's share of it.
///
/// The looks spend the probability as Lan and DeMets (*Discrete sequential boundaries for clinical
/// trials*, Biometrika 70, 1983) have it with the function that is like O'Brien and Fleming's
/// bounds, α(t) = 2 - 2Φ(z₁₋α⸝₂ / √t): little at the beginning, most at the end. The look at
/// t = k / K of all seeds has the share α(t) minus what the looks before it had. Whatever the looks
/// have to do with one another, the probability that any of their intervals misses is at most the
/// sum of the shares, α; so the interval that is reported may be believed wherever a study stopped.
pub fn share_of_alpha(plan: &Plan, seeds: usize) -> f64 {
    let alpha = 1.0 - plan.confidence;
    let all = plan.seeds.len();
    let Stopping::WhenDecided { first } = plan.stopping else { return alpha };
    let normal = Normal::standard();
    let z = normal.inverse_cdf(1.0 - alpha / 2.0);
    let spent = |seeds: usize| match seeds {
        _ if seeds < first => 0.0,
        _ if seeds >= all => alpha,
        _ => 2.0 * normal.sf(z / (seeds as f64 / all as f64).sqrt()),
    };
    spent(seeds) - spent(seeds.saturating_sub(1))
}

/// The mean of a sample that has one.
pub(crate) fn mean(sample: &[f64]) -> f64 {
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// The standard deviation of a sample; `None` if its numbers are all the same.
fn spread(sample: &[f64]) -> Option<f64> {
    if sample.windows(2).all(|pair| pair[0] == pair[1]) {
        return None;
    }
    let mean = mean(sample);
    let squares: f64 = sample.iter().map(|x| (x - mean).powi(2)).sum();
    Some((squares / (sample.len() - 1) as f64).sqrt())
}

/// The number below which so much of Student's distribution lies.
fn quantile_of_t(freedom: usize, probability: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom as f64) {
        Ok(t) => t.inverse_cdf(probability),
        // There is a distribution for every degree of freedom from 1 on.
        Err(_) => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use oxhorn::random::{Numpy, Streams};

    use super::*;

    /// scipy 1.17.1: `ttest_1samp(a, 0)` and its `confidence_interval` at 0.95 and 0.99.
    #[test]
    fn an_interval_is_that_of_students_t() {
        let differences = [-0.031, -0.012, 0.004, -0.027, -0.019, -0.008, -0.022];
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} is not {b}");
        let it = interval(&differences, 0.05).unwrap();
        near(it.mean, -0.016428571428571428);
        near(it.low, -0.02756336015474272);
        near(it.high, -0.005293782702400135);
        let it = interval(&differences, 0.01).unwrap();
        near(it.low, -0.0332993989230814);
        near(it.high, 0.0004422560659385448);
        near(effect_size(&differences).unwrap(), -1.3645426788333883);
    }

    /// scipy 1.17.1: `t.ppf(q, df)`.
    #[test]
    fn quantiles_of_t_are_those_of_scipy() {
        let of = |freedom: usize| {
            [0.8, 0.975, 0.995, 0.99999].map(|probability| quantile_of_t(freedom, probability))
        };
        for (freedom, expected) in [
            (2, [1.0606601717798214, 4.302652729749462, 9.924843200918287, 223.60344363454604]),
            (3, [0.9784723123633042, 3.1824463052837078, 5.840909309733355, 47.92772837600671]),
            (9, [0.8834038596855346, 2.262157162798205, 3.249835541592126, 8.102057879399425]),
            (29, [0.8541919858818557, 2.045229642132703, 2.756385903670605, 5.0855047020118995]),
            (100, [0.8452304244910163, 1.9839715185235518, 2.6258905214380173, 4.4784269029939034]),
        ] {
            for (t, expected) in of(freedom).into_iter().zip(expected) {
                assert!((t / expected - 1.0).abs() < 1e-9, "{freedom}: {t} is not {expected}");
            }
        }
    }

    #[test]
    fn fewer_than_three_differences_have_no_interval() {
        for few in [&[][..], &[0.5], &[0.5, 0.25]] {
            assert_eq!((interval(few, 0.05), effect_size(few)), (None, None));
        }
        assert!(interval(&[0.5, 0.25, 0.125], 0.05).is_some());
    }

    #[test]
    fn equal_differences_have_an_interval_without_width() {
        for same in [0.0, 0.1, -7.0] {
            let differences = [same; 11];
            let it = Interval { mean: same, low: same, high: same };
            assert_eq!(interval(&differences, 0.05), Some(it));
            assert_eq!(effect_size(&differences), None);
            assert_eq!(it.excludes_zero(), same != 0.0);
        }
    }

    /// The smallest n whose power, by scipy's (1.17.1) noncentral *t*, is at least 0.8.
    #[test]
    fn as_many_seeds_are_needed_as_tables_say() {
        let exact = [
            (0.2, 199),
            (0.25, 128),
            (0.3, 90),
            (0.4, 52),
            (0.5, 34),
            (0.6, 24),
            (0.8, 15),
            (1.0, 10),
            (1.2, 8),
            (1.5, 6),
            (2.0, 5),
            (2.5, 4),
            (3.0, 4),
        ];
        for (size, expected) in exact {
            let found = seeds_needed(size, 0.05).unwrap();
            assert!(found.abs_diff(expected) <= 1, "{size}: {found}, not {expected}");
            assert_eq!(seeds_needed(-size, 0.05), Some(found));
        }
        let common = [0.5, 0.8, 1.0].map(|size| seeds_needed(size, 0.05));
        assert_eq!(common, [Some(34), Some(15), Some(10)]);
        assert_eq!(seeds_needed(100.0, 0.05), Some(3));
        assert_eq!(seeds_needed(0.0, 0.05), None);
        // (1.959964 + 0.841621)² / 0.001², as normal as it gets.
        assert_eq!(seeds_needed(0.001, 0.05).unwrap() / 1000, 7848);
    }

    fn plan(first: usize, seeds: u32) -> Plan {
        Plan::new(1).seeds(seeds).stopping(Stopping::WhenDecided { first })
    }

    /// Made with scipy 1.17.1: differences of `2 * norm.sf(norm.ppf(.975) / sqrt(k / 10))`.
    #[test]
    fn looks_share_the_probability_of_an_error() {
        let shares = [
            0.000345719580169,
            0.0015961934165718,
            0.0036326836840436,
            0.0058218217845288,
            0.0077532249202697,
            0.0092799873674898,
            0.010400412411451,
            0.0111699568354763,
        ];
        for (seeds, expected) in (3..=10).zip(shares) {
            let share = share_of_alpha(&plan(3, 10), seeds);
            assert!((share - expected).abs() < 1e-9, "{seeds}: {share} is not {expected}");
        }
        let all: f64 = (0..=10).map(|seeds| share_of_alpha(&plan(3, 10), seeds)).sum();
        assert!((all - 0.05).abs() < 1e-12);
        assert!((share_of_alpha(&plan(10, 10), 10) - 0.05).abs() < 1e-12);
        let one_look = Plan::new(1).seeds(10);
        assert!((share_of_alpha(&one_look, 10) - 0.05).abs() < 1e-12);
    }

    /// The share of so many studies that find a difference, where the differences at the seeds are
    /// normal with this mean and a standard deviation of 1; and the seeds they take in the mean.
    fn found(plan: &Plan, mean: f64, studies: usize) -> (f64, f64) {
        let first = match plan.stopping {
            Stopping::AfterAll => plan.seeds.len(),
            Stopping::WhenDecided { first } => first,
        };
        let numpy: &mut Numpy = &mut Streams::seeded(17).numpy;
        let (mut found, mut taken) = (0, 0);
        for _ in 0..studies {
            let all: Vec<f64> = plan.seeds.iter().map(|_| mean + numpy.standard_normal()).collect();
            let decides = |&seeds: &usize| {
                let alpha = share_of_alpha(plan, seeds);
                interval(&all[..seeds], alpha).is_some_and(|it| it.excludes_zero())
            };
            let decided = (first..=all.len()).find(decides);
            found += usize::from(decided.is_some());
            taken += decided.unwrap_or(all.len());
        }
        (found as f64 / studies as f64, taken as f64 / studies as f64)
    }

    #[test]
    fn of_studies_of_nothing_at_most_one_in_twenty_finds_a_difference() {
        let studies = 2000;
        let most = 0.05 + 3.0 * (0.05 * 0.95 / studies as f64).sqrt();
        for plan in [Plan::new(1).seeds(5), Plan::new(1).seeds(10), plan(3, 10), plan(5, 20)] {
            let (rate, _) = found(&plan, 0.0, studies);
            assert!(rate <= most, "{rate} of {plan:?}");
        }
        // Without looks the rate is what it is said to be, not only at most that.
        assert!(found(&Plan::new(1).seeds(10), 0.0, studies).0 > 0.035);
    }

    #[test]
    fn what_is_there_is_found_and_sooner_when_looked_for() {
        // By scipy's noncentral t, 10 pairs find d = 1 with a probability of 0.803.
        let (power, _) = found(&Plan::new(1).seeds(10), 1.0, 2000);
        assert!((power - 0.803).abs() < 0.03, "{power}");
        // An effect such as that of dropout on a thousand digits is hardly ever missed.
        let (power, taken) = found(&plan(3, 10), 3.0, 2000);
        assert!(power > 0.99 && taken < 7.5, "{power}, {taken} seeds");
    }
}
