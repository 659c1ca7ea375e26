//! `evaluate`, `predict` and single steps: a model over the batches of some samples.

use std::{collections::BTreeMap, io::Write, time::Instant};

use ndarray::{ArrayD, IxDyn};
use oxhorn_ir::{DType, Result, ensure};

use crate::{
    callbacks::{Callback, Granularity},
    data::{self, Order, Samples, Shuffle, check_labels, sample_weights},
    engine::{Engine, Key, Kind, Target, Weighted},
    fit::{Output, printed},
    history::{Logs, Params},
    progress::{Progress, Verbosity},
    sequential::Sequential,
    training::{Run, uncompiled},
};

/// How to evaluate: Keras' arguments of `evaluate`, and its defaults.
pub struct Evaluate<'a> {
    batch_size: usize,
    sample_weight: Option<Samples<'a>>,
    callbacks: Vec<Box<dyn Callback + 'a>>,
    verbose: u8,
    output: Option<Box<dyn Write + 'a>>,
}

/// How to predict: Keras' arguments of `predict`, and its defaults.
pub type Predict<'a> = Evaluate<'a>;

impl Default for Evaluate<'_> {
    fn default() -> Self {
        let (sample_weight, callbacks, output) = (None, vec![], None);
        Evaluate { batch_size: 32, sample_weight, callbacks, verbose: 1, output }
    }
}

impl<'a> Evaluate<'a> {
    /// Keras' defaults: batches of 32, a progress bar.
    pub fn new() -> Evaluate<'a> {
        Evaluate::default()
    }

    /// Samples in a step; the last may have fewer.
    #[must_use]
    pub fn batch_size(self, batch_size: usize) -> Evaluate<'a> {
        Evaluate { batch_size, ..self }
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

/// Samples, and the programs that take them batch by batch.
pub(crate) struct Batches<'s> {
    x: &'s Samples<'s>,
    y: Option<&'s Samples<'s>>,
    weights: Option<&'s Samples<'s>>,
    batch_size: usize,
    /// For whole batches, and for the smaller one at the end.
    programs: [usize; 2],
}

