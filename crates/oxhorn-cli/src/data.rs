//! Data in files, made ready for a model.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use ndarray::ArrayD;
use oxhorn::{
    Error, Result, Sequential,
    data::{Elements, Samples},
};
use oxhorn_lab::{
    Dataset, Source, Split,
    data::{
        Table,
        npz::{self, Array, Kind},
    },
    targets::{Form, Targets, is_about_classes},
};

use crate::columns::Columns;

/// What a file of data holds.
pub(crate) enum Data {
    /// Cells under columns with names.
    Table(Table),
    /// Arrays with names.
    Arrays(Arrays),
}

/// The arrays of an NPZ file.
pub(crate) struct Arrays {
    path: PathBuf,
    arrays: BTreeMap<String, Array>,
}

impl Data {
    /// The data in a file, by its ending: `.csv`, `.parquet` or `.npz`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<Data> {
        let extension = path.extension().map(|it| it.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv" | "parquet") => Table::open(path).map(Data::Table),
            Some("npz") => {
                Ok(Data::Arrays(Arrays { path: path.to_owned(), arrays: npz::arrays_of(path)? }))
            }
            _ => {
                let message = format!("{} is no data that can be read", path.display());
                Err(Error::new(message).help("there are readers of .csv, .parquet and .npz files"))
            }
        }
    }
}

impl Arrays {
    /// Takes an array out.
    ///
    /// # Errors
    ///
    /// If there is none of this name.
    pub(crate) fn take(&mut self, name: &str) -> Result<Samples<'static>> {
        let Some(array) = self.arrays.remove(name) else {
            let names: Vec<&str> = self.arrays.keys().map(String::as_str).collect();
            return Err(Error::new(format!("there is no array `{name}`"))
                .at(self.path.display().to_string())
                .help(format!("there are: {}", names.join(", "))));
        };
        let Array { shape, elements, kind } = array;
        let elements = match kind {
            Kind::Integers => {
                Elements::Integers(elements.into_iter().map(|element| element as i64).collect())
            }
            Kind::Floats => {
                Elements::Floats(elements.into_iter().map(|element| element as f32).collect())
            }
        };
        Ok(Samples::new(shape, elements))
    }

    /// The name of the samples' array in a file that is to be measured or predicted.
    pub(crate) fn part(&self, name: &str) -> String {
        let test = format!("{name}_test");
        match self.arrays.contains_key(name) || !self.arrays.contains_key(&test) {
            true => name.to_owned(),
            false => test,
        }
    }

    /// Whether there are data to train with and others to validate on.
    pub(crate) fn are_split(&self) -> bool {
        !self.arrays.contains_key("x") && self.arrays.contains_key("x_train")
    }
}

/// An array as samples of its own.
pub(crate) fn owned(array: ArrayD<f32>) -> Samples<'static> {
    let shape = array.shape().to_vec();
    Samples::new(shape, Elements::Floats(Cow::Owned(array.into_iter().collect())))
}

/// How many numbers the model gives for a sample, and what they are about.
///
/// # Errors
///
/// If the model's loss is none.
pub(crate) fn outcome(model: &Sequential) -> Result<(Option<usize>, Outcome)> {
    let last = model.summary().rows.pop().and_then(|row| row.output_shape);
    let units = last.unwrap_or_default().last().copied().flatten();
    let Some(loss) = model.loss().map(|loss| loss.get()).transpose()? else {
        return Ok((units, Outcome::Numbers));
    };
    let class = loss.class_name();
    if !is_about_classes(class) {
        return Ok((units, Outcome::Numbers));
    }
    let unbounded = class.ends_with("Hinge")
        || loss.config().get("from_logits").and_then(|it| it.as_bool()) == Some(true);
    Ok((units, Outcome::Classes { event_above: if unbounded { 0.0 } else { 0.5 } }))
}

/// What a model tells.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// The class of a sample: where the model gives a single number, the second of two if it is
    /// above this one.
    Classes { event_above: f64 },
    /// Numbers.
    Numbers,
}

/// The targets in a table, in the form that the model's loss takes.
///
/// # Errors
///
/// If there is none, or as [`Columns::target`].
pub(crate) fn targets(
    (columns, table): (&Columns, &Table),
    (path, model): (&Path, &Sequential),
) -> Result<Samples<'static>> {
    let y = columns.target(table)?;
    let name = path.file_stem().map_or(String::new(), |it| it.to_string_lossy().into_owned());
    let data = Dataset {
        name,
        x: ArrayD::zeros(vec![table.rows(), 0]),
        y,
        split: Split::Fixed { train: table.rows() },
        source: Source::Memory,
    };
    let rows: Vec<usize> = (0..table.rows()).collect();
    let targets: Targets = Form::of(model, &data)?.targets(&data, &rows);
    Ok(targets.samples().into_owned())
}
