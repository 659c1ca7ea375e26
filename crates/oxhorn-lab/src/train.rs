//! One run: a variant trained at a seed, watched as it learns, and measured.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use oxhorn::{
    Compile, Evaluate, Fit, Logs, Sequential,
    callbacks::{Callback, Direction, Training},
    data::Samples,
    lint::Rule,
};

use serde_json::Value;

use crate::{
    Error, Result,
    calibration::Outputs,
    data::{Dataset, Target},
    measure::{self, Judged},
    session::Job,
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
pub(crate) type Shelf = Vec<Stocked>;

/// A model, as it is described, and as it runs.
pub(crate) struct Stocked {
    json: Value,
    pub(crate) model: Sequential,
    form: Form,
}

/// Trains one network after the other, and leaves its models to whoever comes next.
pub(crate) struct Trainer<'a> {
    common: &'a Common<'a>,
    shelf: Shelf,
    shelves: &'a Mutex<Vec<Shelf>>,
}

impl Drop for Trainer<'_> {
    fn drop(&mut self) {
        let shelf = std::mem::take(&mut self.shelf);
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).push(shelf);
    }
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
        // Whoever has made the variant was warned then, and now wants to see what comes of it.
        model.compile_with(Compile::from_json(config)?.allow(Rule::ALL))?;
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
    /// A trainer with these models, which are left there.
    pub(crate) fn new(
        common: &'a Common<'a>,
        shelf: Shelf,
        shelves: &'a Mutex<Vec<Shelf>>,
    ) -> Trainer<'a> {
        Trainer { common, shelf, shelves }
    }

    /// Trains a variant for so many epochs at a seed, and measures it.
    ///
    /// # Errors
    ///
    /// If the variant does not fit the data.
    pub(crate) fn run(&mut self, job: Job) -> Result<Trained> {
        let name = &self.common.variants[job.variant].name;
        let trained = self.train(job);
        trained.map_err(|error| in_variant(name, error))
    }

    fn train(&mut self, job: Job) -> Result<Trained> {
        let Job { variant, seed, epochs } = job;
        let common = self.common;
        let Common { data, variants, batch_size, .. } = *common;
        let Stocked { model, form, .. } = self.stocked(&variants[variant])?;
        model.restart(seed)?;
        for (path, value) in &variants[variant].numbers {
            model.set_number(path, *value)?;
        }
        let (rows, val_rows) = data.rows_at(seed);
        let (x, x_val) = (data.x_at(&rows), data.x_at(&val_rows));
        let (y, y_val) = (form.targets(data, &rows), form.targets(data, &val_rows));
        let (x, x_val): (Samples<'_>, Samples<'_>) = ((&x).into(), (&x_val).into());
        let mut watcher = Watcher::new(common);
        let fit = Fit::epochs(epochs)
            .batch_size(batch_size)
            .validation_data(x_val.clone(), y_val.samples())
            .validation_batch_size(MEASURING_BATCH)
            .clean_train_eval()
            .callback(&mut watcher)
            .verbose(0);
        model.fit(x.clone(), y.samples(), fit)?;
        let Watcher { curves, diverged, directions, seconds, epochs_done, .. } = watcher;
        // What was not done for it had diverged need not be waited for.
        common.epochs_done.fetch_add(epochs - epochs_done, Ordering::Relaxed);
        let measured = match diverged {
            Some(epoch) => Err(epoch),
            None => {
                let sizes = (batch_size, MEASURING_BATCH);
                measure(model, (&x, &y), (&x_val, &y_val), sizes, curves)?.ok_or(epochs)
            }
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

    /// The model of a variant, made if there is none.
    fn stocked(&mut self, variant: &Variant) -> Result<&mut Stocked> {
        let found = self.shelf.iter().position(|stocked| stocked.json == variant.model);
        let at = match found {
            Some(at) => at,
            None => {
                let (model, form) = model_of(variant, self.common.data)?;
                self.shelf.push(Stocked { json: variant.model.clone(), model, form });
                self.shelf.len() - 1
            }
        };
        Ok(&mut self.shelf[at])
    }
}

/// What a trained model is worth: losses and metrics, noise off. `None` if a loss is no finite
/// number.
fn measure(
    model: &mut Sequential,
    (x, y): (&Samples<'_>, &Targets),
    (x_val, y_val): (&Samples<'_>, &Targets),
    (batch_size, val_batch_size): (usize, usize),
    curves: BTreeMap<String, Vec<f64>>,
) -> Result<Option<Measured>> {
    // The weights may be others than after the last epoch: means of those that were.
    let mut evaluate = |x: &Samples<'_>, y: &Targets, batch_size: usize| {
        let quiet = Evaluate::new().batch_size(batch_size).verbose(0);
        model.evaluate_with(x.clone(), y.samples(), quiet)
    };
    let clean = evaluate(x, y, batch_size)?;
    let validation = evaluate(x_val, y_val, val_batch_size)?;
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
    let output = match logits {
        Some(true) => Outputs::Logits,
        _ => Outputs::Probabilities,
    };
    let quiet = Evaluate::new().batch_size(MEASURING_BATCH).verbose(0);
    let predictions = model.predict_with(x_val.clone(), quiet)?;
    Ok(match &data.y {
        Target::Classes { labels, .. } => {
            let labels: Vec<usize> = val_rows.iter().map(|&row| labels[row] as usize).collect();
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
    curves: BTreeMap<String, Vec<f64>>,
    epochs_done: usize,
    /// The epoch, counted from 1, whose loss was no finite number.
    diverged: Option<usize>,
    directions: BTreeMap<String, Direction>,
    /// Of the steps alone, neither compiling nor measuring.
    seconds: f64,
    clock: Instant,
}

impl<'a> Watcher<'a> {
    fn new(common: &'a Common<'a>) -> Watcher<'a> {
        Watcher {
            common,
            curves: BTreeMap::new(),
            epochs_done: 0,
            diverged: None,
            directions: BTreeMap::new(),
            seconds: 0.0,
            clock: Instant::now(),
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
        if epoch == 0 {
            let metrics = logs.names();
            let told = metrics.filter_map(|it| Some((it.to_owned(), training.direction(it)?)));
            self.directions = told.collect();
        }
        for (name, &value) in logs.iter() {
            if name.ends_with("loss") && !value.is_finite() {
                self.diverged = Some(epoch + 1);
                training.stop();
                return Ok(());
            }
            self.curves.entry(name.to_owned()).or_default().push(value);
        }
        self.epochs_done += 1;
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
