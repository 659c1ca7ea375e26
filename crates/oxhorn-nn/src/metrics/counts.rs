//! `TruePositives`, `FalsePositives`, `TrueNegatives` and `FalseNegatives`: how many answers are
//! right or wrong.

use super::{
    category::{Common, Direction, measured_by},
    confusion::{Cell, Cuts, Matrix, Thresholds},
};
use crate::prelude::*;

/// How many yeses are right. With weights, the sum of theirs.
///
/// There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.TruePositives")]
pub struct TruePositives {
    /// What a prediction has to exceed to mean yes; 0.5 if not given.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// What all metrics have.
    #[config(flatten = Common::named("true_positives"))]
    pub common: Common,
}

impl TruePositives {
    fn count(&self) -> Count<'_> {
        Count { cell: Cell::TruePositives, thresholds: self.thresholds.as_ref() }
    }
}

/// How many yeses are wrong. With weights, the sum of theirs.
///
/// There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.FalsePositives")]
pub struct FalsePositives {
    /// What a prediction has to exceed to mean yes; 0.5 if not given.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// What all metrics have.
    #[config(flatten = Common::named("false_positives"))]
    pub common: Common,
}

impl FalsePositives {
    fn count(&self) -> Count<'_> {
        Count { cell: Cell::FalsePositives, thresholds: self.thresholds.as_ref() }
    }
}

/// How many noes are right. With weights, the sum of theirs.
///
/// There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.TrueNegatives")]
pub struct TrueNegatives {
    /// What a prediction has to exceed to mean yes; 0.5 if not given.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// What all metrics have.
    #[config(flatten = Common::named("true_negatives"))]
    pub common: Common,
}

impl TrueNegatives {
    fn count(&self) -> Count<'_> {
        Count { cell: Cell::TrueNegatives, thresholds: self.thresholds.as_ref() }
    }
}

/// How many noes are wrong. With weights, the sum of theirs.
///
/// There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.FalseNegatives")]
pub struct FalseNegatives {
    /// What a prediction has to exceed to mean yes; 0.5 if not given.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// What all metrics have.
    #[config(flatten = Common::named("false_negatives"))]
    pub common: Common,
}

impl FalseNegatives {
    fn count(&self) -> Count<'_> {
        Count { cell: Cell::FalseNegatives, thresholds: self.thresholds.as_ref() }
    }
}

measured_by!(count: TruePositives FalsePositives TrueNegatives FalseNegatives);

/// One cell of the confusion matrix, for each threshold.
struct Count<'a> {
    cell: Cell,
    thresholds: Option<&'a Thresholds>,
}

impl Count<'_> {
    fn check(&self) -> Result<()> {
        self.thresholds.map_or(Ok(()), Thresholds::check)
    }

    /// Keras' do not say which way they get better.
    fn direction(&self) -> Option<Direction> {
        None
    }

    fn matrix(&self) -> Matrix<'static> {
        let thresholds = self.thresholds.map_or(&[0.5][..], Thresholds::as_slice);
        Matrix::new([self.cell], Cuts::at(thresholds))
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        self.matrix().update(cx, y_true, y_pred, sample_weight);
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let matrix = self.matrix();
        matrix.unless_one(matrix.cell(cx, self.cell))
    }
}
