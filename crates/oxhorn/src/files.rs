//! Models in files: Keras' own, which Keras reads as well, and weights in the formats of others.

mod convert;
mod layout;
mod legacy;

use std::path::Path;

use oxhorn_io::{
    Format, Group, disk, h5,
    keras::{self, Archive},
    npz, safetensors,
};
use oxhorn_ir::{Error, Result, ensure};
use oxhorn_nn::Json;
use serde_json::json;

pub use self::layout::Mismatch;
use self::layout::{Kept, Names, OWN, Place};
use crate::{
    Compile, Sequential,
    engine::Engine,
    random::{Randomness, Source},
    state::State,
};

/// The release of Keras whose files these are.
const KERAS_VERSION: &str = "3.15.1";

/// The layout of what we keep beside what Keras keeps; another layout is another number.
const LAYOUT: u64 = 1;

/// Scopes of what we keep: of the engine, and of streams that are the model's own.
const ENGINE: &str = "engine";
const RANDOM: &str = "random";

/// What is saved of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// All of it.
    Model,
    /// The weights, and what the optimizer keeps.
    Weights,
}

/// Saves what an engine holds, for callbacks, which know no models.
pub trait Save {
    /// Saves it as of now.
    ///
    /// # Errors
    ///
    /// If the path names no format for that, or the file cannot be written.
    fn save(&self, engine: &Engine, path: &Path, contents: Contents) -> Result<()>;
}

/// All that a file says of a model besides what its engine holds.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) names: Names,
    /// The model as Keras describes it, with its `compile_config`.
    pub(crate) config: Json,
    /// What Keras does not know of it.
    facts: Json,
    random: Source,
}

impl Sequential {
    /// Writes the model to a file: layers, weights, what it was compiled with, what the optimizer
    /// keeps, and random states, so that [`Sequential::load`] gives a model that goes on as this
    /// one would.
    ///
    /// A path that ends in `.keras` becomes Keras' archive, one in `.h5` or `.hdf5` Keras' older
    /// format, which has no place for random states. Keras 3.15 loads both. The file that was there
    /// is replaced when the new one is whole, and the new one has a checksum over all of its bytes.
    ///
    /// ```no_run
    /// # use oxhorn::prelude::*;
    /// # fn main() -> oxhorn::Result<()> {
    /// # let model = Sequential::new().add(Dense::new(3).input_dim(4));
    /// model.save("model.keras")?;
    /// let again = Sequential::load("model.keras")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the model has not been built, the path has another ending, or cannot be written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.description()?.save(self.built()?, path.as_ref(), Contents::Model)
    }

    /// The model in a file that [`Sequential::save`] or Keras has written, compiled as it was.
    ///
    /// Nothing in a file is ever run, and no other file is opened: layers that are Python code are
    /// refused by their names.
    ///
    /// # Errors
    ///
    /// If the file is not whole, was changed since it was written here, is no sequential model, or
    /// has a layer or a setting that there is not here.
    pub fn load(path: impl AsRef<Path>) -> Result<Sequential> {
        load(path.as_ref(), Compiling::AsSaved)
    }

    /// The same, not compiled, whatever it was compiled with: Keras' `compile=False`. For models
    /// that are to predict, and whose loss or metrics there may not be here.
    ///
    /// # Errors
    ///
    /// As [`Sequential::load`].
    pub fn load_uncompiled(path: impl AsRef<Path>) -> Result<Sequential> {
        load(path.as_ref(), Compiling::Never)
    }

    /// Writes the weights, and what optimizer and seed generators keep, to a file, in the format
    /// that the path's ending names: `.weights.h5` as Keras does, `.h5` in Keras' older format,
    /// without the optimizer and the seeds, `.npz` or `.safetensors`.
    ///
    /// In `.npz` and `.safetensors`, tensors have the names that they have in Keras' files:
    /// `layers/dense_1/vars/0`.
    ///
    /// # Errors
    ///
    /// As [`Sequential::save`].
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        self.description()?.save(self.built()?, path.as_ref(), Contents::Weights)
    }

    /// Gives the model the weights of a file, of a model of the same layers: any file that
    /// [`Sequential::save_weights`] or [`Sequential::save`] writes, or that Keras does. If the
    /// model is compiled with the optimizer that the file is of, that goes on too.
    ///
    /// # Errors
    ///
    /// If the model has not been built, or the file does not fit it. Then it is as it was.
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.load_weights_with(path, Mismatch::Refuse).map(drop)
    }

    /// [`Sequential::load_weights`] that may leave out layers for which the file has other
    /// weights; the reasons for those that were.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn load_weights_with(
        &mut self,
        path: impl AsRef<Path>,
        mismatch: Mismatch,
    ) -> Result<Vec<String>> {
        let path = path.as_ref();
        let names = self.names();
        self.built()?;
        let root = weights_in(path)?;
        let engine = self.engine_mut()?;
        let taken = match legacy::is_legacy(&root) {
            true => legacy::read(&root, &names, engine, mismatch),
            false => layout::read(&root, &layout::layers(&names, engine), engine, mismatch),
        };
        let read = taken.map_err(|error| in_file(error, path))?;
        engine.give(read.variables)?;
        if !legacy::is_legacy(&root) {
            take_optimizer(engine, &root)?;
            take_seeds(engine, &root)?;
        }
        Ok(read.skipped.iter().map(|error| error.message.clone()).collect())
    }

    fn names(&self) -> Names {
        let layers = self.layers().iter();
        let layers = layers.map(|(name, layer)| (name.clone(), layer.class_name()));
        Names { model: self.title().to_owned(), layers: layers.collect() }
    }

    /// What a file says of this model.
    pub(crate) fn description(&self) -> Result<Description> {
        let mut config = self.to_json();
        let inputs = self.built()?.inputs();
        let shape = inputs.first().map_or(&[][..], |ty| ty.shape.get(1..).unwrap_or_default());
        let shape: Vec<Option<usize>> =
            [None].into_iter().chain(shape.iter().copied().map(Some)).collect();
        config["config"]["build_input_shape"] = json!(shape);
        config["build_config"] = json!({ "input_shape": shape });
        let mut compiled = self.compile_config().unwrap_or_default();
        // Keras would pass them on to its own `compile`, which knows none.
        let techniques = compiled.as_object_mut().and_then(|it| it.shift_remove("techniques"));
        if !compiled.is_null() {
            config["compile_config"] = compiled;
        }
        let facts = json!({
            "oxhorn": env!("CARGO_PKG_VERSION"), "layout": LAYOUT,
            "techniques": techniques, "fresh": self.fresh, "notes": self.notes,
        });
        Ok(Description { names: self.names(), config, facts, random: self.random.clone() })
    }
}

