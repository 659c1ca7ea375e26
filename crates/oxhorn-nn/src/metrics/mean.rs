//! `Mean` and `Sum`: of whatever they are given.

use super::category::{Common, Direction, Measure, add, total, totals};
use crate::{prelude::*, scope::Scope};

/// The weighted mean of the predictions.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Mean")]
pub struct Mean {
    /// What all metrics have.
    #[config(flatten = Common::named("mean"))]
    pub common: Common,
}

impl Measure for Mean {
    fn direction(&self) -> Option<Direction> {
        None
    }
}

/// The weighted sum of the predictions.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Sum")]
pub struct Sum {
    /// What all metrics have.
    #[config(flatten = Common::named("sum"))]
    pub common: Common,
}

impl Measure for Sum {
    fn direction(&self) -> Option<Direction> {
        None
    }

    fn is_mean(&self) -> bool {
        false
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        add(cx, "total", totals(self.values(y_true, y_pred), sample_weight, Tensor::sum).0);
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        total(cx, "total")
    }
}
