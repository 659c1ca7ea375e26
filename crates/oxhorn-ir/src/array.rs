//! Plain arrays for the reference definitions: slow, `f64`, and obviously right.

use std::ops::Index;

use crate::Type;

/// A tensor's elements in row-major order, every type kept as `f64`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The extent of each axis.
    pub shape: Vec<usize>,
    /// The elements, the last axis running fastest.
    pub data: Vec<f64>,
}

impl Array {
    /// The array with these elements.
    ///
    /// # Panics
    ///
    /// If there are more or fewer elements than the shape has.
    pub fn new(shape: impl Into<Vec<usize>>, data: Vec<f64>) -> Array {
        let shape = shape.into();
        assert_eq!(shape.iter().product::<usize>(), data.len(), "elements of shape {shape:?}");
        Array { shape, data }
    }

    /// The array whose element at index `ix` is `f(ix)`.
    pub fn from_fn(shape: &[usize], mut f: impl FnMut(&[usize]) -> f64) -> Array {
        let len = shape.iter().product();
        let data = (0..len).map(|flat| f(&unflatten(shape, flat))).collect();
        Array { shape: shape.to_vec(), data }
    }

    /// The array whose elements are `f` of the elements of `args`, all of one shape.
    pub fn map(args: &[&Array], ty: &Type, f: impl Fn(&[f64]) -> f64) -> Array {
        let mut x = vec![0.0; args.len()];
        let element = |flat: usize| {
            x.iter_mut().zip(args).for_each(|(x, arg)| *x = arg.data[flat]);
            ty.dtype.wrap(f(&x))
        };
        Array { shape: ty.shape.clone(), data: (0..ty.len()).map(element).collect() }
    }

    /// The first element, of a scalar the only one.
    pub fn scalar(&self) -> f64 {
        self.data[0]
    }

    /// The position in `data` of the element at index `ix`.
    pub fn flat(&self, ix: &[usize]) -> usize {
        self.shape.iter().zip(ix).fold(0, |flat, (extent, i)| flat * extent + i)
    }
}

impl<Ix: AsRef<[usize]>> Index<Ix> for Array {
    type Output = f64;

    fn index(&self, ix: Ix) -> &f64 {
        &self.data[self.flat(ix.as_ref())]
    }
}

/// The index of the element at position `flat` of an array of this shape.
pub(crate) fn unflatten(shape: &[usize], mut flat: usize) -> Vec<usize> {
    let mut ix = vec![0; shape.len()];
    for (i, extent) in ix.iter_mut().zip(shape).rev() {
        *i = flat % extent;
        flat /= extent;
    }
    ix
}
