//! Files of models and weights, as Python has them: dictionaries of arrays, and JSON as text.
//!
//! A tree is two dictionaries: what is said of each group, by path, and the arrays, by path. What
//! is read comes from a path or from bytes; what is written goes to a path, whose file is replaced
//! in one step, or comes back as bytes.

use std::path::PathBuf;

use half::bf16;
use numpy::PyArray1;
use oxhorn_io::{
    Attribute, Element, FileBytes, Group, Member, Tensor, Tensors, config, disk, h5,
    keras::{self, Archive, State},
    npz,
    safetensors::{self, Contents},
};
use oxhorn_ir::{Error, Result};
use pyo3::{
    exceptions::{PyKeyError, PyOSError, PyTypeError},
    prelude::*,
    types::{IntoPyDict, PyBytes, PyDict, PyString},
};

use crate::errors::for_python;

/// What is said of groups, and the arrays, both by path.
type Tree<'py> = (Bound<'py, PyDict>, Bound<'py, PyDict>);

/// The tree in a file of HDF5.
#[pyfunction]
pub(crate) fn read_h5<'py>(py: Python<'py>, from: &Bound<'py, PyAny>) -> PyResult<Tree<'py>> {
    let root = read(py, from, h5::read)?;
    tree(py, root)
}

/// Writes a tree as HDF5.
#[pyfunction]
pub(crate) fn write_h5<'py>(
    py: Python<'py>,
    to: Option<PathBuf>,
    groups: &Bound<'py, PyDict>,
    tensors: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let root = group(groups, tensors)?;
    write(py, to, || h5::write(&root))
}

/// The arrays in an NPZ file by name.
#[pyfunction]
pub(crate) fn read_npz<'py>(
    py: Python<'py>,
    from: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let found = read(py, from, npz::read)?;
    arrays(py, found)
}

/// Writes arrays as NPZ.
#[pyfunction]
pub(crate) fn write_npz<'py>(
    py: Python<'py>,
    to: Option<PathBuf>,
    arrays: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let tensors = tensors(arrays)?;
    write(py, to, || npz::write(&tensors))
}

/// The arrays in a safetensors file by name.
#[pyfunction]
pub(crate) fn read_safetensors<'py>(
    py: Python<'py>,
    from: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let found = read(py, from, safetensors::read)?;
    arrays(py, found.tensors)
}

/// Writes arrays as safetensors.
#[pyfunction]
pub(crate) fn write_safetensors<'py>(
    py: Python<'py>,
    to: Option<PathBuf>,
    arrays: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let contents = Contents { tensors: tensors(arrays)?, ..Contents::default() };
    write(py, to, || safetensors::write(&contents))
}

/// What is in a `.keras` file: `metadata` and `config` as JSON, `groups` and `tensors` of the
/// weights, and `facts` and `state` beside them, which are `None` where there are none.
#[pyfunction]
pub(crate) fn read_keras<'py>(
    py: Python<'py>,
    from: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let archive = read(py, from, keras::read)?;
    let found = PyDict::new(py);
    found.set_item("metadata", archive.metadata.to_string())?;
    found.set_item("config", archive.config.to_string())?;
    let (groups, tensors) = tree(py, archive.weights)?;
    found.set_item("groups", groups)?;
    found.set_item("tensors", tensors)?;
    found.set_item("facts", archive.state.as_ref().map(|state| state.facts.to_string()))?;
    let state = archive.state.map(|state| arrays(py, state.tensors)).transpose()?;
    found.set_item("state", state)?;
    Ok(found)
}

/// Writes a `.keras` file of what [`read_keras`] gives.
#[pyfunction]
pub(crate) fn write_keras<'py>(
    py: Python<'py>,
    to: Option<PathBuf>,
    archive: &Bound<'py, PyDict>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let item =
        |key: &str| archive.get_item(key)?.ok_or_else(|| PyKeyError::new_err(key.to_owned()));
    let json = |key: &str| for_python(config::parse(item(key)?.extract::<String>()?.as_bytes()));
    let (groups, arrays) = (item("groups")?, item("tensors")?);
    let state = match item("state")? {
        state if state.is_none() => None,
        state => Some(State { facts: json("facts")?, tensors: tensors(state.cast::<PyDict>()?)? }),
    };
    let archive = Archive {
        metadata: json("metadata")?,
        config: json("config")?,
        weights: group(groups.cast::<PyDict>()?, arrays.cast::<PyDict>()?)?,
        state,
    };
    write(py, to, || keras::write(&archive))
}

/// Why no object of this class is made from a file, if it is one of those.
#[pyfunction]
pub(crate) fn refusal(class_name: &str) -> Option<&'static str> {
    oxhorn_nn::refusal(class_name)
}

/// Arrays by name as what a run keeps.
pub(crate) fn state(arrays: &Bound<'_, PyDict>) -> PyResult<oxhorn::state::State> {
    Ok(tensors(arrays)?.into_iter().collect())
}

/// What a run keeps, as arrays by name.
pub(crate) fn of_state<'py>(
    py: Python<'py>,
    state: &oxhorn::state::State,
) -> PyResult<Bound<'py, PyDict>> {
    arrays(py, state.entries().map(|(name, kept)| (name.to_owned(), kept.clone())).collect())
}

/// What a reader makes of the bytes at a path, or of bytes.
fn read<T: Send>(
    py: Python<'_>,
    from: &Bound<'_, PyAny>,
    reader: impl FnOnce(FileBytes) -> Result<T> + Send,
) -> PyResult<T> {
    if let Ok(bytes) = from.cast::<PyBytes>() {
        let bytes = bytes.as_bytes();
        return for_python(py.detach(|| reader(bytes.into())));
    }
    let path: PathBuf = from.extract()?;
    let bytes = py.detach(|| disk::read(&path)).map_err(failed)?;
    let of_file =
        |error: Error| Error { message: format!("{}: {}", path.display(), error.message), ..error };
    for_python(py.detach(|| reader(bytes.into()).map_err(of_file)))
}

