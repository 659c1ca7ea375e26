//! Object headers of HDF5: the messages that say what a group or a tensor is.

use std::collections::HashSet;

use oxhorn_ir::{Error, Result, ensure};

/// An address that stands for none.
const UNDEFINED: u64 = u64::MAX;

/// A file of HDF5 as bytes, of which every read is checked.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

/// What an object header says, one message.
pub(crate) struct Message<'a> {
    /// What the message is about.
    pub(crate) kind: u16,
    /// Its content.
    pub(crate) body: Bytes<'a>,
}

/// Kinds of messages.
pub(crate) mod kind {
    pub(crate) const DATASPACE: u16 = 0x01;
    pub(crate) const LINK_INFO: u16 = 0x02;
    pub(crate) const DATATYPE: u16 = 0x03;
    pub(crate) const LINK: u16 = 0x06;
    pub(crate) const EXTERNAL: u16 = 0x07;
    pub(crate) const LAYOUT: u16 = 0x08;
    pub(crate) const FILTERS: u16 = 0x0b;
    pub(crate) const ATTRIBUTE: u16 = 0x0c;
    pub(crate) const CONTINUATION: u16 = 0x10;
    pub(crate) const SYMBOL_TABLE: u16 = 0x11;
    pub(crate) const ATTRIBUTE_INFO: u16 = 0x15;
}

impl<'a> Bytes<'a> {
    /// The bytes from `at` on, `length` of them.
    pub(crate) fn slice(self, at: u64, length: u64) -> Result<Bytes<'a>> {
        let range = at.checked_add(length).map(|end| at as usize..end as usize);
        let slice = range.and_then(|range| self.0.get(range));
        slice.map(Bytes).ok_or_else(|| damaged("something lies behind the end of the file"))
    }

    /// An unsigned number of so many bytes, little-endian.
    pub(crate) fn number(self, at: u64, bytes: u64) -> Result<u64> {
        let slice = self.slice(at, bytes)?.0;
        Ok(slice.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// An address, if it is not the one that stands for none.
    pub(crate) fn address(self, at: u64) -> Result<Option<u64>> {
        Ok(Some(self.number(at, 8)?).filter(|address| *address != UNDEFINED))
    }

    /// Checks a signature of four bytes.
    pub(crate) fn signature(self, at: u64, signature: &[u8; 4]) -> Result<()> {
        let found = self.slice(at, 4)?.0;
        ensure!(found == signature, "the HDF5 is damaged: a block is not what it should be");
        Ok(())
    }

    pub(crate) fn len(self) -> u64 {
        self.0.len() as u64
    }
}

/// An error about a file that is no proper HDF5.
pub(crate) fn damaged(what: &str) -> Error {
    Error::new(format!("the HDF5 is damaged: {what}"))
}

/// The messages of the object header at an address.
pub(crate) fn messages(file: Bytes<'_>, at: u64) -> Result<Vec<Message<'_>>> {
    let mut found = Messages { file, list: vec![], blocks: vec![], seen: HashSet::new() };
    let modern = file.slice(at, 4)?.0 == b"OHDR";
    if modern {
        found.second(at)?
    } else {
        found.first(at)?
    }
    Ok(found.list)
}

struct Messages<'a> {
    file: Bytes<'a>,
    list: Vec<Message<'a>>,
    /// Continuations that are still to be read: address and length.
    blocks: Vec<(u64, u64)>,
    seen: HashSet<u64>,
}

impl<'a> Messages<'a> {
    /// A header of version 1.
    fn first(&mut self, at: u64) -> Result<()> {
        ensure!(self.file.number(at, 1)? == 1, "the HDF5 is damaged: there is no object header");
        let length = self.file.number(at + 8, 4)?;
        let mut block = Some(self.file.slice(at + 16, length)?);
        while let Some(bytes) = block {
            let mut at = 0;
            while at + 8 <= bytes.len() {
                let length = bytes.number(at + 2, 2)?;
                let body = bytes.slice(at + 8, length)?;
                self.push(bytes.number(at, 2)? as u16, bytes.number(at + 4, 1)?, body)?;
                at += 8 + length;
            }
            block = self.continuation()?;
        }
        Ok(())
    }

    /// A header of version 2.
    fn second(&mut self, at: u64) -> Result<()> {
        ensure!(
            self.file.number(at + 4, 1)? == 2,
            "the HDF5 has object headers of another version"
        );
        let flags = self.file.number(at + 5, 1)?;
        let times = if flags & 0x20 != 0 { 16 } else { 0 };
        let thresholds = if flags & 0x10 != 0 { 4 } else { 0 };
        let size_at = at + 6 + times + thresholds;
        let size_bytes = 1 << (flags & 3);
        let length = self.file.number(size_at, size_bytes)?;
        let head = if flags & 0x04 != 0 { 6 } else { 4 };
        let mut block = Some(self.file.slice(size_at + size_bytes, length)?);
        while let Some(bytes) = block {
            let mut at = 0;
            while at + head <= bytes.len() {
                let length = bytes.number(at + 1, 2)?;
                let body = bytes.slice(at + head, length)?;
                self.push(bytes.number(at, 1)? as u16, bytes.number(at + 3, 1)?, body)?;
                at += head + length;
            }
            block = self.continuation()?;
            if let Some(bytes) = block {
                bytes.signature(0, b"OCHK")?;
                // Between the signature and the checksum.
                let inner = bytes.len().checked_sub(8).ok_or_else(|| damaged("a short block"))?;
                block = Some(bytes.slice(4, inner)?);
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: u16, flags: u64, body: Bytes<'a>) -> Result<()> {
        ensure!(
            flags & 0x02 == 0,
            "the HDF5 has messages that several objects share, which are not read"
        );
        if kind == kind::CONTINUATION {
            self.blocks.push((body.number(0, 8)?, body.number(8, 8)?));
        }
        self.list.push(Message { kind, body });
        Ok(())
    }

    fn continuation(&mut self) -> Result<Option<Bytes<'a>>> {
        let Some((at, length)) = self.blocks.pop() else { return Ok(None) };
        ensure!(self.seen.insert(at), "the HDF5 is damaged: an object header continues in itself");
        self.file.slice(at, length).map(Some)
    }
}
