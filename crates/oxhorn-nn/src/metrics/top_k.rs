//! `TopKCategoricalAccuracy` and its sparse form: whether the true class is among the likeliest.

use super::category::{Common, Direction, Measure};
use crate::{losses::squeeze_labels, prelude::*};

/// The fraction of samples whose true class is among the `k` most probable; labels are one-hot.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.TopKCategoricalAccuracy")]
pub struct TopKCategoricalAccuracy {
    /// How many classes count as most probable.
    #[config(default = 5)]
    pub k: usize,
    /// What all metrics have.
    #[config(flatten = Common::named("top_k_categorical_accuracy"))]
    pub common: Common,
}

impl Measure for TopKCategoricalAccuracy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let label = y_true.cast(DType::F32).argmax(-1);
        among_the_first(label, y_pred, self.k)
    }
}

/// The fraction of samples whose true class is among the `k` most probable; labels are the classes'
/// numbers.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SparseTopKCategoricalAccuracy")]
pub struct SparseTopKCategoricalAccuracy {
    /// How many classes count as most probable.
    #[config(default = 5)]
    pub k: usize,
    /// Whether predictions are the classes' numbers, the most probable first.
    #[config(default = false)]
    pub from_sorted_ids: bool,
    /// What all metrics have.
    #[config(flatten = Common::named("sparse_top_k_categorical_accuracy"))]
    pub common: Common,
}

impl Measure for SparseTopKCategoricalAccuracy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let shape = y_true.shape();
        let label = squeeze_labels(y_true, y_pred).cast(DType::I32);
        let hits = match self.from_sorted_ids {
            false => among_the_first(label, y_pred, self.k),
            true => {
                let mut stop = y_pred.shape();
                let rank = stop.len();
                if let Some(ids) = stop.last_mut() {
                    *ids = (*ids).min(self.k);
                }
                let first = y_pred.slice(vec![0; rank], stop, vec![1; rank]).cast(DType::I32);
                let found = last_axis(label).broadcast(first.shape()).equal(first);
                found.cast(DType::F32).reduce_max(-1)
            }
        };
        hits.reshape(shape)
    }
}

/// Whether fewer than `k` predictions exceed that of the label.
fn among_the_first<'g>(label: Tensor<'g>, y_pred: Tensor<'g>, k: usize) -> Tensor<'g> {
    let (classes, ty) = (y_pred.rank().saturating_sub(1), y_pred.ty().of(DType::I32));
    let numbers = y_pred.trace().iota(classes, ty);
    let is_label = last_axis(label.cast(DType::I32)).broadcast(y_pred.shape()).equal(numbers);
    let predicted = is_label.select(y_pred, 0.0).sum(-1);
    let above = y_pred.greater(last_axis(predicted)).cast(DType::F32).sum(-1);
    above.less(k as f64).cast(DType::F32)
}

/// A new last axis of extent 1.
fn last_axis(x: Tensor<'_>) -> Tensor<'_> {
    let mut shape = x.shape();
    shape.push(1);
    x.reshape(shape)
}
