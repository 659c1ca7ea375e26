//! NumPy's `.npz`: a ZIP with one `.npy` for each tensor.

use bytes::{Buf, Bytes};
use oxhorn_ir::{Error, Result, ensure};

use crate::{
    Element, FileBytes, Format, Tensor, Tensors,
    container::{Container, Writer},
    seal,
    tensor::{bytes_of, transposed},
};

/// What a `.npy` begins with.
const MAGIC: &[u8] = b"\x93NUMPY";
/// To what the header of a `.npy` is padded, its first bytes included.
const ALIGNMENT: usize = 64;
/// The longest header: shapes have at most 64 axes.
const HEADER_MAX: usize = 4096;
const ENDING: &str = ".npy";

/// How NumPy calls elements.
const DESCRIPTIONS: [(Element, &str); 12] = [
    (Element::Bool, "|b1"),
    (Element::I8, "|i1"),
    (Element::I16, "<i2"),
    (Element::I32, "<i4"),
    (Element::I64, "<i8"),
    (Element::U8, "|u1"),
    (Element::U16, "<u2"),
    (Element::U32, "<u4"),
    (Element::U64, "<u8"),
    (Element::F16, "<f2"),
    (Element::F32, "<f4"),
    (Element::F64, "<f8"),
];

/// The tensors in an NPZ file, by the names of its members without `.npy`.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), is no NPZ, has two
/// members of one name, declares more than it holds, or has elements that are no numbers, such as
/// pickled Python objects.
pub fn read(bytes: impl Into<FileBytes>) -> Result<Tensors> {
    decode(bytes.into().0)
}

/// The same, of bytes that were taken over.
pub(crate) fn decode(bytes: Bytes) -> Result<Tensors> {
    seal::check(&bytes, Format::Npz)?;
    let mut zip = Container::new(bytes)?;
    let mut tensors = Tensors::new();
    for name in zip.names() {
        let Some(path) = name.strip_suffix(ENDING) else {
            return Err(Error::new(format!("{name:?} in the NPZ is no `.npy`")));
        };
        let member = zip.read(&name)?.unwrap_or_default();
        let tensor = read_npy(member).map_err(|error| error.at(&name))?;
        tensors.insert(path.to_owned(), tensor);
    }
    Ok(tensors)
}

/// An NPZ file, uncompressed and sealed, which `numpy.load` reads.
///
/// # Errors
///
/// If a tensor is of bfloat16, which NumPy lacks.
pub fn write(tensors: &Tensors) -> Result<Vec<u8>> {
    let size: usize = tensors.values().map(|tensor| tensor.bytes().len() + 1024).sum();
    let mut zip = Writer::new(size);
    for (name, tensor) in tensors {
        let bytes = npy(tensor).map_err(|error| error.at(name))?;
        zip.bytes(&format!("{name}{ENDING}"), &bytes)?;
    }
    Ok(seal::seal_zip(zip.finish()?))
}

/// The tensor in a `.npy`.
fn read_npy(mut bytes: Bytes) -> Result<Tensor> {
    let header = header(&bytes)?;
    bytes.advance(header.bytes);
    let expected = bytes_of(header.element, &header.shape)?;
    ensure!(bytes.len() == expected, "the NPY declares {expected} bytes, and has {}", bytes.len());
    match header.order {
        Order::Rows => Tensor::new(header.element, header.shape, bytes),
        Order::Columns => {
            let turned: Vec<usize> = header.shape.into_iter().rev().collect();
            Tensor::new(header.element, turned, bytes).map(|tensor| transposed(&tensor))
        }
    }
}

/// What stands before the numbers of a `.npy`.
struct Header {
    element: Element,
    order: Order,
    shape: Vec<usize>,
    /// Its length, with all that stands before it.
    bytes: usize,
}

/// Which index of an array moves slowest: the first, or the last (Fortran's order).
enum Order {
    Rows,
    Columns,
}

