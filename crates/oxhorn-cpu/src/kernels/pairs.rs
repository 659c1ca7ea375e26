//! Two functions of two elements in one loop, so that what the first gives never leaves a register.
//!
//! The bits are those of the two loops one after the other: nothing is contracted.

use oxhorn_ir::Binary;

use crate::{
    isa::Isa,
    kernels::elementwise::{Loop, looped},
    lanes::{each, lanes},
};

/// On which side of the second function the result of the first stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `(a ∘ b) ∘ c`
    Left,
    /// `c ∘ (a ∘ b)`
    Right,
}

/// The loop of `second(first(a, b), c)`, or of `second(c, first(a, b))`, in `f32`; none for
/// functions that are no plain arithmetic.
pub fn pair(isa: Isa, first: Binary, second: Binary, side: Side) -> Option<Loop> {
    macro_rules! second {
        (|$a:ident, $b:ident| $first:expr) => {
            Some(match (second, side) {
                (Binary::Add, _) => looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { $first + c }),
                (Binary::Mul, _) => looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { $first * c }),
                (Binary::Sub, Side::Left) => {
                    looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { $first - c })
                }
                (Binary::Sub, Side::Right) => {
                    looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { c - $first })
                }
                (Binary::Div, Side::Left) => {
                    looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { $first / c })
                }
                (Binary::Div, Side::Right) => {
                    looped!(isa; |$a: f32, $b: f32, c: f32| -> f32 { c / $first })
                }
                _ => return None,
            })
        };
    }
    match first {
        Binary::Add => second!(|a, b| (a + b)),
        Binary::Sub => second!(|a, b| (a - b)),
        Binary::Mul => second!(|a, b| (a * b)),
        Binary::Div => second!(|a, b| (a / b)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{elementwise::binary, testing::LENGTHS};
    use oxhorn_ir::DType;

    #[test]
    fn give_the_bits_of_their_parts() {
        let arithmetic = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div];
        let number = |i: usize, k: f32| (i as f32 * 0.37 + k).sin() * 3.0;
        for isa in Isa::available() {
            for (first, second) in arithmetic.into_iter().flat_map(|a| arithmetic.map(|b| (a, b))) {
                for (side, len) in
                    LENGTHS.into_iter().flat_map(|n| [(Side::Left, n), (Side::Right, n)])
                {
                    let [a, b, c] = [0.1, 0.2, 0.3]
                        .map(|k| (0..len).map(|i| number(i, k)).collect::<Vec<f32>>());
                    let (mut once, mut between, mut twice) =
                        (vec![0f32; len], vec![0f32; len], vec![0f32; len]);
                    let (a, b, c) = (a.as_ptr().cast(), b.as_ptr().cast(), c.as_ptr().cast());
                    let loops = [first, second].map(|op| binary(isa, op, DType::F32).unwrap());
                    // SAFETY: this machine has the instruction set; all arrays have `len` elements.
                    unsafe {
                        let run = pair(isa, first, second, side).unwrap();
                        run(len, once.as_mut_ptr().cast(), [a, b, c]);
                        loops[0](len, between.as_mut_ptr().cast(), [a, b, b]);
                        let x = between.as_ptr().cast();
                        let args = if side == Side::Left { [x, c, c] } else { [c, x, x] };
                        loops[1](len, twice.as_mut_ptr().cast(), args);
                    }
                    let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&once), bits(&twice), "{isa} {first:?} {second:?} {side:?}");
                }
            }
        }
    }
}
