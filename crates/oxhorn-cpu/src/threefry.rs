//! Random bits by counter: Threefry-2x32 with 20 rounds, in the form JAX calls partitionable.
//!
//! J. Salmon et al., *Parallel random numbers: as easy as 1, 2, 3* (2011). Word `i` depends on the
//! key and on `i` alone, so any part of a stream can be drawn by any thread, and drawn again.

use crate::{isa::Isa, lanes::lanes};

/// The constant of Threefry's key schedule.
const PARITY: u32 = 0x1BD1_1BDA;

/// The rotations of four rounds and of the next four.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// `fill(isa)(key, counter, words, len)` writes words `counter .. counter + len` of the stream that
/// `key` names: word `i` is `hi ^ lo` of the block at the 64-bit counter `i`.
///
/// # Safety
/// Calling what comes back: `words` has room for `len` elements, and the machine has the
/// instruction set.
pub fn fill(isa: Isa) -> unsafe fn(key: [u32; 2], counter: u64, words: *mut u32, len: usize) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => avx512::fill,
        _ => fill_by_words(isa),
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
}

/// By hand, for it must keep several vectors in flight: twenty rounds are one long chain.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use super::{PARITY, ROTATIONS};
    use std::arch::x86_64::*;

    /// Vectors in flight.
    const N: usize = 4;
    type Vectors = [__m512i; N];

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
    pub(super) unsafe fn fill(key: [u32; 2], counter: u64, words: *mut u32, len: usize) {
        for start in (0..len).step_by(16 * N) {
            let chunk = chunk(key, counter.wrapping_add(start as u64));
            for (j, vector) in chunk.into_iter().enumerate() {
                let at = start + 16 * j;
                let count = len.saturating_sub(at).min(16);
                let mask = ((1u32 << count) - 1) as __mmask16;
                // SAFETY: the mask ends where the room promised does.
                unsafe { _mm512_mask_storeu_epi32(words.wrapping_add(at).cast(), mask, vector) };
            }
        }
    }

    /// The words at `counter` and the counters after it.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn chunk(key: [u32; 2], counter: u64) -> Vectors {
        let iota = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        let first = _mm512_set1_epi32(counter as i32);
        let (mut x0, mut x1) = ([_mm512_set1_epi32((counter >> 32) as i32); N], [first; N]);
        for j in 0..N {
            x1[j] =
                _mm512_add_epi32(first, _mm512_add_epi32(iota, _mm512_set1_epi32(16 * j as i32)));
            // Where the lower half of the counter wraps around, the upper half counts one more.
            let wrapped = _mm512_cmplt_epu32_mask(x1[j], first);
            x0[j] = _mm512_mask_add_epi32(x0[j], wrapped, x0[j], _mm512_set1_epi32(1));
        }
        let keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
        add(&mut x0, keys[0]);
        add(&mut x1, keys[1]);
        for group in 0..5 {
            for rotation in ROTATIONS[group % 2] {
                let rotation = _mm512_set1_epi32(rotation as i32);
                for j in 0..N {
                    x0[j] = _mm512_add_epi32(x0[j], x1[j]);
                    x1[j] = _mm512_xor_si512(_mm512_rolv_epi32(x1[j], rotation), x0[j]);
                }
            }
            add(&mut x0, keys[(group + 1) % 3]);
            add(&mut x1, keys[(group + 2) % 3].wrapping_add(group as u32 + 1));
        }
        for j in 0..N {
            x0[j] = _mm512_xor_si512(x0[j], x1[j]);
        }
        x0
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn add(x: &mut Vectors, key: u32) {
        for x in x {
            *x = _mm512_add_epi32(*x, _mm512_set1_epi32(key as i32));
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
