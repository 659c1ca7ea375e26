//! Words drawn in registers of AVX2, by hand, for several must be in flight: twenty rounds are one
//! long chain.

use super::{PARITY, ROTATIONS};
use std::arch::x86_64::*;

/// Vectors in flight.
const N: usize = 4;
type Vectors = [__m256i; N];

#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill(key: [u32; 2], counter: u64, words: *mut u32, len: usize) {
    let whole = len - len % (8 * N);
    for start in (0..whole).step_by(8 * N) {
        let chunk = chunk(key, counter.wrapping_add(start as u64));
        // SAFETY: there is room for a whole chunk.
        unsafe { words.add(start).cast::<Vectors>().write_unaligned(chunk) };
    }
    if whole < len {
        let chunk = chunk(key, counter.wrapping_add(whole as u64));
        // SAFETY: there is room for the rest, which is shorter than a chunk.
        unsafe {
            let rest = (&raw const chunk).cast::<u32>();
            words.add(whole).copy_from_nonoverlapping(rest, len - whole);
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) unsafe fn below(key: [u32; 2], counter: u64, limit: f32, answers: *mut u8, len: usize) {
    let limit = _mm256_set1_ps(limit);
    for start in (0..len).step_by(8 * N) {
        let bytes = answer(chunk(key, counter.wrapping_add(start as u64)), limit);
        let count = (len - start).min(8 * N);
        // SAFETY: there is room for as many.
        unsafe {
            if count == 8 * N {
                _mm256_storeu_si256(answers.add(start).cast(), bytes);
            } else {
                let bytes = (&raw const bytes).cast::<u8>();
                answers.add(start).copy_from_nonoverlapping(bytes, count);
            }
        }
    }
}

/// For each word 1 if its 23 top bits are below the limit, and else 0.
#[target_feature(enable = "avx2")]
#[inline]
fn answer(words: Vectors, limit: __m256) -> __m256i {
    let mut below = words;
    for x in &mut below {
        let numbers = _mm256_cvtepi32_ps(_mm256_srli_epi32::<9>(*x));
        *x = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_LT_OQ>(numbers, limit));
    }
    // Packing works on the halves of a register apart: what belongs together is brought together
    // at the end.
    let low = _mm256_packs_epi32(below[0], below[1]);
    let high = _mm256_packs_epi32(below[2], below[3]);
    let bytes = _mm256_packs_epi16(low, high);
    let bytes = _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    _mm256_and_si256(bytes, _mm256_set1_epi8(1))
}

/// The words at `counter` and the counters after it.
#[target_feature(enable = "avx2")]
#[inline]
fn chunk(key: [u32; 2], counter: u64) -> Vectors {
    let iota = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    let first = _mm256_set1_epi32(counter as i32);
    let (mut x0, mut x1) = ([_mm256_set1_epi32((counter >> 32) as i32); N], [first; N]);
    for j in 0..N {
        x1[j] = _mm256_add_epi32(first, _mm256_add_epi32(iota, _mm256_set1_epi32(8 * j as i32)));
        // Where the lower half of the counter wraps around, the upper half counts one more: of two
        // comparisons that give -1 for true, one asks whether it has not.
        let not_wrapped = _mm256_cmpeq_epi32(_mm256_max_epu32(x1[j], first), x1[j]);
        x0[j] = _mm256_add_epi32(_mm256_add_epi32(x0[j], _mm256_set1_epi32(1)), not_wrapped);
    }
    let keys = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
    add(&mut x0, keys[0]);
    add(&mut x1, keys[1]);
    for group in 0..5 {
        // Both lists of rotations are written out: by a constant, a rotation is two shifts or one
        // shuffle; by a number it is looked up first.
        if group % 2 == 0 {
            rounds::<{ ROTATIONS[0][0] }, { ROTATIONS[0][1] }>(&mut x0, &mut x1);
            rounds::<{ ROTATIONS[0][2] }, { ROTATIONS[0][3] }>(&mut x0, &mut x1);
        } else {
            rounds::<{ ROTATIONS[1][0] }, { ROTATIONS[1][1] }>(&mut x0, &mut x1);
            rounds::<{ ROTATIONS[1][2] }, { ROTATIONS[1][3] }>(&mut x0, &mut x1);
        }
        add(&mut x0, keys[(group + 1) % 3]);
        add(&mut x1, keys[(group + 2) % 3].wrapping_add(group as u32 + 1));
    }
    for j in 0..N {
        x0[j] = _mm256_xor_si256(x0[j], x1[j]);
    }
    x0
}

/// Two rounds.
#[target_feature(enable = "avx2")]
#[inline]
fn rounds<const FIRST: u32, const SECOND: u32>(x0: &mut Vectors, x1: &mut Vectors) {
    for (x0, x1) in x0.iter_mut().zip(x1.iter_mut()) {
        *x0 = _mm256_add_epi32(*x0, *x1);
        *x1 = _mm256_xor_si256(rotate::<FIRST>(*x1), *x0);
    }
    for (x0, x1) in x0.iter_mut().zip(x1.iter_mut()) {
        *x0 = _mm256_add_epi32(*x0, *x1);
        *x1 = _mm256_xor_si256(rotate::<SECOND>(*x1), *x0);
    }
}

/// Every lane rotated to the left. Whole bytes are moved in one instruction instead of three.
#[target_feature(enable = "avx2")]
#[inline]
fn rotate<const BY: u32>(x: __m256i) -> __m256i {
    match BY {
        16 => {
            let order = _mm_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
            _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order))
        }
        24 => {
            let order = _mm_setr_epi8(1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12);
            _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(order))
        }
        _ => {
            let left = _mm256_sllv_epi32(x, _mm256_set1_epi32(BY as i32));
            _mm256_or_si256(left, _mm256_srlv_epi32(x, _mm256_set1_epi32(32 - BY as i32)))
        }
    }
}

#[target_feature(enable = "avx2")]
#[inline]
fn add(x: &mut Vectors, key: u32) {
    for x in x {
        *x = _mm256_add_epi32(*x, _mm256_set1_epi32(key as i32));
    }
}
