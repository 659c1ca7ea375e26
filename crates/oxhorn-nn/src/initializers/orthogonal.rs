//! `Orthogonal`: weights that turn without stretching.

use crate::{prelude::*, random};

/// A matrix with orthonormal rows or columns, whichever are fewer, times `gain`; of a weight with
/// more axes, all but the last are taken together.
///
/// Saxe et al., *Exact solutions to the nonlinear dynamics of learning in deep linear neural
/// networks*, 2013, <https://arxiv.org/abs/1312.6120>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.initializers.Orthogonal",
    aliases = ["OrthogonalInitializer", "orthogonal_initializer"]
)]
pub struct Orthogonal {
    /// The factor.
    #[config(default = 1.0)]
    pub gain: f64,
    /// Seed of the noise; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Initialize for Orthogonal {
    fn randomness(&self) -> Randomness {
        self.seed.into()
    }

    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
        ensure!(
            shape.len() >= 2,
            "The tensor to initialize must be at least two-dimensional. Received: shape={shape:?} \
            of rank {}.",
            shape.len()
        );
        let columns = shape[shape.len() - 1];
        let rows: usize = shape[..shape.len() - 1].iter().product();
        let (long, short) = (rows.max(columns), rows.min(columns));
        let q = orthonormal(&random::normal(key, long * short), short);
        let element = |flat: usize| {
            let (row, column) = (flat / columns, flat % columns);
            let [i, j] = if rows < columns { [row, column] } else { [column, row] };
            (self.gain * q[i][j]) as f32
        };
        Ok((0..rows * columns).map(element).collect())
    }
}

/// The columns of a row-major matrix, made orthonormal one after the other (Gram and Schmidt,
/// twice, so that nothing of the columns before is left).
fn orthonormal(matrix: &[f32], columns: usize) -> Vec<Vec<f64>> {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(columns);
    for column in 0..columns {
        let mut x: Vec<f64> =
            matrix.iter().skip(column).step_by(columns).map(|&x| f64::from(x)).collect();
        for _ in 0..2 {
            for q in &basis {
                let along = dot(q, &x);
                x.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
            }
        }
        let norm = dot(&x, &x).sqrt();
        x.iter_mut().for_each(|x| *x /= norm);
        basis.push(x);
    }
    basis
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_columns_are_orthonormal() {
        let q = Orthogonal::new().values(&[7, 3], [5, 0]).unwrap();
        for i in 0..3 {
            for j in 0..3 {
                let dot: f32 = (0..7).map(|row| q[row * 3 + i] * q[row * 3 + j]).sum();
                assert!((dot - f32::from(u8::from(i == j))).abs() < 1e-6, "{i} {j} {dot}");
            }
        }
    }

    #[test]
    fn needs_two_axes() {
        let error = Orthogonal::new().values(&[3], [0, 0]).unwrap_err();
        assert!(error.message.ends_with("Received: shape=[3] of rank 1."), "{error}");
    }
}
