//! Python's `random`, the source of the seeds of layers and initializers.

use rand_mt::Mt;

use super::twister::Twister;

/// The generator behind Python's `random` module: the Mersenne twister MT19937, seeded by a key.
#[derive(Clone, Debug)]
pub struct Python {
    generator: Twister,
}

impl Python {
    /// The state after `random.seed(n)`, where `key` holds the 32-bit digits of `n`, the least
    /// significant first.
    pub fn seeded(key: &[u32]) -> Python {
        Python { generator: Twister::new(Mt::new_with_key(key.iter().copied())) }
    }

    /// Where the generator is: its next 624 numbers, which it has still to give.
    pub fn state(&self) -> Vec<u32> {
        self.generator.state()
    }

    /// The generator that was there; `None` if these are not 624 numbers.
    pub fn of_state(numbers: &[u32]) -> Option<Python> {
        Some(Python { generator: Twister::of_state(numbers)? })
    }

    /// A seed for a layer or an initializer that was given none: `random.randint(1, 10**9)`.
    pub fn next_seed(&mut self) -> u32 {
        1 + self.below(1_000_000_000)
    }

    /// An integer from 0 to `n` - 1, for `n` from 1 to 2³¹.
    fn below(&mut self, n: u32) -> u32 {
        // Python takes as many bits as `n` has and throws the draw away while it is too large.
        let surplus = n.leading_zeros();
        loop {
            let draw = self.generator.next_u32() >> surplus;
            if draw < n {
                return draw;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_seeds_that_python_draws() {
        // random.seed(n); [random.randint(1, 10**9) for _ in range(6)], CPython 3.11.
        for (seed, expected) in [
            (0, [906691060, 413654000, 813847340, 955892129, 451585302, 43469774]),
            (1, [144272510, 611178003, 909925048, 861425549, 820096754, 67760437]),
            (42, [686579304, 119540832, 26855093, 796233791, 295310486, 262950629]),
            (4294967295, [682209859, 665256254, 218184273, 231223275, 652154926, 560920438]),
        ] {
            let mut python = Python::seeded(&[seed]);
            assert_eq!([(); 6].map(|()| python.next_seed()), expected, "seed {seed}");
        }
    }

    #[test]
    fn takes_keys_of_several_digits() {
        // random.seed(2**64 + 5 * 2**32 + 7)
        let mut python = Python::seeded(&[7, 5, 1]);
        assert_eq!([(); 3].map(|()| python.next_seed()), [416550827, 825706615, 390345885]);
    }

    #[test]
    fn draws_every_integer_of_a_small_range() {
        let mut python = Python::seeded(&[1]);
        let mut seen = [0; 3];
        for _ in 0..300 {
            seen[python.below(3) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 70), "{seen:?}");
        assert_eq!(python.below(1), 0);
    }
}
