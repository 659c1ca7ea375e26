//! The programs of one model: traced, compiled and loaded when first needed, kept by batch size.
//!
//! An [`Engine`] owns everything that lives from step to step: the variables, the numbers that
//! people turn, the device. Its programs share them. It knows layers, a loss, metrics and an
//! optimizer; it knows nothing of epochs.

use oxhorn_cpu::{Device, Executable, Number, Weights};
use oxhorn_ir::{DType, Error, Graph, Result, Tensor, Trace, Type, Value, ensure, grad};
use oxhorn_nn::{
    AnyLayer, Declarations, Initial, Mode, Scope, Variable,
    losses::Loss,
    metrics::{Direction, Metric},
    optimizers::{LearningRate, Optimizer},
};

use crate::random;

/// The layers of a model, each with its name, in order.
pub(crate) type Layers = [(String, AnyLayer)];

/// What `compile` was told.
#[derive(Clone, Debug)]
pub(crate) struct Objective {
    pub(crate) optimizer: Optimizer,
    pub(crate) loss: Loss,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) weighted_metrics: Vec<Metric>,
}

/// A metric as it is logged.
struct Tracked {
    /// The key in the logs: `accuracy`.
    name: String,
    metric: Metric,
    weighted: Weighted,
}

/// Whether samples have weights of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weighted {
    No,
    Yes,
}

/// What a program does with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Forward, loss, metrics, backward, update.
    Train,
    /// Forward, loss, metrics.
    Test,
    /// Forward.
    Predict,
}

/// Which program is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) batch: usize,
    pub(crate) weighted: Weighted,
}

/// Shape and element type of one sample's target.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) shape: Vec<usize>,
    pub(crate) dtype: DType,
}

/// A program ready to run, with the positions of its inputs.
pub(crate) struct Loaded {
    key: Key,
    /// What it was traced for; none of a program that only predicts.
    target: Option<Target>,
    executable: Executable,
    pub(crate) x: usize,
    pub(crate) y: Option<usize>,
    pub(crate) sample_weight: Option<usize>,
    /// Positions of the numbers that people turn: in the engine, and among the inputs.
    numbers: Vec<(usize, usize)>,
}

/// The scope of what belongs to metrics, which every epoch resets.
const METRICS: &str = "metrics";

/// The scope of what belongs to the optimizer.
pub(crate) const OPTIMIZER: &str = "optimizer/";

/// The path of a learning rate that is a number.
pub(crate) const LEARNING_RATE: &str = "optimizer/learning_rate";

/// How many programs are kept. Ever-changing batch sizes would make ever more of them.
const PROGRAMS_MAX: usize = 32;

/// Everything of a model that runs.
pub(crate) struct Engine {
    declarations: Declarations,
    weights: Weights,
    /// The variables that are reset before an epoch, with the value they are reset to.
    resets: Vec<(String, DType, f64)>,
    numbers: Vec<(String, f64)>,
    threads: usize,
    /// Made when a program is first loaded.
    device: Option<Device>,
    /// The shape of one sample.
    input: Vec<usize>,
    target: Option<Target>,
    tracked: Vec<Tracked>,
    loaded: Vec<Loaded>,
    results: Option<Loaded>,
}

impl Engine {
    /// Builds the layers for samples of shape `input`: declares their variables, and gives each its
    /// first value, with seeds drawn in the order in which Keras draws them. Those that `outgrown`
    /// has are taken from there.
    ///
    /// # Errors
    ///
    /// If a layer's settings are wrong or do not fit the shape, with the layer's path.
    pub(crate) fn build(
        layers: &Layers,
        input: &[usize],
        threads: usize,
        outgrown: Option<&Engine>,
    ) -> Result<Engine> {
        let mut engine = Engine {
            declarations: Declarations::new(),
            weights: outgrown.map_or_else(|| Weights::new([]), |it| it.weights.clone()),
            resets: vec![],
            numbers: outgrown.map_or_else(Vec::new, |it| it.numbers.clone()),
            threads,
            device: None,
            input: input.to_vec(),
            target: None,
            tracked: vec![],
            loaded: vec![],
            results: None,
        };
        engine.declare_layers(layers)?;
        if let Some(outgrown) = outgrown {
            engine.wake_as(&outgrown.declarations, layers)?;
        }
        engine.make_variables()?;
        Ok(engine)
    }

