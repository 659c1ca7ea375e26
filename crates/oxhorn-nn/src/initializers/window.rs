//! Window functions, which fade a stretch of samples in and out: those of SciPy that need no
//! parameter.

use std::f64::consts::PI;

use crate::{initializers::Values, prelude::*};

keyword! {
    /// A window function, by SciPy's name for it.
    ///
    /// Harris, *On the use of windows for harmonic analysis with the discrete Fourier transform*,
    /// Proceedings of the IEEE 66(1), 1978; the coefficients are SciPy's.
    pub enum WindowFunction {
        /// A triangle with the sides of Hann's window.
        Barthann "barthann",
        /// A triangle whose ends are 0.
        Bartlett "bartlett",
        /// Three cosines.
        Blackman "blackman",
        /// Four cosines, with the least side lobes.
        BlackmanHarris "blackmanharris",
        /// The convolution of two half periods of a cosine.
        Bohman "bohman",
        /// 1 everywhere.
        Boxcar "boxcar",
        /// Half a period of a sine.
        Cosine "cosine",
        /// Falls by `e` with each step from the middle.
        Exponential "exponential",
        /// Five cosines, with a flat top in the spectrum.
        FlatTop "flattop",
        /// A raised cosine on a pedestal.
        Hamming "hamming",
        /// A raised cosine.
        Hann "hann",
        /// The middle of the sinc function.
        Lanczos "lanczos",
        /// Four cosines, by Nuttall.
        Nuttall "nuttall",
        /// Cubic pieces.
        Parzen "parzen",
        /// Taylor's, with four side lobes at 30 dB.
        Taylor "taylor",
        /// A triangle whose ends are not 0.
        Triang "triang",
        /// 1 in the middle half, and a raised cosine on either side.
        Tukey "tukey",
    }
}

/// A window: a function, or the values themselves.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// One value for each sample by this function.
    Function(WindowFunction),
    /// These values.
    Values(Values),
}

impl From<WindowFunction> for Window {
    fn from(function: WindowFunction) -> Window {
        Window::Function(function)
    }
}

impl<const N: usize> From<[f64; N]> for Window {
    fn from(values: [f64; N]) -> Window {
        Window::Values(values.into())
    }
}

impl Field for Window {
    fn kind() -> String {
        format!("{}, or an array of numbers", WindowFunction::kind())
    }

    fn read(json: &Json) -> Result<Window> {
        match json {
            Json::String(_) => WindowFunction::read(json).map(Window::Function),
            _ => Values::read(json).map(Window::Values),
        }
    }

    fn write(&self) -> Json {
        match self {
            Window::Function(function) => function.write(),
            Window::Values(values) => values.write(),
        }
    }
}

impl WindowFunction {
    /// The values of a symmetric window of `len` samples.
    pub fn symmetric(self, len: usize) -> Vec<f64> {
        if len <= 1 {
            return vec![1.0; len];
        }
        (0..len).map(|i| self.value(i as f64, len as f64)).collect()
    }

    /// The values of a window of `len` samples whose next one would be the first again.
    pub fn periodic(self, len: usize) -> Vec<f64> {
        if len <= 1 {
            return vec![1.0; len];
        }
        let mut values = self.symmetric(len + 1);
        values.pop();
        values
    }

