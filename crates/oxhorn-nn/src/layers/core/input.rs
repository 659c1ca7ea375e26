//! `Input`: where data enters a model.

use crate::prelude::*;

/// States the shape of what enters a model, which it passes on unchanged.
///
/// `Input::new([25])` names the extents of one sample; `Input::new([None, Some(25)])` those of a
/// batch.
#[derive(Clone, Debug, PartialEq, Config)]
#[config(class = "keras.layers.InputLayer", shape = ".. -> ..")]
pub struct Input {
    /// The shape of a batch; an axis given as none may have any extent.
    pub batch_shape: BatchShape,
    /// The type of the elements that are given, a number's. As every layer would, the model turns
    /// them into `float32`.
    #[config(default = "float32")]
    pub dtype: String,
    /// Whether most elements are absent, which is not supported.
    #[config(default = false)]
    pub sparse: bool,
    /// Whether rows differ in length, which is not supported.
    #[config(default = false)]
    pub ragged: bool,
    /// Whether nothing at all may be given, which is not supported.
    #[config(default = false)]
    pub optional: bool,
}

/// The types of numbers that a model takes.
const DTYPES: [&str; 12] = [
    "float16", "bfloat16", "float32", "float64", "bool", "int8", "int16", "int32", "int64",
    "uint8", "uint16", "uint32",
];

/// The shape of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchShape(pub Vec<Option<usize>>);

impl<const N: usize> From<[usize; N]> for BatchShape {
    /// The shape of a batch of any number of samples of this shape.
    fn from(sample: [usize; N]) -> BatchShape {
        BatchShape([None].into_iter().chain(sample.map(Some)).collect())
    }
}

impl<const N: usize> From<[Option<usize>; N]> for BatchShape {
    fn from(batch: [Option<usize>; N]) -> BatchShape {
        BatchShape(batch.to_vec())
    }
}

impl From<Vec<Option<usize>>> for BatchShape {
    fn from(batch: Vec<Option<usize>>) -> BatchShape {
        BatchShape(batch)
    }
}

impl Field for BatchShape {
    fn kind() -> String {
        Vec::<Option<usize>>::kind()
    }

    fn read(json: &Json) -> Result<BatchShape> {
        Field::read(json).map(BatchShape)
    }

    fn write(&self) -> Json {
        self.0.write()
    }
}

impl Layer for Input {
    fn check(&self) -> Result<()> {
        ensure!(!self.sparse, "`sparse` of `InputLayer` is not supported, got true");
        ensure!(!self.ragged, "`ragged` of `InputLayer` is not supported, got true");
        ensure!(!self.optional, "`optional` of `InputLayer` is not supported, got true");
        ensure!(
            DTYPES.contains(&self.dtype.as_str()),
            "`dtype` of `InputLayer` is no type of number: {}", self.dtype;
            help: "one of {}", DTYPES.join(", ")
        );
        ensure!(
            !self.batch_shape.0.is_empty(),
            "`batch_shape` needs at least the batch axis, got []"
        );
        Ok(())
    }

    fn call<'g>(&self, _: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        x
    }

    fn batch_shape(&self) -> Option<Vec<Option<usize>>> {
        Some(self.batch_shape.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_the_batch_axis_to_the_shape_of_a_sample() {
        assert_eq!(Input::new([25]).batch_shape(), Some(vec![None, Some(25)]));
        assert_eq!(Input::new([None, Some(3)]).batch_shape(), Some(vec![None, Some(3)]));
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let error = Input::new([2]).sparse(true).check().unwrap_err();
        assert_eq!(error.message, "`sparse` of `InputLayer` is not supported, got true");
        let error = Input::new([2]).dtype("string").check().unwrap_err();
        assert_eq!(error.message, "`dtype` of `InputLayer` is no type of number: string");
    }
}