impl Save for Description {
    fn save(&self, engine: &Engine, path: &Path, contents: Contents) -> Result<()> {
        let bytes = match (contents, Format::of(path)) {
            (Contents::Model, Some(Format::Keras)) => keras::write(&self.archive(engine)?)?,
            (Contents::Model, Some(Format::H5)) => h5::write(&legacy::model(self, engine)?)?,
            (Contents::Model, _) => return Err(no_model(path)),
            (Contents::Weights, Some(Format::H5)) if !is_weights(path) => {
                h5::write(&legacy::weights(&self.names, engine)?)?
            }
            (Contents::Weights, Some(Format::H5)) => h5::write(&self.seeded_tree(engine)?)?,
            (Contents::Weights, Some(Format::Npz)) => {
                npz::write(&self.seeded_tree(engine)?.flatten())?
            }
            (Contents::Weights, Some(Format::Safetensors)) => {
                let tensors = self.seeded_tree(engine)?.flatten();
                let contents = safetensors::Contents { tensors, ..Default::default() };
                safetensors::write(&contents)?
            }
            (Contents::Weights, _) => return Err(no_weights(path)),
        };
        disk::replace(path, &bytes)
    }
}

impl Description {
    fn archive(&self, engine: &Engine) -> Result<Archive> {
        let mut state = State::new().with_part(ENGINE, engine.extras()?);
        if !matches!(self.random, Source::Process) {
            state.set_part(RANDOM, self.random.state()?);
        }
        Ok(Archive {
            metadata: json!({ "keras_version": KERAS_VERSION }),
            config: self.config.clone(),
            weights: self.tree(engine)?,
            state: Some(keras::State {
                facts: self.facts.clone(),
                tensors: state.into_entries().collect(),
            }),
        })
    }

    /// Weights and optimizer as Keras keeps them.
    fn tree(&self, engine: &Engine) -> Result<Group> {
        let mut root = Group::default();
        layout::write(&mut root, &layout::layers(&self.names, engine), engine)?;
        layout::write(&mut root, &layout::optimizer(engine), engine)?;
        Ok(root)
    }

    /// The same, and the states of seed generators where Keras does not look.
    fn seeded_tree(&self, engine: &Engine) -> Result<Group> {
        let mut root = self.tree(engine)?;
        for seed in engine.variables().into_iter().filter(|it| it.is_seed()) {
            root.insert(&format!("{OWN}/{}", seed.path), engine.tensor(&seed.path)?)?;
        }
        Ok(root)
    }
}

/// Whether a model that is loaded is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compiling {
    /// If the one that was saved was.
    AsSaved,
    /// It is not.
    Never,
}

fn load(path: &Path, compiling: Compiling) -> Result<Sequential> {
    let bytes = disk::read(path)?;
    let model = match Format::of(path) {
        Some(Format::Keras) => {
            keras::read(bytes).and_then(|archive| of_archive(archive, compiling))
        }
        Some(Format::H5) => h5::read(bytes).and_then(|root| legacy::load(&root, compiling)),
        _ => return Err(no_model(path)),
    };
    model.map_err(|error| in_file(error, path))
}

