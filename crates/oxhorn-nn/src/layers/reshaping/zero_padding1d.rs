//! `ZeroPadding1D`: zeros at the ends of a sequence.

use super::{
    flatten::DataFormat,
    margins::{Pair, first_spatial_axis, pad},
};
use crate::prelude::*;

/// Puts steps of zeros at both ends of each sequence.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.ZeroPadding1D", shape = "batch .. -> batch ..padded")]
pub struct ZeroPadding1D {
    /// How many steps come at the start and at the end; one number stands for both.
    #[config(default = 1)]
    pub padding: Pair,
    /// Where the channels are; by default they come last.
    #[config(default)]
    pub data_format: Option<DataFormat>,
}

impl Layer for ZeroPadding1D {
    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        match expect_rank(x, 3) {
            Ok(()) => pad(x, first_spatial_axis(self.data_format), &[self.padding.0]),
            Err(error) => cx.trace().fail(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_what_is_no_sequence() {
        let error = layer_error(ZeroPadding1D::new(), &[2, 3]);
        assert!(error.message.contains("expected ndim=3, found ndim=2"), "{error}");
    }
}
