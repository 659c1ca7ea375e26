//! The programs of one network: traced, compiled and loaded when first needed, kept by the types
//! of what they are fed.
//!
//! An [`Engine`] owns everything that lives from step to step: the variables, the numbers that
//! people turn, the device. Its programs share them. It knows a [`Network`] and an [`Objective`];
//! epochs are the affair of [`looping`](crate::looping). Models are written on top of it:
//! [`Sequential`](crate::Sequential) here, others elsewhere.

mod interventions;
mod objective;
mod sample;
mod state;
mod step;
pub(crate) mod values;

use oxhorn_cpu::{Device, Executable, Number, Weights};
use oxhorn_io::Tensor as Stored;
use oxhorn_ir::{
    Array, DType, Error, Graph, Result, Role, Tensor, Trace, Type, ensure, interpret::interpret,
};
use oxhorn_nn::{
    Declarations, Initial, Mode, Sampling, Scope, Variable, metrics::Direction,
    optimizers::LearningRate,
};

pub use self::objective::{Asked, Objective, Weighted};
use self::{objective::Tracked, step::Parts};
use crate::{
    data::{Data, Samples, feed_name},
    random,
    state::State,
};

/// An output, and which of its positions count, if not all do.
pub type Masked<'g> = (Tensor<'g>, Option<Tensor<'g>>);

/// What an engine runs: anything that writes itself into a graph.
pub trait Network: Send {
    /// Writes the network into the graph: the outputs it has for these inputs.
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>>;

    /// The same, each output with its mask if it has one: `true` where a position counts. Losses,
    /// and metrics that are means, leave out the others.
    fn call_masked<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Masked<'g>> {
        self.call(cx, x).into_iter().map(|y| (y, None)).collect()
    }

    /// Writes everything, the calls above included: for networks whose objects need surroundings
    /// while they are traced.
    fn within<'g>(&self, cx: &Scope<'g>, write: &mut dyn FnMut()) {
        let _ = cx;
        write();
    }
}

/// What a program does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Forward, loss, metrics, backward, update.
    Train,
    /// Forward, loss, metrics.
    Test,
    /// The same, and beside the loss its share of penalties, as a second result.
    Apart,
    /// Forward.
    Predict,
    /// Forward, as in training: noise is active, and states change.
    Noisy,
    /// Forward many times at once, each time with other units dropped. Of the variables, only seed
    /// generators' change.
    Sample(Sampling),
}

impl Kind {
    /// Whether targets are looked at.
    pub(crate) fn measures(self) -> bool {
        matches!(self, Kind::Train | Kind::Test | Kind::Apart)
    }
}

/// Which program is wanted: what it does, and the types of what it is fed, batch axis included.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// What it does.
    pub kind: Kind,
    /// The inputs of the network.
    pub x: Vec<Type>,
    /// The target of each output; `None` of outputs that have none.
    pub y: Vec<Option<Type>>,
    /// The weights of samples for each output.
    pub weights: Vec<Option<Type>>,
}

impl Key {
    /// The program for so many of these samples at a time.
    pub fn new(kind: Kind, data: &Data<'_>, rows: usize) -> Key {
        let each = |all: &[Option<Samples<'_>>]| {
            all.iter().map(|it| it.as_ref().map(|it| it.batch_type(rows))).collect()
        };
        let (y, weights) = match kind {
            _ if kind.measures() => (each(&data.y), each(&data.sample_weight)),
            _ => (vec![], vec![]),
        };
        Key { kind, x: data.x.iter().map(|x| x.batch_type(rows)).collect(), y, weights }
    }

    /// Whether this is [`Key::new`] of these, which is found out without making that.
    fn is_of(&self, kind: Kind, data: &Data<'_>, rows: usize) -> bool {
        let each = |known: &[Option<Type>], all: &[Option<Samples<'_>>]| {
            let is_of = |(known, it): (&Option<Type>, &Option<Samples<'_>>)| match (known, it) {
                (Some(known), Some(it)) => it.is_batch(known, rows),
                (known, it) => known.is_none() && it.is_none(),
            };
            known.len() == all.len() && known.iter().zip(all).all(is_of)
        };
        let others = match kind.measures() {
            true => each(&self.y, &data.y) && each(&self.weights, &data.sample_weight),
            false => self.y.is_empty() && self.weights.is_empty(),
        };
        let mut x = self.x.iter().zip(&data.x);
        self.kind == kind
            && others
            && self.x.len() == data.x.len()
            && x.all(|(known, x)| x.is_batch(known, rows))
    }