    /// The shape of one sample.
    pub(crate) fn input(&self) -> &[usize] {
        &self.input
    }

    /// All variables, in Keras' order.
    pub(crate) fn variables(&self) -> Vec<Variable> {
        self.declarations.variables().to_vec()
    }

    /// The values of the variables.
    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The same, to be changed.
    pub(crate) fn weights_mut(&mut self) -> &mut Weights {
        &mut self.weights
    }

    /// The numbers that people turn, by path.
    pub(crate) fn numbers(&self) -> &[(String, f64)] {
        &self.numbers
    }

    /// Turns the number at `path`; the next step sees it.
    ///
    /// The first time that a number leaves the 0 it was configured with, the programs are made
    /// anew, with what it governs; indices of programs stay what they are.
    ///
    /// # Errors
    ///
    /// If there is no such number, or what it governs does not fit the model. Then it is as before.
    pub(crate) fn set_number(
        &mut self,
        layers: &Layers,
        objective: Option<&Objective>,
        path: &str,
        value: f64,
    ) -> Result<()> {
        let Some(index) = self.numbers.iter().position(|(known, _)| known == path) else {
            let known: Vec<&str> = self.numbers.iter().map(|(path, _)| path.as_str()).collect();
            let error = Error::new(format!("there is no number `{path}` to set"));
            return Err(error.help(format!("there are: {}", known.join(", "))));
        };
        if value != 0.0 && self.declarations.wake(path) {
            let renewed = self.renew(layers, objective);
            renewed.inspect_err(|_| self.declarations.lull(path))?;
        }
        self.numbers[index].1 = value;
        Ok(())
    }

    /// Makes all programs anew, in the same places.
    fn renew(&mut self, layers: &Layers, objective: Option<&Objective>) -> Result<()> {
        self.declare_layers(layers)?;
        let current = self.target.clone();
        let keys = self.loaded.iter().map(|loaded| (loaded.key, loaded.target.clone()));
        let keys: Vec<(Key, Option<Target>)> = keys.collect();
        let traced = keys.into_iter().map(|(key, target)| {
            self.target = target.clone().or_else(|| current.clone());
            Ok((key, target, self.graph(layers, objective, key)?))
        });
        let traced: Result<Vec<_>> = traced.collect();
        self.target = current;
        // From here on nothing fails, and until here all is in its place.
        let traced = traced?;
        self.make_variables()?;
        self.loaded.clear();
        for (key, target, graph) in traced {
            let loaded = self.ready(&graph, key)?;
            self.loaded.push(Loaded { target, ..loaded });
        }
        Ok(())
    }

    /// Runs on this many threads from now on.
    pub(crate) fn set_threads(&mut self, threads: usize) {
        self.threads = threads;
        self.device = None;
        self.loaded.clear();
        self.results = None;
    }

    /// Takes another loss, other metrics and another optimizer, whose slots begin anew.
    ///
    /// # Errors
    ///
    /// If a layer's settings are wrong.
    pub(crate) fn renew_objective(&mut self, layers: &Layers, objective: &Objective) -> Result<()> {
        self.target = None;
        self.tracked.clear();
        self.loaded.clear();
        self.results = None;
        self.numbers.retain(|(path, _)| !path.starts_with(OPTIMIZER));
        // What the last optimizer and metrics kept goes; what the layers keep, stays.
        let before = std::mem::take(&mut self.declarations);
        self.declare_layers(layers)?;
        self.wake_as(&before, layers)?;
        self.make_variables()?;
        self.adopt_learning_rate(objective);
        Ok(())
    }

    /// What was turned up from 0 stays in the graphs.
    fn wake_as(&self, before: &Declarations, layers: &Layers) -> Result<()> {
        let numbers = before.numbers();
        let awake = numbers.iter().filter(|number| !number.dormant);
        if awake.filter(|number| self.declarations.wake(&number.path)).count() > 0 {
            self.declare_layers(layers)?;
        }
        Ok(())
    }

