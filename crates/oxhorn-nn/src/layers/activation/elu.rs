//! `ELU`: exponential below zero, as a layer.

use crate::{activations::Elu, prelude::*};

/// `x` above 0, `alpha · (eˣ - 1)` below.
///
/// Clevert et al., *Fast and accurate deep network learning by exponential linear units*, 2015,
/// <https://arxiv.org/abs/1511.07289>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.ELU", shape = ".. -> ..")]
pub struct ELU {
    /// The value towards which it falls is `-alpha`.
    #[config(default = 1.0)]
    pub alpha: f64,
}

impl Layer for ELU {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        Elu { alpha: self.alpha }.call(x.cast(DType::F32))
    }
}
