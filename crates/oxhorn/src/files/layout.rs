//! Where Keras keeps the variables of a sequential model in a file: a tree whose groups have the
//! names of classes, and whose tensors are numbered.

use std::collections::HashMap;

use oxhorn_io::{Group, Tensor};
use oxhorn_ir::{Error, Result, ensure};
use oxhorn_nn::{Variable, config::snake_case};

use super::convert;
use crate::{
    engine::{Engine, LEARNING_RATE, OPTIMIZER},
    state::State,
};

/// What files say of a model besides its variables: its name, and its layers' names and classes.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) model: String,
    pub(crate) layers: Vec<(String, &'static str)>,
}

/// A group of numbered tensors, `layers/dense/vars`.
pub(crate) struct Place {
    /// The group above: `layers/dense`; nothing for the model itself.
    pub(crate) path: String,
    /// The name of the layer or optimizer.
    pub(crate) name: String,
    /// What the tensors are, in order.
    pub(crate) kept: Vec<Kept>,
}

/// What a tensor of a file is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kept {
    /// The variable of this path.
    Variable(String),
    /// The number of this path, in single precision.
    Number(String),
    /// Something that Keras has there and that is always this.
    Constant(Tensor),
}

/// Which layers may be left as they are when a file does not fit the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatch {
    /// None: a file that does not fit is refused, and the model is as it was.
    #[default]
    Refuse,
    /// Those for which the file has other variables: Keras' `skip_mismatch=True`.
    Skip,
}

/// What was read for some places: values by path, and who is left out because it did not fit.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) variables: State,
    pub(crate) numbers: Vec<(String, f64)>,
    pub(crate) skipped: Vec<Error>,
}

/// The name of the group that Keras does not look at.
pub(crate) const OWN: &str = "oxhorn";

/// Where the model itself and its layers are kept.
pub(crate) fn layers(names: &Names, engine: &Engine) -> Vec<Place> {
    let variables = engine.variables();
    let model = Place { path: String::new(), name: names.model.clone(), kept: vec![] };
    let mut counts: HashMap<String, usize> = HashMap::new();
    let place = |(name, class): &(String, &'static str)| {
        let base = snake_case(class);
        let number = counts.entry(base.clone()).and_modify(|number| *number += 1).or_insert(0);
        let group = if *number == 0 { base } else { format!("{base}_{number}") };
        let own = own_weights(&variables, name).map(|it| Kept::Variable(it.path.clone()));
        Place { path: format!("layers/{group}"), name: name.clone(), kept: own.collect() }
    };
    std::iter::once(model).chain(names.layers.iter().map(place)).collect()
}

/// The weights of the layer of this name, in Keras' order.
pub(crate) fn own_weights<'v>(
    variables: &'v [Variable],
    layer: &str,
) -> impl Iterator<Item = &'v Variable> {
    let scope = format!("{layer}/");
    variables.iter().filter(move |it| it.path.starts_with(&scope) && it.is_weight())
}

/// Where the optimizer is kept; nowhere before there is one.
pub(crate) fn optimizer(engine: &Engine) -> Vec<Place> {
    let Some(optimizer) = engine.objective().and_then(|it| it.optimizer.get().ok()) else {
        return vec![];
    };
    let name = |json: &oxhorn_nn::Json| {
        let name = json["config"]["name"].as_str();
        name.map_or_else(|| snake_case(json["class_name"].as_str().unwrap_or("")), str::to_owned)
    };
    let (envelope, kept) = (optimizer.envelope(), states(engine));
    let own = |kept| Place { path: "optimizer".to_owned(), name: name(&envelope), kept };
    let inner = &envelope["config"]["inner_optimizer"];
    if inner.is_null() {
        return vec![own(kept)];
    }
    // Keras' wrapper has a count of steps and a rate of its own, which it does not use, and keeps
    // all that the optimizer within keeps as well.
    let path = |kept: &Kept| match kept {
        Kept::Variable(path) => path.strip_prefix(OPTIMIZER).unwrap_or_default().to_owned(),
        Kept::Number(_) | Kept::Constant(_) => String::new(),
    };
    let is_own = |kept: &Kept| ["step_counter", "dynamic_scale"].contains(&path(kept).as_str());
    let (outer, within): (Vec<Kept>, Vec<Kept>) = kept.into_iter().partition(is_own);
    let unused = [Tensor::of([], &[0_i64]), Tensor::of([], &[0.0_f32])].map(Kept::Constant);
    let all = unused.into_iter().chain(outer).chain(within.clone());
    let inner =
        Place { path: "optimizer/inner_optimizer".to_owned(), name: name(inner), kept: within };
    vec![own(all.collect()), inner]
}

/// Where the optimizer is kept that has not taken a step yet, and so has no states.
pub(crate) fn optimizer_without_steps(engine: &Engine) -> Vec<Place> {
    let mut places = optimizer(engine);
    places.truncate(1);
    places.iter_mut().for_each(|place| place.kept = unused(engine));
    places
}

/// A count of no steps, and the rate.
fn unused(engine: &Engine) -> Vec<Kept> {
    let has_rate = engine.numbers().iter().any(|(path, _)| path == LEARNING_RATE);
    let rate = has_rate.then(|| Kept::Number(LEARNING_RATE.to_owned()));
    [Kept::Constant(Tensor::of([], &[0_i64]))].into_iter().chain(rate).collect()
}