    /// A learning rate that was turned stays; that of a new optimizer is its own. The rates of
    /// several optimizers are numbers like all others.
    fn adopt_learning_rate(&mut self, objective: &Objective) {
        let known = self.numbers.iter().any(|(path, _)| path == LEARNING_RATE);
        let rate = objective.optimizer.learning_rate();
        if let (Ok(LearningRate::Constant(rate)), false) = (rate, known) {
            self.numbers.push((LEARNING_RATE.to_owned(), *rate));
        }
    }

    /// Prepares for targets like this one: traces a step for a batch of such, which declares the
    /// totals of the metrics and the optimizer's slots. The first targets decide what those metrics
    /// are that depend on shapes.
    ///
    /// # Errors
    ///
    /// If loss or metrics do not fit the shapes, or the optimizer's settings are wrong.
    pub(crate) fn prepare(
        &mut self,
        layers: &Layers,
        objective: &Objective,
        target: &Target,
        (batch, weighted): (usize, Weighted),
    ) -> Result<()> {
        if self.target.as_ref() == Some(target) {
            return Ok(());
        }
        let before = self.target.take();
        if before.is_none() {
            self.tracked = self.track(layers, objective, target)?;
        }
        self.target = Some(target.clone());
        let key = Key { kind: Kind::Train, batch, weighted };
        let traced = self.step_graph(layers, objective, key);
        if let Err(error) = traced.and_then(|_| self.make_variables()) {
            self.target = before;
            return Err(error);
        }
        self.adopt_learning_rate(objective);
        Ok(())
    }

    /// The metrics for targets like this one, each with the name it is logged by.
    fn track(
        &self,
        layers: &Layers,
        objective: &Objective,
        target: &Target,
    ) -> Result<Vec<Tracked>> {
        let y_pred = self.output_shape(layers, 2)?;
        let y_true = [&[2], &target.shape[..]].concat();
        let (mut names, mut tracked): (Vec<String>, Vec<Tracked>) = (vec![], vec![]);
        let all =
            [(&objective.metrics, Weighted::No), (&objective.weighted_metrics, Weighted::Yes)];
        for (metrics, weighted) in all {
            for metric in metrics {
                let metric = metric.resolve(&y_true, &y_pred)?;
                let name = unique(metric.log_name(), weighted, &names);
                names.push(name.clone());
                tracked.push(Tracked { name, metric, weighted });
            }
        }
        Ok(tracked)
    }

    /// The learning rate of the next step, as the optimizer sees it.
    ///
    /// # Errors
    ///
    /// If a schedule is not one.
    pub(crate) fn learning_rate(&self, objective: &Objective) -> Result<f64> {
        let schedule = match objective.optimizer.learning_rate()? {
            LearningRate::Schedule(schedule) => schedule,
            LearningRate::Constant(rate) => {
                let turned = self.numbers.iter().find(|(path, _)| path == LEARNING_RATE);
                return Ok(f64::from(turned.map_or(*rate, |(_, rate)| *rate) as f32));
            }
        };
        let path = format!("{OPTIMIZER}iteration");
        let steps = self.weights.slice::<i64>(&path).map_or(0, |steps| steps[0]);
        let trace = Trace::new("learning rate");
        let step = trace.scalar(steps as f64, DType::I64);
        let rate = schedule.apply(step).value();
        let results = oxhorn_ir::interpret::interpret(&trace.finish(&[rate])?, &[])?;
        Ok(f64::from(results.outputs[0].scalar() as f32))
    }

    /// Begins a run, for which indices of programs from earlier ones mean nothing: of too many
    /// programs, none is kept.
    pub(crate) fn begin_run(&mut self) {
        if self.loaded.len() > PROGRAMS_MAX {
            self.loaded.clear();
        }
    }

