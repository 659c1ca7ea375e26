//! `random_bits`: 32 random bits an element, a pure function of a key and the element's index.

use crate::{Array, Attributes, Cotangents, DType, Result, Rule, Tensor, Type, ensure};

/// `y[ix] = hi ^ lo` of the Threefry block whose counter is the flat position of `ix`, under a key
/// of type `u32[2]`.
///
/// Salmon et al., *Parallel random numbers: as easy as 1, 2, 3*, SC 2011, with 20 rounds; the
/// assignment of words to elements is the "partitionable" one of JAX, so that equal keys give equal
/// numbers there and here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RandomBits {
    /// The shape of the result.
    pub shape: Vec<usize>,
}

impl RandomBits {
    pub(crate) fn parse(name: &str, _: &Attributes, ty: &Type) -> Result<Option<RandomBits>> {
        match name {
            "random_bits" => Ok(Some(RandomBits { shape: ty.shape.clone() })),
            _ => Ok(None),
        }
    }
}

impl<'g> Tensor<'g> {
    /// Random words under this key, which is `u32[2]`; see [`RandomBits`].
    pub fn random_bits(self, shape: impl Into<Vec<usize>>) -> Tensor<'g> {
        self.trace().push(RandomBits { shape: shape.into() }, &[self])
    }

    /// Numbers spread evenly over `0.0..1.0`, multiples of 2⁻²³, under this key.
    pub fn random_uniform(self, shape: impl Into<Vec<usize>>) -> Tensor<'g> {
        self.random_bits(shape).shift_right(9.0).cast(DType::F32) * 2f64.powi(-23)
    }

    /// Numbers of the standard normal law, under this key: uniform ones through the inverse of
    /// its distribution, `√2 · erf⁻¹(u)`, as in JAX.
    pub fn random_normal(self, shape: impl Into<Vec<usize>>) -> Tensor<'g> {
        // From the number after -1, whose inverse is finite, to 1, which is never drawn.
        let u = self.random_uniform(shape) * 2.0 + (2f64.powi(-24) - 1.0);
        u.erf_inv() * std::f64::consts::SQRT_2
    }
}

impl Rule for RandomBits {
    fn name(&self) -> &'static str {
        "random_bits"
    }

    fn arity(&self) -> Option<usize> {
        Some(1)
    }

    fn infer(&self, args: &[&Type]) -> Result<Type> {
        let is_key = args[0].dtype == DType::U32 && args[0].shape == [2];
        ensure!(is_key, "`random_bits` needs a key of type u32[2], got {}", args[0]);
        Ok(Type::new(DType::U32, &self.shape[..]))
    }

    fn vjp<'g>(&self, _: Tensor<'g>, _: &[Tensor<'g>], _: Tensor<'g>) -> Cotangents<'g> {
        vec![None]
    }

    fn reference(&self, args: &[&Array], ty: &Type) -> Array {
        let key = [args[0].data[0] as u32, args[0].data[1] as u32];
        let word = |i: usize| {
            let [hi, lo] = threefry(key, [(i as u64 >> 32) as u32, i as u32]);
            f64::from(hi ^ lo)
        };
        Array { shape: ty.shape.clone(), data: (0..ty.len()).map(word).collect() }
    }
}

/// One block of Threefry-2x32 with 20 rounds.
pub fn threefry(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];
    let key = [key[0], key[1], key[0] ^ key[1] ^ 0x1BD1_1BDA];
    let mut x = [counter[0].wrapping_add(key[0]), counter[1].wrapping_add(key[1])];
    for block in 0..5 {
        for rotation in ROTATIONS[block % 2] {
            x[0] = x[0].wrapping_add(x[1]);
            x[1] = x[1].rotate_left(rotation) ^ x[0];
        }
        x[0] = x[0].wrapping_add(key[(block + 1) % 3]);
        x[1] = x[1].wrapping_add(key[(block + 2) % 3]).wrapping_add(block as u32 + 1);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{check_error, run};

    /// The known answers that come with the authors' Random123 library.
    #[test]
    fn gives_the_known_answers() {
        assert_eq!(threefry([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
        let (key, counter) = ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]);
        assert_eq!(threefry(key, counter), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn uniform_numbers_have_the_moments_of_their_law() {
        let key = Array::new([2], vec![7.0, 0.0]);
        let y = run(&[(Type::new(DType::U32, [2]), key)], |_, x| x[0].random_uniform([100, 101]));
        let mean = y.data.iter().sum::<f64>() / 10_100.0;
        let variance = y.data.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 10_100.0;
        assert!((mean - 0.5).abs() < 0.01 && (variance - 1.0 / 12.0).abs() < 0.003);
        assert!(y.data.iter().all(|y| (0.0..1.0).contains(y)));
    }

    #[test]
    fn normal_numbers_have_the_moments_of_their_law() {
        let key = Array::new([2], vec![7.0, 0.0]);
        let y = run(&[(Type::new(DType::U32, [2]), key)], |_, x| x[0].random_normal([100, 101]));
        let moment = |power| y.data.iter().map(|y| y.powi(power)).sum::<f64>() / 10_100.0;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.05);
        assert!(moment(3).abs() < 0.1 && (moment(4) - 3.0).abs() < 0.3);
    }

    #[test]
    fn rejects_keys_of_another_type() {
        check_error(
            &[Type::f32([2])],
            |_, x| x[0].random_bits([3]),
            "`random_bits` needs a key of type u32[2], got f32[2]",
        );
    }
}
