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

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let (y_true, y_pred) = losses::same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
        let error = y_pred - y_true;
        error * error
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        divide_no_nan(total(cx, "total"), total(cx, "count")).sqrt()
    }
}