    /// What does the same over so many samples.
    fn with_rows(&self, rows: usize) -> Key {
        let resized = |ty: &Type| {
            let shape = [rows].into_iter().chain(ty.shape.iter().skip(1).copied());
            Type::new(ty.dtype, shape.collect::<Vec<usize>>())
        };
        let each = |all: &[Option<Type>]| all.iter().map(|ty| ty.as_ref().map(resized)).collect();
        Key {
            kind: self.kind,
            x: self.x.iter().map(resized).collect(),
            y: each(&self.y),
            weights: each(&self.weights),
        }
    }
}

/// A program ready to run, with the positions of its inputs; `None` of what it does not look at.
pub struct Loaded {
    key: Key,
    executable: Executable,
    x: Vec<Option<usize>>,
    y: Vec<Option<usize>>,
    weights: Vec<Option<usize>>,
    /// Positions of the numbers that people turn: in the engine, and among the inputs.
    numbers: Vec<(usize, usize)>,
    /// The types of the results, which the program's memory may hold in another shape.
    outputs: Vec<Type>,
}

/// The totals of loss and metrics, variable by variable.
pub(crate) struct Totals(Vec<(String, Vec<u8>)>);

/// The scope of what belongs to metrics, which every epoch resets.
const METRICS: &str = "metrics";

/// The scope of what belongs to the optimizer.
pub const OPTIMIZER: &str = "optimizer/";

/// The path of the optimizer's count of steps.
const ITERATION: &str = "optimizer/iteration";

/// The scope of what belongs to techniques.
const TECHNIQUES: &str = "techniques/";

/// The path of a learning rate that is a number.
pub const LEARNING_RATE: &str = "optimizer/learning_rate";

/// How many programs are kept. Ever-changing batch sizes would make ever more of them.
const PROGRAMS_MAX: usize = 32;

/// Everything of a model that runs.
pub struct Engine {
    network: Box<dyn Network>,
    objective: Option<Objective>,
    declarations: Declarations,
    weights: Weights,
    /// The variables that are reset before an epoch, with the value they are reset to.
    resets: Vec<(String, f64)>,
    numbers: Vec<(String, f64)>,
    /// Values, by path, of variables that have not been declared yet.
    given: State,
    threads: usize,
    /// Where seeds come from.
    random: random::Source,
    /// Made when a program is first loaded.
    device: Option<Device>,
    /// The types of the inputs that the network was built for.
    inputs: Vec<Type>,
    /// The types of the targets that loss and metrics were prepared for.
    targets: Option<Vec<Option<Type>>>,
    tracked: Vec<Tracked>,
    loaded: Vec<Loaded>,
    results: Option<Loaded>,
    /// Goes up whenever the indices of programs lose their meaning.
    generation: usize,
}

impl Engine {
    /// An engine for a network that has not been called yet.
    pub fn new(network: Box<dyn Network>, threads: usize) -> Engine {
        Engine {
            network,
            objective: None,
            declarations: Declarations::new(),
            weights: Weights::new([]),
            resets: vec![],
            numbers: vec![],
            given: State::new(),
            threads,
            random: random::Source::Process,
            device: None,
            inputs: vec![],
            targets: None,
            tracked: vec![],
            loaded: vec![],
            results: None,
            generation: 0,
        }
    }

    /// Draws seeds from there from now on.
    pub fn set_random(&mut self, random: random::Source) {
        self.random = random;
    }

    /// Puts everything back to where it was before the first step: every variable has a first value
    /// again, drawn from there, and every number the value that it was configured with. The
    /// programs are kept.
    ///
    /// # Errors
    ///
    /// If a first value cannot be made.
    pub fn restart(&mut self, random: random::Source) -> Result<()> {
        self.random = random;
        for variable in self.variables() {
            let first = self.first_value(&variable)?;
            values::write(&mut self.weights, &variable.path, &first)?;
        }
        // Programs know numbers by their position, which stays.
        let configured = self.learning_rate_configured();
        for (path, value) in &mut self.numbers {
            let declared = self.declarations.numbers();
            let number = declared.iter().find(|number| number.path == *path);
            *value = match (number, configured) {
                (_, Some(rate)) if path == LEARNING_RATE => rate,
                (Some(number), _) => number.value,
                (None, _) => *value,
            };
        }
        Ok(())
    }

