//! Values of variables, whatever the type of their elements.

use oxhorn_cpu::{Number, Weights};
use oxhorn_io::{Element, Tensor};
use oxhorn_ir::{DType, Error, Result, ensure};
use oxhorn_nn::Variable;

use crate::state::State;

/// Rejects variables for which no machine has room, before they are made.
pub(super) fn check_size(variables: &[Variable]) -> Result<()> {
    for Variable { path, ty, .. } in variables {
        let elements = ty.shape.iter().try_fold(1_usize, |n, &extent| n.checked_mul(extent));
        // First values are drawn as `f64`.
        let room = elements.is_some_and(|n| Vec::<f64>::new().try_reserve_exact(n).is_ok());
        let shape = &ty.shape;
        ensure!(
            room,
            "there is no room for `{path}` of shape {shape:?}";
            help: "it would be larger than this machine's memory"
        );
    }
    Ok(())
}

/// A variable as files hold it.
pub(crate) fn tensor(weights: &Weights, path: &str) -> Result<Tensor> {
    let ty = weights.ty(path).ok_or_else(|| Error::new(format!("there is no `{path}`")))?;
    Tensor::new(ty.dtype.into(), &ty.shape[..], weights.bytes(path)?.to_vec())
}

/// Gives a variable the value that `given` has for it, which is not there any more then; whether
/// there was one.
pub(super) fn take(to: &mut Weights, path: &str, given: &mut State) -> Result<bool> {
    let Some(tensor) = given.remove(path) else { return Ok(false) };
    let fits = to.ty(path).is_some_and(|ty| {
        Element::from(ty.dtype) == tensor.element() && ty.shape[..] == *tensor.shape()
    });
    if fits {
        to.bytes_mut(path)?.copy_from_slice(tensor.bytes());
    }
    Ok(fits)
}

/// The elements of a variable, each as a number that holds it exactly but for large integers.
pub(super) fn read(from: &Weights, path: &str) -> Result<Vec<f64>> {
    fn take<T: Number>(from: Result<&[T]>, f: impl Fn(T) -> f64) -> Result<Vec<f64>> {
        Ok(from?.iter().map(|&value| f(value)).collect())
    }
    match dtype_of(from, path) {
        DType::Bool => take::<u8>(from.slice(path), f64::from),
        DType::I32 => take::<i32>(from.slice(path), f64::from),
        DType::I64 => take::<i64>(from.slice(path), |x| x as f64),
        DType::U32 => take::<u32>(from.slice(path), f64::from),
        DType::F32 => take::<f32>(from.slice(path), f64::from),
        DType::F64 => take::<f64>(from.slice(path), |x| x),
    }
}

/// Gives a variable these elements, or all of them the last of these.
pub(super) fn write(to: &mut Weights, path: &str, values: &[f64]) -> Result<()> {
    fn put<T: Number>(to: Result<&mut [T]>, values: &[f64], f: impl Fn(f64) -> T) -> Result<()> {
        let last = values.last().into_iter().cycle();
        to?.iter_mut().zip(values.iter().chain(last)).for_each(|(to, &value)| *to = f(value));
        Ok(())
    }
    match dtype_of(to, path) {
        DType::Bool => put::<u8>(to.slice_mut(path), values, |x| (x != 0.0) as u8),
        DType::I32 => put::<i32>(to.slice_mut(path), values, |x| x as i32),
        DType::I64 => put::<i64>(to.slice_mut(path), values, |x| x as i64),
        DType::U32 => put::<u32>(to.slice_mut(path), values, |x| x as u32),
        DType::F32 => put::<f32>(to.slice_mut(path), values, |x| x as f32),
        DType::F64 => put::<f64>(to.slice_mut(path), values, |x| x),
    }
}

/// The type of a variable's elements; any will do for one that there is not, which is then said.
fn dtype_of(weights: &Weights, path: &str) -> DType {
    weights.ty(path).map_or(DType::F32, |ty| ty.dtype)
}
