//! `Columns`: how columns of a table become samples and targets. It is kept in the file of the
//! model, so that whatever is evaluated or predicted later is made ready as the training data were.

use std::collections::BTreeSet;

use ndarray::{Array2, ArrayD};
use oxhorn::{Error, Result};
use oxhorn_lab::{
    Target,
    data::{Scale, Table},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most different texts of a column of categories.
const CATEGORIES_MAX: usize = 1_000;

/// Where models note their columns.
const NOTE: &str = "columns";

/// How columns of a table become samples and targets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Columns {
    inputs: Vec<Input>,
    /// Columns that are to be predicted.
    pub(crate) targets: Vec<String>,
    /// What classes are called, in the order of their numbers, if the target is one.
    pub(crate) classes: Option<Vec<String>>,
}

/// A column that is part of a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Input {
    name: String,
    kind: Kind,
}

/// What becomes of the cells of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A number, as it is.
    Number,
    /// A number, brought to mean 0 and standard deviation 1.
    Scaled(Scale),
    /// A number for each of these, 1 where it stands and 0 elsewhere.
    OneHot(Vec<String>),
}

/// What is said of the columns when a model is trained.
#[derive(Default)]
pub(crate) struct Told<'a> {
    /// Columns that are to be predicted.
    pub(crate) targets: &'a [String],
    /// Columns of categories.
    pub(crate) one_hot: &'a [String],
    /// Columns that are neither part of a sample nor predicted.
    pub(crate) without: &'a [String],
    /// Over how many of the first rows means and deviations are taken, if numbers are scaled.
    pub(crate) scaled_over: Option<usize>,
}

impl Columns {
    /// How the columns of this table become samples.
    ///
    /// # Errors
    ///
    /// If a column is named that there is not or that is named twice, none is left, a value is
    /// missing, a cell is no number, or there are too many categories.
    pub(crate) fn learned(table: &Table, told: &Told<'_>) -> Result<Columns> {
        let named: Vec<&String> =
            told.targets.iter().chain(told.one_hot).chain(told.without).collect();
        for (i, name) in named.iter().enumerate() {
            table.position(name)?;
            if named[..i].contains(name) {
                return Err(Error::new(format!("the column `{name}` is named twice"))
                    .help("a column is a target, or of categories, or left out"));
            }
        }
        let mut inputs = vec![];
        for (at, name) in table.names().iter().enumerate() {
            if told.targets.contains(name) || told.without.contains(name) {
                continue;
            }
            let kind = match (told.one_hot.contains(name), told.scaled_over) {
                (true, _) => Kind::OneHot(categories(table, at)?),
                (false, None) => {
                    numbers(table, at)?;
                    Kind::Number
                }
                (false, Some(rows)) => {
                    let numbers = numbers(table, at)?;
                    Kind::Scaled(Scale::of(numbers.into_iter().take(rows)))
                }
            };
            inputs.push(Input { name: name.clone(), kind });
        }
        if inputs.is_empty() {
            return Err(Error::new("no column is left for samples")
                .help("a sample needs one column at least besides the target"));
        }
        Ok(Columns { inputs, targets: told.targets.to_vec(), classes: None })
    }

    /// Takes the target for a class, and notes what the classes are called: whole numbers from 0 as
    /// far as the model has outputs for them, or else whatever stands in the column, in order.
    ///
    /// # Errors
    ///
    /// If a value is missing.
    pub(crate) fn learn_classes(&mut self, table: &Table, units: Option<usize>) -> Result<()> {
        let [target] = &self.targets[..] else { return Ok(()) };
        let texts = table.texts(table.position(target)?)?;
        let numbers: Option<Vec<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        let names = match numbers {
            None => {
                let different: BTreeSet<&str> = texts.into_iter().collect();
                different.into_iter().map(str::to_owned).collect()
            }
            Some(mut numbers) => {
                let count = units.unwrap_or(1).max(2);
                let counts =
                    |number: &f64| number.fract() == 0.0 && (0.0..count as f64).contains(number);
                numbers.sort_unstable_by(f64::total_cmp);
                numbers.dedup();
                match numbers.iter().all(counts) {
                    true => (0..count).map(|class| class.to_string()).collect(),
                    false => numbers.iter().map(f64::to_string).collect(),
                }
            }
        };
        self.classes = Some(names);
        Ok(())
    }

