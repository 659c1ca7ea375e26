//! `Accuracy` and its binary, categorical and sparse forms: the fraction of right answers.

use super::category::{Common, Direction, Measure};
use crate::{
    losses::{same_rank, squeeze_labels},
    prelude::*,
};

/// The fraction of predictions that equal what is true.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Accuracy")]
pub struct Accuracy {
    /// What all metrics have.
    #[config(flatten = Common::named("accuracy"))]
    pub common: Common,
}

impl Measure for Accuracy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let (y_true, y_pred) = same_rank(y_true.cast(y_pred.dtype()), y_pred);
        y_true.equal(y_pred).cast(DType::F32)
    }
}

/// The fraction of yes-or-no answers on the right side of the threshold.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.BinaryAccuracy")]
pub struct BinaryAccuracy {
    /// What a prediction has to exceed to mean yes.
    #[config(default = 0.5)]
    pub threshold: f64,
    /// What all metrics have.
    #[config(flatten = Common::named("binary_accuracy"))]
    pub common: Common,
}

impl Measure for BinaryAccuracy {
    fn check(&self) -> Result<()> {
        ensure!(
            (0.0..=1.0).contains(&self.threshold),
            "Invalid value for argument `threshold`. Expected a value in interval (0, 1). \
            Received: threshold={}",
            self.threshold
        );
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let (y_true, y_pred) = same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
        let answer = y_pred.greater(self.threshold).cast(DType::F32);
        y_true.equal(answer).cast(DType::F32)
    }
}

/// The fraction of samples whose most probable class is the true one; labels are one-hot.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.CategoricalAccuracy")]
pub struct CategoricalAccuracy {
    /// What all metrics have.
    #[config(flatten = Common::named("categorical_accuracy"))]
    pub common: Common,
}

impl Measure for CategoricalAccuracy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let y_true = y_true.cast(DType::F32);
        y_true.argmax(-1).equal(y_pred.argmax(-1)).cast(DType::F32)
    }
}

/// The fraction of samples whose most probable class is the true one; labels are the classes'
/// numbers.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SparseCategoricalAccuracy")]
pub struct SparseCategoricalAccuracy {
    /// What all metrics have.
    #[config(flatten = Common::named("sparse_categorical_accuracy"))]
    pub common: Common,
}

impl Measure for SparseCategoricalAccuracy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let shape = y_true.shape();
        let guess = y_pred.argmax(-1);
        let hit = squeeze_labels(y_true, y_pred).cast(DType::F32).equal(guess.cast(DType::F32));
        hit.cast(DType::F32).reshape(shape)
    }
}