    /// The program of this key, as an index for [`Engine::program`]; made if there is none.
    ///
    /// # Errors
    ///
    /// If the layers do not fit together for this batch size.
    pub(crate) fn load(
        &mut self,
        layers: &Layers,
        objective: Option<&Objective>,
        key: Key,
    ) -> Result<usize> {
        let target = self.target.as_ref().filter(|_| key.kind != Kind::Predict);
        let is_it = |loaded: &Loaded| loaded.key == key && loaded.target.as_ref() == target;
        if let Some(index) = self.loaded.iter().position(is_it) {
            return Ok(index);
        }
        let graph = self.graph(layers, objective, key)?;
        let loaded = self.ready(&graph, key)?;
        self.loaded.push(loaded);
        Ok(self.loaded.len() - 1)
    }

    fn graph(&self, layers: &Layers, objective: Option<&Objective>, key: Key) -> Result<Graph> {
        match objective {
            Some(objective) if key.kind != Kind::Predict => self.step_graph(layers, objective, key),
            _ => self.predict_graph(layers, key.batch),
        }
    }

    /// A loaded program.
    pub(crate) fn program(&mut self, index: usize) -> &mut Loaded {
        &mut self.loaded[index]
    }

    /// Runs a loaded program.
    pub(crate) fn run(&mut self, index: usize) {
        // Without a device, nothing was loaded.
        if let Some(device) = &mut self.device {
            self.loaded[index].run(&mut self.weights, device, &self.numbers);
        }
    }

    /// Sets loss and metrics back to those of no samples.
    pub(crate) fn reset_metrics(&mut self) {
        for (path, dtype, value) in &self.resets {
            // These paths were declared with these types: the slices are there.
            match dtype {
                DType::F32 => fill(self.weights.slice_mut::<f32>(path), *value as f32),
                DType::F64 => fill(self.weights.slice_mut::<f64>(path), *value),
                DType::I32 => fill(self.weights.slice_mut::<i32>(path), *value as i32),
                DType::I64 => fill(self.weights.slice_mut::<i64>(path), *value as i64),
                DType::U32 => fill(self.weights.slice_mut::<u32>(path), *value as u32),
                DType::Bool => fill(self.weights.slice_mut::<u8>(path), *value as u8),
            }
        }
    }

