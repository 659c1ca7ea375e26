//! The learning rate: a number, or a schedule.

use oxhorn_ir::Result;

use crate::{
    config::{Field, Json},
    schedules::{LearningRateSchedule, Schedule},
};

/// The size of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum LearningRate {
    /// A number, which can be turned while a model trains.
    Constant(f64),
    /// A function of the number of steps taken so far.
    Schedule(LearningRateSchedule),
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> LearningRate {
        LearningRate::Constant(rate)
    }
}

impl From<LearningRateSchedule> for LearningRate {
    fn from(schedule: LearningRateSchedule) -> LearningRate {
        LearningRate::Schedule(schedule)
    }
}

impl<T: Schedule> From<T> for LearningRate {
    fn from(schedule: T) -> LearningRate {
        LearningRate::Schedule(schedule.into())
    }
}

impl Field for LearningRate {
    fn kind() -> String {
        "a number or a learning rate schedule".to_owned()
    }

    fn read(json: &Json) -> Result<LearningRate> {
        match json.as_f64() {
            Some(rate) => Ok(LearningRate::Constant(shortest(rate))),
            None => LearningRateSchedule::read(json).map(LearningRate::Schedule),
        }
    }

    fn write(&self) -> Json {
        match self {
            LearningRate::Constant(rate) => rate.write(),
            LearningRate::Schedule(schedule) => schedule.write(),
        }
    }
}

/// The number that was meant: Keras writes 0.001 as 0.0010000000474974513, the nearest `f32`.
fn shortest(rate: f64) -> f64 {
    let single = rate as f32;
    match f64::from(single) == rate {
        true => single.to_string().parse().unwrap_or(rate),
        false => rate,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schedules::ExponentialDecay;

    #[test]
    fn numbers_rounded_by_keras_are_what_was_meant() {
        for (written, meant) in
            [(0.0010000000474974513, 0.001), (0.001, 0.001), (0.5, 0.5), (0.0, 0.0), (1e300, 1e300)]
        {
            assert_eq!(LearningRate::read(&json!(written)), Ok(LearningRate::Constant(meant)));
        }
    }

    #[test]
    fn schedules_go_both_ways() {
        let rate = LearningRate::from(ExponentialDecay::new(0.1, 10, 0.5));
        let json = rate.write();
        assert_eq!(json["module"], "keras.optimizers.schedules");
        assert_eq!(LearningRate::read(&json), Ok(rate));
        let error = LearningRate::read(&json!("fast")).unwrap_err();
        assert_eq!(error.message, "Could not interpret learning rate schedule identifier: fast");
    }
}
