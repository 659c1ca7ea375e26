//! All that an engine keeps from step to step, as it is written down, and the way back.

use oxhorn_io::Element;
use oxhorn_ir::{Error, Result, Type, ensure};

use super::{Engine, TECHNIQUES, values};
use crate::{sequential::check_number, state::State};

/// The scopes of variables and of numbers; and of those numbers, configured as 0, that graphs have.
const VARIABLES: &str = "variables";
const NUMBERS: &str = "numbers";
const AWAKE: &str = "awake";

impl Engine {
    /// Everything that training changes: the variables, those of optimizer, metrics, techniques and
    /// seed generators among them, and the numbers that people turn.
    ///
    /// # Errors
    ///
    /// None of an engine that is whole.
    pub fn state(&self) -> Result<State> {
        let (mut variables, mut numbers, mut awake) = (State::new(), State::new(), State::new());
        for path in self.weights.paths() {
            variables.insert(path, values::tensor(&self.weights, path)?);
        }
        for (path, value) in &self.numbers {
            numbers.set(path, *value);
        }
        for number in self.declarations.numbers().iter().filter(|it| it.value == 0.0) {
            if !number.dormant {
                awake.set(&number.path, true);
            }
        }
        let state = State::new().with_part(VARIABLES, variables);
        Ok(state.with_part(NUMBERS, numbers).with_part(AWAKE, awake))
    }

