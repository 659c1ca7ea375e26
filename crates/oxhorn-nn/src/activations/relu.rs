//! `relu` and `leaky_relu`: the positive part, and a little of the negative.

use crate::prelude::*;

/// `x` above 0, else 0; with settings, `x` above a threshold and up to a maximum, and a slope
/// below.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.relu")]
pub struct Relu {
    /// The slope below the threshold.
    #[config(default = 0.0)]
    pub negative_slope: f64,
    /// The greatest value.
    #[config(default)]
    pub max_value: Option<f64>,
    /// What counts as positive.
    #[config(default = 0.0)]
    pub threshold: f64,
}

impl Activate for Relu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let Relu { negative_slope, max_value, threshold } = *self;
        if negative_slope != 0.0 && max_value.is_none() && threshold == 0.0 {
            return LeakyRelu::new().negative_slope(negative_slope).call(x);
        }
        // Not `maximum`, whose gradient at 0 would be ½; and what is no number stays none.
        let positive_part = |x: Tensor<'g>| x.less_equal(0.0).select(x.fill(0.0), x);
        let mut y = match threshold {
            0.0 => positive_part(x),
            _ => x * x.greater(threshold).cast(x.dtype()),
        };
        if let Some(max_value) = max_value {
            y = y.maximum(0.0).minimum(max_value);
        }
        if negative_slope != 0.0 {
            y = y - positive_part(threshold - x) * negative_slope;
        }
        y
    }
}

/// `x` above 0, `negative_slope · x` below.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.activations.leaky_relu")]
pub struct LeakyRelu {
    /// The slope below 0.
    #[config(default = 0.2)]
    pub negative_slope: f64,
}

impl Activate for LeakyRelu {
    fn call<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        x.greater_equal(0.0).select(x, x * self.negative_slope)
    }
}
