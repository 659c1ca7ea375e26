//! What Python hands over for a loop: where batches come from, and how the loop goes.

use std::{collections::HashSet, io, sync::Arc};

use oxhorn::{
    callbacks::Callback,
    data::{Data, Samples, Shuffle, Source},
    engine::{Key, Kind},
    fit::Frequency,
    looping::{FirstLook, Loop, Output},
    progress::{Screen, Verbosity},
    random::Randomness,
    state::State,
};
use pyo3::{
    exceptions::{PyKeyError, PyTypeError},
    prelude::*,
    types::PyDict,
};

use crate::{
    arrays::Held,
    callbacks::Callbacks,
    engine::Slot,
    errors::{carried, for_python},
    files,
    rates::Rate,
    stream::{self, Batches},
};

/// Where batches come from, held while a loop runs.
pub(crate) enum Feed<'py> {
    Arrays {
        held: HeldData<'py>,
        batch_size: usize,
        shuffle: Shuffle,
        steps: Option<usize>,
    },
    /// The first batch is a copy of what the stream will give first.
    Stream {
        stream: Option<(Batches, Data<'static>)>,
        steps: Option<usize>,
    },
}

/// The arrays of a call.
pub(crate) struct HeldData<'py> {
    x: Vec<Held<'py>>,
    y: Vec<Option<Held<'py>>>,
    sample_weight: Vec<Option<Held<'py>>>,
}

impl<'py> HeldData<'py> {
    fn read(feed: &Bound<'py, PyDict>) -> PyResult<HeldData<'py>> {
        let each = |key: &str| {
            let all = item(feed, key)?.extract::<Vec<Option<Bound<'py, PyAny>>>>()?;
            let held = all.iter().map(|array| array.as_ref().map(Held::of).transpose());
            held.collect::<PyResult<Vec<Option<Held<'py>>>>>()
        };
        let x = each("x")?.into_iter().flatten().collect();
        Ok(HeldData { x, y: each("y")?, sample_weight: each("sample_weight")? })
    }

    pub(crate) fn data(&self) -> Data<'_> {
        fn each<'s>(all: &'s [Option<Held<'_>>]) -> Vec<Option<Samples<'s>>> {
            all.iter().map(|held| held.as_ref().map(Held::samples)).collect()
        }
        Data {
            x: self.x.iter().map(Held::samples).collect(),
            y: each(&self.y),
            sample_weight: each(&self.sample_weight),
        }
    }
}

/// A source that another thread than Python's may take batches from.
pub(crate) enum Sendable<'a> {
    Arrays(Data<'a>, usize, Shuffle, Option<usize>),
    Stream(Batches, Data<'static>, Option<usize>),
}

impl<'py> Feed<'py> {
    /// Of the dictionary that `oxhorn/_data.py` makes.
    pub(crate) fn read(feed: &Bound<'py, PyDict>) -> PyResult<Feed<'py>> {
        let steps = item(feed, "steps")?.extract()?;
        if let Some(stream) = feed.get_item("stream")? {
            let first = stream::data(&item(feed, "first")?)?;
            return Ok(Feed::Stream { stream: Some((Batches::new(&stream)?, first)), steps });
        }
        let shuffle = match item(feed, "shuffle")?.extract::<String>()?.as_str() {
            "samples" => Shuffle::Samples,
            "batch" => Shuffle::Batch,
            "off" => Shuffle::Off,
            other => return Err(PyTypeError::new_err(format!("unknown shuffle: {other}"))),
        };
        let batch_size = item(feed, "batch_size")?.extract()?;
        Ok(Feed::Arrays { held: HeldData::read(feed)?, batch_size, shuffle, steps })
    }

    pub(crate) fn sendable(&mut self) -> PyResult<Sendable<'_>> {
        match self {
            Feed::Arrays { held, batch_size, shuffle, steps } => {
                Ok(Sendable::Arrays(held.data(), *batch_size, *shuffle, *steps))
            }
            Feed::Stream { stream, steps } => match stream.take() {
                Some((stream, first)) => Ok(Sendable::Stream(stream, first, *steps)),
                None => Err(PyTypeError::new_err("a stream of batches is used twice")),
            },
        }
    }
}

impl<'a> Sendable<'a> {
    pub(crate) fn source(self) -> oxhorn::Result<Source<'a>> {
        match self {
            Sendable::Arrays(data, batch_size, shuffle, steps) => {
                Ok(Source::arrays(data, batch_size, shuffle)?.steps(steps))
            }
            Sendable::Stream(stream, _, steps) => Ok(Source::stream(stream).steps(steps)),
        }
    }

    /// The program that takes the first batch.
    pub(crate) fn key(&self, kind: Kind) -> Key {
        match self {
            Sendable::Arrays(data, batch_size, ..) => {
                Key::new(kind, data, data.rows().min((*batch_size).max(1)))
            }
            Sendable::Stream(_, first, _) => Key::new(kind, first, first.rows()),
        }
    }
}

/// How a loop goes, as far as another thread than Python's may have it.
pub(crate) struct Settings {
    epochs: usize,
    initial_epoch: usize,
    steps_per_execution: usize,
    validation_freq: Frequency,
    first_look: FirstLook,
    verbosity: Verbosity,
    screen: Screen,
    /// Writes text where Python prints.
    write: Py<PyAny>,
    /// Gives a random order of so many samples.
    permute: Py<PyAny>,
    /// Gives names that another process has too, of paths.
    names: Py<PyAny>,
    /// Has the random streams behind the orders.
    streams: Py<PyAny>,
    callbacks: Option<Callbacks>,
    rates: Vec<Rate>,
}

impl Settings {
    /// Of the dictionary that `oxhorn/_training.py` makes.
    pub(crate) fn read(settings: &Bound<'_, PyDict>, slot: &Arc<Slot>) -> PyResult<Settings> {
        let frequency = item(settings, "validation_freq")?;
        let validation_freq = match frequency.extract::<usize>() {
            Ok(every) => Frequency::Every(every),
            Err(_) => Frequency::After(frequency.extract()?),
        };
        let first_look = if item(settings, "first_look")?.is_truthy()? {
            FirstLook::Due
        } else {
            FirstLook::Done
        };
        let verbosity =
            for_python(Verbosity::try_from(item(settings, "verbose")?.extract::<u8>()?))?;
        let screen =
            if item(settings, "terminal")?.is_truthy()? { Screen::Terminal } else { Screen::Plain };
        let hooks: HashSet<String> = item(settings, "hooks")?.extract()?;
        let stop = match item(settings, "stop")?.extract::<String>()?.as_str() {
            "stop_training" => "stop_training",
            "stop_evaluating" => "stop_evaluating",
            _ => "stop_predicting",
        };
        let (list, model) = (item(settings, "callbacks")?, item(settings, "model")?);
        let callbacks =
            Callbacks::new(list.unbind(), model.unbind(), stop, hooks, Arc::clone(slot));
        Ok(Settings {
            epochs: item(settings, "epochs")?.extract()?,
            initial_epoch: item(settings, "initial_epoch")?.extract()?,
            steps_per_execution: item(settings, "steps_per_execution")?.extract()?,
            validation_freq,
            first_look,
            verbosity,
            screen,
            write: item(settings, "write")?.unbind(),
            permute: item(settings, "permute")?.unbind(),
            names: item(settings, "names")?.unbind(),
            streams: item(settings, "streams")?.unbind(),
            callbacks: Some(callbacks),
            rates: Rate::all(settings)?,
        })
    }

