//! `Mixup`: samples and targets between those that there are.

use super::{
    blending::{beta, permutation, samples_of},
    category::{Blend, Blends, Fed, Intervene, Strength},
};
use crate::prelude::*;

/// Trains on sums of two samples, `share · x + (1 - share) · x'`, and of their losses.
///
/// The partners `x'` are the batch's own samples in random order. The share, one for the whole
/// batch, follows the law Beta(`alpha`, `alpha`): with a small `alpha` most batches are nearly
/// what they were, with 1 any share is as likely as any other. The loss is
/// `share · L(y, ŷ) + (1 - share) · L(y', ŷ)`, with any loss and any form of target; a sample's
/// weight goes with its target. Metrics count a prediction for both targets, with these shares.
///
/// `alpha` is a number that can be turned while a model trains; at 0, nothing is mixed. Inputs must
/// be real numbers.
///
/// Zhang et al., *mixup: beyond empirical risk minimization*, 2018,
/// <https://arxiv.org/abs/1710.09412>.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "oxhorn.techniques.Mixup")]
pub struct Mixup {
    /// How evenly samples are mixed, 0 or more; the paper takes 0.2 to 1.
    pub alpha: f64,
    /// Seed of the random stream; `None` takes the model's next one.
    #[config(default)]
    pub seed: Option<u32>,
}

impl Intervene for Mixup {
    fn numbers(&self) -> Vec<Strength> {
        vec![Strength::new("alpha", self.alpha)]
    }

    fn blends(&self) -> Blends {
        Blends::Samples
    }

    fn feed<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Option<Fed<'g>> {
        let why = "numbers of words or classes have nothing between them; give images as floats";
        let samples = samples_of(cx, "Mixup", x, why)?;
        let seeds = cx.seed_generator("seed_generator", self.seed);
        let share = beta(&seeds, cx.number("alpha", self.alpha).cast(DType::F32));
        let partner = permutation(&seeds, samples);
        let mixed = |x: &Tensor<'g>| {
            let share = share.cast(x.dtype());
            *x * share + x.gather(partner, 0) * (1.0 - share)
        };
        let x = x.iter().map(mixed).collect();
        Some(Fed { x, blend: Some(Blend { share, partner }) })
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::{scope::Declarations, techniques::Technique};

    #[test]
    fn refuses_what_has_nothing_in_between() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let x = trace.input("x", Type::new(DType::I32, [5, 2]));
        assert!(Mixup::new(0.2).feed(&cx, &[x]).is_none());
        assert_eq!(
            trace.error().expect("a mistake").to_string(),
            "`Mixup` needs inputs of real numbers, got i32[5, 2]\n  help: numbers of words or \
             classes have nothing between them; give images as floats"
        );
    }

    #[test]
    fn sleeps_until_it_is_turned_up() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let technique = Technique::from(Mixup::new(0.0));
        assert_eq!(technique.is_awake(&cx), Ok(false));
        assert!(declared.wake("techniques/mixup/alpha"));
        assert_eq!(technique.is_awake(&cx), Ok(true));
    }
}