impl<'s> Batches<'s> {
    /// With the programs that train.
    pub(crate) fn train(
        model: &mut Sequential,
        x: &'s Samples<'s>,
        y: &'s Samples<'s>,
        weights: Option<&'s Samples<'s>>,
        batch_size: usize,
    ) -> Result<Batches<'s>> {
        Batches::load(model, Kind::Train, (x, Some(y), weights), batch_size)
    }

    /// With the programs that only measure.
    pub(crate) fn test(
        model: &mut Sequential,
        x: &'s Samples<'s>,
        y: &'s Samples<'s>,
        weights: Option<&'s Samples<'s>>,
        batch_size: usize,
    ) -> Result<Batches<'s>> {
        Batches::load(model, Kind::Test, (x, Some(y), weights), batch_size)
    }

    fn load(
        model: &mut Sequential,
        kind: Kind,
        (x, y, weights): (&'s Samples<'s>, Option<&'s Samples<'s>>, Option<&'s Samples<'s>>),
        batch_size: usize,
    ) -> Result<Batches<'s>> {
        let objective = model.objective.clone();
        let weighted = if weights.is_some() { Weighted::Yes } else { Weighted::No };
        let batch_size = batch_size.min(x.rows()).max(1);
        let rest = match x.rows() % batch_size {
            0 => batch_size,
            rest => rest,
        };
        let (layers, engine) = model.parts()?;
        let mut load = |batch| {
            let key = Key { kind, batch, weighted };
            engine.load(layers, objective.as_ref(), key)
        };
        let programs = [load(batch_size)?, load(rest)?];
        Ok(Batches { x, y, weights, batch_size, programs })
    }

    /// Runs the program of one batch over these rows.
    pub(crate) fn step(&self, engine: &mut Engine, rows: &[usize]) -> Result<usize> {
        let index = self.programs[usize::from(rows.len() != self.batch_size)];
        let program = engine.program(index);
        let (x, y, weight) = (program.x, program.y, program.sample_weight);
        self.x.gather(rows, program.input::<f32>(x)?);
        if let (Some(input), Some(y)) = (y, self.y) {
            y.gather(rows, program.input::<f32>(input)?);
        }
        if let (Some(input), Some(weights)) = (weight, self.weights) {
            weights.gather(rows, program.input::<f32>(input)?);
        }
        engine.run(index);
        Ok(index)
    }

    /// Measures over all batches, from the beginning.
    pub(crate) fn measure(
        &self,
        order: &Order,
        run: &mut Run<'_, '_>,
        callbacks: &mut dyn Callback,
    ) -> Result<()> {
        run.engine.reset_metrics();
        callbacks.on_test_begin(run)?;
        let batches = callbacks.granularity() == Granularity::Batches;
        for (step, rows) in order.batches().enumerate() {
            if batches {
                callbacks.on_test_batch_begin(step, run)?;
            }
            self.step(run.engine, rows)?;
            if batches {
                let logs = run.logs("")?;
                callbacks.on_test_batch_end(step, &logs, run)?;
            }
        }
        let logs = run.logs("")?;
        callbacks.on_test_end(&logs, run)
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
        (x, y, weights): (&Samples<'_>, &Samples<'_>, Option<&Samples<'_>>),
        batch_size: usize,
    ) -> Result<()> {
        let objective = self.objective.clone().ok_or_else(uncompiled)?;
        if let Some(shape) = weights.map(Samples::shape) {
            let one_each = shape.len() == 1 || shape[1..].iter().all(|&extent| extent == 1);
            ensure!(
                one_each,
                "`{}` has shape {shape:?}", names[2];
                help: "give one number for each sample"
            );
        }
        self.build_for(names[0], &x.shape()[1..])?;
        let target = Target { shape: y.shape()[1..].to_vec(), dtype: DType::F32 };
        let weighted = if weights.is_some() { Weighted::Yes } else { Weighted::No };
        let (layers, engine) = self.parts()?;
        let output = engine.shapes(layers, 2)?.pop().unwrap_or_default();
        let y_true = [&[2], &y.shape()[1..]].concat();
        let resolved = objective.loss.resolve(&y_true, &output)?;
        let loss = resolved.get()?;
        if loss.class_name() == "SparseCategoricalCrossentropy" {
            let ignored = loss.config().get("ignore_class").and_then(|class| class.as_i64());
            check_labels(names[1], y, output.last().copied().unwrap_or(1), ignored)?;
        }
        let batch = batch_size.clamp(1, x.rows().max(1));
        engine.prepare(layers, &objective, &target, (batch, weighted))
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
        evaluate: Evaluate<'a>,
    ) -> Result<Logs> {
        self.begin_run();
        let (x, y) = (x.into(), y.into());
        let Evaluate { batch_size, sample_weight, mut callbacks, verbose, output } = evaluate;
        check_together(NAMES, (&x, &y, sample_weight.as_ref()))?;
        let order = Order::new(x.rows(), batch_size, Shuffle::Off)?;
        let verbosity = Verbosity::try_from(verbose)?;
        self.make_ready(NAMES, (&x, &y, sample_weight.as_ref()), batch_size)?;
        let batches = Batches::test(self, &x, &y, sample_weight.as_ref(), batch_size)?;
        // Keras has had its look at a batch now.
        self.fresh = false;
        let steps = order.batches().len();
        let (output, screen) = Output::new(output);
        let mut progress = Progress::new(output.clone(), verbosity, screen).steps(Some(steps));
        let params = Params { verbose, epochs: 1, steps: Some(steps) };
        let mut run = Run::new(self, params, output)?;
        let clock = Instant::now();
        progress.begin(clock.elapsed());
        batches.measure(&order, &mut run, &mut callbacks)?;
        let logs = run.logs("")?;
        progress.step(steps, clock.elapsed());
        printed(progress.finish(clock.elapsed(), &logs))?;
        Ok(logs)
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
        self.begin_run();
        let x = x.into();
        let Evaluate { batch_size, sample_weight, mut callbacks, verbose, output } = predict;
        ensure!(sample_weight.is_none(), "a prediction has no use for `sample_weight`");
        data::check(&[("x", &x)])?;
        let order = Order::new(x.rows(), batch_size, Shuffle::Off)?;
        self.build_for(NAMES[0], &x.shape()[1..])?;
        let batches = Batches::load(self, Kind::Predict, (&x, None, None), batch_size)?;
        let (layers, engine) = self.parts()?;
        let mut shape = engine.shapes(layers, 2)?.pop().unwrap_or_default();
        let steps = order.batches().len();
        let (output, screen) = Output::new(output);
        let verbosity = Verbosity::try_from(verbose)?;
        let mut progress = Progress::new(output.clone(), verbosity, screen).steps(Some(steps));
        let params = Params { verbose, epochs: 1, steps: Some(steps) };
        let mut run = Run::new(self, params, output)?;
        let clock = Instant::now();
        let mut values = Vec::with_capacity(x.rows() * shape[1..].iter().product::<usize>());
        progress.begin(clock.elapsed());
        callbacks.on_predict_begin(&mut run)?;
        let wanted = callbacks.granularity() == Granularity::Batches;
        for (step, rows) in order.batches().enumerate() {
            if wanted {
                callbacks.on_predict_batch_begin(step, &mut run)?;
            }
            let program = batches.step(run.engine, rows)?;
            values.extend_from_slice(run.engine.program(program).output()?);
            if progress.step(step + 1, clock.elapsed()) {
                printed(progress.draw(&Logs::new()))?;
            }
            if wanted {
                callbacks.on_predict_batch_end(step, &mut run)?;
            }
        }
        callbacks.on_predict_end(&mut run)?;
        printed(progress.finish(clock.elapsed(), &Logs::new()))?;
        shape[0] = x.rows();
        Ok(ArrayD::from_shape_vec(IxDyn(&shape), values).unwrap_or_default())
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
        self.make_ready(NAMES, (&x, &y, weights.as_ref()), x.rows())?;
        let batches = Batches::load(self, kind, (&x, Some(&y), weights.as_ref()), x.rows())?;
        self.fresh = false;
        let order = Order::new(x.rows(), x.rows(), Shuffle::Off)?;
        let (output, _) = Output::new(Some(Box::new(std::io::sink())));
        let mut run = Run::new(self, Params::default(), output)?;
        run.engine.reset_metrics();
        for rows in order.batches() {
            batches.step(run.engine, rows)?;
        }
        run.logs("")
    }
}
