//! `OrthogonalRegularizer`: a penalty for weights that point the same way.

use super::category::{check_strength, strength};
use crate::prelude::*;

keyword! {
    /// What should be orthogonal.
    pub enum OrthogonalMode {
        /// The rows of a matrix.
        Rows "rows",
        /// Its columns.
        Columns "columns",
    }
}

/// The mean absolute cosine of the angles between rows, or columns, of a matrix, times
/// `factor / 2`.
///
/// Brock et al., *Neural photo editing with introspective adversarial networks*, 2016,
/// <https://arxiv.org/abs/1609.07093>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.regularizers.OrthogonalRegularizer")]
pub struct OrthogonalRegularizer {
    /// The strength.
    #[config(default = 0.01)]
    pub factor: f64,
    /// Whether rows or columns should be orthogonal.
    #[config(default = OrthogonalMode::Rows)]
    pub mode: OrthogonalMode,
}

impl Regularize for OrthogonalRegularizer {
    fn check(&self) -> Result<()> {
        check_strength("factor", self.factor)
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        if !x.is_void() && x.rank() != 2 {
            let message =
                "Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape";
            return cx.trace().fail(Error::new(format!("{message}={:?}", x.shape())));
        }
        // From here on, rows should be orthogonal.
        let x = match self.mode {
            OrthogonalMode::Rows => x,
            OrthogonalMode::Columns => x.t(),
        };
        // Keras divides by the root of at least 1e-12.
        let norm = (x * x).sum(-1).maximum(1e-12).rsqrt();
        let unit = x * norm.keep(x, -1);
        let n = x.dim(0);
        let ty = |dtype| Type::new(dtype, [n, n]);
        let (row, column) =
            (cx.trace().iota(0, ty(DType::I32)), cx.trace().iota(1, ty(DType::I32)));
        let cosines = unit.matmul(unit.t());
        let off_diagonal = row.not_equal(column).select(cosines, 0.0).abs().sum(..);
        let pairs = (n as f64 * (n as f64 - 1.0) / 2.0).max(1.0);
        strength(cx, "factor", self.factor, x) * 0.5 * off_diagonal / pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{layers::Dense, testing::losses_error};

    #[test]
    fn needs_a_matrix() {
        let layer = Dense::new(3).bias_regularizer(OrthogonalRegularizer::new());
        assert_eq!(
            losses_error(layer, &[2, 5]).message,
            "Inputs to OrthogonalRegularizer must have rank 2. Received: inputs.shape=[3]"
        );
    }
}
