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

/// The fraction of what is true that is found,
/// `true positives / (true positives + false negatives)`.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::metric_error;

    #[test]
    fn thresholds_that_are_no_probabilities_are_refused_in_the_words_of_keras() {
        let error = |metric: Precision| metric.fraction().check().unwrap_err().message;
        assert_eq!(
            error(Precision::new().thresholds([0.5, 2.0, -1.0])),
            "Threshold values must be in [0, 1]. Received: [2.0, -1.0]"
        );
        assert_eq!(
            error(Precision::new().thresholds(1.5)),
            "Threshold values must be in [0, 1]. Received: [1.5]"
        );
        assert_eq!(
            error(Precision::new().thresholds([])),
            "`thresholds` must be a number or a list of one or more, got []"
        );
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let error = |metric: Recall, y_true: &[usize], y_pred: &[usize]| {
            metric_error(&metric.into(), y_true, y_pred).message
        };
        assert_eq!(
            error(Recall::new().class_id(0), &[5], &[5]),
            "When class_id is provided, y_pred must be a 2D array with shape (num_samples, \
            num_classes), found shape: [5]"
        );
        for class_id in [3, -4] {
            assert_eq!(
                error(Recall::new().class_id(class_id), &[5, 3], &[5, 3]),
                format!("`class_id` is {class_id}, but y_pred of shape [5, 3] has 3 classes")
            );
        }
        assert_eq!(
            error(Recall::new().top_k(4), &[5, 3], &[5, 3]),
            "`top_k` is 4, but y_pred of shape [5, 3] has 3 classes"
        );
        assert_eq!(
            error(Recall::new(), &[5, 2], &[5, 3]),
            "y_true of shape [5, 2] and y_pred of shape [5, 3] do not fit"
        );
    }
}
