//! `FBetaScore` and `F1Score`: a mean of precision and recall.

use super::category::{Common, Direction, add_all, known_totals, measured_by};
use crate::{
    config::{Error, unexpected},
    losses::EPSILON,
    prelude::*,
};

/// The weighted harmonic mean of precision and recall,
/// `(1 + β²) · precision · recall / (β² · precision + recall)`.
///
/// There is one number for each class, unless an `average` is taken.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.FBetaScore")]
pub struct FBetaScore {
    /// How the scores of the classes become one.
    #[config(default)]
    pub average: Option<Average>,
    /// How many times as much the recall matters as the precision does.
    #[config(default = 1.0)]
    pub beta: f64,
    /// What a prediction has to exceed to mean yes; if not given, a sample's greatest means yes.
    #[config(default)]
    pub threshold: Option<f64>,
    /// What all metrics have.
    #[config(flatten = Common::named("fbeta_score"))]
    pub common: Common,
}

/// The harmonic mean of precision and recall.
///
/// There is one number for each class, unless an `average` is taken.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.F1Score")]
pub struct F1Score {
    /// How the scores of the classes become one.
    #[config(default)]
    pub average: Option<Average>,
    /// What a prediction has to exceed to mean yes; if not given, a sample's greatest means yes.
    #[config(default)]
    pub threshold: Option<f64>,
    /// What all metrics have.
    #[config(flatten = Common::named("f1_score"))]
    pub common: Common,
}

/// How the scores of the classes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// It is the score of all answers, whatever their class.
    Micro,
    /// Their mean.
    Macro,
    /// Their mean, weighted by how often each class is true.
    Weighted,
}

impl Field for Average {
    fn kind() -> String {
        "one of \"micro\", \"macro\", \"weighted\"".to_owned()
    }

    fn read(json: &Json) -> Result<Average> {
        match json.as_str() {
            Some("micro") => Ok(Average::Micro),
            Some("macro") => Ok(Average::Macro),
            Some("weighted") => Ok(Average::Weighted),
            Some(other) => Err(Error::new(format!(
                "Invalid `average` argument value. Expected one of: \
                 {{None, 'micro', 'macro', 'weighted'}}. Received: average={other}"
            ))),
            None => Err(unexpected::<Average>(json)),
        }
    }

    fn write(&self) -> Json {
        match self {
            Average::Micro => "micro".into(),
            Average::Macro => "macro".into(),
            Average::Weighted => "weighted".into(),
        }
    }
}

impl FBetaScore {
    fn score(&self) -> Score {
        Score { average: self.average, beta: self.beta, threshold: self.threshold }
    }
}

impl F1Score {
    fn score(&self) -> Score {
        Score { average: self.average, beta: 1.0, threshold: self.threshold }
    }
}

measured_by!(score: FBetaScore F1Score);

/// What both scores are.
struct Score {
    average: Option<Average>,
    beta: f64,
    threshold: Option<f64>,
}

