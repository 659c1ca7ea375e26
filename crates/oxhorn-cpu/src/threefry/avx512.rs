//! Words drawn in registers of AVX-512, by hand, for several must be in flight: twenty rounds are
//! one long chain.

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

#[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
pub(super) unsafe fn below(key: [u32; 2], counter: u64, limit: f32, answers: *mut u8, len: usize) {
    let limit = _mm512_set1_ps(limit);
    for start in (0..len).step_by(16 * N) {
        let chunk = chunk(key, counter.wrapping_add(start as u64));
        for (j, vector) in chunk.into_iter().enumerate() {
            let at = start + 16 * j;
            let count = len.saturating_sub(at).min(16);
            let mask = ((1u32 << count) - 1) as __mmask16;
            let numbers = _mm512_cvtepi32_ps(_mm512_srli_epi32::<9>(vector));
            let bytes = _mm_maskz_set1_epi8(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(numbers, limit), 1);
            // SAFETY: the mask ends where the room promised does.
            unsafe { _mm_mask_storeu_epi8(answers.wrapping_add(at).cast(), mask, bytes) };
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
        x1[j] = _mm512_add_epi32(first, _mm512_add_epi32(iota, _mm512_set1_epi32(16 * j as i32)));
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
