//! `STFT`: a kernel that takes the spectrum of each stretch of a signal.

use super::window::{Window, WindowFunction};
use crate::prelude::*;

keyword! {
    /// The part of a complex number.
    pub enum Side {
        /// The real part.
        Real "real",
        /// The imaginary part.
        Imaginary "imag",
    }
}

keyword! {
    /// What a window is divided by.
    pub enum Scaling {
        /// The root of the sum of its squares.
        Density "density",
        /// The sum of its absolute values.
        Spectrum "spectrum",
    }
}

/// The real or imaginary part of `w(t) · exp(-2πi · t · f / (2F - 2))` at sample `t` and frequency
/// `f`: the kernel of a short-time Fourier transform, of shape `[samples, 1, F]`.
///
/// A convolution with it takes the spectrum of each stretch of a signal, in the `F` frequencies
/// that are not mirror images of others.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.initializers.STFT", aliases = ["STFTInitializer"])]
pub struct STFT {
    /// Which part of the spectrum.
    #[config(default = Side::Real)]
    pub side: Side,
    /// What fades each stretch in and out, `w`; without one, nothing is scaled either.
    #[config(default = Some(WindowFunction::Hann.into()))]
    pub window: Option<Window>,
    /// What the window is divided by.
    #[config(default = Some(Scaling::Density))]
    pub scaling: Option<Scaling>,
    /// Whether a window function is continued to the sample after the last, where it begins anew;
    /// else the last sample is as the first.
    #[config(default = false)]
    pub periodic: bool,
}

impl Initialize for STFT {
    fn values(&self, shape: &[usize], _: [u32; 2]) -> Result<Vec<f32>> {
        let (samples, frequencies) = match *shape {
            [samples, 1, frequencies] if frequencies > 1 => (samples, frequencies),
            _ => {
                return Err(Error::new(format!(
                    "`STFT` makes weights of shape [samples, 1, frequencies], with at least 2 \
                     frequencies, got {shape:?}"
                )));
            }
        };
        let window = self.scaled_window(samples)?;
        let turns = |frequency: usize| frequency as f32 / (2 * frequencies - 2) as f32;
        let element = |flat: usize| {
            let (sample, frequency) = (flat / frequencies, flat % frequencies);
            // The angle is rounded as in Keras, whose values depend on that for long windows.
            let angle = -2.0 * sample as f32 * turns(frequency) * std::f32::consts::PI;
            let (imaginary, real) = f64::from(angle).sin_cos();
            let value = match self.side {
                Side::Real => real,
                Side::Imaginary => imaginary,
            };
            (value * window[sample]) as f32
        };
        Ok((0..samples * frequencies).map(element).collect())
    }
}

impl STFT {
    /// The window over this many samples, scaled.
    fn scaled_window(&self, samples: usize) -> Result<Vec<f64>> {
        let mut window = match &self.window {
            None => return Ok(vec![1.0; samples]),
            Some(Window::Function(function)) if self.periodic => function.periodic(samples),
            Some(Window::Function(function)) => function.symmetric(samples),
            Some(Window::Values(values)) => {
                let shape = values.shape();
                ensure!(
                    shape == [samples],
                    "The shape of `window` must be equal to [frame_length]. \
                     Received: window shape={shape:?}";
                    help: "the weight has a frame_length of {samples}"
                );
                values.data().iter().map(|&value| f64::from(value)).collect()
            }
        };
        let scale = match self.scaling {
            None => 1.0,
            Some(Scaling::Density) => window.iter().map(|w| w * w).sum::<f64>().sqrt(),
            Some(Scaling::Spectrum) => window.iter().map(|w| w.abs()).sum(),
        };
        ensure!(
            scale > 0.0,
            "the window of `STFT` is 0 at all of its {samples} samples and cannot be scaled";
            help: "take more samples, another window, or no scaling"
        );
        window.iter_mut().for_each(|value| *value /= scale);
        Ok(window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initializers::Initializer;

    #[test]
    fn answers_to_the_names_it_has_in_keras() {
        for name in ["stft", "STFT", "STFTInitializer"] {
            assert_eq!(Initializer::from(name), Initializer::from(STFT::new()), "{name}");
        }
    }

    #[test]
    fn needs_one_channel_and_two_frequencies() {
        for shape in [&[5, 4][..], &[5, 2, 4], &[5, 1, 1], &[5, 1, 0]] {
            let error = STFT::new().values(shape, [0, 0]).unwrap_err();
            assert!(error.message.ends_with(&format!("got {shape:?}")), "{error}");
        }
    }

    #[test]
    fn windows_of_another_length_are_refused_in_the_words_of_keras() {
        let error = STFT::new().window([1.0, 2.0]).values(&[3, 1, 2], [0, 0]).unwrap_err();
        assert!(error.message.ends_with("Received: window shape=[2]"), "{error}");
    }

    #[test]
    fn windows_of_zeros_cannot_be_scaled() {
        for samples in [0, 2] {
            assert!(STFT::new().values(&[samples, 1, 3], [0, 0]).is_err(), "{samples}");
        }
        let unscaled = STFT { scaling: None, ..STFT::new() };
        assert_eq!(unscaled.values(&[2, 1, 3], [0, 0]).unwrap(), [0.0; 6]);
    }
}
