//! `UpSampling2D`: an image, larger.

use super::{
    flatten::DataFormat,
    margins::{Pair, first_spatial_axis, repeat},
};
use crate::prelude::*;

keyword! {
    /// How the pixels between those that are given are made.
    pub enum Interpolation {
        /// Each is the nearest that is given.
        Nearest "nearest",
        /// From two along each axis, which is not supported.
        Bilinear "bilinear",
        /// From four along each axis, which is not supported.
        Bicubic "bicubic",
        /// From six along each axis, which is not supported.
        Lanczos3 "lanczos3",
        /// From ten along each axis, which is not supported.
        Lanczos5 "lanczos5",
    }
}

/// Repeats each row and each column of an image.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.UpSampling2D", shape = "batch .. -> batch ..repeated")]
pub struct UpSampling2D {
    /// How often a row and how often a column is repeated; one number stands for both.
    #[config(default = 2)]
    pub size: Pair,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
    /// How the new pixels are made. `Interpolation::Nearest` repeats the old ones, and is the only
    /// way supported so far.
    #[config(default = Interpolation::Nearest)]
    pub interpolation: Interpolation,
}

impl Layer for UpSampling2D {
    fn check(&self) -> Result<()> {
        let Pair(size) = self.size;
        ensure!(
            !size.contains(&0),
            "The `size` argument must be a tuple of 2 integers. Received size={size:?}, including \
            values {{0}} that do not satisfy `value > 0`"
        );
        ensure!(
            self.interpolation == Interpolation::Nearest,
            "`interpolation` of `UpSampling2D` is not supported, got {}", self.interpolation.text();
            help: "use nearest, the only one so far"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        if let Err(error) = expect_rank(x, 4) {
            return cx.trace().fail(error);
        }
        let (first, Pair([rows, columns])) = (first_spatial_axis(self.data_format), self.size);
        repeat(repeat(x, first, rows), first + 1, columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_no_repetition() {
        assert_eq!(
            UpSampling2D::new().size([0, 1]).check().unwrap_err().message,
            "The `size` argument must be a tuple of 2 integers. Received size=[0, 1], including \
             values {0} that do not satisfy `value > 0`"
        );
    }

    #[test]
    fn other_interpolations_are_refused_by_name() {
        let layer = UpSampling2D::new().interpolation(Interpolation::Bilinear);
        assert_eq!(
            layer.check().unwrap_err().message,
            "`interpolation` of `UpSampling2D` is not supported, got bilinear"
        );
    }

    #[test]
    fn rejects_what_is_no_image() {
        let error = layer_error(UpSampling2D::new(), &[2, 3, 4]);
        assert!(error.message.contains("expected ndim=4, found ndim=3"), "{error}");
    }
}
