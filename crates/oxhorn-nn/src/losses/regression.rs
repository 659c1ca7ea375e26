//! `MeanSquaredError` and its like, `Huber` and `LogCosh`: distances of numbers.

use super::category::{Common, EPSILON, Penalize};
use crate::{activations::Softplus, prelude::*, regularizers::absolute};

/// The mean of `(y_pred - y_true)²`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.MeanSquaredError", aliases = ["mse", "MSE"])]
pub struct MeanSquaredError {
    /// What all losses have.
    #[config(flatten = Common::named("mean_squared_error"))]
    pub common: Common,
}

impl Penalize for MeanSquaredError {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let error = y_pred - y_true;
        (error * error).mean(-1)
    }
}

/// The mean of `|y_pred - y_true|`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.MeanAbsoluteError", aliases = ["mae", "MAE"])]
pub struct MeanAbsoluteError {
    /// What all losses have.
    #[config(flatten = Common::named("mean_absolute_error"))]
    pub common: Common,
}

impl Penalize for MeanAbsoluteError {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        absolute(y_true - y_pred).mean(-1)
    }
}

/// 100 times the mean of `|y_pred - y_true| / |y_true|`, where a `y_true` near 0 counts as 10⁻⁷.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.MeanAbsolutePercentageError", aliases = ["mape", "MAPE"])]
pub struct MeanAbsolutePercentageError {
    /// What all losses have.
    #[config(flatten = Common::named("mean_absolute_percentage_error"))]
    pub common: Common,
}

impl Penalize for MeanAbsolutePercentageError {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let size = y_true.abs().maximum(EPSILON);
        absolute((y_true - y_pred) / size).mean(-1) * 100.0
    }
}

/// The mean of `(ln(1 + y_pred) - ln(1 + y_true))²`, in which all below 0 counts as 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.MeanSquaredLogarithmicError", aliases = ["msle", "MSLE"])]
pub struct MeanSquaredLogarithmicError {
    /// What all losses have.
    #[config(flatten = Common::named("mean_squared_logarithmic_error"))]
    pub common: Common,
}

impl Penalize for MeanSquaredLogarithmicError {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let log = |y: Tensor<'g>| y.maximum(EPSILON).log1p();
        let error = log(y_pred) - log(y_true);
        (error * error).mean(-1)
    }
}

/// The mean of half the squared error up to `delta`, and of a line from there on, so that outliers
/// do not dominate.
///
/// Huber, *Robust estimation of a location parameter*, Annals of Mathematical Statistics 35, 1964.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Huber")]
pub struct Huber {
    /// The error at which the line begins.
    #[config(default = 1.0)]
    pub delta: f64,
    /// What all losses have.
    #[config(flatten = Common::named("huber_loss"))]
    pub common: Common,
}

impl Penalize for Huber {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let error = y_pred - y_true;
        let distance = error.abs();
        let line = distance * self.delta - 0.5 * self.delta * self.delta;
        distance.less_equal(self.delta).select(error * error * 0.5, line).mean(-1)
    }
}

/// The mean of `ln cosh(y_pred - y_true)`, much like the squared error near 0 and the absolute
/// error far out.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.LogCosh", aliases = ["logcosh"])]
pub struct LogCosh {
    /// What all losses have.
    #[config(flatten = Common::named("log_cosh"))]
    pub common: Common,
}

impl Penalize for LogCosh {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let error = y_pred - y_true;
        (error + Softplus.call(error * -2.0) - std::f64::consts::LN_2).mean(-1)
    }
}
