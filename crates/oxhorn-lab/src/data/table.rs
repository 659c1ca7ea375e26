//! `Table`: rows of cells under columns with names, as they stand in a CSV or Parquet file.

use std::path::{Path, PathBuf};

use csv::StringRecord;

use crate::{Error, Result};

/// What stands where a value is missing, in small letters.
const MISSING: [&str; 7] = ["", "?", "na", "n/a", "nan", "null", "none"];

/// Rows of cells under columns with names. A cell is a text until it is asked for as a number.
#[derive(Clone, Debug)]
pub struct Table {
    pub(super) path: PathBuf,
    pub(super) names: Vec<String>,
    pub(super) records: Vec<StringRecord>,
}

impl Table {
    /// The table in a file that ends in `.csv` or `.parquet`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, its lines differ in length, a name stands for no column or for
    /// two, there is no row, or the ending is another.
    pub fn open(path: impl AsRef<Path>) -> Result<Table> {
        let path = path.as_ref();
        let extension = path.extension().map(|it| it.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("csv") => super::csv::table(path),
            Some("parquet") => super::parquet::table(path),
            _ => {
                let message = format!("{} is no table that can be read", path.display());
                Err(Error::new(message).help("there are readers of .csv and .parquet files"))
            }
        }
    }

    /// A table whose columns can be told apart, and which has rows.
    pub(super) fn checked(
        path: &Path,
        names: Vec<String>,
        records: Vec<StringRecord>,
    ) -> Result<Table> {
        let here = path.display();
        if records.is_empty() {
            return Err(Error::new(format!("{here} has no samples"))
                .help("each row below the names is one"));
        }
        Ok(Table { path: path.to_owned(), names, records })
    }

    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.records.len()
    }

    /// Which column has this name, counted from 0.
    ///
    /// # Errors
    ///
    /// If none has.
    pub fn position(&self, name: &str) -> Result<usize> {
        let found = self.names.iter().position(|known| known == name);
        found.ok_or_else(|| {
            Error::new(format!("there is no column `{name}`"))
                .at(self.path.display().to_string())
                .help(format!("there are: {}", self.names.join(", ")))
        })
    }

    /// The cells of a column.
    ///
    /// # Errors
    ///
    /// If a value is missing: the cell is empty, or says so in a word such as `NA`.
    pub fn texts(&self, column: usize) -> Result<Vec<&str>> {
        let cell = |record| StringRecord::get(record, column).unwrap_or("");
        let texts: Vec<&str> = self.records.iter().map(cell).collect();
        let is_missing = |text: &&str| MISSING.contains(&text.to_lowercase().as_str());
        match texts.iter().position(is_missing) {
            Some(row) => {
                let message = format!("a value is missing: {:?}", texts[row]);
                Err(self.error_at((row, column), message).help("fill it in, or leave the line out"))
            }
            None => Ok(texts),
        }
    }

    /// The cells of a column as numbers.
    ///
    /// # Errors
    ///
    /// If a value is missing, is no number, or is too large for single precision.
    pub fn numbers(&self, column: usize) -> Result<Vec<f64>> {
        let number = |(row, text): (usize, &str)| match text.parse::<f64>() {
            Ok(number) if (number as f32).is_finite() => Ok(number),
            Ok(_) => Err(self
                .error_at((row, column), format!("{text} is too large"))
                .help("numbers are kept in single precision, whose largest is 3.4e38")),
            Err(_) => Err(self.error_at((row, column), format!("{text:?} is no number"))),
        };
        self.texts(column)?.into_iter().enumerate().map(number).collect()
    }

    /// An error in this cell, given by row and column.
    pub fn error_at(&self, (row, column): (usize, usize), message: impl Into<String>) -> Error {
        let place = match self.records[row].position() {
            Some(position) => format!("line {}", position.line()),
            None => format!("row {}", row + 1),
        };
        let (path, name) = (self.path.display(), &self.names[column]);
        Error::new(message).at(format!("{path}, {place}, column `{name}`"))
    }
}

/// Rejects names by which columns cannot be told apart.
pub(super) fn check_names(names: &[String]) -> Result<()> {
    if names.iter().all(|name| name.parse::<f64>().is_ok()) {
        return Err(Error::new("the first line holds numbers where names should be")
            .help("give each column a name"));
    }
    if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
        return Err(Error::new(format!("two columns are called `{}`", names[i]))
            .help("give each column a name of its own"));
    }
    Ok(())
}
