//! `ReLU`: the positive part, as a layer.

use crate::{activations::Relu, prelude::*};

/// `x` above the threshold, `negative_slope · (x - threshold)` below, and never more than
/// `max_value`. By default `max(x, 0)`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.ReLU", shape = ".. -> ..")]
pub struct ReLU {
    /// The greatest value, 0 or more; none for no bound.
    #[config(default)]
    pub max_value: Option<f64>,
    /// The slope below the threshold, 0 or more.
    #[config(default = 0.0)]
    pub negative_slope: f64,
    /// What counts as positive, 0 or more.
    #[config(default = 0.0)]
    pub threshold: f64,
}

impl Layer for ReLU {
    fn check(&self) -> Result<()> {
        let ReLU { max_value, negative_slope, threshold } = *self;
        if let Some(max_value) = max_value {
            ensure!(
                max_value >= 0.0,
                "max_value of a ReLU layer cannot be a negative value. \
                Received: max_value={max_value:?}"
            );
        }
        ensure!(
            negative_slope >= 0.0,
            "negative_slope of a ReLU layer cannot be None or a negative value. \
            Received: negative_slope={negative_slope:?}"
        );
        ensure!(
            threshold >= 0.0,
            "threshold of a ReLU layer cannot be None or a negative value. \
            Received: threshold={threshold:?}"
        );
        Ok(())
    }

    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let ReLU { max_value, negative_slope, threshold } = *self;
        Relu { max_value, negative_slope, threshold }.call(x.cast(DType::F32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_negative_settings() {
        let message = |layer: ReLU| layer.check().unwrap_err().message;
        assert_eq!(
            message(ReLU::new().max_value(-1.0)),
            "max_value of a ReLU layer cannot be a negative value. Received: max_value=-1.0"
        );
        assert_eq!(
            message(ReLU::new().negative_slope(-0.5)),
            "negative_slope of a ReLU layer cannot be None or a negative value. \
             Received: negative_slope=-0.5"
        );
        assert_eq!(
            message(ReLU::new().threshold(f64::NAN)),
            "threshold of a ReLU layer cannot be None or a negative value. \
             Received: threshold=NaN"
        );
    }
}
