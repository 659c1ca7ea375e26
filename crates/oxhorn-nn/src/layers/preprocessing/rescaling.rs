//! `Rescaling`: brings inputs to the range a network likes.

use crate::prelude::*;

/// Multiplies its input by `scale` and adds `offset`: `x · scale + offset`.
///
/// `Rescaling::new(1.0 / 255.0)` brings bytes to `[0, 1]`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Rescaling", shape = ".. -> ..")]
pub struct Rescaling {
    /// The factor: one number, or one for each element of the last axis.
    pub scale: PerChannel,
    /// What is added: one number, or one for each element of the last axis.
    #[config(default = 0.0)]
    pub offset: PerChannel,
}

/// One number, or one for each element of the last axis.
#[derive(Clone, Debug, PartialEq)]
pub enum PerChannel {
    /// The same for all.
    One(f64),
    /// One each.
    Each(Vec<f64>),
}

impl From<f64> for PerChannel {
    fn from(value: f64) -> PerChannel {
        PerChannel::One(value)
    }
}

impl<const N: usize> From<[f64; N]> for PerChannel {
    fn from(values: [f64; N]) -> PerChannel {
        PerChannel::Each(values.to_vec())
    }
}

impl From<Vec<f64>> for PerChannel {
    fn from(values: Vec<f64>) -> PerChannel {
        PerChannel::Each(values)
    }
}

impl Field for PerChannel {
    fn kind() -> String {
        "a number or a list of numbers".to_owned()
    }

    fn read(json: &Json) -> Result<PerChannel> {
        match json {
            Json::Array(_) => Field::read(json).map(PerChannel::Each),
            _ => Field::read(json).map(PerChannel::One),
        }
    }

    fn write(&self) -> Json {
        match self {
            PerChannel::One(value) => value.write(),
            PerChannel::Each(values) => values.write(),
        }
    }
}

impl PerChannel {
    /// The numbers as a tensor that can stand beside the last axis of `x`.
    fn beside<'g>(&self, x: Tensor<'g>) -> Tensor<'g> {
        let trace = x.trace();
        match self {
            PerChannel::One(value) => trace.scalar(*value, DType::F32),
            PerChannel::Each(values) => {
                let numbers: Vec<Tensor> = values
                    .iter()
                    .map(|value| trace.scalar(*value, DType::F32).reshape([1]))
                    .collect();
                Tensor::concatenate(&numbers, 0)
            }
        }
    }
}

impl Layer for Rescaling {
    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        x * self.scale.beside(x) + self.offset.beside(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_another_number_of_channels() {
        let error = layer_error(Rescaling::new([1.0, 2.0]), &[4, 3]);
        assert_eq!(error.message, "`broadcast` cannot stretch f32[2] to [4, 3]");
    }
}
