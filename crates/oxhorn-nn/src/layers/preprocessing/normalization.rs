//! `Normalization`: brings inputs of known mean and variance to 0 and 1.

use oxhorn_ir::Array;

use crate::{initializers::Values, prelude::*};

/// Subtracts the `mean` and divides by the standard deviation: `(x - mean) / √variance`, or with
/// `invert` the reverse: `mean + x · √variance`. A standard deviation below 10⁻⁷ counts as that.
///
/// Both `mean` and `variance` have to be given; `adapt`, by which Keras learns them from data, is
/// not supported.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.Normalization", shape = ".. -> ..")]
pub struct Normalization {
    /// The axis or axes whose every index has a mean and a variance of its own; of none, or an
    /// empty list, there is one of each for all.
    #[config(default = AxisList::One(-1))]
    pub axis: Option<AxisList>,
    /// The mean: a number, or an array of them along the axes in ascending order. It is repeated
    /// along leading axes.
    #[config(default)]
    pub mean: Option<Values>,
    /// The variance, of the same shape.
    #[config(default)]
    pub variance: Option<Values>,
    /// Whether to turn what was normalized into what it was.
    #[config(default = false)]
    pub invert: bool,
}

/// The standard deviation that smaller ones count as.
const LEAST: f64 = 1e-7;

impl Layer for Normalization {
    fn check(&self) -> Result<()> {
        let (mean, variance) = self.given()?;
        ensure!(
            mean.shape() == variance.shape(),
            "When setting values directly, `mean` and `variance` must have the same shape. \
            Received: mean shape {:?} and variance shape {:?}",
            mean.shape(),
            variance.shape()
        );
        let axes = self.axes();
        ensure!(
            mean.shape().len() <= axes.len(),
            "The rank of `mean` must be less than or equal to the number of axes ({}). Received: \
            mean shape {:?} for axis {axes:?}", axes.len(), mean.shape();
            help: "`axis` names the axes of the input that have means of their own"
        );
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        let (mean, variance) = match self.given() {
            Ok(given) => given,
            Err(error) => return cx.trace().fail(error),
        };
        let mean = self.laid(cx, "mean", mean, x);
        let stddev = self.laid(cx, "variance", variance, x).sqrt().maximum(LEAST);
        if self.invert { mean + x * stddev } else { (x - mean) / stddev }
    }
}

impl Normalization {
    /// Mean and variance, both of which there have to be.
    fn given(&self) -> Result<(&Values, &Values)> {
        let text = |values: &Option<Values>| match values {
            Some(values) => values.write().to_string(),
            None => "None".to_owned(),
        };
        match (&self.mean, &self.variance) {
            (Some(mean), Some(variance)) => Ok((mean, variance)),
            (None, None) => Err(Error::new("`Normalization` needs `mean` and `variance`")
                .help("give both; learning them from data by `adapt` is not supported")),
            (mean, variance) => Err(Error::new(format!(
                "When setting values directly, both `mean` and `variance` must be set. Received: \
                 mean={} and variance={}",
                text(mean),
                text(variance)
            ))),
        }
    }

    /// The axes as they were given.
    fn axes(&self) -> &[isize] {
        self.axis.as_ref().map_or(&[], AxisList::as_slice)
    }

    /// The values, laid along the axes of `x`.
    fn laid<'g>(&self, cx: &Scope<'g>, name: &str, of: &Values, x: Tensor<'g>) -> Tensor<'g> {
        let mut axes: Vec<usize> = self.axes().iter().filter_map(|&axis| x.axis(axis)).collect();
        axes.sort_unstable();
        let mut shape = vec![1; x.rank()];
        for (axis, extent) in axes.iter().rev().zip(of.shape().iter().rev()) {
            shape[*axis] = *extent;
        }
        let data = of.data().iter().map(|&number| f64::from(number)).collect();
        cx.constant(name, Array::new(of.shape(), data)).reshape(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::layer_error;

    #[test]
    fn rejects_values_that_are_missing_or_do_not_agree() {
        let message = |layer: Normalization| layer.check().unwrap_err().message;
        assert_eq!(message(Normalization::new()), "`Normalization` needs `mean` and `variance`");
        assert_eq!(
            message(Normalization::new().mean(3.0)),
            "When setting values directly, both `mean` and `variance` must be set. Received: \
             mean=3.0 and variance=None"
        );
        assert_eq!(
            message(Normalization::new().mean([3.0, 1.0]).variance(1.0)),
            "When setting values directly, `mean` and `variance` must have the same shape. \
             Received: mean shape [2] and variance shape []"
        );
        assert_eq!(
            message(Normalization::new().axis([]).mean([3.0]).variance([1.0])),
            "The rank of `mean` must be less than or equal to the number of axes (0). Received: \
             mean shape [1] for axis []"
        );
    }

    #[test]
    fn rejects_inputs_that_its_values_do_not_fit() {
        let layer = || Normalization::new().mean([3.0, 1.0]).variance([1.0, 2.0]);
        let error = layer_error(layer(), &[4, 3]);
        assert_eq!(error.message, "`broadcast` cannot stretch f32[1, 2] to [4, 3]");
        let error = layer_error(layer().axis(2), &[4, 3]);
        assert_eq!(error.message, "f32[4, 3] has no axis 2");
    }
}
