//! What is checked of a tensor in HDF5: what it holds, where its bytes lie, how many there are.

use oxhorn_ir::{Error, Result, ensure};

use super::header::{Bytes, Message, damaged, kind};
use crate::limits::Budget;

/// The most axes that HDF5 can have.
const AXES_MAX: u64 = 32;
/// Filters: deflate, shuffle, Fletcher's checksum.
const FILTERS: [u64; 3] = [1, 2, 3];

/// What is said to be too large.
const TENSOR: &str = "a tensor of the HDF5";

/// Where the chunks of a tensor are found.
pub(super) struct Chunks {
    /// The address of the root of their tree.
    pub(super) tree: u64,
    /// The extents of the tensor.
    shape: Vec<u64>,
    /// The extents of each chunk.
    pub(super) extents: Vec<u64>,
}

impl Chunks {
    /// Whether there is a chunk at a place, which has one number more than axes.
    pub(super) fn has(&self, place: &[u64]) -> bool {
        let mut axes = place.iter().zip(self.shape.iter().zip(&self.extents));
        let within = axes.all(|(at, (whole, part))| at < whole && at % part == 0);
        within && place.last() == Some(&0)
    }
}

/// Checks a tensor, and says where its chunks are if it has some.
pub(super) fn check(
    found: &[Message<'_>],
    file: Bytes<'_>,
    budget: &mut Budget,
) -> Result<Option<Chunks>> {
    let external = found.iter().any(|it| it.kind == kind::EXTERNAL);
    ensure!(!external, "a tensor of the HDF5 is stored in other files, which are never opened");
    let space = only(found, kind::DATASPACE)?;
    let shape = shape(space)?;
    let datatype = only(found, kind::DATATYPE)?;
    let element = element_bytes(datatype)?;
    let bytes = product(element, &shape)?;
    if let Some(filters) = found.iter().find(|it| it.kind == kind::FILTERS) {
        check_filters(filters.body)?;
    }
    let layout = only(found, kind::LAYOUT)?;
    let version = layout.number(0, 1)?;
    let class = layout.number(1, 1)?;
    match (version, class) {
        (3 | 4, 0) => {
            let stored = layout.number(2, 2)?;
            ensure!(stored >= bytes, "a shape of {bytes} bytes has only {stored} in the HDF5");
            budget.take(bytes, TENSOR)?;
            Ok(None)
        }
        (3 | 4, 1) => {
            contiguous(layout, bytes, file)?;
            budget.take(bytes, TENSOR)?;
            Ok(None)
        }
        (3, 2) => chunked(layout, element, &shape, budget).map(Some),
        (_, 3) => Err(Error::new("a tensor of the HDF5 is virtual: a view of other files")
            .help("other files are never opened: copy the numbers into the file")),
        (4, 2) => Err(Error::new("a tensor of the HDF5 has chunks in the form of HDF5 1.10")
            .help("files that h5py writes with its usual settings have none")),
        _ => Err(Error::new(format!("a tensor of the HDF5 has a layout of version {version}"))),
    }
}

/// Checks an attribute: what it says of texts elsewhere in the file.
pub(super) fn check_attribute(body: Bytes<'_>, texts: &mut Budget) -> Result<()> {
    let version = body.number(0, 1)?;
    ensure!((1..=3).contains(&version), "an attribute of the HDF5 has version {version}");
    let shared = version > 1 && body.number(1, 1)? != 0;
    ensure!(!shared, "an attribute of the HDF5 has a type that others share");
    // Version 1 pads each part to eight bytes.
    let padded = |length: u64| if version == 1 { length.next_multiple_of(8) } else { length };
    let [name, datatype, space] = [2, 4, 6].map(|at| body.number(at, 2));
    let (name, datatype_bytes, space_bytes) = (padded(name?), datatype?, space?);
    let datatype_at = if version == 3 { 9 } else { 8 } + name;
    let space_at = datatype_at + padded(datatype_bytes);
    let data_at = space_at + padded(space_bytes);
    let datatype = body.slice(datatype_at, datatype_bytes)?;
    let count = match null(body.slice(space_at, space_bytes)?)? {
        true => 0,
        false => product(1, &shape(body.slice(space_at, space_bytes)?)?)?,
    };
    let element = datatype.number(4, 4)?;
    let data = body.len().saturating_sub(data_at);
    let bytes = count.checked_mul(element).filter(|bytes| *bytes <= data);
    ensure!(bytes.is_some(), "an attribute of the HDF5 declares more than it has");
    // Of variable length: each element is a length and where the text lies. Many may lie in one
    // place, so it is their sum that counts.
    if class(datatype)? == 9 {
        ensure!(element == 16, "the HDF5 is damaged: a text without a place");
        for index in 0..count {
            texts.take(body.number(data_at + 16 * index, 4)?, "a list of texts in the HDF5")?;
        }
    }
    Ok(())
}

fn only<'a>(found: &[Message<'a>], kind: u16) -> Result<Bytes<'a>> {
    let mut of_kind = found.iter().filter(|it| it.kind == kind);
    match (of_kind.next(), of_kind.next()) {
        (Some(message), None) => Ok(message.body),
        _ => Err(damaged("a tensor has no shape, type or place, or several")),
    }
}

