//! `sparsemax`: numbers as probabilities, many of them exactly 0.

use crate::prelude::*;

/// The point of the probability simplex that is nearest to `x`: `max(x - τ, 0)`, with τ such that
/// the sum is 1.
///
/// Martins and Astudillo, *From softmax to sparsemax*, 2016, <https://arxiv.org/abs/1602.02068>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.sparsemax")]
pub struct Sparsemax {
    /// The axis along which the sum is 1.
    #[config(default = -1)]
    pub axis: isize,
}

impl Activate for Sparsemax {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let Some(axis) = x.axis(self.axis) else {
            return x.trace().fail(Error::new(format!("{} has no axis {}", x.ty(), self.axis)));
        };
        // Every x is compared with every other along the axis, which a new axis repeats.
        let (shape, other) = (x.shape(), axis as isize + 1);
        let (mut column, mut row) = (shape.clone(), shape.clone());
        column.insert(axis + 1, 1);
        row.insert(axis, 1);
        let mut square = row.clone();
        square[axis] = shape[axis];
        let others = x.reshape(row).broadcast(square.clone());
        let no_less = others.greater_equal(x.reshape(column).broadcast(square));
        let rank = no_less.cast(x.dtype()).sum(other);
        let sum = no_less.select(others, 0.0).sum(other);
        // x stays positive if it exceeds what those above it would leave for it.
        let stays = (rank * x + 1.0).greater(sum);
        let count = stays.cast(x.dtype()).sum(self.axis);
        let tau = (stays.select(x, 0.0).sum(self.axis) - 1.0) / count;
        let rest = x - tau.keep(x, self.axis);
        stays.select(rest, 0.0)
    }
}
