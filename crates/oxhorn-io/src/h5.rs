//! HDF5, as far as Keras uses it: groups, attributes and plain tensors.

mod dataset;
mod element;
mod header;
mod scan;

use std::{
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes;
use hdf5_pure::{
    AttrValue, DatasetBuilder, File, FileBuilder, FinishedGroup, FormatError, GroupBuilder, Layout,
    Source,
};
use indexmap::IndexMap;
use oxhorn_ir::{Error, Result, ensure};

use self::element::Order;
use crate::{
    Attribute, Dataset, Element, FileBytes, Format, Group, Member, Number, Tensor, seal,
    tensor::bytes_of,
};

/// How deep groups may be nested.
pub const DEPTH_MAX: usize = 64;
/// How many attributes a group or a tensor may have: more would be kept in a heap.
pub const ATTRIBUTES_MAX: usize = 8;

/// How many bytes an attribute may take in the header of its object: texts of a list 16 each, which
/// say where they are.
pub const ATTRIBUTE_BYTES_MAX: usize = 60_000;

/// The attribute by which Keras tells that opaque elements are numbers, and its value.
const OPAQUE: (&str, &str) = ("dtype", "bfloat16");

/// The tree in a file of HDF5, in the order of names.
///
/// Tensors may be contiguous, compact or chunked, and compressed by gzip, with or without
/// shuffling. A tensor of bfloat16 is one of opaque elements of two bytes, with an attribute
/// `dtype`.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), is no HDF5, is damaged,
/// declares more than it holds, or has what is refused by name: links to other files and to other
/// members, virtual datasets, storage in other files, elements that are no numbers.
pub fn read(bytes: impl Into<FileBytes>) -> Result<Group> {
    let FileBytes(bytes) = bytes.into();
    seal::check(&bytes, Format::H5)?;
    decode(bytes)
}

/// A file of HDF5 as Keras writes it: contiguous, uncompressed, with a seal behind it.
///
/// # Errors
///
/// If the tree is deeper than [`DEPTH_MAX`], a group or tensor has more than [`ATTRIBUTES_MAX`]
/// attributes, or one is larger than [`ATTRIBUTE_BYTES_MAX`].
pub fn write(root: &Group) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(size(root));
    encode(root, &mut bytes)?;
    Ok(seal::seal_end(bytes))
}

/// The tree in a file whose bytes are vouched for by whoever calls, or by nobody.
pub(crate) fn decode(bytes: Bytes) -> Result<Group> {
    scan::scan(&bytes)?;
    // The library is written to return errors, and what it reads has been looked through. Should
    // it panic all the same, on a file that somebody made to that end, nothing of it is kept: what
    // was made of the bytes goes with the closure.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let file = File::from_source(Whole(bytes.clone())).map_err(unreadable)?;
        group(&file.root(), "", &bytes)
    }));
    read.unwrap_or_else(|_| Err(Error::new("the HDF5 is damaged: reading it failed")))
}

/// A file as the library reads it.
struct Whole(Bytes);

impl Source for Whole {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        let available = self.0.len();
        let expected = (offset as usize).saturating_add(buffer.len());
        let piece = self.0.get(offset as usize..expected);
        let piece = piece.ok_or(FormatError::UnexpectedEof { expected, available })?;
        buffer.copy_from_slice(piece);
        Ok(())
    }
}

/// Bytes that a file of a tree takes, or somewhat more.
pub(crate) fn size(root: &Group) -> usize {
    let members = root.members.values().map(|member| match member {
        Member::Group(group) => size(group),
        Member::Dataset(dataset) => dataset.tensor.bytes().len(),
    });
    // Of a header, with the texts of attributes.
    members.map(|bytes| bytes + 1024).sum()
}

/// Writes a file of HDF5 without a seal.
pub(crate) fn encode(root: &Group, to: impl Write) -> Result<()> {
    let mut file = FileBuilder::new();
    for (name, value) in attributes_of(&root.attributes)? {
        file.set_attr(&name, value);
    }
    for (name, member) in &root.members {
        match member {
            Member::Dataset(dataset) => fill(file.create_dataset(name), dataset)?,
            Member::Group(group) => {
                let built = build(file.create_group(name), group, DEPTH_MAX)?;
                file.add_group(built);
            }
        }
    }
    file.finish_to(to).map_err(|error| Error::new(format!("the HDF5 cannot be written: {error}")))
}

fn build(mut builder: GroupBuilder, group: &Group, depth: usize) -> Result<FinishedGroup> {
    // The root, and a tensor in the innermost group, are levels too.
    let deeper = depth.checked_sub(1).filter(|depth| *depth > 1);
    let Some(depth) = deeper else {
        return Err(Error::new(format!("groups are deeper than {DEPTH_MAX}")));
    };
    for (name, value) in attributes_of(&group.attributes)? {
        builder.set_attr(&name, value);
    }
    for (name, member) in &group.members {
        match member {
            Member::Dataset(dataset) => fill(builder.create_dataset(name), dataset)?,
            Member::Group(group) => {
                let built = build(builder.create_group(name), group, depth)?;
                builder.add_group(built);
            }
        }
    }
    Ok(builder.finish())
}

