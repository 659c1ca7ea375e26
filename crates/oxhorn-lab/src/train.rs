//! One run: a variant trained at a seed, watched as it learns, and measured.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Instant,
};

use oxhorn::{
    Compile, Evaluate, Fit, Logs, Sequential,
    callbacks::{Callback, Direction, Training},
    data::{self, Samples, Shuffle},
    looping::Loop,
};

use crate::{
    Error, Result,
    data::{Dataset, Target},
    measure::{self, Judged, Output},
    study::{Measured, Outcome, Run, Variant, uncompiled},
    targets::{Form, Targets},
};

/// Where nothing is learnt, larger batches are faster and give the same mean.
const MEASURING_BATCH: usize = 256;

/// What the runs of a study have in common.
pub(crate) struct Common<'a> {
    pub(crate) data: &'a Dataset,
    pub(crate) variants: &'a [Variant],
    pub(crate) batch_size: usize,
    /// Runs end early once it is true; what they have found by then is of no use.
    pub(crate) enough: &'a AtomicBool,
    /// How many epochs have ended, of all runs.
    pub(crate) epochs_done: &'a AtomicUsize,
}

/// A run, and which way its metrics get better.
pub(crate) struct Trained {
    pub(crate) run: Run,
    pub(crate) directions: BTreeMap<String, Direction>,
}

/// The models of one thread: one for all variants that differ in numbers only, compiled once.
pub(crate) struct Trainer<'a> {
    common: &'a Common<'a>,
    /// The model that each variant has if it is the first to have it.
    models: Vec<Option<(Sequential, Form)>>,
}

/// A variant's model, compiled, on one thread, and the form of its targets.
///
/// # Errors
///
/// If it is not compiled, or cannot be, or has an output that does not suit the data.
pub(crate) fn model_of(variant: &Variant, data: &Dataset) -> Result<(Sequential, Form)> {
    let make = || {
        let config = &variant.model["compile_config"];
        if !config.is_object() {
            return Err(uncompiled(&variant.name));
        }
        let mut model = Sequential::new().threads(1).seed_by_path(0).read_json(&variant.model)?;
        model.compile_with(Compile::from_json(config)?)?;
        model.build(data.x.shape().get(1..).unwrap_or_default())?;
        for (path, value) in &variant.numbers {
            model.set_number(path, *value)?;
        }
        let form = Form::of(&model, data)?;
        Ok((model, form))
    };
    make().map_err(|error| in_variant(&variant.name, error))
}

/// Says of an error which variant it is about.
fn in_variant(name: &str, error: Error) -> Error {
    let origin = match error.origin {
        Some(origin) => format!("variant `{name}`, {origin}"),
        None => format!("variant `{name}`"),
    };
    Error { origin: Some(origin), ..error }
}

impl<'a> Trainer<'a> {
    pub(crate) fn new(common: &'a Common<'a>) -> Trainer<'a> {
        Trainer { common, models: common.variants.iter().map(|_| None).collect() }
    }

    /// Trains a variant for so many epochs at a seed, and measures it.
    ///
    /// # Errors
    ///
    /// If the variant does not fit the data.
    pub(crate) fn run(&mut self, variant: usize, seed: u32, epochs: usize) -> Result<Trained> {
        let name = &self.common.variants[variant].name;
        let trained = self.train(variant, seed, epochs);
        trained.map_err(|error| in_variant(name, error))
    }

    fn train(&mut self, variant: usize, seed: u32, epochs: usize) -> Result<Trained> {
        let common = self.common;
        let Common { data, variants, batch_size, .. } = *common;
        let numbers = &variants[variant].numbers;
        let (model, form) = self.model(variant)?;
        model.restart(seed)?;
        for (path, value) in numbers {
            model.set_number(path, *value)?;
        }
        let (rows, val_rows) = data.rows_at(seed);
        let (x, x_val) = (data.x_at(&rows), data.x_at(&val_rows));
        let (y, y_val) = (form.targets(data, &rows), form.targets(data, &val_rows));
        let (x, x_val): (Samples<'_>, Samples<'_>) = ((&x).into(), (&x_val).into());
        let mut watcher = Watcher::new(&x, &y, common);
        let fit = Fit::epochs(epochs)
            .batch_size(batch_size)
            .validation_data(x_val.clone(), y_val.samples())
            .validation_batch_size(MEASURING_BATCH)
            .callback(&mut watcher)
            .verbose(0);
        model.fit(x.clone(), y.samples(), fit)?;
        let Watcher { curves, diverged, directions, seconds, .. } = watcher;
        let measured = match diverged {
            Some(epoch) => Err(epoch),
            None => measure(model, (&x, &y), (&x_val, &y_val), curves)?.ok_or(epochs),
        };
        let outcome = match measured {
            Ok(mut measured) => {
                let judged = judge(model, data, &x_val, &val_rows)?;
                for (name, value) in judged.measures {
                    measured.measures.entry(name).or_insert(value);
                }
                measured.reliability = judged.reliability;
                Outcome::Finished(measured)
            }
            Err(epoch) => Outcome::Diverged { epoch },
        };
        Ok(Trained { run: Run { variant, seed, outcome, seconds }, directions })
    }

    /// The model of a variant, which the variants share that differ in numbers only.
    fn model(&mut self, variant: usize) -> Result<&mut (Sequential, Form)> {
        let Common { data, variants, .. } = *self.common;
        let same = |other: &Variant| other.model == variants[variant].model;
        let first = variants.iter().position(same).unwrap_or(variant);
        if self.models[first].is_none() {
            self.models[first] = Some(model_of(&variants[first], data)?);
        }
        self.models[first].as_mut().ok_or_else(|| uncompiled(&variants[variant].name))
    }
}

