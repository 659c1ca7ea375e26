//! `LeakyReLU`: a little of the negative part too, as a layer.

use crate::{activations::LeakyRelu, prelude::*};

/// `x` above 0, `negative_slope · x` below.
///
/// Maas et al., *Rectifier nonlinearities improve neural network acoustic models*, ICML 2013,
/// <https://ai.stanford.edu/~amaas/papers/relu_hybrid_icml2013_final.pdf>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.LeakyReLU", shape = ".. -> ..")]
pub struct LeakyReLU {
    /// The slope below 0, which is 0 or more.
    #[config(default = 0.3)]
    pub negative_slope: f64,
}

impl Layer for LeakyReLU {
    fn check(&self) -> Result<()> {
        ensure!(
            self.negative_slope >= 0.0,
            "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. \
            Expected a float. Received: negative_slope={:?}",
            self.negative_slope
        );
        Ok(())
    }

    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        LeakyRelu { negative_slope: self.negative_slope }.call(x.cast(DType::F32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_negative_slopes() {
        assert_eq!(
            LeakyReLU::new().negative_slope(-1.0).check().unwrap_err().message,
            "The negative_slope value of a Leaky ReLU layer cannot be None or negative value. \
             Expected a float. Received: negative_slope=-1.0"
        );
    }
}
