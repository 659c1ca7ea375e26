//! `VarianceScaling`: noise whose size follows from the shape of the weight.

use super::category::fans;
use crate::{prelude::*, random};

keyword! {
    /// Which connections of a weight are counted.
    pub enum FanMode {
        /// Those that reach an output.
        FanIn "fan_in",
        /// Those that leave an input.
        FanOut "fan_out",
        /// The mean of both.
        FanAvg "fan_avg",
    }
}

keyword! {
    /// The law of the noise.
    pub enum Distribution {
        /// The normal law, given that numbers are within two standard deviations.
        TruncatedNormal "truncated_normal",
        /// The normal law.
        UntruncatedNormal "untruncated_normal",
        /// Another name of the truncated normal law.
        Normal "normal",
        /// Evenly spread.
        Uniform "uniform",
    }
}

/// Noise of variance `scale / n`, where `n` is the number of connections of a unit.
///
/// He et al., *Delving deep into rectifiers*, 2015, <https://arxiv.org/abs/1502.01852>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.VarianceScaling")]
pub struct VarianceScaling {
    /// The variance of the sum of all connections of a unit.
    #[config(default = 1.0)]
    pub scale: f64,
    /// Which connections are counted.
    #[config(default = FanMode::FanIn)]
    pub mode: FanMode,
    /// The law of the noise.
    #[config(default = Distribution::TruncatedNormal)]
    pub distribution: Distribution,
    /// Seed of the noise; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
    /// The axes that are inputs, together with `output_axes`.
    #[config(default)]
    pub input_axes: Option<Vec<isize>>,
    /// The axes that are outputs, together with `input_axes`.
    #[config(default)]
    pub output_axes: Option<Vec<isize>>,
}

impl Initialize for VarianceScaling {
    fn check(&self) -> Result<()> {
        ensure!(
            self.scale > 0.0,
            "Argument `scale` must be positive float. Received: scale={}",
            self.scale
        );
        Ok(())
    }

    fn randomness(&self) -> Randomness {
        self.seed.into()
    }

    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
        /// The standard deviation of the normal law cut off at two standard deviations.
        const TRUNCATED: f64 = 0.879_625_661_034_239_8;
        let (fan_in, fan_out) = fans(shape, &self.input_axes, &self.output_axes)?;
        let fan = match self.mode {
            FanMode::FanIn => fan_in,
            FanMode::FanOut => fan_out,
            FanMode::FanAvg => (fan_in + fan_out) / 2.0,
        };
        let (variance, len) = (self.scale / fan.max(1.0), shape.iter().product());
        let scaled = |mut x: Vec<f32>, stddev: f64| {
            x.iter_mut().for_each(|x| *x *= stddev as f32);
            x
        };
        Ok(match self.distribution {
            Distribution::TruncatedNormal | Distribution::Normal => {
                scaled(random::truncated_normal(key, len), variance.sqrt() / TRUNCATED)
            }
            Distribution::UntruncatedNormal => scaled(random::normal(key, len), variance.sqrt()),
            Distribution::Uniform => {
                let limit = (3.0 * variance).sqrt();
                random::uniform(key, len, -limit as f32, limit as f32)
            }
        })
    }
}