impl Score {
    fn check(&self) -> Result<()> {
        let Score { beta, threshold, .. } = self;
        ensure!(
            *beta > 0.0,
            "Invalid `beta` argument value. It should be > 0. Received: beta={beta:?}"
        );
        if let Some(threshold) = threshold {
            ensure!(
                *threshold > 0.0 && *threshold <= 1.0,
                "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. \
                Received: threshold={threshold:?}"
            );
        }
        Ok(())
    }

    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    fn update<'g>(
        &self,
        cx: &Scope<'g>,
        y_true: Tensor<'g>,
        y_pred: Tensor<'g>,
        sample_weight: Option<Tensor<'g>>,
    ) {
        if y_true.is_void() || y_pred.is_void() {
            return;
        }
        if let Err(error) = check_shapes(y_true, y_pred, sample_weight) {
            cx.trace().fail(error);
            return;
        }
        let (y_true, y_pred) = (y_true.cast(DType::F32), y_pred.cast(DType::F32));
        let answer = self.answer(y_pred).cast(DType::F32);
        let weight = sample_weight.map(|it| it.cast(DType::F32).reshape([y_pred.dim(0), 1]));
        let sum = |x: Tensor<'g>| {
            let x = weight.map_or(x, |weight| x * weight);
            if self.average == Some(Average::Micro) { x.sum(..) } else { x.sum(0) }
        };
        add_all(cx, "true_positives", sum(answer * y_true));
        add_all(cx, "false_positives", sum(answer * (1.0 - y_true)));
        add_all(cx, "false_negatives", sum((1.0 - answer) * y_true));
    }

    /// Which predictions mean yes.
    fn answer<'g>(&self, y_pred: Tensor<'g>) -> Tensor<'g> {
        match self.threshold {
            Some(threshold) => y_pred.greater(threshold),
            None => {
                let greatest = y_pred.greater_equal(y_pred.reduce_max(-1).keep(y_pred, -1));
                greatest.and(y_pred.abs().greater(1e-9)) // A prediction of nothing means no.
            }
        }
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let total = |name| known_totals(cx, name);
        let (tp, fp) = (total("true_positives"), total("false_positives"));
        let true_ones = tp + total("false_negatives");
        let (precision, recall) = (tp / (tp + fp + EPSILON), tp / (true_ones + EPSILON));
        let beta2 = self.beta * self.beta;
        let score = precision * recall / (precision * beta2 + recall + EPSILON) * (1.0 + beta2);
        match self.average {
            _ if score.is_void() => score,
            None | Some(Average::Micro) => score,
            Some(Average::Macro) => score.mean(..),
            Some(Average::Weighted) => {
                (score * (true_ones / (true_ones.sum(..) + EPSILON))).sum(..)
            }
        }
    }
}

fn check_shapes(
    y_true: Tensor<'_>,
    y_pred: Tensor<'_>,
    sample_weight: Option<Tensor<'_>>,
) -> Result<()> {
    let (label, shape) = (y_true.shape(), y_pred.shape());
    ensure!(
        label.len() == 2 && shape.len() == 2,
        "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input shapes: \
        y_pred.shape={shape:?} and y_true.shape={label:?}."
    );
    ensure!(
        label == shape,
        "y_true of shape {label:?} and y_pred of shape {shape:?} do not fit";
        help: "y must have a column for each output of the last layer"
    );
    let weights = sample_weight.map_or(vec![shape[0]], Tensor::shape);
    ensure!(
        weights == shape[..1],
        "sample_weight of shape {weights:?} and y_pred of shape {shape:?} do not fit";
        help: "there must be one weight for each sample"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        metrics::Metric,
        testing::{metric_error, read_error},
    };

    #[test]
    fn what_no_data_could_make_right_is_refused_in_the_words_of_keras() {
        let error = |score: Score| score.check().unwrap_err().message;
        assert_eq!(
            error(FBetaScore::new().beta(0.0).score()),
            "Invalid `beta` argument value. It should be > 0. Received: beta=0.0"
        );
        for threshold in [0.0, 1.5] {
            assert_eq!(
                error(F1Score::new().threshold(threshold).score()),
                format!(
                    "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. \
                    Received: threshold={threshold:?}"
                )
            );
        }
        assert_eq!(
            read_error::<F1Score>(serde_json::json!({"average": "mean"})).message,
            "`average` of `F1Score`: Invalid `average` argument value. Expected one of: \
            {None, 'micro', 'macro', 'weighted'}. Received: average=mean"
        );
    }

    #[test]
    fn samples_need_a_row_each() {
        let error = |y_true: &[usize], y_pred: &[usize]| {
            metric_error(&Metric::from("f1_score"), y_true, y_pred).message
        };
        assert_eq!(
            error(&[5], &[5]),
            "FBetaScore expects 2D inputs with shape (batch_size, output_dim). Received input \
            shapes: y_pred.shape=[5] and y_true.shape=[5]."
        );
        assert_eq!(
            error(&[5, 1], &[5, 3]),
            "y_true of shape [5, 1] and y_pred of shape [5, 3] do not fit"
        );
    }
}
