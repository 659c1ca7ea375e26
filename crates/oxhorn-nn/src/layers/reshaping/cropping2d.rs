//! `Cropping2D`: an image without its edges.

use super::{
    flatten::DataFormat,
    margins::{Margins, crop, first_spatial_axis},
};
use crate::prelude::*;

/// Leaves out rows and columns at the edges of each image.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Cropping2D", shape = "batch .. -> batch ..left")]
pub struct Cropping2D {
    /// How much goes, `[[top, bottom], [left, right]]`; one number stands for all four, and two
    /// for rows and columns.
    #[config(default = 0)]
    pub cropping: Margins,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
}

impl Layer for Cropping2D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        if let Err(error) = expect_rank(x, 4) {
            return cx.trace().fail(error);
        }
        let Margins(cropping) = self.cropping;
        crop(x, first_spatial_axis(self.data_format), &cropping).unwrap_or_else(|| {
            cx.trace().fail(Error::new(format!(
                "Values in `cropping` argument should be smaller than the corresponding spatial \
                 dimension of the input. Received: inputs.shape={:?}, cropping={cropping:?}",
                x.shape()
            )))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_to_leave_nothing() {
        assert_eq!(
            layer_error(Cropping2D::new().cropping([[1, 2], [0, 0]]), &[2, 3, 4, 1]).message,
            "Values in `cropping` argument should be smaller than the corresponding spatial \
             dimension of the input. Received: inputs.shape=[2, 3, 4, 1], \
             cropping=[[1, 2], [0, 0]]"
        );
    }

    #[test]
    fn rejects_what_is_no_image() {
        let error = layer_error(Cropping2D::new(), &[2, 3, 4]);
        assert!(error.message.contains("expected ndim=4, found ndim=3"), "{error}");
    }
}
