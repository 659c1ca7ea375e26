//! Registers of AVX2.

use super::vector::{Vector, kernels, vector};
use std::arch::x86_64::*;

kernels!(F32, __m256, f32, "avx2,fma"; [1 2 3 4 5 6 7 8] [1 2 3 4 5 6]);
kernels!(F64, __m256d, f64, "avx2,fma"; [1 2 3 4 5 6 7 8] [1 2 3 4 5 6]);

/// A mask of `count` lanes starts `count` before the middle.
static MASKS_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static MASKS_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

/// Some first lanes, of 32 or of 64 bits.
#[derive(Clone, Copy)]
pub(in crate::product) struct First {
    count: usize,
    mask: __m256i,
}

vector! {
    __m256: [f32; 8],
    zero: _mm256_setzero_ps(),
    splat: |x| _mm256_set1_ps(x),
    mul_add: |a, b, c| _mm256_fmadd_ps(a, b, c),
    load: |x| _mm256_loadu_ps(x),
    store: |v, y| _mm256_storeu_ps(y, v),
    mask: |count| First =
        First { count, mask: _mm256_loadu_si256(MASKS_32.as_ptr().add(8 - count).cast()) },
    load_masked: |x, first| _mm256_maskload_ps(x, first.mask),
    store_masked: |v, y, first| store_first_ps(v, y, first.count),
    transpose: transpose,
}

vector! {
    __m256d: [f64; 4],
    zero: _mm256_setzero_pd(),
    splat: |x| _mm256_set1_pd(x),
    mul_add: |a, b, c| _mm256_fmadd_pd(a, b, c),
    load: |x| _mm256_loadu_pd(x),
    store: |v, y| _mm256_storeu_pd(y, v),
    mask: |count| First =
        First { count, mask: _mm256_loadu_si256(MASKS_64.as_ptr().add(4 - count).cast()) },
    load_masked: |x, first| _mm256_maskload_pd(x, first.mask),
    store_masked: |v, y, first| store_first_pd(v, y, first.count),
}

/// Stores the first lanes, halving what is left: `vmaskmov` to memory takes some processors tens of
/// cycles.
///
/// # Safety
/// There is room for `count` elements, at most 8.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn store_first_ps(v: __m256, y: *mut f32, count: usize) {
    let (mut v, mut y) = (v, y);
    // SAFETY: the elements written are `count` in all.
    unsafe {
        if count >= 8 {
            return _mm256_storeu_ps(y, v);
        }
        if count & 4 != 0 {
            _mm_storeu_ps(y, _mm256_castps256_ps128(v));
            (v, y) = (_mm256_castps128_ps256(_mm256_extractf128_ps::<1>(v)), y.add(4));
        }
        let mut v = _mm256_castps256_ps128(v);
        if count & 2 != 0 {
            _mm_storel_pd(y.cast(), _mm_castps_pd(v));
            (v, y) = (_mm_movehl_ps(v, v), y.add(2));
        }
        if count & 1 != 0 {
            _mm_store_ss(y, v);
        }
    }
}

/// The same.
///
/// # Safety
/// There is room for `count` elements, at most 4.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn store_first_pd(v: __m256d, y: *mut f64, count: usize) {
    let (mut v, mut y) = (v, y);
    // SAFETY: the elements written are `count` in all.
    unsafe {
        if count >= 4 {
            return _mm256_storeu_pd(y, v);
        }
        if count & 2 != 0 {
            _mm_storeu_pd(y, _mm256_castpd256_pd128(v));
            (v, y) = (_mm256_castpd128_pd256(_mm256_extractf128_pd::<1>(v)), y.add(2));
        }
        if count & 1 != 0 {
            _mm_store_sd(y, _mm256_castpd256_pd128(v));
        }
    }
}

/// [`Vector::transpose`], four columns at a time, rows r and r + 4 side by side, so that only
/// squares of 4 by 4 are left to turn.
///
/// # Safety
/// There are 8 rows of 8 elements to read and to write.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn transpose(x: *const f32, x_row: isize, y: *mut f32, y_row: usize) {
    for p in (0..8).step_by(4) {
        // SAFETY: rows and columns stay below 8.
        unsafe {
            let half = |r: isize| _mm_loadu_ps(x.offset(r * x_row).add(p));
            let rows = |r: isize| _mm256_set_m128(half(r + 4), half(r));
            let pairs = |a, b| {
                let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                (_mm256_castps_pd(low), _mm256_castps_pd(high))
            };
            let (low01, high01) = pairs(rows(0), rows(1));
            let (low23, high23) = pairs(rows(2), rows(3));
            let write = |q: usize, v| _mm256_storeu_ps(y.add((p + q) * y_row), _mm256_castpd_ps(v));
            write(0, _mm256_unpacklo_pd(low01, low23));
            write(1, _mm256_unpackhi_pd(low01, low23));
            write(2, _mm256_unpacklo_pd(high01, high23));
            write(3, _mm256_unpackhi_pd(high01, high23));
        }
    }
}
