//! `Sequential`: a model that is a list of layers.

use ndarray::{ArrayD, IxDyn};
use oxhorn_ir::{DType, Error, Result, Tensor, Trace, Type, ensure};
use oxhorn_nn::{
    AnyLayer, Json, Mode, Scope, Variable, config::snake_case, losses::Loss, metrics::Metric,
    optimizers::Optimizer, techniques::Technique,
};
use serde_json::json;

use crate::{
    engine::{Engine, Key, Kind, Network, OPTIMIZER, Objective},
    lint::{Rule, Told},
    random,
    summary::{Count, Row, Summary},
    training::layer_weights,
};

/// A list of layers, each of which takes what the one before gives.
///
/// ```
/// use oxhorn::prelude::*;
///
/// # fn main() -> oxhorn::Result<()> {
/// let mut model = Sequential::new()
///     .add(Dense::new(16).activation("relu").input_dim(4))
///     .add(Dropout::new(0.5))
///     .add(Dense::new(3).activation("softmax"));
/// model.compile(Adam::default(), "sparse_categorical_crossentropy", ["accuracy"])?;
/// model.fit(&random((60, 4)), &randint(3, 60), Fit::epochs(2).verbose(0))?;
/// assert_eq!(model.predict(&random((5, 4)))?.shape(), [5, 3]);
/// # Ok(())
/// # }
/// ```
pub struct Sequential {
    name: String,
    pub(crate) layers: Vec<(String, AnyLayer)>,
    /// The shape of a batch, from an input layer or the first layer's settings.
    input: Option<Vec<Option<usize>>>,
    /// The first mistake among the layers added, told when the model is built.
    mistake: Option<Error>,
    threads: usize,
    /// Where weights, noise and orders of samples come from.
    pub(crate) random: random::Source,
    pub(crate) objective: Option<Objective>,
    pub(crate) engine: Option<Engine>,
    /// What ran the layers before more were added, which keep their weights.
    outgrown: Option<Engine>,
    /// Whether nothing was fitted since the model was compiled.
    pub(crate) fresh: bool,
    /// What the linter has said.
    pub(crate) told: Told,
    /// What goes into files beside the model.
    pub(crate) notes: Json,
}

/// Layers that Keras calls built before the shape of their input is known.
const BUILT_WHEN_MADE: [&str; 2] = ["Activation", "Dropout"];

/// More threads than any network here is worth; a system that is asked for far more may give up.
const THREADS_MAX: usize = 256;

/// No metrics: for the third argument of [`Sequential::compile`].
pub const NO_METRICS: [&str; 0] = [];

/// What a model is trained for, with everything [`Sequential::compile`] leaves out.
#[derive(Clone, Debug)]
pub struct Compile {
    objective: Objective,
    allowed: Vec<Rule>,
}

impl Compile {
    /// An optimizer and a loss, each an object or its name.
    pub fn new(optimizer: impl Into<Optimizer>, loss: impl Into<Loss>) -> Compile {
        Compile { objective: Objective::new(optimizer, loss), allowed: vec![] }
    }

    /// What the loss is multiplied with: Keras' `loss_weights` of a model with one output.
    #[must_use]
    pub fn loss_weights(mut self, weight: f64) -> Compile {
        self.objective.outputs[0].loss_weight = Some(weight);
        self
    }

    /// What is measured besides, whatever weights samples have.
    #[must_use]
    pub fn metrics<M: Into<Metric>>(mut self, metrics: impl IntoIterator<Item = M>) -> Compile {
        self.objective.outputs[0].metrics = metrics.into_iter().map(Into::into).collect();
        self
    }

    /// What is measured besides, with the samples' weights.
    #[must_use]
    pub fn weighted_metrics<M: Into<Metric>>(
        mut self,
        metrics: impl IntoIterator<Item = M>,
    ) -> Compile {
        let metrics = metrics.into_iter().map(Into::into).collect();
        self.objective.outputs[0].weighted_metrics = metrics;
        self
    }

