//! `oxhorn train`: a model that somebody has described, trained on data of one's own.

use std::{
    fs,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
};

use clap::Args;
use oxhorn::{
    data::{Samples, validation_start},
    prelude::*,
};
use oxhorn_lab::{data::Table, show};

use crate::{
    columns::{Columns, Told},
    data::{self, Arrays, Data, Outcome},
    model,
    output::{Output, print, wrapped},
    settings,
};

/// What `oxhorn train` can be told.
#[derive(Args)]
pub(crate) struct Train {
    /// What `model.to_json()` gives in Keras, or a .keras or .h5 file, which is trained further.
    model: PathBuf,
    /// A .csv or .parquet file with a column for each number of a sample, or a .npz file with
    /// arrays x and y, or x_train, y_train, x_test and y_test, of which the last two validate.
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// The column that is to be predicted, or several; in .npz files the array [default there: y]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    target: Vec<String>,
    /// Columns of categories: each becomes a number for every text that stands in it, 1 where it
    /// stands and 0 elsewhere. The texts are kept in the model's file.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    one_hot: Vec<String>,
    /// Columns that are no part of a sample, such as a number of each line.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    without: Vec<String>,
    /// Bring each column of numbers to mean 0 and standard deviation 1; both are kept in the
    /// model's file, and are those of the rows that are learnt from.
    #[arg(long)]
    standardize: bool,
    /// Share of the samples, the last in the file, that is not learnt from but validates.
    #[arg(long, value_name = "R", allow_negative_numbers = true)]
    validation_split: Option<f64>,
    /// How often the model sees its training data.
    #[arg(long, value_name = "N", default_value_t = 50)]
    epochs: usize,
    /// Samples in a step.
    #[arg(long, value_name = "N", default_value_t = 32)]
    batch_size: usize,
    /// What to make small, by Keras' name, such as mse [default: as the model was compiled]
    #[arg(long, value_name = "NAME")]
    loss: Option<String>,
    /// By Keras' name, together with a loss.
    #[arg(long, value_name = "NAME", default_value = "adam", requires = "loss")]
    optimizer: String,
    /// What to measure besides, by Keras' names, together with a loss.
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "loss")]
    metrics: Vec<String>,
    /// Where to write the model, in Keras' format: .keras
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Folder for a backup after every epoch. After an interruption, the same command goes on from
    /// there, and ends with the bits that it would have ended with. It is removed at the end.
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    backup: Option<PathBuf>,
    /// As --backup, of a run that was interrupted: there has to be a backup.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// What weights, noise and the order of samples are drawn from [default: 0, or where the
    /// model's file says that it was]
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
}

/// What is learnt from, and what validates.
struct Task {
    x: Samples<'static>,
    y: Samples<'static>,
    validation: Option<(Samples<'static>, Samples<'static>)>,
    columns: Option<Columns>,
}

impl Train {
    /// Trains the model, and writes it to a file.
    ///
    /// # Errors
    ///
    /// When model or data cannot be read or do not fit together, a setting is out of its range, or
    /// the file cannot be written.
    pub(crate) fn run(&self) -> Result<()> {
        settings::within("--epochs", self.epochs, 1_000_000)?;
        settings::within("--batch-size", self.batch_size, 1 << 20)?;
        self.check_out()?;
        let mut model = self.model()?;
        let task = match Data::open(&self.data)? {
            Data::Table(table) => self.of_table(&table, &mut model)?,
            Data::Arrays(arrays) => self.of_arrays(arrays)?,
        };
        if let Some(columns) = &task.columns {
            print(wrapped(&columns.told()))?;
            model.set_notes(columns.note());
        }
        self.fit(&mut model, task)?;
        model.save(&self.out)?;
        if let Some(backup) = self.backup() {
            // The model is where it should be; the next run is another one.
            fs::remove_file(backup.path()).ok();
        }
        print(format_args!("\nModel: {}", self.out.display()))
    }

