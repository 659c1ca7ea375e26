//! `hard_shrink`, `soft_shrink` and `threshold`: nothing comes through but what is large enough.

use crate::prelude::*;

/// `x` where it is further from 0 than the threshold, else 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.hard_shrink")]
pub struct HardShrink {
    /// How far from 0 is far.
    #[config(default = 0.5)]
    pub threshold: f64,
}

impl Activate for HardShrink {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.abs().greater(self.threshold).select(x, 0.0)
    }
}

/// `x` moved towards 0 by the threshold, or 0 if it does not get there.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.soft_shrink")]
pub struct SoftShrink {
    /// How far `x` is moved.
    #[config(default = 0.5)]
    pub threshold: f64,
}

impl Activate for SoftShrink {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let below = x.less(-self.threshold).select(x + self.threshold, 0.0);
        x.greater(self.threshold).select(x - self.threshold, below)
    }
}

/// `x` above the threshold, else another value.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.threshold")]
pub struct Threshold {
    /// What `x` has to exceed.
    pub threshold: f64,
    /// What stands for `x` elsewhere.
    pub default_value: f64,
}

impl Activate for Threshold {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.greater(self.threshold).select(x, self.default_value)
    }
}