    /// The names of what [`Engine::results`] gives: `loss`, then the metrics.
    pub(crate) fn result_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once("loss").chain(self.tracked.iter().map(|tracked| tracked.name.as_str()))
    }

    /// Loss and metrics over the batches since the last reset, with their names.
    ///
    /// # Errors
    ///
    /// None once [`Engine::prepare`] has succeeded.
    pub(crate) fn results(&mut self) -> Result<Vec<(String, f64)>> {
        if self.results.is_none() {
            let graph = self.results_graph()?;
            let key = Key { kind: Kind::Test, batch: 0, weighted: Weighted::No };
            self.results = Some(self.ready(&graph, key)?);
        }
        let mut values = vec![];
        if let (Some(loaded), Some(device)) = (&mut self.results, &mut self.device) {
            loaded.run(&mut self.weights, device, &self.numbers);
            for index in 0..1 + self.tracked.len() {
                values.push(f64::from(loaded.executable.output::<f32>(index)?[0]));
            }
        }
        Ok(self.result_names().map(str::to_owned).zip(values).collect())
    }

    /// Which way a metric gets better, as far as it says.
    pub(crate) fn direction(&self, name: &str) -> Option<Direction> {
        let tracked = self.tracked.iter().find(|tracked| tracked.name == name)?;
        tracked.metric.get().ok()?.direction()
    }

    /// The shape that each layer gives for a batch of this size.
    ///
    /// # Errors
    ///
    /// If a layer does not fit its input.
    pub(crate) fn shapes(&self, layers: &Layers, batch: usize) -> Result<Vec<Vec<usize>>> {
        let trace = Trace::new("shapes");
        let shapes = {
            let cx = Scope::new(&trace, &self.declarations, Mode::Infer);
            let mut x = self.x(&trace, batch);
            let mut shapes = vec![];
            for (name, layer) in layers {
                x = cx.layer(name, layer, x);
                shapes.push(x.shape());
            }
            shapes
        };
        trace.finish(&[]).map(|_| shapes)
    }

    /// The graph of one step: what it computes, before anyone decides how.
    ///
    /// # Errors
    ///
    /// If layers, loss, metrics or optimizer do not fit together.
    pub(crate) fn step_graph(
        &self,
        layers: &Layers,
        objective: &Objective,
        key: Key,
    ) -> Result<Graph> {
        let trace = Trace::new(if key.kind == Kind::Train { "train" } else { "test" });
        let loss = self.step(&trace, layers, objective, key);
        trace.finish(&[loss])
    }

    /// Declares what the layers keep from run to run, in the order of their calls, and the numbers
    /// of those that only training uses.
    fn declare_layers(&self, layers: &Layers) -> Result<()> {
        self.predict_graph(layers, 2)?;
        let trace = Trace::new("layers");
        let cx = Scope::new(&trace, &self.declarations, Mode::Train);
        // A mistake that only training makes is told when there is a batch to train on.
        forward(&cx, layers, self.x(&trace, 2));
        Ok(())
    }

    /// The graph of a prediction.
    ///
    /// # Errors
    ///
    /// If the layers do not fit together.
    pub(crate) fn predict_graph(&self, layers: &Layers, batch: usize) -> Result<Graph> {
        let trace = Trace::new("predict");
        let y = {
            let cx = Scope::new(&trace, &self.declarations, Mode::Infer);
            let x = self.x(&trace, batch);
            let y = forward(&cx, layers, x);
            cx.write_updates();
            y.value()
        };
        trace.finish(&[y])
    }

    /// Writes one step into the trace, and returns the batch's loss.
    fn step(&self, trace: &Trace, layers: &Layers, objective: &Objective, key: Key) -> Value {
        let mode = if key.kind == Kind::Train { Mode::Train } else { Mode::Infer };
        let cx = Scope::new(trace, &self.declarations, mode);
        let y_pred = forward(&cx, layers, self.x(trace, key.batch));
        let shape = |extents: &[usize]| [&[key.batch], extents].concat();
        let target = self
            .target
            .as_ref()
            .map_or(Type::f32([]), |target| Type::new(target.dtype, shape(&target.shape)));
        let y_true = trace.input("y", target);
        let weight = match key.weighted {
            Weighted::Yes => Some(trace.input("sample_weight", Type::f32([key.batch]))),
            Weighted::No => None,
        };
        let loss = loss_of(objective, y_true, y_pred, weight);
        let loss = cx.losses().into_iter().fold(loss, |total, penalty| total + penalty);
        if key.kind == Kind::Train {
            let weights = cx.trainable_weights();
            let tensors: Vec<Tensor> = weights.iter().map(|(_, tensor)| *tensor).collect();
            let gradients = grad(objective.optimizer.scale_loss(&cx, loss), &tensors);
            objective.optimizer.apply(&cx, &weights, &gradients);
        }
        let metrics = cx.child(METRICS);
        let samples = trace.scalar(key.batch as f64, DType::F32);
        for (name, value) in [("total", loss * samples), ("count", samples)] {
            let scope = metrics.child("loss");
            let sum = scope.state(name, Type::f32([]), Initial::Filled(0.0)) + value;
            scope.update(name, sum);
        }
        for Tracked { name, metric, weighted } in &self.tracked {
            let weight = if *weighted == Weighted::Yes { weight } else { None };
            match metric.get() {
                Ok(metric) => {
                    let before = trace.enter(Some(format!("{name} ({})", metric.class_name())));
                    metric.update(&metrics.child(name), y_true, y_pred, weight);
                    trace.enter(before);
                }
                Err(error) => {
                    trace.fail(error);
                }
            }
        }
        cx.write_updates();
        loss.value()
    }

    fn results_graph(&self) -> Result<Graph> {
        let trace = Trace::new("results");
        let outputs = {
            let cx = Scope::new(&trace, &self.declarations, Mode::Infer).child(METRICS);
            let total =
                |name: &str| cx.child("loss").state(name, Type::f32([]), Initial::Filled(0.0));
            let (total, count) = (total("total"), total("count"));
            let mut outputs = vec![total / count.maximum(1.0)];
            for Tracked { name, metric, .. } in &self.tracked {
                outputs.push(metric.get()?.result(&cx.child(name)));
            }
            // Results are computed, so that none is a weight itself.
            outputs.iter().map(|it| it.value()).collect::<Vec<_>>()
        };
        trace.finish(&outputs)
    }

    fn output_shape(&self, layers: &Layers, batch: usize) -> Result<Vec<usize>> {
        let last = self.shapes(layers, batch)?.pop();
        last.ok_or_else(|| Error::new("the model has no layers").help("add one with `.add(..)`"))
    }

    fn x<'g>(&self, trace: &'g Trace, batch: usize) -> Tensor<'g> {
        trace.input("x", Type::f32([&[batch], &self.input[..]].concat()))
    }

    /// Gives every variable that has no value yet its first one, and every number its own.
    fn make_variables(&mut self) -> Result<()> {
        for number in self.declarations.numbers().iter() {
            let known = self.numbers.iter().any(|(path, _)| *path == number.path);
            // The learning rate is the optimizer's to state, see `adopt_learning_rate`.
            if !known && number.path != LEARNING_RATE {
                self.numbers.push((number.path.clone(), number.value));
            }
        }
        let variables = self.variables();
        let known = |variable: &&Variable| self.weights.ty(&variable.path).is_some();
        let places = self.weights.paths().count();
        if variables.iter().filter(known).count() == variables.len() && places == variables.len() {
            return Ok(());
        }
        check_size(&variables)?;
        let mut weights = Weights::new(variables.iter().map(|it| (it.path.clone(), it.ty.clone())));
        for variable in &variables {
            let path = &variable.path;
            if self.weights.ty(path) == Some(&variable.ty) {
                copy(&self.weights, &mut weights, path, variable.ty.dtype)?;
                continue;
            }
            let seed = if variable.needs_seed() { random::next_seed() } else { 0 };
            write(&mut weights, path, variable.ty.dtype, &variable.first_value(seed)?.data)?;
        }
        let is_metric = |variable: &&Variable| variable.path.starts_with("metrics/");
        let reset = |variable: &Variable| match variable.initial {
            Initial::Filled(value) => Some((variable.path.clone(), variable.ty.dtype, value)),
            _ => None,
        };
        self.resets = variables.iter().filter(is_metric).filter_map(reset).collect();
        self.weights = weights;
        self.loaded.clear();
        self.results = None;
        Ok(())
    }

    fn ready(&mut self, graph: &Graph, key: Key) -> Result<Loaded> {
        let program = oxhorn_plan::compile(graph)?;
        let device = self.device.get_or_insert_with(|| Device::new(self.threads));
        let executable = Executable::load(&program, &self.weights, device)?;
        let index = |name: &str| executable.input_index(name);
        let numbers = self.numbers.iter().enumerate();
        Ok(Loaded {
            key,
            target: self.target.clone().filter(|_| key.kind != Kind::Predict),
            x: index("x").unwrap_or_default(),
            y: index("y"),
            sample_weight: index("sample_weight"),
            numbers: numbers.filter_map(|(i, (path, _))| Some((i, index(path)?))).collect(),
            executable,
        })
    }
}

