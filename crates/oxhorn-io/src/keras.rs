//! Keras' archive, `.keras`: a model's config and weights in one ZIP, and what a resumed run needs.

use oxhorn_ir::{Error, Result, ensure};
use serde_json::Value;

use crate::{
    FileBytes, Format, Group, Tensors, config,
    container::{Container, Writer},
    h5, npz,
    safetensors::{self, Contents},
    seal::{self, Seal},
};

const METADATA: &str = "metadata.json";
const CONFIG: &str = "config.json";
const WEIGHTS_H5: &str = "model.weights.h5";
const WEIGHTS_NPZ: &str = "model.weights.npz";
/// What an archive usually takes besides its weights.
const ROOM: usize = 64 << 10;
/// Where our own members lie.
const OURS: &str = "oxhorn/";
const FACTS: &str = "oxhorn/state.json";
const ARRAYS: &str = "oxhorn/state.safetensors";

/// What is in a `.keras` file.
///
/// | member of the ZIP | |
/// |---|---|
/// | `metadata.json` | `metadata` |
/// | `config.json` | `config` |
/// | `model.weights.h5`, or `.npz` when read | `weights` |
/// | `oxhorn/state.json`, `oxhorn/state.safetensors` | `state`, if there is one |
#[derive(Clone, Debug, PartialEq)]
pub struct Archive {
    /// `{"keras_version": "3.15.1", "date_saved": "2026-11-23@07:59:42"}`.
    pub metadata: Value,
    /// The model, as Keras describes objects.
    pub config: Value,
    /// Weights of the model and of its optimizer.
    pub weights: Group,
    /// What Keras does not keep: random state, and where a run stands.
    pub state: Option<State>,
}

/// What a run is, besides its weights, in members that Keras does not look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// Whatever is not an array. JSON has no NaN and no infinity: such numbers belong to `tensors`.
    pub facts: Value,
    /// Arrays, to the bit.
    pub tensors: Tensors,
}

/// The archive in a `.keras` file.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), is no ZIP, has two
/// members of one name, lacks one, holds more than it has bytes for, or a member is refused by its
/// own reader.
pub fn read(bytes: impl Into<FileBytes>) -> Result<Archive> {
    let FileBytes(bytes) = bytes.into();
    let seal = seal::check(&bytes, Format::Keras)?;
    let mut zip = Container::new(bytes)?;
    let names = zip.names();
    let asset = names.iter().find(|it| it.starts_with("assets/") && !it.ends_with('/'));
    if let Some(asset) = asset {
        let message = format!("the archive holds {asset:?}, for a layer that there is not here");
        return Err(Error::new(message));
    }
    // State is never written without a seal: one that lost it is no state to go on from.
    let ours = names.iter().any(|it| it.starts_with(OURS));
    ensure!(
        !ours || seal != Seal::Absent,
        "the archive has lost its checksum since it was written"
    );
    let metadata = json(&mut zip, METADATA)?;
    let config = json(&mut zip, CONFIG)?;
    let state = match zip.read(FACTS)? {
        None => None,
        Some(facts) => {
            let facts = config::parse(&facts).map_err(|error| error.at(FACTS))?;
            let arrays = zip.read(ARRAYS)?.ok_or_else(|| missing(ARRAYS))?;
            let tensors = safetensors::decode(arrays).map_err(|error| error.at(ARRAYS))?.tensors;
            Some(State { facts, tensors })
        }
    };
    Ok(Archive { metadata, config, weights: weights(&mut zip)?, state })
}

/// The members of the ZIP that a `.keras` or `.npz` file is, with their sizes in bytes.
///
/// # Errors
///
/// If it is no ZIP, or has two members of one name.
pub fn members(bytes: impl Into<FileBytes>) -> Result<Vec<(String, u64)>> {
    Container::new(bytes.into().0)?.sizes()
}

/// A `.keras` file, sealed, which Keras can load.
///
/// # Errors
///
/// If the weights cannot be written as HDF5.
pub fn write(archive: &Archive) -> Result<Vec<u8>> {
    let text = |value: &Value| value.to_string().into_bytes();
    let size = h5::size(&archive.weights);
    let mut zip = Writer::new(size + ROOM);
    zip.bytes(METADATA, &text(&archive.metadata))?;
    zip.bytes(CONFIG, &text(&archive.config))?;
    zip.member(WEIGHTS_H5, size, |to| h5::encode(&archive.weights, to))?;
    if let Some(state) = &archive.state {
        let arrays = Contents { tensors: state.tensors.clone(), ..Contents::default() };
        zip.bytes(FACTS, &text(&state.facts))?;
        zip.bytes(ARRAYS, &safetensors::encode(&arrays, b"{")?)?;
    }
    Ok(seal::seal_zip(zip.finish()?))
}

fn json(zip: &mut Container, name: &str) -> Result<Value> {
    let bytes = zip.read(name)?.ok_or_else(|| missing(name))?;
    config::parse(&bytes).map_err(|error| error.at(name))
}

fn weights(zip: &mut Container) -> Result<Group> {
    if let Some(bytes) = zip.read(WEIGHTS_H5)? {
        return h5::decode(bytes).map_err(|error| error.at(WEIGHTS_H5));
    }
    let bytes = zip.read(WEIGHTS_NPZ)?.ok_or_else(|| missing(WEIGHTS_H5))?;
    let tensors = npz::decode(bytes).map_err(|error| error.at(WEIGHTS_NPZ))?;
    Group::unflatten(tensors).map_err(|error| error.at(WEIGHTS_NPZ))
}

fn missing(name: &str) -> Error {
    Error::new(format!("the archive has no member `{name}`"))
        .help("a `.keras` file is a ZIP with `metadata.json`, `config.json` and weights")
}
