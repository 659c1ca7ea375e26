//! `PiecewiseConstantDecay`: one learning rate up to a step, another after it.

use super::category::Schedule;
use crate::prelude::*;

/// `values[i]`, where `i` is the number of `boundaries` that the step has passed.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.optimizers.schedules.PiecewiseConstantDecay")]
pub struct PiecewiseConstantDecay {
    /// The last step of each value but the last, in ascending order.
    pub boundaries: Vec<i64>,
    /// The learning rates, one more than there are boundaries.
    pub values: Vec<f64>,
    /// The name of the schedule.
    #[config(default = "PiecewiseConstant")]
    pub name: String,
}

impl Schedule for PiecewiseConstantDecay {
    fn check(&self) -> Result<()> {
        let PiecewiseConstantDecay { boundaries, values, .. } = self;
        let lengths = (boundaries.len(), values.len());
        ensure!(
            lengths.0 + 1 == lengths.1,
            "The length of boundaries should be 1 less than the length of values. Received: \
             boundaries={boundaries:?} of length {}, and values={values:?} of length {}.",
            lengths.0,
            lengths.1
        );
        let ascending = boundaries.is_sorted();
        ensure!(ascending, "`boundaries` must be in ascending order. Received: {boundaries:?}");
        Ok(())
    }

    fn call<'g>(&self, step: Tensor<'g>) -> Tensor<'g> {
        let rate = |value: f64| step.trace().scalar(value, DType::F32);
        let last = rate(self.values.last().copied().unwrap_or_default());
        let before = self.boundaries.iter().zip(&self.values).rev();
        before.fold(last, |later, (&boundary, &value)| {
            step.less_equal(boundary as f64).select(rate(value), later)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_out_of_order_are_refused() {
        let schedule = PiecewiseConstantDecay::new([20, 10], [1.0, 0.5, 0.1]);
        assert_eq!(
            schedule.check().unwrap_err().message,
            "`boundaries` must be in ascending order. Received: [20, 10]"
        );
        assert!(PiecewiseConstantDecay::new([], [1.0]).check().is_ok());
    }
}
