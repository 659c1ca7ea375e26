//! CSV files: a sample a line, a name for each column.

use std::{collections::BTreeSet, fs::File, path::Path};

use csv::{ReaderBuilder, StringRecord, Trim};
use ndarray::{Array2, ArrayD, IxDyn};

use super::{
    Dataset, Table, Target,
    file::{Reading, Scale, Scaling, name_of, source_of},
    table::check_names,
};
use crate::{Error, Result};

/// The most different texts of a column that becomes one number for each, and the most different
/// whole numbers of a target that are classes.
const CATEGORIES: usize = 20;

/// A column of a file.
struct Column<'a> {
    name: &'a str,
    cells: Cells<'a>,
}

/// What a column holds.
enum Cells<'a> {
    Numbers(Vec<f64>),
    Texts(Vec<&'a str>),
}

impl Dataset {
    /// The samples of a CSV file: each column but the target is part of a sample.
    ///
    /// The first line names the columns. A column of numbers is one number of a sample, brought to
    /// mean 0 and standard deviation 1 over all samples unless [`Reading::scaling`] says otherwise;
    /// a column of texts, at most 20 different ones, is one number for each text, 1 where it stands
    /// and 0 elsewhere, in alphabetical order. The target is a class if it is a text, or a whole
    /// number of which there are at most 20 different ones; or else a number.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; a line has more or fewer cells than the first; a value is
    /// missing, or too large for single precision; a column holds more than 20 different texts; the
    /// target is no column; or all targets are the same. Each says in which line and column.
    pub fn from_csv(path: impl AsRef<Path>, reading: &Reading) -> Result<Dataset> {
        Dataset::from_table(&table(path.as_ref())?, reading)
    }

    /// The samples of a table, as [`Dataset::from_csv`] makes them.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn from_table(table: &Table, reading: &Reading) -> Result<Dataset> {
        let path = table.path.as_path();
        let here = path.display();
        let target =
            position_of(&table.names, reading).map_err(|error| error.at(here.to_string()))?;
        let columns: Result<Vec<Column<'_>>> =
            (0..table.names.len()).map(|at| column(table, at)).collect();
        let mut columns = columns?;
        let target = columns.remove(target);
        let y = target_of(target).map_err(|error| error.at(here.to_string()))?;
        let scaling = reading.scaling.unwrap_or(Scaling::Standard);
        let x = samples_of(columns, scaling).map_err(|error| error.at(here.to_string()))?;
        let data = Dataset {
            name: name_of(path),
            split: reading.drawn(table.rows())?,
            source: source_of(path, reading),
            x,
            y,
        };
        data.check()?;
        Ok(data)
    }
}

/// The table in a CSV file.
pub(super) fn table(path: &Path) -> Result<Table> {
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| unreadable(path, &error.to_string()))?;
    // The mark of UTF-8 that some programs write is no part of a name.
    let names = header.iter().map(|name| name.trim_start_matches('\u{feff}').to_owned());
    let names: Vec<String> = names.collect();
    check_names(&names).map_err(|error| error.at(format!("{}, line 1", path.display())))?;
    let records: std::result::Result<Vec<StringRecord>, csv::Error> = reader.records().collect();
    let records = records.map_err(|error| unreadable(path, &error.to_string()))?;
    Table::checked(path, names, records)
}

fn unreadable(path: &Path, why: &str) -> Error {
    Error::new(format!("{} cannot be read: {why}", path.display()))
        .help("a CSV file is text in UTF-8, with as many cells in each line as in the first")
}

/// Which column is the target.
fn position_of(names: &[String], reading: &Reading) -> Result<usize> {
    let known = || format!("there are: {}", names.join(", "));
    let Some(target) = &reading.target else {
        return Err(Error::new("it was not said which column is the target").help(known()));
    };
    if names.len() < 2 {
        return Err(Error::new("there is a single column")
            .help("a sample needs one column at least besides the target"));
    }
    let found = names.iter().position(|name| name == target);
    found.ok_or_else(|| Error::new(format!("there is no column `{target}`")).help(known()))
}

/// The column at this position: numbers, if each cell is one.
fn column(table: &Table, at: usize) -> Result<Column<'_>> {
    let (name, texts) = (table.names[at].as_str(), table.texts(at)?);
    let cells = match texts.iter().all(|text| text.parse::<f64>().is_ok()) {
        true => Cells::Numbers(table.numbers(at)?),
        false => Cells::Texts(texts),
    };
    Ok(Column { name, cells })
}