    pub(crate) fn into_loop<'a>(self) -> Loop<'a> {
        let permute = self.permute;
        let permute = move |n: usize| {
            Python::attach(|py| permute.bind(py).call1((n,))?.extract()).map_err(carried)
        };
        let names = self.names;
        let names = move |paths: Vec<String>| {
            Python::attach(|py| names.bind(py).call1((paths,))?.extract()).map_err(carried)
        };
        // Python's callbacks see what rates have been set to, and so they come last.
        let mut callbacks: Vec<Box<dyn Callback>> = vec![];
        callbacks.extend(self.rates.into_iter().map(|rate| Box::new(rate.scheduler()) as _));
        callbacks.extend(self.callbacks.into_iter().map(|it| Box::new(it) as _));
        let write = Writer { write: self.write, pending: vec![] };
        Loop {
            epochs: self.epochs,
            initial_epoch: self.initial_epoch,
            steps_per_execution: self.steps_per_execution,
            validation_freq: self.validation_freq,
            callbacks,
            permute: Box::new(permute),
            random: Box::new(Streams(self.streams)),
            names: Box::new(names),
            first_look: self.first_look,
            verbosity: self.verbosity,
            output: Output::of(write),
            screen: self.screen,
            ..Loop::new()
        }
    }
}

/// The random streams of Python, behind an object that keeps them.
struct Streams(Py<PyAny>);

impl Randomness for Streams {
    fn state(&self) -> oxhorn::Result<State> {
        let state = Python::attach(|py| {
            files::state(self.0.bind(py).call_method0("state")?.cast::<PyDict>()?)
        });
        state.map_err(carried)
    }

    fn restore(&mut self, state: &State) -> oxhorn::Result<()> {
        let restored = Python::attach(|py| {
            let state = files::of_state(py, state)?;
            self.0.bind(py).call_method1("restore", (state,)).map(drop)
        });
        restored.map_err(carried)
    }
}

/// Prints where Python prints, a line or a drawing at a time.
struct Writer {
    write: Py<PyAny>,
    pending: Vec<u8>,
}

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if bytes.contains(&b'\n') {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.pending).into_owned();
        self.pending.clear();
        let written = Python::attach(|py| self.write.bind(py).call1((text,)).map(drop));
        written.map_err(|error| io::Error::other(carried(error)))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // What cannot be printed at the very end has nobody left to tell.
        io::Write::flush(self).ok();
    }
}

/// An entry of a dictionary that must be there.
pub(crate) fn item<'py>(dict: &Bound<'py, PyDict>, key: &str) -> PyResult<Bound<'py, PyAny>> {
    dict.get_item(key)?.ok_or_else(|| PyKeyError::new_err(key.to_owned()))
}
