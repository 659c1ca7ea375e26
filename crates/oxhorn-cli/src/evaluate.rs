//! `oxhorn evaluate`: loss and metrics of a trained model.

use std::path::PathBuf;

use clap::Args;
use oxhorn::{Error, Result, Sequential, data::Samples};
use oxhorn_lab::data::Table;

use crate::{
    columns::{Columns, Told},
    data::{self, Data, Outcome},
    model,
    output::print,
    settings,
};

/// What `oxhorn evaluate` can be told.
#[derive(Args)]
pub(crate) struct Evaluate {
    /// A .keras or .h5 file.
    model: PathBuf,
    /// A .csv or .parquet file with the columns of the training data, in any order and among
    /// others, or a .npz file with arrays x and y, or x_test and y_test.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The columns or the array that the model predicts [default: as it was trained; in .npz
    /// files: y]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    target: Vec<String>,
    /// Samples in a step.
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch_size: usize,
}

impl Evaluate {
    /// Measures, and prints a line for each measure.
    ///
    /// # Errors
    ///
    /// When model or data cannot be read, or do not fit together.
    pub(crate) fn run(&self) -> Result<()> {
        settings::within("--batch-size", self.batch_size, 1 << 20)?;
        let mut model = model::open(&self.model)?;
        if model.loss().is_none() {
            return Err(Error::new("the model is not compiled, so there is nothing to measure")
                .at(self.model.display().to_string()));
        }
        let (x, y) = match Data::open(&self.data)? {
            Data::Table(table) => self.of_table(&table, &model)?,
            Data::Arrays(mut arrays) => {
                let y = arrays.part(settings::array_of(&self.target)?);
                (arrays.take(&arrays.part("x"))?, arrays.take(&y)?)
            }
        };
        let settings = oxhorn::Evaluate::new().batch_size(self.batch_size).verbose(0);
        let measured = model.evaluate_with(x, y, settings)?;
        measured.iter().try_for_each(|(name, value)| print(format_args!("{name}: {value:.6}")))
    }

    fn of_table(
        &self,
        table: &Table,
        model: &Sequential,
    ) -> Result<(Samples<'static>, Samples<'static>)> {
        let mut columns = known(table, model, &self.target)?;
        if columns.targets.is_empty() {
            return Err(Error::new("it was not said which column is the target")
                .help(format!("`--target` names it; there are: {}", table.names().join(", "))));
        }
        let (units, outcome) = data::outcome(model)?;
        if outcome != Outcome::Numbers && columns.classes.is_none() {
            columns.learn_classes(table, units)?;
            if !columns.counts_classes() {
                return Err(Error::new("the file of the model does not say what its classes are")
                    .help("then the target must be the number of a class, counted from 0"));
            }
        }
        let y = data::targets((&columns, table), (&self.data, model))?;
        Ok((data::owned(columns.samples(table)?), y))
    }
}

/// The columns that the model was trained with, with other targets if these are named; or all
/// columns of the table but these, as numbers, if the file of the model says nothing of columns.
///
/// # Errors
///
/// As [`Columns::noted`] and [`Columns::learned`].
pub(crate) fn known(table: &Table, model: &Sequential, targets: &[String]) -> Result<Columns> {
    match Columns::noted(model.notes())? {
        None => Columns::learned(table, &Told { targets, ..Told::default() }),
        Some(columns) if targets.is_empty() => Ok(columns),
        Some(columns) if targets.len() == columns.targets.len() => {
            Ok(columns.with_targets(targets))
        }
        Some(columns) => {
            let (count, known) = (targets.len(), columns.targets.len());
            Err(Error::new(format!("`--target` names {count} columns, the model has {known}"))
                .help(format!("it was trained for: {}", columns.targets.join(", "))))
        }
    }
}
