//! Rates that follow schedules, as Python hands them over.

use oxhorn::{callbacks::RateScheduler, schedules::LearningRateSchedule};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};

use crate::{engine::open, errors::carried, settings::item};

/// Numbers, and what they follow: what `RateScheduler` of Python makes for a loop.
pub(crate) struct Rate {
    /// The path of the first in the engine, and its name in the logs.
    first: (String, String),
    others: Vec<(String, String)>,
    follows: Follows,
}

enum Follows {
    /// Rust's own, for which nobody asks Python.
    Schedule(LearningRateSchedule),
    /// A function of the step.
    Function(Py<PyAny>),
}

impl Rate {
    /// Those of the settings of a loop, of which only those of `fit` have any.
    pub(crate) fn all(settings: &Bound<'_, PyDict>) -> PyResult<Vec<Rate>> {
        let all: Vec<Bound<'_, PyDict>> = match settings.get_item("rates")? {
            Some(all) => all.extract()?,
            None => vec![],
        };
        all.iter().map(Rate::read).collect()
    }

    fn read(rate: &Bound<'_, PyDict>) -> PyResult<Rate> {
        let schedule = item(rate, "schedule")?;
        let follows = match schedule.extract::<String>() {
            Ok(envelope) => Follows::Schedule(open::<LearningRateSchedule>(&envelope)?),
            Err(_) => Follows::Function(schedule.unbind()),
        };
        let mut others: Vec<(String, String)> = item(rate, "numbers")?.extract()?;
        if others.is_empty() {
            return Err(PyValueError::new_err("there is no number to schedule"));
        }
        Ok(Rate { first: others.remove(0), others, follows })
    }

    /// What sets the numbers before each step.
    pub(crate) fn scheduler(self) -> RateScheduler<'static> {
        let (path, name) = self.first;
        let first = match self.follows {
            Follows::Schedule(schedule) => RateScheduler::new(path, schedule),
            Follows::Function(function) => RateScheduler::try_by(path, move |step| {
                let rate = |py: Python<'_>| function.bind(py).call1((step,))?.extract();
                Python::attach(rate).map_err(carried)
            }),
        };
        let and = |all: RateScheduler<'static>, (path, name)| all.and(path).logged_as(name);
        self.others.into_iter().fold(first.logged_as(name), and)
    }
}
