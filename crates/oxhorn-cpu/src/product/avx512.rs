//! Registers of AVX-512.

use super::vector::{Vector, kernels, vector};
use std::arch::x86_64::*;

kernels!(F32, __m512, f32, "avx512f,avx512vl,avx512dq,avx512bw,fma";
    [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);
kernels!(F64, __m512d, f64, "avx512f,avx512vl,avx512dq,avx512bw,fma";
    [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);
kernels!(NARROW_F32, Narrow<__m256>, f32, "avx512f,avx512vl,avx512dq,avx512bw,fma";
    [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);
kernels!(NARROW_F64, Narrow<__m256d>, f64, "avx512f,avx512vl,avx512dq,avx512bw,fma";
    [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);

vector! {
    __m512: [f32; 16],
    zero: _mm512_setzero_ps(),
    splat: |x| _mm512_set1_ps(x),
    mul_add: |a, b, c| _mm512_fmadd_ps(a, b, c),
    load: |x| _mm512_loadu_ps(x),
    store: |v, y| _mm512_storeu_ps(y, v),
    mask: |count| __mmask16 = ((1u32 << count) - 1) as __mmask16,
    load_masked: |x, mask| _mm512_maskz_loadu_ps(mask, x),
    store_masked: |v, y, mask| _mm512_mask_storeu_ps(y, mask, v),
    transpose: transpose,
}

vector! {
    __m512d: [f64; 8],
    zero: _mm512_setzero_pd(),
    splat: |x| _mm512_set1_pd(x),
    mul_add: |a, b, c| _mm512_fmadd_pd(a, b, c),
    load: |x| _mm512_loadu_pd(x),
    store: |v, y| _mm512_storeu_pd(y, v),
    mask: |count| __mmask8 = ((1u32 << count) - 1) as __mmask8,
    load_masked: |x, mask| _mm512_maskz_loadu_pd(mask, x),
    store_masked: |v, y, mask| _mm512_mask_storeu_pd(y, mask, v),
}

/// Half a register, for products that would leave the other half idle. The masks, and the number of
/// registers, are what AVX2 lacks.
#[derive(Clone, Copy)]
struct Narrow<T>(T);

vector! {
    Narrow<__m256>: [f32; 8],
    zero: Narrow(_mm256_setzero_ps()),
    splat: |x| Narrow(_mm256_set1_ps(x)),
    mul_add: |a, b, c| Narrow(_mm256_fmadd_ps(a.0, b.0, c.0)),
    load: |x| Narrow(_mm256_loadu_ps(x)),
    store: |v, y| _mm256_storeu_ps(y, v.0),
    mask: |count| __mmask8 = ((1u32 << count) - 1) as __mmask8,
    load_masked: |x, mask| Narrow(_mm256_maskz_loadu_ps(mask, x)),
    store_masked: |v, y, mask| _mm256_mask_storeu_ps(y, mask, v.0),
}

vector! {
    Narrow<__m256d>: [f64; 4],
    zero: Narrow(_mm256_setzero_pd()),
    splat: |x| Narrow(_mm256_set1_pd(x)),
    mul_add: |a, b, c| Narrow(_mm256_fmadd_pd(a.0, b.0, c.0)),
    load: |x| Narrow(_mm256_loadu_pd(x)),
    store: |v, y| _mm256_storeu_pd(y, v.0),
    mask: |count| __mmask8 = ((1u32 << count) - 1) as __mmask8,
    load_masked: |x, mask| Narrow(_mm256_maskz_loadu_pd(mask, x)),
    store_masked: |v, y, mask| _mm256_mask_storeu_pd(y, mask, v.0),
}

/// [`Vector::transpose`], four columns at a time. Rows r, r + 4, r + 8 and r + 12 are brought side
/// by side while they are loaded, so that only squares of 4 by 4 are left to turn.
///
/// # Safety
/// There are 16 rows of 16 elements to read and to write.
#[target_feature(enable = "avx512f")]
#[inline]
unsafe fn transpose(x: *const f32, x_row: isize, y: *mut f32, y_row: usize) {
    for p in (0..16).step_by(4) {
        // SAFETY: rows and columns stay below 16.
        unsafe {
            let quarter = |r: isize| _mm_loadu_ps(x.offset(r * x_row).add(p));
            let rows = |r: isize| {
                let v = _mm512_castps128_ps512(quarter(r));
                let v = _mm512_insertf32x4::<1>(v, quarter(r + 4));
                let v = _mm512_insertf32x4::<2>(v, quarter(r + 8));
                _mm512_insertf32x4::<3>(v, quarter(r + 12))
            };
            let pairs = |a, b| {
                let (low, high) = (_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
                (_mm512_castps_pd(low), _mm512_castps_pd(high))
            };
            let (low01, high01) = pairs(rows(0), rows(1));
            let (low23, high23) = pairs(rows(2), rows(3));
            let write = |q: usize, v| _mm512_storeu_ps(y.add((p + q) * y_row), _mm512_castpd_ps(v));
            write(0, _mm512_unpacklo_pd(low01, low23));
            write(1, _mm512_unpackhi_pd(low01, low23));
            write(2, _mm512_unpacklo_pd(high01, high23));
            write(3, _mm512_unpackhi_pd(high01, high23));
        }
    }
}