/// The model in Keras' archive.
fn of_archive(archive: Archive, compiling: Compiling) -> Result<Sequential> {
    let Archive { mut config, weights, state, .. } = archive;
    if compiling == Compiling::Never {
        config["compile_config"].take();
    }
    if let Some(state) = &state {
        let layout = state.facts["layout"].as_u64();
        ensure!(
            layout == Some(LAYOUT),
            "the random state in the file is of layout {}, known is {LAYOUT}",
            state.facts["layout"];
            help: "it was written by another release; that one can load it"
        );
        if config["compile_config"].is_object() && !state.facts["techniques"].is_null() {
            config["compile_config"]["techniques"] = state.facts["techniques"].clone();
        }
    }
    let mut model = Sequential::new().described(&config)?;
    if let Some(shape) = model.known_input()? {
        let mut engine = model.declared(&shape)?;
        let places = layout::layers(&model.names(), &engine);
        let read = layout::read(&weights, &places, &engine, Mismatch::Refuse)?;
        engine.give(read.variables)?;
        model.engine = Some(engine);
    } else {
        let layers = weights.group("layers").map(Group::flatten).unwrap_or_default();
        ensure!(
            layers.is_empty(),
            "the file has weights, but does not say what shape the model's input has"
        );
    }
    if config["compile_config"].is_object() {
        model.compile_with(Compile::from_json(&config["compile_config"])?)?;
    }
    if let Some(engine) = &mut model.engine {
        take_optimizer(engine, &weights)?;
    }
    if let Some(state) = state {
        let fresh = state.facts["fresh"].as_bool();
        model.notes = state.facts["notes"].clone();
        model.take_state(&state.tensors.into_iter().collect())?;
        model.fresh = fresh.unwrap_or(true);
    }
    Ok(model)
}

impl Sequential {
    /// Takes what Keras' files have no place for.
    fn take_state(&mut self, state: &State) -> Result<()> {
        if let Some(engine) = &mut self.engine {
            engine.take_extras(&state.part(ENGINE))?;
        }
        let random = state.part(RANDOM);
        if !random.is_empty() {
            let mut source = match random.find::<usize>("seed")? {
                Some(seed) => Source::by_path(seed.try_into().unwrap_or_default()),
                None => Source::seeded(0),
            };
            source.restore(&random)?;
            if let Some(engine) = &mut self.engine {
                engine.set_random(source.clone());
            }
            self.random = source;
        }
        Ok(())
    }
}

/// Lets the optimizer go on from what a file has of it, if it has the state of such an optimizer.
fn take_optimizer(engine: &mut Engine, root: &Group) -> Result<()> {
    if engine.objective().is_none() || root.group("optimizer/vars").is_none() {
        return Ok(());
    }
    // Of an optimizer that has taken no step there may be no more than a count and a rate.
    let unused = layout::optimizer_without_steps(engine);
    let steps = root.tensor("optimizer/vars/0").map(convert::numbers).transpose()?;
    let mut read = layout::read(root, &unused, engine, Mismatch::Skip)?;
    if !read.skipped.is_empty() || steps.is_some_and(|steps| steps != [0.0]) {
        engine.declare_optimizer()?;
        read = layout::read(root, &layout::optimizer(engine), engine, Mismatch::Skip)?;
    }
    if let Some(error) = read.skipped.first() {
        eprintln!("warning: the state of the optimizer was not loaded: {}", error.message);
        return Ok(());
    }
    engine.give(read.variables)?;
    read.numbers.iter().try_for_each(|(path, value)| engine.set_number(path, *value))
}

/// Lets seed generators go on from where they were, if the file says where.
fn take_seeds(engine: &mut Engine, root: &Group) -> Result<()> {
    let seeds = engine.variables().into_iter().filter(|it| it.is_seed());
    let kept = seeds.filter_map(|seed| {
        let tensor = root.tensor(&format!("{OWN}/{}", seed.path))?;
        Some((seed.path, tensor.clone()))
    });
    engine.give(kept.collect())
}

/// The tree of weights in any file that has one.
fn weights_in(path: &Path) -> Result<Group> {
    let bytes = disk::read(path)?;
    let root = match Format::of(path) {
        Some(Format::Keras) => keras::read(bytes).map(|archive| archive.weights),
        Some(Format::H5) => h5::read(bytes),
        Some(Format::Npz) => npz::read(bytes).and_then(Group::unflatten),
        Some(Format::Safetensors) => {
            safetensors::read(bytes).and_then(|contents| Group::unflatten(contents.tensors))
        }
        None => return Err(no_weights(path)),
    };
    root.map_err(|error| in_file(error, path))
}

/// Whether the path is one of Keras' files of weights.
fn is_weights(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".weights.h5"))
}

fn in_file(error: Error, path: &Path) -> Error {
    let origin = error.origin.iter().cloned();
    let origin: Vec<String> = [path.display().to_string()].into_iter().chain(origin).collect();
    Error { origin: Some(origin.join(", ")), ..error }
}

fn no_model(path: &Path) -> Error {
    Error::new(format!(
        "Invalid filepath extension for saving. Please add either a `.keras` extension for the \
         native Keras format (recommended) or a `.h5` extension. Received: filepath={}",
        path.display()
    ))
    .help("weights alone are saved and loaded by `save_weights` and `load_weights`")
}

fn no_weights(path: &Path) -> Error {
    Error::new(format!(
        "The filename must end in `.weights.h5`. Received: filepath={}",
        path.display()
    ))
    .help("`.npz`, `.safetensors` and `.h5` will do as well")
}