fn fill(builder: &mut DatasetBuilder, dataset: &Dataset) -> Result<()> {
    let tensor = &dataset.tensor;
    let shape: Vec<u64> = tensor.shape().iter().map(|extent| *extent as u64).collect();
    let datatype = element::datatype(tensor.element());
    builder.with_raw_data(datatype, tensor.bytes().to_vec(), tensor.count() as u64);
    builder.with_shape(&shape);
    let opaque = tensor.element() == Element::Bf16 && !dataset.attributes.contains_key(OPAQUE.0);
    if opaque {
        builder.set_attr(OPAQUE.0, AttrValue::VarLenString(OPAQUE.1.to_owned()));
    }
    for (name, value) in attributes_of(&dataset.attributes)? {
        builder.set_attr(&name, value);
    }
    Ok(())
}

fn group(source: &hdf5_pure::Group, path: &str, file: &Bytes) -> Result<Group> {
    let attributes = attributes(source.attrs()).map_err(|error| error.at(path))?;
    let mut group = Group { attributes, members: IndexMap::new() };
    for (name, dataset) in source.iter_datasets().map_err(unreadable)? {
        let read = read_dataset(&dataset, file);
        let read = read.map_err(|error| error.at(format!("{path}/{name}")))?;
        group.members.insert(name, Member::Dataset(read));
    }
    for (name, inner) in source.iter_groups().map_err(unreadable)? {
        let inner = self::group(&inner, &format!("{path}/{name}"), file)?;
        group.members.insert(name, Member::Group(inner));
    }
    group.members.sort_unstable_keys();
    Ok(group)
}

fn read_dataset(source: &hdf5_pure::Dataset, file: &Bytes) -> Result<Dataset> {
    let mut attributes = attributes(source.attrs())?;
    let datatype = source.datatype().map_err(unreadable)?;
    let opaque = attributes.get(OPAQUE.0).and_then(Attribute::as_text) == Some(OPAQUE.1);
    let (element, order) = element::of(&datatype, opaque)?;
    if element == Element::Bf16 {
        attributes.shift_remove(OPAQUE.0);
    }
    let shape = source.shape().map_err(unreadable)?;
    let shape: Vec<usize> = shape.iter().map(|extent| *extent as usize).collect();
    let as_is = match (order, source.layout().map_err(unreadable)?) {
        (Order::Little, Layout::Contiguous { address: Some(at), .. }) => {
            let range = bytes_of(element, &shape)?.checked_add(at as usize);
            range.and_then(|end| file.get(at as usize..end)).map(|piece| file.slice_ref(piece))
        }
        _ => None,
    };
    let bytes = match as_is {
        Some(bytes) => bytes,
        None => {
            let mut bytes = source.read_raw().map_err(unreadable)?;
            order.to_little(&mut bytes, element.bytes());
            bytes.into()
        }
    };
    Ok(Dataset { attributes, tensor: Tensor::new(element, shape, bytes)? })
}

type Attributes = Result<std::collections::HashMap<String, AttrValue>, hdf5_pure::Error>;

fn attributes(source: Attributes) -> Result<IndexMap<String, Attribute>> {
    let mut attributes = IndexMap::new();
    for (name, value) in source.map_err(unreadable)?.into_iter().collect::<Sorted>() {
        attributes.insert(name, attribute(value)?);
    }
    Ok(attributes)
}

/// Attributes in the order of their names: those of the library come in any.
type Sorted = std::collections::BTreeMap<String, AttrValue>;

fn attribute(value: AttrValue) -> Result<Attribute> {
    use AttrValue as V;
    Ok(match value {
        V::String(text)
        | V::AsciiString(text)
        | V::VarLenString(text)
        | V::VarLenAsciiString(text)
        | V::StringSized { value: text, .. }
        | V::AsciiStringSized { value: text, .. } => Attribute::Text(text),
        V::StringArray(texts)
        | V::AsciiStringArray(texts)
        | V::VarLenStringArray(texts)
        | V::VarLenAsciiStringArray(texts)
        | V::VarLenAsciiCharArray(texts)
        | V::StringArraySized { values: texts, .. }
        | V::AsciiStringArraySized { values: texts, .. } => Attribute::Texts(texts),
        V::F32(number) => one(number),
        V::F64(number) => one(number),
        V::I8(number) => one(number),
        V::I16(number) => one(number),
        V::I32(number) => one(number),
        V::I64(number) => one(number),
        V::U8(number) => one(number),
        V::U16(number) => one(number),
        V::U32(number) => one(number),
        V::U64(number) => one(number),
        V::F32Array(numbers) => many(&numbers),
        V::F64Array(numbers) => many(&numbers),
        V::I8Array(numbers) => many(&numbers),
        V::I16Array(numbers) => many(&numbers),
        V::I32Array(numbers) => many(&numbers),
        V::I64Array(numbers) => many(&numbers),
        V::U8Array(numbers) => many(&numbers),
        V::U16Array(numbers) => many(&numbers),
        V::U32Array(numbers) => many(&numbers),
        V::U64Array(numbers) => many(&numbers),
        _ => return Err(Error::new("an attribute of the HDF5 is neither text nor number")),
    })
}