    /// Adds something that is done to each step of training from outside of the network.
    ///
    /// ```
    /// use oxhorn::prelude::*;
    ///
    /// let compile = Compile::new("adam", "sparse_categorical_crossentropy")
    ///     .technique(Mixup::new(0.2))
    ///     .technique(SAM::new());
    /// ```
    #[must_use]
    pub fn technique(mut self, technique: impl Into<Technique>) -> Compile {
        self.objective.techniques.push(technique.into());
        self
    }

    /// Prints no warnings of these rules, neither now nor when the model is fitted:
    /// `.allow(Rule::ALL)` none at all.
    #[must_use]
    pub fn allow(mut self, rules: impl IntoIterator<Item = Rule>) -> Compile {
        self.allowed.extend(rules);
        self
    }
}

impl Default for Sequential {
    fn default() -> Sequential {
        Sequential::new()
    }
}

impl Sequential {
    /// A model without layers, which runs on all processors of the machine.
    pub fn new() -> Sequential {
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get());
        let (layers, name) = (vec![], "sequential".to_owned());
        Sequential {
            name,
            layers,
            input: None,
            mistake: None,
            threads,
            random: random::Source::Process,
            objective: None,
            engine: None,
            outgrown: None,
            fresh: true,
            told: Told::default(),
            notes: Json::Null,
        }
    }

    /// Names the model.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Sequential {
        self.name = name.into();
        self
    }

    /// Runs the model on this many threads, 256 at most; the results are the same, bit for bit.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Sequential {
        self.threads = threads.clamp(1, THREADS_MAX);
        if let Some(engine) = &mut self.engine {
            engine.set_threads(self.threads);
        }
        self
    }

    /// Draws weights, noise and the order of samples from streams of the model's own, as
    /// [`set_random_seed`](crate::set_random_seed) leaves those of the process, from which models
    /// draw otherwise. To be called before there are layers.
    #[must_use]
    pub fn seed(mut self, seed: u32) -> Sequential {
        self.random = random::Source::seeded(seed);
        if let Some(engine) = &mut self.engine {
            engine.set_random(self.random.clone());
        }
        self
    }

    /// Draws every seed from this one and from the path of what it is for, so that models which
    /// differ in some layers have the same first weights and the same noise in all others, and
    /// see samples in the same order. To be called before there are layers.
    #[must_use]
    pub fn seed_by_path(mut self, seed: u32) -> Sequential {
        self.random = random::Source::by_path(seed);
        if let Some(engine) = &mut self.engine {
            engine.set_random(self.random.clone());
        }
        self
    }

    /// Puts the model back to where it was before its first step, as if it had been made with
    /// [`Sequential::seed_by_path`]: weights, noise, what the optimizer keeps, and numbers, which
    /// are as they were configured again. Nothing is compiled anew.
    ///
    /// # Errors
    ///
    /// If a first value cannot be made.
    pub fn restart(&mut self, seed: u32) -> Result<()> {
        self.random = random::Source::by_path(seed);
        self.fresh = true;
        match &mut self.engine {
            Some(engine) => engine.restart(self.random.clone()),
            None => Ok(()),
        }
    }

    /// Adds a layer at the end. An `Input` only states the shape of what enters. Layers that have
    /// weights keep them.
    ///
    /// A layer without a name gets that of its class, numbered as Keras numbers it: `dense`,
    /// `dense_1`.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "Keras' word; nothing here is a sum")]
    pub fn add(mut self, layer: impl Into<AnyLayer>) -> Sequential {
        self.append(layer.into());
        // As in Keras, layers draw their seeds when they are added. What is wrong with them is told
        // by whoever needs the model built.
        if let Ok(Some(shape)) = self.known_input() {
            self.build(&shape).ok();
        }
        self
    }

    /// Adds a layer, and does not build the model.
    fn append(&mut self, layer: AnyLayer) {
        self.outgrown = self.engine.take().or(self.outgrown.take());
        if let Err(mistake) = self.take_input(&layer) {
            self.mistake.get_or_insert(mistake);
        }
        if layer.layer.batch_shape().is_some() {
            // It is no layer of the model, which checks its own when it is built.
            if let Err(mistake) = layer.check() {
                self.mistake.get_or_insert(mistake.at("input (InputLayer)"));
            }
            return;
        }
        let base = snake_case(layer.class_name());
        let mut numbered =
            std::iter::once(base.clone()).chain((1..).map(|i| format!("{base}_{i}")));
        let free = |name: &String| self.layers.iter().all(|(taken, _)| taken != name);
        let name = layer.name.clone().or_else(|| numbered.find(free)).unwrap_or(base);
        self.layers.push((name, layer));
    }

    /// Removes the last layer, and gives it, by the name that it had here. The others keep their
    /// weights.
    pub fn pop(&mut self) -> Option<AnyLayer> {
        let (name, layer) = self.layers.pop()?;
        self.outgrown = self.engine.take().or(self.outgrown.take());
        if let Ok(Some(shape)) = self.known_input() {
            // What is wrong with the layers is told by whoever needs the model built.
            self.build(&shape).ok();
        }
        Some(AnyLayer { name: Some(name), ..layer })
    }

    /// Notes the shape that this layer, the next to be added, says enters the model.
    fn take_input(&mut self, layer: &AnyLayer) -> Result<()> {
        let Some(shape) = &layer.input_shape else { return Ok(()) };
        let help = "state the shape of the input once, with the first layer";
        if let Some((last, _)) = self.layers.last() {
            let error = Error::new(format!("the input shape {shape:?} is stated after `{last}`"));
            return Err(error.help(help));
        }
        match &self.input {
            Some(known) if known != shape => Err(Error::new(format!(
                "Sequential model '{}' has already been configured to use input shape {known:?}. \
                 You cannot add another of shape {shape:?} to it.",
                self.name
            ))
            .help(help)),
            _ => {
                self.input = Some(shape.clone());
                Ok(())
            }
        }
    }

    /// Prepares the model for training: strings or objects, wherever Keras takes both.
    ///
    /// Prints to the standard error what [`Sequential::lint`] finds.
    ///
    /// # Errors
    ///
    /// If a string names nothing, or a setting is out of its range. The model keeps its weights.
    pub fn compile<M: Into<Metric>>(
        &mut self,
        optimizer: impl Into<Optimizer>,
        loss: impl Into<Loss>,
        metrics: impl IntoIterator<Item = M>,
    ) -> Result<()> {
        self.compile_with(Compile::new(optimizer, loss).metrics(metrics))
    }

    /// [`Sequential::compile`] with all its settings.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn compile_with(&mut self, compile: Compile) -> Result<()> {
        let Compile { objective, allowed } = compile;
        objective.check()?;
        if let Some(shape) = self.known_input()? {
            self.build(&shape)?;
        }
        if let Some(engine) = &mut self.engine {
            engine.set_objective(objective.clone())?;
        }
        self.objective = Some(objective);
        self.fresh = true;
        self.told.allowed = allowed;
        self.warn(None);
        Ok(())
    }

    /// Gives the layers their weights, for samples of this shape; later calls change nothing.
    ///
    /// Training does this by itself.
    ///
    /// # Errors
    ///
    /// If a layer's settings are wrong or do not fit the shape, or two layers have one name.
    pub fn build(&mut self, sample_shape: &[usize]) -> Result<()> {
        if self.engine.is_none() {
            self.engine = Some(self.engine_for(sample_shape)?);
            self.outgrown = None;
        }
        Ok(())
    }

    fn engine_for(&self, sample_shape: &[usize]) -> Result<Engine> {
        let mut engine = self.bare_engine()?;
        engine.build(&[batch_of(2, sample_shape)], self.outgrown.as_ref())?;
        if let Some(objective) = &self.objective {
            engine.set_objective(objective.clone())?;
        }
        Ok(engine)
    }

    /// An engine that knows what weights there are, and has none yet.
    pub(crate) fn declared(&self, sample_shape: &[usize]) -> Result<Engine> {
        let mut engine = self.bare_engine()?;
        engine.declare(&[batch_of(2, sample_shape)])?;
        Ok(engine)
    }

    /// An engine for the layers, which has not called them.
    fn bare_engine(&self) -> Result<Engine> {
        if self.layers.is_empty() {
            return Err(Error::new("the model has no layers").help("add one with `.add(..)`"));
        }
        self.mistake.clone().map_or(Ok(()), Err)?;
        for (i, (name, layer)) in self.layers.iter().enumerate() {
            let earlier = self.layers[..i].iter().any(|(taken, _)| taken == name);
            check_name(name, earlier).map_err(|error| error.at(layer.class_name()))?;
        }
        let mut engine = Engine::new(Box::new(Stack(self.layers.clone())), self.threads);
        engine.set_random(self.random.clone());
        Ok(engine)
    }

    /// What training makes small; `None` before [`Sequential::compile`].
    pub fn loss(&self) -> Option<&Loss> {
        self.objective.as_ref()?.outputs.first()?.loss.as_ref()
    }

    /// What was noted about the model with [`Sequential::set_notes`]; null if nothing was.
    pub fn notes(&self) -> &Json {
        &self.notes
    }

    /// Notes something about the model, say how its data are made ready: [`Sequential::save`] puts
    /// it into `.keras` files, where Keras does not look, and [`Sequential::load`] takes it out.
    /// Nothing here reads it.
    pub fn set_notes(&mut self, notes: Json) {
        self.notes = notes;
    }

    /// Whether the model draws from streams of its own, as after [`Sequential::seed`], and not from
    /// those of the process.
    pub fn is_seeded(&self) -> bool {
        !matches!(self.random, random::Source::Process)
    }

    /// The model's name.
    pub(crate) fn title(&self) -> &str {
        &self.name
    }

    /// The layers, each with its name.
    pub fn layers(&self) -> &[(String, AnyLayer)] {
        &self.layers
    }

    /// The layers' variables by path, in Keras' order: weights, then what else they keep.
    ///
    /// # Errors
    ///
    /// If the model has not been built.
    pub fn weights(&self) -> Result<Vec<(String, ArrayD<f32>)>> {
        let engine = self.built()?;
        let weights = layer_weights(engine);
        weights.iter().map(|it| Ok((it.path.clone(), self.weight(&it.path)?))).collect()
    }

    /// One weight of a layer: `dense/kernel`.
    ///
    /// # Errors
    ///
    /// If the model has not been built, or has no such weight.
    pub fn weight(&self, path: &str) -> Result<ArrayD<f32>> {
        let engine = self.built()?;
        let values =
            engine.weights().slice::<f32>(path).map_err(|error| with_paths(error, engine))?;
        let shape = engine.weights().ty(path).map_or(vec![], |ty| ty.shape.clone());
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), values.to_vec()).unwrap_or_default())
    }

    /// Gives a layer another weight, of the shape that it has.
    ///
    /// # Errors
    ///
    /// If the model has not been built, has no such weight, or the shape is another.
    pub fn set_weight<D: ndarray::Dimension>(
        &mut self,
        path: &str,
        value: &ndarray::Array<f32, D>,
    ) -> Result<()> {
        self.built()?;
        let Some(engine) = &mut self.engine else { return Ok(()) };
        let known = engine.weights().ty(path).map(|ty| ty.shape.clone());
        if let Some(shape) = known.filter(|shape| shape != value.shape()) {
            let message = format!("`{path}` has shape {shape:?}, got {:?}", value.shape());
            return Err(Error::new(message).help("a weight keeps its shape"));
        }
        let error = engine.weights().slice::<f32>(path).err();
        if let Some(error) = error {
            return Err(with_paths(error, engine));
        }
        let target = engine.weights_mut().slice_mut::<f32>(path)?;
        target.iter_mut().zip(value).for_each(|(target, value)| *target = *value);
        Ok(())
    }

    /// The numbers that can be turned between steps with nothing recompiled, by path:
    /// `dropout/rate`, `optimizer/learning_rate`.
    ///
    /// # Errors
    ///
    /// If the model has not been built.
    pub fn numbers(&self) -> Result<Vec<(String, f64)>> {
        Ok(self.built()?.numbers().to_vec())
    }

    /// Turns one of [`Sequential::numbers`]; the next step sees it, and nothing is compiled anew,
    /// unless a rate that was configured as 0 is turned up for the first time.
    ///
    /// # Errors
    ///
    /// If the model has not been built, there is no such number, or it cannot have that value.
    pub fn set_number(&mut self, path: &str, value: f64) -> Result<()> {
        self.built()?;
        check_number(path, value)?;
        self.engine_mut()?.set_number(path, value)
    }

    /// Keras' table of the layers, their output shapes and their parameters.
    pub fn summary(&self) -> Summary {
        let engine = self.engine.as_ref();
        let shapes = |batch| engine.and_then(|engine| self.shapes(engine, batch).ok());
        // What differs between batches of different extents is not fixed.
        let shapes = shapes(2).zip(shapes(3));
        let weights = engine.map(layer_weights).unwrap_or_default();
        let count = |pick: &dyn Fn(&Variable) -> bool| {
            let picked = || weights.iter().filter(|variable| pick(variable));
            let params = picked().map(|variable| variable.ty.len()).sum();
            Count { params, bytes: picked().map(|variable| variable.ty.bytes()).sum() }
        };
        let row = |(index, (name, layer)): (usize, &(String, AnyLayer))| Row {
            name: name.clone(),
            class: layer.class_name().to_owned(),
            output_shape: shapes.as_ref().map(|(two, three)| {
                let extents = two[index].iter().zip(&three[index]);
                extents.map(|(a, b)| (a == b).then_some(*a)).collect()
            }),
            params: match engine {
                Some(_) => Some(count(&|it| it.path.split('/').next() == Some(name)).params),
                None => BUILT_WHEN_MADE.contains(&layer.class_name()).then_some(0),
            },
        };
        Summary {
            model: self.name.clone(),
            rows: self.layers.iter().enumerate().map(row).collect(),
            trainable: count(&|variable| variable.trainable),
            non_trainable: count(&|variable| !variable.trainable),
            optimizer: self.optimizer_count(),
        }
    }

    /// What the optimizer stores, its count of steps and learning rate included, once it is built.
    fn optimizer_count(&self) -> Option<Count> {
        let engine = self.engine.as_ref().filter(|_| self.objective.is_some())?;
        let variables = engine.variables();
        let of_optimizer = || variables.iter().filter(|it| it.path.starts_with(OPTIMIZER));
        of_optimizer().next()?;
        let rates = engine.numbers().iter().filter(|(path, _)| path.starts_with(OPTIMIZER)).count();
        let params = of_optimizer().map(|it| it.ty.len()).sum::<usize>() + rates;
        // Keras' floats and integers have four bytes, the learning rate and the count of steps too.
        Some(Count { params, bytes: 4 * params })
    }

    /// The model as Keras writes it in `config.json`.
    pub fn to_json(&self) -> Json {
        let policy = json!({
            "module": "keras", "class_name": "DTypePolicy",
            "config": {"name": "float32"}, "registered_name": null,
        });
        let mut layers: Vec<Json> = vec![];
        if let Some(shape) = &self.input {
            layers.push(json!({
                "module": "keras.layers", "class_name": "InputLayer", "registered_name": null,
                "config": {
                    "batch_shape": shape, "dtype": "float32", "sparse": false, "ragged": false,
                    "name": "input_layer", "optional": false,
                },
            }));
        }
        layers.extend(self.layers.iter().map(|(name, layer)| {
            AnyLayer { name: Some(name.clone()), ..layer.clone() }.envelope()
        }));
        json!({
            "module": "keras", "class_name": "Sequential", "registered_name": null,
            "config": {
                "name": self.name, "trainable": true, "dtype": policy, "layers": layers,
                "build_input_shape": self.input,
            },
        })
    }

    /// The model that Keras' JSON describes: `model.to_json()` there, or `config.json` of a file.
    ///
    /// # Errors
    ///
    /// If it is no sequential model, or a layer or one of its settings is unknown, unsupported or
    /// ill-typed.
    pub fn from_json(json: &Json) -> Result<Sequential> {
        Sequential::new().read_json(json)
    }

    /// Gives a model without layers those that Keras' JSON describes, and their model's name.
    ///
    /// # Errors
    ///
    /// As [`Sequential::from_json`].
    pub fn read_json(self, json: &Json) -> Result<Sequential> {
        let mut model = self.described(json)?;
        if let Some(shape) = model.known_input()? {
            model.build(&shape)?;
        }
        Ok(model)
    }

    /// The same, without weights yet: a file may describe more of them than it has.
    pub(crate) fn described(self, json: &Json) -> Result<Sequential> {
        if json["class_name"] != "Sequential" {
            let message = format!("expected a Sequential model, got {}", json["class_name"]);
            return Err(Error::new(message));
        }
        let config = &json["config"];
        let Some(layers) = config["layers"].as_array() else {
            return Err(Error::new("the model's config has no list of `layers`"));
        };
        let mut model = self;
        if let Some(name) = config["name"].as_str() {
            model.name = name.to_owned();
        }
        for layer in layers {
            model.append(AnyLayer::open(layer)?);
        }
        if model.input.is_none() {
            model.input =
                serde_json::from_value(config["build_input_shape"].clone()).ok().flatten();
        }
        Ok(model)
    }

    /// The graph of one step over a batch of this size: of training if the model is compiled, of a
    /// prediction if not. `target` is the shape of one sample's target.
    ///
    /// # Errors
    ///
    /// If the model has not been built, or its parts do not fit together.
    pub fn graph(&mut self, batch: usize, target: &[usize]) -> Result<oxhorn_ir::Graph> {
        self.built()?;
        let Some(engine) = &mut self.engine else { return Err(unbuilt()) };
        let sample = engine.inputs().first().map_or(vec![], |ty| ty.shape[1..].to_vec());
        let x = vec![batch_of(batch, &sample)];
        if self.objective.is_none() {
            return engine.graph(&Key { kind: Kind::Predict, x, y: vec![], weights: vec![] });
        }
        let y = vec![Some(batch_of(batch, target))];
        let key = Key { kind: Kind::Train, x, y, weights: vec![None] };
        engine.prepare(&key)?;
        engine.graph(&key)
    }

    /// The shape of one sample, if it is known before there are any.
    pub(crate) fn known_input(&self) -> Result<Option<Vec<usize>>> {
        let Some(shape) = &self.input else { return Ok(None) };
        let sample: Option<Vec<usize>> = shape.iter().skip(1).copied().collect();
        sample.map(Some).ok_or_else(|| {
            Error::new(format!("the input shape {shape:?} leaves extents of a sample open"))
                .help("only the batch axis, the first, may be None")
        })
    }

    /// Builds the model for samples of this shape, or checks that it was built for such.
    pub(crate) fn build_for(&mut self, name: &str, sample_shape: &[usize]) -> Result<()> {
        if self.engine.is_none() {
            let shape = self.known_input()?;
            self.build(shape.as_deref().unwrap_or(sample_shape))?;
        }
        let inputs = self.engine.as_ref().map_or(&[][..], Engine::inputs);
        let built = inputs.first().map_or(&[][..], |ty| &ty.shape[1..]);
        if built != sample_shape {
            let message = format!(
                "the model takes samples of shape {built:?}, but those of `{name}` have shape \
                 {sample_shape:?}"
            );
            let help = "give them that shape after the first axis, which counts samples, or build \
                        a model for another shape";
            return Err(Error::new(message).help(help));
        }
        Ok(())
    }

    /// To be called first by whatever runs batches.
    pub(crate) fn begin_run(&mut self) {
        if let Some(engine) = &mut self.engine {
            engine.begin_run();
        }
    }

    pub(crate) fn engine_mut(&mut self) -> Result<&mut Engine> {
        self.engine.as_mut().ok_or_else(unbuilt)
    }

    /// The shape that each layer gives for a batch of this size.
    fn shapes(&self, engine: &Engine, batch: usize) -> Result<Vec<Vec<usize>>> {
        let trace = Trace::new("shapes");
        let cx = Scope::new(&trace, engine.declarations(), Mode::Infer);
        let input = engine.inputs().first().map_or(vec![], |ty| ty.shape[1..].to_vec());
        let (mut x, mut shapes) = (trace.input("x", batch_of(batch, &input)), vec![]);
        for (name, layer) in &self.layers {
            x = cx.layer(name, layer, x);
            shapes.push(x.shape());
        }
        drop(cx);
        trace.finish(&[]).map(|_| shapes)
    }

    pub(crate) fn built(&self) -> Result<&Engine> {
        match (&self.engine, self.known_input()?) {
            (Some(engine), _) => Ok(engine),
            (None, None) => Err(unbuilt()),
            (None, Some(shape)) => Err(self.engine_for(&shape).err().unwrap_or_else(unbuilt)),
        }
    }
}

