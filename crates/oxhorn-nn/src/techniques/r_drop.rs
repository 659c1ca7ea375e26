//! `RDrop`: two passes with other units dropped should agree.

use super::category::{Intervene, Output, Seen, Strength};
use crate::{
    losses::{both, reduced},
    prelude::*,
};

/// Sends each sample through the network twice, and adds to the loss how far apart the two
/// predictions are:
///
/// `½ (L(y, p₁) + L(y, p₂)) + alpha / 2 · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁))`
///
/// Both passes are one batch of twice the size, as in the paper: layers drop other units for each
/// sample of it. (What a layer drops for a whole batch at once, it drops in both passes alike.) The
/// divergences are summed over classes, and over samples they are reduced, weighed and masked as
/// the loss is. With an `alpha` of 0, two passes remain.
///
/// The loss must be a categorical crossentropy, of one-hot or sparse labels; `alpha` is a number
/// that can be turned while a model trains. Metrics count the first pass.
///
/// Liang et al., *R-Drop: regularized dropout for neural networks*, 2021,
/// <https://arxiv.org/abs/2106.14448>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.RDrop")]
pub struct RDrop {
    /// How much the divergence counts, 0 or more; the paper takes 0.1 to 5.
    #[config(default = 1.0)]
    pub alpha: f64,
}

impl Intervene for RDrop {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("alpha", self.alpha).present_at_zero()]
    }

    fn passes(&self) -> usize {
        2
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, seen: &Seen<'_, 'g>) -> Option<Tensor<'g>> {
        let alpha = cx.number("alpha", self.alpha).cast(DType::F32);
        let apart = |output: &Output<'_, 'g>| match disagreement(output) {
            Ok(apart) => apart * output.loss_weight,
            Err(error) => cx.trace().fail(error),
        };
        let total = seen.outputs.iter().map(apart).reduce(|total, apart| total + apart);
        total.map(|total| total * 0.5 * alpha)
    }
}

/// `KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁)` of an output's two passes, one number.
fn disagreement<'g>(output: &Output<'_, 'g>) -> Result<Tensor<'g>> {
    let loss = output.loss.get()?;
    let logs = |(y_pred, mask): &(Tensor<'g>, Option<Tensor<'g>>)| {
        loss.log_probabilities(y_pred.cast(DType::F32)).map(|(log, axis)| (log, axis, *mask))
    };
    let [Some((p, axis, mask)), Some((q, _, _))] = [0, 1].map(|i| logs(&output.passes[i])) else {
        let class = loss.class_name();
        let at = if output.name.is_empty() { "output" } else { output.name };
        return Err(Error::new(format!(
            "`RDrop` needs probabilities of classes, but the loss of `{at}` is `{class}`"
        ))
        .help("give a categorical crossentropy, and one output for each class"));
    };
    // Σ p (ln p - ln q) + Σ q (ln q - ln p)
    let apart = ((p.exp() - q.exp()) * (p - q)).sum(axis);
    let mask = both(mask, loss.mask(output.y_true.cast(DType::F32), apart));
    Ok(reduced(loss, apart, output.sample_weight, mask))
}
