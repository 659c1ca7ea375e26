//! `CosineSimilarity`: the angle between what is true and what is predicted.

use super::category::{Common, EPSILON, Penalize};
use crate::prelude::*;

/// `-Σ y_true · y_pred`, of vectors brought to length 1: -1 where they point the same way, 0 where
/// they are at right angles, 1 where they are opposite.
///
/// Vectors of length 0 stay as they are, at right angles to all others.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.CosineSimilarity")]
pub struct CosineSimilarity {
    /// The axis along which the vectors lie.
    #[config(default = -1)]
    pub axis: isize,
    /// What all losses have.
    #[config(flatten = Common::named("cosine_similarity"))]
    pub common: Common,
}

impl Penalize for CosineSimilarity {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        -(normalize(y_true, self.axis) * normalize(y_pred, self.axis)).sum(self.axis)
    }
}

/// `x / |x|` along `axis`, where a length near 0 counts as 10⁻⁷.
fn normalize(x: Tensor<'_>, axis: isize) -> Tensor<'_> {
    // The bound is on the square, for the root's gradient at 0 would not be a number. In Keras it
    // is not, and one vector of zeros makes the whole network that.
    let square = (x * x).sum(axis).maximum(EPSILON * EPSILON);
    x * square.rsqrt().keep(x, axis)
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, grad, interpret::interpret};

    use super::*;

    #[test]
    fn a_prediction_of_zeros_has_a_gradient() {
        let trace = Trace::new("test");
        let y_true = trace.input("y_true", Type::f32([1, 2]));
        let y_pred = trace.input("y_pred", Type::f32([1, 2]));
        let loss = CosineSimilarity::new().call(y_true, y_pred);
        let dy_pred = grad(loss.sum(..), &[y_pred])[0];
        let wanted = [loss.value(), dy_pred.value()];
        let graph = trace.finish(&wanted).expect("no mistake");
        let leaves = [vec![3.0, 4.0], vec![0.0, 0.0]].map(|data| Array::new([1, 2], data));
        let outputs = interpret(&graph, &leaves).expect("the leaves fit").outputs;
        assert_eq!(outputs[0].data, [0.0]);
        // -y_true / |y_true| / 10⁻⁷
        let near = |got: f64, expected: f64| (got / expected - 1.0).abs() < 1e-6;
        assert!(near(outputs[1].data[0], -0.6e7) && near(outputs[1].data[1], -0.8e7));
    }
}
