//! Files of data: how one is read, whatever its kind.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Dataset, Source, Split, Table, Target, idx};
use crate::{Error, Result};

/// Which fraction of samples is learnt from if it is not said.
const SHARE: f64 = 0.75;

/// How a file is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    pub(crate) target: Option<String>,
    pub(crate) train: Option<Train>,
    pub(crate) scaling: Option<Scaling>,
}

/// How many samples are learnt from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Train {
    /// This fraction of all.
    Share(f64),
    /// So many.
    Count(usize),
}

/// Whether numbers are brought to one scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// They stay as they are.
    AsIs,
    /// From each number of a sample its mean is subtracted, and it is divided by its standard
    /// deviation: those of the samples that are learnt from if these are always the same, or else
    /// of all samples.
    Standard,
}

impl Reading {
    /// As files of its kind are read.
    pub fn new() -> Reading {
        Reading::default()
    }

    /// The column or array of targets.
    #[must_use]
    pub fn target(self, name: impl Into<String>) -> Reading {
        Reading { target: Some(name.into()), ..self }
    }

    /// How many samples are learnt from: drawn anew for each seed, or the first so many of a
    /// training set that a file has.
    #[must_use]
    pub fn train(self, count: usize) -> Reading {
        Reading { train: Some(Train::Count(count)), ..self }
    }

    /// Which fraction of samples is learnt from, drawn anew for each seed; three quarters if
    /// nothing is said.
    #[must_use]
    pub fn train_share(self, share: f64) -> Reading {
        Reading { train: Some(Train::Share(share)), ..self }
    }

    /// Whether numbers are brought to one scale: those of columns of CSV files are, others not,
    /// unless it is said.
    #[must_use]
    pub fn scaling(self, scaling: Scaling) -> Reading {
        Reading { scaling: Some(scaling), ..self }
    }

    /// The split of samples of which any may be learnt from.
    pub fn drawn(&self, rows: usize) -> Result<Split> {
        let train = match self.train.unwrap_or(Train::Share(SHARE)) {
            Train::Count(count) => count,
            // Of however few, one is left on either side.
            Train::Share(share) if share > 0.0 && share < 1.0 => {
                let count = (share * rows as f64).round() as usize;
                count.min(rows.saturating_sub(1)).max(1)
            }
            Train::Share(share) => {
                return Err(Error::new(format!(
                    "the share of samples to learn from must be between 0 and 1, got {share}"
                )));
            }
        };
        Ok(Split::Drawn { train })
    }

    /// How many of the first samples of a training set are taken.
    pub(super) fn first(&self, rows: usize) -> Result<usize> {
        match self.train {
            None => Ok(rows),
            Some(Train::Count(count)) if (1..=rows).contains(&count) => Ok(count),
            Some(Train::Count(count)) => {
                Err(Error::new(format!("of {rows} training samples {count} were asked for")))
            }
            Some(Train::Share(_)) => {
                Err(Error::new("the file says itself which samples are learnt from")
                    .help("give their number instead of their share"))
            }
        }
    }

    /// The data as they are wanted, once they have been read.
    pub(super) fn finish(&self, data: Dataset) -> Result<Dataset> {
        let data = match self.scaling {
            Some(Scaling::Standard) => data.standardized(),
            Some(Scaling::AsIs) | None => data,
        };
        data.check()?;
        Ok(data)
    }
}

impl Dataset {
    /// The data of a file, by what it is called: `.csv` or `.parquet` with a target column, `.npz`
    /// with arrays `x` and `y` or `x_train`, `y_train`, `x_test` and `y_test`, or a folder with
    /// the files of MNIST or Fashion-MNIST.
    ///
    /// # Errors
    ///
    /// If there is no such file, its kind is none of these, or as [`Dataset::from_csv`],
    /// [`Dataset::from_npz`] and [`Dataset::mnist`].
    pub fn open(path: impl AsRef<Path>, reading: &Reading) -> Result<Dataset> {
        let path = path.as_ref();
        let extension = path.extension().map(|it| it.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            _ if path.is_dir() => folder(path, reading),
            Some("csv" | "parquet") => Dataset::from_table(&Table::open(path)?, reading),
            Some("npz") => Dataset::from_npz(path, reading),
            _ => Err(Error::new(format!("{} is no data that can be read", path.display())).help(
                "there are readers of .csv, .parquet and .npz files, and of folders with the \
                 files of MNIST",
            )),
        }
    }

    /// The same samples, each a single row of its numbers.
    #[must_use]
    pub fn flattened(mut self) -> Dataset {
        let rows = self.rows();
        let width = self.x.len().checked_div(rows).unwrap_or(0);
        if let Ok(x) = std::mem::take(&mut self.x).into_shape_with_order(vec![rows, width]) {
            self.x = x;
        }
        self
    }

    /// The same samples, brought to one scale: see [`Scaling::Standard`].
    #[must_use]
    pub fn standardized(mut self) -> Dataset {
        let known = match self.split {
            Split::Fixed { train } => train.min(self.rows()),
            Split::Drawn { .. } => self.rows(),
        };
        let width = self.x.len().checked_div(self.rows()).unwrap_or(0);
        let numbers: Vec<f32> = self.x.iter().copied().collect();
        let scales: Vec<Scale> = (0..width)
            .map(|column| {
                let column = numbers.iter().skip(column).step_by(width).take(known);
                Scale::of(column.map(|&x| f64::from(x)))
            })
            .collect();
        let scaled = self.x.iter_mut().zip(scales.iter().cycle());
        scaled.for_each(|(x, scale)| *x = scale.apply(f64::from(*x)) as f32);
        self
    }
}

