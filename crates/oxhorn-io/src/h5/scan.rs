//! What a file of HDF5 is checked for before the library reads it: where every name leads, and how
//! much there is.
//!
//! The library passes over links that lead out of the file, follows two names to one object as
//! often as there are ways to it, and allocates what a shape declares. Here a file is walked once,
//! without a byte of its tensors; what the walk refuses is never read.

use std::collections::HashSet;

use oxhorn_ir::{Error, Result, ensure};

use super::{
    DEPTH_MAX, dataset,
    header::{Bytes, Message, damaged, kind, messages},
};
use crate::limits;

/// Checks a whole file.
///
/// # Errors
///
/// If something in it is damaged, or refused by name.
pub(crate) fn scan(bytes: &[u8]) -> Result<()> {
    let file = Bytes(bytes);
    let root = root(file)?;
    let mut scan =
        Scan { file, seen: HashSet::new(), names: 0, budget: limits::Budget::of(bytes.len()) };
    scan.object(root, "/", DEPTH_MAX)
}

/// The address of the root group's object header.
fn root(file: Bytes<'_>) -> Result<u64> {
    let signature = file.0.starts_with(b"\x89HDF\r\n\x1a\n");
    ensure!(signature, "the file is no HDF5: it does not begin as one");
    let (sizes_at, base_at, root_at) = match file.number(8, 1)? {
        0 => (13, 24, 24 + 4 * 8 + 8),
        1 => (13, 28, 28 + 4 * 8 + 8),
        2 | 3 => (9, 12, 12 + 3 * 8),
        version => {
            let message = format!("the HDF5 has a superblock of version {version}");
            return Err(Error::new(message).help("versions 0 to 3 are read"));
        }
    };
    let sizes = file.slice(sizes_at, 2)?.0;
    ensure!(sizes == [8, 8], "the HDF5 has addresses of {} bytes, only 8 are read", sizes[0]);
    ensure!(file.number(base_at, 8)? == 0, "the HDF5 does not begin at the start of the file");
    let (end, length) = (file.number(base_at + 16, 8)?, file.len());
    ensure!(end <= length, "the HDF5 was cut off: it declares {end} bytes, and has {length}");
    file.address(root_at)?.ok_or_else(|| damaged("there is no root group"))
}

pub(super) struct Scan<'a> {
    file: Bytes<'a>,
    /// Object headers and nodes of trees that have been visited.
    seen: HashSet<u64>,
    names: usize,
    budget: limits::Budget,
}

