//! safetensors: tensors by name behind one JSON header.

use ::safetensors::{Dtype, SafeTensors};
use bytes::Bytes;
use indexmap::IndexMap;
use oxhorn_ir::{Error, Result, ensure};
use serde_json::{Value, json};

use crate::{Element, FileBytes, Format, Tensor, Tensors, config, limits, seal};

/// The longest header that is read: its entries take several times as much in memory.
const HEADER_MAX: usize = 16 << 20;
/// To what the header is padded, its length included.
const ALIGNMENT: usize = 8;
const METADATA: &str = "__metadata__";

/// How safetensors calls elements.
const NAMES: [(Element, Dtype, &str); 13] = [
    (Element::Bool, Dtype::BOOL, "BOOL"),
    (Element::I8, Dtype::I8, "I8"),
    (Element::I16, Dtype::I16, "I16"),
    (Element::I32, Dtype::I32, "I32"),
    (Element::I64, Dtype::I64, "I64"),
    (Element::U8, Dtype::U8, "U8"),
    (Element::U16, Dtype::U16, "U16"),
    (Element::U32, Dtype::U32, "U32"),
    (Element::U64, Dtype::U64, "U64"),
    (Element::F16, Dtype::F16, "F16"),
    (Element::Bf16, Dtype::BF16, "BF16"),
    (Element::F32, Dtype::F32, "F32"),
    (Element::F64, Dtype::F64, "F64"),
];

/// What is in a safetensors file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// The tensors by name, in the order of their bytes.
    pub tensors: Tensors,
    /// What is said of the file as a whole, `__metadata__`, less the seal.
    pub metadata: IndexMap<String, String>,
}

/// What is in a safetensors file.
///
/// # Errors
///
/// If the file was changed since it was written here (see [`crate::seal`]), or is damaged: offsets
/// that overlap, leave gaps or reach beyond the file, sizes that differ from the shape's.
pub fn read(bytes: impl Into<FileBytes>) -> Result<Contents> {
    let FileBytes(bytes) = bytes.into();
    seal::check(&bytes, Format::Safetensors)?;
    decode(bytes)
}

/// A sealed safetensors file.
///
/// # Errors
///
/// If the metadata has a name that belongs to the seal, or a tensor the name of the metadata.
pub fn write(contents: &Contents) -> Result<Vec<u8>> {
    let reserved = contents.metadata.keys().find(|name| seal::is_reserved(name));
    if let Some(name) = reserved {
        return Err(Error::new(format!("the name {name:?} belongs to the checksum")));
    }
    Ok(seal::seal_header(encode(contents, &seal::unsealed_header())?))
}

/// What is in a file whose bytes are vouched for by whoever calls, or by nobody.
pub(crate) fn decode(bytes: Bytes) -> Result<Contents> {
    let damaged = |what: &dyn std::fmt::Display| {
        Error::new(format!("the safetensors cannot be read: {what}"))
    };
    let length = bytes.first_chunk().map_or(u64::MAX, |it: &[u8; 8]| u64::from_le_bytes(*it));
    let rest = bytes.get(8..).unwrap_or_default();
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or_else(|| damaged(&"the header is longer than the file"))?;
    ensure!(header.len() <= HEADER_MAX, "the safetensors have a header of {length} bytes");
    // The library takes the last of two entries of one name; nothing may be there twice.
    let entries = config::parse(header).map_err(|error| error.at("the header of safetensors"))?;
    limits::names(entries.as_object().map_or(0, serde_json::Map::len))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(&error))?;
    let mut contents = Contents::default();
    let metadata = entries[METADATA].as_object().into_iter().flatten();
    for (name, text) in metadata.filter(|(name, _)| !seal::is_reserved(name)) {
        contents.metadata.insert(name.clone(), text.as_str().unwrap_or_default().to_owned());
    }
    let data = rest[header.len()..].as_ptr() as usize;
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, view)| (view.data().as_ptr() as usize - data, *name));
    for (name, view) in views {
        let Some((element, ..)) = NAMES.iter().find(|(_, dtype, _)| *dtype == view.dtype()) else {
            let message = format!("{name:?} has elements that are not read: {:?}", view.dtype());
            return Err(Error::new(message));
        };
        let tensor = Tensor::new(*element, view.shape(), bytes.slice_ref(view.data()));
        contents.tensors.insert(name.to_owned(), tensor.map_err(|error| error.at(name))?);
    }
    Ok(contents)
}

/// A file whose header begins with the beginning of an object: of its metadata, or just `{`.
pub(crate) fn encode(contents: &Contents, beginning: &[u8]) -> Result<Vec<u8>> {
    let mut ordered: Vec<(&String, &Tensor)> = contents.tensors.iter().collect();
    // Wide elements first: each tensor is then aligned to its own.
    ordered.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.element().bytes()));
    let mut header = beginning.to_vec();
    let within_metadata = beginning.len() > 1;
    if within_metadata {
        for (name, text) in &contents.metadata {
            header.push(b',');
            entry(&mut header, name, &text.as_str().into());
        }
        header.push(b'}');
    }
    let mut offset = 0;
    for (index, (name, tensor)) in ordered.iter().enumerate() {
        ensure!(*name != METADATA, "no tensor can be called {METADATA}");
        let end = offset + tensor.bytes().len();
        let known = NAMES.iter().find(|(element, ..)| *element == tensor.element());
        let dtype = known.map(|(.., name)| *name);
        let said = json!({"dtype": dtype, "shape": tensor.shape(), "data_offsets": [offset, end]});
        if within_metadata || index > 0 {
            header.push(b',');
        }
        entry(&mut header, name, &said);
        offset = end;
    }
    header.push(b'}');
    header.resize((header.len() + 8).next_multiple_of(ALIGNMENT) - 8, b' ');
    let mut bytes = Vec::with_capacity(8 + header.len() + offset);
    bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&header);
    ordered.iter().for_each(|(_, tensor)| bytes.extend_from_slice(tensor.bytes()));
    Ok(bytes)
}

/// An entry of a JSON object.
fn entry(header: &mut Vec<u8>, name: &str, value: &Value) {
    header.extend_from_slice(Value::from(name).to_string().as_bytes());
    header.push(b':');
    header.extend_from_slice(value.to_string().as_bytes());
}
