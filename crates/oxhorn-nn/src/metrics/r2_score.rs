//! `R2Score`: how much of the variation is explained.

use super::category::{Common, Direction, Measure, add, total};
use crate::{losses::same_rank, prelude::*, scope::Initial};

keyword! {
    /// How the scores of several outputs become one.
    pub enum Aggregation {
        /// They are averaged.
        UniformAverage "uniform_average",
        /// They are averaged, those of outputs that vary more weighing more.
        VarianceWeightedAverage "variance_weighted_average",
    }
}

/// `1 - Σ (y_true - y_pred)² / Σ (y_true - µ)²`, of all batches, where `µ` is the mean of `y_true`:
/// 1 if all is explained, 0 if predictions are no better than `µ`. An output that does not vary
/// has the score 0, and none, NaN, if its predictions are right.
///
/// With `p` regressors and `n` numbers in all of `y_true` it is `1 - (1 - R²) · (n - 1) /
/// (n - p - 1)`, as long as the divisor is greater than 0.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.metrics.R2Score")]
pub struct R2Score {
    /// How the scores of several outputs become one; with none they stay apart.
    #[config(default = Some(Aggregation::UniformAverage))]
    pub class_aggregation: Option<Aggregation>,
    /// How many independent quantities predictions are made from; 0 leaves the score as it is.
    #[config(default = 0)]
    pub num_regressors: usize,
    /// What all metrics have.
    #[config(flatten = Common::named("r2_score"))]
    pub common: Common,
}

/// The sums that are kept for each output: of `y_true²`, of `y_true`, of the squared error, and of
/// the weights.
const SUMS: [&str; 4] = ["squared_sum", "sum", "residual", "count"];

impl Measure for R2Score {
    fn direction(&self) -> Option<Direction> {
        Some(Direction::Up)
    }

    /// The squared errors.
    fn values<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let error = y_true - y_pred;
        error * error
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
        let (y_true, y_pred) = same_rank(y_true.cast(DType::F32), y_pred.cast(DType::F32));
        if let Err(error) = check_shapes(y_true, y_pred) {
            y_pred.trace().fail(error);
            return;
        }
        let weight = match sample_weight.map(|weight| weight.cast(DType::F32)) {
            None => y_true.fill(1.0),
            Some(weight) if weight.rank() == 1 => weight.reshape([weight.dim(0), 1]),
            Some(weight) => weight,
        };
        let weight = weight.broadcast(y_true.shape());
        let weighted = y_true * weight;
        add(cx, "num_samples", y_true.trace().scalar(y_true.ty().len() as f64, DType::F32));
        let error = self.values(y_true, y_pred);
        let terms = [y_true * weighted, weighted, error * weight, weight];
        for (name, term) in SUMS.into_iter().zip(terms) {
            let ty = Type::f32([y_pred.dim(-1)]);
            let sum = cx.state(name, ty, Initial::Filled(0.0)) + term.sum(0);
            cx.update(name, sum);
        }
    }

    fn result<'g>(&self, cx: &Scope<'g>) -> Tensor<'g> {
        let Some(ty) = cx.known("sum") else {
            let message = "`R2Score` has no result before its first update";
            return cx.trace().fail(Error::new(message));
        };
        let state = |name| cx.state(name, ty.clone(), Initial::Filled(0.0));
        let [squares, sum, residual, count] = SUMS.map(state);
        let variation = squares - sum * (sum / count);
        let score = 1.0 - residual / variation;
        // Infinite, but NaN stays what it is.
        let infinite = score.abs().equal(f64::INFINITY);
        let scores = infinite.select(score.fill(0.0), score);
        let score = match self.class_aggregation {
            None => scores,
            Some(Aggregation::UniformAverage) => scores.mean(..),
            Some(Aggregation::VarianceWeightedAverage) => {
                (variation * scores).sum(..) / variation.sum(..)
            }
        };
        self.adjusted(score, total(cx, "num_samples"))
    }
}

impl R2Score {
    /// The score, less what so many regressors would explain by chance.
    fn adjusted<'g>(&self, score: Tensor<'g>, n: Tensor<'g>) -> Tensor<'g> {
        if self.num_regressors == 0 {
            return score;
        }
        let divisor = n - self.num_regressors as f64 - 1.0;
        let enough = divisor.greater(0.0);
        let divisor = enough.select(divisor, 1.0);
        enough.select(1.0 - (1.0 - score) * (n - 1.0) / divisor, score)
    }
}

fn check_shapes(y_true: Tensor<'_>, y_pred: Tensor<'_>) -> Result<()> {
    let void = y_true.is_void() || y_pred.is_void();
    ensure!(
        void || y_true.rank() == 2 && y_pred.rank() == 2,
        "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input shapes: \
         y_pred.shape={:?} and y_true.shape={:?}.",
        y_pred.shape(),
        y_true.shape()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::scope::Declarations;

    #[test]
    fn inputs_that_are_no_matrices_are_refused_in_the_words_of_keras() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Infer);
        let input = |name| trace.input(name, Type::f32([7]));
        R2Score::new().update(&cx, input("y_true"), input("y_pred"), None);
        assert_eq!(
            trace.error().expect("a mistake").message,
            "R2Score expects 2D inputs with shape (batch_size, output_dim). Received input \
             shapes: y_pred.shape=[7] and y_true.shape=[7]."
        );
    }

    #[test]
    fn has_no_result_before_the_number_of_outputs_is_known() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        R2Score::new().result(&Scope::new(&trace, &declared, Mode::Infer));
        assert_eq!(
            trace.error().expect("a mistake").message,
            "`R2Score` has no result before its first update"
        );
    }
}
