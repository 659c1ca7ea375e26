//! How much may be made of a file: numbers that follow from its own size.

use oxhorn_ir::{Result, ensure};

/// How many names of tensors, groups, attributes and members a file may have.
const NAMES_MAX: usize = 65_536;

/// How many bytes a name may have: paths are made of them, one for each level.
const NAME_BYTES_MAX: usize = 1_024;

/// What any file may be unpacked to, however small it is.
const FREE_BYTES: u64 = 32 << 20;
/// How often a file's own size it may be unpacked to: weights hardly shrink when compressed.
const EXPANSION_MAX: u64 = 2;

/// Checks the number of names in a file.
///
/// # Errors
///
/// If there are more than a model can need.
pub(crate) fn names(count: usize) -> Result<()> {
    ensure!(count <= NAMES_MAX, "the file has more than {NAMES_MAX} names of tensors and groups");
    Ok(())
}

/// Checks the length of a name.
///
/// # Errors
///
/// If nobody would call a tensor so.
pub(crate) fn name(bytes: usize) -> Result<()> {
    ensure!(
        bytes <= NAME_BYTES_MAX,
        "a name in the file has {bytes} bytes, more than {NAME_BYTES_MAX}"
    );
    Ok(())
}

/// How many bytes may still be made of a file.
pub(crate) struct Budget {
    file: u64,
    remaining: u64,
}

impl Budget {
    /// The budget of a file of so many bytes.
    pub(crate) fn of(file: usize) -> Budget {
        let file = file as u64;
        Budget { file, remaining: EXPANSION_MAX * file + FREE_BYTES }
    }

    /// Takes the bytes of a tensor or a member, before they are allocated.
    ///
    /// # Errors
    ///
    /// If the file would be unpacked to many times its size.
    pub(crate) fn take(&mut self, bytes: u64, what: &str) -> Result<()> {
        self.ensure(bytes, what)?;
        self.remaining -= bytes;
        Ok(())
    }

    /// Checks that so many bytes may be made for a while.
    ///
    /// # Errors
    ///
    /// As of [`Budget::take`].
    pub(crate) fn ensure(&self, bytes: u64, what: &str) -> Result<()> {
        ensure!(
            bytes <= self.remaining,
            "{what} declares {bytes} bytes, which is too much for a file of {} bytes", self.file;
            help: "weights in a file must not be compressed to less than a third of their size"
        );
        Ok(())
    }
}
