//! Metrics of distances: means of the losses of the same names.

use super::category::{Common, Direction, Measure, total};
use crate::{
    losses::{self, divide_no_nan, per_sample},
    prelude::*,
};

/// The mean of `(y_pred - y_true)²`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.MeanSquaredError", aliases = ["mse", "MSE"])]
pub struct MeanSquaredError {
    /// What all metrics have.
    #[config(flatten = Common::named("mean_squared_error"))]
    pub common: Common,
}

impl Measure for MeanSquaredError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::MeanSquaredError::new(), y_true, y_pred).0
    }
}

/// The mean of `|y_pred - y_true|`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.MeanAbsoluteError", aliases = ["mae", "MAE"])]
pub struct MeanAbsoluteError {
    /// What all metrics have.
    #[config(flatten = Common::named("mean_absolute_error"))]
    pub common: Common,
}

impl Measure for MeanAbsoluteError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::MeanAbsoluteError::new(), y_true, y_pred).0
    }
}

/// 100 times the mean of `|y_pred - y_true| / |y_true|`, where a `y_true` near 0 counts as 10⁻⁷.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.MeanAbsolutePercentageError", aliases = ["mape", "MAPE"])]
pub struct MeanAbsolutePercentageError {
    /// What all metrics have.
    #[config(flatten = Common::named("mean_absolute_percentage_error"))]
    pub common: Common,
}

impl Measure for MeanAbsolutePercentageError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::MeanAbsolutePercentageError::new(), y_true, y_pred).0
    }
}

/// The mean of `(ln(1 + y_pred) - ln(1 + y_true))²`, in which all below 0 counts as 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.MeanSquaredLogarithmicError", aliases = ["msle", "MSLE"])]
pub struct MeanSquaredLogarithmicError {
    /// What all metrics have.
    #[config(flatten = Common::named("mean_squared_logarithmic_error"))]
    pub common: Common,
}

impl Measure for MeanSquaredLogarithmicError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::MeanSquaredLogarithmicError::new(), y_true, y_pred).0
    }
}

/// The mean of `ln cosh(y_pred - y_true)`.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.LogCoshError")]
pub struct LogCoshError {
    /// What all metrics have.
    #[config(flatten = Common::named("logcosh"))]
    pub common: Common,
}

impl Measure for LogCoshError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::LogCosh::new(), y_true, y_pred).0
    }
}

/// The root of the mean of `(y_pred - y_true)²` over all batches.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.RootMeanSquaredError", aliases = ["rmse", "RMSE"])]
pub struct RootMeanSquaredError {
    /// What all metrics have.
    #[config(flatten = Common::named("root_mean_squared_error"))]
    pub common: Common,
}

impl Measure for RootMeanSquaredError {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn is_mean(&self) -> bool {
        false
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let (y_true, y_pred) = losses::same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
        let error = y_pred - y_true;
        error * error
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        divide_no_nan(total(cx, "total"), total(cx, "count")).sqrt()
    }
}
