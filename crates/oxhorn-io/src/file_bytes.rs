//! `FileBytes`: all bytes of a file, of which tensors are pieces.

use bytes::Bytes;

/// All bytes of a file, as readers take them.
///
/// Those of a `Vec<u8>` are taken over; those that are borrowed are copied. Tensors that are read
/// are pieces of them, where the file has their elements as they are.
#[derive(Clone, Debug, Default)]
pub struct FileBytes(pub(crate) Bytes);

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> FileBytes {
        FileBytes(bytes.into())
    }
}

impl From<&Vec<u8>> for FileBytes {
    fn from(bytes: &Vec<u8>) -> FileBytes {
        bytes.as_slice().into()
    }
}

impl From<&[u8]> for FileBytes {
    fn from(bytes: &[u8]) -> FileBytes {
        FileBytes(Bytes::copy_from_slice(bytes))
    }
}
