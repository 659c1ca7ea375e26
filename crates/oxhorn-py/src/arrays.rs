//! NumPy arrays on their way in and out.

use std::borrow::Cow;

use numpy::{
    Element, IntoPyArray, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods,
    ndarray::{ArrayD, IxDyn},
};
use oxhorn::data::{Elements, Samples};
use oxhorn_ir::{DType, Type};
use pyo3::{
    exceptions::{PyMemoryError, PyTypeError},
    prelude::*,
};

/// Keras' name of an element type.
pub(crate) fn name(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "bool",
        DType::I32 => "int32",
        DType::I64 => "int64",
        DType::U32 => "uint32",
        DType::F32 => "float32",
        DType::F64 => "float64",
    }
}

/// The element type that Keras calls so.
pub(crate) fn dtype(name: &str) -> PyResult<DType> {
    let all = [DType::Bool, DType::I32, DType::I64, DType::U32, DType::F32, DType::F64];
    let found = all.into_iter().find(|dtype| self::name(*dtype) == name);
    found.ok_or_else(|| {
        PyTypeError::new_err(format!(
            "the dtype `{name}` is not supported\n  help: there are bool, int32, int64, uint32, \
             float32 and float64"
        ))
    })
}

/// An array of one of the element types of graphs, row-major.
enum Array<'py> {
    Bool(PyReadonlyArrayDyn<'py, bool>),
    I32(PyReadonlyArrayDyn<'py, i32>),
    I64(PyReadonlyArrayDyn<'py, i64>),
    U32(PyReadonlyArrayDyn<'py, u32>),
    F32(PyReadonlyArrayDyn<'py, f32>),
    F64(PyReadonlyArrayDyn<'py, f64>),
}

impl<'py> Array<'py> {
    fn of(array: &Bound<'py, PyAny>) -> PyResult<Array<'py>> {
        macro_rules! try_each {
            ($($variant:ident: $element:ty),*) => {
                $(if let Ok(array) = array.cast::<PyArrayDyn<$element>>() {
                    return Ok(Array::$variant(array.try_readonly()?));
                })*
            };
        }
        try_each!(F32: f32, I32: i32, I64: i64, Bool: bool, F64: f64, U32: u32);
        let kind = array.get_type();
        Err(PyTypeError::new_err(format!(
            "expected an array of bool, int32, int64, uint32, float32 or float64, got {kind}"
        )))
    }

    fn dtype(&self) -> DType {
        match self {
            Array::Bool(_) => DType::Bool,
            Array::I32(_) => DType::I32,
            Array::I64(_) => DType::I64,
            Array::U32(_) => DType::U32,
            Array::F32(_) => DType::F32,
            Array::F64(_) => DType::F64,
        }
    }
}

/// The type and the elements of an array, each as a number that holds it.
pub(crate) fn read(array: &Bound<'_, PyAny>) -> PyResult<(Type, Vec<f64>)> {
    fn all<T: Element + Copy>(
        array: &PyReadonlyArrayDyn<'_, T>,
        f: impl Fn(T) -> f64,
    ) -> (Vec<usize>, Vec<f64>) {
        let view = array.as_array();
        (view.shape().to_vec(), view.iter().map(|&x| f(x)).collect())
    }
    let array = Array::of(array)?;
    let (shape, values) = match &array {
        Array::Bool(it) => all(it, |x| f64::from(u8::from(x))),
        Array::I32(it) => all(it, f64::from),
        Array::I64(it) => all(it, |x| x as f64),
        Array::U32(it) => all(it, f64::from),
        Array::F32(it) => all(it, f64::from),
        Array::F64(it) => all(it, |x| x),
    };
    Ok((Type::new(array.dtype(), shape), values))
}

/// The type and the bytes of an array.
pub(crate) fn bytes(array: &Bound<'_, PyAny>) -> PyResult<(Type, Vec<u8>)> {
    macro_rules! all {
        ($array:expr, $x:ident => $bytes:expr) => {{
            let view = $array.as_array();
            (view.shape().to_vec(), view.iter().flat_map(|&$x| $bytes).collect())
        }};
    }
    let array = Array::of(array)?;
    let (shape, bytes) = match &array {
        Array::Bool(it) => all!(it, x => [u8::from(x)]),
        Array::I32(it) => all!(it, x => x.to_ne_bytes()),
        Array::I64(it) => all!(it, x => x.to_ne_bytes()),
        Array::U32(it) => all!(it, x => x.to_ne_bytes()),
        Array::F32(it) => all!(it, x => x.to_ne_bytes()),
        Array::F64(it) => all!(it, x => x.to_ne_bytes()),
    };
    Ok((Type::new(array.dtype(), shape), bytes))
}

/// Room for so many elements.
fn room_for<T>(elements: usize) -> PyResult<Vec<T>> {
    let mut room = vec![];
    let reserved = room.try_reserve_exact(elements);
    reserved.map_err(|_| {
        PyMemoryError::new_err(format!("there is no memory for an array of {elements} elements"))
    })?;
    Ok(room)
}

/// A copy of what an engine gives.
pub(crate) fn copied(bytes: &[u8]) -> PyResult<Vec<u8>> {
    let mut copy = room_for(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// An array of these elements.
pub(crate) fn from_bytes<'py>(
    py: Python<'py>,
    ty: &Type,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    macro_rules! array {
        ($element:ty, $bytes:ident => $value:expr) => {{
            let mut values = room_for(bytes.len() / size_of::<$element>())?;
            values.extend(bytes.chunks_exact(size_of::<$element>()).map(|chunk| {
                let mut $bytes = [0; size_of::<$element>()];
                $bytes.copy_from_slice(chunk);
                $value
            }));
            let array = ArrayD::from_shape_vec(IxDyn(&ty.shape), values);
            let array = array.map_err(|error| PyTypeError::new_err(error.to_string()))?;
            Ok(array.into_pyarray(py).into_any())
        }};
    }
    match ty.dtype {
        DType::Bool => array!(bool, b => b[0] != 0),
        DType::I32 => array!(i32, b => i32::from_ne_bytes(b)),
        DType::I64 => array!(i64, b => i64::from_ne_bytes(b)),
        DType::U32 => array!(u32, b => u32::from_ne_bytes(b)),
        DType::F32 => array!(f32, b => f32::from_ne_bytes(b)),
        DType::F64 => array!(f64, b => f64::from_ne_bytes(b)),
    }
}

/// An array whose first axis counts samples, kept where it is while it is used.
pub(crate) enum Held<'py> {
    Floats(PyReadonlyArrayDyn<'py, f32>),
    Integers(PyReadonlyArrayDyn<'py, i64>),
}

impl<'py> Held<'py> {
    /// Of an array of `float32` or `int64`, which Python has made of what it was given.
    pub(crate) fn of(array: &Bound<'py, PyAny>) -> PyResult<Held<'py>> {
        match Array::of(array)? {
            Array::F32(array) => Ok(Held::Floats(array)),
            Array::I64(array) => Ok(Held::Integers(array)),
            other => Err(PyTypeError::new_err(format!(
                "samples are float32 or int64, got {}",
                name(other.dtype())
            ))),
        }
    }

    /// The samples; nothing is copied if the elements are in order.
    pub(crate) fn samples(&self) -> Samples<'_> {
        fn elements<'s, T: Element + Copy>(
            array: &'s PyReadonlyArrayDyn<'_, T>,
        ) -> (Vec<usize>, Cow<'s, [T]>) {
            let values = match array.as_slice() {
                Ok(slice) => Cow::Borrowed(slice),
                Err(_) => array.as_array().iter().copied().collect(),
            };
            (array.shape().to_vec(), values)
        }
        match self {
            Held::Floats(array) => {
                let (shape, values) = elements(array);
                Samples::new(shape, Elements::Floats(values))
            }
            Held::Integers(array) => {
                let (shape, values) = elements(array);
                Samples::new(shape, Elements::Integers(values))
            }
        }
    }
}
