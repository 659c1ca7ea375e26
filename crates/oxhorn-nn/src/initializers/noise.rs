//! `RandomNormal`, `RandomUniform` and `TruncatedNormal`: noise of a given size.

use crate::{prelude::*, random};

/// Numbers of the normal law.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.RandomNormal", aliases = ["normal"])]
pub struct RandomNormal {
    /// Their mean.
    #[config(default = 0.0)]
    pub mean: f64,
    /// Their standard deviation.
    #[config(default = 0.05)]
    pub stddev: f64,
    /// Seed of the noise; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Initialize for RandomNormal {
    fn randomness(&self) -> Randomness {
        self.seed.into()
    }

    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
        Ok(moved(random::normal(key, shape.iter().product()), self.mean, self.stddev))
    }
}

/// Numbers of the normal law, given that they are within two standard deviations.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.TruncatedNormal")]
pub struct TruncatedNormal {
    /// Their mean.
    #[config(default = 0.0)]
    pub mean: f64,
    /// The standard deviation of the law before it is cut off.
    #[config(default = 0.05)]
    pub stddev: f64,
    /// Seed of the noise; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Initialize for TruncatedNormal {
    fn randomness(&self) -> Randomness {
        self.seed.into()
    }

    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
        Ok(moved(random::truncated_normal(key, shape.iter().product()), self.mean, self.stddev))
    }
}

/// Numbers spread evenly.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.RandomUniform", aliases = ["uniform"])]
pub struct RandomUniform {
    /// The least of them.
    #[config(default = -0.05)]
    pub minval: f64,
    /// What they stay below.
    #[config(default = 0.05)]
    pub maxval: f64,
    /// Seed of the noise; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Initialize for RandomUniform {
    fn randomness(&self) -> Randomness {
        self.seed.into()
    }

    fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
        let (low, high) = (self.minval as f32, self.maxval as f32);
        Ok(random::uniform(key, shape.iter().product(), low, high))
    }
}

fn moved(mut x: Vec<f32>, mean: f64, stddev: f64) -> Vec<f32> {
    x.iter_mut().for_each(|x| *x = *x * stddev as f32 + mean as f32);
    x
}