impl Loaded {
    /// Where the elements of an input go.
    pub(crate) fn input<T: Number>(&mut self, index: usize) -> Result<&mut [T]> {
        self.executable.input_at_mut(index)
    }

    /// The program's result: the loss, or the predictions.
    pub(crate) fn output(&self) -> Result<&[f32]> {
        self.executable.output(0)
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

/// Calls the layers one after the other.
fn forward<'g>(cx: &Scope<'g>, layers: &Layers, x: Tensor<'g>) -> Tensor<'g> {
    layers.iter().fold(x, |x, (name, layer)| cx.layer(name, layer, x))
}

/// The loss of a batch, one number.
fn loss_of<'g>(
    objective: &Objective,
    y_true: Tensor<'g>,
    y_pred: Tensor<'g>,
    weight: Option<Tensor<'g>>,
) -> Tensor<'g> {
    let trace = y_pred.trace();
    let loss = match objective.loss.resolve(&y_true.shape(), &y_pred.shape()) {
        Ok(loss) => loss,
        Err(error) => return trace.fail(error),
    };
    let class = loss.get().map(|loss| loss.class_name()).unwrap_or_default();
    let before = trace.enter(Some(format!("loss ({class})")));
    let mut value = loss.apply(y_true, y_pred, weight);
    if !value.is_void() && value.rank() != 0 {
        let error = Error::new(format!("the loss is {}, not one number", value.ty()));
        value = trace.fail(error.help("give the loss another `reduction` than `none`"));
    }
    trace.enter(before);
    value
}

