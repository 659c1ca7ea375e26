//! `Precision` and `Recall`: how many yeses are right, and how much of what is true is found.

use super::{
    category::{Common, Direction, measured_by},
    confusion::{Cuts, Matrix, NO_CANDIDATE, Share, Thresholds},
};
use crate::prelude::*;

/// The fraction of yeses that are right, `true positives / (true positives + false positives)`.
///
/// Where there are none, it is 0. There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Precision")]
pub struct Precision {
    /// What a prediction has to exceed to mean yes; if neither this nor `top_k` is given, 0.5.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// How many of a sample's predictions can mean yes at most: the greatest.
    #[config(default)]
    pub top_k: Option<usize>,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("precision"))]
    pub common: Common,
}

impl Precision {
    fn fraction(&self) -> Fraction<'_> {
        let Precision { thresholds, top_k, class_id, .. } = self;
        let (thresholds, top_k, class_id) = (thresholds.as_ref(), *top_k, *class_id);
        Fraction { share: Share::PRECISION, thresholds, top_k, class_id }
    }
}

/// The fraction of what is true that is found, `true positives / (true positives + false negatives)`.
///
/// Where there are none, it is 0. There is one number for each of the thresholds.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Recall")]
pub struct Recall {
    /// What a prediction has to exceed to mean yes; if neither this nor `top_k` is given, 0.5.
    #[config(default)]
    pub thresholds: Option<Thresholds>,
    /// How many of a sample's predictions can mean yes at most: the greatest.
    #[config(default)]
    pub top_k: Option<usize>,
    /// The only class that counts.
    #[config(default)]
    pub class_id: Option<isize>,
    /// What all metrics have.
    #[config(flatten = Common::named("recall"))]
    pub common: Common,
}

impl Recall {
    fn fraction(&self) -> Fraction<'_> {
        let Recall { thresholds, top_k, class_id, .. } = self;
        let (thresholds, top_k, class_id) = (thresholds.as_ref(), *top_k, *class_id);
        Fraction { share: Share::RECALL, thresholds, top_k, class_id }
    }
}

measured_by!(fraction: Precision Recall);

/// A share of right answers, for each threshold.
struct Fraction<'a> {
    share: Share,
    thresholds: Option<&'a Thresholds>,
    top_k: Option<usize>,
    class_id: Option<isize>,
}

impl Fraction<'_> {
    fn check(&self) -> Result<()> {
        self.thresholds.map_or(Ok(()), Thresholds::check)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn matrix(&self) -> Matrix<'static> {
        let cuts = match (self.thresholds, self.top_k) {
            (Some(thresholds), _) => Cuts::at(thresholds.as_slice()),
            (None, Some(_)) => Cuts::Above(vec![NO_CANDIDATE]),
            (None, None) => Cuts::Above(vec![0.5]),
        };
        let Share(a, b) = self.share;
        Matrix { top_k: self.top_k, class_id: self.class_id, ..Matrix::new([a, b], cuts) }
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
        matrix.unless_one(matrix.share(cx, self.share))
    }
}