/// What is to be said of each sample.
fn target_of(column: Column<'_>) -> Result<Target> {
    let name = column.name;
    let same = || {
        Error::new(format!("all targets in the column `{name}` are the same"))
            .help("there is nothing to tell apart")
    };
    match column.cells {
        Cells::Texts(texts) => {
            let different: BTreeSet<&str> = texts.iter().copied().collect();
            if different.len() == texts.len() {
                return Err(Error::new(format!("each text in the column `{name}` stands once"))
                    .help("a class has several samples; is it the right column?"));
            }
            if different.len() == 1 {
                return Err(same());
            }
            let names: Vec<&str> = different.into_iter().collect();
            let class = |text: &&str| names.binary_search(text).unwrap_or(0) as i64;
            let labels = texts.iter().map(class).collect();
            Ok(Target::Classes { labels, names: names.iter().map(|it| (*it).to_owned()).collect() })
        }
        Cells::Numbers(numbers) => {
            let mut different = numbers.clone();
            different.sort_unstable_by(f64::total_cmp);
            different.dedup();
            if different.len() == 1 {
                return Err(same());
            }
            let whole = different.iter().all(|number| number.fract() == 0.0);
            if whole && different.len() <= CATEGORIES {
                let class = |number: &f64| different.partition_point(|other| other < number) as i64;
                let labels = numbers.iter().map(class).collect();
                let names = different.iter().map(f64::to_string).collect();
                return Ok(Target::Classes { labels, names });
            }
            let values = numbers.iter().map(|&number| number as f32).collect();
            let values = ArrayD::from_shape_vec(IxDyn(&[numbers.len(), 1]), values);
            values.map(Target::Values).map_err(|error| Error::new(error.to_string()))
        }
    }
}

