//! NumPy's `.npz`: a ZIP with one `.npy` for each tensor.

use oxhorn_ir::Result;

use crate::Tensors;

/// The tensors in an NPZ file, by the names of its members without `.npy`.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), is no NPZ, has two
/// members of one name, declares more than it holds, or has elements that are no numbers, such as
/// pickled Python objects.
pub fn read(bytes: &[u8]) -> Result<Tensors> {
    let _ = bytes;
    Err(oxhorn_ir::Error::new("reading NPZ is not there yet"))
}

/// An NPZ file, uncompressed and sealed, which `numpy.load` reads.
///
/// # Errors
///
/// If a tensor is of bfloat16, which NumPy lacks.
pub fn write(tensors: &Tensors) -> Result<Vec<u8>> {
    let _ = tensors;
    Err(oxhorn_ir::Error::new("writing NPZ is not there yet"))
}
