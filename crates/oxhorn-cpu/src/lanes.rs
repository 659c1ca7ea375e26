//! Loops written once and compiled for every instruction set.
//!
//! [`lanes!`] turns one plain loop into a function per [`Isa`](crate::isa::Isa), each with the
//! vector features of its set enabled, and a lookup that gives the right one. The compiler makes
//! the vectors; [`each!`] is the shape of loop it does that well with.

/// Elements taken at a time: one AVX-512 register of f32.
pub(crate) const CHUNK: usize = 16;

/// Declares `fn name(isa: Isa) -> unsafe fn(..)`, giving a loop compiled for an instruction set.
///
/// ```ignore
/// lanes! {
///     /// `y[i] = eˣ⁽ⁱ⁾`
///     pub(crate) unsafe fn exp<M>(x: *const f32, y: *mut f32, len: usize) {
///         unsafe { each!(len; y: f32 = |x| math::exp::<M>(x)) }
///     }
/// }
/// unsafe { exp(Isa::best())(x, y, len) };
/// ```
///
/// `M` is the [`Arithmetic`](crate::math::Arithmetic) of the instruction set. Whoever calls the
/// function that comes back owes what the loop itself asks for, and a machine that has the
/// instruction set.
macro_rules! lanes {
    ($(
        $(#[$meta:meta])*
        $vis:vis unsafe fn $name:ident<$m:ident>($($arg:ident: $ty:ty),* $(,)?) $body:block
    )*) => {$(
        $(#[$meta])*
        $vis fn $name(isa: $crate::isa::Isa) -> unsafe fn($($ty),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "a kernel takes plain numbers")]
            #[allow(clippy::extra_unused_type_parameters, reason = "not every loop multiplies")]
            unsafe fn body<$m: $crate::math::Arithmetic>($($arg: $ty),*) $body

            #[allow(clippy::too_many_arguments, reason = "a kernel takes plain numbers")]
            unsafe fn plain($($arg: $ty),*) {
                // SAFETY: the caller's promises are those of the loop.
                unsafe { body::<$crate::math::Rounded>($($arg),*) }
            }

            #[cfg(target_arch = "aarch64")]
            #[target_feature(enable = "neon")]
            #[allow(clippy::too_many_arguments, reason = "a kernel takes plain numbers")]
            unsafe fn neon($($arg: $ty),*) {
                // SAFETY: the caller's promises are those of the loop.
                unsafe { body::<$crate::math::Fused>($($arg),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments, reason = "a kernel takes plain numbers")]
            unsafe fn avx2($($arg: $ty),*) {
                // SAFETY: the caller's promises are those of the loop.
                unsafe { body::<$crate::math::Fused>($($arg),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
            #[allow(clippy::too_many_arguments, reason = "a kernel takes plain numbers")]
            unsafe fn avx512($($arg: $ty),*) {
                // SAFETY: the caller's promises are those of the loop.
                unsafe { body::<$crate::math::Fused>($($arg),*) }
            }

            match isa {
                #[cfg(target_arch = "aarch64")]
                $crate::isa::Isa::Neon => neon,
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx2 => avx2,
                #[cfg(target_arch = "x86_64")]
                $crate::isa::Isa::Avx512 => avx512,
                _ => plain,
            }
        }
    )*};
}
pub(crate) use lanes;

/// Computes `y[i]` from `x[i]` of each input: `each!(len; y: f32 = |a, b| a * b)` where `y`, `a`
/// and `b` are pointers to `len` elements. `y` may be an input of elements no smaller than its own:
/// every chunk is read whole before it is written.
///
/// A macro and no function, for the expression must not end up in a closure: the compiler may leave
/// a long one where it is, without the vectors of the instruction set. Belongs inside `unsafe`.
macro_rules! each {
    ($len:expr; $y:ident: $out:ty = |$($x:ident),+| $body:expr) => {{
        use $crate::lanes::{CHUNK, one_chunk_at_a_time, padded, read, write};
        let len: usize = $len;
        let whole = len - len % CHUNK;
        for start in (0..whole).step_by(CHUNK) {
            $(let $x = read($x.wrapping_add(start));)+
            one_chunk_at_a_time();
            let mut out: [$out; CHUNK] = [Default::default(); CHUNK];
            for i in 0..CHUNK {
                $(let $x = $x[i];)+
                out[i] = $body;
            }
            write($y.wrapping_add(start), out);
        }
        // Apart from the loop, so that whole chunks never take the way of the last one through
        // memory.
        if whole < len {
            $(let $x = padded($x.wrapping_add(whole), len - whole);)+
            let mut out: [$out; CHUNK] = [Default::default(); CHUNK];
            for i in 0..CHUNK {
                $(let $x = $x[i];)+
                out[i] = $body;
            }
            $y.wrapping_add(whole).copy_from_nonoverlapping(out.as_ptr(), len - whole);
        }
    }};
}
pub(crate) use each;

/// # Safety
/// There is a chunk of elements at `x`.
#[inline(always)]
pub(crate) unsafe fn read<X: Copy>(x: *const X) -> [X; CHUNK] {
    // SAFETY: as promised by the caller.
    unsafe { x.cast::<[X; CHUNK]>().read() }
}

/// # Safety
/// There is room for a chunk of elements at `y`.
#[inline(always)]
pub(crate) unsafe fn write<Y: Copy>(y: *mut Y, chunk: [Y; CHUNK]) {
    // SAFETY: as promised by the caller.
    unsafe { y.cast::<[Y; CHUNK]>().write(chunk) }
}

/// The `count` elements at `x`, filled up with zeros.
///
/// # Safety
/// `x` holds `count` elements, fewer than [`CHUNK`].
#[inline(always)]
pub(crate) unsafe fn padded<X: Copy + Default>(x: *const X, count: usize) -> [X; CHUNK] {
    let mut chunk = [X::default(); CHUNK];
    // SAFETY: as promised by the caller.
    unsafe { x.copy_to_nonoverlapping(chunk.as_mut_ptr(), count) };
    chunk
}

/// Keeps the compiler from making vectors across chunks, which it would fill by shuffling: ten
/// times slower than the vectors within a chunk. Costs no instruction.
#[inline(always)]
pub(crate) fn one_chunk_at_a_time() {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    // SAFETY: there is no instruction in it.
    unsafe {
        std::arch::asm!("", options(nomem, nostack, preserves_flags));
    }
}

#[cfg(test)]
mod tests {
    use crate::{isa::Isa, math};

    lanes! {
        unsafe fn tanh<M>(len: usize, y: *mut f32, x: *const f32) {
            // SAFETY: as promised by the caller.
            unsafe { each!(len; y: f32 = |x| math::tanh::<M>(x)) }
        }

        unsafe fn weighted<M>(len: usize, y: *mut f64, a: *const f64, b: *const u8, c: *const f32) {
            // SAFETY: as promised by the caller.
            unsafe { each!(len; y: f64 = |a, b, c| M::mul_add_f64(a, b as f64, c as f64)) }
        }
    }

    const LENGTHS: [usize; 9] = [0, 1, 15, 16, 17, 63, 64, 65, 1000];

    #[test]
    fn writes_every_element_and_none_beyond() {
        for isa in Isa::available() {
            for len in LENGTHS {
                let x: Vec<f32> = (0..len).map(|i| i as f32 * 0.01 - 2.0).collect();
                let mut y = vec![7.0; len + 1];
                // SAFETY: this machine has the instruction set; the arrays are long enough.
                unsafe { tanh(isa)(len, y.as_mut_ptr(), x.as_ptr()) };
                assert_eq!(y.pop(), Some(7.0));
                let expected = match isa {
                    Isa::Plain => math::tanh::<math::Rounded>,
                    _ => math::tanh::<math::Fused>,
                };
                assert_eq!(y, x.into_iter().map(expected).collect::<Vec<_>>(), "{isa} {len}");
            }
        }
    }

    #[test]
    fn may_write_over_its_input() {
        for isa in Isa::available() {
            for len in LENGTHS {
                let mut x = vec![0.5; len];
                // SAFETY: this machine has the instruction set; input and output are one array.
                unsafe { tanh(isa)(len, x.as_mut_ptr(), x.as_ptr()) };
                assert!(x.iter().all(|y| (y - 0.462_117_16).abs() < 1e-7), "{isa} {len}");
            }
        }
    }

    #[test]
    fn takes_three_inputs_of_three_types() {
        for isa in Isa::available() {
            for len in LENGTHS {
                let a: Vec<f64> = (0..len).map(|i| i as f64).collect();
                let b: Vec<u8> = (0..len).map(|i| (i % 2) as u8).collect();
                let c: Vec<f32> = (0..len).map(|i| i as f32 * 0.5).collect();
                let mut y = vec![-1.0; len];
                // SAFETY: this machine has the instruction set; the arrays are long enough.
                unsafe { weighted(isa)(len, y.as_mut_ptr(), a.as_ptr(), b.as_ptr(), c.as_ptr()) };
                let expected = |i: usize| (i * (i % 2)) as f64 + i as f64 * 0.5;
                assert!(y.iter().enumerate().all(|(i, &y)| y == expected(i)), "{isa} {len}");
            }
        }
    }
}
