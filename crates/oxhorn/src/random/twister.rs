//! The Mersenne twister behind both streams, whose state can be written down.

use rand_mt::Mt;

/// How many numbers say where a generator is: every further one follows from as many before it.
pub(super) const NUMBERS: usize = 624;

/// MT19937, which knows its next numbers where it was made from them.
#[derive(Clone, Debug)]
pub(super) struct Twister {
    /// Numbers to come before those of the generator, the last first.
    ahead: Vec<u32>,
    generator: Mt,
}

impl Twister {
    pub(super) fn new(generator: Mt) -> Twister {
        Twister { ahead: vec![], generator }
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        self.ahead.pop().unwrap_or_else(|| self.generator.next_u32())
    }

    /// Two numbers as one, the higher half first.
    pub(super) fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.next_u32());
        high << 32 | u64::from(self.next_u32())
    }

    /// Where the generator is: its next numbers, which it has still to give.
    pub(super) fn state(&self) -> Vec<u32> {
        let mut copy = self.clone();
        (0..NUMBERS).map(|_| copy.next_u32()).collect()
    }

    /// The generator whose next numbers are these; `None` if they are too few or too many.
    pub(super) fn of_state(numbers: &[u32]) -> Option<Twister> {
        let next: [u32; NUMBERS] = numbers.try_into().ok()?;
        Some(Twister { ahead: next.iter().rev().copied().collect(), generator: Mt::from(next) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_from_any_moment_as_the_generator_itself_does() {
        for taken in [0, 1, 7, 623, 624, 625, 1301] {
            let mut plain = Mt::new(42);
            let mut twister = Twister::new(Mt::new(42));
            for _ in 0..taken {
                assert_eq!(twister.next_u32(), plain.next_u32());
            }
            let mut again = Twister::of_state(&twister.state()).expect("as many as it takes");
            assert_eq!(again.state(), twister.state());
            for i in 0..2000 {
                assert_eq!(again.next_u32(), plain.next_u32(), "{taken} taken, then {i}");
            }
        }
    }

    #[test]
    fn two_numbers_are_one_as_in_the_library() {
        let (mut twister, mut plain) = (Twister::new(Mt::new(7)), Mt::new(7));
        assert_eq!(twister.next_u64(), plain.next_u64());
        assert!(Twister::of_state(&[0; 623]).is_none());
    }
}
