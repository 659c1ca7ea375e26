//! `CosineSimilarity`, `PearsonCorrelation` and `ConcordanceCorrelation`: whether predictions go
//! the way of what is true.

use super::category::{Common, Direction, Measure};
use crate::{
    losses::{self, per_sample, same_rank},
    prelude::*,
};

/// The mean of `Σ y_true · y_pred`, of vectors brought to length 1: the loss of this name, with
/// the other sign.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.CosineSimilarity")]
pub struct CosineSimilarity {
    /// The axis along which the vectors lie.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have.
    #[config(flatten = Common::named("cosine_similarity"))]
    pub common: Common,
}

impl Measure for CosineSimilarity {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        -per_sample(&losses::CosineSimilarity::new().axis(self.axis), y_true, y_pred).0
    }
}

/// The mean of `cov(y_true, y_pred) / (σ_true · σ_pred)` along `axis`: 1 where the one is a linear
/// function of the other, 0 where that says nothing, -1 where one rises as the other falls.
///
/// It is not a number where either is constant.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.PearsonCorrelation")]
pub struct PearsonCorrelation {
    /// The axis along which things are correlated.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have.
    #[config(flatten = Common::named("pearson_correlation"))]
    pub common: Common,
}

impl Measure for PearsonCorrelation {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let Moments { variances: (v, w), covariance, .. } = Moments::of(y_true, y_pred, self.axis);
        covariance / (v.sqrt() * w.sqrt())
    }
}

/// The mean of `2 cov(y_true, y_pred) / (σ²_true + σ²_pred + (µ_true - µ_pred)²)` along `axis`: 1
/// only where both are equal.
///
/// Lin, *A concordance correlation coefficient to evaluate reproducibility*, Biometrics 45, 1989.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.ConcordanceCorrelation")]
pub struct ConcordanceCorrelation {
    /// The axis along which things are correlated.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have.
    #[config(flatten = Common::named("concordance_correlation"))]
    pub common: Common,
}

impl Measure for ConcordanceCorrelation {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let Moments { means, variances: (v, w), covariance } =
            Moments::of(y_true, y_pred, self.axis);
        let distance = means.0 - means.1;
        covariance * 2.0 / (v + w + distance * distance + losses::EPSILON)
    }
}

/// What correlations are made of, of what is true and what is predicted.
struct Moments<'g> {
    means: (Tensor<'g>, Tensor<'g>),
    variances: (Tensor<'g>, Tensor<'g>),
    covariance: Tensor<'g>,
}

impl<'g> Moments<'g> {
    fn of(y_true: Tensor<'g>, y_pred: Tensor<'g>, axis: isize) -> Moments<'g> {
        let (a, b) = same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
        let means = (a.mean(axis), b.mean(axis));
        let (a, b) = (a - means.0.keep(a, axis), b - means.1.keep(b, axis));
        Moments {
            means,
            variances: ((a * a).mean(axis), (b * b).mean(axis)),
            covariance: (a * b).mean(axis),
        }
    }
}
