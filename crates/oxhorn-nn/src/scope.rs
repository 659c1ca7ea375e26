//! What a layer, a metric or an optimizer may ask for while it is being traced.
//!
//! A [`Scope`] hands out the values that live longer than one run: weights, other state, seeds, and
//! the numbers that people turn. What is asked for is written down in [`Declarations`], which
//! belong to the model and serve any number of traces: for training, for inference, for other
//! batch sizes. The first trace declares, the others find.

use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    sync::Arc,
};

use oxhorn_ir::{Array, DType, Error, Result, Tensor, Trace, Type, ensure};

use crate::{
    constraints::Constraint,
    initializers::{Initializer, Randomness},
    layer::AnyLayer,
    regularizers::Regularizer,
    weight::Weight,
};

/// What the graph is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Fitting: noise is active.
    Train,
    /// Evaluating and predicting.
    Infer,
    /// Predicting many times at once, each time with other units dropped; statistics that follow
    /// what is seen stay as they are.
    Sample(Sampling),
}

/// How predictions are sampled: all samples of all inputs are one batch, in which the inputs come
/// once for each sample, one sample after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sampling {
    /// How often each input is in the batch.
    pub samples: usize,
    /// What the inputs of one sample have in common.
    pub masks: Masks,
}

/// More samples than anybody has drawn: a slip, which would fill the memory.
const SAMPLES_MAX: usize = 1 << 16;

impl Sampling {
    /// Rejects no samples, and more than memory has room for.
    ///
    /// # Errors
    ///
    /// With the range.
    pub fn check(self) -> Result<()> {
        let Sampling { samples, .. } = self;
        ensure!(
            (1..=SAMPLES_MAX).contains(&samples),
            "`samples` must be between 1 and {SAMPLES_MAX}, got {samples}";
            help: "50 are enough for a mean, some hundred for an interval"
        );
        Ok(())
    }
}

/// Whether inputs have what is dropped in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Masks {
    /// For each input other units are dropped, as in training.
    Own,
    /// In one sample, the same units are dropped for all inputs: each sample is one network.
    Common,
}

/// A value that a model keeps from run to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name within the model: `dense/kernel`.
    pub path: String,
    /// Its element type and shape.
    pub ty: Type,
    /// Whether gradients change it.
    pub trainable: bool,
    /// How its first value is made.
    pub initial: Initial,
    /// What is added to the loss for it.
    pub regularizer: Option<Regularizer>,
    /// Where it is brought back to after each step.
    pub constraint: Option<Constraint>,
}

/// How the first value of a variable is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Initial {
    /// By an initializer.
    Drawn(Initializer),
    /// As the state `[seed, 0]` of a seed generator; without a seed, it needs one.
    Seed(Option<u32>),
    /// With this number everywhere.
    Filled(f64),
    /// With these elements, in row-major order, which nothing changes.
    Given(Arc<[f64]>),
}

/// A number that people turn while a model trains: an input, of type `f64[]`, of its programs.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Its name within the model: `dropout/rate`.
    pub path: String,
    /// Its value as configured.
    pub value: f64,
    /// Whether graphs do without it, for it has never been anything but 0: see [`Scope::awake`].
    pub dormant: bool,
}

/// All that the traces of one model have asked for, in the order in which they asked.
#[derive(Debug, Default)]
pub struct Declarations {
    variables: RefCell<Vec<Variable>>,
    numbers: RefCell<Vec<Number>>,
}

/// What a layer may ask for while it is being traced.
#[derive(Clone)]
pub struct Scope<'g> {
    shared: Rc<Shared<'g>>,
    path: String,
    mode: Mode,
    trainable: bool,
}

/// What all scopes of one trace share.
struct Shared<'g> {
    trace: &'g Trace,
    declarations: &'g Declarations,
    /// How predictions are sampled, if they are; whatever the mode of a part of the model.
    sampling: Option<Sampling>,
    leaves: RefCell<Vec<Leaf<'g>>>,
    losses: RefCell<Vec<Tensor<'g>>>,
    ensembles: RefCell<Vec<Ensemble<'g>>>,
}

