//! `evaluate`, `predict` and single steps: a model over the batches of some samples.

use std::{collections::BTreeMap, io::Write};

use ndarray::{ArrayD, IxDyn};
use oxhorn_ir::{Result, ensure};

use crate::{
    callbacks::Callback,
    data::{self, Data, Samples, Shuffle, Source, check_labels, sample_weights},
    engine::{Key, Kind, uncompiled},
    history::Logs,
    looping::{Loop, Output},
    progress::Verbosity,
    sequential::Sequential,
};

/// The losses whose labels are the classes' numbers.
const SPARSE: [&str; 2] = ["SparseCategoricalCrossentropy", "CategoricalGeneralizedCrossEntropy"];

/// How to evaluate: Keras' arguments of `evaluate`, and its defaults.
pub struct Evaluate<'a> {
    batch_size: Option<usize>,
    steps: Option<usize>,
    sample_weight: Option<Samples<'a>>,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    verbose: u8,
    output: Option<Box<dyn Write + 'a>>,
}

/// How to predict: Keras' arguments of `predict`, and its defaults.
pub type Predict<'a> = Evaluate<'a>;

impl Default for Evaluate<'_> {
    fn default() -> Self {
        Evaluate {
            batch_size: None,
            steps: None,
            sample_weight: None,
            callbacks: vec![],
            verbose: 1,
            output: None,
        }
    }
}

