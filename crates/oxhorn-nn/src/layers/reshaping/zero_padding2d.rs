//! `ZeroPadding2D`: zeros around an image.

use super::{
    flatten::DataFormat,
    margins::{Margins, first_spatial_axis, pad},
};
use crate::prelude::*;

/// Puts rows and columns of zeros at the edges of each image.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.ZeroPadding2D", shape = "batch .. -> batch ..padded")]
pub struct ZeroPadding2D {
    /// How much comes, `[[top, bottom], [left, right]]`; one number stands for all four, and two
    /// for rows and columns.
    #[config(default = 1)]
    pub padding: Margins,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
}

impl Layer for ZeroPadding2D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match expect_rank(x, 4) {
            Ok(()) => pad(x, first_spatial_axis(self.data_format), &self.padding.0),
            Err(error) => cx.trace().fail(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_what_is_no_image() {
        let error = layer_error(ZeroPadding2D::new(), &[2, 3, 4]);
        assert!(error.message.contains("expected ndim=4, found ndim=3"), "{error}");
    }
}