    /// The value at sample `i` of `len`, of which there are at least two.
    fn value(self, i: f64, len: f64) -> f64 {
        // How far from the middle, in the direction of the nearer end, where it is 1.
        let far = (2.0 * i / (len - 1.0) - 1.0).abs();
        match self {
            WindowFunction::Barthann => 0.62 - 0.24 * far + 0.38 * (PI * far).cos(),
            WindowFunction::Bartlett => 1.0 - far,
            WindowFunction::Blackman => cosines([0.42, 0.5, 0.08], far),
            WindowFunction::BlackmanHarris => cosines([0.35875, 0.48829, 0.14128, 0.01168], far),
            WindowFunction::Bohman => (1.0 - far) * (PI * far).cos() + (PI * far).sin() / PI,
            WindowFunction::Boxcar => 1.0,
            WindowFunction::Cosine => (PI / len * (i + 0.5)).sin(),
            WindowFunction::Exponential => (-(i - (len - 1.0) / 2.0).abs()).exp(),
            WindowFunction::FlatTop => {
                cosines([0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368], far)
            }
            WindowFunction::Hamming => cosines([0.54, 0.46], far),
            WindowFunction::Hann => cosines([0.5, 0.5], far),
            WindowFunction::Lanczos if far == 0.0 => 1.0,
            WindowFunction::Lanczos => (PI * far).sin() / (PI * far),
            WindowFunction::Nuttall => cosines([0.3635819, 0.4891775, 0.1365995, 0.0106411], far),
            WindowFunction::Parzen => {
                let steps = far * (len - 1.0) / len; // In halves of `len`, not of `len - 1`.
                match far <= 0.5 {
                    true => 1.0 - 6.0 * steps.powi(2) + 6.0 * steps.powi(3),
                    false => 2.0 * (1.0 - steps).powi(3),
                }
            }
            WindowFunction::Taylor => taylor(i - (len - 1.0) / 2.0, len) / taylor(0.0, len),
            WindowFunction::Triang => {
                let ends = if len % 2.0 == 0.0 { len } else { len + 1.0 };
                1.0 - far * (len - 1.0) / ends
            }
            WindowFunction::Tukey => {
                // The sides are those samples that are wholly within a quarter of the window.
                let side = ((len - 1.0) / 4.0).floor();
                match i.min(len - 1.0 - i) <= side {
                    true => 0.5 + 0.5 * (PI * (2.0 * far - 1.0)).cos(),
                    false => 1.0,
                }
            }
        }
    }
}

/// The sum of cosines of 0, 1, 2 .. periods, of these sizes.
fn cosines<const N: usize>(sizes: [f64; N], far: f64) -> f64 {
    (0..).zip(sizes).map(|(k, size)| size * (f64::from(k) * PI * far).cos()).sum()
}

/// Taylor's window, `i` samples from the middle.
///
/// Carrara et al., *Spotlight synthetic aperture radar*, 1995.
fn taylor(i: f64, len: f64) -> f64 {
    const LOBES: i32 = 4;
    const DECIBELS: f64 = 30.0;
    let a = (10f64.powf(DECIBELS / 20.0).acosh() / PI).powi(2);
    let width = f64::from(LOBES).powi(2) / (a + (f64::from(LOBES) - 0.5).powi(2));
    let lobes = || (1..LOBES).map(f64::from);
    let size = |m: f64| {
        let zeros = lobes().map(|n| 1.0 - m * m / width / (a + (n - 0.5).powi(2)));
        let others = lobes().filter(|n| *n != m).map(|n| 1.0 - m * m / (n * n));
        let sign = if m % 2.0 == 1.0 { 1.0 } else { -1.0 };
        sign * zeros.product::<f64>() / (2.0 * others.product::<f64>())
    };
    1.0 + 2.0 * lobes().map(|m| size(m) * (2.0 * PI * m * i / len).cos()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_symmetric_and_reaches_1_in_the_middle() {
        for text in WindowFunction::kind().split('"').skip(1).step_by(2) {
            let function = WindowFunction::read(&text.into()).unwrap();
            for len in [3, 8, 13] {
                let w = function.symmetric(len);
                let mirrored = w.iter().zip(w.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-12);
                assert!(mirrored, "{text} {len}: {w:?}");
                let middle = w[len / 2];
                assert!(len % 2 == 0 || (middle - 1.0).abs() < 1e-8, "{text} {len}: {middle}");
            }
        }
    }

    #[test]
    fn is_1_where_there_is_one_sample_and_nothing_where_there_is_none() {
        let hann = WindowFunction::Hann;
        assert_eq!([hann.symmetric(1), hann.periodic(1)], [[1.0], [1.0]]);
        assert!(hann.symmetric(0).is_empty() && hann.periodic(0).is_empty());
    }

    #[test]
    fn unknown_functions_are_refused_by_name() {
        let error = Window::read(&"han".into()).unwrap_err();
        assert!(error.message.starts_with("expected one of \"barthann\", "), "{error}");
        assert!(error.message.ends_with("got \"han\""), "{error}");
    }
}