    /// Calls the network with inputs of these types for the first time: declares its variables, and
    /// gives each its first value, with seeds drawn in the order in which Keras draws them. Those
    /// that `outgrown` has are taken from there.
    ///
    /// # Errors
    ///
    /// If a layer's settings are wrong or do not fit the shape, with the layer's path.
    pub fn build(&mut self, inputs: &[Type], outgrown: Option<&Engine>) -> Result<()> {
        self.inputs = inputs.to_vec();
        self.parts().declare(inputs)?;
        if let Some(outgrown) = outgrown {
            self.weights = outgrown.weights.clone();
            let declared = self.declarations.numbers();
            let is_here = |path: &str| {
                path.starts_with(OPTIMIZER) || declared.iter().any(|number| number.path == path)
            };
            let numbers = outgrown.numbers.iter().filter(|(path, _)| is_here(path));
            self.numbers = numbers.cloned().collect();
            drop(declared);
            // What was turned up from 0 stays in the graphs.
            let numbers = outgrown.declarations.numbers();
            let awake = numbers.iter().filter(|number| !number.dormant);
            if awake.filter(|number| self.declarations.wake(&number.path)).count() > 0 {
                self.parts().declare(inputs)?;
            }
        }
        self.make_variables()
    }

    fn parts(&self) -> Parts<'_> {
        Parts { network: &*self.network, declarations: &self.declarations }
    }

    /// The types of the inputs that the network was built for.
    pub fn inputs(&self) -> &[Type] {
        &self.inputs
    }

    /// What the network is trained for.
    pub fn objective(&self) -> Option<&Objective> {
        self.objective.as_ref()
    }

    /// The types of the network's outputs, for inputs of these types.
    ///
    /// # Errors
    ///
    /// If they do not fit the network.
    pub fn outputs(&self, inputs: &[Type]) -> Result<Vec<Type>> {
        self.parts().outputs(inputs)
    }

    /// All variables, in Keras' order.
    pub fn variables(&self) -> Vec<Variable> {
        self.declarations.variables().to_vec()
    }

    /// What the traces so far have asked for.
    pub fn declarations(&self) -> &Declarations {
        &self.declarations
    }

    /// The values of the variables.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The same, to be changed.
    pub fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    /// The elements of a variable, in row-major order.
    ///
    /// # Errors
    ///
    /// If there is none of this path.
    pub fn value(&self, path: &str) -> Result<Vec<f64>> {
        values::read(&self.weights, path)
    }

    /// A variable as files hold it.
    ///
    /// # Errors
    ///
    /// If there is none of this path.
    pub fn tensor(&self, path: &str) -> Result<Stored> {
        values::tensor(&self.weights, path)
    }

    /// Gives a variable other elements, in row-major order.
    ///
    /// # Errors
    ///
    /// If there is none of this path, or it has more or fewer elements.
    pub fn set_value(&mut self, path: &str, elements: &[f64]) -> Result<()> {
        if let Some(ty) = self.weights.ty(path) {
            let (len, given) = (ty.len(), elements.len());
            ensure!(len == given, "`{path}` is {ty}, which has {len} elements, not {given}");
        }
        values::write(&mut self.weights, path, elements)
    }

    /// The numbers that people turn, by path.
    pub fn numbers(&self) -> &[(String, f64)] {
        &self.numbers
    }

    /// Turns the number at `path`; the next step sees it.
    ///
    /// The first time that a number leaves the 0 it was configured with, the programs are made
    /// anew, with what it governs.
    ///
    /// # Errors
    ///
    /// If there is no such number, it is a technique's and out of its range, or what it governs
    /// does not fit the model. Then it is as before.
    pub fn set_number(&mut self, path: &str, value: f64) -> Result<()> {
        if let Some(objective) = &self.objective {
            objective.techniques.iter().try_for_each(|it| it.check_number(path, value))?;
        }
        let Some(index) = self.numbers.iter().position(|(known, _)| known == path) else {
            let known: Vec<&str> = self.numbers.iter().map(|(path, _)| path.as_str()).collect();
            let error = Error::new(format!("there is no number `{path}` to set"));
            return Err(error.help(format!("there are: {}", known.join(", "))));
        };
        if value != 0.0 && self.declarations.wake(path) {
            let renewed = self.renew();
            renewed.inspect_err(|_| self.declarations.lull(path))?;
        }
        self.numbers[index].1 = value;
        Ok(())
    }

    /// Makes sure that all programs can be made anew, and lets go of them.
    fn renew(&mut self) -> Result<()> {
        self.parts().declare(&self.inputs)?;
        for loaded in &self.loaded {
            self.graph(&loaded.key)?;
        }
        // From here on nothing fails, and until here all is in its place.
        self.forget_programs();
        self.make_variables()
    }

    /// Runs on this many threads from now on.
    pub fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
        self.device = None;
        self.forget_programs();
    }

    /// Takes another objective, whose metrics and optimizer begin anew.
    ///
    /// # Errors
    ///
    /// As [`Objective::check`]; then the engine keeps the objective it had.
    pub fn set_objective(&mut self, objective: Objective) -> Result<()> {
        objective.check()?;
        self.targets = None;
        self.tracked.clear();
        self.given = State::new();
        self.forget_programs();
        // What the last optimizer, metrics and techniques kept goes; what the network keeps, stays.
        let temporary = |path: &str| {
            path.starts_with(OPTIMIZER) || path.starts_with(TECHNIQUES) || is_of_metrics(path)
        };
        self.numbers.retain(|(path, _)| !temporary(path));
        self.declarations.forget(temporary);
        {
            let trace = Trace::new("techniques");
            let cx = Scope::new(&trace, &self.declarations, Mode::Train);
            objective.techniques.iter().try_for_each(|it| it.is_awake(&cx).map(drop))?;
        }
        self.objective = Some(objective);
        self.make_variables()?;
        self.adopt_learning_rate();
        Ok(())
    }

    /// A learning rate that was turned stays; that of a new optimizer is its own. The rates of
    /// several optimizers are numbers like all others.
    fn adopt_learning_rate(&mut self) {
        let known = self.numbers.iter().any(|(path, _)| path == LEARNING_RATE);
        if let (Some(rate), false) = (self.learning_rate_configured(), known) {
            self.numbers.push((LEARNING_RATE.to_owned(), rate));
        }
    }

    /// The learning rate that the model was compiled with, if it is one number.
    fn learning_rate_configured(&self) -> Option<f64> {
        match self.objective.as_ref()?.optimizer.learning_rate() {
            Ok(LearningRate::Constant(rate)) => Some(*rate),
            _ => None,
        }
    }

    /// Prepares for targets like those of `key`: traces a step for a batch of such, which declares
    /// the totals of the metrics and the optimizer's slots. The first targets decide what those
    /// metrics are that depend on shapes.
    ///
    /// # Errors
    ///
    /// If loss or metrics do not fit the shapes, or the optimizer's settings are wrong.
    pub fn prepare(&mut self, key: &Key) -> Result<()> {
        let sample = key.with_rows(2);
        if self.targets.as_ref() == Some(&sample.y) {
            return Ok(());
        }
        if self.inputs.is_empty() {
            self.inputs.clone_from(&sample.x);
        }
        let before = self.targets.take();
        if let (None, Some(objective)) = (&before, &self.objective) {
            objective.check_targets(key)?;
            let shapes = |ty: &Option<Type>| ty.as_ref().map(|ty| ty.shape.clone());
            let y_true: Vec<_> = sample.y.iter().map(shapes).collect();
            let outputs = self.outputs(&sample.x)?;
            let y_pred: Vec<_> = outputs.into_iter().map(|ty| ty.shape).collect();
            self.tracked = objective.tracked(&y_true, &y_pred)?;
        }
        let train = Key { kind: Kind::Train, ..key.clone() };
        let traced = self.step_graph(&train);
        if let Err(error) = traced.and_then(|_| self.make_variables()) {
            self.targets = before;
            return Err(error);
        }
        self.targets = Some(sample.y);
        self.adopt_learning_rate();
        Ok(())
    }

    /// The learning rate of the next step, as the optimizer sees it.
    ///
    /// # Errors
    ///
    /// If there is no optimizer, or a schedule is not one.
    pub fn learning_rate(&self) -> Result<f64> {
        let objective = self.objective.as_ref().ok_or_else(uncompiled)?;
        let schedule = match objective.optimizer.learning_rate()? {
            LearningRate::Schedule(schedule) => schedule,
            LearningRate::Constant(rate) => {
                let turned = self.numbers.iter().find(|(path, _)| path == LEARNING_RATE);
                return Ok(f64::from(turned.map_or(*rate, |(_, rate)| *rate) as f32));
            }
        };
        let steps = self.iterations().unwrap_or(0);
        let trace = Trace::new("learning rate");
        let cx = Scope::new(&trace, &self.declarations, Mode::Infer);
        let mut rate = vec![];
        self.network.within(&cx, &mut || {
            rate.push(schedule.apply(trace.scalar(steps as f64, DType::I64)).value());
        });
        drop(cx);
        let graph = trace.finish(&rate)?;
        // A schedule of one's own may have arrays in it, which every step has as well.
        let leaves = graph
            .leaves(Role::Weight)
            .map(|(_, leaf)| Ok(Array::new(leaf.ty.shape.clone(), self.value(&leaf.name)?)));
        let results = interpret(&graph, &leaves.collect::<Result<Vec<_>>>()?)?;
        Ok(f64::from(results.outputs[0].scalar() as f32))
    }

    /// How many steps the optimizer has taken, if it counts them; each of those over which it adds
    /// gradients up counts.
    pub fn iterations(&self) -> Option<usize> {
        let steps = self.weights.slice::<i64>(ITERATION).ok()?;
        steps.first().and_then(|steps| usize::try_from(*steps).ok())
    }

    /// Begins a run, for which indices of programs from earlier ones mean nothing: of too many
    /// programs, none is kept.
    pub fn begin_run(&mut self) {
        if self.loaded.len() > PROGRAMS_MAX {
            self.forget_programs();
        }
    }

    /// Changes whenever indices of programs lose their meaning.
    pub fn generation(&self) -> usize {
        self.generation
    }

    fn forget_programs(&mut self) {
        self.loaded.clear();
        self.results = None;
        self.generation += 1;
    }

    /// The program of this key, as an index for [`Engine::program`] that holds as long as
    /// [`Engine::generation`] does; made if there is none.
    ///
    /// # Errors
    ///
    /// If the network does not fit what it is to be fed.
    pub fn load(&mut self, key: &Key) -> Result<usize> {
        if let Some(index) = self.loaded.iter().position(|loaded| loaded.key == *key) {
            return Ok(index);
        }
        let graph = self.graph(key)?;
        // A network may keep more for what it has not seen before.
        self.make_variables()?;
        let loaded = self.ready(&graph, key)?;
        self.loaded.push(loaded);
        Ok(self.loaded.len() - 1)
    }

    /// The program for so many of these samples at a time: [`Engine::load`] of their key.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn load_for(&mut self, kind: Kind, data: &Data<'_>, rows: usize) -> Result<usize> {
        match self.loaded.iter().position(|loaded| loaded.key.is_of(kind, data, rows)) {
            Some(index) => Ok(index),
            None => self.load(&Key::new(kind, data, rows)),
        }
    }

    /// The graph of this key: what is computed, before anyone decides how.
    ///
    /// # Errors
    ///
    /// If network, loss, metrics or optimizer do not fit together or what they are to be fed.
    pub fn graph(&self, key: &Key) -> Result<Graph> {
        match key.kind {
            Kind::Train | Kind::Test | Kind::Apart => self.step_graph(key),
            Kind::Predict | Kind::Noisy => self.parts().forward_graph(key),
            Kind::Sample(sampling) => self.parts().sample_graph(key, sampling),
        }
    }

    fn step_graph(&self, key: &Key) -> Result<Graph> {
        let objective = self.objective.as_ref().ok_or_else(uncompiled)?;
        objective.check_targets(key)?;
        self.parts().step_graph(objective, &self.tracked, key)
    }

    /// How many programs are kept.
    pub fn programs(&self) -> usize {
        self.loaded.len()
    }

    /// A loaded program.
    pub fn program(&mut self, index: usize) -> &mut Loaded {
        &mut self.loaded[index]
    }

    /// Runs a loaded program.
    pub fn run(&mut self, index: usize) {
        // Without a device, nothing was loaded.
        if let Some(device) = &mut self.device {
            self.loaded[index].run(&mut self.weights, device, &self.numbers);
        }
    }

    /// Sets loss and metrics back to those of no samples.
    pub fn reset_metrics(&mut self) {
        for (path, value) in &self.resets {
            // These paths were declared, so there are such variables.
            values::write(&mut self.weights, path, &[*value]).ok();
        }
    }

    /// The totals of loss and metrics, for [`Engine::set_totals`].
    pub(crate) fn totals(&self) -> Totals {
        let paths = self.weights.paths().filter(|path| is_of_metrics(path));
        let bytes = |path: &str| Some((path.to_owned(), self.weights.bytes(path).ok()?.to_vec()));
        Totals(paths.filter_map(bytes).collect())
    }

    /// Goes on with totals that were these.
    pub(crate) fn set_totals(&mut self, totals: &Totals) {
        for (path, bytes) in &totals.0 {
            if let Ok(place) = self.weights.bytes_mut(path) {
                place.copy_from_slice(bytes);
            }
        }
    }

    /// Whether anything is added to the loss where the network is measured.
    ///
    /// # Errors
    ///
    /// If the network cannot be called on the inputs that it was built for.
    pub(crate) fn penalizes(&self) -> Result<bool> {
        self.parts().penalizes(&self.inputs)
    }

    /// The names of what [`Engine::results`] gives: `loss`, then metrics and losses of outputs.
    pub fn result_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once("loss").chain(self.tracked.iter().map(|tracked| tracked.name.as_str()))
    }

    /// Loss and metrics over the batches since the last reset, with their names; none before the
    /// engine was prepared for any.
    ///
    /// # Errors
    ///
    /// If a metric is not one number.
    pub fn results(&mut self) -> Result<Vec<(String, f64)>> {
        if self.targets.is_none() {
            return Ok(vec![]);
        }
        if self.results.is_none() {
            let graph = self.parts().results_graph(&self.tracked)?;
            let key = Key { kind: Kind::Test, x: vec![], y: vec![], weights: vec![] };
            self.results = Some(self.ready(&graph, &key)?);
        }
        let names: Vec<String> = self.result_names().map(str::to_owned).collect();
        let mut values = vec![];
        if let (Some(loaded), Some(device)) = (&mut self.results, &mut self.device) {
            loaded.run(&mut self.weights, device, &self.numbers);
            for (index, name) in names.iter().enumerate() {
                let value = loaded.executable.output::<f32>(index)?;
                ensure!(
                    value.len() == 1,
                    "the metric `{name}` is {} numbers, not one", value.len();
                    help: "give it a setting, such as `average`, that makes one of them"
                );
                values.push((name.clone(), f64::from(value[0])));
            }
        }
        Ok(values)
    }

    /// Which way a metric gets better, as far as it says.
    pub fn direction(&self, name: &str) -> Option<Direction> {
        self.tracked.iter().find(|tracked| tracked.name == name)?.direction()
    }

    /// Gives every number that has no value yet its own.
    fn adopt_numbers(&mut self) {
        for number in self.declarations.numbers().iter() {
            let known = self.numbers.iter().any(|(path, _)| *path == number.path);
            // The learning rate is the optimizer's to state, see `adopt_learning_rate`.
            if !known && number.path != LEARNING_RATE {
                self.numbers.push((number.path.clone(), number.value));
            }
        }
    }

    /// The first value of a variable.
    fn first_value(&self, variable: &Variable) -> Result<Vec<f64>> {
        let seed = match variable.needs_seed() {
            true => self.random.seed_for(&variable.path),
            false => 0,
        };
        Ok(variable.first_value(seed)?.data)
    }

    /// Gives every variable that has no value yet its first one, and every number its own.
    fn make_variables(&mut self) -> Result<()> {
        self.adopt_numbers();
        let variables = self.variables();
        let known = |variable: &&Variable| self.weights.ty(&variable.path).is_some();
        let places = self.weights.paths().count();
        if variables.iter().filter(known).count() == variables.len() && places == variables.len() {
            return Ok(());
        }
        values::check_size(&variables)?;
        let named = variables.iter().map(|it| (it.path.clone(), it.ty.clone()));
        let mut weights = Weights::room_for(named)?;
        for variable in &variables {
            let path = &variable.path;
            if self.weights.ty(path) == Some(&variable.ty) {
                weights.bytes_mut(path)?.copy_from_slice(self.weights.bytes(path)?);
                continue;
            }
            if values::take(&mut weights, path, &mut self.given)? {
                continue;
            }
            let first = self.first_value(variable)?;
            values::write(&mut weights, path, &first)?;
        }
        let reset = |variable: &Variable| match variable.initial {
            Initial::Filled(value) if is_of_metrics(&variable.path) => {
                Some((variable.path.clone(), value))
            }
            _ => None,
        };
        self.resets = variables.iter().filter_map(reset).collect();
        self.weights = weights;
        self.forget_programs();
        Ok(())
    }

    fn ready(&mut self, graph: &Graph, key: &Key) -> Result<Loaded> {
        let program = oxhorn_plan::compile(graph)?;
        let device = self.device.get_or_insert_with(|| Device::new(self.threads));
        let executable = Executable::load(&program, &self.weights, device)?;
        let index = |name: &str| executable.input_index(name);
        let feeds = |name: &str, of: usize| {
            (0..of).map(|i| index(&feed_name(name, i, of))).collect::<Vec<_>>()
        };
        let numbers = self.numbers.iter().enumerate();
        Ok(Loaded {
            key: key.clone(),
            x: feeds("x", key.x.len()),
            y: feeds("y", key.y.len()),
            weights: feeds("sample_weight", key.weights.len()),
            numbers: numbers.filter_map(|(i, (path, _))| Some((i, index(path)?))).collect(),
            outputs: graph.outputs().iter().map(|&value| graph[value].ty.clone()).collect(),
            executable,
        })
    }
}