fn header(bytes: &[u8]) -> Result<Header> {
    let no_npy = || Error::new("the NPY has no proper header");
    ensure!(bytes.starts_with(MAGIC), "the NPY does not begin as one");
    let (start, length) = match bytes.get(MAGIC.len()..12) {
        Some([1, 0, a, b, ..]) => (10, u16::from_le_bytes([*a, *b]) as usize),
        Some([2 | 3, 0, a, b, c, d]) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
        _ => return Err(no_npy()),
    };
    ensure!(length <= HEADER_MAX, "the NPY has a header of {length} bytes");
    let text = bytes.get(start..start + length).ok_or_else(no_npy)?;
    let text = std::str::from_utf8(text).map_err(|_| no_npy())?;
    let mut entries = [None; 3];
    let mut rest = text.trim_end().strip_prefix('{').ok_or_else(no_npy)?.trim_start();
    while !rest.starts_with('}') {
        let (key, behind) = rest.split_once(':').ok_or_else(no_npy)?;
        let keys = ["'descr'", "'fortran_order'", "'shape'"];
        let index = keys.iter().position(|it| *it == key.trim()).ok_or_else(no_npy)?;
        // A shape has commas of its own.
        let end = match keys[index] {
            "'shape'" => behind.find(')').map(|at| at + 1),
            _ => behind.find([',', '}']),
        };
        let (value, behind) = behind.split_at(end.ok_or_else(no_npy)?);
        ensure!(entries[index].replace(value.trim()).is_none(), "the NPY says {key} twice");
        rest = behind.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    let [Some(descr), Some(order), Some(shape)] = entries else { return Err(no_npy()) };
    ensure!(rest == "}", "the NPY has something behind its header");
    let order = match order {
        "False" => Order::Rows,
        "True" => Order::Columns,
        _ => return Err(no_npy()),
    };
    Ok(Header { element: element(descr)?, order, shape: extents(shape)?, bytes: start + length })
}

fn element(descr: &str) -> Result<Element> {
    let name = descr.trim_matches('\'');
    if name.starts_with("|O") {
        let message = "the NPY holds pickled Python objects, which can run code";
        return Err(Error::new(message).help("they are never unpickled"));
    }
    let known = DESCRIPTIONS.iter().find(|(_, it)| *it == name);
    let unknown = || {
        Error::new(format!("the NPY has elements that are not read: {descr}"))
            .help("little-endian integers, float16, float32, float64 and bool are read")
    };
    known.map(|(element, _)| *element).ok_or_else(unknown)
}

/// The extents in `(2, 3)`, `(2,)` and `()`.
fn extents(shape: &str) -> Result<Vec<usize>> {
    let wrong = || Error::new(format!("the NPY has no proper shape, got {shape}"));
    let inner = shape.strip_prefix('(').and_then(|it| it.strip_suffix(')')).ok_or_else(wrong)?;
    let inner = inner.trim();
    if inner.is_empty() {
        return Ok(vec![]);
    }
    let inner = inner.strip_suffix(',').unwrap_or(inner);
    inner
        .split(',')
        .map(|extent| {
            let digits = extent.trim();
            // A sign would be parsed.
            let plain = digits.bytes().all(|it| it.is_ascii_digit());
            digits.parse().ok().filter(|_| plain).ok_or_else(wrong)
        })
        .collect()
}

/// A `.npy` of a tensor.
fn npy(tensor: &Tensor) -> Result<Vec<u8>> {
    let known = DESCRIPTIONS.iter().find(|(element, _)| *element == tensor.element());
    let Some((_, descr)) = known else {
        return Err(Error::new(format!("NumPy has no {}", tensor.element().name())));
    };
    let extents: String = tensor.shape().iter().map(|extent| format!("{extent}, ")).collect();
    let shape = match tensor.shape() {
        [_] => extents.trim_end(),
        _ => extents.trim_end_matches(", "),
    };
    let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    let start = MAGIC.len() + 4;
    let header = (start + text.len() + 1).next_multiple_of(ALIGNMENT);
    let mut bytes = Vec::with_capacity(header + tensor.bytes().len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&((header - start) as u16).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    bytes.resize(header - 1, b' ');
    bytes.push(b'\n');
    bytes.extend_from_slice(tensor.bytes());
    Ok(bytes)
}
