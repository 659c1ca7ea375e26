//! Random bits by counter: Threefry-2x32 with 20 rounds, in the form JAX calls partitionable.
//!
//! J. Salmon et al., *Parallel random numbers: as easy as 1, 2, 3* (2011). Word `i` depends on the
//! key and on `i` alone, so any part of a stream can be drawn by any thread, and drawn again.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::{isa::Isa, lanes::lanes};

/// The constant of Threefry's key schedule.
const PARITY: u32 = 0x1BD1_1BDA;

/// The rotations of four rounds and of the next four.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// Writes words of a stream: see [`fill`].
pub type Fill = unsafe fn(key: [u32; 2], counter: u64, words: *mut u32, len: usize);

/// Asks of words of a stream whether they lie below a limit: see [`below`].
pub type Below = unsafe fn(key: [u32; 2], counter: u64, limit: f32, answers: *mut u8, len: usize);

/// `fill(isa)(key, counter, words, len)` writes words `counter .. counter + len` of the stream that
/// `key` names: word `i` is `hi ^ lo` of the block at the 64-bit counter `i`.
///
/// # Safety
/// Calling what comes back: `words` has room for `len` elements, and the machine has the
/// instruction set.
pub fn fill(isa: Isa) -> Fill {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::fill,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::fill,
        _ => fill_by_words(isa),
    }
}

/// `below(isa)(key, counter, limit, answers, len)` writes for each word that `fill` would write
/// whether its 23 top bits, as a number, are below `limit`: 1 or 0. For `limit = 2²³ p` that is
/// true of a share `p` of all words.
///
/// # Safety
/// As [`fill`].
pub fn below(isa: Isa) -> Below {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => avx2::below,
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::below,
        _ => below_by_words(isa),
    }
}

lanes! {
    unsafe fn fill_by_words<M>(key: [u32; 2], counter: u64, words: *mut u32, len: usize) {
        let (high, low) = ((counter >> 32) as u32, counter as u32);
        for i in 0..len {
            let at = low.wrapping_add(i as u32);
            let [x0, x1] = block(key, [high.wrapping_add((at < low) as u32), at]);
            // SAFETY: word i lies within the room promised.
            unsafe { *words.add(i) = x0 ^ x1 };
        }
    }

    unsafe fn below_by_words<M>(
        key: [u32; 2],
        counter: u64,
        limit: f32,
        answers: *mut u8,
        len: usize,
    ) {
        let (high, low) = ((counter >> 32) as u32, counter as u32);
        for i in 0..len {
            let at = low.wrapping_add(i as u32);
            let [x0, x1] = block(key, [high.wrapping_add((at < low) as u32), at]);
            // SAFETY: answer i lies within the room promised.
            unsafe { *answers.add(i) = ((((x0 ^ x1) >> 9) as f32) < limit) as u8 };
        }
    }
}

/// The block at a counter.
#[inline(always)]
fn block(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
    let mut x0 = counter[0].wrapping_add(keys[0]);
    let mut x1 = counter[1].wrapping_add(keys[1]);
    for group in 0..5 {
        for rotation in ROTATIONS[group % 2] {
            x0 = x0.wrapping_add(x1);
            x1 = x1.rotate_left(rotation) ^ x0;
        }
        x0 = x0.wrapping_add(keys[(group + 1) % 3]);
        x1 = x1.wrapping_add(keys[(group + 2) % 3]).wrapping_add(group as u32 + 1);
    }
    [x0, x1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    fn words(isa: Isa, key: [u32; 2], counter: u64, len: usize) -> Vec<u32> {
        let mut words = vec![0xDEAD_BEEF; len + 1];
        // SAFETY: there is room for `len` words, and this machine has the instruction set.
        unsafe { fill(isa)(key, counter, words.as_mut_ptr(), len) };
        assert_eq!(words.pop(), Some(0xDEAD_BEEF));
        words
    }

    #[test]
    fn gives_the_known_answers_of_random123() {
        assert_eq!(block([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(block([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
        let pi = block([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]);
        assert_eq!(pi, [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn word_i_is_the_two_halves_of_block_i_combined() {
        let key = [33_636_388, 7];
        for isa in Isa::available() {
            for start in [0, 5, u32::MAX as u64 - 8, u64::MAX - 3, 0x0123_4567_89AB_CDEF] {
                for (i, word) in words(isa, key, start, 40).into_iter().enumerate() {
                    let at = start.wrapping_add(i as u64);
                    let [high, low] = block(key, [(at >> 32) as u32, at as u32]);
                    assert_eq!(word, high ^ low, "{isa}, word {at}");
                }
            }
        }
    }

    #[test]
    fn any_part_of_a_stream_can_be_drawn_alone() {
        let key = [812, 1];
        let whole = words(Isa::Plain, key, 0, 1100);
        for isa in Isa::available() {
            for len in [0, 1, 15, 16, 17, 63, 64, 65, 1000] {
                for start in [0, 1, 16, 37] {
                    let part = words(isa, key, start as u64, len);
                    assert_eq!(part, whole[start..start + len], "{isa} {start} {len}");
                }
            }
        }
    }

    #[test]
    fn what_lies_below_a_limit_is_what_the_words_say() {
        let key = [7, 812];
        for isa in Isa::available() {
            for len in [0, 1, 31, 32, 33, 63, 64, 65, 1000] {
                for limit in [0.0, 0.5, 1.0, 4_194_304.0, 5_033_164.8, 8_388_608.0, f32::NAN] {
                    let start = u32::MAX as u64 - 40;
                    let mut answers = vec![7; len + 1];
                    // SAFETY: there is room, and this machine has the instruction set.
                    unsafe { below(isa)(key, start, limit, answers.as_mut_ptr(), len) };
                    assert_eq!(answers.pop(), Some(7), "{isa} {len}");
                    let words = words(Isa::Plain, key, start, len);
                    let expected = words.into_iter().map(|w| (((w >> 9) as f32) < limit) as u8);
                    assert!(expected.eq(answers), "{isa} {len} {limit}");
                }
            }
        }
    }

    #[test]
    fn gives_the_first_weights_of_keras_on_jax() {
        // `keras.utils.set_random_seed(812)`, then the kernel of `Dense(64)` on 25 features.
        let limit = (6.0f32 / (25 + 64) as f32).sqrt();
        let uniform = |word: u32| f32::from_bits(word >> 9 | 0x3F80_0000) - 1.0;
        let kernel = words(Isa::best(), [33_636_388, 0], 0, 3);
        let kernel: Vec<f32> =
            kernel.into_iter().map(|w| uniform(w) * 2.0 * limit - limit).collect();
        for (value, keras) in kernel.iter().zip([0.240_093_05, 0.015_496_997, -0.145_768_75]) {
            assert!((value - keras).abs() < 1e-7, "{value} is not {keras}");
        }
    }
}
