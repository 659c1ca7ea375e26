//! NumPy's global generator, the one of `np.random.seed`, which makes and shuffles data.

use rand_mt::Mt;

use super::twister::Twister;

/// NumPy's legacy generator, `np.random.RandomState`: the Mersenne twister MT19937 with the
/// methods and the order of draws that NumPy keeps unchanged for the sake of old programs.
#[derive(Clone, Debug)]
pub struct Numpy {
    generator: Twister,
    /// The polar method makes normal numbers in pairs; this is the one not yet handed out.
    spare_normal: Option<f64>,
}

impl Numpy {
    /// The state after `np.random.seed(seed)`.
    pub fn seeded(seed: u32) -> Numpy {
        Numpy { generator: Twister::new(Mt::new(seed)), spare_normal: None }
    }

    /// The state after `np.random.seed(key)` for an array of 32-bit integers.
    pub fn seeded_by_key(key: &[u32]) -> Numpy {
        let generator = Twister::new(Mt::new_with_key(key.iter().copied()));
        Numpy { generator, spare_normal: None }
    }

    /// Where the generator is: its next 624 numbers, which it has still to give, and a normal
    /// number that it has in store.
    pub fn state(&self) -> (Vec<u32>, Option<f64>) {
        (self.generator.state(), self.spare_normal)
    }

    /// The generator that was there; `None` if these are not 624 numbers.
    pub fn of_state(numbers: &[u32], spare_normal: Option<f64>) -> Option<Numpy> {
        Some(Numpy { generator: Twister::of_state(numbers)?, spare_normal })
    }

    /// A multiple of 2⁻⁵³ from the uniform distribution on [0, 1).
    pub fn random(&mut self) -> f64 {
        let high = f64::from(self.generator.next_u32() >> 5);
        let low = f64::from(self.generator.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// An integer from 0 to `high` - 1; `None` when there is none.
    pub fn randint(&mut self, high: i64) -> Option<i64> {
        let max = u64::try_from(high).ok()?.checked_sub(1)?;
        Some(self.up_to(max) as i64)
    }

    /// A number from the normal distribution with mean 0 and standard deviation 1, by Marsaglia's
    /// polar method, as NumPy's legacy generator makes it.
    ///
    /// Its last bit is that of the platform's logarithm.
    pub fn standard_normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let x = 2.0 * self.random() - 1.0;
            let y = 2.0 * self.random() - 1.0;
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare_normal = Some(factor * x);
                return factor * y;
            }
        }
    }

    /// The numbers 0 to `n` - 1 in a random order.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut items: Vec<usize> = (0..n).collect();
        self.shuffle(&mut items);
        items
    }

    /// Puts the items in a random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.up_to(i as u64) as usize);
        }
    }

    /// An integer from 0 to `max`, by rejection under the smallest mask of ones that covers `max`.
    fn up_to(&mut self, max: u64) -> u64 {
        if max == 0 {
            return 0; // NumPy draws nothing here, and the draws that follow depend on it.
        }
        let mask = u64::MAX >> max.leading_zeros();
        loop {
            let bits = match u32::try_from(max) {
                Ok(_) => u64::from(self.generator.next_u32()),
                Err(_) => self.generator.next_u64(),
            };
            if bits & mask <= max {
                return bits & mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_doubles_that_numpy_draws() {
        // np.random.seed(42); np.random.random((2, 3)), NumPy 2.4.
        let mut numpy = Numpy::seeded(42);
        let expected = [
            0.3745401188473625,
            0.9507143064099162,
            0.7319939418114051,
            0.5986584841970366,
            0.15601864044243652,
            0.15599452033620265,
        ];
        assert_eq!([(); 6].map(|()| numpy.random()), expected);
    }

    #[test]
    fn draws_the_integers_that_numpy_draws() {
        // np.random.seed(seed); np.random.randint(high, size=n); np.random.random()
        let check = |seed, high, expected: &[i64], next: f64| {
            let mut numpy = Numpy::seeded(seed);
            for &value in expected {
                assert_eq!(numpy.randint(high), Some(value), "seed {seed}, high {high}");
            }
            assert_eq!(numpy.random(), next, "seed {seed}, high {high}");
        };
        check(0, 5, &[4, 0, 3, 3, 3, 1, 3, 2, 4, 0, 0, 4], 0.3834415188257777);
        check(7, 1, &[0, 0, 0], 0.07630828937395717);
        check(7, 1000, &[175, 196, 537, 502, 579, 211], 0.7234651778309412);
        check(3, 4294967296, &[2365658986, 303761048, 3041471737, 3607553667], 0.2909047389129443);
        check(3, 4294967297, &[303761048, 521102280, 2445173525, 80522091], 0.12558531046383625);
        check(
            9,
            1099511627776,
            &[542731227484, 543309627893, 781716445240, 1079394964374],
            0.14211108545453854,
        );
        check(
            11,
            9223372036854775807,
            &[3325388913236545215, 359254775711865947, 8544873655684927415],
            0.7249339291921478,
        );
    }

    #[test]
    fn draws_the_normal_numbers_that_numpy_draws() {
        // np.random.seed(5); np.random.standard_normal(5)
        let mut numpy = Numpy::seeded(5);
        for expected in [
            0.44122748688504143,
            -0.33087015189408764,
            2.43077118700778,
            -0.2520921296030769,
            0.10960984157818278,
        ] {
            let y = numpy.standard_normal();
            // The logarithm of another platform may differ in its last bit.
            assert!((y - expected).abs() <= 4e-16 * f64::abs(expected), "{y} is not {expected}");
        }
        // The sixth normal number is in store: it takes nothing more from the generator.
        assert_eq!(numpy.random(), 0.29680050157622195);
    }

    #[test]
    fn permutes_as_numpy_permutes() {
        // np.random.seed(seed); np.random.permutation(n); np.random.random()
        let check = |seed, expected: &[usize], next: f64| {
            let mut numpy = Numpy::seeded(seed);
            assert_eq!(numpy.permutation(expected.len()), expected, "seed {seed}");
            assert_eq!(numpy.random(), next, "seed {seed}");
        };
        check(0, &[], 0.5488135039273248);
        check(0, &[0], 0.5488135039273248);
        check(1, &[0, 1], 0.9971848109388686);
        check(1, &[2, 9, 6, 4, 0, 3, 1, 7, 8, 5], 0.3879107411620074);
        check(2, &[4, 0, 10, 5, 3, 1, 9, 7, 11, 2, 6, 12, 8], 0.6211338327692949);
    }

    #[test]
    fn takes_a_key_of_several_integers() {
        // np.random.seed([3, 1, 4]); np.random.random()
        assert_eq!(Numpy::seeded_by_key(&[3, 1, 4]).random(), 0.39648378373151827);
    }

    #[test]
    fn permutes_many_as_numpy_permutes() {
        // np.random.seed(1); (np.arange(1000) * np.random.permutation(1000)).sum()
        let sum: usize =
            Numpy::seeded(1).permutation(1000).iter().enumerate().map(|(i, p)| i * p).sum();
        assert_eq!(sum, 249995299);
    }
}