fn one<T: Number>(number: T) -> Attribute {
    Attribute::Numbers(Tensor::of([], &[number]))
}

fn many<T: Number>(numbers: &[T]) -> Attribute {
    Attribute::Numbers(Tensor::of([numbers.len()], numbers))
}

fn attributes_of(attributes: &IndexMap<String, Attribute>) -> Result<Vec<(String, AttrValue)>> {
    ensure!(
        attributes.len() <= ATTRIBUTES_MAX,
        "there are {} attributes, more than {ATTRIBUTES_MAX}",
        attributes.len()
    );
    let all = attributes.iter();
    all.map(|(name, value)| {
        let bytes = match value {
            Attribute::Text(_) => 16,
            Attribute::Texts(texts) => 16 * texts.len(),
            Attribute::Numbers(tensor) => tensor.bytes().len(),
        };
        let bytes = name.len() + bytes;
        ensure!(
            bytes <= ATTRIBUTE_BYTES_MAX,
            "the attribute {name:?} takes {bytes} bytes, more than {ATTRIBUTE_BYTES_MAX}"
        );
        let value = match value {
            Attribute::Text(text) => AttrValue::VarLenString(text.clone()),
            Attribute::Texts(texts) => AttrValue::VarLenStringArray(texts.clone()),
            Attribute::Numbers(tensor) => numbers(tensor).map_err(|error| error.at(name))?,
        };
        Ok((name.clone(), value))
    })
    .collect()
}

fn numbers(tensor: &Tensor) -> Result<AttrValue> {
    macro_rules! value {
        ($one:ident, $many:ident) => {{
            let values = tensor.values()?;
            match tensor.shape() {
                [] => AttrValue::$one(values[0]),
                _ => AttrValue::$many(values),
            }
        }};
    }
    Ok(match tensor.element() {
        Element::F32 => value!(F32, F32Array),
        Element::F64 => value!(F64, F64Array),
        Element::I8 => value!(I8, I8Array),
        Element::I16 => value!(I16, I16Array),
        Element::I32 => value!(I32, I32Array),
        Element::I64 => value!(I64, I64Array),
        Element::U8 => value!(U8, U8Array),
        Element::U16 => value!(U16, U16Array),
        Element::U32 => value!(U32, U32Array),
        Element::U64 => value!(U64, U64Array),
        element @ (Element::Bool | Element::F16 | Element::Bf16) => {
            return Err(Error::new(format!("an attribute cannot be of {}", element.name())));
        }
    })
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::new(format!("the HDF5 cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_to_the_greatest_depth() {
        // The root and the tensor are levels as well.
        for (levels, fits) in [(DEPTH_MAX - 2, true), (DEPTH_MAX - 1, false)] {
            let mut root = Group::default();
            let path = format!("{}0", "a/".repeat(levels));
            root.insert(&path, Tensor::of([2, 1], &[1i8, 2])).unwrap();
            let written = write(&root);
            assert_eq!(written.is_ok(), fits, "{levels}");
            if let Ok(bytes) = written {
                assert_eq!(read(bytes).unwrap(), root);
            }
        }
    }

    #[test]
    fn attributes_are_bounded() {
        let mut root = Group::default();
        for index in 0..=ATTRIBUTES_MAX {
            assert_eq!(read(write(&root).unwrap()).unwrap(), root);
            root.attributes.insert(index.to_string(), one(index as i32));
        }
        let error = write(&root).unwrap_err();
        assert_eq!(error.message, "there are 9 attributes, more than 8");
        let huge = Attribute::Numbers(Tensor::of([20_000], &[0.0f32; 20_000]));
        let attributes = [("a".to_owned(), huge)].into_iter().collect();
        let error = write(&Group { attributes, ..Group::default() }).unwrap_err();
        assert_eq!(error.message, "the attribute \"a\" takes 80001 bytes, more than 60000");
        // What is as large as may be is not kept in a heap, which the reader would refuse.
        for value in [
            Attribute::Numbers(Tensor::of([14_999], &[0.5f32; 14_999])),
            Attribute::Texts(vec!["layer".to_owned(); 3749]),
            Attribute::Text("x".repeat(1_000_000)),
        ] {
            let attributes = [("a".to_owned(), value)].into_iter().collect();
            let root = Group { attributes, ..Group::default() };
            assert_eq!(read(write(&root).unwrap()).unwrap(), root);
        }
    }

    #[test]
    fn a_group_may_have_many_members() {
        let mut root = Group::default();
        for index in 0..1009 {
            root.insert(&format!("optimizer/vars/{index}"), one_of(index)).unwrap();
        }
        assert_eq!(read(write(&root).unwrap()).unwrap(), root);
    }

    fn one_of(index: i32) -> Tensor {
        Tensor::of([1], &[index])
    }
}
