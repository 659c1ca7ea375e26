//! `Embedding`: a vector for each of many things.

use crate::prelude::*;

/// Replaces each integer by the row of a table that it names.
///
/// Integers count from 0; negative ones count from the end of the table. One that names no row
/// gives a row of NaN, as in Keras on JAX. What is not an integer is truncated to one.
///
/// # Weights
///
/// - `embeddings`: `[input_dim, output_dim]`
#[derive(Clone, Debug, PartialEq, Config)]
#[config(
    class = "keras.layers.Embedding",
    shape = ".. -> .. output_dim",
    unsupported = ["quantization_config", "lora_rank", "lora_alpha", "weights", "input_length"]
)]
pub struct Embedding {
    /// How many rows there are: the greatest integer is one less.
    pub input_dim: usize,
    /// The extent of a row.
    pub output_dim: usize,
    /// How the `embeddings` are initialised, regularised and constrained.
    #[config(weight = "uniform")]
    pub embeddings: Weight,
    /// Whether 0 stands for nothing and is masked, which is not supported.
    #[config(default = false)]
    pub mask_zero: bool,
}

impl Layer for Embedding {
    fn check(&self) -> Result<()> {
        for (name, value) in [("input_dim", self.input_dim), ("output_dim", self.output_dim)] {
            ensure!(value > 0, "`{name}` must be a positive integer. Received: {name}={value}");
        }
        ensure!(!self.mask_zero, "`mask_zero` of `Embedding` is not supported, got true");
        Ok(())
    }

    fn call<'g>(&self, cx: &Scope<'g>, x: Tensor<'g>) -> Tensor<'g> {
        let (rows, columns) = (self.input_dim, self.output_dim);
        let table = cx.weight("embeddings", [rows, columns], &self.embeddings);
        let index = if x.dtype() == DType::I64 { x } else { x.cast(DType::I32) };
        let index = index.less(0.0).select(index + rows as f64, index);
        let named = index.greater_equal(0.0).and(index.less(rows as f64));
        let named = named.reshape([&x.shape()[..], &[1]].concat());
        named.select(table.gather(index, 0), f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_empty_tables() {
        assert_eq!(
            Embedding::new(0, 2).check().unwrap_err().message,
            "`input_dim` must be a positive integer. Received: input_dim=0"
        );
        assert_eq!(
            Embedding::new(3, 0).check().unwrap_err().message,
            "`output_dim` must be a positive integer. Received: output_dim=0"
        );
    }

    #[test]
    fn masks_are_refused_by_name() {
        assert_eq!(
            Embedding::new(3, 2).mask_zero(true).check().unwrap_err().message,
            "`mask_zero` of `Embedding` is not supported, got true"
        );
    }
}