/// The extents of a dataspace.
fn shape(space: Bytes<'_>) -> Result<Vec<u64>> {
    let axes = space.number(1, 1)?;
    ensure!(axes <= AXES_MAX, "a tensor of the HDF5 has {axes} axes, more than {AXES_MAX}");
    ensure!(!null(space)?, "a tensor of the HDF5 is empty: it has no shape");
    let first = if space.number(0, 1)? == 1 { 8 } else { 4 };
    (0..axes).map(|axis| space.number(first + 8 * axis, 8)).collect()
}

/// Whether a dataspace says that there is nothing, not even a scalar.
fn null(space: Bytes<'_>) -> Result<bool> {
    let version = space.number(0, 1)?;
    ensure!([1, 2].contains(&version), "the HDF5 has shapes of version {version}");
    Ok(version == 2 && space.number(3, 1)? == 2)
}

fn class(datatype: Bytes<'_>) -> Result<u64> {
    Ok(datatype.number(0, 1)? & 0x0f)
}

/// The extent of an element, which must be a number.
fn element_bytes(datatype: Bytes<'_>) -> Result<u64> {
    let what = match class(datatype)? {
        // Integers, floats, opaque ones (bfloat16) and enumerations (bool): `super::element` says
        // which of them are read.
        0 | 1 | 5 | 8 => return datatype.number(4, 4),
        3 | 9 => "texts",
        6 => "records",
        7 => "references",
        _ => "elements of an unknown kind",
    };
    Err(Error::new(format!("a tensor of the HDF5 holds {what}"))
        .help("only numbers and truth values are read"))
}

fn check_filters(body: Bytes<'_>) -> Result<()> {
    let version = body.number(0, 1)?;
    let count = body.number(1, 1)?;
    let mut at = if version == 1 { 8 } else { 2 };
    for _ in 0..count {
        let id = body.number(at, 2)?;
        ensure!(
            FILTERS.contains(&id),
            "a tensor of the HDF5 is compressed by filter {id}";
            help: "gzip, shuffle and fletcher32 are read"
        );
        // Filters of the format have no name in version 2.
        let named = version == 1 || id >= 256;
        let name = if named { body.number(at + 2, 2)? } else { 0 };
        let head = if named { 8 } else { 6 };
        let values = body.number(at + head - 2, 2)?;
        let odd = if version == 1 && values % 2 == 1 { 4 } else { 0 };
        at += head + name + 4 * values + odd;
    }
    Ok(())
}

fn contiguous(layout: Bytes<'_>, bytes: u64, file: Bytes<'_>) -> Result<()> {
    let stored = layout.number(10, 8)?;
    let Some(at) = layout.address(2)? else {
        ensure!(bytes == 0, "a tensor of the HDF5 declares {bytes} bytes, and stores none");
        return Ok(());
    };
    ensure!(stored >= bytes, "a shape of {bytes} bytes has only {stored} in the HDF5");
    file.slice(at, stored).map(|_| ())
}

fn chunked(layout: Bytes<'_>, element: u64, shape: &[u64], budget: &mut Budget) -> Result<Chunks> {
    // One number more than axes: the extent of an element.
    let places = layout.number(2, 1)?;
    ensure!(places == shape.len() as u64 + 1, "the HDF5 is damaged: chunks of other axes");
    let axes = places - 1;
    let extents: Vec<u64> =
        (0..axes).map(|axis| layout.number(11 + 4 * axis, 4)).collect::<Result<_>>()?;
    ensure!(!extents.contains(&0), "the HDF5 is damaged: a chunk has no extent");
    ensure!(
        layout.number(11 + 4 * axes, 4)? == element,
        "the HDF5 is damaged: chunks of other elements"
    );
    let counts: Vec<u64> =
        shape.iter().zip(&extents).map(|(whole, part)| whole.div_ceil(*part)).collect();
    let count = product(1, &counts)?;
    let bytes = product(element, shape)?;
    budget.take(bytes, TENSOR)?;
    // Chunks at the end of an axis are stored whole, and all are unpacked beside the tensor.
    let unpacked = product(element, &extents)?.saturating_mul(count.max(1));
    budget.ensure(unpacked, TENSOR)?;
    let Some(tree) = layout.address(3)? else {
        return Err(Error::new(format!(
            "a tensor of the HDF5 declares {bytes} bytes, and stores none"
        )));
    };
    Ok(Chunks { tree, shape: shape.to_vec(), extents })
}

/// The product, as long as it is below what can be addressed, even where an extent is 0.
fn product(element: u64, shape: &[u64]) -> Result<u64> {
    let nonzero = shape.iter().filter(|extent| **extent != 0);
    let whole = nonzero.copied().try_fold(element, u64::checked_mul);
    let Some(whole) = whole.filter(|bytes| *bytes <= i64::MAX as u64) else {
        return Err(Error::new(format!("a shape of {shape:?} is larger than any memory")));
    };
    Ok(if shape.contains(&0) { 0 } else { whole })
}