/// Rejects variables for which no machine has room, before they are made.
fn check_size(variables: &[Variable]) -> Result<()> {
    for Variable { path, ty, .. } in variables {
        let elements = ty.shape.iter().try_fold(1_usize, |n, &extent| n.checked_mul(extent));
        // First values are drawn as `f64`.
        let room = elements.is_some_and(|n| Vec::<f64>::new().try_reserve_exact(n).is_ok());
        let shape = &ty.shape;
        ensure!(
            room,
            "there is no room for `{path}` of shape {shape:?}";
            help: "it would be larger than this machine's memory"
        );
    }
    Ok(())
}

/// A name for the logs that none of `taken` has, in Keras' way.
fn unique(name: String, weighted: Weighted, taken: &[String]) -> String {
    if !taken.contains(&name) {
        return name;
    }
    let name = if weighted == Weighted::Yes { format!("weighted_{name}") } else { name };
    let numbered = (1..).map(|i| format!("{name}_{i}"));
    let mut candidates = std::iter::once(name.clone()).chain(numbered);
    candidates.find(|name| !taken.contains(name)).unwrap_or(name)
}

fn fill<T: Number>(slice: Result<&mut [T]>, value: T) {
    if let Ok(slice) = slice {
        slice.fill(value);
    }
}

fn copy(from: &Weights, to: &mut Weights, path: &str, dtype: DType) -> Result<()> {
    match dtype {
        DType::Bool => to.slice_mut::<u8>(path)?.copy_from_slice(from.slice(path)?),
        DType::I32 => to.slice_mut::<i32>(path)?.copy_from_slice(from.slice(path)?),
        DType::I64 => to.slice_mut::<i64>(path)?.copy_from_slice(from.slice(path)?),
        DType::U32 => to.slice_mut::<u32>(path)?.copy_from_slice(from.slice(path)?),
        DType::F32 => to.slice_mut::<f32>(path)?.copy_from_slice(from.slice(path)?),
        DType::F64 => to.slice_mut::<f64>(path)?.copy_from_slice(from.slice(path)?),
    }
    Ok(())
}

fn write(to: &mut Weights, path: &str, dtype: DType, values: &[f64]) -> Result<()> {
    fn put<T: Number>(to: Result<&mut [T]>, values: &[f64], f: impl Fn(f64) -> T) -> Result<()> {
        to?.iter_mut().zip(values).for_each(|(to, &value)| *to = f(value));
        Ok(())
    }
    match dtype {
        DType::Bool => put::<u8>(to.slice_mut(path), values, |x| (x != 0.0) as u8),
        DType::I32 => put::<i32>(to.slice_mut(path), values, |x| x as i32),
        DType::I64 => put::<i64>(to.slice_mut(path), values, |x| x as i64),
        DType::U32 => put::<u32>(to.slice_mut(path), values, |x| x as u32),
        DType::F32 => put::<f32>(to.slice_mut(path), values, |x| x as f32),
        DType::F64 => put::<f64>(to.slice_mut(path), values, |x| x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[test]
    fn batches_of_ever_other_sizes_do_not_fill_the_memory() {
        let mut model = Sequential::new().add(Dense::new(2).input_dim(3));
        for rows in 1..3 * PROGRAMS_MAX {
            let y = model.predict_with(&random((rows, 3)), Predict::new().verbose(0));
            assert_eq!(y.expect("the data fit").shape(), [rows, 2]);
            let kept = model.engine.as_ref().map_or(0, |engine| engine.loaded.len());
            assert!(kept <= PROGRAMS_MAX + 2);
        }
    }
}