/// What a trained model is worth: losses and metrics, noise off. `None` if a loss is no finite
/// number.
fn measure(
    model: &mut Sequential,
    (x, y): (&Samples<'_>, &Targets),
    (x_val, y_val): (&Samples<'_>, &Targets),
    curves: BTreeMap<String, Vec<f64>>,
) -> Result<Option<Measured>> {
    // The weights may be others than after the last epoch: means of those that were.
    let quiet = || Evaluate::new().batch_size(MEASURING_BATCH).verbose(0);
    let clean = model.evaluate_with(x.clone(), y.samples(), quiet())?;
    let validation = model.evaluate_with(x_val.clone(), y_val.samples(), quiet())?;
    let (clean_loss, val_loss) = (clean["loss"], validation["loss"]);
    if !(clean_loss.is_finite() && val_loss.is_finite()) {
        return Ok(None);
    }
    let mut measures: BTreeMap<String, f64> =
        validation.iter().map(|(name, value)| (format!("val_{name}"), *value)).collect();
    measures.insert("clean_loss".to_owned(), clean_loss);
    measures.insert("gap".to_owned(), val_loss - clean_loss);
    let best = curves.get("val_loss").into_iter().flatten().copied().fold(val_loss, f64::min);
    measures.insert("best_val_loss".to_owned(), best);
    let finite = |_: &String, value: &mut f64| value.is_finite();
    measures.retain(finite);
    let reliability = vec![];
    Ok(Some(Measured { measures, curves, reliability }))
}

/// What a model's predictions for the validation data are worth, whatever its loss.
fn judge(
    model: &mut Sequential,
    data: &Dataset,
    x_val: &Samples<'_>,
    val_rows: &[usize],
) -> Result<Judged> {
    let logits = match model.loss() {
        Some(loss) => loss.get()?.config().get("from_logits").and_then(|it| it.as_bool()),
        None => None,
    };
    let output = if logits == Some(true) { Output::Logits } else { Output::AsIs };
    let quiet = Evaluate::new().batch_size(MEASURING_BATCH).verbose(0);
    let predictions = model.predict_with(x_val.clone(), quiet)?;
    Ok(match &data.y {
        Target::Classes { labels, .. } => {
            let labels: Vec<i64> = val_rows.iter().map(|&row| labels[row]).collect();
            measure::of_classes(&predictions, &labels, output)
        }
        Target::Values(values) => {
            let targets = values.select(ndarray::Axis(0), val_rows);
            measure::of_values(&predictions, &targets)
        }
    })
}

/// Watches a network learn: what its losses are after each epoch, and how long its steps take.
struct Watcher<'a> {
    common: &'a Common<'a>,
    training: (&'a Samples<'a>, &'a Targets),
    curves: BTreeMap<String, Vec<f64>>,
    /// The epoch, counted from 1, whose loss was no finite number.
    diverged: Option<usize>,
    directions: BTreeMap<String, Direction>,
    /// Of the steps alone, neither compiling nor measuring.
    seconds: f64,
    clock: Instant,
}

impl<'a> Watcher<'a> {
    fn new(x: &'a Samples<'a>, y: &'a Targets, common: &'a Common<'a>) -> Watcher<'a> {
        Watcher {
            common,
            training: (x, y),
            curves: BTreeMap::new(),
            diverged: None,
            directions: BTreeMap::new(),
            seconds: 0.0,
            clock: Instant::now(),
        }
    }

    /// The loss on what is learnt from, noise off.
    fn clean_loss(&self, training: &mut dyn Training) -> Result<f64> {
        let (x, y) = self.training;
        let data = data::Data::single(x.clone(), Some(y.samples()), None);
        let source = data::Source::arrays(data, MEASURING_BATCH, Shuffle::Off)?;
        match training.engine() {
            Some(engine) => Ok(engine.evaluate(source, Loop::new())?["loss"]),
            None => Ok(f64::NAN),
        }
    }
}

impl Callback for Watcher<'_> {
    fn on_epoch_begin(&mut self, _: usize, _: &mut dyn Training) -> Result<()> {
        self.clock = Instant::now();
        Ok(())
    }

    fn on_test_begin(&mut self, _: &mut dyn Training) -> Result<()> {
        self.seconds += self.clock.elapsed().as_secs_f64();
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        epoch: usize,
        logs: &mut Logs,
        training: &mut dyn Training,
    ) -> Result<()> {
        let clean_loss = self.clean_loss(training)?;
        if epoch == 0 {
            let metrics = logs.names().filter(|name| !name.starts_with("val_"));
            let told = metrics.filter_map(|it| Some((it.to_owned(), training.direction(it)?)));
            self.directions = told.collect();
        }
        let numbers = logs.iter().map(|(name, value)| (name, *value));
        for (name, value) in numbers.chain([("clean_loss", clean_loss)]) {
            if name.ends_with("loss") && !value.is_finite() {
                self.diverged = Some(epoch + 1);
                training.stop();
                return Ok(());
            }
            self.curves.entry(name.to_owned()).or_default().push(value);
        }
        self.common.epochs_done.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn between_steps(&mut self, training: &mut dyn Training) -> Result<()> {
        if self.common.enough.load(Ordering::Relaxed) {
            training.stop();
        }
        Ok(())
    }
}