/// The states of the optimizer in the order of their declaration, which is Keras', each rate behind
/// the count of steps of its scope.
fn states(engine: &Engine) -> Vec<Kept> {
    let mut kept = vec![];
    for variable in engine.variables() {
        let Some(name) = variable.path.strip_prefix(OPTIMIZER) else { continue };
        let is_count = name == "iteration" || name.ends_with("/iteration");
        let rate = variable.path.replace("iteration", "learning_rate");
        kept.push(Kept::Variable(variable.path));
        if is_count && engine.numbers().iter().any(|(path, _)| *path == rate) {
            kept.push(Kept::Number(rate));
        }
    }
    if kept.is_empty() { unused(engine) } else { kept }
}

/// Writes the values of an engine into a tree.
pub(crate) fn write(root: &mut Group, places: &[Place], engine: &Engine) -> Result<()> {
    for Place { path, name, kept } in places {
        let path = if path.is_empty() { "vars".to_owned() } else { format!("{path}/vars") };
        root.group_mut(&path)?.attributes.insert("name".to_owned(), name.as_str().into());
        for (i, kept) in kept.iter().enumerate() {
            root.insert(&format!("{path}/{i}"), value(kept, engine)?)?;
        }
    }
    Ok(())
}

/// What is kept there now.
pub(crate) fn value(kept: &Kept, engine: &Engine) -> Result<Tensor> {
    match kept {
        Kept::Variable(path) => engine.tensor(path),
        Kept::Constant(tensor) => Ok(tensor.clone()),
        Kept::Number(path) => {
            let number = engine.numbers().iter().find(|(known, _)| known == path);
            Ok(Tensor::of([], &[number.map_or(0.0, |(_, value)| *value as f32)]))
        }
    }
}

/// The values that a tree has for these places.
///
/// # Errors
///
/// If one does not fit and is not to be skipped.
pub(crate) fn read(
    root: &Group,
    places: &[Place],
    engine: &Engine,
    mismatch: Mismatch,
) -> Result<Read> {
    let mut read = Read::default();
    for place in places {
        let path = if place.path.is_empty() { "vars" } else { &*format!("{}/vars", place.path) };
        let tensors = root.group(path).map_or_else(Vec::new, numbered);
        read.add(&place.name, &place.kept, &tensors, engine, mismatch)?;
    }
    Ok(read)
}

impl Read {
    /// Adds the values of one layer or optimizer.
    pub(crate) fn add(
        &mut self,
        name: &str,
        kept: &[Kept],
        tensors: &[Tensor],
        engine: &Engine,
        mismatch: Mismatch,
    ) -> Result<()> {
        match fitted(name, kept, tensors, engine) {
            Ok(values) => {
                for (kept, tensor) in kept.iter().zip(values) {
                    match kept {
                        Kept::Variable(path) => self.variables.insert(path.as_str(), tensor),
                        Kept::Number(path) => {
                            let number = convert::numbers(&tensor)?[0];
                            self.numbers.push((path.clone(), number));
                        }
                        Kept::Constant(_) => {}
                    }
                }
                Ok(())
            }
            Err(error) if mismatch == Mismatch::Skip => {
                self.skipped.push(error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The tensors `0`, `1` and so on of a group.
fn numbered(group: &Group) -> Vec<Tensor> {
    let tensors = (0..group.members.len()).map_while(|i| group.tensor(&i.to_string()).cloned());
    let tensors: Vec<Tensor> = tensors.collect();
    if tensors.len() == group.members.len() { tensors } else { vec![] }
}

/// The tensors as what is kept has them.
fn fitted(name: &str, kept: &[Kept], tensors: &[Tensor], engine: &Engine) -> Result<Vec<Tensor>> {
    let names: Vec<&str> = kept.iter().map(Kept::name).collect();
    let (expected, received) = (kept.len(), tensors.len());
    ensure!(
        expected == received,
        "Layer '{name}' expected {expected} variables, but received {received} variables during \
         loading. Expected: {names:?}"
    );
    let variables = engine.variables();
    let fit = |(kept, tensor): (&Kept, &Tensor)| match kept {
        Kept::Variable(path) => {
            let known = variables.iter().find(|it| it.path == *path);
            let ty = known
                .map(|it| &it.ty)
                .ok_or_else(|| Error::new(format!("the model has no variable `{path}`")))?;
            ensure!(
                ty.shape[..] == *tensor.shape(),
                "The shape of the target variable and the shape of the target value in \
                 `variable.assign(value)` must match. variable.shape={:?}, Received: \
                 value.shape={:?}. Target variable: {path}",
                &ty.shape[..],
                tensor.shape()
            );
            convert::to(ty.dtype.into(), tensor).map_err(|error| error.at(path))
        }
        Kept::Number(path) => {
            ensure!(tensor.count() == 1, "`{path}` is one number, got {:?}", tensor.shape());
            Ok(tensor.clone())
        }
        Kept::Constant(_) => Ok(tensor.clone()),
    };
    kept.iter().zip(tensors).map(fit).collect()
}

impl Kept {
    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        match self {
            Kept::Variable(path) | Kept::Number(path) => path.rsplit('/').next().unwrap_or(path),
            Kept::Constant(_) => "unused",
        }
    }
}