impl<'a> Evaluate<'a> {
    /// Keras' defaults: batches of 32, a progress bar.
    pub fn new() -> Evaluate<'a> {
        Evaluate::default()
    }

    /// Samples in a step; the last may have fewer. If not given, 32, or with [`Evaluate::steps`] as
    /// many as share all samples out among the steps.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Evaluate<'a> {
        Evaluate { batch_size: Some(batch_size), ..self }
    }

    /// Takes the first batches only, so many of them.
    #[must_use]
    pub fn steps(self, steps: usize) -> Evaluate<'a> {
        Evaluate { steps: Some(steps), ..self }
    }

    /// Weighs each sample.
    #[must_use]
    pub fn sample_weight(self, weights: impl Into<Samples<'a>>) -> Evaluate<'a> {
        Evaluate { sample_weight: Some(weights.into()), ..self }
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'a) -> Evaluate<'a> {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// 0 prints nothing, 1 a progress bar, 2 a line.
    #[must_use]
    pub fn verbose(self, verbose: u8) -> Evaluate<'a> {
        Evaluate { verbose, ..self }
    }

    /// Prints there instead of to the standard output, in plain lines.
    #[must_use]
    pub fn output(self, output: impl Write + 'a) -> Evaluate<'a> {
        Evaluate { output: Some(Box::new(output)), ..self }
    }
}

impl<'a> Evaluate<'a> {
    /// Whether so many samples are one batch, of which nobody is told.
    fn is_one_quiet_batch(&self, samples: usize) -> bool {
        let silent = self.verbose == 0 && self.callbacks.is_empty();
        silent && self.steps.is_none() && samples <= batch_size(self.batch_size, None, samples)
    }

    /// How samples are taken, so many as there are, and how the loop over the steps goes.
    fn settings(self, samples: usize) -> Result<(Steps, Loop<'a>)> {
        let verbosity = Verbosity::try_from(self.verbose)?;
        let (output, screen) = Output::or_stdout(self.output, verbosity);
        let callbacks = self.callbacks;
        let steps = at_least_one("steps", self.steps)?;
        let steps = Steps { batch_size: batch_size(self.batch_size, steps, samples), steps };
        Ok((steps, Loop { callbacks, verbosity, output, screen, ..Loop::new() }))
    }
}

/// How samples are taken.
struct Steps {
    batch_size: usize,
    steps: Option<usize>,
}

impl Steps {
    /// The samples, taken so, in their order.
    fn of(self, data: Data<'_>) -> Result<Source<'_>> {
        Ok(Source::arrays(data, self.batch_size, Shuffle::Off)?.steps(self.steps))
    }
}

/// The number of samples in a step: as given, or what shares all samples out among the steps, or
/// Keras' default.
pub(crate) fn batch_size(given: Option<usize>, steps: Option<usize>, samples: usize) -> usize {
    let shared = steps.map(|steps| samples.div_ceil(steps));
    given.or(shared).unwrap_or(32)
}

/// Rejects an epoch without steps.
pub(crate) fn at_least_one(name: &str, steps: Option<usize>) -> Result<Option<usize>> {
    ensure!(
        steps != Some(0),
        "`{name}` must be at least 1, got 0";
        help: "leave it out to take all samples"
    );
    Ok(steps)
}

/// What the samples of a single batch weigh: Keras' arguments of `train_on_batch`.
#[derive(Default)]
pub struct OnBatch<'a> {
    sample_weight: Option<Samples<'a>>,
    class_weight: Option<BTreeMap<i64, f64>>,
}

impl<'a> OnBatch<'a> {
    /// All alike.
    pub fn new() -> OnBatch<'a> {
        OnBatch::default()
    }

    /// Weighs each sample.
    #[must_use]
    pub fn sample_weight(self, weights: impl Into<Samples<'a>>) -> OnBatch<'a> {
        OnBatch { sample_weight: Some(weights.into()), ..self }
    }

    /// Weighs samples by their class; a class that is not named has weight 1.
    #[must_use]
    pub fn class_weight(self, weights: impl IntoIterator<Item = (i64, f64)>) -> OnBatch<'a> {
        OnBatch { class_weight: Some(weights.into_iter().collect()), ..self }
    }
}

/// What errors call samples, their targets and their weights.
pub(crate) type Names = [&'static str; 3];

/// Those that training and measuring are given.
pub(crate) const NAMES: Names = ["x", "y", "sample_weight"];

/// Checks samples, their targets and their weights by themselves: that they are equally many, and
/// numbers. Whether they fit the model is for [`Sequential::make_ready`] to say.
pub(crate) fn check_together(
    names: Names,
    (x, y, weights): (&Samples<'_>, &Samples<'_>, Option<&Samples<'_>>),
) -> Result<()> {
    let mut arrays = vec![(names[0], x), (names[1], y)];
    arrays.extend(weights.map(|weights| (names[2], weights)));
    data::check(&arrays)
}

impl Sequential {
    /// Builds the model for these samples and targets, and checks that they fit it.
    pub(crate) fn make_ready(
        &mut self,
        names: Names,
        data: &Data<'_>,
        batch_size: usize,
    ) -> Result<()> {
        let loss = self.objective.as_ref().ok_or_else(uncompiled)?.outputs[0].loss.clone();
        let (Some(x), Some(Some(y))) = (data.x.first(), data.y.first()) else { return Ok(()) };
        if let Some(Some(shape)) =
            data.sample_weight.first().map(|it| it.as_ref().map(Samples::shape))
        {
            let one_each = shape.len() == 1 || shape[1..].iter().all(|&extent| extent == 1);
            ensure!(
                one_each,
                "`{}` has shape {shape:?}", names[2];
                help: "give one number for each sample"
            );
        }
        self.build_for(names[0], &x.shape()[1..])?;
        let engine = self.engine_mut()?;
        let output = engine.outputs(&[x.batch_type(2)])?.pop().map_or(vec![], |ty| ty.shape);
        if let Some(loss) = loss {
            let resolved = loss.resolve(&y.batch_type(2).shape, &output)?;
            let loss = resolved.get()?;
            if SPARSE.contains(&loss.class_name()) {
                let ignored = loss.config().get("ignore_class").and_then(|class| class.as_i64());
                check_labels(names[1], y, output.last().copied().unwrap_or(1), ignored)?;
            }
        }
        let batch = batch_size.clamp(1, x.rows().max(1));
        engine.prepare(&Key::new(Kind::Train, data, batch))
    }

    /// Loss and metrics on these samples, noise off: `test["loss"]`, `test["accuracy"]`.
    ///
    /// # Errors
    ///
    /// If the model is not compiled, or the data do not fit it or each other.
    pub fn evaluate<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
    ) -> Result<Logs> {
        self.evaluate_with(x, y, Evaluate::new())
    }

    /// [`Sequential::evaluate`] with all its settings.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn evaluate_with<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
        mut evaluate: Evaluate<'a>,
    ) -> Result<Logs> {
        self.begin_run();
        let (x, y, weights) = (x.into(), y.into(), evaluate.sample_weight.take());
        check_together(NAMES, (&x, &y, weights.as_ref()))?;
        let (steps, settings) = evaluate.settings(x.rows())?;
        let data = Data::single(x, Some(y), weights);
        self.make_ready(NAMES, &data, steps.batch_size)?;
        // Keras has had its look at a batch now.
        self.fresh = false;
        self.engine_mut()?.evaluate(steps.of(data)?, settings)
    }

    /// What the model gives for these samples, noise off: one row for each.
    ///
    /// # Errors
    ///
    /// If the data do not fit the model.
    pub fn predict<'a>(&mut self, x: impl Into<Samples<'a>>) -> Result<ArrayD<f32>> {
        self.predict_with(x, Predict::new().verbose(0))
    }

    /// [`Sequential::predict`] with all its settings.
    ///
    /// # Errors
    ///
    /// As there; and if samples are given weights, which a prediction has no use for.
    pub fn predict_with<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        predict: Predict<'a>,
    ) -> Result<ArrayD<f32>> {
        let x = x.into();
        ensure!(predict.sample_weight.is_none(), "a prediction has no use for `sample_weight`");
        if predict.is_one_quiet_batch(x.rows()) {
            return self.predict_on_batch(x);
        }
        self.begin_run();
        data::check(&[("x", &x)])?;
        let (steps, settings) = predict.settings(x.rows())?;
        self.build_for(NAMES[0], &x.shape()[1..])?;
        let source = steps.of(Data::single(x, None, None))?;
        let predictions = self.engine_mut()?.predict(source, settings)?;
        let shape = predictions.types.first().map_or(vec![], |ty| ty.shape.clone());
        let bytes = predictions.bytes.first().map_or(&[][..], Vec::as_slice);
        let values = bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_ne_bytes(*bytes));
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), values.collect()).unwrap_or_default())
    }

    /// What the model gives for these samples as one batch, noise off: one row for each.
    ///
    /// # Errors
    ///
    /// As [`Sequential::predict`].
    pub fn predict_on_batch<'a>(&mut self, x: impl Into<Samples<'a>>) -> Result<ArrayD<f32>> {
        self.begin_run();
        let x = x.into();
        data::check(&[("x", &x)])?;
        self.build_for(NAMES[0], &x.shape()[1..])?;
        let program = self.engine_mut()?.predict_on_batch(&Data::single(x, None, None))?;
        let shape = program.output_types().first().map_or(&[][..], |ty| &ty.shape);
        let values = program.output::<f32>(0)?.to_vec();
        Ok(ArrayD::from_shape_vec(IxDyn(shape), values).unwrap_or_default())
    }

    /// One step of training on these samples as one batch; loss and metrics are of this batch.
    ///
    /// # Errors
    ///
    /// As [`Sequential::fit`].
    pub fn train_on_batch<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
    ) -> Result<Logs> {
        self.train_on_batch_with(x, y, OnBatch::new())
    }

    /// [`Sequential::train_on_batch`] with weights for the samples or their classes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn train_on_batch_with<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
        weights: OnBatch<'a>,
    ) -> Result<Logs> {
        self.on_batch(Kind::Train, (x.into(), y.into()), weights)
    }

    /// Loss and metrics of these samples as one batch, noise off.
    ///
    /// # Errors
    ///
    /// As [`Sequential::evaluate`].
    pub fn test_on_batch<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
    ) -> Result<Logs> {
        self.test_on_batch_with(x, y, OnBatch::new())
    }

    /// [`Sequential::test_on_batch`] with weights for the samples or their classes.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn test_on_batch_with<'a>(
        &mut self,
        x: impl Into<Samples<'a>>,
        y: impl Into<Samples<'a>>,
        weights: OnBatch<'a>,
    ) -> Result<Logs> {
        self.on_batch(Kind::Test, (x.into(), y.into()), weights)
    }

    fn on_batch(
        &mut self,
        kind: Kind,
        (x, y): (Samples<'_>, Samples<'_>),
        weights: OnBatch<'_>,
    ) -> Result<Logs> {
        self.begin_run();
        let OnBatch { sample_weight, class_weight } = weights;
        let weights = sample_weights(&y, class_weight.as_ref(), sample_weight)?;
        check_together(NAMES, (&x, &y, weights.as_ref()))?;
        let (rows, data) = (x.rows(), Data::single(x, Some(y), weights));
        self.make_ready(NAMES, &data, rows)?;
        self.fresh = false;
        self.engine_mut()?.on_batch(kind, Source::arrays(data, rows, Shuffle::Off)?)
    }
}
