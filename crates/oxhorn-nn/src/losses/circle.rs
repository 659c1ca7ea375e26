//! `Circle`: samples of one class together, those of different classes apart.

use super::category::{Common, Penalize};
use crate::{activations::Softplus, prelude::*};

/// `softplus(ln Σ e^(gamma · wₚ · (dₚ - margin)) + ln Σ e^(gamma · wₙ · (1 - margin - dₙ)))`, where
/// `d = 1 - y_predᵢ · y_predⱼ` is the distance of a sample to another, `dₚ` to those of its own
/// class and `dₙ` to those of others, and the weights are `wₚ = margin + dₚ` and
/// `wₙ = 1 + margin - dₙ`; distances and weights below 0 count as 0.
///
/// Labels are the classes' numbers; predictions are `[batch, embedding]`, and each embedding should
/// have length 1. A sample that is the only one of its class, or whose class is the only one, does
/// not count.
///
/// Sun et al., *Circle loss: a unified perspective of pair similarity optimization*, 2020,
/// <https://arxiv.org/abs/2002.10857>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.losses.Circle")]
pub struct Circle {
    /// How much the pairs that are worst weigh more than others.
    #[config(default = 80.0)]
    pub gamma: f64,
    /// The distance that samples of one class may have; those of others should have 1 less this.
    #[config(default = 0.4)]
    pub margin: f64,
    /// Whether a sample is no neighbour of itself.
    #[config(default = true)]
    pub remove_diagonal: bool,
    /// What all losses have.
    #[config(flatten = Common::named("circle"))]
    pub common: Common,
}

impl Penalize for Circle {
    fn call<'g>(&self, y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Tensor<'g> {
        let Some(labels) = labels(y_true, y_pred) else { return y_pred };
        let (gamma, margin) = (self.gamma, self.margin);
        let distance = (1.0 - y_pred.matmul(y_pred.t())).maximum(0.0);
        let samples = y_pred.dim(0);
        let same = labels.reshape([samples, 1]).equal(labels.reshape([1, samples]));
        let mut positive = same;
        if self.remove_diagonal {
            let number = |axis| y_pred.trace().iota(axis, distance.ty().of(DType::I32));
            positive = same.and(number(0).not_equal(number(1)));
        }
        let near = (distance + margin).maximum(0.0) * (distance - margin) * gamma;
        let far = (1.0 + margin - distance).maximum(0.0) * (1.0 - margin - distance) * gamma;
        Softplus.call(log_sum_exp(positive, near) + log_sum_exp(same.not(), far))
    }

    fn mask<'g>(&self, _: Tensor<'g>, losses: Tensor<'g>) -> Option<Tensor<'g>> {
        Some(losses.greater(0.0))
    }
}

/// One label for each embedding, or a recorded mistake.
fn labels<'g>(y_true: Tensor<'g>, y_pred: Tensor<'g>) -> Option<Tensor<'g>> {
    if y_true.is_void() || y_pred.is_void() {
        return None;
    }
    let (target, output) = (y_true.shape(), y_pred.shape());
    if let ([samples, _], [labels] | [labels, 1]) = (&output[..], &target[..])
        && samples == labels
    {
        return Some(y_true.cast(DType::I32).reshape([*samples]));
    }
    let error = Error::new(format!(
        "`Circle` needs predictions [batch, embedding] and labels [batch]. Received: \
         target.shape={target:?}, output.shape={output:?}"
    ));
    y_pred.trace().fail(error.help("y must be one label for each sample, not one-hot"));
    None
}

/// `ln Σ eˣ` of each row, over the elements that `mask` names; of none, -∞.
fn log_sum_exp<'g>(mask: Tensor<'g>, x: Tensor<'g>) -> Tensor<'g> {
    let x = mask.select(x, f64::NEG_INFINITY);
    let greatest = x.reduce_max(1);
    // A row without elements keeps out of the logarithm, so that its gradient is 0 and not NaN.
    let some = greatest.is_finite();
    let shift = some.select(greatest, 0.0);
    let sum = (x - shift.keep(x, 1)).exp().sum(1);
    some.select(some.select(sum, 1.0).log() + shift, f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::{Array, Trace, testing::run};

    use super::*;
    use crate::{
        losses::{Loss, LossSettings, Reduction},
        testing::f32_input,
    };

    /// The losses of these samples, apart.
    fn losses(labels: &[f64], embeddings: Vec<f64>) -> Vec<f64> {
        let n = labels.len();
        let labels = Array::new([n], labels.to_vec());
        let embeddings = Array::new([n, 2], embeddings);
        let inputs = [(Type::f32([n]), labels), (Type::f32([n, 2]), embeddings)];
        let loss = Loss::from(Circle::new().gamma(2.0).reduction(Reduction::None));
        run(&inputs, |_, x| loss.apply(x[0], x[1], None)).data
    }

    #[test]
    fn is_its_formula_for_one_neighbour_of_each_kind() {
        let losses = losses(&[5.0, 5.0, 7.0], vec![1.0, 0.0, 0.6, 0.8, 0.0, 1.0]);
        // The first sample is 0.4 from its like and 1 from the other; wₙ is 0.4, 1 - margin - dₙ is
        // -0.4. The second is 0.4 from its like and 0.2 from the other.
        let softplus = |x: f64| x.exp().ln_1p();
        let expected = [softplus(2.0 * 0.4 * -0.4), softplus(2.0 * 1.2 * 0.4), 0.0];
        for (got, expected) in losses.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6, "{got}, not {expected}");
        }
    }

    #[test]
    fn of_no_sample_or_one_there_is_nothing_to_tell_apart() {
        assert!(losses(&[], vec![]).is_empty());
        assert_eq!(losses(&[3.0], vec![0.6, 0.8]), [0.0]);
    }

    #[test]
    fn labels_that_are_one_hot_are_refused() {
        let trace = Trace::new("test");
        let y_true = trace.input("y_true", Type::f32([5, 3]));
        Loss::from("circle").apply(y_true, f32_input(&trace, &[5, 2]), None);
        assert_eq!(
            trace.error().expect("a mistake").to_string(),
            "`Circle` needs predictions [batch, embedding] and labels [batch]. Received: \
             target.shape=[5, 3], output.shape=[5, 2]\n  help: y must be one label for each \
             sample, not one-hot"
        );
    }
}