    /// Goes on from what [`Engine::state`] gave, of an engine with the same network and objective
    /// that was prepared for the same targets.
    ///
    /// # Errors
    ///
    /// If it has other variables or numbers. Then the engine is as it was, though numbers that were
    /// 0 and had no part in its graphs may have one.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        let (variables, numbers) = (state.part(VARIABLES), state.part(NUMBERS));
        self.wake_as(&state.part(AWAKE), &variables)?;
        let here = self.weights.paths().filter_map(|path| Some((path, self.weights.ty(path)?)));
        let here = here.map(|(path, ty)| (path, (Element::from(ty.dtype), &ty.shape[..])));
        let kept = variables.entries().map(|(path, it)| (path, (it.element(), it.shape())));
        same("variable", here.collect(), kept.collect(), |(element, shape)| {
            format!(" of type {}{shape:?}", element.name())
        })?;
        let here = self.numbers.iter().map(|(path, _)| (path.as_str(), ()));
        let kept = numbers.entries().map(|(path, _)| (path, ()));
        same("number", here.collect(), kept.collect(), |()| String::new())?;
        for (path, value) in &mut self.numbers {
            *value = numbers.value(path)?;
        }
        for (path, entry) in variables.entries() {
            self.weights.bytes_mut(path)?.copy_from_slice(entry.bytes());
        }
        Ok(())
    }

    /// Declares what the network keeps, and nothing more: no variable has a value yet.
    ///
    /// # Errors
    ///
    /// As [`Engine::build`].
    pub fn declare(&mut self, inputs: &[Type]) -> Result<()> {
        self.inputs = inputs.to_vec();
        self.parts().declare(inputs)
    }

    /// Declares what the optimizer keeps, which it else does when there is a batch to train on.
    ///
    /// # Errors
    ///
    /// If the optimizer does not fit the network.
    pub fn declare_optimizer(&mut self) -> Result<()> {
        if let Some(objective) = &self.objective {
            self.parts().declare_optimizer(&objective.optimizer, &self.inputs)?;
        }
        self.make_variables()
    }

    /// Gives variables these values, by path: now, or as soon as they are declared.
    ///
    /// # Errors
    ///
    /// None of values that have their variables' types.
    pub fn give(&mut self, values: State) -> Result<()> {
        for (path, tensor) in values.into_entries() {
            self.given.insert(path.clone(), tensor);
            if self.weights.ty(&path).is_some() {
                values::take(&mut self.weights, &path, &mut self.given)?;
            }
        }
        self.make_variables()
    }

    /// What seed generators and techniques keep, and the numbers that were turned: the random state
    /// and the settings of a model that Keras' files have no place for.
    ///
    /// # Errors
    ///
    /// None of an engine that is whole.
    pub(crate) fn extras(&self) -> Result<State> {
        let all = self.state()?;
        let variables = all.part(VARIABLES);
        let is_seed =
            |path: &str| self.variables().iter().any(|it| it.path == path && it.is_seed());
        let kept = variables
            .into_entries()
            .filter(|(path, _)| path.starts_with(TECHNIQUES) || is_seed(path));
        let given = self.given.clone().into_entries();
        let given = given.filter(|(path, _)| path.starts_with(TECHNIQUES));
        let kept: State = kept.chain(given).collect();
        let state = State::new().with_part(VARIABLES, kept);
        Ok(state.with_part(NUMBERS, all.part(NUMBERS)).with_part(AWAKE, all.part(AWAKE)))
    }

    /// Goes on from what [`Engine::extras`] gave, as far as it is this network's.
    ///
    /// # Errors
    ///
    /// If a number cannot have the value that it had.
    pub(crate) fn take_extras(&mut self, extras: &State) -> Result<()> {
        let variables = extras.part(VARIABLES);
        self.wake_as(&extras.part(AWAKE), &variables)?;
        let numbers = extras.part(NUMBERS);
        for (path, value) in &mut self.numbers {
            if let Some(kept) = numbers.find(path)? {
                check_number(path, kept)?;
                *value = kept;
            }
        }
        self.give(variables)
    }

    /// Lets graphs have just those numbers that they had, and the variables that go with them.
    fn wake_as(&mut self, awake: &State, variables: &State) -> Result<()> {
        let numbers = self.declarations.numbers();
        let zeros = numbers.iter().filter(|number| number.value == 0.0);
        let known = zeros.map(|number| (number.path.clone(), !number.dormant));
        let known: Vec<(String, bool)> = known.collect();
        drop(numbers);
        let mut changed = vec![];
        for (path, is_awake) in known {
            match (is_awake, awake.entry(&path).is_some()) {
                (false, true) => changed.push((self.declarations.wake(&path), path)),
                (true, false) => {
                    self.declarations.lull(&path);
                    changed.push((false, path));
                }
                _ => {}
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        let seeds = self.variables().into_iter().filter(|it| it.is_seed());
        let strange = seeds.filter(|seed| variables.entry(&seed.path).is_none());
        let strange: Vec<String> = strange.map(|seed| seed.path).collect();
        self.declarations.forget(|path| strange.iter().any(|seed| seed == path));
        let renewed = self.renew();
        if renewed.is_err() {
            for (woken, path) in &changed {
                match woken {
                    true => self.declarations.lull(path),
                    false => drop(self.declarations.wake(path)),
                }
            }
        }
        renewed
    }
}

/// Refuses what has other parts than there are here, by the first that differs.
fn same<T: PartialEq>(
    noun: &str,
    mut here: Vec<(&str, T)>,
    mut kept: Vec<(&str, T)>,
    words: impl Fn(&T) -> String,
) -> Result<()> {
    let help = "go on with the model, the loss, the optimizer and the metrics that it had";
    here.sort_by(|a, b| a.0.cmp(b.0));
    kept.sort_by(|a, b| a.0.cmp(b.0));
    for (path, it) in &here {
        let found = kept.iter().find(|(other, _)| other == path);
        let Some((_, other)) = found else {
            let error = Error::new(format!("the state that was kept has no {noun} `{path}`"));
            return Err(error.help(help));
        };
        ensure!(
            it == other,
            "the {noun} `{path}`{} was kept as one{}", words(it), words(other);
            help: "{help}"
        );
    }
    match kept.iter().find(|(path, _)| here.iter().all(|(other, _)| other != path)) {
        None => Ok(()),
        Some((path, _)) => {
            let message = format!("the state that was kept has a {noun} `{path}`, this has none");
            Err(Error::new(message).help(help))
        }
    }
}
