//! `MaxNorm`, `MinMaxNorm`, `UnitNorm` and `NonNeg`: bounds on weights.

use super::category::{EPSILON, norm};
use crate::prelude::*;

/// Scales down weights whose length along `axis` exceeds `max_value`.
///
/// Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting*,
/// JMLR 2014, <https://jmlr.org/papers/v15/srivastava14a.html>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.constraints.MaxNorm")]
pub struct MaxNorm {
    /// The greatest length.
    #[config(default = 2.0)]
    pub max_value: f64,
    /// The axes along which a length is taken: 0 for the weights that reach one unit of a `Dense`.
    #[config(default = 0)]
    pub axis: AxisList,
}

impl Constrain for MaxNorm {
    fn call<'g>(&self, w: Tensor<'g>) -> Tensor<'g> {
        let norm = norm(w, &self.axis);
        w * (norm.maximum(0.0).minimum(self.max_value) / (norm + EPSILON))
    }
}

/// Scales weights towards a length between `min_value` and `max_value`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.constraints.MinMaxNorm")]
pub struct MinMaxNorm {
    /// The least length.
    #[config(default = 0.0)]
    pub min_value: f64,
    /// The greatest length.
    #[config(default = 1.0)]
    pub max_value: f64,
    /// How far a weight is brought back each time: 1 is all the way.
    #[config(default = 1.0)]
    pub rate: f64,
    /// The axes along which a length is taken.
    #[config(default = 0)]
    pub axis: AxisList,
}

impl Constrain for MinMaxNorm {
    fn call<'g>(&self, w: Tensor<'g>) -> Tensor<'g> {
        let norm = norm(w, &self.axis);
        let within = norm.maximum(self.min_value).minimum(self.max_value);
        let wanted = within * self.rate + norm * (1.0 - self.rate);
        w * (wanted / (norm + EPSILON))
    }
}

/// Scales weights to length 1.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.constraints.UnitNorm")]
pub struct UnitNorm {
    /// The axes along which a length is taken.
    #[config(default = 0)]
    pub axis: AxisList,
}

impl Constrain for UnitNorm {
    fn call<'g>(&self, w: Tensor<'g>) -> Tensor<'g> {
        w / (norm(w, &self.axis) + EPSILON)
    }
}

/// Makes negative weights 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.constraints.NonNeg")]
pub struct NonNeg;

impl Constrain for NonNeg {
    fn call<'g>(&self, w: Tensor<'g>) -> Tensor<'g> {
        w.maximum(0.0)
    }
}
