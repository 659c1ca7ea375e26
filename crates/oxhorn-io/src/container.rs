//! ZIP files whose members are read into memory: sizes checked, names unique, nothing extracted.

use std::{
    collections::HashSet,
    io::{Cursor, Read, Write},
};

use memchr::memmem;
use oxhorn_ir::{Error, Result, ensure};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::limits;

/// What an entry of a ZIP's directory begins with.
const ENTRY: &[u8] = b"PK\x01\x02";

/// A ZIP file, not yet read.
pub(crate) struct Container<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    budget: limits::Budget,
}

impl<'a> Container<'a> {
    /// The ZIP in these bytes.
    ///
    /// # Errors
    ///
    /// If it is none, two members have one name or share bytes, or there are too many.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Container<'a>> {
        // Members are counted before the library makes room for them.
        limits::names(memmem::find_iter(bytes, ENTRY).count())?;
        let no_zip = |error| Error::new(format!("the ZIP cannot be read: {error}"));
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(no_zip)?;
        unique(bytes, archive.central_directory_start())?;
        let overlapping = archive.has_overlapping_files().map_err(no_zip)?;
        ensure!(!overlapping, "two members of the ZIP share bytes");
        Ok(Container { archive, budget: limits::Budget::of(bytes.len()) })
    }

    /// The names of all members, in the order of the ZIP's directory.
    pub(crate) fn names(&self) -> Vec<String> {
        self.archive.file_names().map(str::to_owned).collect()
    }

    /// All members with the sizes that they declare, in the order of the ZIP's directory.
    ///
    /// # Errors
    ///
    /// If the directory is damaged.
    pub(crate) fn sizes(&mut self) -> Result<Vec<(String, u64)>> {
        let members = (0..self.archive.len()).map(|index| {
            let member = self.archive.by_index_raw(index);
            let member =
                member.map_err(|error| Error::new(format!("the ZIP is damaged: {error}")))?;
            Ok((member.name().to_owned(), member.size()))
        });
        members.collect()
    }

    /// The bytes of a member, if there is one of that name.
    ///
    /// # Errors
    ///
    /// If it is encrypted, compressed by anything but deflate, of another size than it declares or
    /// another checksum, or all members together are too large for so small a file.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(index) = self.archive.index_for_name(name) else { return Ok(None) };
        let wrong = |what: &dyn std::fmt::Display| {
            Error::new(format!("member {name:?} of the ZIP cannot be read: {what}"))
        };
        let mut member = self.archive.by_index(index).map_err(|error| wrong(&error))?;
        let size = member.size();
        if member.compression() == CompressionMethod::Stored && member.compressed_size() != size {
            return Err(wrong(&format!("{} bytes are stored as {size}", member.compressed_size())));
        }
        self.budget.take(size, &format!("member {name:?} of the ZIP"))?;
        let mut bytes = Vec::with_capacity(size as usize);
        let mut bounded = (&mut member).take(size + 1);
        bounded.read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 != size {
            return Err(wrong(&format!("it declares {size} bytes, and has others")));
        }
        Ok(Some(bytes))
    }
}

/// Checks that no name is in the directory twice: of such members readers see different ones.
fn unique(bytes: &[u8], directory_at: u64) -> Result<()> {
    let mut rest = bytes.get(directory_at as usize..).unwrap_or_default();
    let mut names = HashSet::new();
    while let Some((head, behind)) = rest.split_at_checked(46)
        && head.starts_with(ENTRY)
    {
        let length = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]) as usize;
        let name = behind.get(..length(28)).unwrap_or_default();
        limits::name(name.len())?;
        ensure!(
            names.insert(name),
            "two members of the ZIP are called {:?}",
            String::from_utf8_lossy(name)
        );
        rest = behind.get(length(28) + length(30) + length(32)..).unwrap_or_default();
    }
    Ok(())
}

/// A ZIP of these members, uncompressed.
///
/// # Errors
///
/// If a name is too long.
pub(crate) fn write<'a>(members: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>> {
    let failed =
        |error: &dyn std::fmt::Display| Error::new(format!("the ZIP cannot be written: {error}"));
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        let large = bytes.len() > u32::MAX as usize;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(large);
        zip.start_file(name, options).map_err(|error| failed(&error))?;
        zip.write_all(bytes).map_err(|error| failed(&error))?;
    }
    Ok(zip.finish().map_err(|error| failed(&error))?.into_inner())
}