impl Loaded {
    /// Writes these rows of the data where the program reads them; allocates nothing.
    ///
    /// # Errors
    ///
    /// None if the program was loaded for such data.
    pub fn feed(&mut self, data: &Data<'_>, rows: &[usize]) -> Result<()> {
        fn put(
            to: &mut Executable,
            index: usize,
            from: &Samples<'_>,
            rows: &[usize],
        ) -> Result<()> {
            match from.dtype() {
                DType::F32 => from.gather(rows, to.input_at_mut::<f32>(index)?),
                _ => from.gather(rows, to.input_at_mut::<i32>(index)?),
            }
            Ok(())
        }
        for (index, x) in self.x.iter().zip(&data.x) {
            if let Some(index) = index {
                put(&mut self.executable, *index, x, rows)?;
            }
        }
        let others = self.y.iter().zip(&data.y).chain(self.weights.iter().zip(&data.sample_weight));
        for (index, samples) in others {
            if let (Some(index), Some(samples)) = (index, samples) {
                put(&mut self.executable, *index, samples, rows)?;
            }
        }
        Ok(())
    }

    /// Writes all elements of an input of the network, given as bytes.
    pub fn feed_bytes(&mut self, input: usize, bytes: &[u8]) {
        if let Some(Some(index)) = self.x.get(input) {
            self.executable.input_bytes_mut(*index).copy_from_slice(bytes);
        }
    }