/// The layers of a model, each with its name, as what an engine runs.
struct Stack(Vec<(String, AnyLayer)>);

impl Network for Stack {
    fn call<'g>(&self, cx: &Scope<'g>, x: &[Tensor<'g>]) -> Vec<Tensor<'g>> {
        let x = x.first().map(|x| x.cast(DType::F32));
        x.map(|x| self.0.iter().fold(x, |x, (name, layer)| cx.layer(name, layer, x)))
            .into_iter()
            .collect()
    }
}

/// The type of so many samples of this shape.
fn batch_of(rows: usize, sample: &[usize]) -> Type {
    Type::f32([&[rows], sample].concat())
}

/// Rejects names of layers that paths of variables cannot be made of.
fn check_name(name: &str, is_taken: bool) -> Result<()> {
    ensure!(
        !is_taken,
        "All layers added to a Sequential model should have unique names. Name '{name}' is already \
         the name of a layer in this model.";
        help: "give one of them another name with `.name(..)`"
    );
    ensure!(
        !name.is_empty() && !name.contains('/'),
        "Argument `name` must be a string and cannot contain character `/`. Received: name={name}";
        help: "a name is one part of a path such as `dense/kernel`"
    );
    ensure!(
        !matches!(name, "metrics" | "optimizer" | "techniques"),
        "a layer cannot be called `{name}`: its weights would stand among those of the {name}";
        help: "give it another name with `.name(..)`"
    );
    Ok(())
}

/// Rejects values that a number can never have: a rate outside the unit interval, no number at all.
pub(crate) fn check_number(path: &str, value: f64) -> Result<()> {
    if path.ends_with("/rate") && !(0.0..=1.0).contains(&value) {
        return Err(Error::new(format!(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. \
             Received: rate={value}"
        ))
        .at(path)
        .help("the rate is the fraction of inputs that is dropped"));
    }
    ensure!(value.is_finite(), "`{path}` must be a finite number, got {value}");
    ensure!(
        value > 0.0 || !path.ends_with("/temperature"),
        "`{path}` must be greater than 0, got {value}";
        help: "logits are divided by it"
    );
    Ok(())
}

fn unbuilt() -> Error {
    Error::new("the model has no weights yet, for the shape of its input is not known")
        .help("add `.input_dim(..)` to the first layer, or call `build`, or `fit` first")
}

fn with_paths(error: Error, engine: &Engine) -> Error {
    let paths: Vec<String> = layer_weights(engine).into_iter().map(|it| it.path).collect();
    error.help(format!("there are: {}", paths.join(", ")))
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    #[test]
    fn batches_of_ever_other_sizes_do_not_fill_the_memory() {
        let mut model = Sequential::new().add(Dense::new(2).input_dim(3));
        for rows in 1..100 {
            let y = model.predict_with(&random((rows, 3)), Predict::new().verbose(0));
            assert_eq!(y.expect("the data fit").shape(), [rows, 2]);
            let kept = model.engine.as_ref().map_or(0, |engine| engine.programs());
            assert!(kept <= 34);
        }
    }
}