/// Outputs for one input under different noise, and their mean.
struct Ensemble<'g> {
    mean: Tensor<'g>,
    members: Vec<Tensor<'g>>,
}

/// How far a trace has come: see [`Scope::replay`].
pub struct Moment<'g> {
    current: Vec<Tensor<'g>>,
    losses: usize,
}

/// A variable or number in this trace.
struct Leaf<'g> {
    path: String,
    /// What it is when a run begins.
    value: Tensor<'g>,
    /// What it has become so far.
    current: Tensor<'g>,
}

impl Variable {
    /// Whether the first value needs a seed from outside.
    pub fn needs_seed(&self) -> bool {
        match &self.initial {
            Initial::Drawn(initializer) => initializer
                .get()
                .is_ok_and(|initializer| initializer.randomness() == Randomness::Unseeded),
            Initial::Seed(seed) => seed.is_none(),
            Initial::Filled(_) | Initial::Given(_) => false,
        }
    }

    /// Whether this is a weight, as opposed to the state of a seed generator and to numbers that
    /// stand in a layer's settings or in its formulas.
    pub fn is_weight(&self) -> bool {
        !matches!(self.initial, Initial::Seed(_) | Initial::Given(_))
    }

    /// Whether this is the state of a seed generator.
    pub fn is_seed(&self) -> bool {
        SeedGenerator::keeps(&self.path) && self.ty == SeedGenerator::ty()
    }

    /// The first value; `seed` is used where [`Variable::needs_seed`], and nowhere else.
    ///
    /// # Errors
    ///
    /// If the initializer cannot make a value of this shape.
    pub fn first_value(&self, seed: u32) -> Result<Array> {
        let shape = &self.ty.shape[..];
        let data = match &self.initial {
            Initial::Filled(value) => vec![*value; self.ty.len()],
            Initial::Given(elements) => elements.to_vec(),
            Initial::Seed(own) => vec![f64::from(own.unwrap_or(seed)), 0.0],
            Initial::Drawn(initializer) => {
                let initializer = initializer.get()?;
                let seed = match initializer.randomness() {
                    Randomness::Seeded(own) => own,
                    Randomness::Unseeded | Randomness::None => seed,
                };
                let values = initializer.values(shape, [seed, 0]);
                let values = values.map_err(|error| error.at(&self.path))?;
                values.into_iter().map(f64::from).collect()
            }
        };
        Ok(Array::new(shape, data))
    }
}

impl Declarations {
    /// Nothing yet.
    pub fn new() -> Declarations {
        Declarations::default()
    }

    /// The variables, in Keras' order.
    pub fn variables(&self) -> Ref<'_, [Variable]> {
        Ref::map(self.variables.borrow(), Vec::as_slice)
    }

    /// The numbers that people turn.
    pub fn numbers(&self) -> Ref<'_, [Number]> {
        Ref::map(self.numbers.borrow(), Vec::as_slice)
    }

    /// Has the number of this path in all traces to come; whether it was dormant, so that the
    /// traces made so far do without it.
    pub fn wake(&self, path: &str) -> bool {
        let mut numbers = self.numbers.borrow_mut();
        let number = numbers.iter_mut().find(|number| number.path == path);
        number.is_some_and(|number| std::mem::take(&mut number.dormant))
    }

    /// Takes [`Declarations::wake`] back, for a model that could not be traced with the number.
    pub fn lull(&self, path: &str) {
        let mut numbers = self.numbers.borrow_mut();
        if let Some(number) = numbers.iter_mut().find(|number| number.path == path) {
            number.dormant = true;
        }
    }

    /// Forgets the variables and numbers whose paths are such.
    pub fn forget(&self, is_such: impl Fn(&str) -> bool) {
        self.variables.borrow_mut().retain(|variable| !is_such(&variable.path));
        self.numbers.borrow_mut().retain(|number| !is_such(&number.path));
    }

    /// Adds the variable, or compares it with the one of its path; the type that was declared
    /// first, if it differs.
    fn declare(&self, variable: Variable) -> Option<Type> {
        let mut variables = self.variables.borrow_mut();
        match variables.iter_mut().find(|it| it.path == variable.path) {
            None => {
                variables.push(variable);
                None
            }
            Some(known) if known.ty == variable.ty => {
                // A layer may have been frozen since the last trace.
                known.trainable = variable.trainable;
                None
            }
            Some(known) => Some(known.ty.clone()),
        }
    }
}

