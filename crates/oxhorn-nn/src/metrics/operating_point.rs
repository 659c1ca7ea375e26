//! `PrecisionAtRecall` and its like: the best of one share of right answers, where another is large
//! enough.

use super::{
    category::{Common, Direction, measured_by},
    confusion::{Cuts, Lowest, Matrix, Share},
};
use crate::prelude::*;

/// The best precision among the thresholds at which the recall is large enough.
///
/// If it is so nowhere, 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.PrecisionAtRecall")]
pub struct PrecisionAtRecall {
    /// The least recall that is large enough.
    pub recall: f64,
    /// How many thresholds are tried, evenly spaced from 0 to 1; a single one is 0.5.
    #[config(default = 200)]
    pub num_thresholds: usize,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("precision_at_recall"))]
    pub common: Common,
}

impl PrecisionAtRecall {
    fn trade(&self) -> Trade {
        Trade {
            best: Share::PRECISION,
            given: Share::RECALL,
            setting: "recall",
            least: self.recall,
            num_thresholds: self.num_thresholds,
            class_id: self.class_id,
        }
    }
}

/// The best recall among the thresholds at which the precision is large enough.
///
/// If it is so nowhere, 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.RecallAtPrecision")]
pub struct RecallAtPrecision {
    /// The least precision that is large enough.
    pub precision: f64,
    /// How many thresholds are tried, evenly spaced from 0 to 1; a single one is 0.5.
    #[config(default = 200)]
    pub num_thresholds: usize,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("recall_at_precision"))]
    pub common: Common,
}

impl RecallAtPrecision {
    fn trade(&self) -> Trade {
        Trade {
            best: Share::RECALL,
            given: Share::PRECISION,
            setting: "precision",
            least: self.precision,
            num_thresholds: self.num_thresholds,
            class_id: self.class_id,
        }
    }
}

/// The best sensitivity (which is the recall) among the thresholds at which the specificity, the
/// fraction of what is false that is recognised, is large enough.
///
/// If it is so nowhere, 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SensitivityAtSpecificity")]
pub struct SensitivityAtSpecificity {
    /// The least specificity that is large enough.
    pub specificity: f64,
    /// How many thresholds are tried, evenly spaced from 0 to 1; a single one is 0.5.
    #[config(default = 200)]
    pub num_thresholds: usize,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("sensitivity_at_specificity"))]
    pub common: Common,
}

impl SensitivityAtSpecificity {
    fn trade(&self) -> Trade {
        Trade {
            best: Share::RECALL,
            given: Share::SPECIFICITY,
            setting: "specificity",
            least: self.specificity,
            num_thresholds: self.num_thresholds,
            class_id: self.class_id,
        }
    }
}

/// The best specificity, the fraction of what is false that is recognised, among the thresholds at
/// which the sensitivity (which is the recall) is large enough.
///
/// If it is so nowhere, 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SpecificityAtSensitivity")]
pub struct SpecificityAtSensitivity {
    /// The least sensitivity that is large enough.
    pub sensitivity: f64,
    /// How many thresholds are tried, evenly spaced from 0 to 1; a single one is 0.5.
    #[config(default = 200)]
    pub num_thresholds: usize,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("specificity_at_sensitivity"))]
    pub common: Common,
}

impl SpecificityAtSensitivity {
    fn trade(&self) -> Trade {
        Trade {
            best: Share::SPECIFICITY,
            given: Share::RECALL,
            setting: "sensitivity",
            least: self.sensitivity,
            num_thresholds: self.num_thresholds,
            class_id: self.class_id,
        }
    }
}

measured_by!(trade:
    PrecisionAtRecall
    RecallAtPrecision
    SensitivityAtSpecificity
    SpecificityAtSensitivity
);

/// What all of these metrics are.
struct Trade {
    /// Of what the best is sought.
    best: Share,
    /// What has to be large enough.
    given: Share,
    /// What the setting is called that says how large.
    setting: &'static str,
    /// How large.
    least: f64,
    num_thresholds: usize,
    class_id: Option<isize>,
}

impl Trade {
    fn check(&self) -> Result<()> {
        let Trade { setting, least, num_thresholds, .. } = self;
        ensure!(
            (0.0..=1.0).contains(least),
            "Argument `{setting}` must be in the range [0, 1]. Received: {setting}={least:?}"
        );
        ensure!(
            *num_thresholds > 0,
            "Argument `num_thresholds` must be an integer > 0. Received: \
            num_thresholds={num_thresholds}"
        );
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn matrix(&self) -> Matrix<'static> {
        let cuts = match self.num_thresholds {
            1 => Cuts::Above(vec![0.5]),
            count => Cuts::Even { count, lowest: Lowest::AtZero },
        };
        let (Share(a, b), Share(c, d)) = (self.best, self.given);
        let mut cells = vec![a, b];
        cells.extend([c, d].into_iter().filter(|cell| ![a, b].contains(cell)));
        Matrix { class_id: self.class_id, ..Matrix::new(cells, cuts) }
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
        let enough = matrix.share(cx, self.given).greater_equal(self.least);
        enough.select(matrix.share(cx, self.best), 0.0).reduce_max(0).maximum(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_data_could_make_right_is_refused_in_the_words_of_keras() {
        let error = |trade: Trade| trade.check().unwrap_err().message;
        assert_eq!(
            error(SensitivityAtSpecificity::new(1.5).trade()),
            "Argument `specificity` must be in the range [0, 1]. Received: specificity=1.5"
        );
        assert_eq!(
            error(RecallAtPrecision::new(-1.0).trade()),
            "Argument `precision` must be in the range [0, 1]. Received: precision=-1.0"
        );
        assert_eq!(
            error(PrecisionAtRecall::new(0.5).num_thresholds(0).trade()),
            "Argument `num_thresholds` must be an integer > 0. Received: num_thresholds=0"
        );
    }
}
