//! Writes the numbers of every epoch into a file, a line each.

use std::{
    fs::File,
    io::{self, Seek, SeekFrom, Write},
    path::PathBuf,
};

use oxhorn_ir::{Error, Result, ensure};
use serde_json::Value as Json;

use super::{Callback, Python, Training};
use crate::{history::Logs, state::State};

/// Writes the numbers of every epoch into a file of comma-separated values, which a spreadsheet or
/// a data frame reads.
///
/// Its columns are `epoch` and the numbers of the first epoch in alphabetical order; if none of
/// these is of validation, a column `val_...` for each follows. What an epoch lacks is `NA`.
///
/// ```
/// use oxhorn::callbacks::CSVLogger;
///
/// let log = CSVLogger::new("training.csv").separator(';').append();
/// ```
#[derive(Debug)]
pub struct CSVLogger {
    path: PathBuf,
    separator: char,
    opening: Opening,
    file: Option<File>,
    header: Header,
    columns: Option<Vec<String>>,
}

/// What happens to a file that is there already.
#[derive(Debug)]
enum Opening {
    Replace,
    Append,
}

/// Whether the file still needs the names of its columns.
#[derive(Debug)]
enum Header {
    Missing,
    Present,
}

impl CSVLogger {
    /// Writes to that file, replacing it.
    pub fn new(path: impl Into<PathBuf>) -> CSVLogger {
        CSVLogger {
            path: path.into(),
            separator: ',',
            opening: Opening::Replace,
            file: None,
            header: Header::Missing,
            columns: None,
        }
    }

    /// What stands between two values.
    pub fn separator(self, separator: char) -> CSVLogger {
        CSVLogger { separator, ..self }
    }

    /// Adds to a file that is there already. The names of the columns are not repeated in it.
    pub fn append(self) -> CSVLogger {
        CSVLogger { opening: Opening::Append, ..self }
    }

    /// Goes on after the first so many bytes of a file that may have more.
    fn reopen(&mut self, bytes: usize) -> io::Result<()> {
        let mut file = File::options().write(true).create(true).truncate(false).open(&self.path)?;
        let present = file.metadata()?.len();
        if present < bytes as u64 {
            let lacks = format!("it had {bytes} bytes when the run was backed up, now {present}");
            return Err(io::Error::other(lacks));
        }
        file.set_len(bytes as u64)?;
        file.seek(SeekFrom::End(0))?;
        self.header = if bytes > 0 { Header::Present } else { Header::Missing };
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<()> {
        let mut options = File::options();
        let options = match self.opening {
            Opening::Replace => options.write(true).create(true).truncate(true),
            Opening::Append => options.append(true).create(true),
        };
        let file = options.open(&self.path)?;
        self.header = if file.metadata()?.len() > 0 { Header::Present } else { Header::Missing };
        self.file = Some(file);
        Ok(())
    }

    fn write(&mut self, epoch: usize, logs: &Logs) -> io::Result<()> {
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("`on_train_begin` has not been called"));
        };
        let columns = self.columns.get_or_insert_with(|| columns(logs));
        let mut text = String::new();
        if let Header::Missing = self.header {
            text += "epoch";
            columns.iter().for_each(|name| add(&mut text, self.separator, name));
            text += "\r\n";
            self.header = Header::Present;
        }
        text += &epoch.to_string();
        for name in columns {
            let value = logs.get(name).map_or("NA".to_owned(), |value| Python(value).to_string());
            add(&mut text, self.separator, &value);
        }
        text += "\r\n";
        file.write_all(text.as_bytes())
    }

    fn check(&self) -> Result<()> {
        ensure!(
            !matches!(self.separator, '"' | '\r' | '\n'),
            "{:?} cannot separate values", self.separator;
            help: "take a comma, a semicolon or a tab"
        );
        Ok(())
    }

    fn failed(&self, what: &str, error: &io::Error) -> Error {
        Error::new(format!("CSVLogger cannot {what} `{}`: {error}", self.path.display()))
    }
}

/// Adds a separator and a value, in quotes where it could be misread.
fn add(text: &mut String, separator: char, value: &str) {
    text.push(separator);
    if value.contains([separator, '"', '\r', '\n']) {
        *text += &format!("\"{}\"", value.replace('"', "\"\""));
    } else {
        *text += value;
    }
}

/// The columns after the epoch. An epoch without validation may be followed by one with it, so
/// there is room for it.
fn columns(logs: &Logs) -> Vec<String> {
    let mut names: Vec<String> = logs.names().map(str::to_owned).collect();
    names.sort_unstable();
    if !names.iter().any(|name| name.starts_with("val_")) {
        names.extend_from_within(..);
        let half = names.len() / 2;
        names[half..].iter_mut().for_each(|name| name.insert_str(0, "val_"));
    }
    names
}