impl<'g> Scope<'g> {
    /// The outermost scope of a trace.
    pub fn new(trace: &'g Trace, declarations: &'g Declarations, mode: Mode) -> Scope<'g> {
        let (leaves, losses, ensembles) = Default::default();
        let sampling = match mode {
            Mode::Sample(sampling) => Some(sampling),
            Mode::Train | Mode::Infer => None,
        };
        let shared = Rc::new(Shared { trace, declarations, sampling, leaves, losses, ensembles });
        Scope { shared, path: String::new(), mode, trainable: true }
    }

    /// The scope of something named `name` within this one.
    pub fn child(&self, name: &str) -> Scope<'g> {
        Scope { path: self.join(name), ..self.clone() }
    }

    /// This scope in another mode: what an explicit `training=` asks for.
    pub fn in_mode(&self, mode: Mode) -> Scope<'g> {
        Scope { mode, ..self.clone() }
    }

    /// The trace that is being written.
    pub fn trace(&self) -> &'g Trace {
        self.shared.trace
    }

    /// What the traces of this model have asked for.
    pub fn declarations(&self) -> &'g Declarations {
        self.shared.declarations
    }

    /// Whether noise is active.
    pub fn training(&self) -> bool {
        self.mode == Mode::Train
    }

    /// Whether units are dropped: in training, and where predictions are sampled.
    pub fn drops(&self) -> bool {
        self.mode != Mode::Infer
    }

    /// How predictions are sampled, if they are; whatever the mode of a part of the model.
    pub fn sampling(&self) -> Option<Sampling> {
        self.shared.sampling
    }

    /// What the graph is for.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Random numbers that say what is dropped of `x`: `draw(key, shape)` of the next key of
    /// `seeds`. The first axis of the shape is that of samples, or 1.
    ///
    /// Where predictions are sampled, every sample has numbers of its own; its inputs share them
    /// if they are asked to, or if the first extent is 1.
    pub fn draw(
        &self,
        seeds: &SeedGenerator<'g>,
        x: Tensor<'g>,
        shape: impl Into<Vec<usize>>,
        draw: impl Fn(Tensor<'g>, Vec<usize>) -> Tensor<'g>,
    ) -> Tensor<'g> {
        let (key, shape) = (seeds.next(), shape.into());
        let (Some(Sampling { samples, masks }), Some((&rows, sample))) =
            (self.shared.sampling, shape.split_first())
        else {
            return draw(key, shape);
        };
        if masks == Masks::Own && rows != 1 {
            return draw(key, shape);
        }
        let (all, samples) = (x.dim(0), samples.max(1));
        let each = draw(key, [&[samples], sample].concat());
        each.reshape([&[samples, 1], sample].concat())
            .broadcast([&[samples, all / samples], sample].concat())
            .reshape([&[all], sample].concat())
    }

    /// Whether training changes the weights of what is being traced.
    pub fn trainable(&self) -> bool {
        self.trainable
    }

    /// Calls a layer by this name, in a scope of its own, with what all layers have in common:
    /// whether it is trainable, and the penalty for its output.
    pub fn layer(&self, name: &str, layer: &AnyLayer, x: Tensor<'g>) -> Tensor<'g> {
        self.layer_all(name, layer, &[x])
    }

    /// [`Scope::layer`] on any number of inputs, of which most layers take one.
    pub fn layer_all(&self, name: &str, layer: &AnyLayer, x: &[Tensor<'g>]) -> Tensor<'g> {
        if let Some(void) = x.iter().find(|x| x.is_void()) {
            return *void; // Shapes mean nothing after a mistake.
        }
        let child = Scope { trainable: self.trainable && layer.trainable, ..self.child(name) };
        let origin = format!("{} ({})", child.path, layer.layer.class_name());
        let before = self.trace().enter(Some(origin));
        let y = match layer.check() {
            Ok(()) => layer.layer.call_all(&child, x),
            Err(error) => self.trace().fail(error),
        };
        if let Some(regularizer) = &layer.activity_regularizer {
            let penalty = child.child("activity_regularizer").penalty(regularizer, y);
            child.add_activity_loss(penalty, y);
        }
        self.trace().enter(before);
        y
    }

    /// The weight of this name, declared on first use.
    pub fn weight(&self, name: &str, shape: impl Into<Vec<usize>>, policy: &Weight) -> Tensor<'g> {
        if let Err(error) = policy.check() {
            return self.trace().fail(error);
        }
        self.declare(Variable {
            path: self.join(name),
            ty: Type::f32(shape),
            trainable: self.trainable,
            initial: Initial::Drawn(policy.initializer.clone()),
            regularizer: policy.regularizer.clone(),
            constraint: policy.constraint.clone(),
        })
    }

    /// A weight that gradients leave alone, declared on first use.
    pub fn frozen_weight(
        &self,
        name: &str,
        shape: impl Into<Vec<usize>>,
        initializer: &Initializer,
    ) -> Tensor<'g> {
        let frozen = Scope { trainable: false, ..self.clone() };
        frozen.weight(name, shape, &Weight::new(initializer.clone()))
    }

    /// Numbers that stand in a layer's settings, as `f32`; they are none of its weights.
    pub fn constant(&self, name: &str, array: Array) -> Tensor<'g> {
        let ty = Type::f32(&array.shape[..]);
        self.state(name, ty, Initial::Given(array.data.into()))
    }

    /// `x`, which has to have this many axes.
    pub fn of_rank(&self, x: Tensor<'g>, rank: usize) -> Tensor<'g> {
        if x.is_void() || x.rank() == rank {
            return x;
        }
        self.trace().fail(Error::new(format!(
            "the input is incompatible with the layer: expected ndim={rank}, found ndim={}. Full \
             shape received: {:?}",
            x.rank(),
            x.shape()
        )))
    }

    /// A value that is not learnt: what it has become so far in this run.
    pub fn state(&self, name: &str, ty: Type, initial: Initial) -> Tensor<'g> {
        self.declare(Variable {
            path: self.join(name),
            ty,
            trainable: false,
            initial,
            regularizer: None,
            constraint: None,
        })
    }

    /// The type of the state of this name, once a trace of this model has declared it.
    ///
    /// For those who read a state whose shape the data of another trace decided.
    pub fn known(&self, name: &str) -> Option<Type> {
        let (path, variables) = (self.join(name), self.declarations().variables());
        variables.iter().find(|it| it.path == path).map(|it| it.ty.clone())
    }

    /// States what the state of this name becomes.
    pub fn update(&self, name: &str, new: Tensor<'g>) {
        let path = self.join(name);
        let mut leaves = self.shared.leaves.borrow_mut();
        match leaves.iter_mut().find(|leaf| leaf.path == path) {
            Some(leaf) => leaf.current = new,
            None => {
                drop(leaves);
                self.trace().fail(Error::new(format!("there is no state `{name}` to update")));
            }
        }
    }

    /// Calls `write`; what it updates becomes what it states only where the scalar `condition`
    /// holds, and else stays what it was.
    pub(crate) fn only_if(&self, condition: Tensor<'g>, write: impl FnOnce()) {
        let current = |leaf: &Leaf<'g>| leaf.current;
        let before: Vec<Tensor> = self.shared.leaves.borrow().iter().map(current).collect();
        write();
        for (i, leaf) in self.shared.leaves.borrow_mut().iter_mut().enumerate() {
            let old = before.get(i).copied().unwrap_or(leaf.value);
            if leaf.current.value() != old.value() {
                leaf.current = condition.select(leaf.current, old);
            }
        }
    }

    /// How far this trace has come by now.
    pub fn moment(&self) -> Moment<'g> {
        let current = self.shared.leaves.borrow().iter().map(|leaf| leaf.current).collect();
        Moment { current, losses: self.shared.losses.borrow().len() }
    }

    /// Calls `write` as if it were `then` again, except that variables of these paths, counted from
    /// the root, have these values. So random numbers are those that were drawn since then. What it
    /// updates, and what it adds to the loss, is forgotten when it returns.
    pub fn replay<R>(
        &self,
        then: &Moment<'g>,
        instead: &[(&str, Tensor<'g>)],
        write: impl FnOnce() -> R,
    ) -> R {
        let (now, losses) = (self.moment(), self.shared.losses.borrow().clone());
        self.shared.losses.borrow_mut().truncate(then.losses);
        self.turn_to(&then.current);
        for leaf in self.shared.leaves.borrow_mut().iter_mut() {
            let other = instead.iter().find(|(path, _)| *path == leaf.path);
            leaf.current = other.map_or(leaf.current, |(_, value)| *value);
        }
        let result = write();
        self.turn_to(&now.current);
        *self.shared.losses.borrow_mut() = losses;
        result
    }

    /// Lets variables be what they were; those that have been asked for since, as they began.
    fn turn_to(&self, current: &[Tensor<'g>]) {
        for (i, leaf) in self.shared.leaves.borrow_mut().iter_mut().enumerate() {
            leaf.current = current.get(i).copied().unwrap_or(leaf.value);
        }
    }

    /// States what the variable of this path, counted from the root, becomes.
    pub fn replace(&self, path: &str, new: Tensor<'g>) {
        Scope { path: String::new(), ..self.clone() }.update(path, new);
    }

    /// A number that people turn, as a scalar of type `f64`.
    pub fn number(&self, name: &str, value: f64) -> Tensor<'g> {
        let path = self.join(name);
        if let Some(known) = self.find(&path) {
            return known;
        }
        let mut numbers = self.shared.declarations.numbers.borrow_mut();
        if !numbers.iter().any(|number| number.path == path) {
            numbers.push(Number { path: path.clone(), value, dormant: false });
        }
        let leaf = self.trace().input(&path, Type::new(DType::F64, []));
        self.keep(path, leaf)
    }

    /// Declares a number that does nothing as long as it is 0; whether it has ever been anything
    /// else, which [`Declarations::wake`] is told.
    ///
    /// Until then what it governs can stay out of the graph, and costs nothing.
    pub fn awake(&self, name: &str, value: f64) -> bool {
        let path = self.join(name);
        let mut numbers = self.shared.declarations.numbers.borrow_mut();
        match numbers.iter().find(|number| number.path == path) {
            Some(number) => !number.dormant,
            None => {
                let dormant = value == 0.0;
                numbers.push(Number { path, value, dormant });
                !dormant
            }
        }
    }

    /// A stream of random keys, declared on first use, in training and inference alike.
    ///
    /// Without a `seed`, the model is asked for one when it is built.
    pub fn seed_generator(&self, name: &str, seed: Option<u32>) -> SeedGenerator<'g> {
        let scope = self.child(name);
        let path = scope.join(SeedGenerator::STATE);
        scope.shared.declarations.declare(Variable {
            path,
            ty: SeedGenerator::ty(),
            trainable: false,
            initial: Initial::Seed(seed),
            regularizer: None,
            constraint: None,
        });
        SeedGenerator { scope, seed }
    }

    /// The mean of outputs for one input under different noise. Where a network's output is such
    /// a mean, its loss is the mean of the losses of its [members](Scope::members).
    pub fn ensemble(&self, members: Vec<Tensor<'g>>) -> Tensor<'g> {
        let sum = members.iter().copied().reduce(|sum, member| sum + member);
        match sum {
            None => self.trace().fail(Error::new("there is no mean of no outputs")),
            Some(only) if members.len() == 1 => only,
            Some(sum) => {
                let mean = sum / members.len() as f64;
                self.shared.ensembles.borrow_mut().push(Ensemble { mean, members });
                mean
            }
        }
    }

    /// What `y` is the mean of, if it is that of an [ensemble](Scope::ensemble); else `y` alone.
    pub fn members(&self, y: Tensor<'g>) -> Vec<Tensor<'g>> {
        let ensembles = self.shared.ensembles.borrow();
        let found = ensembles.iter().find(|it| it.mean.value() == y.value());
        found.filter(|_| !y.is_void()).map_or_else(|| vec![y], |it| it.members.clone())
    }

    /// Adds a scalar to the loss that training minimises.
    pub fn add_loss(&self, loss: Tensor<'g>) {
        self.shared.losses.borrow_mut().push(loss);
    }

    /// Adds a penalty for the output `y` to the loss, divided by the number of samples.
    pub fn add_activity_loss(&self, penalty: Tensor<'g>, y: Tensor<'g>) {
        let samples = y.shape().first().copied().unwrap_or(1).max(1);
        self.add_loss(penalty / samples as f64);
    }

    /// All that is to be added to the loss: what layers added, in the order of their calls, and
    /// then the penalties for trainable weights.
    pub fn losses(&self) -> Vec<Tensor<'g>> {
        let mut losses = self.shared.losses.borrow().clone();
        let variables = self.declarations().variables().to_vec();
        for Variable { path, trainable, regularizer, .. } in variables {
            if let (true, Some(regularizer), Some(weight)) =
                (trainable, regularizer, self.find(&path))
            {
                let scope = Scope { path: format!("{path}_regularizer"), ..self.clone() };
                losses.push(scope.penalty(&regularizer, weight));
            }
        }
        losses
    }

    /// The weights that this trace used and that gradients change, in Keras' order.
    pub fn trainable_weights(&self) -> Vec<(Variable, Tensor<'g>)> {
        let variables = self.declarations().variables();
        let used = variables.iter().filter(|variable| variable.trainable);
        used.filter_map(|it| self.find(&it.path).map(|tensor| (it.clone(), tensor))).collect()
    }

    /// Writes the new values of all states into the graph; the last thing to do in a trace.
    pub fn write_updates(&self) {
        for leaf in self.shared.leaves.borrow().iter() {
            if leaf.current.value() != leaf.value.value() {
                self.trace().update(leaf.value, leaf.current);
            }
        }
    }

    /// Writes the new states of seed generators into the graph, and of nothing else; how many of
    /// them gave a key.
    pub fn write_seeds(&self) -> usize {
        let leaves = self.shared.leaves.borrow();
        let gave = |leaf: &&Leaf| leaf.current.value() != leaf.value.value();
        let seeds = leaves.iter().filter(|leaf| SeedGenerator::keeps(&leaf.path)).filter(gave);
        seeds.map(|leaf| self.trace().update(leaf.value, leaf.current)).count()
    }

    /// A variable that someone else keeps, declared as it is: what it has become so far.
    pub fn variable(&self, variable: Variable) -> Tensor<'g> {
        self.declare(variable)
    }

    /// The penalty of a regularizer for `x`.
    pub fn penalty(&self, regularizer: &Regularizer, x: Tensor<'g>) -> Tensor<'g> {
        match regularizer.get() {
            Ok(regularizer) => regularizer.penalty(self, x),
            Err(error) => self.trace().fail(error),
        }
    }

    fn declare(&self, variable: Variable) -> Tensor<'g> {
        if let Some(error) = self.trace().error() {
            return self.trace().fail(error); // Shapes mean nothing after a mistake.
        }
        let (path, ty) = (variable.path.clone(), variable.ty.clone());
        if let Some(known) = self.shared.declarations.declare(variable) {
            let name = path.rsplit('/').next().unwrap_or(&path);
            let message =
                format!("`{name}` is {:?}, but this input needs {:?}", known.shape, ty.shape);
            let help = "a layer called twice must be called on inputs of the same width";
            return self.trace().fail(Error::new(message).help(help));
        }
        match self.find(&path) {
            Some(known) => known,
            None => {
                let leaf = self.trace().weight(&path, ty);
                self.keep(path, leaf)
            }
        }
    }

    fn keep(&self, path: String, value: Tensor<'g>) -> Tensor<'g> {
        self.shared.leaves.borrow_mut().push(Leaf { path, value, current: value });
        value
    }

    fn find(&self, path: &str) -> Option<Tensor<'g>> {
        self.shared.leaves.borrow().iter().find(|leaf| leaf.path == path).map(|leaf| leaf.current)
    }

    fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}

