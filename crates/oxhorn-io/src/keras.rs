//! Keras' archive, `.keras`: config and weights of a model in one ZIP, and what a resumed run needs.

use oxhorn_ir::Result;
use serde_json::Value;

use crate::{Group, Tensors};

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
pub fn read(bytes: &[u8]) -> Result<Archive> {
    let _ = bytes;
    Err(oxhorn_ir::Error::new("reading `.keras` is not there yet"))
}

/// A `.keras` file, sealed, which Keras can load.
///
/// # Errors
///
/// If the weights cannot be written as HDF5.
pub fn write(archive: &Archive) -> Result<Vec<u8>> {
    let _ = archive;
    Err(oxhorn_ir::Error::new("writing `.keras` is not there yet"))
}