    /// A result of the program: the loss, or one of the predictions.
    ///
    /// # Errors
    ///
    /// If there is no such result, or its elements are of another type.
    pub fn output<T: Number>(&self, index: usize) -> Result<&[T]> {
        self.executable.output(index)
    }

    /// How many samples it takes.
    pub(crate) fn rows(&self) -> usize {
        self.key.x.first().and_then(|ty| ty.shape.first()).copied().unwrap_or(0)
    }

    /// Its results' types.
    pub fn output_types(&self) -> &[Type] {
        &self.outputs
    }

    /// A result's elements as bytes, whatever their type.
    ///
    /// # Errors
    ///
    /// If there is no such result.
    pub fn output_bytes(&self, index: usize) -> Result<&[u8]> {
        self.executable.output_bytes(index)
    }

    fn run(&mut self, weights: &mut Weights, device: &mut Device, numbers: &[(String, f64)]) {
        for &(number, input) in &self.numbers {
            if let Ok(place) = self.executable.input_at_mut::<f64>(input) {
                place[0] = numbers[number].1;
            }
        }
        self.executable.run(weights, device);
    }
}

/// Whether the variable or number of this path belongs to a metric.
fn is_of_metrics(path: &str) -> bool {
    path.split_once('/').is_some_and(|(scope, _)| scope == METRICS)
}

/// The error of a model that nobody has compiled.
pub(crate) fn uncompiled() -> Error {
    Error::new("You must call `compile()` before using the model.")
        .help("model.compile(Adam::default(), \"categorical_crossentropy\", [\"accuracy\"])?")
}
