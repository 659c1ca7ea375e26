//! `sparsemax`: numbers above a threshold that depends on all of them.

use crate::prelude::*;

/// `max(x - τ, 0)`: 0 for all but the greatest numbers.
///
/// τ is Keras' `(Σ S - 1) / k`, where `S` are the sums of the 1, 2, .., k greatest numbers. The
/// paper's takes the last of these sums alone, and gives numbers whose sum is 1; the two agree
/// where one number stays.
///
/// Martins and Astudillo, *From softmax to sparsemax*, 2016, <https://arxiv.org/abs/1602.02068>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.sparsemax")]
pub struct Sparsemax {
    /// The axis along which numbers are compared.
    #[config(default = -1)]
    pub axis: isize,
}

impl Activate for Sparsemax {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let Some(axis) = x.axis(self.axis) else { return x }; // The trace has noted the mistake.
        // Every x is compared with every other along the axis, which a new axis repeats.
        let (shape, other) = (x.shape(), axis as isize + 1);
        let (mut column, mut row) = (shape.clone(), shape.clone());
        column.insert(axis + 1, 1);
        row.insert(axis, 1);
        let mut square = row.clone();
        square[axis] = shape[axis];
        let count = |axis| x.trace().iota(axis, Type::new(DType::I32, square.clone()));
        let (this, others) = (x.reshape(column), x.reshape(row).broadcast(square.clone()));
        let earlier = count(axis + 1).less_equal(count(axis));
        let this = this.broadcast(square.clone());
        let no_less = others.greater(this).or(others.equal(this).and(earlier));
        // The position of each number in descending order, and the sum of all up to it.
        let position = no_less.cast(x.dtype()).sum(other);
        let sum = no_less.select(others, 0.0).sum(other);
        let stays = (x - (sum - 1.0) / position).greater(0.0);
        let k = stays.cast(x.dtype()).sum(self.axis);
        let tau = (stays.select(sum, 0.0).sum(self.axis) - 1.0) / k;
        (x - tau.keep(x, self.axis)).maximum(0.0)
    }
}
