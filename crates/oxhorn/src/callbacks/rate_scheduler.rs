//! Lets a rate follow a schedule, step by step.

use std::fmt;

use oxhorn_ir::{Array, DType, Error, Graph, Result, Trace, Type, ensure, interpret::interpret};
use oxhorn_nn::schedules::LearningRateSchedule;

use super::{Callback, Training};
use crate::{history::Logs, state::State};

/// Sets a number of the model, such as the rate of a dropout, before every step of training, to
/// what a schedule or a function of the step gives.
///
/// Steps are counted from 0 as the optimizer counts them: over all epochs, and on from where the
/// last fit ended. (An optimizer that counts none has none that `fit` before counted.) The logs of
/// an epoch get the number as its last step had it, under its path with `_` for `/`:
/// `dropout_rate`. Nothing is compiled anew, unless a rate that was configured as 0 is turned up
/// for the first time.
///
/// ```
/// use oxhorn::{callbacks::RateScheduler, prelude::*};
///
/// // From 0.5 down to 0 within 1,000 steps, in two layers.
/// let fading = PolynomialDecay::new(0.5, 1000).end_learning_rate(0.0);
/// let early = RateScheduler::new("dropout/rate", fading).and("dropout_1/rate");
/// // None for 500 steps, then 0.3.
/// let late = RateScheduler::by("dropout/rate", |step| if step < 500 { 0.0 } else { 0.3 });
/// ```
pub struct RateScheduler<'a> {
    /// The numbers: the path of each, and its name in the logs.
    numbers: Vec<(String, String)>,
    rate: Rate<'a>,
    /// Steps taken in this run, for optimizers that do not count them.
    taken: usize,
}

/// Where a rate comes from.
enum Rate<'a> {
    /// Written down once, when training begins.
    Schedule(LearningRateSchedule, Option<Graph>),
    Function(Box<dyn FnMut(usize) -> Result<f64> + 'a>),
}

impl<'a> RateScheduler<'a> {
    /// Lets the number of this path follow a schedule. Its rates are those of single precision.
    pub fn new(
        path: impl Into<String>,
        schedule: impl Into<LearningRateSchedule>,
    ) -> RateScheduler<'a> {
        RateScheduler::of(Rate::Schedule(schedule.into(), None)).and(path)
    }

    /// Lets it follow a function of the step.
    pub fn by(
        path: impl Into<String>,
        mut rate: impl FnMut(usize) -> f64 + 'a,
    ) -> RateScheduler<'a> {
        RateScheduler::try_by(path, move |step| Ok(rate(step)))
    }

    /// Lets it follow a function of the step that may fail, which ends the run.
    pub fn try_by(
        path: impl Into<String>,
        rate: impl FnMut(usize) -> Result<f64> + 'a,
    ) -> RateScheduler<'a> {
        RateScheduler::of(Rate::Function(Box::new(rate))).and(path)
    }

    fn of(rate: Rate<'a>) -> RateScheduler<'a> {
        RateScheduler { numbers: vec![], rate, taken: 0 }
    }

    /// Lets the number of this path follow as well.
    #[must_use]
    pub fn and(mut self, path: impl Into<String>) -> RateScheduler<'a> {
        let path = path.into();
        let name = path.replace('/', "_");
        self.numbers.push((path, name));
        self
    }

    /// Gives the number that was named last another name in the logs.
    #[must_use]
    pub fn logged_as(mut self, name: impl Into<String>) -> RateScheduler<'a> {
        if let Some((_, known)) = self.numbers.last_mut() {
            *known = name.into();
        }
        self
    }

    /// The rate of this step, counted from 0.
    fn at(&mut self, step: usize) -> Result<f64> {
        match &mut self.rate {
            Rate::Function(rate) => rate(step),
            Rate::Schedule(schedule, graph) => {
                let graph = match graph {
                    Some(graph) => graph,
                    None => graph.insert(written(schedule)?),
                };
                let step = Array::new([], vec![step as f64]);
                let rate = interpret(graph, &[step])?.outputs[0].scalar() as f32;
                // A rate of 0.1 is to be the 0.1 that a layer has, whose last bits decide masks:
                // the shortest number that is this one in single precision.
                Ok(rate.to_string().parse().unwrap_or(f64::from(rate)))
            }
        }
    }
}

/// The graph of a schedule, from the step to the rate.
fn written(schedule: &LearningRateSchedule) -> Result<Graph> {
    let trace = Trace::new("rate");
    let rate = schedule.apply(trace.input("step", Type::new(DType::I64, []))).value();
    trace.finish(&[rate])
}

impl fmt::Debug for RateScheduler<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateScheduler").field("numbers", &self.numbers).finish_non_exhaustive()
    }
}

impl Callback for RateScheduler<'_> {
    fn state(&self) -> Result<State> {
        Ok(State::new().with("taken", self.taken))
    }

    fn resume(&mut self, state: &State, training: &mut dyn Training) -> Result<()> {
        self.on_train_begin(training)?;
        self.taken = state.value("taken")?;
        Ok(())
    }

    fn on_train_begin(&mut self, training: &mut dyn Training) -> Result<()> {
        self.taken = 0;
        if let Rate::Schedule(schedule, graph) = &mut self.rate {
            *graph = Some(written(schedule)?);
        }
        let known: Vec<String> = training.numbers().into_iter().map(|(path, _)| path).collect();
        for (path, _) in &self.numbers {
            ensure!(
                known.contains(path),
                "there is no number `{path}` to schedule";
                help: "there are: {}", known.join(", ")
            );
        }
        Ok(())
    }

    fn before_step(&mut self, training: &mut dyn Training) -> Result<()> {
        let counted = training.engine().and_then(|engine| engine.iterations());
        let step = counted.unwrap_or(self.taken);
        self.taken += 1;
        let rate = self.at(step)?;
        for (path, _) in &self.numbers {
            training.set_number(path, rate).map_err(|error| Error {
                message: format!("at step {step} of a schedule: {}", error.message),
                ..error.at(path)
            })?;
        }
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let known = training.numbers();
        for (path, name) in &self.numbers {
            if let Some((_, rate)) = known.iter().find(|(known, _)| known == path) {
                logs.set(name, *rate);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_nn::schedules::PolynomialDecay;

    use super::*;

    #[test]
    fn a_schedule_gives_the_numbers_of_its_formula() {
        let mut scheduler = RateScheduler::new(
            "dropout/rate",
            PolynomialDecay::new(0.5, 10).end_learning_rate(0.1),
        );
        for step in [0, 1, 7, 10, 1000] {
            let expected = 0.5 - 0.4 * step.min(10) as f64 / 10.0;
            let rate = scheduler.at(step).expect("a rate");
            assert!((rate - expected).abs() < 1e-7, "{rate}, not {expected}");
        }
        // Not 0.10000000149011612, which is the same in single precision.
        assert_eq!(scheduler.at(10), Ok(0.1));
    }

    #[test]
    fn a_schedule_that_cannot_be_is_told_before_training() {
        let mut fake = crate::callbacks::testing::Fake::default();
        let mut scheduler = RateScheduler::new("dropout/rate", PolynomialDecay::new(0.5, 0));
        assert!(scheduler.on_train_begin(&mut fake).is_err());
    }
}
