//! The named cases of `VarianceScaling`: Glorot's, He's and LeCun's.

use super::variance_scaling::{Distribution, FanMode, VarianceScaling};
use crate::prelude::*;

/// Each struct with the settings of the `VarianceScaling` that it is.
macro_rules! scaled {
    ($($(#[$meta:meta])* pub struct $name:ident = $scale:literal $mode:ident $law:ident;)*) => {$(
        #[derive(Clone, Debug, PartialEq, Config)]
        $(#[$meta])*
        pub struct $name {
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

        impl Initialize for $name {
            fn randomness(&self) -> Randomness {
                self.seed.into()
            }

            fn values(&self, shape: &[usize], key: [u32; 2]) -> Result<Vec<f32>> {
                let $name { seed, input_axes, output_axes } = self.clone();
                let (scale, mode) = ($scale, FanMode::$mode);
                let distribution = Distribution::$law;
                VarianceScaling { scale, mode, distribution, seed, input_axes, output_axes }
                    .values(shape, key)
            }
        }
    )*};
}

scaled! {
    /// Normal noise of variance `2 / (fan_in + fan_out)`, cut off at two standard deviations.
    ///
    /// Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    /// networks*, AISTATS 2010, <https://proceedings.mlr.press/v9/glorot10a.html>.
    #[config(class = "keras.initializers.GlorotNormal")]
    pub struct GlorotNormal = 1.0 FanAvg TruncatedNormal;

    /// Noise spread evenly up to `√(6 / (fan_in + fan_out))` from 0.
    ///
    /// Glorot and Bengio, *Understanding the difficulty of training deep feedforward neural
    /// networks*, AISTATS 2010, <https://proceedings.mlr.press/v9/glorot10a.html>.
    #[config(class = "keras.initializers.GlorotUniform")]
    pub struct GlorotUniform = 1.0 FanAvg Uniform;

    /// Normal noise of variance `2 / fan_in`, cut off at two standard deviations.
    ///
    /// He et al., *Delving deep into rectifiers*, 2015, <https://arxiv.org/abs/1502.01852>.
    #[config(class = "keras.initializers.HeNormal")]
    pub struct HeNormal = 2.0 FanIn TruncatedNormal;

    /// Noise spread evenly up to `√(6 / fan_in)` from 0.
    ///
    /// He et al., *Delving deep into rectifiers*, 2015, <https://arxiv.org/abs/1502.01852>.
    #[config(class = "keras.initializers.HeUniform")]
    pub struct HeUniform = 2.0 FanIn Uniform;

    /// Normal noise of variance `1 / fan_in`, cut off at two standard deviations.
    ///
    /// Klambauer et al., *Self-normalizing neural networks*, 2017,
    /// <https://arxiv.org/abs/1706.02515>.
    #[config(class = "keras.initializers.LecunNormal")]
    pub struct LecunNormal = 1.0 FanIn TruncatedNormal;

    /// Noise spread evenly up to `√(3 / fan_in)` from 0.
    ///
    /// Klambauer et al., *Self-normalizing neural networks*, 2017,
    /// <https://arxiv.org/abs/1706.02515>.
    #[config(class = "keras.initializers.LecunUniform")]
    pub struct LecunUniform = 1.0 FanIn Uniform;
}
