//! `CategoricalGeneralizedCrossEntropy`: a loss that wrong labels do little harm to.

use super::category::{Common, Penalize, check_labels, is_class, squeeze_labels};
use crate::prelude::*;

/// `(1 - p^q) / q`, where `p` is the probability of the true class; labels are the classes'
/// numbers.
///
/// It lies between `SparseCategoricalCrossentropy`, to which it goes as `q` goes to 0, and the
/// absolute error, which it would be at 1.
///
/// Zhang and Sabuncu, *Generalized cross entropy loss for training deep neural networks with noisy
/// labels*, 2018, <https://arxiv.org/abs/1805.07836>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.CategoricalGeneralizedCrossEntropy")]
pub struct CategoricalGeneralizedCrossEntropy {
    /// How little wrong labels count, between 0 and 1.
    #[config(default = 0.5)]
    pub q: f64,
    /// What all losses have.
    #[config(flatten = Common::named("categorical_generalized_cross_entropy"))]
    pub common: Common,
}

impl Penalize for CategoricalGeneralizedCrossEntropy {
    fn check(&self) -> Result<()> {
        ensure!(
            self.q > 0.0 && self.q < 1.0,
            "q must be in the interval (0, 1)"; help: "it is {}", self.q
        );
        Ok(())
    }

    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        // Keras compares labels of shape `[n, 1]` with the predictions of all samples; here, as
        // with other losses, each is compared with its own.
        let Some(axis) = y_pred.axis(-1) else { return y_pred };
        let labels = check_labels(squeeze_labels(y_true, y_pred), axis, y_pred);
        let p = is_class(labels, axis, y_pred).select(y_pred, 0.0).sum(-1);
        (1.0 - p.pow(self.q)) / self.q
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, testing::run};

    use super::*;
    use crate::losses::Loss;

    #[test]
    fn q_is_between_0_and_1() {
        for q in [0.0, 1.0, -0.5, f64::NAN] {
            let loss = Loss::from(CategoricalGeneralizedCrossEntropy::new().q(q));
            let error = loss.resolve(&[8], &[8, 3]).unwrap_err();
            let expected = format!("q must be in the interval (0, 1)\n  help: it is {q}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn labels_in_a_column_are_compared_with_their_own_samples() {
        let p = Array::new([2, 3], vec![0.25, 0.5, 0.25, 0.0, 0.19, 0.81]);
        let inputs = |shape: &[usize]| {
            let labels = Array::new(shape, vec![0.0, 2.0]);
            [(Type::f32(shape), labels), (Type::f32([2, 3]), p.clone())]
        };
        for shape in [&[2][..], &[2, 1]] {
            let loss = CategoricalGeneralizedCrossEntropy::new();
            let losses = run(&inputs(shape), |_, x| loss.call(x[0], x[1]));
            // 2 · (1 - √¼) and 2 · (1 - √0.81)
            assert_eq!(losses.shape, [2]);
            assert!((losses.data[0] - 1.0).abs() < 1e-6 && (losses.data[1] - 0.2).abs() < 1e-6);
        }
    }
}