/// Puts what a writer gives at a path, or gives it back.
pub(crate) fn write<'py>(
    py: Python<'py>,
    to: Option<PathBuf>,
    writer: impl FnOnce() -> Result<Vec<u8>> + Send,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let bytes = for_python(py.detach(writer))?;
    let Some(path) = to else { return Ok(Some(PyBytes::new(py, &bytes))) };
    py.detach(|| disk::replace(&path, &bytes)).map_err(failed)?;
    Ok(None)
}

/// What the disk has against it.
fn failed(error: Error) -> PyErr {
    PyOSError::new_err(error.to_string())
}

/// The tree as Python has it.
fn tree(py: Python<'_>, root: Group) -> PyResult<Tree<'_>> {
    let (groups, tensors) = (PyDict::new(py), PyDict::new(py));
    fill(py, root, String::new(), (&groups, &tensors))?;
    Ok((groups, tensors))
}

fn fill(
    py: Python<'_>,
    group: Group,
    path: String,
    (groups, tensors): (&Bound<'_, PyDict>, &Bound<'_, PyDict>),
) -> PyResult<()> {
    let attributes = PyDict::new(py);
    for (name, attribute) in group.attributes {
        match attribute {
            Attribute::Text(text) => attributes.set_item(name, text)?,
            Attribute::Texts(texts) => attributes.set_item(name, texts)?,
            Attribute::Numbers(numbers) => attributes.set_item(name, array(py, numbers)?)?,
        }
    }
    groups.set_item(&path, attributes)?;
    for (name, member) in group.members {
        let path = if path.is_empty() { name } else { format!("{path}/{name}") };
        match member {
            Member::Group(group) => fill(py, group, path, (groups, tensors))?,
            Member::Dataset(dataset) => tensors.set_item(path, array(py, dataset.tensor)?)?,
        }
    }
    Ok(())
}

/// The tree that Python has.
fn group(groups: &Bound<'_, PyDict>, arrays: &Bound<'_, PyDict>) -> PyResult<Group> {
    let mut root = Group::default();
    for (path, attributes) in groups {
        let group = for_python(root.group_mut(&path.extract::<String>()?))?;
        for (name, value) in attributes.cast::<PyDict>()? {
            group.attributes.insert(name.extract()?, attribute(&value)?);
        }
    }
    for (path, tensor) in tensors(arrays)? {
        for_python(root.insert(&path, tensor))?;
    }
    Ok(root)
}

fn attribute(value: &Bound<'_, PyAny>) -> PyResult<Attribute> {
    if value.is_instance_of::<PyString>() {
        return Ok(Attribute::Text(value.extract()?));
    }
    match value.extract::<Vec<String>>() {
        Ok(texts) => Ok(Attribute::Texts(texts)),
        Err(_) => Ok(Attribute::Numbers(tensor(value)?)),
    }
}

fn arrays(py: Python<'_>, tensors: Tensors) -> PyResult<Bound<'_, PyDict>> {
    let found = PyDict::new(py);
    for (name, tensor) in tensors {
        found.set_item(name, array(py, tensor)?)?;
    }
    Ok(found)
}

fn tensors(arrays: &Bound<'_, PyDict>) -> PyResult<Tensors> {
    let named = arrays.iter().map(|(name, array)| Ok((name.extract()?, tensor(&array)?)));
    named.collect()
}

/// The tensor as an array of NumPy. NumPy has no bfloat16, whose numbers are all of `float32`.
fn array(py: Python<'_>, tensor: Tensor) -> PyResult<Bound<'_, PyAny>> {
    let tensor = match tensor.element() {
        Element::Bf16 => {
            let values = for_python(tensor.values::<bf16>())?;
            Tensor::of(tensor.shape(), &values.iter().map(|x| x.to_f32()).collect::<Vec<f32>>())
        }
        _ => tensor,
    };
    let (name, shape) = (tensor.element().name(), tensor.shape().to_vec());
    let little = py.import("numpy")?.call_method1("dtype", (name,))?;
    let little = little.call_method1("newbyteorder", ("<",))?;
    let bytes = PyArray1::from_vec(py, tensor.into_bytes());
    let array = bytes.call_method1("view", (little,))?;
    let array = array.call_method1("reshape", (shape,))?;
    // Elsewhere nobody has to know in which order files have the bytes of a number.
    as_type(&array, name)
}

/// The array with elements of that type, itself if it has such.
fn as_type<'py>(
    array: &Bound<'py, PyAny>,
    dtype: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    let settings = [("copy", false)].into_py_dict(array.py())?;
    array.call_method("astype", (dtype,), Some(&settings))
}

/// The array of NumPy as a tensor.
fn tensor(array: &Bound<'_, PyAny>) -> PyResult<Tensor> {
    let dtype = array.getattr("dtype")?;
    let name: String = dtype.getattr("name")?.extract()?;
    let element = Element::ALL.into_iter().find(|element| element.name() == name);
    let element = element.ok_or_else(|| {
        PyTypeError::new_err(format!("files hold arrays of numbers, got one of `{name}`"))
    })?;
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    let little = dtype.call_method1("newbyteorder", ("<",))?;
    let bytes = as_type(array, little)?.call_method0("tobytes")?;
    let bytes = bytes.cast::<PyBytes>()?.as_bytes();
    for_python(Tensor::new(element, shape, bytes.to_vec()))
}