    /// That the model cannot be written is found out now, not after the training.
    fn check_out(&self) -> Result<()> {
        let path = self.out.display();
        if self.out.extension().is_none_or(|ending| ending != "keras") {
            let message = format!("`--out` must end in .keras, got {path}");
            return Err(Error::new(message).help("`oxhorn convert` makes other formats of it"));
        }
        let folder = self.out.parent().filter(|it| !it.as_os_str().is_empty());
        if self.out.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::new(format!("the model cannot be written to {path}"))
                .help("choose a file in a folder that exists"));
        }
        Ok(())
    }

    /// The model, compiled.
    fn model(&self) -> Result<Sequential> {
        let in_file = |error: Error| error.at(self.model.display().to_string());
        let mut model = match model::is_json(&self.model) {
            false => {
                let model = model::open(&self.model)?;
                match (self.seed, model.is_seeded()) {
                    (None, true) => model,
                    (seed, _) => model.seed(seed.unwrap_or(0)),
                }
            }
            true => {
                let json = model::json(&self.model)?;
                let model = Sequential::new().seed(self.seed.unwrap_or(0));
                let mut model = model.read_json(&json).map_err(in_file)?;
                let compiled = &json["compile_config"];
                if compiled.is_object() && self.loss.is_none() {
                    let compile = Compile::from_json(compiled).map_err(in_file)?;
                    model.compile_with(compile).map_err(in_file)?;
                }
                model
            }
        };
        if let Some(loss) = &self.loss {
            let metrics = self.metrics.iter().map(String::as_str);
            model.compile(self.optimizer.as_str(), loss.as_str(), metrics)?;
        }
        if model.loss().is_none() {
            return Err(Error::new("the model is not compiled")
                .help("say what to make small: `--loss mse`, with `--optimizer` and `--metrics`")
                .at(self.model.display().to_string()));
        }
        Ok(model)
    }

    /// Samples and targets of a table.
    fn of_table(&self, table: &Table, model: &mut Sequential) -> Result<Task> {
        let told = Told {
            targets: &self.target,
            one_hot: &self.one_hot,
            without: &self.without,
            scaled_over: match (self.standardize, self.validation_split) {
                (false, _) => None,
                (true, None) => Some(table.rows()),
                (true, Some(share)) => Some(validation_start(table.rows(), share)?),
            },
        };
        let columns = match Columns::noted(model.notes())? {
            Some(columns) => self.known(columns)?,
            None => Columns::asked(table, &told)?,
        };
        let x = columns.samples(table)?;
        model.build(&x.shape()[1..])?;
        let columns = columns.with_classes(table, model)?;
        let y = data::targets((&columns, table), (&self.data, model))?;
        Ok(Task { x: data::owned(x), y, validation: None, columns: Some(columns) })
    }

    /// The columns that the model was trained with, which stay what they are.
    fn known(&self, columns: Columns) -> Result<Columns> {
        let given = [
            ("--target", !self.target.is_empty() && self.target != columns.targets),
            ("--one-hot", !self.one_hot.is_empty()),
            ("--without", !self.without.is_empty()),
            ("--standardize", self.standardize),
        ];
        match given.into_iter().find(|&(_, given)| given) {
            None => Ok(columns),
            Some((name, _)) => {
                let message = format!("`{name}` was decided when the model was first trained");
                Err(Error::new(message)
                    .help("leave it out: the file of the model says what its columns are"))
            }
        }
    }

    /// Samples and targets of arrays, which are taken as they are.
    fn of_arrays(&self, mut arrays: Arrays) -> Result<Task> {
        settings::not_for_arrays(&[
            ("--one-hot", !self.one_hot.is_empty()),
            ("--without", !self.without.is_empty()),
            ("--standardize", self.standardize),
        ])?;
        let target = settings::array_of(&self.target)?;
        if !arrays.are_split() {
            let (x, y) = (arrays.take("x")?, arrays.take(target)?);
            return Ok(Task { x, y, validation: None, columns: None });
        }
        if self.validation_split.is_some() {
            let message = "the file says itself which samples validate";
            return Err(Error::new(message).help("leave out `--validation-split`"));
        }
        let mut pair = |part: &str| -> Result<_> {
            Ok((arrays.take(&format!("x_{part}"))?, arrays.take(&format!("{target}_{part}"))?))
        };
        let ((x, y), validation) = (pair("train")?, pair("test")?);
        Ok(Task { x, y, validation: Some(validation), columns: None })
    }

    fn fit(&self, model: &mut Sequential, task: Task) -> Result<()> {
        let samples = show::of(task.x.rows(), "sample", "samples");
        print(format_args!("{}: {samples}\n", name_of(&self.data)))?;
        let mut fit = Fit::epochs(self.epochs).batch_size(self.batch_size);
        if let Some(share) = self.validation_split {
            fit = fit.validation_split(share);
        }
        if let Some((x, y)) = task.validation {
            fit = fit.validation_data(x, y);
        }
        if let Some(backup) = self.backup() {
            if self.resume.is_some() {
                fit = fit.resume(backup.path());
            }
            fit = fit.callback(backup);
        }
        if !io::stdout().is_terminal() {
            fit = fit.verbose(2).output(Output);
        }
        model.fit(task.x, task.y, fit).map(drop)
    }

    /// What keeps backups, if anything is to. The last is kept until the model is written.
    fn backup(&self) -> Option<BackupAndRestore> {
        let folder = self.backup.as_ref().or(self.resume.as_ref())?;
        Some(BackupAndRestore::new(folder).keep_checkpoint())
    }
}

impl Columns {
    /// The columns as they were asked for.
    fn asked(table: &Table, told: &Told<'_>) -> Result<Columns> {
        if told.targets.is_empty() {
            return Err(Error::new("it was not said which column is the target")
                .help(format!("`--target` names it; there are: {}", table.names().join(", "))));
        }
        Columns::learned(table, told)
    }

    /// The same, with the names of classes if the model is to tell classes and none are known.
    fn with_classes(mut self, table: &Table, model: &Sequential) -> Result<Columns> {
        let (units, outcome) = data::outcome(model)?;
        if outcome != Outcome::Numbers && self.classes.is_none() {
            self.learn_classes(table, units)?;
        }
        Ok(self)
    }
}

/// What a file is called.
fn name_of(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}