impl<'a> Scan<'a> {
    fn object(&mut self, at: u64, path: &str, depth: usize) -> Result<()> {
        self.visit(at, path)?;
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Error::new(format!("groups of the HDF5 are deeper than {DEPTH_MAX}")));
        };
        let found = messages(self.file, at)?;
        for attribute in found.iter().filter(|it| it.kind == kind::ATTRIBUTE) {
            self.count(1)?;
            dataset::check_attribute(attribute.body, &mut self.budget)
                .map_err(|error| error.at(path))?;
        }
        for info in found.iter().filter(|it| it.kind == kind::ATTRIBUTE_INFO) {
            let flags = info.body.number(1, 1)?;
            let heap = info.body.address(if flags & 1 != 0 { 4 } else { 2 })?;
            ensure!(heap.is_none(), "`{path}` of the HDF5 has more attributes than are read");
        }
        if found.iter().any(|it| it.kind == kind::LAYOUT) {
            let chunks = dataset::check(&found, self.file, &mut self.budget)
                .map_err(|error| error.at(path))?;
            return chunks.map_or(Ok(()), |chunks| self.chunks(&chunks, path));
        }
        self.group(&found, path, depth)
    }

    /// Marks what is at an address as visited.
    fn visit(&mut self, at: u64, path: &str) -> Result<()> {
        ensure!(
            self.seen.insert(at),
            "`{path}` of the HDF5 is a second name for what has one already, or leads to itself"
        );
        Ok(())
    }

    fn count(&mut self, names: usize) -> Result<()> {
        self.names += names;
        limits::names(self.names)
    }

    fn group(&mut self, found: &[Message<'a>], path: &str, depth: usize) -> Result<()> {
        let mut members = vec![];
        for message in found {
            match message.kind {
                kind::LINK => members.push(modern_link(message.body)?),
                kind::LINK_INFO => {
                    let flags = message.body.number(1, 1)?;
                    let heap = message.body.address(if flags & 1 != 0 { 10 } else { 2 })?;
                    ensure!(
                        heap.is_none(),
                        "`{path}` of the HDF5 keeps its names in a heap, which is not read";
                        help: "files that h5py writes with its usual settings have none"
                    );
                }
                kind::SYMBOL_TABLE => {
                    let tree = message.body.address(0)?;
                    let heap = message.body.address(8)?;
                    let (Some(tree), Some(heap)) = (tree, heap) else { continue };
                    self.symbols(tree, heap, path, &mut members)?;
                }
                _ => {}
            }
        }
        self.count(members.len())?;
        let mut names = HashSet::new();
        for member in &members {
            let whole = format!("{}/{}", path.trim_end_matches('/'), member.name);
            ensure!(names.insert(&member.name), "there are two of `{whole}` in the HDF5");
            match &member.target {
                Target::Object(at) => self.object(*at, &whole, depth)?,
                Target::Refused(what) => {
                    let message = format!("`{whole}` of the HDF5 is {what}");
                    let help = "links are never followed: copy what they lead to into the file";
                    return Err(Error::new(message).help(help));
                }
            }
        }
        Ok(())
    }

    /// The members of a group of the old form: a tree of nodes with symbols, names in a heap.
    fn symbols(&mut self, tree: u64, heap: u64, path: &str, to: &mut Vec<Link>) -> Result<()> {
        self.file.signature(heap, b"HEAP")?;
        let length = self.file.number(heap + 8, 8)?;
        let names = match self.file.address(heap + 24)? {
            Some(at) => self.file.slice(at, length)?,
            None => Bytes(&[]),
        };
        let mut nodes = vec![];
        // Keys are offsets of names, eight bytes.
        self.leaves(tree, 0, 8, path, &mut nodes)?;
        for leaf in nodes {
            let at = leaf.child;
            self.visit(at, path)?;
            self.file.signature(at, b"SNOD")?;
            for index in 0..self.file.number(at + 6, 2)? {
                let entry = self.file.slice(at + 8 + 40 * index, 40)?;
                let name = text(names, entry.number(0, 8)?)?;
                let target = match entry.number(16, 4)? {
                    2 => Target::Refused("a soft link"),
                    _ => Target::Object(entry.number(8, 8)?),
                };
                to.push(Link { name, target });
            }
            limits::names(to.len())?;
        }
        Ok(())
    }

    /// What the leaves of a tree of version 1 point to.
    fn leaves(
        &mut self,
        at: u64,
        kind: u64,
        key_bytes: u64,
        path: &str,
        to: &mut Vec<Leaf>,
    ) -> Result<()> {
        // Nodes wait here in place of on the stack; each is visited once.
        let mut waiting = vec![at];
        while let Some(at) = waiting.pop() {
            self.visit(at, path)?;
            self.file.signature(at, b"TREE")?;
            ensure!(self.file.number(at + 4, 1)? == kind, "the HDF5 is damaged: another tree");
            let level = self.file.number(at + 5, 1)?;
            for index in 0..self.file.number(at + 6, 2)? {
                let key = at + 24 + index * (key_bytes + 8);
                let child = self.file.address(key + key_bytes)?;
                let child = child.ok_or_else(|| damaged("a tree leads nowhere"))?;
                if level == 0 { to.push(Leaf { key, child }) } else { waiting.push(child) }
            }
        }
        Ok(())
    }

    /// Checks that every chunk is one of those that the shape has room for, and is there once.
    fn chunks(&mut self, chunks: &dataset::Chunks, path: &str) -> Result<()> {
        let mut found = vec![];
        // Keys are size, filter mask and the chunk's place, with one number more than axes.
        let axes = chunks.extents.len() as u64;
        self.leaves(chunks.tree, 1, 8 + 8 * (axes + 1), path, &mut found)?;
        let mut places = HashSet::new();
        for leaf in found {
            self.file.slice(leaf.child, self.file.number(leaf.key, 4)?)?;
            let place = (0..=axes).map(|axis| self.file.number(leaf.key + 8 + 8 * axis, 8));
            let place: Vec<u64> = place.collect::<Result<_>>()?;
            ensure!(
                chunks.has(&place) && places.insert(place),
                "`{path}` of the HDF5 has more chunks than its shape"
            );
        }
        Ok(())
    }
}

/// What a leaf of a tree leads to, and where its key is.
struct Leaf {
    key: u64,
    child: u64,
}

/// A name in a group, and what it leads to.
struct Link {
    name: String,
    target: Target,
}

enum Target {
    Object(u64),
    Refused(&'static str),
}

/// A link of the new form, a message of its own.
fn modern_link(body: Bytes<'_>) -> Result<Link> {
    let flags = body.number(1, 1)?;
    let mut at = 2;
    let mut link_type = 0;
    if flags & 0x08 != 0 {
        link_type = body.number(at, 1)?;
        at += 1;
    }
    at += if flags & 0x04 != 0 { 8 } else { 0 };
    at += if flags & 0x10 != 0 { 1 } else { 0 };
    let length_bytes = 1 << (flags & 3);
    let length = body.number(at, length_bytes)?;
    at += length_bytes;
    limits::name(length as usize)?;
    let name = String::from_utf8(body.slice(at, length)?.0.to_vec());
    let name = name.map_err(|_| damaged("a name is no text"))?;
    let target = match link_type {
        0 => Target::Object(body.number(at + length, 8)?),
        1 => Target::Refused("a soft link"),
        64 => Target::Refused("an external link, into another file"),
        _ => Target::Refused("a link of an unknown kind"),
    };
    Ok(Link { name, target })
}

/// The text at an offset of a heap, up to its zero byte.
fn text(heap: Bytes<'_>, at: u64) -> Result<String> {
    let rest = heap.0.get(at as usize..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    limits::name(end)?;
    String::from_utf8(rest[..end].to_vec()).map_err(|_| damaged("a name is no text"))
}
