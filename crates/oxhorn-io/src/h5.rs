//! HDF5, as far as Keras uses it: groups, attributes and plain tensors.

use oxhorn_ir::Result;

use crate::Group;

/// The tree in a file of HDF5, in the order of names.
///
/// Tensors may be contiguous, compact or chunked, and compressed by gzip, with or without shuffling.
/// A tensor of bfloat16 is one of opaque elements of two bytes, with the attribute `dtype`.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), is no HDF5, is damaged,
/// declares more than it holds, or has what is refused by name: links to other files and to other
/// members, virtual datasets, storage in other files, elements that are no numbers.
pub fn read(bytes: &[u8]) -> Result<Group> {
    let _ = bytes;
    Err(oxhorn_ir::Error::new("reading HDF5 is not there yet"))
}

/// A file of HDF5 as Keras writes it: contiguous, uncompressed, with a seal behind it.
///
/// # Errors
///
/// If the tree is deeper than [`DEPTH_MAX`].
pub fn write(root: &Group) -> Result<Vec<u8>> {
    let _ = root;
    Err(oxhorn_ir::Error::new("writing HDF5 is not there yet"))
}

/// How deep groups may be nested.
pub const DEPTH_MAX: usize = 64;