impl Callback for CSVLogger {
    fn state(&self) -> Result<State> {
        let length = |file: &File| file.metadata().map(|it| it.len() as usize);
        let bytes = self.file.as_ref().map_or(Ok(0), length);
        let bytes = bytes.map_err(|error| self.failed("measure", &error))?;
        let columns = self.columns.as_ref().map(|columns| Json::from(columns.clone()).to_string());
        Ok(State::new().with("bytes", bytes).with_some("columns", columns))
    }

    fn resume(&mut self, state: &State, _: &mut dyn Training) -> Result<()> {
        self.check()?;
        let columns: Option<String> = state.find("columns")?;
        self.columns = columns.and_then(|text| serde_json::from_str(&text).ok());
        let bytes = state.value("bytes")?;
        self.reopen(bytes).map_err(|error| self.failed("go on in", &error))
    }

    fn on_train_begin(&mut self, _: &mut dyn Training) -> Result<()> {
        self.check()?;
        self.columns = None;
        self.open().map_err(|error| self.failed("open", &error))
    }

    fn on_epoch_end(&mut self, epoch: usize, logs: &mut Logs, _: &mut dyn Training) -> Result<()> {
        self.write(epoch, logs).map_err(|error| self.failed("write to", &error))
    }

    fn on_train_end(&mut self, _: &Logs, _: &mut dyn Training) -> Result<()> {
        self.file = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, process};

    use serde_json::json;

    use super::*;
    use crate::callbacks::{
        ReduceLROnPlateau,
        testing::{Fake, case, replay},
    };

    /// A path of its own for each test, where there is no file yet.
    fn path(test: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("oxhorn-{}-{test}.csv", process::id()));
        let _ = fs::remove_file(&path);
        path
    }

    /// What a run of a recorded case leaves in the file.
    fn written(name: &str, callback: &mut dyn Callback, path: &PathBuf) -> String {
        let case = case("text/callbacks.json", name);
        let epochs = case["epochs"].as_u64().unwrap() as usize;
        replay(&case["history_of_last_fit"], epochs, callback).unwrap();
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn writes_the_file_that_keras_writes() {
        let path = path("keras");
        let reducing = ReduceLROnPlateau::default().patience(1);
        let with_learning_rate: Vec<Box<dyn Callback>> =
            vec![Box::new(reducing), Box::new(CSVLogger::new(&path))];
        let callbacks: [(&str, Box<dyn Callback>); 4] = [
            ("CSVLogger", Box::new(CSVLogger::new(&path))),
            ("CSVLogger without validation has val columns of NA", Box::new(CSVLogger::new(&path))),
            ("CSVLogger, separator", Box::new(CSVLogger::new(&path).separator(';'))),
            ("CSVLogger, with ReduceLROnPlateau before it", Box::new(with_learning_rate)),
        ];
        for (name, mut callback) in callbacks {
            let text = written(name, &mut callback, &path);
            assert_eq!(case("text/callbacks.json", name)["file"], text, "{name}");
        }
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn adds_to_a_file_without_naming_the_columns_again() {
        let (path, name) = (path("append"), "CSVLogger, append");
        let expected = case("text/callbacks.json", name)["file"].as_str().unwrap().to_owned();
        let lines: Vec<&str> = expected.split_inclusive("\r\n").collect();
        // Only the second fit is recorded in full; of the first there are the lines.
        fs::write(&path, lines[..3].concat()).unwrap();
        let mut callback = CSVLogger::new(&path).append();
        assert_eq!(written(name, &mut callback, &path), expected);
        fs::write(&path, "").unwrap();
        let text = written(name, &mut callback, &path);
        assert_eq!(text, lines[0].to_owned() + &lines[3..].concat());
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn replaces_the_file_of_an_earlier_run() {
        let (path, history) = (path("replace"), json!({ "a,\"b": [1e-5], "loss": ["nan"] }));
        let mut callback = CSVLogger::new(&path);
        for _ in 0..2 {
            replay(&history, 1, &mut callback).unwrap();
            let columns = "epoch,\"a,\"\"b\",loss,\"val_a,\"\"b\",val_loss";
            let expected = format!("{columns}\r\n0,1e-05,nan,NA,NA\r\n");
            assert_eq!(fs::read_to_string(&path).unwrap(), expected);
        }
        fs::remove_file(path).unwrap();
    }

    #[test]
    fn says_which_file_it_cannot_write() {
        let path = env::temp_dir().join("oxhorn-no-such-folder/log.csv");
        let error = CSVLogger::new(&path).on_train_begin(&mut Fake::default()).unwrap_err();
        let expected = format!("CSVLogger cannot open `{}`: ", path.display());
        assert!(error.message.starts_with(&expected), "{error}");
        let mut callback = CSVLogger::new(path).separator('\n');
        let error = callback.on_train_begin(&mut Fake::default()).unwrap_err();
        assert_eq!(error.message, "'\\n' cannot separate values");
        let error = callback.on_epoch_end(0, &mut Logs::new(), &mut Fake::default()).unwrap_err();
        assert!(error.message.ends_with("`on_train_begin` has not been called"), "{error}");
    }
}