/// What a number is brought to one scale with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Of these numbers; their deviation counts as 1 where they are all the same.
    pub fn of(numbers: impl Iterator<Item = f64> + Clone) -> Scale {
        let n = numbers.clone().count().max(1) as f64;
        let mean = numbers.clone().sum::<f64>() / n;
        let variance = numbers.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
        let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
        Scale { mean, deviation }
    }

    /// The number on that scale.
    pub fn apply(self, number: f64) -> f64 {
        (number - self.mean) / self.deviation
    }
}

/// The files of MNIST in a folder.
fn folder(path: &Path, reading: &Reading) -> Result<Dataset> {
    if let Some(target) = &reading.target {
        return Err(Error::new(format!("{} has no target `{target}` to name", path.display()))
            .help("the labels of images are in files of their own"));
    }
    let images = idx::training_images(path)?;
    let data = Dataset::mnist(path, reading.first(images)?, usize::MAX)?;
    reading.finish(data)
}

/// The classes that whole numbers name: those from 0 to the greatest, of which there cannot be more
/// than samples.
pub(super) fn classes_of(labels: Vec<i64>) -> Result<Target> {
    let most = labels.iter().copied().max().unwrap_or(0);
    if let Some(negative) = labels.iter().find(|&&label| label < 0) {
        return Err(
            Error::new(format!("a label is {negative}")).help("classes are numbered from 0")
        );
    }
    if most as usize >= labels.len().max(2) {
        return Err(Error::new(format!("a label is {most}, of {} samples", labels.len()))
            .help("classes are numbered from 0, without gaps"));
    }
    let names = (0..=most.max(1)).map(|class| class.to_string()).collect();
    Ok(Target::Classes { labels, names })
}

/// What a file is called in reports.
pub(super) fn name_of(path: &Path) -> String {
    path.file_stem().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

/// Where a file was.
pub(super) fn source_of(path: &Path, reading: &Reading) -> Source {
    Source::File { path: path.display().to_string(), target: reading.target.clone() }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3};

    use super::*;

    fn data(split: Split) -> Dataset {
        let x = Array2::from_shape_vec((4, 2), vec![1.0, 5.0, 3.0, 5.0, 5.0, 5.0, 9.0, 7.0]);
        Dataset {
            name: "four".to_owned(),
            x: x.unwrap().into_dyn(),
            y: classes_of(vec![0, 1, 1, 0]).unwrap(),
            split,
            source: Source::Memory,
        }
    }

    #[test]
    fn numbers_are_scaled_by_what_is_always_learnt_from() {
        let x = |split| data(split).standardized().x.iter().copied().collect::<Vec<f32>>();
        // Mean 2 and deviation 1 of the first column's first two; the second's are all the same.
        assert_eq!(x(Split::Fixed { train: 2 }), [-1.0, 0.0, 1.0, 0.0, 3.0, 0.0, 7.0, 2.0]);
        // Mean 4.5 and variance 8.75, mean 5.5 and variance 0.75, of all four.
        let drawn = x(Split::Drawn { train: 2 });
        let expected = [-3.5 / 8.75_f32.sqrt(), -0.5 / 0.75_f32.sqrt()];
        assert!((drawn[0] - expected[0]).abs() < 1e-6 && (drawn[1] - expected[1]).abs() < 1e-6);
    }

    #[test]
    fn images_become_rows() {
        let x = Array3::from_shape_fn((2, 3, 5), |(i, j, k)| (100 * i + 10 * j + k) as f32);
        let images = Dataset { x: x.into_dyn(), ..data(Split::Fixed { train: 1 }) };
        let rows = images.flattened();
        assert_eq!((rows.x.shape(), rows.x[[1, 7]]), (&[2, 15][..], 112.0));
    }

    #[test]
    fn splits_are_as_they_are_asked_for() {
        let reading = Reading::new();
        assert_eq!(reading.drawn(10), Ok(Split::Drawn { train: 8 }));
        assert_eq!(reading.clone().train(3).drawn(10), Ok(Split::Drawn { train: 3 }));
        assert_eq!(reading.clone().train_share(0.5).drawn(7), Ok(Split::Drawn { train: 4 }));
        assert_eq!(reading.drawn(2), Ok(Split::Drawn { train: 1 }));
        assert_eq!(reading.clone().train_share(0.1).drawn(3), Ok(Split::Drawn { train: 1 }));
        for share in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(reading.clone().train_share(share).drawn(7).is_err());
        }
        assert_eq!(reading.first(7), Ok(7));
        assert_eq!(reading.clone().train(7).first(7), Ok(7));
        assert_eq!(
            reading.clone().train(8).first(7).unwrap_err().message,
            "of 7 training samples 8 were asked for"
        );
        assert!(reading.train_share(0.5).first(7).is_err());
    }

    #[test]
    fn files_of_no_known_kind_are_refused() {
        let error = Dataset::open("data.xlsx", &Reading::new()).unwrap_err();
        assert_eq!(error.message, "data.xlsx is no data that can be read");
        let error = Dataset::open("nowhere/data.csv", &Reading::new().target("y")).unwrap_err();
        assert!(error.message.starts_with("nowhere/data.csv cannot be read: "));
        assert_eq!(classes_of(vec![0, -1]).unwrap_err().message, "a label is -1");
        assert_eq!(classes_of(vec![0, 9]).unwrap_err().message, "a label is 9, of 2 samples");
    }
}
