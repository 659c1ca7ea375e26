//! `SGD`: down the gradient, with momentum if wanted.

use super::{Optimize, Settings, Step};
use crate::prelude::*;

/// Moves weights against their gradient; with momentum, also along the way they came.
///
/// Sutskever et al., *On the importance of initialization and momentum in deep learning*,
/// ICML 2013, <https://proceedings.mlr.press/v28/sutskever13.html>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.SGD")]
pub struct SGD {
    /// What all optimizers have.
    #[config(flatten = Settings::named("sgd").learning_rate(0.01))]
    pub settings: Settings,
    /// How much of the last move is kept.
    #[config(default = 0.0)]
    pub momentum: f64,
    /// Whether the gradient is taken to be that where momentum leads.
    #[config(default = false)]
    pub nesterov: bool,
}

impl Optimize for SGD {
    fn check(&self) -> Result<()> {
        let momentum = self.momentum;
        ensure!(
            (0.0..=1.0).contains(&momentum),
            "`momentum` must be a float between [0, 1]."; help: "got {momentum:?}"
        );
        Ok(())
    }

    fn step<'g>(&self, cx: &Step<'g>) {
        for weight in cx.weights() {
            let (w, move_by) = (weight.value(), weight.gradient() * cx.learning_rate());
            if self.momentum == 0.0 {
                weight.set(w - move_by);
                continue;
            }
            let m = weight.slot("momentum", |m| m * self.momentum - move_by);
            weight.set(if self.nesterov { w + (m * self.momentum - move_by) } else { w + m });
        }
    }
}
