//! A training run that is none, for the tests of callbacks: it replays recorded numbers.

use oxhorn_cpu::Weights;
use oxhorn_ir::{DType, Error, Result, Type};
use serde_json::Value;

use super::{Callback, Direction, Snapshot, Training};
use crate::history::{History, Logs, Params};

/// Keeps what callbacks do to it.
#[derive(Debug)]
pub(crate) struct Fake {
    pub(crate) printed: String,
    pub(crate) learning_rate: f32,
    pub(crate) stopped: Stopped,
    /// The weights are one number: the epochs that have passed.
    pub(crate) weight: i64,
    /// The numbers of the epochs as callbacks leave them.
    pub(crate) history: History,
}

/// Whether a callback has ended the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    Yes,
    No,
}

impl Default for Fake {
    fn default() -> Fake {
        let (printed, history) = (String::new(), History::default());
        Fake { printed, learning_rate: 0.1, stopped: Stopped::No, weight: 0, history }
    }
}

impl Training for Fake {
    fn params(&self) -> Params {
        Params::default()
    }

    fn stop(&mut self) {
        self.stopped = Stopped::Yes;
    }

    fn learning_rate(&self) -> Result<f64> {
        Ok(self.learning_rate.into())
    }

    fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        self.learning_rate = learning_rate as f32;
        Ok(())
    }

    fn weights(&self) -> Snapshot {
        let mut weights = Weights::new([("weight".to_owned(), Type::new(DType::I64, []))]);
        weights.slice_mut::<i64>("weight").unwrap()[0] = self.weight;
        Snapshot { weights }
    }

    fn restore(&mut self, weights: &Snapshot) -> Result<()> {
        self.weight = weights.weights.slice::<i64>("weight")?[0];
        Ok(())
    }

    fn numbers(&self) -> Vec<(String, f64)> {
        vec![]
    }

    fn set_number(&mut self, path: &str, _: f64) -> Result<()> {
        Err(Error::new(format!("there is no number `{path}`")))
    }

    fn direction(&self, metric: &str) -> Option<Direction> {
        match metric {
            "accuracy" => Some(Direction::Up),
            "mae" => Some(Direction::Down),
            _ => None,
        }
    }

    fn print(&mut self, line: &str) -> Result<()> {
        self.printed += line;
        self.printed += "\n";
        Ok(())
    }
}

/// A file of recordings from Keras.
pub(crate) fn golden(path: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../golden/");
    serde_json::from_str(&std::fs::read_to_string(root.to_owned() + path).unwrap()).unwrap()
}

/// The recorded case of that name.
pub(crate) fn case(path: &str, name: &str) -> Value {
    let golden = golden(path);
    let mut cases = golden["cases"].as_array().unwrap().iter();
    cases.find(|case| case["name"] == name).unwrap_or_else(|| panic!("no case {name}")).clone()
}

/// What a callback does in a run of so many epochs with the recorded numbers, which must last until
/// it stops.
pub(crate) fn replay(history: &Value, epochs: usize, callback: &mut dyn Callback) -> Result<Fake> {
    let (mut fake, mut logs) = (Fake::default(), Logs::new());
    callback.on_train_begin(&mut fake)?;
    for epoch in 0..epochs {
        callback.on_epoch_begin(epoch, &mut fake)?;
        fake.weight += 1;
        let recorded = history.as_object().unwrap().iter();
        let measured = recorded.filter(|(name, _)| *name != "learning_rate");
        logs = measured.map(|(name, values)| (name, number(&values[epoch]))).collect();
        callback.on_epoch_end(epoch, &mut logs, &mut fake)?;
        fake.history.record(epoch, &logs);
        if fake.stopped == Stopped::Yes {
            break;
        }
    }
    callback.on_train_end(&logs, &mut fake)?;
    Ok(fake)
}

/// A recorded number.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{value}"))
}

/// The recorded numbers of that name.
pub(crate) fn numbers(history: &Value, name: &str) -> Vec<f64> {
    history[name].as_array().unwrap().iter().map(number).collect()
}
