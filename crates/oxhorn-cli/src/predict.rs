//! `oxhorn predict`: what a trained model says of samples, as a CSV file.

use std::path::PathBuf;

use clap::Args;
use ndarray::{ArrayD, Axis};
use oxhorn::{Error, McPrediction, PredictMc, Result};
use oxhorn_io::disk;
use oxhorn_lab::show;

use crate::{
    columns::Columns,
    data::{self, Data, Outcome},
    evaluate::known,
    model,
    output::print,
    settings,
};

/// Which share of the samples of a prediction lies in the interval that is written.
const LEVEL: f64 = 0.95;

/// What `oxhorn predict` can be told.
#[derive(Args)]
pub(crate) struct Predict {
    /// A .keras or .h5 file.
    model: PathBuf,
    /// A .csv or .parquet file with the columns of the training data, in any order and among
    /// others, or a .npz file with an array x or x_test.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Columns that are no part of a sample, where the file of the model does not say which are.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    target: Vec<String>,
    /// Where to write a line for each sample.
    #[arg(long, value_name = "FILE", default_value = "predictions.csv")]
    out: PathBuf,
    /// Predict so many times with other units dropped (Monte Carlo dropout), and write means,
    /// standard deviations, and of probabilities entropies in nats, of others 95 % intervals.
    #[arg(long, value_name = "N")]
    mc: Option<usize>,
    /// What dropout draws from, for --mc.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "mc")]
    seed: u32,
    /// Samples in a step [default: 32, of --mc about 2048 in all]
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
}

impl Predict {
    /// Predicts, and writes the file.
    ///
    /// # Errors
    ///
    /// When model or data cannot be read or do not fit together, or the file cannot be written.
    pub(crate) fn run(&self) -> Result<()> {
        self.batch_size.map_or(Ok(()), |size| settings::within("--batch-size", size, 1 << 20))?;
        self.mc.map_or(Ok(()), |count| settings::within("--mc", count, 1 << 16))?;
        let mut model = model::open(&self.model)?;
        let (x, columns) = match Data::open(&self.data)? {
            Data::Table(table) => {
                let columns = known(&table, &model, &self.target)?;
                (data::owned(columns.samples(&table)?), Some(columns))
            }
            Data::Arrays(mut arrays) => {
                settings::not_for_arrays(&[("--target", !self.target.is_empty())])?;
                (arrays.take(&arrays.part("x"))?, None)
            }
        };
        let outcome = data::outcome(&model)?.1;
        let written = match self.mc {
            None => {
                let predict = oxhorn::Predict::new().verbose(0);
                let predict = match self.batch_size {
                    Some(size) => predict.batch_size(size),
                    None => predict,
                };
                let y = model.predict_with(x, predict)?.mapv(f64::from);
                Written::of(&y, columns.as_ref(), outcome)
            }
            Some(samples) => {
                let often = PredictMc::samples(samples).seed(self.seed);
                let often = match self.batch_size {
                    Some(size) => often.batch_size(size),
                    None => often,
                };
                let y = model.predict_mc(x, often)?;
                Written::of(&y.mean(), columns.as_ref(), outcome).with_spread(&y)?
            }
        };
        disk::replace(&self.out, &written.csv()?)?;
        let rows = show::of(written.rows, "prediction", "predictions");
        print(format_args!("{rows}: {}", self.out.display()))
    }
}

/// Columns of a file of predictions.
struct Written {
    rows: usize,
    /// What the model's outputs are called.
    outputs: Vec<String>,
    columns: Vec<(String, Cells)>,
}

/// Cells of a column.
enum Cells {
    Texts(Vec<String>),
    /// Single precision is all that a model gives; means of several samples have more.
    Numbers(Vec<f64>),
}

impl Written {
    /// Of the model's outputs, and of the classes that these speak for.
    fn of(y: &ArrayD<f64>, columns: Option<&Columns>, outcome: Outcome) -> Written {
        let rows = y.len_of(Axis(0));
        let width = y.shape().iter().skip(1).product::<usize>();
        let classes = columns.and_then(|it| it.classes.as_deref()).unwrap_or_default();
        let targets = columns.map_or(&[][..], |it| &it.targets);
        let outputs = match (classes, y.ndim(), width) {
            ([_, event], 2, 1) => vec![event.clone()],
            ([_, ..], 2, width) => (0..width)
                .map(|i| classes.get(i).cloned().unwrap_or_else(|| format!("class_{i}")))
                .collect(),
            (_, 2, width) if outcome == Outcome::Numbers && targets.len() == width => {
                targets.to_vec()
            }
            (_, _, 1) => vec!["output".to_owned()],
            _ => (0..width).map(|i| format!("output_{i}")).collect(),
        };
        let mut written = Written { rows, outputs, columns: vec![] };
        if let (Outcome::Classes { event_above }, 2) = (outcome, y.ndim()) {
            let name =
                |class: usize| classes.get(class).cloned().unwrap_or_else(|| class.to_string());
            let predicted = y.axis_iter(Axis(0)).map(|row| match row.len() {
                1 => name(usize::from(row[0] > event_above)),
                _ => name(
                    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best }),
                ),
            });
            let predicted = Cells::Texts(predicted.collect());
            written.columns.push(("predicted".to_owned(), predicted));
        }
        written.push("", y);
        written
    }

    /// Adds a column for each output, whose name ends so.
    fn push(&mut self, ending: &str, y: &ArrayD<f64>) {
        let width = self.outputs.len();
        let numbers: Vec<f64> = y.iter().copied().collect();
        for (at, name) in self.outputs.iter().enumerate() {
            let column = numbers.iter().skip(at).step_by(width.max(1)).copied();
            self.columns.push((format!("{name}{ending}"), Cells::Numbers(column.collect())));
        }
    }

    /// With what samples of predictions say of their uncertainty.
    fn with_spread(mut self, y: &McPrediction) -> Result<Written> {
        self.push("_std", &y.std());
        // Of what is no probability there is no entropy.
        let Ok(entropy) = y.predictive_entropy() else {
            let (low, high) = y.interval(LEVEL)?;
            self.push("_low", &low);
            self.push("_high", &high);
            return Ok(self);
        };
        let information = [
            ("entropy", entropy),
            ("mutual_information", y.mutual_information()?),
            ("variation_ratio", y.variation_ratio()?),
        ];
        // Sequences have one for each step.
        for (name, numbers) in information.into_iter().filter(|(_, it)| it.ndim() == 1) {
            self.columns.push((name.to_owned(), Cells::Numbers(numbers.into_iter().collect())));
        }
        Ok(self)
    }

    /// The file.
    fn csv(&self) -> Result<Vec<u8>> {
        let failed =
            |error: &dyn std::fmt::Display| Error::new(format!("the predictions: {error}"));
        let mut writer = csv::Writer::from_writer(vec![]);
        let names = self.columns.iter().map(|(name, _)| name);
        writer.write_record(names).map_err(|error| failed(&error))?;
        for row in 0..self.rows {
            let cells = self.columns.iter().map(|(_, cells)| match cells {
                Cells::Texts(texts) => texts[row].clone(),
                Cells::Numbers(numbers) => shortest(numbers[row]),
            });
            writer.write_record(cells).map_err(|error| failed(&error))?;
        }
        writer.into_inner().map_err(|error| failed(&error))
    }
}

/// A number in the fewest digits from which it can be read again; of one in single precision, those
/// of single precision.
fn shortest(number: f64) -> String {
    let single = number as f32;
    if f64::from(single) == number { single.to_string() } else { number.to_string() }
}