/// A stream of random keys, whose state `[seed, counter]` is a variable of the model.
pub struct SeedGenerator<'g> {
    scope: Scope<'g>,
    seed: Option<u32>,
}

impl<'g> SeedGenerator<'g> {
    const STATE: &'static str = "seed_generator_state";

    fn ty() -> Type {
        Type::new(DType::U32, [2])
    }

    /// Whether the variable of this path is the state of a seed generator.
    fn keeps(path: &str) -> bool {
        path.rsplit('/').next() == Some(Self::STATE)
    }

    /// The next key, of type `u32[2]`: the state, whose counter then goes up by one.
    pub fn next(&self) -> Tensor<'g> {
        let (scope, ty) = (&self.scope, SeedGenerator::ty());
        let key = scope.state(Self::STATE, ty.clone(), Initial::Seed(self.seed));
        if !key.is_void() {
            scope.update(Self::STATE, key + scope.trace().iota(0, ty)); // [seed, counter] + [0, 1]
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use oxhorn_ir::Role;

    use super::*;
    use crate::{layers::Dense, testing::f32_input};

    #[test]
    fn a_second_trace_finds_what_the_first_declared() {
        let declared = Declarations::new();
        for rows in [2, 7] {
            let trace = Trace::new("test");
            let cx = Scope::new(&trace, &declared, Mode::Infer);
            cx.layer("dense", &Dense::new(3).into(), f32_input(&trace, &[rows, 5]));
            assert!(trace.error().is_none());
        }
        let paths: Vec<String> = declared.variables().iter().map(|it| it.path.clone()).collect();
        assert_eq!(paths, ["dense/kernel", "dense/bias"]);
    }

    #[test]
    fn a_second_trace_of_another_width_is_refused() {
        let declared = Declarations::new();
        let mut last = None;
        for width in [5, 6] {
            let trace = Trace::new("test");
            let cx = Scope::new(&trace, &declared, Mode::Infer);
            cx.layer("dense", &Dense::new(3).into(), f32_input(&trace, &[2, width]));
            last = trace.error();
        }
        assert_eq!(
            last.expect("a mistake").to_string(),
            "`kernel` is [5, 3], but this input needs [6, 3]\n    in: dense (Dense)\n  \
             help: a layer called twice must be called on inputs of the same width"
        );
    }

    #[test]
    fn every_draw_has_a_key_of_its_own() {
        let declared = Declarations::new();
        let trace = Trace::new("test");
        let cx = Scope::new(&trace, &declared, Mode::Train).child("dropout");
        let generator = cx.seed_generator("seed_generator", Some(7));
        let keys = [generator.next().value(), generator.next().value()];
        cx.write_updates();
        drop((generator, cx));
        let graph = trace.finish(&keys).expect("no mistake");
        let state = Array::new([2], vec![7.0, 3.0]);
        let results = oxhorn_ir::interpret::interpret(&graph, &[state]).expect("one leaf");
        assert_eq!(results.outputs.map_data(), [vec![7.0, 3.0], vec![7.0, 4.0]]);
        assert_eq!(results.updates.map_data(), [vec![7.0, 5.0]]);
    }

    trait MapData {
        fn map_data(self) -> Vec<Vec<f64>>;
    }

    impl MapData for Vec<Array> {
        fn map_data(self) -> Vec<Vec<f64>> {
            self.into_iter().map(|array| array.data).collect()
        }
    }

    #[test]
    fn a_sampled_graph_changes_seeds_alone_and_knows_whether_any_gave_a_key() {
        use crate::layers::{BatchNormalization, Dropout, GaussianNoise};
        let sampling = Sampling { samples: 3, masks: Masks::Own };
        let state = "dropout/seed_generator/seed_generator_state";
        for (rate, expected) in [(0.5, vec![state]), (0.0, vec![])] {
            let (trace, declared) = (Trace::new("test"), Declarations::new());
            let cx = Scope::new(&trace, &declared, Mode::Sample(sampling));
            let x = f32_input(&trace, &[6, 5]);
            let x = cx.in_mode(Mode::Train).layer("norm", &BatchNormalization::new().into(), x);
            let x = cx.layer("noise", &GaussianNoise::new(0.1).into(), x);
            let y = cx.layer("dropout", &Dropout::new(rate).into(), x).value();
            assert_eq!(cx.write_seeds(), expected.len());
            drop(cx);
            let graph = trace.finish(&[y]).expect("no mistake");
            let name = |value| graph.leaves(Role::Weight).find(|leaf| leaf.0 == value);
            let written = graph.updates().iter().filter_map(|update| Some(&name(update.0)?.1.name));
            assert_eq!(written.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn seeds_are_needed_in_the_order_of_declaration() {
        use crate::layers::Dropout;
        let declared = Declarations::new();
        let trace = Trace::new("test");
        let cx = Scope::new(&trace, &declared, Mode::Infer);
        let x = f32_input(&trace, &[2, 5]);
        let x = cx.layer("dense", &Dense::new(3).bias_initializer("he_normal").into(), x);
        let x = cx.layer("dropout", &Dropout::new(0.5).into(), x);
        cx.layer("silent", &Dropout::new(0.0).into(), x);
        let variables = declared.variables();
        let needing: Vec<&str> =
            variables.iter().filter(|it| it.needs_seed()).map(|it| it.path.as_str()).collect();
        assert_eq!(
            needing,
            ["dense/kernel", "dense/bias", "dropout/seed_generator/seed_generator_state"]
        );
    }

    #[test]
    fn a_part_of_a_model_can_have_another_mode() {
        use crate::layers::Dropout;
        let (trace, declared) = (Trace::new("test"), Declarations::new());
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let x = f32_input(&trace, &[2, 5]);
        let y = cx.in_mode(Mode::Infer).layer("dropout", &Dropout::new(0.5).into(), x);
        assert_eq!(y.value(), x.value());
        assert_ne!(cx.layer("dropout", &Dropout::new(0.5).into(), x).value(), x.value());
    }

    #[test]
    fn frozen_layers_have_neither_gradients_nor_penalties() {
        let declared = Declarations::new();
        let trace = Trace::new("test");
        let cx = Scope::new(&trace, &declared, Mode::Train);
        let layer = AnyLayer { trainable: false, ..Dense::new(3).kernel_regularizer("l2").into() };
        cx.layer("dense", &layer, f32_input(&trace, &[2, 5]));
        assert!(cx.trainable_weights().is_empty());
        assert!(cx.losses().is_empty());
    }
}
