//! ZIP files whose members are read into memory: sizes checked, names unique, nothing extracted.

use std::{
    collections::HashSet,
    io::{Cursor, Read, Write},
};

use bytes::Bytes;
use memchr::memmem;
use oxhorn_ir::{Error, Result, ensure};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

use crate::limits;

/// What an entry of a ZIP's directory begins with.
const ENTRY: &[u8] = b"PK\x01\x02";

/// A ZIP file, not yet read.
pub(crate) struct Container {
    bytes: Bytes,
    archive: ZipArchive<Cursor<Bytes>>,
    budget: limits::Budget,
}

impl Container {
    /// The ZIP in these bytes.
    ///
    /// # Errors
    ///
    /// If it is none, two members have one name or share bytes, or there are too many.
    pub(crate) fn new(bytes: Bytes) -> Result<Container> {
        // Members are counted before the library makes room for them.
        limits::names(memmem::find_iter(&bytes, ENTRY).count())?;
        let no_zip = |error| Error::new(format!("the ZIP cannot be read: {error}"));
        let mut archive = ZipArchive::new(Cursor::new(bytes.clone())).map_err(no_zip)?;
        unique(&bytes, archive.central_directory_start())?;
        let overlapping = archive.has_overlapping_files().map_err(no_zip)?;
        ensure!(!overlapping, "two members of the ZIP share bytes");
        let budget = limits::Budget::of(bytes.len());
        Ok(Container { bytes, archive, budget })
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
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Bytes>> {
        let Some(index) = self.archive.index_for_name(name) else { return Ok(None) };
        let wrong = |what: &dyn std::fmt::Display| {
            Error::new(format!("member {name:?} of the ZIP cannot be read: {what}"))
        };
        let mut member = self.archive.by_index(index).map_err(|error| wrong(&error))?;
        let size = member.size();
        if member.compression() == CompressionMethod::Stored {
            let start = member.data_start() as usize;
            let stored = start.checked_add(member.compressed_size() as usize);
            let stored = stored.and_then(|end| self.bytes.get(start..end));
            return match stored {
                Some(piece) if piece.len() as u64 != size => {
                    Err(wrong(&format!("{} bytes are stored as {size}", piece.len())))
                }
                Some(piece) if crc32fast::hash(piece) == member.crc32() => {
                    Ok(Some(self.bytes.slice_ref(piece)))
                }
                _ => Err(wrong(&"its checksum is another")),
            };
        }
        self.budget.take(size, &format!("member {name:?} of the ZIP"))?;
        let mut bytes = Vec::with_capacity(size as usize);
        let mut bounded = (&mut member).take(size + 1);
        bounded.read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
        if bytes.len() as u64 != size {
            return Err(wrong(&format!("it declares {size} bytes, and has others")));
        }
        Ok(Some(bytes.into()))
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

/// A ZIP that is being written, whose members are not compressed.
pub(crate) struct Writer(ZipWriter<Cursor<Vec<u8>>>);

impl Writer {
    /// An empty ZIP, with room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Writer {
        Writer(ZipWriter::new(Cursor::new(Vec::with_capacity(bytes))))
    }

    /// Adds a member, which `write` writes: of about so many bytes.
    ///
    /// # Errors
    ///
    /// If the name is too long, or `write` fails.
    pub(crate) fn member(
        &mut self,
        name: &str,
        bytes: usize,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<()> {
        // Half of what the smaller form has room for: what is said is no more than about right.
        let large = bytes > (u32::MAX / 2) as usize;
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .large_file(large);
        self.0.start_file(name, options).map_err(|error| unwritten(&error))?;
        write(&mut self.0)
    }

    /// Adds a member of these bytes.
    ///
    /// # Errors
    ///
    /// If the name is too long.
    pub(crate) fn bytes(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let write = |to: &mut dyn Write| to.write_all(bytes).map_err(|error| unwritten(&error));
        self.member(name, bytes.len(), write)
    }

    /// The whole ZIP.
    ///
    /// # Errors
    ///
    /// If there are more members than a ZIP has room for.
    pub(crate) fn finish(self) -> Result<Vec<u8>> {
        Ok(self.0.finish().map_err(|error| unwritten(&error))?.into_inner())
    }
}

fn unwritten(error: &dyn std::fmt::Display) -> Error {
    Error::new(format!("the ZIP cannot be written: {error}"))
}
