//! `Format`: the kinds of files there are, by name and by their first bytes.

use std::path::Path;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A model and its weights: [`crate::keras`].
    Keras,
    /// HDF5, of weights or of a whole model: [`crate::h5`].
    H5,
    /// NumPy's arrays: [`crate::npz`].
    Npz,
    /// Weights: [`crate::safetensors`].
    Safetensors,
}

impl Format {
    /// The format that a path names by its ending: `.keras`, `.h5` or `.hdf5`, `.npz`,
    /// `.safetensors`.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()? {
            "keras" => Some(Format::Keras),
            "h5" | "hdf5" => Some(Format::H5),
            "npz" => Some(Format::Npz),
            "safetensors" => Some(Format::Safetensors),
            _ => None,
        }
    }
}
