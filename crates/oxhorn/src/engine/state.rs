//! All that an engine keeps from step to step, as it is written down, and the way back.

use oxhorn_ir::{Error, Result, Type, ensure};

use super::Engine;
use crate::state::{Entry, State};

/// The scopes of variables and of numbers; and of numbers that graphs have, if they are 0.
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
            let ty = self.weights.ty(path).cloned().unwrap_or_else(|| Type::f32([0]));
            variables.insert(path, Entry { ty, bytes: self.weights.bytes(path)?.to_vec() });
        }
        for (path, value) in &self.numbers {
            numbers.set(path, *value);
        }
        for number in self.declarations.numbers().iter().filter(|number| !number.dormant) {
            awake.set(&number.path, true);
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
        let here = self.weights.paths().map(|path| (path, self.weights.ty(path)));
        let kept = variables.entries().map(|(path, entry)| (path, Some(&entry.ty)));
        same("variable", here.collect(), kept.collect(), |ty| {
            ty.map_or(String::new(), |ty| format!(" of type {ty}"))
        })?;
        let here = self.numbers.iter().map(|(path, _)| (path.as_str(), ()));
        let kept = numbers.entries().map(|(path, _)| (path, ()));
        same("number", here.collect(), kept.collect(), |()| String::new())?;
        let whole = |(path, entry): (&str, &Entry)| {
            ensure!(entry.is_whole(), "what was kept of `{path}` is not whole");
            Ok(())
        };
        variables.entries().try_for_each(whole)?;
        for (path, value) in &mut self.numbers {
            *value = numbers.value(path)?;
        }
        for (path, entry) in variables.entries() {
            self.weights.bytes_mut(path)?.copy_from_slice(&entry.bytes);
        }
        Ok(())
    }

    /// Lets graphs have just those numbers that they had, and the variables that go with them.
    fn wake_as(&mut self, awake: &State, variables: &State) -> Result<()> {
        let numbers = self.declarations.numbers();
        let known = numbers.iter().map(|number| (number.path.clone(), !number.dormant));
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
