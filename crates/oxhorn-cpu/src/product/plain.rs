//! Arrays in place of registers, for machines whose vectors we do not know.

use super::vector::{Vector, kernels};

kernels!(F32, [f32; 4], f32; [1 2 3 4] [1 2 3 4]);
kernels!(F64, [f64; 2], f64; [1 2 3 4] [1 2 3 4]);

macro_rules! plain {
    ($element:ty, $lanes:literal) => {
        // SAFETY (all methods): callers pass good pointers.
        impl Vector for [$element; $lanes] {
            type Element = $element;
            type Mask = usize;
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn zero() -> Self {
                [0.0; $lanes]
            }

            #[inline(always)]
            unsafe fn splat(x: *const $element) -> Self {
                // SAFETY: see above.
                [unsafe { *x }; $lanes]
            }

            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                std::array::from_fn(|i| self[i] * b[i] + c[i])
            }

            #[inline(always)]
            unsafe fn load(x: *const $element) -> Self {
                // SAFETY: see above.
                unsafe { x.cast::<Self>().read() }
            }

            #[inline(always)]
            unsafe fn store(self, y: *mut $element) {
                // SAFETY: see above.
                unsafe { y.cast::<Self>().write(self) }
            }

            #[inline(always)]
            unsafe fn mask(count: usize) -> usize {
                count
            }

            #[inline(always)]
            unsafe fn load_masked(x: *const $element, count: usize) -> Self {
                let mut lanes = [0.0; $lanes];
                // SAFETY: see above.
                unsafe {
                    if count == $lanes {
                        return Self::load(x);
                    }
                    x.copy_to_nonoverlapping(lanes.as_mut_ptr(), count);
                }
                lanes
            }

            #[inline(always)]
            unsafe fn store_masked(self, y: *mut $element, count: usize) {
                // SAFETY: see above.
                unsafe { y.copy_from_nonoverlapping(self.as_ptr(), count) }
            }
        }
    };
}

plain!(f32, 4);
plain!(f64, 2);
