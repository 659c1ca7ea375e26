//! `L1`, `L2` and `L1L2`: penalties for the size of weights.

use super::category::{absolute, check_strength, strength};
use crate::prelude::*;

/// `l1 · Σ |x|`, which makes small weights vanish.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.regularizers.L1")]
pub struct L1 {
    /// The strength.
    #[config(default = 0.01)]
    pub l1: f64,
}

impl Regularize for L1 {
    fn check(&self) -> Result<()> {
        check_strength("l1", self.l1)
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        strength(cx, "l1", self.l1, x) * absolute(x).sum(..)
    }
}

/// `l2 · Σ x²`, which keeps large weights back.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.regularizers.L2")]
pub struct L2 {
    /// The strength.
    #[config(default = 0.01)]
    pub l2: f64,
}

impl Regularize for L2 {
    fn check(&self) -> Result<()> {
        check_strength("l2", self.l2)
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        strength(cx, "l2", self.l2, x) * (x * x).sum(..)
    }
}

/// `l1 · Σ |x| + l2 · Σ x²`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.regularizers.L1L2", aliases = ["l1_l2"])]
pub struct L1L2 {
    /// The strength of the penalty for absolute values.
    #[config(default = 0.0)]
    pub l1: f64,
    /// The strength of the penalty for squares.
    #[config(default = 0.0)]
    pub l2: f64,
}

impl Regularize for L1L2 {
    fn check(&self) -> Result<()> {
        check_strength("l1", self.l1)?;
        check_strength("l2", self.l2)
    }

    fn penalty<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (l1, l2) = (L1 { l1: self.l1 }, L2 { l2: self.l2 });
        l1.penalty(cx, x) + l2.penalty(cx, x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_strengths_are_refused_in_the_words_of_keras() {
        assert_eq!(
            L2::new().l2(-1.0).check().unwrap_err().message,
            "Invalid value for argument l2: expected a non-negative float. Received: l2=-1"
        );
        assert!(L1::new().l1(f64::NAN).check().is_err());
        assert!(L1L2::new().l1(f64::INFINITY).check().is_err());
    }
}