    /// The same, with the targets in other columns.
    pub(crate) fn with_targets(self, targets: &[String]) -> Columns {
        Columns { targets: targets.to_vec(), ..self }
    }

    /// Whether classes are called what they are counted by.
    pub(crate) fn counts_classes(&self) -> bool {
        let names = self.classes.iter().flatten();
        names.enumerate().all(|(class, name)| *name == class.to_string())
    }

    /// The columns that a model was trained with, if its file says so.
    ///
    /// # Errors
    ///
    /// If what it says is not understood.
    pub(crate) fn noted(notes: &Value) -> Result<Option<Columns>> {
        let columns = serde_json::from_value(notes[NOTE].clone());
        columns.map_err(|error| {
            Error::new(format!("what the file says of columns is not understood: {error}"))
        })
    }

    /// What is noted in the file of a model.
    pub(crate) fn note(&self) -> Value {
        json!({ NOTE: self })
    }

    /// The samples of a table, whatever else there is in it.
    ///
    /// # Errors
    ///
    /// If a column is not there, a value is missing or no number, or a category is not known.
    pub(crate) fn samples(&self, table: &Table) -> Result<ArrayD<f32>> {
        let mut made: Vec<Vec<f32>> = vec![];
        for Input { name, kind } in &self.inputs {
            let at = table.position(name)?;
            match kind {
                Kind::Number => {
                    made.push(numbers(table, at)?.into_iter().map(|x| x as f32).collect());
                }
                Kind::Scaled(scale) => {
                    let numbers = numbers(table, at)?.into_iter();
                    made.push(numbers.map(|x| scale.apply(x) as f32).collect());
                }
                Kind::OneHot(categories) => {
                    let texts = table.texts(at)?;
                    let unknown = |text: &&str| !categories.iter().any(|known| known == text);
                    if let Some(row) = texts.iter().position(unknown) {
                        let message =
                            format!("{:?} is no category that the model knows", texts[row]);
                        return Err(table.error_at((row, at), message).help(known(categories)));
                    }
                    let is = |category: &String| {
                        texts.iter().map(|text| f32::from(u8::from(text == category))).collect()
                    };
                    made.extend(categories.iter().map(is));
                }
            }
        }
        let shape = (table.rows(), made.len());
        Ok(Array2::from_shape_fn(shape, |(row, column)| made[column][row]).into_dyn())
    }

    /// What is to be said of each sample of a table.
    ///
    /// # Errors
    ///
    /// If a column is not there, a value is missing or no number, or a class is not known.
    pub(crate) fn target(&self, table: &Table) -> Result<Target> {
        let at: Result<Vec<usize>> = self.targets.iter().map(|it| table.position(it)).collect();
        let at = at?;
        let (Some(names), [at]) = (&self.classes, &at[..]) else {
            let columns: Result<Vec<_>> = at.iter().map(|&at| numbers(table, at)).collect();
            let columns = columns?;
            let shape = (table.rows(), columns.len());
            let values = Array2::from_shape_fn(shape, |(row, column)| columns[column][row] as f32);
            return Ok(Target::Values(values.into_dyn()));
        };
        let class = |(row, text): (usize, &str)| {
            let number = text.parse::<f64>().ok().map(|number| number.to_string());
            let is = |name: &String| name == text || Some(name) == number.as_ref();
            names.iter().position(is).map(|class| class as i64).ok_or_else(|| {
                let message = format!("{text:?} is no class that the model knows");
                table.error_at((row, *at), message).help(known(names))
            })
        };
        let labels: Result<Vec<i64>> =
            table.texts(*at)?.into_iter().enumerate().map(class).collect();
        Ok(Target::Classes { labels: labels?, names: names.clone() })
    }

