//! Metrics of laws and margins: means of the losses of the same names.

use super::category::{Common, Direction, Measure};
use crate::{
    losses::{self, check_smoothing, per_sample},
    prelude::*,
};

/// The mean of `BinaryCrossentropy`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.BinaryCrossentropy", aliases = ["bce", "BCE"])]
pub struct BinaryCrossentropy {
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// How much of the labels is spread evenly over both answers.
    #[config(default = 0.0)]
    pub label_smoothing: f64,
    /// What all metrics have.
    #[config(flatten = Common::named("binary_crossentropy"))]
    pub common: Common,
}

impl Measure for BinaryCrossentropy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let loss = losses::BinaryCrossentropy::new();
        let loss = loss.from_logits(self.from_logits).label_smoothing(self.label_smoothing);
        per_sample(&loss, y_true, y_pred).0
    }
}

/// The mean of `CategoricalCrossentropy`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.CategoricalCrossentropy")]
pub struct CategoricalCrossentropy {
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// How much of the labels is spread evenly over all classes.
    #[config(default = 0.0)]
    pub label_smoothing: f64,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// What all metrics have.
    #[config(flatten = Common::named("categorical_crossentropy"))]
    pub common: Common,
}

impl Measure for CategoricalCrossentropy {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let loss = losses::CategoricalCrossentropy::new().axis(self.axis);
        let loss = loss.from_logits(self.from_logits).label_smoothing(self.label_smoothing);
        per_sample(&loss, y_true, y_pred).0
    }
}

/// The mean of `SparseCategoricalCrossentropy`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SparseCategoricalCrossentropy")]
pub struct SparseCategoricalCrossentropy {
    /// Whether predictions are logits; else they are probabilities.
    #[config(default = false)]
    pub from_logits: bool,
    /// A label whose samples do not count.
    #[config(default)]
    pub ignore_class: Option<i64>,
    /// The axis of the classes.
    #[config(default = -1)]
    pub axis: isize,
    /// How much of the labels is spread evenly over all classes, from 0 to 1.
    #[config(added = 0.0)]
    pub label_smoothing: f64,
    /// What all metrics have.
    #[config(flatten = Common::named("sparse_categorical_crossentropy"))]
    pub common: Common,
}

impl Measure for SparseCategoricalCrossentropy {
    fn check(&self) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let mut loss = losses::SparseCategoricalCrossentropy::new().axis(self.axis);
        (loss.from_logits, loss.ignore_class) = (self.from_logits, self.ignore_class);
        loss.label_smoothing = self.label_smoothing;
        per_sample(&loss, y_true, y_pred).0
    }
}

/// The mean of `KLDivergence`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.KLDivergence", aliases = ["kld", "KLD"])]
pub struct KLDivergence {
    /// What all metrics have.
    #[config(flatten = Common::named("kl_divergence"))]
    pub common: Common,
}

impl Measure for KLDivergence {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::KLDivergence::new(), y_true, y_pred).0
    }
}

/// The mean of `Poisson`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Poisson")]
pub struct Poisson {
    /// What all metrics have.
    #[config(flatten = Common::named("poisson"))]
    pub common: Common,
}

impl Measure for Poisson {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::Poisson::new(), y_true, y_pred).0
    }
}

/// The mean of `Hinge`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.Hinge")]
pub struct Hinge {
    /// What all metrics have.
    #[config(flatten = Common::named("hinge"))]
    pub common: Common,
}

impl Measure for Hinge {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::Hinge::new(), y_true, y_pred).0
    }
}

/// The mean of `SquaredHinge`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.SquaredHinge")]
pub struct SquaredHinge {
    /// What all metrics have.
    #[config(flatten = Common::named("squared_hinge"))]
    pub common: Common,
}

impl Measure for SquaredHinge {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::SquaredHinge::new(), y_true, y_pred).0
    }
}

/// The mean of `CategoricalHinge`, the loss.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.CategoricalHinge")]
pub struct CategoricalHinge {
    /// What all metrics have.
    #[config(flatten = Common::named("categorical_hinge"))]
    pub common: Common,
}

impl Measure for CategoricalHinge {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Down)
    }

    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        per_sample(&losses::CategoricalHinge::new(), y_true, y_pred).0
    }
}
