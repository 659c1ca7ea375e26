//! What lives from step to step: weights, optimizer slots, seeds, totals.

use std::{
    alloc::{Layout, handle_alloc_error},
    collections::HashMap,
};

use oxhorn_ir::{Error, Result, Type};

use crate::memory::{ALIGNMENT, Memory, Number};

/// Variables by their paths, each at a fixed place of one allocation, where programs update them.
#[derive(Clone)]
pub struct Weights {
    places: Vec<(String, Type, usize)>,
    by_path: HashMap<String, usize>,
    memory: Memory,
}

impl Weights {
    /// Room for these variables, all zero. Of several with one path, the first counts. Where there
    /// is no memory the process ends: see [`Weights::room_for`].
    pub fn new(variables: impl IntoIterator<Item = (String, Type)>) -> Weights {
        let weights = Weights::room_for(variables);
        weights.unwrap_or_else(|_| handle_alloc_error(Layout::new::<u8>()))
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// If there is no memory for them.
    pub fn room_for(variables: impl IntoIterator<Item = (String, Type)>) -> Result<Weights> {
        let (mut places, mut by_path, mut offset) = (vec![], HashMap::new(), 0);
        for (path, ty) in variables {
            if by_path.contains_key(&path) {
                continue;
            }
            by_path.insert(path.clone(), places.len());
            let bytes = ty.bytes().max(1).next_multiple_of(ALIGNMENT);
            places.push((path, ty, offset));
            offset += bytes;
        }
        Ok(Weights { places, by_path, memory: Memory::new(offset)? })
    }

    /// The paths, in the order given.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|(path, ..)| path.as_str())
    }

    /// The type of the variable at `path`.
    pub fn ty(&self, path: &str) -> Option<&Type> {
        self.by_path.get(path).map(|&index| &self.places[index].1)
    }

    /// The elements of the variable at `path`, in row-major order.
    ///
    /// # Errors
    ///
    /// If there is no such variable, or its elements are of another type.
    pub fn slice<T: Number>(&self, path: &str) -> Result<&[T]> {
        let (ty, offset) = self.place::<T>(path)?;
        let len = ty.len();
        Ok(self.memory.slice(offset, len))
    }

    /// The same, to be written.
    ///
    /// # Errors
    ///
    /// As [`Weights::slice`].
    pub fn slice_mut<T: Number>(&mut self, path: &str) -> Result<&mut [T]> {
        let (ty, offset) = self.place::<T>(path)?;
        let len = ty.len();
        Ok(self.memory.slice_mut(offset, len))
    }

    /// The elements of the variable at `path` as bytes, whatever their type.
    ///
    /// # Errors
    ///
    /// If there is no such variable.
    pub fn bytes(&self, path: &str) -> Result<&[u8]> {
        let (offset, ty) = self.known(path)?;
        Ok(self.memory.slice(offset, ty.bytes()))
    }

    /// The same, to be written.
    ///
    /// # Errors
    ///
    /// As [`Weights::bytes`].
    pub fn bytes_mut(&mut self, path: &str) -> Result<&mut [u8]> {
        let (offset, ty) = self.known(path)?;
        let bytes = ty.bytes();
        Ok(self.memory.slice_mut(offset, bytes))
    }

    /// Takes over all values of `other`, which must hold the same variables.
    ///
    /// # Errors
    ///
    /// If it does not.
    pub fn copy_from(&mut self, other: &Weights) -> Result<()> {
        if self.places != other.places {
            return Err(Error::new("only the values of the same variables can be taken over"));
        }
        self.memory.copy_from(&other.memory);
        Ok(())
    }

    /// Where a variable lies, and its type.
    pub(crate) fn offset(&self, path: &str) -> Option<(usize, &Type)> {
        let (_, ty, offset) = &self.places[*self.by_path.get(path)?];
        Some((*offset, ty))
    }

    pub(crate) fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// What tells variables laid out alike from others.
    pub(crate) fn fingerprint(&self) -> (usize, usize) {
        (self.places.len(), self.memory.bytes().len())
    }

    fn known(&self, path: &str) -> Result<(usize, &Type)> {
        self.offset(path).ok_or_else(|| Error::new(format!("there is no variable `{path}`")))
    }

    fn place<T: Number>(&self, path: &str) -> Result<(&Type, usize)> {
        let (offset, ty) = self.known(path)?;
        if ty.dtype != T::DTYPE {
            return Err(Error::new(format!("`{path}` is {ty}, asked for as {}", T::DTYPE)));
        }
        Ok((ty, offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_their_values_by_path() {
        let scalar = ("step".to_owned(), Type::new(oxhorn_ir::DType::I64, []));
        let mut weights = Weights::new([("a/kernel".to_owned(), Type::f32([2, 3])), scalar]);
        weights.slice_mut::<f32>("a/kernel").unwrap()[5] = 7.0;
        weights.slice_mut::<i64>("step").unwrap()[0] = -1;
        let copy = weights.clone();
        weights.slice_mut::<f32>("a/kernel").unwrap().fill(0.0);
        assert_eq!(copy.slice::<f32>("a/kernel").unwrap(), [0.0, 0.0, 0.0, 0.0, 0.0, 7.0]);
        weights.copy_from(&copy).unwrap();
        assert_eq!(weights.slice::<f32>("a/kernel").unwrap()[5], 7.0);
        assert_eq!(weights.slice::<i64>("step").unwrap(), [-1]);
    }

    #[test]
    fn give_and_take_bytes_whatever_their_type() {
        let types = [("step", oxhorn_ir::DType::I64), ("flag", oxhorn_ir::DType::Bool)];
        let types = types.map(|(path, dtype)| (path.to_owned(), Type::new(dtype, [1])));
        let mut weights = Weights::new(types);
        weights.bytes_mut("step").unwrap().copy_from_slice(&(-7_i64).to_ne_bytes());
        weights.bytes_mut("flag").unwrap()[0] = 1;
        assert_eq!(weights.slice::<i64>("step").unwrap(), [-7]);
        assert_eq!(weights.bytes("flag").unwrap(), [1]);
        assert_eq!(weights.bytes("b").unwrap_err().message, "there is no variable `b`");
    }

    #[test]
    fn say_what_is_not_there() {
        let weights = Weights::new([("a".to_owned(), Type::f32([2]))]);
        let error = weights.slice::<f32>("b").unwrap_err();
        assert_eq!(error.to_string(), "there is no variable `b`");
        let error = weights.slice::<f64>("a").unwrap_err();
        assert_eq!(error.to_string(), "`a` is f32[2], asked for as f64");
    }
}
