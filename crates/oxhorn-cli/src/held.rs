//! What a file of a model or of weights holds: sizes, versions, checksum, random state.

use std::path::Path;

use oxhorn::{Error, Result, Sequential};
use oxhorn_io::{
    Attribute, Format, Group, Tensors, disk, h5,
    keras::{self, Archive},
    npz, safetensors,
    seal::{self, Seal},
};
use oxhorn_lab::show;
use serde_json::Value;

use crate::output::{print, wrapped};

/// Prints what a file holds, and gives the model, if there is one that can be built here.
///
/// # Errors
///
/// When the file is not whole, or was changed since it was written here.
pub(crate) fn print_all(path: &Path, format: Format) -> Result<Option<Sequential>> {
    let in_file = |error: Error| {
        let origin = error.origin.map_or(String::new(), |origin| format!(", {origin}"));
        Error { origin: Some(format!("{}{origin}", path.display())), ..error }
    };
    let bytes = disk::read(path)?;
    let seal = seal::check(&bytes, format).map_err(in_file)?;
    print(format_args!("File: {}, {} bytes", path.display(), show::count(bytes.len())))?;
    print(match seal {
        Seal::Intact(digits) => format!("Checksum: verified, SHA-256 {digits}"),
        Seal::Absent => "Checksum: none, so that damage may go unnoticed".to_owned(),
    })?;
    match format {
        Format::Keras => {
            let members = keras::members(&bytes).map_err(in_file)?;
            of_archive(path, &members, &keras::read(&bytes).map_err(in_file)?)
        }
        Format::H5 => {
            let root = h5::read(bytes).map_err(in_file)?;
            let text = |name: &str| root.attributes.get(name).and_then(Attribute::as_text);
            if let Some(version) = text("keras_version") {
                print(format_args!("Keras: {}", wrapped(version)))?;
            }
            let model = if is_model(&root) { of_model(path)? } else { None };
            print_tensors("Tensors", &root.flatten())?;
            Ok(model)
        }
        Format::Npz => {
            print_tensors("Tensors", &npz::read(&bytes).map_err(in_file)?)?;
            Ok(None)
        }
        Format::Safetensors => {
            let contents = safetensors::read(&bytes).map_err(in_file)?;
            for (name, text) in &contents.metadata {
                print(format_args!("{name}: {text}"))?;
            }
            print_tensors("Tensors", &contents.tensors)?;
            Ok(None)
        }
    }
}

/// Whether this HDF5 is a whole model, in Keras' older format.
pub(crate) fn is_model(root: &Group) -> bool {
    root.attributes.contains_key("model_config")
}

fn of_archive(
    path: &Path,
    members: &[(String, u64)],
    archive: &Archive,
) -> Result<Option<Sequential>> {
    let version = |value: &Value| value.as_str().unwrap_or("not said").to_owned();
    let metadata = &archive.metadata;
    let date = metadata["date_saved"].as_str().map_or(String::new(), |it| format!(", {it}"));
    print(format_args!("Keras: {}{date}", version(&metadata["keras_version"])))?;
    let state = archive.state.as_ref();
    print(match state {
        Some(state) => format!("Oxhorn: {}", version(&state.facts["oxhorn"])),
        None => "Oxhorn: not written by it".to_owned(),
    })?;
    print("\nMembers")?;
    let width = members.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, bytes) in members {
        print(format_args!("  {name:<width$}  {:>12} bytes", show::count(*bytes as usize)))?;
    }
    let model = of_model(path)?;
    print_tensors("Tensors", &archive.weights.flatten())?;
    match state {
        Some(state) if !state.tensors.is_empty() => print_tensors("Random state", &state.tensors)?,
        _ => print("\nRandom state: none is kept")?,
    }
    if let Some(state) = state.filter(|state| !state.facts["notes"].is_null()) {
        print(format_args!("\nNotes: {}", state.facts["notes"]))?;
    }
    Ok(model)
}

/// The model in a file and its summary; that it cannot be built is no reason to say nothing else.
fn of_model(path: &Path) -> Result<Option<Sequential>> {
    match Sequential::load(path) {
        Ok(model) => {
            print(format_args!("\n{}", model.summary().to_string().trim_end()))?;
            Ok(Some(model))
        }
        Err(error) => {
            print(wrapped(&format!("\nModel: it cannot be built here: {}", error.message)))?;
            Ok(None)
        }
    }
}

fn print_tensors(title: &str, tensors: &Tensors) -> Result<()> {
    let total = tensors.values().map(|tensor| tensor.bytes().len()).sum();
    print(format_args!(
        "\n{title}: {}, {} bytes",
        show::of(tensors.len(), "tensor", "tensors"),
        show::count(total)
    ))?;
    let width = tensors.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, tensor) in tensors {
        let ty = format!("{}{:?}", tensor.element().name(), tensor.shape());
        let bytes = show::count(tensor.bytes().len());
        print(format_args!("  {name:<width$}  {ty:<16} {bytes:>12} bytes"))?;
    }
    Ok(())
}
