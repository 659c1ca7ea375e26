//! `ActivityRegularization`: a penalty for what passes through.

use crate::{prelude::*, regularizers::L1L2};

/// Passes its input on, and adds `(l1 · Σ |x| + l2 · Σ x²) / batch` to the loss.
///
/// Both strengths are numbers that can be turned while a model trains.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.ActivityRegularization", shape = ".. -> ..")]
pub struct ActivityRegularization {
    /// The strength of the penalty for absolute values.
    #[config(default = 0.0)]
    pub l1: f64,
    /// The strength of the penalty for squares.
    #[config(default = 0.0)]
    pub l2: f64,
}

impl Layer for ActivityRegularization {
    fn check(&self) -> Result<()> {
        self.regularizer().check()
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let x = x.cast(DType::F32);
        cx.add_activity_loss(self.regularizer().penalty(cx, x), x);
        x
    }
}

impl ActivityRegularization {
    fn regularizer(&self) -> L1L2 {
        L1L2 { l1: self.l1, l2: self.l2 }
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Trace;

    use super::*;
    use crate::{scope::Declarations, testing::f32_input};

    #[test]
    fn its_strengths_are_numbers_that_can_be_turned() {
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let x = f32_input(&trace, &[2, 3]);
        let y = cx.layer("layer", &ActivityRegularization::new().l1(0.5).into(), x);
        assert_eq!((y.value(), cx.losses().len()), (x.value(), 1));
        let numbers = declared.numbers();
        let paths: Vec<&str> = numbers.iter().map(|number| number.path.as_str()).collect();
        assert_eq!(paths, ["layer/l1", "layer/l2"]);
    }

    #[test]
    fn rejects_negative_strengths() {
        assert_eq!(
            ActivityRegularization::new().l2(-1.0).check().unwrap_err().message,
            "Invalid value for argument l2: expected a non-negative float. Received: l2=-1"
        );
    }
}