    /// The columns, what becomes of them, and what they are to tell, in words.
    pub(crate) fn told(&self) -> String {
        let input = |Input { name, kind }: &Input| match kind {
            Kind::Number => name.clone(),
            Kind::Scaled(_) => format!("{name} (to one scale)"),
            Kind::OneHot(categories) => format!("{name} ({})", first(categories)),
        };
        let inputs: Vec<String> = self.inputs.iter().map(input).collect();
        let classes = self
            .classes
            .as_ref()
            .map_or(String::new(), |classes| format!(", one of {}", first(classes)));
        format!("Columns: {}. Target: {}{classes}.", inputs.join(", "), self.targets.join(", "))
    }
}

/// A column of numbers.
fn numbers(table: &Table, at: usize) -> Result<Vec<f64>> {
    table.numbers(at).map_err(|error| {
        let help = "`--one-hot` takes a column for categories, `--without` leaves it out";
        if error.help.is_some() { error } else { error.help(help) }
    })
}

/// What stands in a column, each text once.
fn categories(table: &Table, at: usize) -> Result<Vec<String>> {
    let different: BTreeSet<&str> = table.texts(at)?.into_iter().collect();
    let (count, name) = (different.len(), &table.names()[at]);
    if count > CATEGORIES_MAX {
        let message = format!("the column `{name}` holds {count} different texts");
        return Err(Error::new(message).help(format!(
            "at most {CATEGORIES_MAX} become categories; leave the column out, or group them"
        )));
    }
    Ok(different.into_iter().map(str::to_owned).collect())
}

/// What is known.
fn known(names: &[String]) -> String {
    format!("known are: {}", first(names))
}

/// The first names, as far as they fit on a line or two.
fn first(names: &[String]) -> String {
    let more = if names.len() > 10 { ", ..." } else { "" };
    let first: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
    format!("{}{more}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv");
        std::fs::write(&path, text).unwrap();
        Table::open(&path).unwrap()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_become_numbers_by_their_names() {
        let (targets, one_hot, without) = (names(&["y"]), names(&["b"]), names(&["id"]));
        let told =
            Told { targets: &targets, one_hot: &one_hot, without: &without, scaled_over: Some(2) };
        let learned = table("id,a,b,y\nr,1,u,0\ns,3,t,0\nq,8,u,1\n");
        let columns = Columns::learned(&learned, &told).unwrap();
        // Mean 2 and deviation 1 of the first two; then t and u.
        let x: Vec<f32> = columns.samples(&learned).unwrap().into_iter().collect();
        assert_eq!(x, [-1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 6.0, 0.0, 1.0]);
        let noted = Columns::noted(&columns.note()).unwrap();
        assert_eq!(noted.as_ref(), Some(&columns));
        let other = table("b,c,a\nt,?,2\n");
        let x: Vec<f32> = columns.samples(&other).unwrap().into_iter().collect();
        assert_eq!(x, [0.0, 1.0, 0.0]);
        assert_eq!(Columns::noted(&Value::Null), Ok(None));
        let error = Columns::noted(&json!({ NOTE: 7 })).unwrap_err();
        assert!(error.message.starts_with("what the file says of columns is not understood: "));
    }

    #[test]
    fn classes_are_counted_or_named() {
        let targets = names(&["y"]);
        let told = Told { targets: &targets, ..Told::default() };
        let classes = |cells: &[&str], units: usize| {
            let table = table(&format!("a,y\n1,{}\n", cells.join("\n1,")));
            let mut columns = Columns::learned(&table, &told).unwrap();
            columns.learn_classes(&table, Some(units)).unwrap();
            let Target::Classes { labels, names } = columns.target(&table).unwrap() else {
                panic!("these are classes")
            };
            (labels, names, columns.counts_classes())
        };
        assert_eq!(classes(&["2", "0.0"], 3), (vec![2, 0], names(&["0", "1", "2"]), true));
        assert_eq!(classes(&["1", "0"], 1), (vec![1, 0], names(&["0", "1"]), true));
        assert_eq!(classes(&["7", "10", "7"], 2), (vec![0, 1, 0], names(&["7", "10"]), false));
        assert_eq!(classes(&["no", "yes", "no"], 2), (vec![0, 1, 0], names(&["no", "yes"]), false));
    }
}
