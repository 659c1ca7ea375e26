//! `glu`: one half of the input, gated by the other.

use crate::prelude::*;

/// `a · sigmoid(b)`, where `a` and `b` are the two halves of the input along an axis.
///
/// Dauphin et al., *Language modeling with gated convolutional networks*, 2016,
/// <https://arxiv.org/abs/1612.08083>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.glu")]
pub struct Glu {
    /// The axis along which to halve.
    #[config(default = -1)]
    pub axis: isize,
}

impl Activate for Glu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let Some(axis) = x.axis(self.axis) else { return x }; // The trace has noted the mistake.
        let extent = x.shape()[axis];
        if !extent.is_multiple_of(2) {
            let message = format!("`glu` halves an axis, but axis {axis} of {} is odd", x.ty());
            return x.trace().fail(Error::new(message));
        }
        let part = |from: usize, to: usize| {
            let (mut start, mut end) = (vec![0; x.rank()], x.shape());
            (start[axis], end[axis]) = (from, to);
            x.slice(start, end, vec![1; x.rank()])
        };
        part(0, extent / 2) * part(extent / 2, extent).sigmoid()
    }
}