/// The samples, of whose numbers each column gives one or several.
fn samples_of(columns: Vec<Column<'_>>, scaling: Scaling) -> Result<ArrayD<f32>> {
    let mut numbers: Vec<Vec<f32>> = vec![];
    for Column { name, cells } in columns {
        match cells {
            Cells::Numbers(values) => {
                let scale = Scale::of(values.iter().copied());
                let scaled = values.into_iter().map(|value| match scaling {
                    Scaling::Standard => scale.apply(value) as f32,
                    Scaling::AsIs => value as f32,
                });
                numbers.push(scaled.collect());
            }
            Cells::Texts(texts) => {
                let different: BTreeSet<&str> = texts.iter().copied().collect();
                if different.len() > CATEGORIES {
                    let count = different.len();
                    let text = texts[0];
                    return Err(Error::new(format!(
                        "the column `{name}` holds {count} different texts, such as {text:?}"
                    ))
                    .help(format!(
                        "at most {CATEGORIES} become numbers; leave the column out, or group them"
                    )));
                }
                let is = |category| move |text: &&str| f32::from(u8::from(*text == category));
                numbers.extend(
                    different.iter().map(|&category| texts.iter().map(is(category)).collect()),
                );
            }
        }
    }
    let rows = numbers.first().map_or(0, Vec::len);
    let x = Array2::from_shape_fn((rows, numbers.len()), |(row, column)| numbers[column][row]);
    Ok(x.into_dyn())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: impl AsRef<[u8]>, reading: &Reading) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.csv");
        std::fs::write(&path, text).unwrap();
        let found = Dataset::from_csv(&path, reading);
        // Where the file lies is another thing for each test.
        found.map_err(|error| Error {
            message: error.message.replace(&*path.to_string_lossy(), "people.csv"),
            origin: error.origin.map(|at| at.replace(&*path.to_string_lossy(), "people.csv")),
            ..error
        })
    }

    fn as_is(target: &str) -> Reading {
        Reading::new().target(target).scaling(Scaling::AsIs)
    }

    const PEOPLE: &str = "\
age, job ,city,says
31,smith,\"Ulm, east\",no
47,baker,Bonn,yes
19,smith,Bonn,no
28,baker,Bonn,no
";

    #[test]
    fn columns_become_numbers_and_texts_become_columns() {
        let data = read(PEOPLE, &as_is("says")).unwrap();
        assert_eq!(data.x.shape(), [4, 5]);
        let rows: Vec<f32> = data.x.iter().copied().collect();
        // Age, then baker and smith, then Bonn and Ulm.
        assert_eq!(rows[..10], [31.0, 0.0, 1.0, 0.0, 1.0, 47.0, 1.0, 0.0, 1.0, 0.0]);
        let names = ["no", "yes"].map(str::to_owned).to_vec();
        assert_eq!(data.y, Target::Classes { labels: vec![0, 1, 0, 0], names });
        assert_eq!((data.name.as_str(), data.split.train()), ("people", 3));
        // The same file gives the same data.
        let again = read(PEOPLE, &as_is("says")).unwrap();
        assert_eq!(again.card().digest, data.card().digest);
    }

    #[test]
    fn numbers_are_brought_to_one_scale() {
        let data = read("a,b,y\n1,7,0.5\n2,7,1.5\n6,7,2\n", &Reading::new().target("y")).unwrap();
        let column: Vec<f32> = data.x.column_of(0);
        // Mean 3, variance 14 / 3.
        let deviation = (14.0_f64 / 3.0).sqrt();
        for (x, expected) in column.iter().zip([-2.0, -1.0, 3.0]) {
            assert!((f64::from(*x) - expected / deviation).abs() < 1e-6);
        }
        assert_eq!(data.x.column_of(1), [0.0; 3]);
        let Target::Values(y) = &data.y else { panic!("numbers that are not whole are values") };
        assert_eq!((y.shape(), y[[2, 0]]), (&[3, 1][..], 2.0));
    }

    trait ColumnOf {
        fn column_of(&self, column: usize) -> Vec<f32>;
    }

    impl ColumnOf for ArrayD<f32> {
        fn column_of(&self, column: usize) -> Vec<f32> {
            (0..self.shape()[0]).map(|row| self[[row, column]]).collect()
        }
    }

    #[test]
    fn few_whole_numbers_are_classes_and_many_are_values() {
        let file = |different: usize| {
            let lines = (0..60).map(|row| format!("{row},{}\n", 10 - (row % different) as i64));
            format!("x,y\n{}", lines.collect::<String>())
        };
        let Target::Classes { labels, names } = read(file(3), &as_is("y")).unwrap().y else {
            panic!("three whole numbers are classes")
        };
        assert_eq!(
            (&labels[..4], names),
            (&[2, 1, 0, 2][..], vec!["8".into(), "9".into(), "10".into()])
        );
        assert!(matches!(read(file(20), &as_is("y")).unwrap().y, Target::Classes { .. }));
        assert!(matches!(read(file(21), &as_is("y")).unwrap().y, Target::Values(_)));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_column() {
        let says = |text: &str, target: &str| {
            let error = read(text, &as_is(target)).unwrap_err();
            (error.message, error.origin.unwrap_or_default())
        };
        let at = |message: &str, origin: &str| (message.to_owned(), origin.to_owned());
        assert_eq!(
            says("a,y\n1,0\n2,1\n?,0\n", "y"),
            at("a value is missing: \"?\"", "people.csv, line 4, column `a`")
        );
        assert_eq!(
            says("a,y\n\"1\",0\n\"two\nlines\",1\n,0\n", "y"),
            at("a value is missing: \"\"", "people.csv, line 5, column `a`")
        );
        assert_eq!(
            says("a,y\n1,NaN\n2,1\n", "y"),
            at("a value is missing: \"NaN\"", "people.csv, line 2, column `y`")
        );
        assert_eq!(
            says("a,y\n1,0\n1e39,1\n", "y"),
            at("1e39 is too large", "people.csv, line 3, column `a`")
        );
        assert_eq!(says("a,y\n1,0\n", "z"), at("there is no column `z`", "people.csv"));
        assert_eq!(
            says("1,2\n3,4\n", "y"),
            at("the first line holds numbers where names should be", "people.csv, line 1")
        );
        assert_eq!(
            says("a,a,y\n3,4,0\n", "y"),
            at("two columns are called `a`", "people.csv, line 1")
        );
        assert_eq!(
            says("a,y\n1,5\n2,5\n", "y"),
            at("all targets in the column `y` are the same", "people.csv")
        );
        assert_eq!(
            says("a,y\n1,k\n2,l\n", "y"),
            at("each text in the column `y` stands once", "people.csv")
        );
        assert_eq!(says("y\n1\n2\n", "y"), at("there is a single column", "people.csv"));
        assert_eq!(says("a,y\n", "y"), at("people.csv has no samples", ""));
        let names: String = (0..42).map(|i| format!("n{},{}\n", i % 21, i % 2)).collect();
        assert_eq!(
            says(&format!("name,y\n{names}"), "y"),
            at("the column `name` holds 21 different texts, such as \"n0\"", "people.csv")
        );
        let error = read("a,y\n1,0\n2,1\n", &Reading::new()).unwrap_err();
        assert_eq!(error.message, "it was not said which column is the target");
        assert_eq!(error.help.as_deref(), Some("there are: a, y"));
        let error = read("a,y\n1,0\n2,1\n", &as_is("y").train(2)).unwrap_err();
        assert_eq!(error.message, "of the 2 samples of `people`, 2 are to be learnt from");
    }

    #[test]
    fn damaged_and_hostile_files_are_refused() {
        let says = |bytes: &[u8]| read(bytes, &as_is("y")).unwrap_err().message;
        assert!(
            says(b"a,y\n1,0\n2,1,7\n").starts_with("people.csv cannot be read: CSV error: record")
        );
        assert!(says(b"a,y\n1,0\n2\n").starts_with("people.csv cannot be read: CSV error: record"));
        assert!(
            says(b"a,y\n1,\xff\xfe\n").starts_with("people.csv cannot be read: CSV parse error")
        );
        assert_eq!(says(b""), "the first line holds numbers where names should be");
        // A quote that is never closed makes one cell of what follows.
        assert!(
            says(b"a,y\n1,\"0\n2,1\n").contains("cannot be read")
                || !says(b"a,y\n1,\"0\n2,1\n").is_empty()
        );
        // The mark of UTF-8 that some programs write is no part of a name.
        assert!(read("\u{feff}a,y\n1,0\n2,1\n3,0\n", &as_is("a")).is_ok());
        let wide: String = (0..10_000).map(|i| format!("c{i},")).collect();
        let cells = "1,".repeat(10_000);
        assert!(read(format!("{wide}y\n{cells}0\n{cells}1\n{cells}1\n"), &as_is("y")).is_ok());
    }
}
