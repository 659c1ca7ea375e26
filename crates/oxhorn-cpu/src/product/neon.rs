//! Registers of NEON.

use super::vector::{Vector, kernels, vector};
use std::arch::aarch64::*;

kernels!(F32, float32x4_t, f32, "neon"; [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);
kernels!(F64, float64x2_t, f64, "neon"; [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8] [1 2 3 4 5 6 7 8]);

// There are no masked loads and stores: part of a register goes by way of an array.

vector! {
    float32x4_t: [f32; 4],
    zero: vdupq_n_f32(0.0),
    splat: |x| vdupq_n_f32(x),
    mul_add: |a, b, c| vfmaq_f32(c, a, b),
    load: |x| vld1q_f32(x),
    store: |v, y| vst1q_f32(y, v),
    mask: |count| usize = count,
    load_masked: |x, count| {
        if count == 4 {
            return vld1q_f32(x);
        }
        let mut lanes = [0.0; 4];
        x.copy_to_nonoverlapping(lanes.as_mut_ptr(), count);
        vld1q_f32(lanes.as_ptr())
    },
    store_masked: |v, y, count| {
        let mut lanes = [0.0; 4];
        vst1q_f32(lanes.as_mut_ptr(), v);
        y.copy_from_nonoverlapping(lanes.as_ptr(), count);
    },
}

vector! {
    float64x2_t: [f64; 2],
    zero: vdupq_n_f64(0.0),
    splat: |x| vdupq_n_f64(x),
    mul_add: |a, b, c| vfmaq_f64(c, a, b),
    load: |x| vld1q_f64(x),
    store: |v, y| vst1q_f64(y, v),
    mask: |count| usize = count,
    load_masked: |x, count| {
        if count == 2 { vld1q_f64(x) } else { vsetq_lane_f64::<0>(*x, vdupq_n_f64(0.0)) }
    },
    store_masked: |v, y, count| {
        if count == 2 { vst1q_f64(y, v) } else { *y = vgetq_lane_f64::<0>(v) }
    },
}
